"""The pose network: a backbone and the heads that the configuration asks for."""

import keras
import tensorflow as tf

from dataset.model_spec import ModelSpec
from nnet import mobilenet_v2, movenet, resnet_v1
from nnet.layers import ConvBN, Head, dense_maps
from nnet.pyramid import feature_pyramid
from util.errors import InputError


class PoseNet(keras.Model):
    """Finds parts (`part_pred`) and, where configured, offsets (`locref_pred`), part-to-part offsets (`pairwise_pred`)
    and parts from an earlier layer (`intermediate_supervision`).

    `net(image)` gives all heads as dense maps (B, rows, cols, channels) of `util.maps.map_size`, raw: no sigmoid,
    nothing multiplied by a standard deviation. `features` and `heads` compute less than all of that.

    Images of any size are padded with the mean pixel to whole cells, at the right and the bottom: in training, scoring,
    inference and export alike, since all of these call `features`. Otherwise the position of a cell would depend on the
    image's size: the padding of a ResNet's pooling and of MobileNet's strided convolutions depends on whether their
    input is even or odd, which moves all that follows by 2, or by up to 15, pixels. `backbone` alone is the original's
    function, without this padding.

    cfg: how it is trained; spec: what it is
    Raises InputError when the intermediate layer is beyond its block.
    """

    def __init__(self, cfg, spec: ModelSpec, dtype: str = "float32"):
        super().__init__(dtype=dtype)
        self.mean_pixel = tf.constant(spec.mean_pixel, tf.float32)
        # Pixels per cell of what the heads read, and of the coarsest layer: images are padded to multiples of that.
        self.feature_stride = 2 * spec.stride
        self.coarsest_stride = movenet.OUTPUT_STRIDE if spec.net_type.startswith("movenet") else resnet_v1.OUTPUT_STRIDE
        policy = dtype if dtype == "float32" else f"mixed_{dtype}"  # weights are float32
        self.backbone, self.pyramid = _build_backbone(cfg, spec, policy)
        self.heads = {}
        for name, channels in spec.heads.items():
            source = "intermediate" if name == "intermediate_supervision" else "features"
            self.heads[name] = Head(f"pose/{name}/block4", channels, dtype=policy)
            self.heads[name].build(self.source[source].shape)

    @property
    def source(self) -> dict[str, keras.KerasTensor]:
        """Symbols of what `features` returns: their shapes and types."""
        return (self.pyramid or self.backbone).output

    def features(self, image, training=False) -> dict[str, tf.Tensor]:
        """What the heads read: "features" and, where supervised, "intermediate".

        image: (B, h, w, 3) RGB, 0 to 255, any type; "features" is (B, ceil(h/s), ceil(w/s), channels) at a stride s of
            16 pixels, or of 8 with a feature pyramid
        """
        outputs = self.backbone(self._whole_cells(image), training=training)
        if self.pyramid is not None:
            outputs = self.pyramid(outputs, training=training)
        if self.coarsest_stride > self.feature_stride:
            rows, cols = tf.unstack(-(-tf.shape(image)[1:3] // self.feature_stride))
            outputs = {name: values[:, :rows, :cols] for name, values in outputs.items()}
        return outputs

    def _whole_cells(self, image):
        """The image minus the mean pixel, padded with zeros to whole cells of the coarsest layer."""
        height, width = tf.unstack(tf.shape(image)[1:3])
        rest_height, rest_width = -height % self.coarsest_stride, -width % self.coarsest_stride
        centered = tf.cast(image, tf.float32) - self.mean_pixel
        filled = tf.pad(centered, [[0, 0], [0, rest_height], [0, rest_width], [0, 0]])
        # Padding loses the static number of channels, which TensorFlow Lite needs.
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
        models = [model for model in (self.backbone, self.pyramid) if model is not None]
        convolutions = [layer for model in models for layer in model.layers if isinstance(layer, ConvBN)]
        return convolutions + list(self.heads.values())

    def slim_variables(self) -> dict[str, keras.Variable]:
        """All variables under the names they have in checkpoints."""
        return {name: var for layer in self._named_layers() for name, var in layer.slim_variables().items()}

    def fold(self, constants: bool = True) -> None:
        """Fold batch norm into the convolutions. For inference only: do not train the network afterwards.

        constants: the folded weights become constants of the graphs built from now on, else their inputs
        """
        for layer in self._named_layers():
            layer.fold(constants)


def _build_backbone(cfg, spec: ModelSpec, policy: str) -> tuple[keras.Model, keras.Model | None]:
    """From the image to what the heads read; with a pyramid in two models: up to its levels, and from there on."""
    image = keras.Input((None, None, 3))
    kind = spec.net_type.removesuffix("_fpn")
    has_pyramid = kind != spec.net_type
    starts_trained = cfg.freeze_backbone or (cfg.batch_norm == "auto" and cfg.init_weights)
    options = {
        "train_moments": cfg.batch_norm != "frozen" and not starts_trained,
        "decay": cfg.batch_norm_decay,
        "dtype": policy,
    }
    outputs, levels = _layers(kind, image, options)
    if has_pyramid:
        chosen = {f"level_{stride}": outputs[name] for stride, name in levels.items()}
    else:
        chosen = {"features": outputs["features"]}
    if spec.intermediate_layer is not None:
        chosen["intermediate"] = outputs[_supervised_layer(cfg.config_file, spec)]
    backbone = keras.Model(image, chosen)
    backbone.trainable = not cfg.freeze_backbone
    # Weights of a backbone alone hold no moments for the pyramid: it trains its own even if the backbone's are frozen.
    options["train_moments"] = cfg.batch_norm != "frozen"
    return backbone, _pyramid_on(chosen, options) if has_pyramid else None


def _layers(kind: str, image, options: dict) -> tuple[dict[str, keras.KerasTensor], dict[int, str]]:
    """A backbone's layers by name, and the names of those that a feature pyramid reads, by stride."""
    family, _, size = kind.rpartition("_")
    if family == "resnet":
        return resnet_v1.resnet_v1(image, int(size), **options), resnet_v1.pyramid_levels(int(size))
    if family == "mobilenet_v2":
        return mobilenet_v2.mobilenet_v2(image, float(size), **options), mobilenet_v2.LEVELS
    return movenet.movenet(image, **options), movenet.LEVELS


def _pyramid_on(chosen: dict[str, keras.KerasTensor], options: dict) -> keras.Model:
    """A feature pyramid on the levels among `chosen`; anything else is passed through."""
    inputs = {name: keras.Input(tensor.shape[1:], name=name, dtype=tensor.dtype) for name, tensor in chosen.items()}
    levels = {int(name.removeprefix("level_")): tensor for name, tensor in inputs.items() if name.startswith("level_")}
    rest = {name: tensor for name, tensor in inputs.items() if not name.startswith("level_")}
    return keras.Model(inputs, {"features": feature_pyramid(levels, **options)} | rest)


def _supervised_layer(where: str, spec: ModelSpec) -> str:
    layer = spec.intermediate_layer
    family, _, size = spec.net_type.removesuffix("_fpn").rpartition("_")
    if family != "resnet":
        raise InputError(f"{where}: intermediate_supervision needs a ResNet; {spec.net_type} has no block 3")
    units = resnet_v1.UNITS[int(size)][2]
    if layer > units:
        raise InputError(
            f"{where}: intermediate_supervision_layer is {layer}, but block 3 of {spec.net_type} has {units} units"
        )
    return f"block3/unit_{layer}"
