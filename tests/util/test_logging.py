"""What reaches the terminal."""

import logging
import os

import pytest

from util.errors import InputError
from util.logging import setup_logging, show_warnings, silent_stderr


@pytest.fixture
def own_handlers():
    """Replaces the logging that pytest has set up for the time of a test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_log_on_a_full_disk_is_one_warning(tmp_path, capsys, own_handlers):
    (tmp_path / "log.txt").symlink_to("/dev/full")
    setup_logging(tmp_path / "log.txt")
    for number in range(3):
        logging.info("line %d", number)
    warning = f"warning: {tmp_path}/log.txt: cannot be written: No space left on device"
    expected = ["line 0", warning, "line 1", "line 2"]
    assert sorted(capsys.readouterr().err.splitlines()) == sorted(expected)
    logging.getLogger().handlers.pop().stream = None  # closing it would fail again


def test_a_log_in_a_missing_folder_is_refused(tmp_path, own_handlers):
    with pytest.raises(InputError, match="nowhere/log.txt: cannot be written: No such file or directory"):
        setup_logging(tmp_path / "nowhere" / "log.txt")


def test_native_messages_are_silenced_only_within_the_block(capfd):
    with pytest.raises(ValueError, match="passes"), silent_stderr():
        os.write(2, b"chatter")
        raise ValueError("passes")
    os.write(2, b"a line")
    assert capfd.readouterr().err == "a line"


def test_warnings_begin_alike_on_the_terminal_and_in_the_log(tmp_path, capsys, own_handlers):
    logging.getLogger().handlers.clear()
    show_warnings()
    logging.warning("a %s", "mistake")
    logging.info("not said")
    setup_logging(tmp_path / "log.txt")
    logging.warning("another")
    logging.info("said")
    assert capsys.readouterr().err == "warning: a mistake\nwarning: another\nsaid\n"
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [line[20:] for line in lines] == ["warning: another", "said"]
