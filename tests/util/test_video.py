"""Clips come back as they were written; without ffmpeg the message says what to do."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from util.errors import InputError
from util.video import by_number, clip_writer, is_clip, read_clip, require_reader

FRAMES = [np.full((20, 30, 3), color, np.uint8) for color in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]


def test_gif_round_trip(tmp_path):
    path = tmp_path / "a.gif"
    with clip_writer(path, fps=5) as add:
        for frame in FRAMES:
            add(frame)
    clip = read_clip(path)
    assert is_clip(path) and clip.fps == 5
    for number, (expected, (found_number, found)) in enumerate(zip(FRAMES, clip.frames, strict=True)):
        assert found_number == number
        np.testing.assert_array_equal(found, expected)


def test_video_round_trip(tmp_path):
    pytest.importorskip("imageio_ffmpeg", reason="the optional extra for videos is not installed")
    path = tmp_path / "a.mp4"
    with clip_writer(path, fps=5) as add:
        for frame in FRAMES:
            add(np.repeat(np.repeat(frame, 4, 0), 4, 1))
    clip = read_clip(path)
    assert clip.fps == 5
    means = [frame.mean(axis=(0, 1)) for _, frame in clip.frames]
    np.testing.assert_allclose(means, [frame[0, 0] for frame in FRAMES], atol=12)


def test_a_clip_cut_short_leaves_no_file(tmp_path):
    with pytest.raises(KeyboardInterrupt), clip_writer(tmp_path / "a.gif", fps=5) as add:
        add(FRAMES[0])
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_what_is_a_clip(tmp_path):
    Image.fromarray(FRAMES[0]).save(tmp_path / "still.gif")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a")
    assert is_clip("holiday.MP4")
    assert not any(map(is_clip, [tmp_path / "still.gif", tmp_path / "broken.gif", tmp_path, "photo.jpg"]))


def test_without_ffmpeg_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(InputError, match=r"a\.mp4: videos need ffmpeg: .*pip install 'imageio\[ffmpeg\]'"):
        require_reader("a.mp4")
    require_reader("a.gif")


def test_numbered_frames_are_in_order_of_their_numbers():
    paths = [Path(f"frame_{number}.png") for number in (10, 9, 1, 2)]
    assert [path.stem for path in sorted(paths, key=by_number)] == ["frame_1", "frame_2", "frame_9", "frame_10"]
