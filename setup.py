"""Builds the compiled modules of lib/; everything else about the package stands in pyproject.toml.

    python setup.py build_ext --inplace

POSE_DEBUG=1 builds without optimisation and with debug symbols.
"""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup


def extension(folder: str, module: str) -> Extension:
    """lib/<folder>/<module>.pyx with all headers beside it: a change in one of them rebuilds it."""
    return Extension(
        f"lib.{folder}.{module}",
        [f"lib/{folder}/{module}.pyx"],
        language="c++",
        include_dirs=["lib", f"lib/{folder}"],
        depends=sorted(map(str, [*Path("lib").glob("*.hpp"), *Path("lib", folder).glob("*.hpp")])),
        extra_compile_args=compile_args(),
    )


def compile_args() -> list[str]:
    """No -march: a built copy may move to another machine. No fused multiply-add: every machine rounds alike."""
    if sys.platform == "win32":
        return ["/std:c++17", "/O2"]
    optimise = ["-O0", "-g"] if os.environ.get("POSE_DEBUG") else ["-O3", "-g0"]
    return ["-std=c++17", "-Wall", "-Wextra", "-ffp-contract=off", "-fopenmp-simd", *optimise]


MODULES = {
    "multicut_cython": "_multicut",
    "nms_cython": "_nms",
    "pairwise_cython": "_pairwise",
    "people_cython": "_people",
}
setup(ext_modules=cythonize([extension(folder, module) for folder, module in MODULES.items()]))
