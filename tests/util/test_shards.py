"""Parts of a run, and all of them together."""

import argparse

import pytest

from util.errors import InputError
from util.journal import Journal
from util.shards import WHOLE, Shard, parse_shard, whole_run


def write(folder, shard, num_items, numbers=None, run="a"):
    with Journal(folder / shard.journal, shard.header(num_items, {"run": run})) as journal:
        for number in shard.numbers(num_items) if numbers is None else numbers:
            journal.add(number, {"of": shard.number})


def test_parts_share_the_items():
    numbers = sorted(number for part in range(1, 4) for number in Shard(part, 3).numbers(8))
    assert numbers == list(range(8)) and list(WHOLE.numbers(3)) == [0, 1, 2]
    assert parse_shard("2/3") == Shard(2, 3)
    assert len({Shard(1, 3).journal, Shard(2, 3).journal, Shard(1, 2).journal, WHOLE.journal}) == 4


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "1/2/3", ""])
def test_other_texts_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        parse_shard(text)


def test_a_whole_run_has_every_item_and_nothing_else(tmp_path):
    write(tmp_path, Shard(1, 2), 5)
    write(tmp_path, Shard(2, 2), 5, [1, 3, 4, 99])  # entries that are not its own
    paths, run, entries = whole_run(tmp_path)
    assert len(paths) == 2 and run["run"] == "a" and sorted(entries) == list(range(5))
    assert [entries[number]["of"] for number in range(5)] == [1, 2, 1, 2, 1]


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match="run the parts first"):
        whole_run(tmp_path)
    write(tmp_path, Shard(2, 3), 7)
    with pytest.raises(InputError, match="run --shard 1/3, --shard 3/3"):
        whole_run(tmp_path)
    write(tmp_path, Shard(1, 3), 7, [0])
    with pytest.raises(InputError, match="2 images are missing; run --shard 1/3 again"):
        whole_run(tmp_path)
    write(tmp_path, Shard(3, 3), 7, run="b")
    (tmp_path / Shard(1, 3).journal).unlink()
    with pytest.raises(InputError, match="of another run"):
        whole_run(tmp_path)
