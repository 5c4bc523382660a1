# Python environments made from lock files; sourced by scripts/setup and, on machines with our package, by hot-runtimes.
# Needs say() and die().

# make_venv FOLDER: with the Python that the lock files are for.
make_venv() {
  local version
  version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  [[ $version == 3.11 ]] || die "/usr/bin/python3 is $version; the lock files are for 3.11 (Debian 12)"
  if ! "$1/bin/python" -c 'import pip' 2>/dev/null; then /usr/bin/python3 -m venv --clear "$1"; fi
}

# pip_install FOLDER LOCK [OPTION...]: exactly what the lock file has, nothing else.
pip_install() {
  local venv=$1
  shift
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes --no-deps \
    --only-binary=:all: -r "$@" >&2
}

# install_lock FOLDER LOCK STAMP WHAT: unless STAMP, a file in FOLDER, says that this lock file is installed.
install_lock() {
  local wanted
  wanted=$(sha256sum <"$2")
  if [[ -f $1/$3 && $(<"$1/$3") == "$wanted" ]]; then return; fi
  say "installing $4 into $1"
  pip_install "$1" "$2"
  echo "$wanted" >"$1/$3"
}
