"""Clips: videos (through imageio with ffmpeg, an optional extra), animated GIFs, folders of numbered frames."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageSequence

from util.errors import InputError
from util.files import atomic_path
from util.images import open_image, readable_images

VIDEO_SUFFIXES = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"}
DEFAULT_FPS = 10.0


class Clip(NamedTuple):
    """fps: frames a second; frames: their number and content, uint8 RGB (H, W, 3)"""

    fps: float
    frames: Iterator[tuple[int, np.ndarray]]


def is_clip(path: str | os.PathLike) -> bool:
    """A video by its suffix, or a GIF with more than one frame."""
    path = Path(path)
    if path.suffix.lower() != ".gif" or not path.is_file():
        return path.suffix.lower() in VIDEO_SUFFIXES
    try:
        with open_image(path) as image:
            return image.n_frames > 1
    except InputError:  # which is said when the picture is read
        return False


def require_reader(path: str | os.PathLike) -> None:
    """Raise InputError when what it takes to read this clip is not installed."""
    if Path(path).suffix.lower() != ".gif":
        _imageio(path)


def read_clip(path: str | os.PathLike) -> Clip:
    """Open a video or an animated GIF. Raises InputError, also while frames are read."""
    return _read_gif(path) if Path(path).suffix.lower() == ".gif" else _read_video(path)


def frame_sequence(paths: Sequence[Path]) -> Clip:
    """Pictures that are the frames of a clip; those that cannot be read are named on standard error and missing."""
    return Clip(DEFAULT_FPS, readable_images(paths))


def by_number(path: Path) -> list:
    """Sorting key of numbered frames: frame_2 comes before frame_10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def _read_gif(path):
    with open_image(path) as image:
        milliseconds = image.info.get("duration", 0)
    return Clip(1000 / milliseconds if milliseconds else DEFAULT_FPS, _gif_frames(path))


def _gif_frames(path):
    with open_image(path) as image:
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            yield number, np.array(frame.convert("RGB"))


def _read_video(path):
    with _ffmpeg_errors(path):
        reader = _imageio(path).get_reader(path, format="FFMPEG")
    return Clip(reader.get_meta_data()["fps"], _video_frames(path, reader))


def _video_frames(path, reader):
    with _ffmpeg_errors(path), reader:
        for number, frame in enumerate(reader):
            yield number, np.asarray(frame)


def _imageio(path) -> ModuleType:
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401
    except ImportError:
        raise InputError(f"{path}: videos need ffmpeg: {sys.executable} -m pip install 'imageio[ffmpeg]' (or give an "
                         "animated GIF, or a folder of frames with --track)") from None  # fmt: skip
    return imageio


@contextmanager
def _ffmpeg_errors(path):
    try:
        yield
    except (OSError, RuntimeError, ValueError, IndexError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"{path}: not a video that ffmpeg can read or write: {lines[-1].strip()}") from error


@contextmanager
def clip_writer(path: str | os.PathLike, fps: float) -> Iterator[Callable[[np.ndarray], None]]:
    """A function that takes uint8 RGB frames and writes them into an MP4 video or, by the suffix, an animated GIF.

    The file appears when the block ends well. Raises InputError.
    """
    with atomic_path(path) as temporary:
        if temporary.suffix.lower() == ".gif":
            frames = []
            yield lambda frame: frames.append(Image.fromarray(frame).quantize())
            if frames:
                frames[0].save(temporary, save_all=True, append_images=frames[1:], duration=1000 / fps, loop=0)
        else:
            with _ffmpeg_errors(path):
                # H.264 wants even sides; ffmpeg stretches odd ones by a pixel.
                writer = _imageio(path).get_writer(temporary, format="FFMPEG", fps=fps, macro_block_size=2)
            with writer:
                yield writer.append_data
