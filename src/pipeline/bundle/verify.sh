#!/bin/sh
# Checks the files of this bundle and replays its golden pairs on this machine. Exit code 0 when all is well.
# Arguments go to cmake: see README.md
set -e
cd "$(dirname "$0")"
sha256sum --quiet -c SHA256SUMS
command -v cmake >/dev/null || { echo "error: verify needs cmake and a C++17 compiler" >&2; exit 1; }
grep -qsx "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD/example" build/CMakeCache.txt || rm -rf build  # the bundle was moved
{ cmake -S example -B build "$@" && cmake --build build --target verify_golden; } >build.log 2>&1 || { cat build.log; exit 1; }
exec build/verify_golden .
