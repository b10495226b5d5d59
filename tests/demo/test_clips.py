"""Clips in which two people cross: each keeps an identity, in pictures, JSON lines and tables."""

import csv
import json
import signal

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.skeleton import AIC
from demo import demo_multiperson
from demo.clips import run_camera, run_frames, run_video
from multiperson.estimator import Estimator, PoseResult
from multiperson.predict import People
from tests.drawn import STANDING, assert_people_drawn
from util.errors import InputError
from util.video import Clip, Frame, clip_writer, read_clip


class Squares(Estimator):
    """Finds a person at each square, dark or bright; their order changes from frame to frame."""

    cfg, skeleton, network = make_config(), AIC, None
    calls = 0

    def estimate(self, images):
        return [self.people_of(image) for image in images]

    def people_of(self, image):
        self.calls += 1
        keypoints = []
        for level in (100, 200):
            y, x = np.nonzero(np.abs(image[..., 0].astype(int) - level) < 9)
            if len(x) > 150:
                joints = 0.2 * STANDING + [x.mean() - 6, y.mean() - 18]
                keypoints.append(np.column_stack([joints, np.full(14, 0.8)]))
        people = People.of(np.array(keypoints[:: (-1) ** self.calls]).reshape(-1, 14, 3))
        return PoseResult(people, AIC, image.shape[:2], 0.1, 0.01)


def frames():
    """The dark one walks to the right and is in front; the bright one, a little lower, to the left."""
    for step in range(24):
        image = np.zeros((64, 120, 3), np.uint8)
        image[12:52, 100 - 4 * step : 112 - 4 * step] = 200
        image[8:48, 4 + 4 * step : 16 + 4 * step] = 100
        yield image


def identities_by_side(path):
    """The JSON lines, and the identities in the first and the last frame, each from left to right."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(24))
    ends = []
    for line in (lines[0], lines[-1]):
        people = sorted(line["people"], key=lambda person: person["keypoints"]["neck"]["x"])
        ends.append([person["id"] for person in people])
    return lines, ends


def test_people_who_cross_in_a_gif_keep_their_identities(tmp_path):
    images = [Image.fromarray(image) for image in frames()]
    images[0].save(tmp_path / "walk.gif", save_all=True, append_images=images[1:], duration=[80] * 5 + [40] * 19)
    line = run_video(Squares(), tmp_path / "walk.gif", tmp_path / "out" / "walk_people", csv=True)
    assert line.startswith("24 frames, 2 people")
    lines, (first, last) = identities_by_side(tmp_path / "out" / "walk_people.jsonl")
    assert first == last[::-1] and sorted(first) == [0, 1]
    assert [lines[number]["seconds"] for number in (4, 5, 23)] == [0.32, 0.4, 1.12]
    drawn = [frame for frame, _ in read_clip(tmp_path / "out" / "walk_people.gif").frames]
    assert [frame.duration for frame in drawn] == [0.08] * 5 + [0.04] * 19
    with open(tmp_path / "out" / "walk_people.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["frame"]), int(row["person"])) for row in rows] == [
        (line["frame"], person["id"]) for line in lines for person in line["people"]
    ]
    assert {row["file"] for row in rows} == {str(tmp_path / "walk.gif")} and float(rows[-1]["seconds"]) == 1.12


def test_people_who_cross_in_a_folder_of_frames_keep_their_colours(tmp_path):
    folder = tmp_path / "walk"
    folder.mkdir()
    for number, image in enumerate(frames()):
        Image.fromarray(image).save(folder / f"{number}.png")  # "10.png" sorts before "2.png"
    sources = demo_multiperson.find_sources([folder], track=True)
    assert sources.num_images == len(list(frames()))
    run_frames(Squares(), folder, sources.frames[folder], tmp_path / "walk_people", csv=True)
    lines, (first, last) = identities_by_side(tmp_path / "walk_people.jsonl")
    assert first == last[::-1] and lines[10]["file"] == "10.png"
    row = (tmp_path / "walk_people.csv").read_text().splitlines()[21]
    assert row.startswith(f"{folder / '10.png'},10,,")  # no time: the rate of the frames is unknown

    for number, image in enumerate(frames()):
        if number % 23 == 0:
            people = lines[number]["people"]
            drawn = tmp_path / "walk_people" / f"{number}.jpg"
            assert_people_drawn(drawn, image, people, [person["id"] for person in people])


def test_a_broken_clip_leaves_nothing(tmp_path):
    (tmp_path / "a.gif").write_bytes(b"GIF89a")
    with pytest.raises(InputError, match=r"a\.gif"):
        run_video(Squares(), tmp_path / "a.gif", tmp_path / "out" / "a_people")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_missing_clip_is_named_before_the_network_is_loaded():
    with pytest.raises(InputError, match=r"nowhere\.mp4: no such file or folder"):
        demo_multiperson.main(["nowhere.mp4"])


def test_a_camera_films_until_ctrl_c(tmp_path, capsys):
    pytest.importorskip("av", reason="the optional extra for videos is not installed")

    def film():
        for number, image in enumerate(frames()):
            if number == 23:
                signal.raise_signal(signal.SIGINT)
            yield Frame(number, number / 25, 1 / 25), image

    before = signal.getsignal(signal.SIGINT)
    line = run_camera(Squares(), Clip(25, film()), tmp_path / "camera_people", show=False, csv=True)
    assert signal.getsignal(signal.SIGINT) is before
    assert line.startswith("23 frames, 2 people") and "Ctrl-C ends it" in capsys.readouterr().out
    assert {path.suffix for path in tmp_path.iterdir()} == {".mp4", ".jsonl", ".csv"}
    lines = [json.loads(line) for line in (tmp_path / "camera_people.jsonl").read_text().splitlines()]
    rows = (tmp_path / "camera_people.csv").read_text().splitlines()[1:]
    assert len(lines) == 23 and len(rows) == sum(len(line["people"]) for line in lines)
    drawn = [image for _, image in read_clip(tmp_path / "camera_people.mp4").frames]
    assert len(drawn) == 23 and np.ptp(drawn[0].astype(int), axis=2).max() > 100  # the people are drawn


def test_a_damaged_video_is_drawn_as_far_as_it_goes(tmp_path, capsys, caplog):
    pytest.importorskip("av", reason="the optional extra for videos is not installed")
    cut, whole = tmp_path / "cut.mkv", tmp_path / "whole.mkv"
    with clip_writer(whole, fps=10) as add:
        for image in frames():
            add(image, 0.1)
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) * 3 // 4])  # most of it are the first frames
    with pytest.raises(InputError, match="1 of 2 clips could not be read, or not to the end"):
        demo_multiperson.run_clips(Squares(), demo_multiperson.Sources([], {}, [cut, whole]), tmp_path / "out")
    (message,) = caplog.messages
    assert f"{cut}: not all of it can be read: it ends after" in message and "; written:" in message
    assert capsys.readouterr().out.startswith("whole.mkv: 24 frames, 2 people")
    counts = [len((tmp_path / "out" / f"{name}_people.jsonl").read_text().splitlines()) for name in ("cut", "whole")]
    assert 0 < counts[0] < counts[1] == 24
    assert len(list(read_clip(tmp_path / "out/cut_people.mp4").frames)) == counts[0]


def test_a_missing_camera_is_named_before_the_network_is_loaded(tmp_path):
    pytest.importorskip("av", reason="the optional extra for videos is not installed")
    with pytest.raises(InputError, match="camera 99: there is none, or another program uses it"):
        demo_multiperson.main(["--camera", "99", "--out_dir", str(tmp_path)])
    with pytest.raises(InputError, match="either --camera or files"):
        demo_multiperson.main(["photo.jpg", "--camera", "0"])


def test_a_broken_clip_is_named_and_the_others_are_done(tmp_path, capsys, caplog):
    images = [Image.fromarray(image) for image in frames()]
    good, broken = tmp_path / "good.gif", tmp_path / "broken.gif"
    images[0].save(good, save_all=True, append_images=images[1:])
    broken.write_text("no clip")
    sources = demo_multiperson.Sources([], {}, [broken, good])
    assert sources.num_images is None
    with pytest.raises(InputError, match="1 of 2 clips could not be read"):
        demo_multiperson.run_clips(Squares(), sources, tmp_path / "out")
    assert capsys.readouterr().out.startswith("good.gif: 24 frames, 2 people")
    assert len(caplog.messages) == 1 and caplog.messages[0].startswith(f"skipped {broken}: not an image")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good_people.gif", "good_people.jsonl"]
    with pytest.raises(InputError, match="none of the 2 clips can be read; the first: .*broken.gif"):
        demo_multiperson.run_clips(Squares(), sources._replace(videos=[broken, broken]), tmp_path / "out")
