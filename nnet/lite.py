"""TensorFlow Lite models, as tools/export.py writes them, in place of a network and its checkpoint.

They run in the LiteRT interpreter, which loads twenty times as fast as TensorFlow.
"""

import os
import threading

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from dataset.pair_offsets import stats_scale
from multiperson.network import Network
from nnet.lite_file import read_notes
from util.errors import InputError
from util.logging import silent_stderr
from util.maps import Maps


class LitePredictor(Network):
    """The counterpart of `nnet.predict.Predictor` for a model in a file.

    Its methods may be called from several threads, which take turns.
    Raises InputError for a file that is damaged or no such model, and for a network that does not match `cfg`.
    """

    def __init__(self, cfg, path: str | os.PathLike):
        super().__init__(cfg)
        self._turn = threading.Lock()
        path = os.fspath(path)
        # The file's offsets between joints hold for that scale.
        self._pairwise_factor = stats_scale(cfg) / read_notes(path)["global_scale"]
        try:
            with silent_stderr():
                interpreter = Interpreter(path, num_threads=os.cpu_count())
                signatures = interpreter.get_signature_list()
                self._dense = interpreter.get_signature_runner("serving_default")
                self._pairwise = interpreter.get_signature_runner("pairwise") if "pairwise" in signatures else None
                self._dense(image=np.zeros((1, 64, 64, 3), np.uint8))  # it reports on its memory at the first image
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{path}: no TensorFlow Lite model of tools/export.py: {error}") from error
        outputs = self._dense.get_output_details()
        joints = outputs["part_prob"]["shape_signature"][-1] if "part_prob" in outputs else 0
        heads = {"location_refinement": "locref" in outputs, "pairwise_predict": self._pairwise is not None}
        missing = [key for key, there in heads.items() if cfg[key] and not there]
        if joints != cfg.num_joints or missing:
            raise InputError(
                f"{path}: a model of {joints} joints{''.join(f', without {key}' for key in missing)}; "
                f"{cfg.config_file} has num_joints: {cfg.num_joints}"
            )

    def _maps_of(self, images):
        return [self._maps_of_one(image) for image in images]  # such models see one image at a time

    def _maps_of_one(self, image):
        with self._turn:
            outputs = self._dense(image=image[None])
        locref = outputs["locref"][0] if self.cfg.location_refinement else None
        if not self.cfg.pairwise_predict:
            return Maps(outputs["part_prob"][0], locref)
        return Maps(outputs["part_prob"][0], locref, lambda cells: self._pairwise_at(outputs["features"], cells))

    def _pairwise_at(self, features, cells):
        cells = np.asarray(cells, np.int32).reshape(-1, 2)
        joints = self.cfg.num_joints
        if not len(cells):
            return np.zeros((0, joints * (joints - 1), 2), np.float32)
        with self._turn:
            offsets = self._pairwise(features=features, cells=np.pad(cells, ((0, 0), (1, 0))))["offsets"]
        return offsets * self._pairwise_factor
