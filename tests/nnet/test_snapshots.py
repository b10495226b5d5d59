"""Snapshots are found by their names and replaced as a whole; incomplete ones do not count."""

import contextlib
import itertools
import os
from pathlib import Path

import pytest

from nnet.snapshots import (
    DATA,
    INDEX,
    latest_snapshot,
    prune_snapshots,
    remove_leftovers,
    replace_checkpoint,
    snapshots,
    whole_generation,
)


def write(prefix, text):
    for suffix in (DATA, INDEX):
        Path(f"{prefix}{suffix}").write_text(text)


def content(prefix):
    """The text in both files."""
    (text,) = {Path(f"{prefix}{suffix}").read_text() for suffix in (DATA, INDEX)}
    return text


def test_snapshots_are_ordered_by_step_and_pruned(tmp_path):
    for name in ("snapshot-9", "snapshot-10", "snapshot-100", "snapshot-20", "other-500"):
        for suffix in (INDEX, DATA):
            (tmp_path / f"{name}{suffix}").touch()
    (tmp_path / f"snapshot-300{INDEX}").touch()  # its data is missing
    assert list(snapshots(tmp_path, "snapshot")) == [9, 10, 20, 100]
    assert latest_snapshot(tmp_path, "snapshot") == str(tmp_path / "snapshot-100")
    prune_snapshots(tmp_path, "snapshot", 2)
    assert list(snapshots(tmp_path, "snapshot")) == [20, 100]
    assert latest_snapshot(tmp_path, "nothing") is None


def test_a_prefix_may_lead_to_another_folder(tmp_path):
    (tmp_path / "sub").mkdir()
    for suffix in (INDEX, DATA):
        (tmp_path / f"sub/snap-5{suffix}").touch()
    for prefix in ("sub/snap", str(tmp_path / "sub/snap")):
        assert snapshots(tmp_path, prefix) == {5: str(tmp_path / "sub/snap-5")}


@pytest.mark.parametrize("moment", range(11))
@pytest.mark.parametrize("links", [True, False])
def test_a_checkpoint_being_replaced_is_whole_at_every_moment(tmp_path, monkeypatch, moment, links):
    """Killed before any renaming, either the old or the new one can be read, and the next run tidies up."""
    prefix, new = tmp_path / "snapshot-best", tmp_path / ".snapshot-best.77"
    write(prefix, "1")
    write(new, "2")
    changes = itertools.count()

    def unless_killed(function):
        def change(*args, **options):
            if next(changes) >= moment:
                raise KeyboardInterrupt
            return function(*args, **options)

        return change

    def no_links(*_):
        raise OSError("links are not known here")

    with monkeypatch.context() as patch:
        if not links:
            patch.setattr(os, "link", no_links)
        for name in ("replace", "link", "unlink"):
            patch.setattr(os, name, unless_killed(getattr(os, name)))
        with pytest.raises(KeyboardInterrupt) if moment < 9 else contextlib.nullcontext():
            replace_checkpoint(prefix, new)
    text = content(whole_generation(prefix))
    assert text == ("1" if moment < 7 else "2")
    remove_leftovers(tmp_path, "snapshot")
    assert {path.name for path in tmp_path.iterdir()} == {f"snapshot-best{suffix}" for suffix in (INDEX, DATA)}
    assert content(prefix) == text


@pytest.mark.parametrize("prefix", ["snapshot", "sub/snapshot"])
def test_leftovers_of_killed_writers_are_removed_and_nothing_else(tmp_path, prefix):
    folder = (tmp_path / prefix).parent
    folder.mkdir(exist_ok=True)
    write(folder / "snapshot-1", "")
    for name in (".snapshot-2.77.index", ".snapshot-2.77.data-00000-of-00001.tempstate5", ".other", "snapshot.txt"):
        (folder / name).touch()
    remove_leftovers(tmp_path, prefix)
    names = {path.name for path in folder.iterdir()}
    assert names == {"snapshot-1.index", "snapshot-1.data-00000-of-00001", ".other", "snapshot.txt"}
