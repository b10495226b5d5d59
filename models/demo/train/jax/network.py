"""`net_type: movenet_fpn` as functions of JAX on the variables of its checkpoints (the original: nnet/pose_net.py)."""

import jax
import jax.numpy as jnp

# Expansion, channels, units and stride of each group of MobileNet v2 at width 1.5.
GROUPS = ((1, 24, 1, 1), (6, 40, 2, 2), (6, 48, 3, 2), (6, 96, 4, 2), (6, 144, 3, 1), (6, 240, 3, 2), (6, 480, 1, 1))
MOVENET_LEVELS = ((32, "features"), (16, "layer_11"), (8, "layer_7"), (4, "layer_4"))
PYRAMID_LEVELS = ((32, "features"), (16, "layer_14"), (8, "layer_7"))
EPSILON, MOBILENET_EPSILON = 1e-5, 1e-3
ACTIVATIONS = {"relu": jax.nn.relu, "relu6": lambda x: jnp.minimum(jax.nn.relu(x), 6), None: lambda x: x}


class Layers:
    """Convolutions with batch norm, by their scope.

    In training those of this project's pyramid are normalised by the batch's moments, which `moments` collects; those
    of MoveNet keep their own.
    """

    def __init__(self, params, stored, training, dtype):
        self.params, self.stored, self.training, self.dtype, self.moments = params, stored, training, dtype, {}

    def __call__(self, x, scope, kind="pointwise", stride=1, activation="relu", epsilon=EPSILON):
        depthwise = kind == "depthwise"
        kernel = self.params[f"{scope}/{'depthwise_weights' if depthwise else 'weights'}"]
        norm = f"{scope}/BatchNorm"
        gamma, beta = self.params[f"{norm}/gamma"], self.params[f"{norm}/beta"]
        if self.training and scope.startswith("pose/"):
            y = CONVOLUTIONS[kind](x, kernel.astype(self.dtype), stride).astype(jnp.float32)
            mean = y.mean((0, 1, 2))
            variance = jnp.maximum((y * y).mean((0, 1, 2)) - mean * mean, 0)
            self.moments |= {f"{norm}/moving_mean": mean, f"{norm}/moving_variance": variance}
            factor = gamma * jax.lax.rsqrt(variance + epsilon)
            return ACTIVATIONS[activation]((y * factor + (beta - mean * factor)).astype(self.dtype))
        mean, variance = self.stored[f"{norm}/moving_mean"], self.stored[f"{norm}/moving_variance"]
        factor = gamma * jax.lax.rsqrt(variance + epsilon)
        folded = kernel * (factor[:, None] if depthwise else factor)
        y = CONVOLUTIONS[kind](x, folded.astype(self.dtype), stride)
        return ACTIVATIONS[activation](y + (beta - mean * factor).astype(self.dtype))


def pointwise(x, kernel, stride):
    return jax.lax.dot_general(x, kernel[0, 0], (((3,), (0,)), ((), ())))


def full(x, kernel, stride):
    return jax.lax.conv_general_dilated(x, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def depthwise(x, kernel, stride):
    """Nine shifted products, which the compiler makes one loop of; much quicker than a grouped convolution."""
    _, height, width, _ = x.shape
    before = 1 if stride == 1 else 0  # TensorFlow's SAME for even sides
    padded = jnp.pad(x, ((0, 0), (before, 1), (before, 1), (0, 0)))
    total = 0
    for row in range(3):
        for col in range(3):
            part = padded[:, row : row + height : stride, col : col + width : stride]
            part = part[:, : height // stride, : width // stride]
            total += part.astype(jnp.float32) * kernel[row, col, :, 0].astype(jnp.float32)
    return total.astype(x.dtype)


CONVOLUTIONS = {"pointwise": pointwise, "full": full, "depthwise": depthwise}


def separable(layers, x, scope):
    return layers(layers(x, f"{scope}/depthwise", "depthwise", activation=None), f"{scope}/pointwise")


def double(x):
    """Twice the height and width, bilinear with half-pixel centres."""

    def along(x, axis):
        count = x.shape[axis]
        before = jnp.concatenate([jnp.take(x, jnp.array([0]), axis), jnp.take(x, jnp.arange(count - 1), axis)], axis)
        after = jnp.concatenate(
            [jnp.take(x, jnp.arange(1, count), axis), jnp.take(x, jnp.array([count - 1]), axis)], axis
        )
        shape = [*x.shape[:axis], 2 * count, *x.shape[axis + 1 :]]
        return jnp.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], axis + 1).reshape(shape)

    return along(along(x.astype(jnp.float32), 1), 2).astype(x.dtype)


def space_to_depth(x):
    batch, height, width, channels = x.shape
    blocks = x.reshape(batch, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(batch, height // 2, width // 2, 4 * channels)


def mobilenet(layers, x, frozen):
    """The outputs of all units, "layer_<n>"; no gradient passes the units up to number `frozen`."""
    x = layers(x, "MobilenetV2/Conv", "full", 2, "relu6", MOBILENET_EPSILON)
    outputs = {"layer_1": x}
    for expansion, channels, units, group_stride in GROUPS:
        for unit in range(units):
            number = len(outputs)
            scope = "MobilenetV2/expanded_conv" + (f"_{number - 1}" if number > 1 else "")
            stride = group_stride if unit == 0 else 1
            y = layers(x, f"{scope}/expand", activation="relu6", epsilon=MOBILENET_EPSILON) if expansion > 1 else x
            y = layers(y, f"{scope}/depthwise", "depthwise", stride, "relu6", MOBILENET_EPSILON)
            y = layers(y, f"{scope}/project", activation=None, epsilon=MOBILENET_EPSILON)
            x = x + y if stride == 1 and x.shape[-1] == channels else y
            if number + 1 <= frozen:
                x = jax.lax.stop_gradient(x)
            outputs[f"layer_{number + 1}"] = x
    return outputs | {"features": layers(x, "MobilenetV2/Conv_1", activation="relu6", epsilon=MOBILENET_EPSILON)}


def features(layers, image, frozen):
    """(B, h/8, w/8, 384) from (B, h, w, 3) without its mean; h and w multiples of 32."""
    outputs = mobilenet(layers, image.astype(layers.dtype), frozen)
    x = None
    for stride, name in MOVENET_LEVELS:
        lateral = layers(outputs[name], f"MoveNet/lateral_{stride}", activation=None)
        x = lateral if x is None else separable(layers, double(x) + lateral, f"MoveNet/merge_{stride}")
    hidden = {name: separable(layers, x, f"MoveNet/{name}") for name in ("heatmap", "offset", "regression")}
    maps = [layers(hidden[name], f"MoveNet/{name}/output", activation=None) for name in ("heatmap", "offset")]
    finest = jnp.concatenate([x, *hidden.values(), *maps], -1)

    x = None
    for stride, name in PYRAMID_LEVELS:
        lateral = layers(outputs[name], f"pose/pyramid/lateral_{stride}", activation=None)
        x = lateral if x is None else separable(layers, double(x) + lateral, f"pose/pyramid/merge_{stride}")
    detail = space_to_depth(layers(finest, "pose/pyramid/detail"))
    x = layers(jnp.concatenate([x, detail], -1), "pose/pyramid/join", activation=None)
    for block in (1, 2, 3):
        scope = f"pose/pyramid/block_{block}"
        y = layers(x, f"{scope}/depthwise", "depthwise", activation=None)
        x = x + layers(layers(y, f"{scope}/expand"), f"{scope}/project", activation=None)
    return jnp.concatenate([x, detail], -1)


# Along one axis a head's transposed convolution is out[2i] = k[0] y[i] + k[2] y[i-1] and out[2i+1] = k[1] y[i].
TAPS = {(0, 0): 0, (0, 1): 2, (1, 0): 1}  # by parity of the output and cells back in the input


def matrix(kernel):
    """A head's kernel (3, 3, filters, C) as (4 C, 4 filters): of the neighbours, for the four parities of a cell."""
    kernel = kernel.transpose(0, 1, 3, 2)
    zero = jnp.zeros_like(kernel[0, 0])
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]

    def tap(parity, back):
        places = [TAPS.get((parity[axis], back[axis])) for axis in (0, 1)]
        return zero if None in places else kernel[places[0], places[1]]

    return jnp.concatenate([jnp.concatenate([tap(parity, back) for parity in pairs], 1) for back in pairs], 0)


def with_border(y):
    return jnp.pad(y, ((0, 0), (1, 0), (1, 0), (0, 0)))


def dense_heads(params, y, dtype):
    """Logits of parts (B, 2h, 2w, J) and offsets (B, 2h, 2w, J, 2), in standard deviations, from features y."""
    heads = [f"pose/{name}/block4" for name in ("part_pred", "locref_pred")]
    kernel = jnp.concatenate([params[f"{head}/weights"] for head in heads], 2)
    bias = jnp.concatenate([params[f"{head}/biases"] for head in heads])
    batch, height, width, _ = y.shape
    padded = with_border(y)
    neighbours = [padded[:, 1 - i : 1 - i + height, 1 - j : 1 - j + width] for i in (0, 1) for j in (0, 1)]
    products = jax.lax.dot_general(
        jnp.concatenate(neighbours, -1),
        matrix(kernel).astype(dtype),
        (((3,), (0,)), ((), ())),
        preferred_element_type=jnp.float32,
    )
    cells = products.reshape(batch, height, width, 2, 2, -1).transpose(0, 1, 3, 2, 4, 5)
    maps = cells.reshape(batch, 2 * height, 2 * width, -1) + bias
    joints = len(bias) // 3
    return maps[..., :joints], maps[..., joints:].reshape(*maps.shape[:3], joints, 2)


def pairwise_at(params, y, cells, dtype):
    """The head for pairs at cells (B, n, 2) row, col: (B, n, 2J(J-1))."""
    padded, half = with_border(y), cells // 2 + 1
    batch = jnp.arange(len(y))[:, None]
    neighbours = [padded[batch, half[..., 0] - i, half[..., 1] - j] for i in (0, 1) for j in (0, 1)]
    kernel = matrix(params["pose/pairwise_pred/block4/weights"]).astype(dtype)
    products = jax.lax.dot_general(
        jnp.concatenate(neighbours, -1), kernel, (((2,), (0,)), ((), ())), preferred_element_type=jnp.float32
    )
    products = products.reshape(*products.shape[:2], 4, -1)
    parity = 2 * (cells[..., 0] % 2) + cells[..., 1] % 2
    chosen = jnp.take_along_axis(products, parity[..., None, None], 2)[:, :, 0]
    return chosen + params["pose/pairwise_pred/block4/biases"]
