"""Published models, and the scripts that fetch them."""

import os
import re

_SCRIPTS = (
    (r"resnet_v1_(50|101|152)\.ckpt$", r"models/pretrained/download.sh \1"),
    (r"coco-resnet-101$", "models/coco/download_models.sh"),
    (r"models/coco/pairwise/[^/]*$", "models/coco/download_models.sh"),
    (r"mpii-single-resnet-101$", "models/mpii/download_models.sh"),
)


def fetching_hint(path: str | os.PathLike) -> str:
    """For the end of an error about a missing file: "; <script> fetches it", or nothing if it is not published."""
    path = os.path.abspath(path)
    for pattern, script in _SCRIPTS:
        match = re.search("/" + pattern, path)
        if match:
            return f"; {match.expand(script)} fetches it"
    return ""
