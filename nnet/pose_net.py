"""The pose network: a backbone and the heads that the configuration asks for."""

import keras
import tensorflow as tf

from nnet.layers import ConvBN, Head, dense_maps
from nnet.mobilenet_v2 import mobilenet_v2
from nnet.resnet_v1 import UNITS, resnet_v1
from util.errors import InputError
from util.maps import OUTPUT_STRIDE

# Pixels per cell of the coarsest layer, by kind of backbone: images are filled up to multiples of them.
COARSEST_STRIDE = {"resnet": OUTPUT_STRIDE, "mobilenet_v2": OUTPUT_STRIDE}


class PoseNet(keras.Model):
    """Finds parts (`part_pred`) and, where configured, offsets (`locref_pred`), part-to-part offsets (`pairwise_pred`)
    and parts from an earlier layer (`intermediate_supervision`).

    `net(image)` gives all heads as dense maps (B, 2 ceil(h/16), 2 ceil(w/16), channels), raw: no sigmoid, nothing
    multiplied by a standard deviation. `features` and `heads` serve those who want less.

    Images of any size are filled up with the mean pixel to whole cells, at the right and the bottom: in training,
    scoring, inference and export alike, since all of these come through `features`. Else where a cell lies would depend
    on the image's size: a ResNet's pooling and MobileNet's strided convolutions are padded by whether their input is
    even or odd, which moves all that follows by 2, or by up to 15, pixels. `backbone` alone is the original's function,
    without filling.

    Raises InputError when the intermediate layer is beyond its block.
    """

    def __init__(self, cfg, dtype: str = "float32"):
        super().__init__(dtype=dtype)
        self.mean_pixel = tf.constant(cfg.mean_pixel, tf.float32)
        self.supervised = _supervised_layer(cfg) if cfg.intermediate_supervision else None
        self.coarsest_stride = COARSEST_STRIDE[cfg.net_type.rpartition("_")[0]]
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(dtype if dtype == "float32" else f"mixed_{dtype}")
        try:
            self.backbone = self._build_backbone(cfg)
            self.heads = {name: Head(f"pose/{name}/block4", channels) for name, channels in _heads(cfg).items()}
        finally:
            keras.config.set_dtype_policy(policy)
        for name, head in self.heads.items():
            source = "intermediate" if name == "intermediate_supervision" else "features"
            head.build(self.backbone.output[source].shape)

    def _build_backbone(self, cfg):
        image = keras.Input((None, None, 3))
        kind, _, size = cfg.net_type.rpartition("_")
        train_moments = cfg.batch_norm == "train" or (cfg.batch_norm == "auto" and not cfg.init_weights)
        options = {"train_moments": train_moments and not cfg.freeze_backbone, "decay": cfg.batch_norm_decay}
        if kind == "resnet":
            outputs = resnet_v1(image, int(size), **options)
        else:
            outputs = mobilenet_v2(image, float(size), **options)
        chosen = {"features": outputs["features"]}
        if self.supervised:
            chosen["intermediate"] = outputs[self.supervised]
        backbone = keras.Model(image, chosen)
        backbone.trainable = not cfg.freeze_backbone
        return backbone

    def features(self, image, training=False) -> dict[str, tf.Tensor]:
        """The backbone's outputs at stride 16: "features" and, where supervised, "intermediate".

        image: (B, h, w, 3) RGB, 0 to 255, any type; the outputs are (B, ceil(h/16), ceil(w/16), channels)
        """
        outputs = self.backbone(self._whole_cells(image), training=training)
        if self.coarsest_stride > OUTPUT_STRIDE:
            rows, cols = tf.unstack(-(-tf.shape(image)[1:3] // OUTPUT_STRIDE))
            outputs = {name: values[:, :rows, :cols] for name, values in outputs.items()}
        return outputs

    def _whole_cells(self, image):
        """The image without its mean, filled up with zeros to whole cells of the coarsest layer."""
        height, width = tf.unstack(tf.shape(image)[1:3])
        rest_height, rest_width = -height % self.coarsest_stride, -width % self.coarsest_stride
        centered = tf.cast(image, tf.float32) - self.mean_pixel
        filled = tf.pad(centered, [[0, 0], [0, rest_height], [0, rest_width], [0, 0]])
        # Padding forgets how many channels there are, which TensorFlow Lite wants to know.
        return tf.reshape(filled, [-1, height + rest_height, width + rest_width, 3])

    def call(self, image, training=False):
        return self.apply_heads(self.features(image, training))

    def apply_heads(self, outputs: dict[str, tf.Tensor], cells=None) -> dict[str, tf.Tensor]:
        """The raw heads on the outputs of `features`.

        cells: (n, 3) int32 batch, row, col, to have "pairwise_pred" there only, as (n, 2J(J-1)), instead of everywhere
        """
        heads = dict(self.heads)
        result = {}
        if "intermediate_supervision" in heads:
            result["intermediate_supervision"] = heads.pop("intermediate_supervision")(outputs["intermediate"])
        if cells is not None and "pairwise_pred" in heads:
            result["pairwise_pred"] = heads.pop("pairwise_pred").at_cells(outputs["features"], cells)
        return result | dict(zip(heads, dense_maps(list(heads.values()), outputs["features"]), strict=True))

    def _named_layers(self):
        return [layer for layer in self.backbone.layers if isinstance(layer, ConvBN)] + list(self.heads.values())

    def slim_variables(self) -> dict[str, keras.Variable]:
        """All variables under the names they have in checkpoints."""
        return {name: var for layer in self._named_layers() for name, var in layer.slim_variables().items()}

    def kernels(self) -> list[keras.Variable]:
        """The variables that weight decay acts on."""
        return [layer.kernel for layer in self._named_layers()]

    def fold(self) -> None:
        """Put batch norm into the convolutions, for inference only; the network is not to be trained afterwards."""
        for layer in self._named_layers():
            layer.fold()


def _heads(cfg) -> dict[str, int]:
    """Channels of each head."""
    joints = cfg.num_joints
    heads = {"part_pred": joints}
    if cfg.location_refinement:
        heads["locref_pred"] = 2 * joints
    if cfg.pairwise_predict:
        heads["pairwise_pred"] = 2 * joints * (joints - 1)
    if cfg.intermediate_supervision:
        heads["intermediate_supervision"] = joints
    return heads


def _supervised_layer(cfg) -> str:
    layer, where = cfg.intermediate_supervision_layer, cfg.config_file
    kind, _, size = cfg.net_type.rpartition("_")
    if kind != "resnet":
        raise InputError(f"{where}: intermediate_supervision needs a ResNet; {cfg.net_type} has no block 3")
    units = UNITS[int(size)][2]
    if layer > units:
        raise InputError(
            f"{where}: intermediate_supervision_layer is {layer}, but block 3 of {cfg.net_type} has {units} units"
        )
    return f"block3/unit_{layer}"
