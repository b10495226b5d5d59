"""Clips are read as written, each frame with its time; without PyAV the message names the remedy."""

import resource
import struct
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from util import video
from util.errors import InputError
from util.video import by_number, clip_writer, is_clip, read_camera, read_clip, require_reader

FRAMES = [np.full((20, 30, 3), color, np.uint8) for color in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]


@pytest.fixture
def av():
    return pytest.importorskip("av", reason="the optional extra for videos is not installed")


def save(path, images=FRAMES, **options):
    first, *others = map(Image.fromarray, images)
    first.save(path, save_all=True, append_images=others, **options)


def encode(path, images, codec="libx264", pix_fmt="yuv420p", seconds=0.04, sound=None, options=None, **properties):
    """Write a video by PyAV, with a steady rate; properties: of its codec; sound: the codec of 1.9 s of a tone."""
    import av

    with av.open(str(path), "w", options=options or {}) as output:
        stream = output.add_stream(codec, Fraction(1 / seconds).limit_denominator(1001))
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        for name, value in properties.items():
            setattr(stream.codec_context, name, value)
        rgb = "rgb24" if images[0].dtype == np.uint8 else "rgb48le"
        track = sound and output.add_stream(sound, 48000)
        for image in images:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, rgb)))
        output.mux(stream.encode(None))
        if sound:
            tone = av.AudioFrame.from_ndarray(np.sin(np.arange(90000) / 9, dtype=np.float32)[None], "fltp", "mono")
            tone.sample_rate = 48000
            output.mux(track.encode(tone))
            output.mux(track.encode(None))


def quadrants(height=48, width=64):
    """Red, green; blue, white."""
    rows, columns = np.indices((height, width)) // np.array([height // 2, width // 2])[:, None, None]
    return np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], np.uint8)[2 * rows + columns]


def brightening(count=10):
    return [np.full((48, 64, 3), 20 * level, np.uint8) for level in range(count)]


def test_frames_of_a_gif_keep_their_durations(tmp_path):
    path = tmp_path / "a.gif"
    durations = [0.1, 1.0, 0.4]
    with clip_writer(path, fps=10) as add:
        for frame, duration in zip(FRAMES, durations, strict=True):
            add(frame, duration)
    assert is_clip(path)
    expected_times = zip(range(3), [0, 0.1, 1.1], durations, strict=True)
    for expected, times, (found_times, found) in zip(FRAMES, expected_times, read_clip(path).frames, strict=True):
        assert found_times == pytest.approx(times)
        np.testing.assert_array_equal(found, expected)


def test_a_gif_is_written_as_its_frames_come(tmp_path):
    sizes = []
    with clip_writer(tmp_path / "a.gif", fps=30) as add:
        for _ in range(100):
            add(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), 1 / 30)
            sizes.append(next(tmp_path.iterdir()).stat().st_size)
    assert np.diff(sizes[::10]).min() > 0
    *_, (last, _) = read_clip(tmp_path / "a.gif").frames
    assert last.seconds + last.duration == pytest.approx(100 / 30, abs=0.01)


@pytest.mark.parametrize("suffix", [".png", ".apng", ".webp", ".tif"])
def test_pictures_with_several_frames_are_clips(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    save(path, duration=[40, 1000, 400], lossless=True, **({"format": "PNG"} if suffix == ".apng" else {}))
    assert is_clip(path)
    frames = list(read_clip(path).frames)
    durations = [0.1] * 3 if suffix == ".tif" else [0.04, 1, 0.4]
    assert [frame.duration for frame, _ in frames] == durations
    np.testing.assert_array_equal([image for _, image in frames], FRAMES)


def test_frames_without_a_duration_last_a_tenth_of_a_second(tmp_path):
    save(tmp_path / "a.gif", duration=0)
    assert [frame for frame, _ in read_clip(tmp_path / "a.gif").frames] == pytest.approx(
        [(0, 0, 0.1), (1, 0.1, 0.1), (2, 0.2, 0.1)]
    )


def test_clips_are_recognised(tmp_path):
    save(tmp_path / "still.gif", FRAMES[:1])
    save(tmp_path / "thumbnail.tif", [FRAMES[0], FRAMES[0][::2, ::2]])
    (tmp_path / "broken.gif").write_bytes(b"GIF89a")
    assert is_clip("holiday.MP4")
    assert not any(map(is_clip, [*tmp_path.iterdir(), tmp_path, "photo.jpg"]))


def test_a_video_keeps_colours_and_times_of_its_frames(av, tmp_path):
    path = tmp_path / "a.mp4"
    durations = [0.1, 1001 / 24000, 0.5, 1 / 30, 2.0]
    with clip_writer(path, fps=5) as add:
        for number, duration in enumerate(durations):
            add(np.full((47, 63, 3), (200, 40 * number, 90), np.uint8), duration)
    frames = list(read_clip(path).frames)
    times = list(zip(range(5), np.cumsum([0, *durations[:-1]]), durations, strict=True))
    np.testing.assert_allclose([frame for frame, _ in frames], times, atol=1e-5)
    assert frames[0][1].shape == (48, 64, 3)
    colors = [image[24, 32] for _, image in frames]
    np.testing.assert_allclose(colors, [(200, 40 * number, 90) for number in range(5)], atol=4)


def test_frames_of_another_size_fit_into_the_video(av, tmp_path):
    with clip_writer(tmp_path / "a.mp4", fps=5) as add:
        add(quadrants(), 0.2)
        add(quadrants(96, 128), 0.2)
    first, second = (image.astype(int) for _, image in read_clip(tmp_path / "a.mp4").frames)
    assert first.shape == second.shape and np.abs(first - second).mean() < 4


CODECS = {".mpg": "mpeg2video", ".avi": "mpeg4", ".wmv": "wmv2", ".webm": "libvpx", ".mjpeg": "mjpeg"}


@pytest.mark.parametrize(
    "suffix", [".avi", ".flv", ".mkv", ".mov", ".mpg", ".3gp", ".ts", ".mts", ".wmv", ".webm", ".h264", ".mjpeg"]
)
def test_containers_of_every_kind_are_read(av, tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    # FFmpeg recognizes some formats by their size alone.
    noise = np.random.default_rng(0).integers(0, 20, (144, 176, 3))
    images = [(noise + 20 * level).astype(np.uint8) for level in range(10)]
    encode(path, images, CODECS.get(suffix, "libx264"), "yuvj420p" if suffix == ".mjpeg" else "yuv420p")
    assert is_clip(path)
    clip = read_clip(path)
    frames = list(clip.frames)
    np.testing.assert_allclose(
        [frame for frame, _ in frames],
        [(n, 0.04 * n, 0.04) for n in range(10)],
        atol=0.05 if suffix == ".mpg" else 2e-3,
    )
    np.testing.assert_allclose([image.mean() for _, image in frames], [i.mean() for i in images], atol=12)
    assert clip.fps == pytest.approx(25) and not clip.faults


def test_a_recording_without_a_rate_keeps_its_times(av, tmp_path):
    """As browsers make them from a webcam."""
    times = [0, 52, 63, 96, 230]
    with av.open(str(tmp_path / "a.webm"), "w") as output:
        stream = output.add_stream("libvpx", 1000)
        stream.height, stream.width = 48, 64
        for image, time in zip(brightening(5), times, strict=True):
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts, frame.time_base = time + 700, Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    frames = [frame for frame, _ in read_clip(tmp_path / "a.webm").frames]
    assert [frame.seconds for frame in frames] == pytest.approx([time / 1000 for time in times])
    assert [frame.duration for frame in frames][:4] == pytest.approx([0.052, 0.011, 0.033, 0.134])


TURNS = {
    "clockwise": ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
    "anticlockwise": ((0, -1, 1, 0), np.rot90),
    "upside down": ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
    "mirrored": ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    "transposed": ((0, 1, 1, 0), lambda image: image.swapaxes(0, 1)),
}


@pytest.mark.parametrize("turn", TURNS)
def test_frames_are_upright(av, tmp_path, turn):
    (a, b, c, d), turned = TURNS[turn]
    path = tmp_path / "a.mov"
    encode(path, [quadrants()])
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    ((_, image),) = read_clip(path).frames
    expected = turned(quadrants())
    assert image.shape == expected.shape
    np.testing.assert_allclose(image[12::24, 12::24], expected[12::24, 12::24], atol=12)


@pytest.mark.parametrize(("aspect", "shape"), [("4/3", (48, 85)), ("1/2", (96, 64)), ("1000", (48, 64))])
def test_pixels_become_square(av, tmp_path, aspect, shape):
    encode(tmp_path / "a.mov", [quadrants()], sample_aspect_ratio=Fraction(aspect))
    ((_, image),) = read_clip(tmp_path / "a.mov").frames
    assert image.shape[:2] == shape
    np.testing.assert_allclose(image[-8, -8], (255, 255, 255), atol=12)


def test_hdr_looks_as_it_should(av, tmp_path):
    """PQ, of white and gray of 203 and 37 candelas a square metre: without its curve 148 and 106."""
    if int(av.__version__.split(".")[0]) < 18:
        pytest.skip("PyAV converts HDR from version 18 on")
    image = np.repeat(np.array([38016, 27168], np.uint16), 32)[None, :, None].repeat(48, 0).repeat(3, 2)
    colors = {"color_trc": 16, "color_primaries": 9, "colorspace": 9, "color_range": 1}
    encode(tmp_path / "a.mkv", [image], "ffv1", "yuv420p10le", **colors)
    ((_, image),) = read_clip(tmp_path / "a.mkv").frames
    np.testing.assert_allclose(image[24, [16, 48]], [[254] * 3, [119] * 3], atol=4)


def sound_packets(path):
    import av

    with av.open(str(path)) as container:
        codec = container.streams.audio[0].codec_context.name
        return codec, [
            (float(packet.pts * packet.time_base), bytes(packet)) for packet in container.demux(audio=0) if packet.size
        ]


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "aac"), (".mov", "aac"), (".mov", "pcm_s16le")])
def test_sound_is_copied(av, tmp_path, suffix, codec):
    source, path = tmp_path / f"a{suffix}", tmp_path / "b.mp4"
    encode(source, brightening(), seconds=0.2, sound=codec)
    with clip_writer(path, fps=5, sound=source) as add:
        for frame, image in read_clip(source).frames:
            add(image, frame.duration)
    _, expected = sound_packets(source)
    found_codec, found = sound_packets(path)
    assert found_codec == "aac"
    if codec == "aac":
        assert [data for _, data in found] == [data for _, data in expected]
        np.testing.assert_allclose([time for time, _ in found], [time for time, _ in expected], atol=1e-3)
    else:
        assert len(found) * 1024 == pytest.approx(90000, abs=2048)
    assert len(list(read_clip(path).frames)) == 10


def test_what_a_damaged_video_lacks_is_told(av, tmp_path):
    path = tmp_path / "a.mp4"
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 64, 3), np.uint8)
    encode(path, list(noise), options={"movflags": "faststart"}, gop_size=10)
    data = bytearray(path.read_bytes())
    path.write_bytes(data[: len(data) // 2])
    clip = read_clip(path)
    assert 10 < len(list(clip.frames)) < 25
    assert clip.faults[0].startswith("it ends after 0.") and clip.faults[0].endswith(" of 1.6 s")
    third = len(data) // 3
    data[third : third + 8000] = b"?" * 8000
    path.write_bytes(data)
    clip = read_clip(path)
    times = [frame.seconds for frame, _ in clip.frames]
    assert len(times) < 40 and times[-1] == pytest.approx(39 / 25)
    (fault,) = clip.faults
    assert fault.startswith("frames that are damaged or missing: ") and int(fault[-2:]) >= 40 - len(times)
    path.write_bytes(data[:500])
    with pytest.raises(InputError, match=r"a\.mp4: not a video that FFmpeg can read"):
        read_clip(path)


def test_a_playlist_is_no_video_whatever_its_name(av, tmp_path, monkeypatch):
    """FFmpeg would follow it to the file that it names."""
    monkeypatch.chdir(tmp_path)
    encode("secret.mp4", FRAMES)
    playlists = {
        "a.mp4": "ffconcat version 1.0\nfile secret.mp4\n",
        "b.ts": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    }
    for name, content in playlists.items():
        Path(name).write_text(content)
        with pytest.raises(InputError, match=f"{name}: not a video that FFmpeg can read"):
            list(read_clip(name).frames)


def test_a_colon_in_a_name_is_no_protocol(av, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with clip_writer("cache:a.mp4", fps=5) as add:
        add(FRAMES[0], 0.2)
    assert len(list(read_clip("cache:a.mp4").frames)) == 1


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_a_clip_cut_short_leaves_no_file(av, tmp_path, name):
    with pytest.raises(KeyboardInterrupt), clip_writer(tmp_path / name, fps=5) as add:
        add(FRAMES[0], 0.2)
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_a_full_disk_leaves_no_file(av, tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 256, (100, 48, 64, 3), np.uint8)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with (
            pytest.raises(InputError, match=f"{name}: cannot be written: File too large"),
            clip_writer(tmp_path / name, 5) as add,
        ):
            for image in noise:
                add(image, 0.2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_without_pyav_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"a\.mp4: videos need PyAV: .* -m pip install av "):
        require_reader("a.mp4")
    require_reader("a.gif")


def test_numbered_frames_are_in_order_of_their_numbers():
    paths = [Path(f"frame_{number}.png") for number in (10, 9, 1, 2)]
    assert [path.stem for path in sorted(paths, key=by_number)] == ["frame_1", "frame_2", "frame_9", "frame_10"]


def test_a_camera_gives_its_images(av, tmp_path, monkeypatch):
    """The camera is a video, which is read at once: at the latest after a while its last frame is the newest."""
    encode(tmp_path / "0.mp4", brightening())
    monkeypatch.setattr(video, "_CAMERA", ("mov", str(tmp_path / "{}.mp4")))
    started = time.monotonic()
    clip = read_camera(0)
    frames = list(clip.frames)
    assert clip.fps == 25 and frames[0][0].duration == 0.04
    assert frames[-1][1].mean() == pytest.approx(180, abs=4)
    seconds = [frame.seconds for frame, _ in frames]
    assert seconds == sorted(seconds) and seconds[0] >= 0 and seconds[-1] < time.monotonic() - started
    with pytest.raises(InputError, match="camera 3: there is none, or another program uses it"):
        read_camera(3)


def test_a_slow_reader_gets_the_newest_image():
    go_on, seen = threading.Event(), threading.Event()

    def images():
        yield 0
        assert go_on.wait(10)
        yield from (1, 2, 3)
        seen.set()

    newest = video._newest(images())
    assert next(newest) == 0
    go_on.set()
    assert seen.wait(10)
    assert list(newest) == [3]
