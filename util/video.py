"""Clips: videos and cameras (by imageio with ffmpeg, an optional extra), animated GIFs, folders of numbered frames."""

import os
import re
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageSequence

from util.errors import InputError
from util.files import atomic_path
from util.images import open_image, readable_images

VIDEO_SUFFIXES = {".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".vob", ".ts",
                  ".mts", ".m2ts", ".wmv", ".asf", ".flv", ".ogv"}  # fmt: skip
# Their formats, by ffmpeg's names. Without these it would take any file for a playlist, and open what that lists.
_CONTAINERS = "mov,avi,matroska,mpeg,mpegvideo,mpegts,asf,flv,ogg"
DEFAULT_FPS = 10.0


class Frame(NamedTuple):
    """When a frame of a clip is shown: its number from 0, its beginning and its duration in seconds."""

    number: int
    seconds: float
    duration: float


class Clip(NamedTuple):
    """fps: frames a second, on average; frames: their times and content, uint8 RGB (H, W, 3)

    files: of the frames, whose times are nominal; empty if the clip has times
    """

    fps: float
    frames: Iterator[tuple[Frame, np.ndarray]]
    files: Sequence[Path] = ()


def is_clip(path: str | os.PathLike) -> bool:
    """A video by its suffix, or a GIF with more than one frame."""
    path = Path(path)
    if path.suffix.lower() != ".gif" or not path.is_file():
        return path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir()
    try:
        with open_image(path) as image:
            return image.n_frames > 1
    except InputError:  # reported when the picture is read
        return False


def require_reader(path: str | os.PathLike) -> None:
    """Raise InputError if the packages for reading this clip are not installed."""
    if Path(path).suffix.lower() != ".gif":
        _imageio(path)


def read_clip(path: str | os.PathLike) -> Clip:
    """Open a video or an animated GIF. Raises InputError, also while frames are read."""
    return _read_gif(path) if Path(path).suffix.lower() == ".gif" else _read_video(path)


def frame_sequence(paths: Sequence[Path]) -> Clip:
    """Pictures as the frames of a clip; those that cannot be read are named on standard error and left out."""
    return _steady_clip(DEFAULT_FPS, readable_images(paths))._replace(files=paths)


def _steady_clip(fps: float, images: Iterable[tuple[int, np.ndarray]]) -> Clip:
    return Clip(fps, ((Frame(number, number / fps, 1 / fps), image) for number, image in images))


def by_number(path: Path) -> list:
    """Sorting key of numbered frames: frame_2 comes before frame_10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def _read_gif(path):
    with open_image(path) as image:
        durations = [_gif_duration(frame) for frame in ImageSequence.Iterator(image)]
    return Clip(len(durations) / sum(durations), _gif_frames(path))


def _gif_frames(path):
    seconds = 0.0
    with open_image(path) as image:
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            duration = _gif_duration(frame)
            yield Frame(number, seconds, duration), np.array(frame.convert("RGB"))
            seconds += duration


def _gif_duration(frame) -> float:
    """In seconds; a default for frames without a duration, as programs have one."""
    return frame.info.get("duration", 0) / 1000 or 1 / DEFAULT_FPS


def _read_video(path):
    with _ffmpeg_errors(path):
        meta, frames = _open_video(path)
        frames.close()
        fps = meta["fps"] or DEFAULT_FPS
        # Frames may differ in duration. Read at this rate, they are repeated or dropped so that the clip keeps its
        # length; otherwise ffmpeg chooses a rate that it does not report.
        meta, frames = _open_video(path, "-r", str(fps))
    return _steady_clip(fps, _video_frames(path, meta["size"], frames))


def _open_video(path, *output: str) -> tuple[dict[str, Any], Generator[bytes]]:
    """ffmpeg's description of a video, and its frames; output: ffmpeg's options for those."""
    _imageio(path)
    # Not through imageio, which knows fewer suffixes. The path has a folder, since ffmpeg takes text before a colon
    # for a protocol.
    from imageio_ffmpeg import read_frames

    containers = ["-format_whitelist", _CONTAINERS]
    frames = read_frames(os.path.abspath(path), input_params=containers, output_params=list(output))
    return next(frames), frames


def _video_frames(path, size, frames):
    width, height = size
    with _ffmpeg_errors(path), closing(frames):
        for number, frame in enumerate(frames):
            yield number, np.frombuffer(frame, np.uint8).reshape(height, width, 3)


def read_camera(number: int) -> Clip:
    """Frames of a camera, without end; a reader slower than the camera gets the newest frame each time.

    Raises InputError if there is no such camera.
    """
    name = f"camera {number}"
    imageio = _imageio(name)
    try:
        reader = imageio.get_reader(f"<video{number}>", format="FFMPEG")
    except (OSError, RuntimeError, ValueError, IndexError) as error:
        raise InputError(f"{name}: there is none, or another program uses it; --camera 0 is the first") from error
    fps = reader.get_meta_data()["fps"] or DEFAULT_FPS
    return Clip(fps, _camera_frames(name, reader, fps))


def _camera_frames(name, reader, fps):
    with _ffmpeg_errors(name), reader:
        start = last = time.monotonic()
        number = 0
        for image in reader:
            if not image.meta["new"]:  # seen already: the camera is slower than the reader
                time.sleep(0.001)
                continue
            now = time.monotonic()
            yield Frame(number, now - start, now - last if number else 1 / fps), np.asarray(image)
            last, number = now, number + 1


def _imageio(path) -> ModuleType:
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401
    except ImportError:
        raise InputError(
            f"{path}: videos need ffmpeg: {sys.executable} -m pip install 'imageio[ffmpeg]' (or give an "
            "animated GIF, or a folder of frames with --track)"
        ) from None
    return imageio


@contextmanager
def _ffmpeg_errors(path):
    try:
        yield
    except (OSError, RuntimeError, ValueError, IndexError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"{path}: not a video that ffmpeg can read or write: {lines[-1].strip()}") from error


@contextmanager
def clip_writer(path: str | os.PathLike, fps: float) -> Iterator[Callable[[np.ndarray, float], None]]:
    """A function that takes uint8 RGB frames and how many seconds each lasts, and writes an MP4 video or animated GIF.

    The suffix of `path` decides. In a video, where all frames last 1 / fps, longer ones are repeated. The file
    appears when the block ends without an error. Raises InputError.
    """
    with atomic_path(path) as temporary:
        if temporary.suffix.lower() == ".gif":
            frames, durations = [], []

            def add(frame, duration):
                frames.append(Image.fromarray(frame).quantize())
                durations.append(1000 * duration)

            yield add
            if frames:
                frames[0].save(temporary, save_all=True, append_images=frames[1:], duration=durations, loop=0)
        else:
            with _ffmpeg_errors(path):
                # H.264 needs even sides; ffmpeg stretches odd ones by a pixel. Its slower presets take as much time as
                # the network.
                writer = _imageio(path).get_writer(
                    temporary, format="FFMPEG", fps=fps, macro_block_size=2, output_params=["-preset", "veryfast"]
                )
            with writer:
                yield _steady_writer(writer.append_data, fps)


def _steady_writer(append: Callable[[np.ndarray], None], fps: float) -> Callable[[np.ndarray, float], None]:
    """Repeats frames so that the video is as long as they last together."""
    seconds, written = 0.0, 0

    def add(frame, duration):
        nonlocal seconds, written
        seconds += duration
        for _ in range(round(seconds * fps) - written):
            append(frame)
            written += 1

    return add
