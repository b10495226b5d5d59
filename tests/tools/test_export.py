"""The exported model computes what the network does."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from config import load_config
from dataset.model_spec import from_table
from nnet.lite_file import checkpoint_id, seal
from nnet.predict import setup_pose_prediction
from tests.rounding import rounding
from tools import export
from util.errors import InputError
from util.images import sample_photographs
from util.yamlfile import read_yaml

ROOT = Path(__file__).parents[2]
CFG = ROOT / "models" / "demo" / "pose_cfg.yaml"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The demo's model, exported."""
    folder = tmp_path_factory.mktemp("served") / "1"
    export.main(["--cfg", str(CFG), "--out_dir", str(folder)])
    return folder


def test_the_signatures_agree_with_the_predictor(served):
    signatures = tf.saved_model.load(str(served)).signatures
    images = np.random.default_rng(0).integers(0, 256, (2, 50, 70, 3), np.uint8)
    outputs = signatures["serving_default"](image=tf.constant(images))
    cells = np.array([[0, 0], [7, 9], [3, 4], [4, 3]], np.int32)
    batched = np.concatenate([np.pad(cells, ((0, 0), (1, 0)), constant_values=number) for number in (0, 1)])
    offsets = signatures["pairwise"](features=outputs["features"], cells=tf.constant(batched))["offsets"].numpy()
    cfg = load_config(CFG, ["precision=float32", "tta=[]"])
    predictor = setup_pose_prediction(cfg, cfg.init_weights)
    for number, image in enumerate(images):
        maps = predictor.maps(image)
        expected = maps.part_prob, maps.locref, maps.pairwise(cells)
        tolerance = rounding(4 * 1280, layers=53)
        found = outputs["part_prob"][number], outputs["locref"][number], offsets[4 * number : 4 * number + 4]
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())
    spec = from_table(read_yaml(served / "assets.extra/model.yaml"), "")
    assert spec.as_table() == predictor.spec.as_table()


def test_the_example_of_the_page_finds_somebody(served, tmp_path):
    Image.open(sample_photographs()[1]).resize((150, 150)).save(tmp_path / "photo.png")
    text = (ROOT / "models/serving.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(import numpy.*?)```", text, re.DOTALL)
    for name, here in ("served/1", served), ("models/aic/test", CFG.parent), ("photo.jpg", tmp_path / "photo.png"):
        example = example.replace(name, str(here))
    names = {}
    exec(example, names)
    assert len(names["people"]) == 1


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
    (tmp_path / "pose_cfg.yaml").write_text("num_joints: 2\nnet_type: resnet_18\ninit_weights: start")
    (tmp_path / "start.index").write_text("checksums")
    quick = tmp_path / "start.quick.tflite"
    quick.write_bytes(seal(b"model", {"checkpoint": checkpoint_id(tmp_path / "start"), "model": {}}))
    command = ["--cfg", str(tmp_path / "pose_cfg.yaml"), "--quick_start"]
    export.main(command)
    assert capsys.readouterr().out == f"{quick} is up to date\n"
    for content in (seal(b"model", {"checkpoint": "another", "model": {}}), b"cut off"):
        quick.write_bytes(content)
        with pytest.raises(InputError, match="start: not a readable checkpoint"):  # which it would be made of
            export.main(command)


def test_an_existing_folder_stays(tmp_path):
    with pytest.raises(InputError, match="is there already"):
        export.main(["--cfg", str(CFG), "--out_dir", str(tmp_path)])
    assert not list(tmp_path.iterdir())
