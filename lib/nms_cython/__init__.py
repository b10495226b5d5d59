"""Non-maximum suppression on part score maps (compiled)."""

from lib import MissingExtension

try:
    from lib.nms_cython._nms import nms_grid, nms_parts
except ModuleNotFoundError as error:
    if error.name != "lib.nms_cython._nms":
        raise
    raise MissingExtension("lib.nms_cython") from None

__all__ = ["nms_grid", "nms_parts"]
