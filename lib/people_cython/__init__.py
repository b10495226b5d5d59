"""From clusters of detections to people (compiled)."""

from lib import MissingExtension

try:
    from lib.people_cython._people import average_people, drop_strays
except ModuleNotFoundError as error:
    if error.name != "lib.people_cython._people":
        raise
    raise MissingExtension("lib.people_cython") from None

__all__ = ["average_people", "drop_strays"]
