# Shared by the scripts here; sourced, not run.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
started=$SECONDS

if [[ -t 2 ]]; then bold=$'\033[1m' plain=$'\033[0m'; else bold='' plain=''; fi
say() { printf '%s[%3d s]%s %s\n' "$bold" "$((SECONDS - started))" "$plain" "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# As many compile jobs as there are cores, but 1.5 GB of memory for each (headers of LibTorch are large).
compile_jobs() {
  local by_memory
  by_memory=$(awk '/^MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo)
  local cores
  cores=$(nproc)
  if ((by_memory < 1)); then by_memory=1; fi
  echo $((by_memory < cores ? by_memory : cores))
}

# configure PRESET: quiet unless it fails.
configure() {
  local log="build/$1.configure.log"
  mkdir -p build
  if ! cmake --preset "$1" >"$log" 2>&1; then
    cat "$log" >&2
    die "cmake --preset $1 failed"
  fi
}

# build PRESET TARGET...
build() {
  local preset=$1
  shift
  NINJA_STATUS='[%f/%t, %es] ' cmake --build "build/$preset" --parallel "$(compile_jobs)" --target "$@"
}
