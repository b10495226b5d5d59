"""Workers of a training, as TF_CONFIG lists them."""

import json

import pytest

from nnet.cluster import Cluster, read_cluster
from util.errors import InputError


def config(kind="worker", index=0, **cluster):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize("text, expected", [
    (None, (1, 0)),
    ("", (1, 0)),
    (config(worker=["a:1"]), (1, 0)),
    (config(worker=["a.b-c.org:1", "[::1]:65535", "10.0.0.1:3"], index="2"), (3, 2)),
    (config(chief=["a:1"], worker=["a:2", "a:3"], index=1), (3, 2)),
    (config("chief", worker=["a:2", "a:3"], chief=["a:1"]), (3, 0)),
])  # fmt: skip
def test_workers_and_the_number_of_this_one(text, expected):
    assert read_cluster(text) == Cluster(*expected)


@pytest.mark.parametrize("text", ["{", "[]", "7", "null", "[" * 10**5, config(), config(worker=[]), config(worker=7),
                                  config(worker=["a:1"], index=1), config(worker=["a:1"], index=-1),
                                  config(worker=["a:1"], index=None), config(worker=["a:1"], index=1e400),
                                  config(worker=["a:1"], kind="ps"), '{"cluster": "worker", "task": {}}'])  # fmt: skip
def test_other_forms_are_refused(text):
    with pytest.raises(InputError, match="TF_CONFIG: expected .*an index into that list"):
        read_cluster(text)


@pytest.mark.parametrize("workers, others, message", [
    (["a:1", "b:99999"], {}, "'b:99999' is no address"),
    (["a:1", "b:0"], {}, "'b:0' is no address"),
    (["a:1", "b"], {}, "'b' is no address"),
    (["a:1", ":2"], {}, "':2' is no address"),
    (["a:1", "b :2"], {}, "'b :2' is no address"),
    (["a:1", 7], {}, "7 is no address"),
    (["a:1", ["b:1"]], {}, "is no address"),
    ("a:1", {}, "'a' is no address"),
    (["a:1", "b:1", "a:1"], {}, "two workers have the address a:1"),
    (["a:1"], {"ps": ["b:1"]}, "TF_CONFIG: 'ps' 0 in the cluster; there can be workers"),
    (["a:1"], {"chief": ["b:1", "c:1"]}, "TF_CONFIG: 'chief' 1 in the cluster; there can be workers"),
])  # fmt: skip
def test_impossible_addresses_and_processes_other_than_workers_are_refused(workers, others, message):
    """TensorFlow would wait for them forever."""
    with pytest.raises(InputError, match=message):
        read_cluster(config(worker=workers, **others))
