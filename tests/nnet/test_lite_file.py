"""Notes at the end of TensorFlow Lite models."""

import pytest

from nnet.lite_file import read_notes, seal
from util.errors import InputError

MODEL, NOTES = b"\x1c\0\0\0TFL3" + bytes(range(200)), {"model": {"name": "Füße"}}


def test_notes_are_read_as_written_after_the_model(tmp_path):
    (tmp_path / "x.tflite").write_bytes(seal(MODEL, NOTES))
    assert read_notes(tmp_path / "x.tflite") == NOTES
    assert (tmp_path / "x.tflite").read_bytes().startswith(MODEL)


def test_a_file_cut_anywhere_or_with_a_byte_changed_is_refused(tmp_path):
    whole, path = seal(MODEL, NOTES), tmp_path / "x.tflite"
    cut = [whole[:length] for length in range(1, len(whole))]
    changed = [whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :] for place in range(len(whole))]
    without_description = seal(MODEL, {"skeleton": {}})
    for content in [*cut, *changed, whole + b"\n", MODEL, without_description]:
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"x.tflite: cut off, damaged, too old, or no TensorFlow Lite model"):
            read_notes(path)


def test_missing_and_empty_files_are_named(tmp_path):
    (tmp_path / "empty").touch()
    for name, message in (("none", "no such file"), ("empty", "cannot be read"), (".", "cannot be read")):
        with pytest.raises(InputError, match=message):
            read_notes(tmp_path / name)
