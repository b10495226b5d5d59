"""Non-maximum suppression on part score maps (compiled)."""

from lib import compiled

with compiled("lib.nms_cython._nms"):
    from lib.nms_cython._nms import nms_grid, nms_parts

__all__ = ["nms_grid", "nms_parts"]
