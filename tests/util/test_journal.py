"""Entries survive a kill and damage; another run is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(st.integers(0, 400))
def test_a_file_cut_anywhere_keeps_the_entries_before_the_cut(tmp_path_factory, cut):
    path = written(tmp_path_factory.mktemp("cut") / "a.jsonl", [(number, {"x": "y" * number}) for number in range(10)])
    whole = path.read_bytes()[:cut]
    path.write_bytes(whole)
    kept = max(0, whole.count(b"\n") - 1)
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


@pytest.mark.parametrize("line", ["", "x", "3", "{}", '{"number": 3}', '{"number": true}', "[" * 5000, "\udcff"])
def test_other_lines_are_ignored(tmp_path, line):
    path = written(tmp_path / "a.jsonl", [(0, {"x": 1})])
    path.write_bytes(path.read_bytes() + f"{line}\n".encode(errors="surrogateescape"))
    with Journal(path, HEADER) as journal:
        assert (journal.entries, journal.damaged) == ({0: {"x": 1}}, 1)
        journal.add(3, {"x": 4})
    assert read_journal(path) == (HEADER, {0: {"x": 1}, 3: {"x": 4}})
    path.write_bytes(f"{line}\n".encode(errors="surrogateescape") + path.read_bytes())
    with pytest.raises(InputError, match="line 1: not the beginning of a journal, or damaged"):
        Journal(path, HEADER)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_byte_is_noticed(tmp_path_factory, place, change):
    """Its entry is missing, or the journal is refused; other entries stay as they were."""
    folder = tmp_path_factory.mktemp("damaged")
    path = written(folder / "a.jsonl", [(number, {"x": "y" * number}) for number in range(9)])
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= change
    path.write_bytes(data)
    try:
        header, entries = read_journal(path)
    except InputError:
        return
    assert header == HEADER and 7 <= len(entries) <= 8
    assert all(entries[number] == {"x": "y" * number} for number in entries)
