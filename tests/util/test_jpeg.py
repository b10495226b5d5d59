"""The size of a JPEG from its header."""

import numpy as np
from PIL import Image

from util.jpeg import jpeg_size


def test_sizes_are_those_of_the_image_library_or_unknown(tmp_path):
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 255, (33, 47, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, options in {
        "plain": {},
        "progressive": {"progressive": True},
        "comment": {"comment": b"x" * 9000},
        "profile": {"icc_profile": b"x" * 200000},
        "gray": {},
    }.items():
        (photo.convert("L") if name == "gray" else photo).save(tmp_path / f"{name}.jpg", **options)
        assert jpeg_size(tmp_path / f"{name}.jpg") == (33, 47)
    photo.save(tmp_path / "rotated.jpg", exif=exif)
    assert jpeg_size(tmp_path / "rotated.jpg") is None
    content = (tmp_path / "plain.jpg").read_bytes()
    for cut in range(200):
        (tmp_path / "cut.jpg").write_bytes(content[:cut])
        assert jpeg_size(tmp_path / "cut.jpg") in (None, (33, 47))
