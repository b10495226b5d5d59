"""Imports point one way, as README.md's "Layout" draws it.

This prints the drawing:

    python tests/test_layout.py
"""

import ast
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
# Each imports from those before it only; the scripts from all of these and not from each other.
LIBRARY = "lib", "util", "config", "dataset", "nnet", "multiperson"
SCRIPTS = "train", "demo", "tools"
# In tests/: the tests of scripts, and of several packages together.
TESTS_OF_SCRIPTS = re.compile(r"tests\.(tools|demo|models|test_\w+$)")
TENSORFLOW = "tensorflow", "keras"


class Import(NamedTuple):
    """An import, wherever in its module it stands; `target` is a module of ours as far as there is one."""

    module: str
    line: int
    target: str


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def package(module: str) -> str:
    return module.partition(".")[0]


def files() -> dict[str, Path]:
    """All our modules, by name."""
    found = [path for name in (*LIBRARY, *SCRIPTS, "tests") for path in ROOT.glob(f"{name}/**/*.py")]
    found += [ROOT / f"{name}.py" for name in (*LIBRARY, *SCRIPTS) if (ROOT / f"{name}.py").exists()]
    return {module_name(path): path for path in found}


MODULES = files()


def imports_of(module: str) -> Iterator[Import]:
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}, line {node.lineno}: imports here name the whole module"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (Import(module, node.lineno, name if name in MODULES else node.module) for name in names)
        elif isinstance(node, ast.Import):
            yield from (Import(module, node.lineno, alias.name) for alias in node.names)


IMPORTS = [found for module in MODULES for found in imports_of(module)]


def in_words(imports: list[Import]) -> list[str]:
    return [f"{found.module}, line {found.line}: {found.target}" for found in imports]


def is_script(module: str) -> bool:
    return module in MODULES and 'if __name__ == "__main__":' in MODULES[module].read_text(encoding="utf-8")


def test_packages_import_from_those_before_them():
    place = {name: number for number, name in enumerate((*LIBRARY, *SCRIPTS))}
    against = [
        found
        for found in IMPORTS
        if package(found.module) in LIBRARY
        and package(found.target) in place
        and place[package(found.target)] > place[package(found.module)]
    ]
    assert not against, in_words(against)


def test_scripts_are_leaves():
    """Modules beside scripts are for the scripts in their folder."""
    wrong = [
        found
        for found in IMPORTS
        if package(found.target) in SCRIPTS
        and not TESTS_OF_SCRIPTS.match(found.module)
        and (is_script(found.target) or package(found.target) != package(found.module))
    ]
    assert not wrong, in_words(wrong)


def test_no_module_needs_itself():
    graph = {module: set() for module in MODULES}
    for found in IMPORTS:
        if found.target in MODULES:
            graph[found.module].add(found.target)
    graphlib.TopologicalSorter(graph).prepare()


def test_tensorflow_is_for_the_network_and_scripts():
    allowed = "nnet", *SCRIPTS, "tests"
    wrong = [found for found in IMPORTS if package(found.target) in TENSORFLOW and package(found.module) not in allowed]
    assert not wrong, in_words(wrong)


@pytest.mark.parametrize("path", [path for pattern in ("*.pyx", "*.pxd") for path in ROOT.glob(f"lib/**/{pattern}")])
def test_compiled_modules_import_from_lib_only(path):
    imported = re.findall(r"^\s*(?:from|c?import)\s+(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert imported and not {*LIBRARY[1:], *SCRIPTS} & set(imported)


def drawing() -> str:
    """A line for each package and script, with the packages that it imports from in columns."""
    lines = []
    for name in (*LIBRARY, *SCRIPTS):
        used = {package(found.target) for found in IMPORTS if package(found.module) == name}
        columns = (other if other in used - {name} else " " * len(other) for other in LIBRARY)
        lines.append(f"    {name:13}{'  '.join(columns)}".rstrip())
    return "\n".join(lines)


def test_the_readme_draws_it():
    assert f"\n\n{drawing()}\n\n" in (ROOT / "README.md").read_text(encoding="utf-8"), f"draw it so:\n{drawing()}"


if __name__ == "__main__":
    print(drawing())
