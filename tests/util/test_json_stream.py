"""Large JSON files, read piece by piece."""

import json

import pytest

from util import json_stream
from util.errors import InputError
from util.json_stream import JsonStream


@pytest.fixture(params=[1, 3, 1 << 20])
def stream_of(request, tmp_path, monkeypatch):
    """Writes a text and opens it, read one byte, three, or all at a time."""
    monkeypatch.setattr(json_stream, "BLOCK", request.param)

    def build(text):
        (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        return JsonStream(tmp_path / "a.json")

    return build


def read(stream):
    """Everything, by way of keys and items at the top level."""
    if stream.peek() == "{":
        result = {key: list(stream.items()) if stream.peek() == "[" else stream.value() for key in stream.keys()}  # noqa: SIM118
    else:
        result = list(stream.items()) if stream.peek() == "[" else stream.value()
    stream.end()
    return result


@pytest.mark.parametrize("text", [
    "[]", "{}", " [ 1 , 23.5e1,\n-4 ] \n", '["a\\"]", "\\u00e9\u00e9", [[], {"b": null}]]', "12", '"x"', "true",
    '[{"a": [{"b": 1},{"c": 2}]},{"d": "},{"}, {"e": 3},{}, 4]', '[{"a":1},{"b":[{"c":2}]},{"d":3}]',
    '{"a": [1, {"b": 2}], "c" : {"d": []},\r\n "e": [], "f": -12.5}', '\ufeff{"a": "\U0001f600"}',
])  # fmt: skip
def test_values_are_those_of_json(stream_of, text):
    assert read(stream_of(text)) == json.loads(text.lstrip("\ufeff"))


@pytest.mark.parametrize("text, message", [
    ("[1,\n 2 3]", "line 2, column 4: not JSON: Expecting ',' or ']'"),
    ('{"a": [1],\n\n"b" 2}', "line 3, column 5: not JSON: Expecting ':'"),
    ('{"a": 1, b: 2}', "line 1, column 10: not JSON: Expecting property name"),
    ("[1, 2, ]", "line 1, column 8: not JSON: Expecting value"),
    ('[1, {"a": tru', "line 1, column 11: not JSON: Expecting value"),
    ("[1, 2", "line 1, column 6: not JSON: Expecting ',' or ']'"),
    ('["abc', "line 1, column 2: not JSON: Unterminated string"),
    ('[{"a": 1},{"b" 2},{"c": 3}]', "line 1, column 16: not JSON: Expecting ':'"),
    ("[1] 2", "line 1, column 5: not JSON: Extra data"),
    ("", "the file is empty"),
    (" \n", "the file is empty"),
    (b'["ab\xff"]', "byte 4 is not UTF-8"),
    (b'["\xc3\xa9\xe2\x82"]', "byte 4 is not UTF-8"),
    ("[" * 200_000, "not usable JSON"),
    ("[" + "1" * 5000 + "]", "not usable JSON"),
])  # fmt: skip
def test_faults_are_located(stream_of, text, message):
    with pytest.raises(InputError) as error:
        read(stream_of(text))
    assert f"a.json: {message}" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="a.json: cannot be read: No such file"):
        JsonStream(tmp_path / "a.json")
