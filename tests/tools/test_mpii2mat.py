"""MPII's release cut into single people."""

import pytest
from PIL import Image

from config import make_config
from dataset.factory import create
from tests.dataset.mpii_file import person, write_release
from tools.mpii2mat import main
from util.errors import InputError


def test_from_the_published_layout_to_samples(tmp_path, capsys):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (320, 240), "gray").save(tmp_path / "images/a.jpg")
    points = {0: (150, 200), 9: (160, 50), 7: (160, 90)}
    write_release(tmp_path / "m.mat", [("a.jpg", [person(points)], 1, [1]), ("gone.jpg", [person(points)], 1, [1])])
    main(["--mat", str(tmp_path / "m.mat"), "--img_dir", str(tmp_path / "images"), "--out_dir", str(tmp_path / "out")])
    assert "2 images, 1 people written to" in capsys.readouterr().out
    sample = create(make_config(dataset=str(tmp_path / "out/dataset.mat"), dataset_type="mpii"))[0]
    assert sample.image.name == "im00001_1.png"
    # 30 pixels of head become 50; the crop begins 130 pixels before the leftmost point, at 250 - 130 - 1.
    assert sample.people[0, 0].tolist() == [150 * 5 / 3 - 119, pytest.approx(200 * 5 / 3, abs=0.5), 1]
    assert sample.people[0, :, 2].sum() == 2  # the thorax is no joint


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere: no such folder"):
        main(["--mat", "m.mat", "--img_dir", "nowhere", "--out_dir", "out"])
