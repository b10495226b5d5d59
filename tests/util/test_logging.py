"""What reaches the terminal."""

import os

import pytest

from util.logging import silent_stderr


def test_native_chatter_is_kept_off_the_terminal_and_only_while_it_lasts(capfd):
    with pytest.raises(ValueError, match="passes"), silent_stderr():
        os.write(2, b"chatter")
        raise ValueError("passes")
    os.write(2, b"a line")
    assert capfd.readouterr().err == "a line"
