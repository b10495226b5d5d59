import pytest

from util.errors import InputError
from util.frozen_weights import VARIABLE, promise_frozen_weights, require_no_promise, weights_are_frozen


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, "0")


def test_the_promise_can_be_made_and_withdrawn():
    assert not weights_are_frozen()
    promise_frozen_weights()
    assert weights_are_frozen()
    promise_frozen_weights(False)
    assert not weights_are_frozen()


def test_what_breaks_the_promise_is_refused():
    require_no_promise("to train")
    promise_frozen_weights()
    with pytest.raises(InputError, match=f"{VARIABLE} is set.*unset it to train"):
        require_no_promise("to train")
