"""Clips are read as written; without ffmpeg the message names the remedy."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.camera import StandIn, install
from util.errors import InputError
from util.video import by_number, clip_writer, is_clip, read_camera, read_clip, require_reader

FRAMES = [np.full((20, 30, 3), color, np.uint8) for color in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]


@pytest.fixture
def ffmpeg():
    return pytest.importorskip("imageio_ffmpeg", reason="the optional extra for videos is not installed")


def test_frames_of_a_gif_keep_their_durations(tmp_path):
    path = tmp_path / "a.gif"
    durations = [0.1, 1.0, 0.4]
    with clip_writer(path, fps=10) as add:
        for frame, duration in zip(FRAMES, durations, strict=True):
            add(frame, duration)
    clip = read_clip(path)
    assert is_clip(path) and clip.fps == 2
    times = zip(range(3), [0, 0.1, 1.1], durations, strict=True)
    for expected, time, (found_time, found) in zip(FRAMES, times, clip.frames, strict=True):
        assert found_time == pytest.approx(time)
        np.testing.assert_array_equal(found, expected)


def test_frames_without_a_duration_last_a_tenth_of_a_second(tmp_path):
    images = [Image.fromarray(frame) for frame in FRAMES]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:], duration=0)
    assert [frame for frame, _ in read_clip(tmp_path / "a.gif").frames] == pytest.approx(
        [(0, 0, 0.1), (1, 0.1, 0.1), (2, 0.2, 0.1)]
    )


def test_a_video_is_read_as_written(ffmpeg, tmp_path):
    path = tmp_path / "a.mp4"
    with clip_writer(path, fps=5) as add:
        for frame in FRAMES:
            add(np.repeat(np.repeat(frame, 4, 0), 4, 1), 0.2)
    clip = read_clip(path)
    assert clip.fps == 5
    means = [frame.mean(axis=(0, 1)) for _, frame in clip.frames]
    np.testing.assert_allclose(means, [frame[0, 0] for frame in FRAMES], atol=12)


def test_a_playlist_is_no_video_whatever_its_name(ffmpeg, tmp_path, monkeypatch):
    """ffmpeg would follow it to the file that it names."""
    monkeypatch.chdir(tmp_path)
    with clip_writer("secret.mp4", fps=5) as add:
        add(np.zeros((40, 60, 3), np.uint8), 1.0)
    playlists = {
        "a.mp4": "ffconcat version 1.0\nfile secret.mp4\n",
        "b.ts": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    }
    for name, content in playlists.items():
        Path(name).write_text(content)
        with pytest.raises(InputError, match=f"{name}: not a video that ffmpeg can read"):
            list(read_clip(name).frames)


def test_a_colon_in_a_name_is_no_protocol(ffmpeg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with clip_writer("a.mp4", fps=5) as add:
        add(np.zeros((40, 60, 3), np.uint8), 1.0)
    Path("a.mp4").rename("cache:a.mp4")
    assert len(list(read_clip("cache:a.mp4").frames)) == 5


@pytest.mark.parametrize("suffix", [".avi", ".flv", ".mkv", ".mov", ".mpg", ".3gp", ".ts", ".mts", ".wmv", ".ogv"])
def test_containers_of_every_kind_are_read(ffmpeg, tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    codec = {".mpg": "mpeg2video", ".avi": "mpeg4", ".wmv": "wmv2", ".ogv": "libtheora"}.get(suffix, "libx264")
    writer = ffmpeg.write_frames(str(path), (176, 144), fps=25, codec=codec)
    writer.send(None)
    # Ever brighter noise: ffmpeg recognizes some containers by their size alone.
    frames = np.random.default_rng(0).integers(0, 40, (10, 144, 176, 3)) + np.arange(0, 200, 20)[:, None, None, None]
    for frame in frames.astype(np.uint8):
        writer.send(frame)
    writer.close()
    assert is_clip(path)
    means = [image.mean() for _, image in read_clip(path).frames]
    np.testing.assert_allclose(means[:: len(means) - 1], frames[::9].mean(axis=(1, 2, 3)), atol=12)


def test_frames_of_unequal_durations_keep_the_length_of_a_video(ffmpeg, tmp_path):
    """Ten frames in the first second, ten more in the four seconds after it."""
    import imageio.v2 as imageio

    path, slow = tmp_path / "a.mp4", "setpts='if(lt(N,10),N,10+4*(N-10))/10/TB'"
    with imageio.get_writer(
        path, format="FFMPEG", fps=10, macro_block_size=2, output_params=["-vf", slow, "-fps_mode", "vfr"]
    ) as writer:
        for level in range(20):
            writer.append_data(np.full((40, 60, 3), 10 * level, np.uint8))
    clip = read_clip(path)
    frames = [(frame, image.mean() / 10) for frame, image in clip.frames]
    last, _ = frames[-1]
    assert last.seconds + last.duration == pytest.approx(5, abs=1.5 / clip.fps)
    for frame, level in frames:
        shown_at = level / 10 if level < 10 else 1 + 4 * (level - 10) / 10
        assert shown_at - 1.5 / clip.fps < frame.seconds < shown_at + 0.4 + 1.5 / clip.fps


def test_a_clip_cut_short_leaves_no_file(tmp_path):
    with pytest.raises(KeyboardInterrupt), clip_writer(tmp_path / "a.gif", fps=5) as add:
        add(FRAMES[0], 0.2)
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_clips_are_recognised(tmp_path):
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


def test_a_camera_gives_each_image_once_and_its_time(monkeypatch):
    times = iter([5.0, 5.5, 5.6, 7.0])
    camera = StandIn([*FRAMES, FRAMES[0]])
    install(monkeypatch, camera)
    clip = read_camera(0)
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    assert clip.fps == 25
    frames = [next(clip.frames) for _ in FRAMES]
    np.testing.assert_allclose([frame for frame, _ in frames], [(0, 0.5, 0.04), (1, 0.6, 0.1), (2, 2.0, 1.4)])
    np.testing.assert_array_equal([image for _, image in frames], FRAMES)


def test_a_video_repeats_frames_that_last_longer(monkeypatch, tmp_path):
    camera = StandIn([])
    install(monkeypatch, camera)
    with clip_writer(tmp_path / "a.mp4", fps=10) as add:
        for frame, duration in zip(FRAMES, (0.1, 0.33, 0.17), strict=True):
            add(frame, duration)
    assert [frame[0, 0].tolist().index(255) for frame in camera.written] == [0, 1, 1, 1, 2, 2]
