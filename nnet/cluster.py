"""The environment variable TF_CONFIG, which tells the workers of a training about each other.

    {"cluster": {"worker": ["host0:23456", "host1:23456"]}, "task": {"type": "worker", "index": 0}}

TensorFlow would wait forever for workers that cannot exist, so everything is checked first.
"""

import json
import re
from typing import Any, NamedTuple

from util.errors import InputError


class Cluster(NamedTuple):
    """How many workers there are, and which one this is; the first is the chief."""

    workers: int = 1
    worker: int = 0


def read_cluster(text: str | None) -> Cluster:
    """The cluster that the content of TF_CONFIG describes. Raises InputError."""
    if not text:
        return Cluster()
    try:
        config = json.loads(text)
        addresses, own = config["cluster"], (config["task"]["type"], int(config["task"]["index"]))
        # In this order the chief comes first.
        tasks = {(kind, index): address for kind in sorted(addresses) for index, address in enumerate(addresses[kind])}
        number = list(tasks).index(own)
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(
            'TF_CONFIG: expected {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}} '
            "with an index into that list (models/training.md)"
        ) from error
    _check(tasks)
    return Cluster(len(tasks), number)


def _check(tasks: dict[tuple[str, int], Any]) -> None:
    """Raise InputError where a worker has an impossible kind or address."""
    seen = set()
    for (kind, index), address in tasks.items():
        if kind != "worker" and (kind, index) != ("chief", 0):
            raise InputError(f"TF_CONFIG: {kind!r:.80} {index} in the cluster; there can be workers and one chief")
        if not _is_address(address):
            raise InputError(f"TF_CONFIG: {address!r:.80} is no address; expected host:port with a port up to 65535")
        if address in seen:
            raise InputError(f"TF_CONFIG: two workers have the address {address}; each needs its own")
        seen.add(address)


def _is_address(value: Any) -> bool:
    match = re.fullmatch(r"[!-~]+:([0-9]{1,5})", value) if isinstance(value, str) else None
    return match is not None and 0 < int(match[1]) < 65536
