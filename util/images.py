"""Reading photographs of every kind as upright 8-bit RGB, and resizing them."""

import logging
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from util.errors import InputError, each_good
from util.files import atomic_path

# What photographs come in. Pillow knows dozens of formats more: for some it runs other programs, and a few hundred
# bytes of others keep it busy for minutes.
_FORMATS = "JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
# COCO's and AI Challenger's are JPEGs.
_SUFFIXES_TO_TRY = "", ".jpg", *sorted(IMAGE_SUFFIXES - {".jpg"})
# Other formats of pictures: reported when a folder is searched, so that nobody misses them.
_OTHER_SUFFIXES = {".avif", ".heic", ".heif", ".jp2", ".jxl", ".psd", ".svg", ".tga",
                   ".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"}  # fmt: skip
# More than any camera has, and Pillow's limit; RGB of that size is .5 GB. Checked in the header.
MAX_PIXELS = 2 * Image.MAX_IMAGE_PIXELS
# libjpeg's limit. Sides are limited too: 178 million pixels in a row take more memory than in a square.
MAX_SIDE = 65_500
# Warnings of Pillow about files that it reads nevertheless.
warnings.filterwarnings("ignore", module="PIL")


@contextmanager
def open_image(path: str | os.PathLike) -> Iterator[Image.Image]:
    """An image file opened by Pillow, pixels not yet read. Raises InputError.

    The block should only decode the image: anything it raises is taken for a fault of the file.
    """
    try:
        # Not by name: Pillow 12.0 would map plain TIFFs into memory, and garble those that Exif rotates.
        with open(path, "rb") as file, Image.open(file, formats=_FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise Image.DecompressionBombError
            if max(width, height) > MAX_SIDE:
                raise InputError(f"{path}: {width}x{height} pixels; a side may have {MAX_SIDE}")
            yield image
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{path}: not an image, or not of a kind that is read here ({', '.join(_FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path}: more than {MAX_PIXELS // 10**6} megapixels") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # damaged files make decoders raise any kind of exception
        raise InputError(f"{path}: cannot be read: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def read_image(path: str | os.PathLike) -> np.ndarray:
    """The image as uint8 (height, width, 3) RGB, upright (EXIF applied), the first frame of an animation.

    16-bit gray is scaled to 8 bits, alpha is blended with white. Raises InputError for anything but a whole image.
    """
    with open_image(path) as image:
        image.load()
        _turn_upright(image)
        return to_rgb(image)


def to_rgb(image: Image.Image) -> np.ndarray:
    """The pixels of Pillow's image as uint8 (height, width, 3) RGB, treated as `read_image` says."""
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_gray_to_rgb(np.asarray(image))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _turn_upright(image: Image.Image) -> None:
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except MemoryError:
        raise
    except Exception:  # broken Exif data, which harm no pixel
        pass


def _deep_gray_to_rgb(gray: np.ndarray) -> np.ndarray:
    scale = 255 / 65535 if gray.dtype.kind in "iu" and gray.max(initial=0) > 255 else 1
    gray = np.clip(np.round(np.nan_to_num(gray) * scale), 0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=-1)


def readable_images(paths: Sequence[str | os.PathLike]) -> Iterator[tuple[int, np.ndarray]]:
    """Number and content of each image that can be read; the others are named on standard error.

    Raises InputError if none can be read.
    """
    return each_good(paths, read_image, "images")


def write_image(path: str | os.PathLike, image: np.ndarray) -> None:
    """Write uint8 (H, W, 3), whole or not at all; the suffix decides the format. Raises InputError."""
    with atomic_path(path) as temporary:
        # PNGs at zlib's fastest level: a third of the time, 5 % larger. JPEGs without visible loss.
        Image.fromarray(image).save(temporary, compress_level=1, quality=95, subsampling=0)


def read_image_size(path: str | os.PathLike) -> tuple[int, int]:
    """(height, width) of the upright image, from its header alone. Raises InputError."""
    with open_image(path) as image:
        width, height = image.size
        return (width, height) if _lies_on_its_side(image) else (height, width)


def _lies_on_its_side(image: Image.Image) -> bool:
    """Whether Exif's orientation swaps width and height of an image whose pixels have not been read."""
    # Pillow has rotated TIFFs. A PNG may have Exif data after the pixels, which it would have to decode; only data
    # announced before them is read.
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return False
    try:
        return image.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
    except Exception:  # broken Exif data
        return False


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear resize of uint8 (H, W, 3) to size = (height, width), antialiased if it shrinks."""
    if image.shape[:2] == tuple(size):
        return image
    # What shrinks by more than four is first averaged to twice the size: half the time, up to 4 of 255 different.
    resized = Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(resized)


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """(height, width) times a factor; truncated, as in the original, and at least one pixel."""
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


class FileLister:
    """Tells whether files exist by listing each folder once: 200,000 single look-ups are slow on a network disk."""

    def __init__(self):
        self._names = {}

    def __contains__(self, path: str) -> bool:
        folder, name = os.path.split(path)
        return name in self.names(folder)

    def names(self, folder: str) -> frozenset[str]:
        """The names of the files in a folder; none if it does not exist."""
        if folder not in self._names:
            try:
                with os.scandir(folder or ".") as entries:
                    self._names[folder] = frozenset(entry.name for entry in entries if not entry.is_dir())
            except (OSError, ValueError):  # includes names that no folder can have
                self._names[folder] = frozenset()
        return self._names[folder]

    def find_image(self, name: str, *folders: str | os.PathLike) -> str | None:
        """The path of an annotated image in the first of these folders that has it, or None.

        name: that of the file, perhaps below a folder, perhaps without its suffix
        """
        paths = (f"{os.fspath(folder)}{os.sep}{name}{suffix}" for folder in folders for suffix in _SUFFIXES_TO_TRY)
        return next(filter(self.__contains__, paths), None)


def sample_photographs() -> list[Path]:
    """The photographs of people that come with scikit-image, both free of rights: an astronaut and a cameraman.

    Nothing else of scikit-image is used: it takes ten times as long as Pillow to resize, three times to warp, and its
    smooth lines are all one pixel wide.
    """
    folder = Path(find_spec("skimage").origin).parent / "data"  # found without importing it, which takes a second
    return [folder / "astronaut.png", folder / "camera.png"]


def find_images(paths: Iterable[str | os.PathLike]) -> list[Path]:
    """The images named: files as they are, folders searched (not their subfolders) and sorted.

    Pictures of other formats in a folder are named on standard error. Raises InputError for a path that does not exist
    or a folder without images.
    """
    images = []
    for path in map(Path, paths):
        if path.is_dir():
            images += _search(path)
        elif path.is_file():
            images.append(path)
        else:
            raise InputError(f"{path}: no such file or folder")
    return images


def _search(folder: Path) -> list[Path]:
    try:
        # Names that begin with a dot are metadata that systems keep beside pictures, such as ._photo.jpg.
        files = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror or error}") from error
    found = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
    others = [path.name for path in files if path.suffix.lower() in _OTHER_SUFFIXES]
    if others:
        examples = ", ".join(others[:3]) + ", ..." * (len(others) > 3)
        logging.warning(
            "skipped %s: %d of a kind that is not read here: %s; save them as JPEG", folder, len(others), examples
        )
    if not found:
        raise InputError(f"{folder}: no images in this folder ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return found
