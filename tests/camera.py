"""A stand-in for imageio: a camera and a video, without either and without ffmpeg."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np


class Image(np.ndarray):
    """What imageio returns."""

    meta: dict


class StandIn(ModuleType):
    """seen: images (H, W, 3) that the camera gives one after the other, and then the last one again and again

    on_image: called before each image is handed out, with its number
    written: the frames of the video that was written last
    """

    def __init__(self, seen: list[np.ndarray], on_image: Callable[[int], None] = lambda number: None):
        super().__init__("imageio.v2")
        self.seen, self.on_image, self.written = seen, on_image, []

    def get_reader(self, uri, format):
        if uri != "<video0>":
            raise IndexError(f"No (working) camera at {uri}.\n\n")
        return self

    def get_writer(self, path, **_):
        Path(path).write_bytes(b"video")
        self.written = []
        return self

    def append_data(self, frame):
        self.written.append(frame)

    def get_meta_data(self):
        return {"fps": 25.0}

    def __iter__(self):
        number = 0
        while True:
            self.on_image(number)
            image = self.seen[min(number, len(self.seen) - 1)].view(Image)
            image.meta = {"new": number < len(self.seen)}
            yield image
            number += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def install(monkeypatch, stand_in: StandIn) -> None:
    """Let `import imageio.v2` find the stand-in."""
    imageio = ModuleType("imageio")
    imageio.v2 = stand_in
    for module in (imageio, stand_in, ModuleType("imageio_ffmpeg")):
        monkeypatch.setitem(sys.modules, module.__name__, module)
