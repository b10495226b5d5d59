"""Clips: videos and cameras (by PyAV, an optional extra), pictures with several frames, folders of numbered frames."""

import os
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageSequence
from PIL.GifImagePlugin import getdata, getheader

from util.errors import InputError
from util.files import atomic_path
from util.images import open_image, readable_images, to_rgb

VIDEO_SUFFIXES = {".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".mj2", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".vob",
                  ".ts", ".mts", ".m2ts", ".wmv", ".asf", ".flv", ".ogv",
                  ".h264", ".264", ".h265", ".265", ".hevc", ".mjpeg", ".mjpg"}  # fmt: skip
_PICTURE_SUFFIXES = {".gif", ".png", ".apng", ".webp", ".tif", ".tiff"}  # of those that may have several frames
# The formats of videos, by FFmpeg's names. Without these it would take any file for a playlist, and open what that
# lists.
_FORMATS = "mov,avi,matroska,mpeg,mpegvideo,mpegts,asf,flv,ogg,h264,hevc,mjpeg"
# FFmpeg's format of cameras, and its name for one.
_CAMERA = ("avfoundation", "{}") if sys.platform == "darwin" else ("v4l2", "/dev/video{}")
_MP4_SOUND = {"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"}  # what players know in MP4
_TICK = Fraction(1, 120_000)  # in seconds: frames of all usual rates, 24000/1001 too, last whole ticks
DEFAULT_FPS = 10.0
# FFmpeg's numbers: the transfer functions PQ and HLG, and sRGB's; BT.709's matrix, primaries and transfer function.
_HDR, _SRGB, _BT709 = (16, 18), 13, 1


class Frame(NamedTuple):
    """When a frame of a clip is shown: its number from 0, its beginning and its duration in seconds."""

    number: int
    seconds: float
    duration: float


class Clip(NamedTuple):
    """fps: frames a second, as far as known beforehand; frames: their times and content, uint8 RGB (H, W, 3)

    files: of the frames, whose times are nominal; empty if the clip has times
    faults: what is damaged or missing, known when all frames are read
    """

    fps: float
    frames: Iterator[tuple[Frame, np.ndarray]]
    files: Sequence[Path] = ()
    faults: Sequence[str] = ()


def is_clip(path: str | os.PathLike) -> bool:
    """A video by its suffix, or a picture with more than one frame."""
    path = Path(path)
    if path.suffix.lower() not in _PICTURE_SUFFIXES or not path.is_file():
        return path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir()
    try:
        with open_image(path) as image:
            size = image.size
            image.seek(1)
            return image.size == size  # unlike the pages of a TIFF with a thumbnail
    except InputError:  # it has one frame, or a fault that is reported when it is read
        return False


def require_reader(path: str | os.PathLike) -> None:
    """Raise InputError if the package for this clip, or for the video made of it, is not installed."""
    if Path(path).suffix.lower() != ".gif":
        _pyav(path)


def read_clip(path: str | os.PathLike) -> Clip:
    """Open a video or a picture with several frames. Raises InputError, also while frames are read."""
    if Path(path).suffix.lower() in _PICTURE_SUFFIXES:
        return Clip(DEFAULT_FPS, _picture_frames(path))
    with _av_errors(path):
        container = _open_video(path)
    stream = container.streams.best("video")
    if stream is None or stream.codec_context is None:
        raise InputError(f"{path}: there is no video in this file that FFmpeg can decode")
    fps, faults = float(stream.average_rate or DEFAULT_FPS), []
    moments = pairwise(_moments(path, container, stream, 1 / fps, faults))
    frames = (
        (Frame(number, seconds, end - seconds), image) for number, ((seconds, image), (end, _)) in enumerate(moments)
    )
    return Clip(fps, frames, faults=faults)


def frame_sequence(paths: Sequence[Path]) -> Clip:
    """Pictures as the frames of a clip; those that cannot be read are named on standard error and left out."""
    frames = ((Frame(number, number / DEFAULT_FPS, 1 / DEFAULT_FPS), image) for number, image in readable_images(paths))
    return Clip(DEFAULT_FPS, frames, files=paths)


def by_number(path: Path) -> list:
    """Sorting key of numbered frames: frame_2 comes before frame_10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def _picture_frames(path):
    seconds = 0.0
    with open_image(path) as image:
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            pixels = to_rgb(frame)  # before the duration, which a WebP has only then
            duration = frame.info.get("duration", 0) / 1000 or 1 / DEFAULT_FPS  # without one as programs have it
            yield Frame(number, seconds, duration), pixels
            seconds += duration


def _open_video(path):
    av = _pyav(path)
    options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
    titles = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}  # in any encoding
    return av.open(f"file:{path}", options=options, **titles)  # text before a colon is a protocol


def _moments(path, container, stream, step, faults):
    """When each frame begins, by the file's times, and its picture; then the end of the last one, and None.

    step: the duration of frames without a time
    """
    from av.video.reformatter import VideoReformatter

    reformatter, begin, last, end = VideoReformatter(), _beginning(stream), -1.0, 0.0
    timeless = container.format.name == "avi"  # its times are in the order of decoding
    with _av_errors(path), container:
        for number, frame in enumerate(_decode(container, stream, faults)):
            timed = number and frame.time is not None and not timeless
            seconds = frame.time - begin if timed else number * step
            if seconds < last - 1:  # time starts anew, in recordings joined
                begin, seconds = frame.time - last - step, last + step
            last = max(seconds, last + 0.001)  # after damage frames come late
            yield last, _upright_rgb(frame, reformatter, stream.sample_aspect_ratio)
            end = last + (float(frame.duration * frame.time_base) or step)
    yield end, None


def _beginning(stream) -> float:
    return float((stream.start_time or 0) * stream.time_base)


def _decode(container, stream, faults):
    """The frames of a video stream; `faults` gets what is damaged or missing."""
    from av import FFmpegError

    good, damaged, reached = 0, 0, 0.0
    try:
        for packet in container.demux(container.streams.video, container.streams.audio):
            reached = max(reached, float(((packet.pts or 0) + (packet.duration or 0)) * packet.time_base))
            if packet.stream is stream:
                try:
                    frames = packet.decode()
                except FFmpegError:
                    damaged += good > 0  # recordings may begin between two key frames
                    continue
                for frame in frames:
                    good += 1
                    damaged += frame.is_corrupt
                    yield frame
    except FFmpegError as error:
        faults.append(f"it ends early: {error.strerror}")
    stated = (container.duration or 0) / 1e6 if container.format.name.startswith(("mov", "matroska")) else 0
    if reached < stated - 0.5:
        faults.append(f"it ends after {reached:.1f} of {stated:.1f} s")
    if damaged:
        faults.append(f"frames that are damaged or missing: {damaged}")


def _upright_rgb(frame, reformatter, aspect: Fraction | None = None) -> np.ndarray:
    """8-bit RGB (H, W, 3) with square pixels, upright; aspect: width by height of the frame's pixels.

    reformatter: PyAV's, for all frames, since preparing to map the tones of HDR to sRGB takes it seconds
    """
    aspect = float(aspect or 1)
    aspect = aspect if 1 / 4 < aspect < 4 else 1  # others are faults
    width, height = round(frame.width * max(aspect, 1)), round(frame.height / min(aspect, 1))
    colors = {"dst_color_trc": _SRGB, "dst_color_primaries": _BT709} if frame.color_trc in _HDR else {}
    image = reformatter.reformat(frame, width, height, "rgb24", **colors).to_ndarray()
    if (matrix := frame.side_data.get("DISPLAYMATRIX")) is not None:
        # It takes x to a x + c y and y to b x + d y: quarter turns and reflections.
        a, b, _, c, d, *_ = np.frombuffer(matrix, np.int32)
        if abs(b) > abs(a):
            image, a, d = image.swapaxes(0, 1), c, b
        image = image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(image)


def read_camera(number: int) -> Clip:
    """Frames of a camera, without end; a reader slower than the camera gets the newest frame each time.

    Raises InputError if there is no such camera.
    """
    name = f"camera {number}"
    av, (kind, address) = _pyav(name), _CAMERA
    try:
        camera = av.open(address.format(number), format=kind, options={"framerate": "30"})
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"{name}: there is none, or another program uses it; --camera 0 is the first") from error
    fps = float(camera.streams.video[0].average_rate or DEFAULT_FPS)
    return Clip(fps, _camera_frames(camera, fps))


def _camera_frames(camera, fps):
    from av.video.reformatter import VideoReformatter

    reformatter, start = VideoReformatter(), time.monotonic()
    last = start
    with closing(_newest(_camera_images(camera))) as images:
        for number, image in enumerate(images):
            now = time.monotonic()
            yield Frame(number, now - start, now - last if number else 1 / fps), _upright_rgb(image, reformatter)
            last = now


def _camera_images(camera):
    """As they come, as long as the camera is there."""
    from av import FFmpegError

    with camera, suppress(FFmpegError):
        while True:
            with suppress(BlockingIOError, ValueError):  # none yet, or a damaged one
                yield from camera.decode(video=0)
                return
            time.sleep(0.005)


def _newest(items: Iterator) -> Iterator:
    """Of `items`, which a thread takes as they come, the newest whenever one is asked for."""
    newest, stopped = deque(maxlen=1), threading.Event()

    def take():
        with closing(items):
            for item in items:
                newest.append(item)
                if stopped.is_set():
                    break

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    try:
        while thread.is_alive() or newest:
            if newest:
                yield newest.popleft()
            else:
                time.sleep(0.001)
    finally:
        stopped.set()


def _pyav(path) -> ModuleType:
    try:
        import av
    except ImportError:
        raise InputError(
            f"{path}: videos need PyAV: {sys.executable} -m pip install av (or give an animated GIF, or a folder of "
            "frames with --track)"
        ) from None
    return av


@contextmanager
def _av_errors(path, fault="not a video that FFmpeg can read"):
    av = _pyav(path)
    try:
        yield
    except av.FFmpegError as error:
        raise InputError(f"{path}: {fault}: {error.strerror}") from error


@contextmanager
def clip_writer(
    path: str | os.PathLike, fps: float, sound: str | os.PathLike = os.devnull
) -> Iterator[Callable[[np.ndarray, float], None]]:
    """A function that takes uint8 RGB frames and how many seconds each lasts, and writes an MP4 video or animated GIF.

    fps: frames a second, about; sound: a clip whose sound, if it has any, a video gets too

    The suffix of `path` decides. The file appears when the block ends without an error. Raises InputError.
    """
    with atomic_path(path) as temporary:
        if temporary.suffix.lower() == ".gif":
            with _gif_writer(temporary) as add:
                yield add
        else:
            with _av_errors(path, "cannot be written"), _mp4_writer(temporary, fps, sound) as add:
                yield add


@contextmanager
def _gif_writer(path):
    seconds = 0.0

    def add(image, duration):
        nonlocal seconds
        image = Image.fromarray(image).quantize()
        if not file.tell():
            file.writelines(getheader(image, info={"loop": 0})[0])
        hundredths = round(100 * (seconds + duration)) - round(100 * seconds)
        # Not by Pillow's save, which collects all frames first.
        file.writelines(getdata(image, duration=10 * max(hundredths, 1), include_color_table=True))
        seconds += duration

    with open(path, "wb") as file:
        yield add
        file.write(b";")


@contextmanager
def _mp4_writer(path, fps, sound):
    import av

    seconds = 0.0

    def add(image, duration):
        nonlocal seconds
        if not context.is_open:  # H.264 needs even sides: odd ones are stretched by a pixel
            stream.height, stream.width = (side + side % 2 for side in image.shape[:2])
        frame = av.VideoFrame.from_ndarray(image)
        frame.time_base, frame.pts, frame.duration = _TICK, round(seconds / _TICK), round(duration / _TICK)
        frame = frame.reformat(stream.width, stream.height, "yuv420p", dst_colorspace=_BT709)
        output.mux(stream.encode(frame))
        seconds += duration
        sounds.send(seconds)

    with av.open(f"file:{path}", "w") as output:
        # H.264's slower presets take as much time as the network. With B-frames the last one's duration would be lost.
        options = {"preset": "veryfast", "bf": "0"}
        stream = output.add_stream("libx264", Fraction(fps).limit_denominator(1001), options, time_base=_TICK)
        context = stream.codec_context
        context.flags |= 1 << 8  # frames have durations
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, _BT709, _BT709, _BT709
        sounds = _copied_sound(sound, output)
        next(sounds)
        yield add
        output.mux(stream.encode(None))


def _copied_sound(source, output):
    """Copies the first sound of a clip, as far as it can be read, up to the seconds that are sent to it."""
    from av import FFmpegError

    with suppress(FFmpegError, IndexError), _open_video(source) as container:
        audio = [stream for stream in container.streams.audio if stream.codec_context][0]
        if audio.codec_context.codec.canonical_name in _MP4_SOUND and audio.rate >= 16000:
            track, packets = output.add_stream_from_template(audio), container.demux(audio)
        else:
            track = output.add_stream("aac", 48000)
            packets = chain.from_iterable(map(track.encode, chain(container.decode(audio), [None])))
        begin = _beginning(container.streams.best("video"))
        until = yield
        for packet in packets:
            if None in (packet.pts, packet.dts):
                continue
            shift = round(begin / packet.time_base)
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, track
            while packet.dts * packet.time_base >= until:
                until = yield
            if packet.pts + (packet.duration or 0) >= 0:
                output.mux(packet)
    while True:
        yield
