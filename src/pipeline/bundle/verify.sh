#!/bin/sh
# Checks the files of this bundle and replays its golden pairs on this machine. Arguments go to cmake:
#   ./verify -DOpenVINO_DIR=DIR
set -e
cd "$(dirname "$0")"
sha256sum --quiet -c SHA256SUMS
cmake -S example -B build "$@" >build.log 2>&1 || { cat build.log; exit 1; }
cmake --build build --target verify_golden >build.log 2>&1 || { cat build.log; exit 1; }
exec build/verify_golden
