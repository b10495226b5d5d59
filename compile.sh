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

if [ -n "${VIRTUAL_ENV:-}" ]; then
    environment=$VIRTUAL_ENV
else
    environment=$PWD/.venv
    if [ ! -x "$environment/bin/python" ]; then
        echo "creating $environment"
        "${PYTHON:-python3}" -m venv "$environment" || fail "no virtual environment (Debian: apt-get install python3-venv)"
    fi
fi
python=$environment/bin/python
"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' ||
    fail "$("$python" --version) found; Python 3.10 to 3.13 is needed (PYTHON=python3.11 ./compile.sh)"
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
"$python" -c 'import lib.multicut_cython, lib.nms_cython, multiperson.predict'

case $python in "$PWD"/*) python=${python#"$PWD"/} ;; esac
echo "ready: $python demo/demo_multiperson.py"
