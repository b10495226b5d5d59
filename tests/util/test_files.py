"""Files appear whole or not at all; broken ones are named."""

import errno
import json

import pytest

from util import files
from util.errors import InputError
from util.files import atomic_path, only_user, read_json, unused_name, write_json


def test_json_is_read_as_written(tmp_path):
    write_json(tmp_path / "new" / "a.json", {"ä": [1, 2.5]})
    assert read_json(tmp_path / "new" / "a.json") == {"ä": [1, 2.5]}


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_half_written_folder_vanishes(tmp_path):
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "model") as temporary:
        temporary.mkdir()
        (temporary / "weights").touch()
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_what_others_are_writing_is_left_alone(tmp_path):
    """A process of another container may have any number, also that of none here."""
    with atomic_path(tmp_path / "a.mp4") as ours, atomic_path(tmp_path / "b.mp4") as theirs:
        ours.touch()
        theirs.touch()
        write_json(tmp_path / "c.json", 1)
        assert {path.name for path in tmp_path.iterdir()} == {"c.json", ours.name, theirs.name}
        assert ours.suffix == ".mp4" and ours.name.startswith(".")
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4", "b.mp4", "c.json"}


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, caplog):
    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files.fcntl, "flock", flock)
    with only_user(tmp_path / "log.txt") as file:
        file.write(b"written all the same")
    assert "log.txt: cannot be locked" in caplog.text


def test_an_unwritable_place_is_an_input_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_json(tmp_path / "file" / "a.json", 1)


@pytest.mark.parametrize("content, message", [
    (b"", "empty"),
    (b'{"a": 1,\n "b" 2}', "line 2, column 6: not JSON"),
    (b'"\xff"', "byte 1 is not UTF-8"),
    (b"[" * 100_000, "not usable JSON"),
])  # fmt: skip
def test_broken_json_is_located(tmp_path, content, message):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_json(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ['{"a": [1, -2.5e3, null, true, "ä\\n"]}', "[NaN, -Infinity]", '["\\ud800"]'])
def test_json_is_read_as_python_reads_it(tmp_path, text):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    assert repr(read_json(tmp_path / "a.json")) == repr(json.loads(text))


def test_json_of_a_kind_has_null_for_nan(tmp_path):
    (tmp_path / "a.json").write_text('[["\\ud800"], NaN]')
    assert read_json(tmp_path / "a.json", list[list[str] | None]) == [["?"], None]
    with pytest.raises(InputError, match=r"a.json: Expected `array`, got `null` - at `\$\[1\]`; see the page"):
        read_json(tmp_path / "a.json", list[list[str]], hint="see the page")


def test_a_byte_order_mark_is_allowed(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(tmp_path / "a.json") == [1]


def test_equal_names_are_numbered():
    taken = set()
    assert [unused_name(name, taken) for name in ("a", "b", "a", "a_2", "a")] == ["a", "b", "a_2", "a_2_2", "a_3"]
