"""The pictures of what training gets: people and ignored cells on the left, positive cells on the right."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from config import load_config
from dataset.aic import COCO_FLAG, HIDDEN
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.pipeline import training_batches
from dataset.skeleton import COCO, NECKHEAD
from nnet.targets import make_targets
from tests.annotations import coco_document, write_coco
from tests.drawn import STANDING
from tools import vis_dataset
from util.draw import enlarge_points
from util.images import read_image

FACTOR = 5  # how much pictures of 96x64 are enlarged
COLOURS = [ImageColor.getrgb(colour) for colour in COCO.colours]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A gray photo of 96x64 with a crowd in its upper right part, and two people of different sizes below."""
    (tmp_path / "images/train").mkdir(parents=True)
    Image.new("RGB", (96, 64), (100, 100, 100)).save(tmp_path / "images/train/a.png")
    people = []
    for factor, place in ((0.25, (5, 17)), (0.15, (60, 34))):
        person = np.column_stack([factor * STANDING + place, np.full(14, 2)])
        (keypoints,) = NECKHEAD.convert(np.zeros((1, 17, 3)), COCO)
        keypoints[5:] = person[[3, 0, 4, 1, 5, 2, 9, 6, 10, 7, 11, 8]]  # shoulders to ankles
        keypoints[5, 2] = COCO_FLAG[HIDDEN]
        people.append({"image_id": 0, "keypoints": keypoints.ravel().tolist()})
    crowd = {"image_id": 0, "bbox": [48, 0, 48, 24], "iscrowd": 1, "keypoints": [0] * 51}
    image = {"file_name": "a.png", "width": 96, "height": 64}
    write_coco(tmp_path, "train", coco_document([image], [*people, crowd]))
    (tmp_path / "pose_cfg.yaml").write_text(
        "dataset: .\ndataset_type: coco\npos_dist_thresh: 3\npos_dist_share: 0.15\nbatch_size: 4\n"
    )
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("net_type, stride", [("resnet_18", 8), ("resnet_18_fpn", 4)])
def test_pictures_show_what_training_gets(folder, net_type, stride, capsys):
    vis_dataset.main(["--number", "2", "--out_dir", "pictures", f"net_type={net_type}"])
    assert "2 pictures written to pictures" in capsys.readouterr().out
    pixels = read_image("pictures/0001_a.png").astype(int)
    width = FACTOR * 96
    assert pixels.shape == (FACTOR * 64, 2 * width + 4, 3)
    left, right = pixels[:, :width], pixels[:, width + 4 :]

    cfg = load_config("pose_cfg.yaml", [f"net_type={net_type}", "batch_size=1"])
    dataset = create(cfg)
    spec = from_config(cfg, dataset.skeleton)
    batch = next(training_batches(dataset, cfg, spec))
    assert spec.stride == stride

    def of_cells(values):
        """The value of each pixel's cell."""
        return np.kron(values, np.ones((FACTOR * stride,) * 2, int))[: FACTOR * 64, :width]

    hatched = (left == 255 - 100 // 3).all(axis=2)
    ignored = of_cells(batch["weight"][0] == 0)
    assert 0.4 < hatched[ignored == 1].mean() < 0.6 and not hatched[ignored == 0].any()
    assert ignored[: FACTOR * 16, -FACTOR * 40 :].all() and not ignored[FACTOR * 32 :].any()

    part, without_share = (
        make_targets(batch["people"], batch["weight"], batch["scale"], type(cfg)(cfg, pos_dist_share=share), spec).part
        for share in (0.15, 0)
    )
    part = part[0].numpy()
    assert part.sum() > without_share.numpy().sum() > 0
    last = of_cells((part * np.arange(1, 18)).max(axis=2).astype(int))  # what is drawn over the others; 0: nothing
    rows, cols = np.indices(last.shape) % (FACTOR * stride)
    inside = (np.minimum(rows, cols) >= 1) & (np.maximum(rows, cols) <= FACTOR * stride - 2)
    expected = np.array([(50, 50, 50), *COLOURS])[np.where(inside, last, 0)]
    np.testing.assert_array_equal(right, expected)

    for person in batch["people"][0]:
        for joint in np.flatnonzero(person[:, 2]):
            col, row = np.rint(enlarge_points(person[joint, :2], FACTOR)).astype(int)
            filled = (left[row - 1 : row + 2, col - 1 : col + 2] == COLOURS[joint]).all(axis=2).mean()
            assert (filled > 0.85) == (person[joint, 2] != COCO_FLAG[HIDDEN]), joint  # hollow, but for its limbs
