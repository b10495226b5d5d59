"""From clusters of detections to people (compiled)."""

from lib import compiled

with compiled("lib.people_cython._people"):
    from lib.people_cython._people import average_people, drop_strays

__all__ = ["average_people", "drop_strays"]
