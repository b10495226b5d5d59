"""Scores on held-out images, of networks that know the answer and of others."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset import aic_to_coco
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.pair_offsets import PairwiseStats
from dataset.pose_dataset import save_dataset_mat
from dataset.skeleton import NECKHEAD
from dataset.toy import write_toy_set
from multiperson.simulate import NOISE_LEVELS, simulate_maps
from multiperson.validation import Validation
from util.errors import InputError


def network_of(maps, spec):
    """A network that gives these maps of an image, as far as validation needs one."""
    return SimpleNamespace(maps=maps, maps_of_batch=lambda images: [maps(image) for image in images], spec=spec)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Five drawn scenes in COCO's format, as training and as held-out set."""
    folder = tmp_path_factory.mktemp("scenes")
    annotations = folder / "annotations"
    for phase, seed in (("train", 1), ("val", 2)):
        write_toy_set(folder, images=5, people=(1, 2), size=(240, 200), seed=seed, phase=phase)
        aic_to_coco.convert(
            annotations / f"{phase}.json", folder / "images" / phase, annotations / f"person_keypoints_{phase}.json"
        )
    return folder


def coco_validation(folder, **values):
    cfg = make_config(
        dataset=str(folder),
        dataset_type="coco",
        eval_iters=1,
        sparse_graph=list(map(list, NECKHEAD.sparse_graph)),
        **values,
    )
    training_set = create(cfg)
    ones = np.ones((17 * 16, 2))
    spec = replace(from_config(cfg, training_set.skeleton), pairwise=PairwiseStats(ones, ones))
    return Validation(cfg, spec, training_set)


def all_knowing(spec, *datasets):
    """A network that finds the annotated people by the content of the image."""
    people = {}
    for dataset in datasets:
        for sample in map(dataset.__getitem__, range(len(dataset))):
            people[np.asarray(Image.open(sample.image)).tobytes()] = sample.people

    def maps(image):
        return simulate_maps(people[image.tobytes()], *image.shape[:2], spec.stride, NOISE_LEVELS["none"])

    return network_of(maps, spec)


def test_perfect_maps_score_high_and_empty_ones_zero(scenes):
    validation = coco_validation(scenes)
    assert validation.measure == "AIC score" and len(validation.samples) == 5
    assert validation.score(all_knowing(validation.spec, validation.dataset, validation.training_set)) > 0.9
    nothing = network_of(lambda image: simulate_maps(np.zeros((0, 17, 3)), *image.shape[:2], 8), validation.spec)
    assert validation.score(nothing) == 0
    assert [image.shape for image in validation.examples()] == [(200, 240, 3)] * 4


def test_other_skeletons_get_cocos_ap(scenes):
    content = json.loads((scenes / "annotations" / "person_keypoints_val.json").read_text())
    names = content["categories"][0]["keypoints"]
    content["categories"][0]["keypoints"] = [f"own_{name}" for name in names]
    for phase in ("train", "val"):
        (scenes / "annotations" / f"own_{phase}.json").write_text(json.dumps(content))
    validation = coco_validation(scenes, dataset_ann="own", dataset_phase="val", eval_images=3)
    assert validation.measure == "AP" and len(validation.truth.images.ids) == 3
    assert validation.score(all_knowing(validation.spec, validation.dataset)) > 0.9


def test_networks_without_pairs_get_pck(tmp_path):
    person = np.array([[0, 20, 30], [1, 60, 70], [2, 100, 20]], float)
    records = []
    for k in range(2):
        Image.fromarray(np.full((96, 128, 3), k, np.uint8)).save(tmp_path / f"{k}.png")
        records.append((f"{k}.png", (96, 128), [person]))
    save_dataset_mat(tmp_path / "held_out.mat", records)
    cfg = make_config(
        dataset=str(tmp_path / "held_out.mat"), eval_dataset=str(tmp_path / "held_out.mat"), num_joints=3, eval_iters=1
    )
    validation = Validation(cfg, from_config(cfg), create(cfg))
    assert validation.measure == "PCK@0.2"

    def maps(image):  # right in the first image, joint 2 wrong in the second
        pose = np.column_stack([person[:, 1:], np.ones(3)])
        if image[0, 0, 0]:
            pose[2, 0] -= 60
        return simulate_maps(pose[None], 96, 128, 8)

    assert validation.score(network_of(maps, validation.spec)) == pytest.approx(5 / 6)


def test_a_held_out_set_is_needed():
    with pytest.raises(InputError, match="eval_iters needs eval_dataset"):
        make_config(eval_iters=5)
