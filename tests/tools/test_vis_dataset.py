"""The pictures of what training gets: people and ignored cells on the left, positive cells on the right."""

import numpy as np
from PIL import Image, ImageColor

from config import make_config
from dataset.skeleton import COCO, LEFT
from tests.annotations import coco_document, write_coco
from tools.vis_dataset import main, picture, positive_cells

RED = ImageColor.getrgb(LEFT)


def test_positive_cells_lie_around_labelled_joints():
    people = np.zeros((2, 3, 3))
    people[0, 1] = 12, 20, 2
    people[1, 1] = 12, 20 + 8, 1
    people[0, 2] = 12, 20, 0
    positive = positive_cells(people, (6, 4), 8, 8)
    assert np.argwhere(positive[..., 1]).tolist() == [[1, 1], [2, 0], [2, 1], [2, 2], [3, 0], [3, 1], [3, 2], [4, 1]]
    assert not positive[..., [0, 2]].any()


def test_a_picture_shows_joints_ignored_cells_and_positive_cells():
    batch = {
        "image": np.full((1, 64, 96, 3), 100, np.uint8),
        "people": np.zeros((1, 4, 17, 3), np.float32),
        "weight": np.ones((1, 8, 12), np.float32),
        "scale": np.ones(1, np.float32),
    }
    batch["people"][0, 0, 5] = 20, 44, 2
    batch["weight"][0, :4] = 0
    pixels = np.asarray(picture(batch, COCO, make_config(pos_dist_thresh=6)))
    # Five times enlarged: a cell of 8 pixels has 40, 2 of them free on all sides.
    left, right = np.split(pixels[:, [*range(480), *range(484, 964)]], 2, axis=1)
    assert pixels.shape == (320, 964, 3)
    assert left[5 * 44 + 2, 5 * 20 + 2].tolist() == list(RED)
    hatched = (left == 255 - 100 // 3).all(axis=-1)
    assert 0.4 < hatched[:160].mean() < 0.6
    assert not hatched[160:].any()
    cells = (right == RED).all(axis=-1)
    assert cells[202:238, 82:118].all()
    assert cells.sum() == 38**2


def test_pictures_are_written_under_the_names_of_their_images(tmp_path, monkeypatch, capsys):
    (tmp_path / "images/train").mkdir(parents=True)
    Image.new("RGB", (40, 30), "blue").save(tmp_path / "images/train/a.png")
    image = {"file_name": "a.png", "width": 40, "height": 30}
    write_coco(tmp_path, "train", coco_document([image], [{"image_id": 0, "keypoints": [10, 10, 2] * 17}]))
    (tmp_path / "pose_cfg.yaml").write_text("dataset: .\ndataset_type: coco\nbatch_size: 4\n")
    monkeypatch.chdir(tmp_path)
    main(["--number", "2", "--out_dir", "pictures", "global_scale=20"])
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["0000_a.png", "0001_a.png"]
    with Image.open("pictures/0000_a.png") as image:
        assert image.size == (2 * 800 + 4, 600)
    assert "2 pictures written to pictures" in capsys.readouterr().out
