"""Reading photographs of every kind as upright 8-bit RGB, and resizing them."""

import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from util.errors import InputError

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
# 200 megapixels, more than any camera; RGB of that size is .6 GB. Refused from the header, before decoding.
MAX_PIXELS = 200_000_000
# What Pillow remarks on files that it reads all the same.
warnings.filterwarnings("ignore", module="PIL")
_EXIF_ORIENTATION = 0x0112


@contextmanager
def open_image(path: str | os.PathLike) -> Iterator[Image.Image]:
    """An image file as Pillow opens it, pixels unread. Raises InputError, also for faults met in the block."""
    try:
        # Not by its name: Pillow 12.0 then maps plain TIFFs into memory, and garbles those that Exif turns.
        with open(path, "rb") as file, Image.open(file) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise InputError(f"{path}: {width}x{height} pixels are more than {MAX_PIXELS // 10**6} megapixels")
            yield image
    except UnidentifiedImageError as error:
        raise InputError(f"{path}: not an image (or an unknown format)") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path}: more than {MAX_PIXELS // 10**6} megapixels") from error
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (SyntaxError, ValueError, EOFError) as error:
        raise InputError(f"{path}: broken image: {error}") from error


def read_image(path: str | os.PathLike) -> np.ndarray:
    """The image as uint8 (height, width, 3) RGB, upright (EXIF applied), the first frame of an animation.

    16-bit gray is scaled to 8 bits, alpha is laid over white. Raises InputError for what is no whole image.
    """
    with open_image(path) as image:
        ImageOps.exif_transpose(image, in_place=True)
        if image.mode.startswith("I") or image.mode == "F":
            return _deep_gray_to_rgb(np.asarray(image))
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _deep_gray_to_rgb(gray: np.ndarray) -> np.ndarray:
    scale = 255 / 65535 if gray.dtype.kind in "iu" and gray.max(initial=0) > 255 else 1
    gray = np.clip(np.round(gray * scale), 0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=-1)


def readable_images(paths: Sequence[str | os.PathLike]) -> Iterator[tuple[int, np.ndarray]]:
    """Number and content of each image that can be read; the others are named on standard error.

    Raises InputError when not one can be read.
    """
    if len(paths) == 1:
        yield 0, read_image(paths[0])
        return
    faults = []
    for number, path in enumerate(paths):
        try:
            image = read_image(path)
        except InputError as error:
            print(f"skipped {error}", file=sys.stderr)
            faults.append(error)
        else:
            yield number, image
    if len(faults) == len(paths):
        raise InputError(f"none of the {len(paths)} images can be read; the first: {faults[0]}")


def read_image_size(path: str | os.PathLike) -> tuple[int, int]:
    """(height, width) of the upright image, from its header alone. Raises InputError."""
    with open_image(path) as image:
        width, height = image.size
        # A PNG may keep Exif data behind the pixels; Pillow decodes it all to find out, so only those are waited for
        # that are announced in front.
        exif = image.getexif() if image.format != "PNG" or "exif" in image.info else {}
        # The size of a TIFF is upright already.
        if image.format != "TIFF" and exif.get(_EXIF_ORIENTATION, 1) >= 5:
            width, height = height, width
        return height, width


def fitting_scale(size: tuple[int, int], scale: float, max_input_size: int) -> float:
    """`scale`, reduced so far that height x width stays within the square of `max_input_size`."""
    height, width = size
    return min(scale, max_input_size / (height * width) ** 0.5)


class Reduction(NamedTuple):
    """An image that the network sees smaller than asked for: its own size and the network's, (height, width)."""

    size: tuple[int, int]
    network_size: tuple[int, int]


def find_reduction(size: tuple[int, int], scale: float, max_input_size: int) -> Reduction | None:
    """What `max_input_size` does to an image that should be scaled by `scale`; None if it fits."""
    fitting = fitting_scale(size, scale, max_input_size)
    return Reduction(size, scaled_size(size, fitting)) if fitting < scale else None


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear resize of uint8 (H, W, 3) to size = (height, width), antialiased when it shrinks."""
    if image.shape[:2] == tuple(size):
        return image
    return np.asarray(Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BILINEAR))


def scale_image(image: np.ndarray, scale: float) -> np.ndarray:
    """Resize by a factor (`scaled_size`)."""
    return resize_image(image, scaled_size(image.shape[:2], scale))


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """(height, width) times a factor; truncated, as in the original, and at least one pixel."""
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def find_images(paths: Iterable[str | os.PathLike]) -> list[Path]:
    """The images named: files as they are, folders searched (not their subfolders) and sorted.

    Raises InputError for a path that does not exist or a folder without images.
    """
    images = []
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
            if not found:
                raise InputError(f"{path}: no images in this folder ({', '.join(sorted(IMAGE_SUFFIXES))})")
            images += found
        elif path.is_file():
            images.append(path)
        else:
            raise InputError(f"{path}: no such file or folder")
    return images
