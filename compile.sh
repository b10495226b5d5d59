#!/usr/bin/env bash
# The whole set-up: a virtual environment, pinned packages, the compiled extensions.
#
#   ./compile.sh                      uses the `python3` on the path
#   PYTHON=python3.12 ./compile.sh    uses another one
#   POSE_GPU=1 ./compile.sh           CUDA's libraries for TensorFlow, too; 0: not; default: where nvidia-smi answers
#
# Installs into the active virtual environment, or else into .venv beside this script.
# Run it again after changing C++, Cython, requirements.txt or pyproject.toml; what is up to date takes seconds.
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

case "${POSE_GPU:=$(nvidia-smi >/dev/null 2>&1 && echo 1 || echo 0)}" in
0) extras=dev,video ;;
1) extras=dev,video,gpu ;;
*) fail "POSE_GPU is $POSE_GPU, not 0 or 1" ;;
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

pip() {
    "$python" -m pip --quiet --disable-pip-version-check "$@"
}

# The stamp in the environment tells what is installed: the extras, and what the files said.
stamp=$environment/installed-packages.txt
wanted=$(echo "$extras" && cat requirements.txt pyproject.toml)
here=$PWD
up_to_date() {
    [ "$wanted" = "$(cat "$stamp" 2>/dev/null)" ] &&
        (cd / && "$python" -c "import config, os; assert os.path.dirname(config.__file__) == '$here'") 2>/dev/null
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if up_to_date; then
    echo "building the extensions"
    "$python" setup.py build_ext --inplace >"$log" 2>&1 || {
        cat "$log" >&2
        fail "the build failed; the compiler's messages stand above"
    }
else
    echo "installing TensorFlow and the other packages ($extras), building the extensions"
    before=$(head -n 1 "$stamp" 2>/dev/null || true)
    rm -f "$stamp"
    # Earlier versions of this script installed tensorflow-cpu, which shares tensorflow's folder.
    if pip show tensorflow-cpu 2>/dev/null; then
        pip uninstall --yes tensorflow-cpu tensorflow
    fi
    if [[ $before = *gpu && $POSE_GPU = 0 ]]; then
        pip freeze | sed -n 's/^\(nvidia-[a-z-]*-cu12\)=.*/\1/p' | xargs -r "$python" -m pip uninstall --quiet --yes
    fi
    pip install -c requirements.txt setuptools cython
    pip install -c requirements.txt --no-build-isolation --config-settings editable_mode=compat --editable ".[$extras]" ||
        fail "the installation failed; the messages of pip or the compiler stand above"
    echo "$wanted" >"$stamp"
fi
"$python" tools/export.py --cfg models/demo/pose_cfg.yaml --quick_start >"$log" 2>&1 || {
    cat "$log" >&2
    echo "compile.sh: the demo works all the same, but takes seconds to start" >&2
}
"$python" -c 'import lib.multicut_cython, lib.nms_cython, multiperson.predict'

case $python in "$PWD"/*) python=${python#"$PWD"/} ;; esac
echo "ready: $python demo/demo_multiperson.py"
