"""The score of a network in training on held-out images, for train.py's `eval_iters`.

If the network has a pairwise head and the data COCO's format, people are found and grouped as at inference; the
measure is the official AI Challenger score if the skeleton has AIC's joints, else COCO's AP. For other networks and
data it is PCK, with the best cell of each part in each annotated box.
"""

import copy
import itertools
from collections.abc import Iterator

import numpy as np

from dataset import aic_score, coco_score, pck
from dataset.aic import people_to_aic
from dataset.coco import read_coco
from dataset.coco_results import people_to_coco
from dataset.coco_to_aic import aic_records
from dataset.factory import create
from dataset.model_spec import ModelSpec
from dataset.mscoco import MSCOCO
from dataset.pose_dataset import PoseDataset, Sample
from multiperson.estimator import PoseEstimator
from multiperson.pairwise_model import model_path
from multiperson.pairwise_training import collect_scenes, train_pairs
from multiperson.predict import SpatialModel
from multiperson.single_person import SinglePersonEstimator, person_boxes
from nnet.network import Network
from util.errors import InputError
from util.faults import Faults
from util.images import readable_images
from util.view import network_view

NUM_EXAMPLES = 4


class Validation:
    """At most `eval_images` images of the held-out set, always the same ones.

    spec: the model in training
    training_set: where pairwise models are learnt, for each score, if `pairwise_model_dir` is incomplete
    Raises InputError if there is no held-out set, or it has other joints.
    """

    def __init__(self, cfg, spec: ModelSpec, training_set: PoseDataset):
        self.cfg = type(cfg)(cfg, dataset=cfg.eval_dataset or cfg.dataset, dataset_phase=cfg.eval_phase, crop=False)
        self.spec, self.dataset = spec, create(self.cfg, skeleton=spec.skeleton)
        # Scoring uses whole images.
        self.training_set = copy.copy(training_set)
        self.training_set.cfg = type(cfg)(training_set.cfg, crop=False)
        chosen = np.random.default_rng(0).permutation(len(self.dataset))[: cfg.eval_images]
        self.samples = [self.dataset[index] for index in sorted(chosen.tolist())]
        self.truth, self.measure = None, f"PCK@{cfg.pck_threshold:g}"
        if spec.pairwise is not None and isinstance(self.dataset, MSCOCO):
            # The faults of the file were reported when the data set was read.
            self.truth = read_coco(self.dataset.path, Faults()).only_images(sample.id for sample in self.samples)
            self.truth.skeleton = self.dataset.skeleton
            self.measure = "AIC score" if self.dataset.skeleton.has_aic_joints else "AP"

    def score(self, network: Network) -> float:
        """The score of a network by `measure`. Raises InputError if no image can be read."""
        if self.truth is None:
            return self._pck(SinglePersonEstimator(network, self.cfg))
        model = self._spatial_model(network)
        if model is None:
            return 0.0
        estimator = PoseEstimator(network, model, self.cfg)
        found = [(sample, estimator(image).people) for sample, image in self._images()]
        return self._aic_score(found) if self.measure == "AIC score" else self._average_precision(found)

    def examples(self) -> list[np.ndarray]:
        """The first few images, as large as the network sees them."""
        images = (image for _, image in itertools.islice(self._images(), NUM_EXAMPLES))
        return [network_view(self.cfg, image.shape[:2]).image(image) for image in images]

    def _images(self) -> Iterator[tuple[Sample, np.ndarray]]:
        for number, image in readable_images([sample.image for sample in self.samples]):
            yield self.samples[number], image

    def _spatial_model(self, network) -> SpatialModel | None:
        """The stored models of all pairs, or else new ones; None while the network detects nothing to learn from."""
        model = SpatialModel(self.cfg, self.spec.skeleton)
        if all(model_path(model.folder, *pair).exists() for pair in model.pairs):
            return model.load()
        scenes = collect_scenes(self.training_set, network, self.cfg, self.cfg.eval_images)
        try:
            learnt, _ = train_pairs(scenes, model.pairs, self.spec.num_joints, self.spec.pairwise_unit)
        except InputError:
            return None
        model.use(learnt, self.spec.pairwise_unit)
        return model

    def _aic_score(self, found) -> float:
        # File names will not do: only the part of a predicted image_id before its first dot counts.
        names = {image_id: f"image{number}" for number, image_id in enumerate(self.truth.images.ids)}
        reference = aic_records(self.truth, list(names.values()), self.dataset.skeleton.to_aic)
        submission = [people_to_aic(names[sample.id], *result, self.dataset.skeleton) for sample, result in found]
        return aic_score.score(submission, reference).score

    def _average_precision(self, found) -> float:
        results = [
            entry for sample, result in found for entry in people_to_coco(sample.id, *result, self.dataset.category_id)
        ]
        # -1 if nobody is annotated.
        return max(0.0, coco_score.score(results, self.truth).metrics["AP"])

    def _pck(self, estimator: SinglePersonEstimator) -> float:
        true, predicted = [], []
        for sample, image in self._images():
            true += list(sample.people)
            predicted += list(estimator.in_boxes(image, person_boxes(sample.boxes, sample.people)).people.keypoints)
        shape = (-1, self.spec.num_joints, 3)
        true, predicted = np.reshape(true, shape), np.reshape(predicted, shape)
        size = pck.torso_size(true, self.dataset.skeleton)
        # Skeletons without a torso are measured by the box around the joints.
        size = pck.extent_size(true) if np.isnan(size).all() else size
        return float(np.nan_to_num(pck.relative_errors(true, predicted, size).total(self.cfg.pck_threshold)))
