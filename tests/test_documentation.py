"""Whatever the pages name exists: scripts, their options, keys of the configuration, other pages."""

import contextlib
import importlib
import io
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from config import KEYS
from util.files import read_text

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted(ROOT.glob("models/*.md")),
    ROOT / "models/demo/README.md",
    ROOT / "tools/benchmarks/README.md",
]

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def commands(page: Path) -> list[list[str]]:
    """The Python commands in the indented blocks of a page: script from the repository's folder, and its arguments."""
    text = read_text(page, "a page").replace("\\\n", " ")
    lines = re.findall(r"^ {4}(?:.*[;&] )?(?:python|\.venv/bin/python) ((?:\.\./)*(?:\w+/)*\w+\.py\b.*)$", text, re.M)
    words = [shlex.split(line, comments=True) for line in lines]
    return [[re.sub(r"^(\.\./)+", "", script), *arguments] for script, *arguments in words]


@cache
def help_text(script: str, *subcommand: str) -> str:
    module = importlib.import_module(script.removesuffix(".py").replace("/", "."))
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        module.main([*subcommand, "--help"])
    return text.getvalue()


@pages
def test_commands_and_their_options_exist(page):
    for script, *arguments in commands(page):
        if script != "train.py" and ("/" not in script or (page.parent / "train" / script).exists()):
            continue  # a script of the model directory
        subcommand = arguments[:1] if script == "tools/benchmark.py" else []
        known = help_text(script, *subcommand)
        for argument in arguments:
            option, key = re.match(r"--\w+", argument), re.match(r"([a-z_]+)=", argument)
            assert not option or re.search(rf"{option[0]}\b", known), f"{script} {argument}"
            assert not key or key[1] in KEYS, f"{script} {argument}"


@pages
def test_paths_and_links_lead_somewhere(page):
    text = read_text(page, "a page")
    for path in re.findall(r"(?<![\w./-])(?:tools|demo|models|dataset|multiperson)/[\w/]+\.(?:py|sh|yaml|md)\b", text):
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\(([\w./-]+)\)", text):
        assert (page.parent / link).exists(), link


@pages
def test_keys_are_those_of_the_configuration(page):
    """In the form `key: value`."""
    for key in re.findall(r"`([a-z_]+): [^`]*`", read_text(page, "a page")):
        assert key in KEYS, key


def test_commands_are_found():
    assert sum(len(commands(page)) for page in PAGES) > 50
