"""TensorFlow Lite models, as tools/export.py writes them, in place of a network and its checkpoint.

They run in the LiteRT interpreter, which loads twenty times as fast as TensorFlow.
"""

import os
import threading
from functools import partial

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from dataset.model_spec import ModelSpec
from nnet.network import Network
from util.errors import InputError
from util.logging import silent_stderr
from util.maps import Maps


class LitePredictor(Network):
    """The counterpart of `nnet.predict.Predictor` for a model in a file.

    Its methods may be called from several threads, which take turns.
    Raises InputError for a file that is no such model.
    """

    def __init__(self, cfg, spec: ModelSpec, path: str | os.PathLike):
        super().__init__(cfg, spec)
        self._turn = threading.Lock()
        path = os.fspath(path)
        try:
            with silent_stderr():
                interpreter = Interpreter(path, num_threads=os.cpu_count())
                self._dense = interpreter.get_signature_runner("serving_default")
                self._pairwise = spec.pairwise and interpreter.get_signature_runner("pairwise")
                self._dense(image=np.zeros((1, 64, 64, 3), np.uint8))  # it reports on its memory at the first image
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{path}: no TensorFlow Lite model of tools/export.py: {error}") from error

    def _maps_of(self, images):
        return [self._maps_of_one(image) for image in images]  # such models see one image at a time

    def _maps_of_one(self, image):
        with self._turn:
            outputs = self._dense(image=image[None])
        pairwise = self._pairwise and partial(self._pairwise_at, outputs["features"])
        locref = None if self.spec.locref_stdev is None else outputs["locref"][0]
        return Maps(outputs["part_prob"][0], self.spec.stride, locref, pairwise)

    def _pairwise_at(self, features, cells):
        cells = np.asarray(cells, np.int32).reshape(-1, 2)
        joints = self.spec.num_joints
        if not len(cells):
            return np.zeros((0, joints * (joints - 1), 2), np.float32)
        with self._turn:
            return self._pairwise(features=features, cells=np.pad(cells, ((0, 0), (1, 0))))["offsets"]
