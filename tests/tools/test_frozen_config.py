"""Whatever a script does, its configuration stays as it was loaded."""

import json

import pytest
from easydict import EasyDict

import config
from dataset.aic_to_coco import convert
from dataset.model_spec import from_config
from dataset.skeleton import NECKHEAD
from dataset.toy import write_toy_set
from demo import demo_multiperson, singleperson
from nnet.checkpoint import write_checkpoint
from nnet.net_factory import pose_net
from tools import (
    cache_scoremaps,
    eval_pck,
    export,
    inspect_checkpoint,
    make_mosaics,
    pairwise_stats,
    predict_multiperson,
    predict_singleperson,
    sweep,
    train_pairwise,
    vis_dataset,
)

CONFIG = """
dataset: .
dataset_type: coco
skeleton: neckhead
net_type: resnet_18
location_refinement: true
pairwise_predict: true
det_min_score: 0.01
init_weights: weights
precision: auto
tta: [flip]
"""


class Frozen(EasyDict):
    """A configuration that refuses every change."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.__dict__["__frozen__"] = True

    def __setattr__(self, name, value):
        if "__frozen__" in self.__dict__:
            raise TypeError(f"{name} of the configuration is written to")
        super().__setattr__(name, value)

    def __delitem__(self, name):
        raise TypeError(f"{name} of the configuration is removed")

    __setitem__ = __setattr__
    __delattr__ = pop = __delitem__

    def update(self, *args, **kwargs):
        raise TypeError("the configuration is updated")

    __ior__ = setdefault = popitem = clear = update


def test_no_script_writes_into_its_configuration(tiny_resnet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_toy_set(".", images=4, people=(1, 2), size=(96, 96))
    convert("annotations/train.json", "images/train", truth := "annotations/person_keypoints_train.json")
    (tmp_path / "pose_cfg.yaml").write_text(CONFIG)
    completed = config._completed
    monkeypatch.setattr(config, "_completed", lambda *args: Frozen(completed(*args)))
    with pytest.raises(TypeError, match="num_joints of the configuration is written to"):
        config.load_config().num_joints = 3

    pairwise_stats.main([])
    vis_dataset.main(["--number", "1"])
    cfg = config.load_config()
    variables = pose_net(cfg, from_config(cfg, NECKHEAD)).slim_variables()
    # A network that has learnt nothing, and is unsure everywhere.
    weights = {name: variable.numpy() for name, variable in variables.items()}
    write_checkpoint(
        "weights", {name: array * (0 if name.startswith("pose/") else 1) for name, array in weights.items()}
    )
    train_pairwise.main([])
    cache_scoremaps.main([])
    predict_multiperson.main(["--out_dir", "direct"])
    predict_multiperson.main(["--out_dir", "cached", "cached_scoremaps=test"])
    direct, cached = (json.loads((tmp_path / name / "coco.json").read_text()) for name in ("direct", "cached"))
    assert direct == cached
    predict_singleperson.main([])
    eval_pck.main([])
    sweep.main(["--ref", truth, "--img_dir", "images/train", "--try", "nms_radius", "3", "5"])
    export.main(["--tflite", "pose.tflite"])
    inspect_checkpoint.main(["weights", "--cfg", "pose_cfg.yaml"])
    make_mosaics.main(["--number", "1", "--side", "64"])
    for demo in (demo_multiperson, singleperson):
        demo.main(["images/train/toy0_000000.jpg", "--cfg", "pose_cfg.yaml", "init_weights=pose.tflite"])
