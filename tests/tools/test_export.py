"""The exported model computes what the network does."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from config import load_config, read_skeleton_table
from dataset.skeleton import from_config, from_table
from nnet.lite_file import checkpoint_id, seal
from nnet.predict import setup_pose_prediction
from tests.rounding import rounding
from tools import export
from util.errors import InputError
from util.images import sample_photographs

ROOT = Path(__file__).parents[2]
CFG = ROOT / "models" / "demo" / "pose_cfg.yaml"


def people_by_the_example(served: Path) -> int:
    """How many people the code in models/serving.md finds in a small photograph of a cameraman."""
    photo = served.with_name("photo.png")
    Image.open(sample_photographs()[1]).resize((150, 150)).save(photo)
    text = (ROOT / "models/serving.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(import numpy.*?)```", text, re.DOTALL)
    for name, here in {"served/1": served, "models/aic/test": ROOT / "models/demo", "photo.jpg": photo}.items():
        example = example.replace(name, str(here))
    names = {}
    exec(example, names)
    return len(names["people"])


def test_the_signatures_agree_with_the_predictor(tmp_path):
    export.main(["--cfg", str(CFG), "--out_dir", str(tmp_path / "1")])
    signatures = tf.saved_model.load(str(tmp_path / "1")).signatures
    images = np.random.default_rng(0).integers(0, 256, (2, 50, 70, 3), np.uint8)
    served = signatures["serving_default"](image=tf.constant(images))
    cells = np.array([[0, 0], [7, 9], [3, 4], [4, 3]], np.int32)
    batched = np.concatenate([np.pad(cells, ((0, 0), (1, 0)), constant_values=number) for number in (0, 1)])
    offsets = signatures["pairwise"](features=served["features"], cells=tf.constant(batched))["offsets"].numpy()
    cfg = load_config(CFG, ["precision=float32", "tta=[]"])
    predictor = setup_pose_prediction(cfg, cfg.init_weights)
    for number, image in enumerate(images):
        maps = predictor.maps(image)
        expected = maps.part_prob, maps.locref, maps.pairwise(cells)
        tolerance = rounding(4 * 1280, layers=53)
        found = served["part_prob"][number], served["locref"][number], offsets[4 * number : 4 * number + 4]
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())
    assert people_by_the_example(tmp_path / "1") == 1
    assert from_table(read_skeleton_table(tmp_path / "1/assets.extra/skeleton.yaml"), "") == from_config(cfg)


def test_eight_bits_need_photos_and_tensorflow_lite(tmp_path):
    with pytest.raises(InputError, match="--int8 and --half go with --tflite"):
        export.main(["--cfg", str(CFG), "--out_dir", str(tmp_path / "1"), "--int8", "photo.jpg"])
    (tmp_path / "photo.jpg").write_bytes(b"none")
    with pytest.raises(InputError, match="photo.jpg"):
        export.main(["--cfg", str(CFG), "--tflite", str(tmp_path / "x"), "--int8", str(tmp_path / "photo.jpg")])


def test_a_tensorflow_lite_model_is_not_exported_again(tmp_path):
    with pytest.raises(InputError, match="pose.tflite: is a TensorFlow Lite model already"):
        export.main(["--cfg", str(CFG), "--out_dir", str(tmp_path / "1"), "--snapshot", "pose.tflite"])


def test_the_model_to_start_with_is_made_once(tmp_path, capsys):
    (tmp_path / "pose_cfg.yaml").write_text("num_joints: 2\ninit_weights: start")
    (tmp_path / "start.index").write_text("checksums")
    quick = tmp_path / "start.quick.tflite"
    quick.write_bytes(seal(b"model", {"checkpoint": checkpoint_id(tmp_path / "start")}))
    command = ["--cfg", str(tmp_path / "pose_cfg.yaml"), "--quick_start"]
    export.main(command)
    assert capsys.readouterr().out == f"{quick} is up to date\n"
    for content in (seal(b"model", {"checkpoint": "another"}), b"cut off"):
        quick.write_bytes(content)
        with pytest.raises(InputError, match="start: not a readable checkpoint"):  # which it would be made of
            export.main(command)


def test_an_existing_folder_stays(tmp_path):
    with pytest.raises(InputError, match="is there already"):
        export.main(["--cfg", str(CFG), "--out_dir", str(tmp_path)])
    assert not list(tmp_path.iterdir())
