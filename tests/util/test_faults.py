"""Faults of files, counted by kind."""

import logging
from itertools import count

from util.faults import CORRECTED, LEFT_OUT, Fault, Faults


def test_each_kind_of_fault_is_a_line(caplog):
    faults = Faults()
    assert not faults and not faults.lines() and not faults.reasons()
    for number in range(5):
        faults.add("people without a box", f"human{number}")
    faults.add("joints with an odd flag", "human7", 9, CORRECTED)
    faults.add_many("people without joints", 300, (f"human{number}" for number in count(10)))
    faults.add_many("people of no kind", 0, ())
    assert faults.counts == {"people without a box": 5, "joints with an odd flag": 1, "people without joints": 300}
    assert faults.examples("joints with an odd flag") == [Fault("joints with an odd flag", "human7", "9")]
    lines = [
        "left out: people without a box: 5 (human0, human1, human2, ...)",
        "corrected: joints with an odd flag: 1 (human7: 9)",
        "left out: people without joints: 300 (human10, human11, human12, ...)",
    ]
    assert faults.lines() == lines
    faults.warn("a.json")
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, f"a.json: {line}") for line in lines
    ]
    assert faults.reasons(CORRECTED) == " (joints with an odd flag: 1)"
    assert faults.reasons(LEFT_OUT) == " (people without a box: 5; people without joints: 300)"


def test_all_examples_are_kept_on_request():
    faults = Faults(keep=None)
    faults.add_many("people", 4, map(str, range(4)))
    faults.add("people", "\x1b[2J")
    assert [fault.place for fault in faults.examples("people")] == ["0", "1", "2", "3", "\\x1b[2J"]
