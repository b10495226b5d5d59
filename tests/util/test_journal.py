"""Entries survive a kill; another run is refused."""

import pytest

from util.errors import InputError
from util.journal import Journal, read_journal

HEADER = {"run": 1, "part": [1, 2]}


def written(path, entries):
    with Journal(path, HEADER) as journal:
        for number, entry in entries:
            journal.add(number, entry)
    return path


def test_entries_are_there_for_the_next_run(tmp_path):
    path = written(tmp_path / "new" / "a.jsonl", [(3, {"x": "ä"}), (1, {"x": 2}), (3, {"x": None})])
    with Journal(path, HEADER) as journal:
        assert journal.entries == {3: {"x": None}, 1: {"x": 2}}
        journal.add(0, {})
    assert read_journal(path) == (HEADER, {3: {"x": None}, 1: {"x": 2}, 0: {}})


def test_a_file_cut_anywhere_keeps_the_entries_before_the_cut(tmp_path):
    path = written(tmp_path / "a.jsonl", [(number, {"x": "y" * number}) for number in range(4)])
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        kept = max(0, data[:cut].count(b"\n") - 1)
        with Journal(path, HEADER) as journal:
            assert journal.entries == {number: {"x": "y" * number} for number in range(kept)}
            journal.add(99, {"x": 0})
        assert read_journal(path)[1].keys() == {*range(kept), 99}


def test_another_run_is_refused(tmp_path):
    path = written(tmp_path / "a.jsonl", [(0, {})])
    with pytest.raises(InputError, match="another run .part differ"):
        Journal(path, {"run": 1, "part": [2, 2]})


def test_another_process_is_kept_out(tmp_path):
    with Journal(tmp_path / "a.jsonl", HEADER) as journal:
        with pytest.raises(InputError, match="another process"):
            Journal(tmp_path / "a.jsonl", HEADER)
        journal.add(0, {})
    Journal(tmp_path / "a.jsonl", HEADER)


def test_a_journal_without_entries_is_removed(tmp_path):
    written(tmp_path / "a.jsonl", [])
    assert not list(tmp_path.iterdir())
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(InputError, match="holds nothing"):
        read_journal(tmp_path / "a.jsonl")


@pytest.mark.parametrize("line", ["", "x", "3", "{}"])
def test_other_files_are_refused(tmp_path, line):
    path = written(tmp_path / "a.jsonl", [(0, {"x": 1})])
    path.write_text(f"{path.read_text()}{line}\n")
    with pytest.raises(InputError, match=r"a\.jsonl: not a readable journal: .*; remove the file to begin anew"):
        Journal(path, HEADER)
