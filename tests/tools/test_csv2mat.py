"""Labels in a table arrive in training as they were written; a line that is no label is named."""

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.factory import create
from tools.csv2mat import main
from util.errors import InputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Current directory with two photos of 40 x 30 pixels, one of them in a folder of its own."""
    (tmp_path / "photos/more").mkdir(parents=True)
    for name in ("a.png", "more/b.png"):
        Image.new("RGB", (40, 30)).save(tmp_path / "photos" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def convert(folder, text, out="dataset.mat"):
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    main(["--csv", "labels.csv", "--img_dir", "photos", "--out", out])


@pytest.mark.parametrize("out", ["dataset.mat", "sets/dataset.mat"])
def test_labels_in_any_order_arrive_in_training(folder, capsys, out):
    lines = ["photo,person,joint,x,y", "more/b.png,0,2,7.5,8", "a.png,1,0,3,4", "", "a.png,0,1,39,30", "a.png,1,2,5,6"]
    convert(folder, "\ufeff" + "\r\n".join(lines), out)
    assert capsys.readouterr().out == f"2 photos, 3 people, 4 joints written to {out}\n"
    first, second = create(make_config(dataset=out, num_joints=3))
    assert first.size == second.size == (30, 40)
    assert first.image.resolve() == folder / "photos/a.png" and second.image.resolve() == folder / "photos/more/b.png"
    np.testing.assert_array_equal(
        first.people, [[[0, 0, 0], [39, 30, 1], [0, 0, 0]], [[3, 4, 1], [0, 0, 0], [5, 6, 1]]]
    )
    np.testing.assert_array_equal(second.people, [[[0, 0, 0], [0, 0, 0], [7.5, 8, 1]]])


def test_joints_outside_a_photo_stay_and_are_told(folder, caplog):
    convert(folder, "a.png,0,0,41,5\n")
    assert "suspect: joints outside their photos: 1 (a.png person 0 joint 0)" in caplog.text
    (sample,) = create(make_config(dataset="dataset.mat", num_joints=1))
    assert sample.people.tolist() == [[[41, 5, 1]]]


def test_a_photo_that_cannot_be_read_is_left_out(folder, caplog, capsys):
    (folder / "photos/c.png").write_text("no photo")
    convert(folder, "b.png,0,0,1,1\nc.png,0,0,1,1\na.png,0,0,2,3\n")
    assert "left out: photos that cannot be read: 2 (photos/b.png: cannot be read: No such file" in caplog.text
    assert capsys.readouterr().out == "1 photos, 1 people, 1 joints written to dataset.mat\n"


def test_no_folder_of_photos(folder):
    (folder / "labels.csv").write_text("a.png,0,0,1,1\n")
    with pytest.raises(InputError, match=r"nowhere: no such folder \(--img_dir\)"):
        main(["--csv", "labels.csv", "--img_dir", "nowhere"])


@pytest.mark.parametrize("text, message", [
    ("", "labels.csv: the file is empty; expected a table"),
    ("photo,person,joint,x,y\n", "labels.csv: no labels; expected a line photo,person,joint,x,y for each joint"),
    ("a.png,0,1,2,3\na.png,0,1,2\n", "line 2: expected photo,person,joint,x,y, such as a.jpg,0,12,175,61; found"),
    ("a.png,0,nose,2,3\n", "line 1: expected photo,person,joint,x,y"),
    ("a.png;0;1;2;3\n", "line 1: expected photo,person,joint,x,y"),
    ("a.png,0,0,nan,3\n", "line 1: x and y must be pixels of the photo; found nan,3"),
    ("a.png,0,0,1,-1e9\n", "line 1: x and y must be pixels of the photo; found 1,-1e9"),
    ("a.png,-1,0,1,1\n", "line 1: people count from 0, joints from 0 to 999; found person -1, joint 0"),
    ("a.png,0,0,1,1\na.png,0,0,2,2\n", "line 2: joint 0 of person 0 in a.png is labelled twice"),
    ("c.png,0,0,1,1\n,0,0,1,1\n", "labels.csv: none of its photos can be read (photos that cannot be read: 2)"),
])  # fmt: skip
def test_what_is_no_label_is_a_line_and_the_old_file_stays(folder, text, message):
    (folder / "dataset.mat").write_bytes(b"before")
    with pytest.raises(InputError) as error:
        convert(folder, text)
    assert message in str(error.value)
    assert (folder / "dataset.mat").read_bytes() == b"before"
