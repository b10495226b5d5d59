#!/usr/bin/env bash
# The whole set-up: a virtual environment, pinned packages, the compiled extensions.
#
#   ./compile.sh                      uses the `python3` on the path
#   PYTHON=python3.12 ./compile.sh    uses another one
#
# Installs into the active virtual environment, or else into .venv beside this script.
# Run it again after changing C++, Cython or requirements.txt; what is up to date takes seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() {
    echo "compile.sh: $1" >&2
    exit 2
}

case "${1:-}" in
"") ;;
-h | --help)
    sed -n '2,/^set/s/^# \{0,1\}//p' compile.sh
    exit
    ;;
*) fail "unknown argument $1 (./compile.sh --help)" ;;
esac

# Prints the version of a Python; fails unless it is one that this code runs on.
supported() {
    "$1" -c 'import sys; print(sys.version.split()[0]); sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null
}

environment=${VIRTUAL_ENV:-$PWD/.venv}
python=$environment/bin/python
if [ -z "${VIRTUAL_ENV:-}" ] && [ ! -x "$python" ]; then
    chosen=${PYTHON:-python3}
    version=$(supported "$chosen") ||
        fail "$chosen is ${version:-not found}; Python 3.10 to 3.13 is needed (PYTHON=python3.11 ./compile.sh)"
    echo "creating $environment"
    "$chosen" -m venv "$environment" || {
        rm -rf "$environment"
        fail "no virtual environment (Debian: apt-get install python3-venv)"
    }
fi
version=$(supported "$python") ||
    fail "$environment has Python ${version:-that does not run}; 3.10 to 3.13 is needed: remove it, or deactivate it"
command -v "${CXX:-g++}" >/dev/null || fail "no C++ compiler (Debian: apt-get install g++; macOS: xcode-select --install)"

# A copy of the requirements in the environment tells that they are installed.
stamp=$environment/installed-requirements.txt
if ! cmp -s requirements.txt "$stamp"; then
    echo "installing the packages of requirements.txt (about 2 GB with TensorFlow)"
    "$python" -m pip install --quiet --disable-pip-version-check -r requirements.txt
    cp requirements.txt "$stamp"
fi

# The first time pip makes this folder importable, too; later only what has changed is built.
build=("$python" setup.py build_ext --inplace)
here=$PWD
(cd / && "$python" -c "import config, os; assert os.path.dirname(config.__file__) == '$here'") 2>/dev/null ||
    build=("$python" -m pip install --disable-pip-version-check --no-build-isolation --no-deps
        --config-settings editable_mode=compat --editable .)
echo "building the extensions"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${build[@]}" >"$log" 2>&1 || {
    cat "$log" >&2
    fail "the build failed; the compiler's messages stand above"
}
"$python" tools/export.py --cfg models/demo/pose_cfg.yaml --quick_start >"$log" 2>&1 || {
    cat "$log" >&2
    echo "compile.sh: the demo works all the same, but takes seconds to start" >&2
}
"$python" -c 'import lib.multicut_cython, lib.nms_cython, multiperson.predict'

case $python in "$PWD"/*) python=${python#"$PWD"/} ;; esac
echo "ready: $python demo/demo_multiperson.py"
