"""The two kinds of layers that all networks here are made of.

Each knows the names slim gave its variables, which are the keys of checkpoints (`slim_variables`).
"""

import keras
import tensorflow as tf

from util.errors import InputError

# Override the user's keras.json.
if keras.config.backend() != "tensorflow":
    raise InputError(f"Keras runs on {keras.config.backend()} in this process; import nnet before keras")
keras.config.set_floatx("float32")
keras.config.set_image_data_format("channels_last")
keras.config.set_epsilon(1e-7)


class ConvBN(keras.layers.Layer):
    """Convolution, batch norm and activation; no bias of its own.

    scope: slim's name of the layer, such as "resnet_v1_50/conv1"
    kernel_size, stride, rate: rate is the dilation; of stride and rate one is 1
    activation: "relu", "relu6" or None
    depthwise: one filter per channel (`filters` is ignored)
    explicit_padding: pad strided convolutions by the kernel alone (slim's conv2d_same), not by the input's size
    train_moments: normalise by the batch's moments while training, and average them

    With stored moments batch norm is a factor and a shift per channel. They are put into kernel and bias, which is
    exact, differentiable and cheaper than normalising the output; `fold` does it once for inference.
    """

    def __init__(self, scope, filters, kernel_size, stride=1, rate=1, activation="relu", *, depthwise=False,
                 explicit_padding=False, train_moments=False, epsilon=1e-5, decay=0.997, **kwargs):  # fmt: skip
        super().__init__(name=scope.replace("/", "."), **kwargs)
        self.scope, self.filters, self.kernel_size = scope, filters, kernel_size
        self.stride, self.rate, self.depthwise = stride, rate, depthwise
        self.explicit_padding = explicit_padding and stride > 1 and kernel_size > 1
        self.train_moments, self.epsilon, self.decay = train_moments, epsilon, decay
        self.activation = {"relu": tf.nn.relu, "relu6": tf.nn.relu6, None: tf.identity}[activation]
        self._folded = None

    def build(self, input_shape):
        channels = input_shape[-1]
        filters = channels if self.depthwise else self.filters
        shape = (self.kernel_size, self.kernel_size, channels, 1 if self.depthwise else filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="he_normal", autocast=False)
        self.gamma = self.add_weight(name="gamma", shape=(filters,), initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=(filters,), initializer="zeros", autocast=False)
        moments = {"shape": (filters,), "trainable": False, "autocast": False, "aggregation": "mean"}
        self.moving_mean = self.add_weight(name="moving_mean", initializer="zeros", **moments)
        self.moving_variance = self.add_weight(name="moving_variance", initializer="ones", **moments)

    def slim_variables(self) -> dict[str, keras.Variable]:
        """The variables under the names they have in checkpoints."""
        return {
            f"{self.scope}/{'depthwise_weights' if self.depthwise else 'weights'}": self.kernel,
            f"{self.scope}/BatchNorm/gamma": self.gamma,
            f"{self.scope}/BatchNorm/beta": self.beta,
            f"{self.scope}/BatchNorm/moving_mean": self.moving_mean,
            f"{self.scope}/BatchNorm/moving_variance": self.moving_variance,
        }

    def fold(self, constants: bool = True) -> None:
        """Put batch norm into kernel and bias, for inference only; later changes of weights do not show.

        constants: they become constants of each graph, else its inputs
        """
        kernel, bias = self._fold()
        self._folded = (kernel.numpy(), bias.numpy()) if constants else (kernel, bias)

    def _fold(self):
        factor = self.gamma * tf.math.rsqrt(self.moving_variance + self.epsilon)
        kernel = self.kernel * (factor[:, None] if self.depthwise else factor)
        bias = self.beta - self.moving_mean * factor
        return tf.cast(kernel, self.compute_dtype), tf.cast(bias, self.compute_dtype)

    def call(self, x, training=False):
        if training and self.train_moments:
            y = self._convolve(x, tf.cast(self.kernel, self.compute_dtype))
            return self.activation(self._normalise(y))
        kernel, bias = self._folded or self._fold()
        return self.activation(tf.nn.bias_add(self._convolve(x, kernel), bias))

    def _convolve(self, x, kernel):
        padding = "SAME"
        if self.explicit_padding:
            before = (self.kernel_size - 1) // 2
            after = self.kernel_size - 1 - before
            x = tf.pad(x, [[0, 0], [before, after], [before, after], [0, 0]])
            padding = "VALID"
        if self.depthwise:
            strides = [1, self.stride, self.stride, 1]
            return tf.nn.depthwise_conv2d(x, kernel, strides, padding, dilations=[self.rate, self.rate])
        return tf.nn.conv2d(x, kernel, self.stride, padding, dilations=self.rate)

    def _normalise(self, y):
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=y, scale=self.gamma, offset=self.beta, mean=[], variance=[], epsilon=self.epsilon, is_training=True
        )
        for stored, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            stored.assign(self.decay * stored + (1 - self.decay) * batch)
        return y


class Head(keras.layers.Layer):
    """A 3x3 transposed convolution of stride 2 with bias: features at stride 16 to a map at stride 8, in float32."""

    def __init__(self, scope, filters, **kwargs):
        super().__init__(name=scope.replace("/", "."), **kwargs)
        self.scope, self.filters = scope, filters
        self._folded = self._weights = None

    def build(self, input_shape):
        channels = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel", shape=(3, 3, self.filters, channels), initializer="glorot_uniform", autocast=False
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros", autocast=False)

    def slim_variables(self) -> dict[str, keras.Variable]:
        """The variables under the names they have in checkpoints."""
        return {f"{self.scope}/weights": self.kernel, f"{self.scope}/biases": self.bias}

    def fold(self, constants: bool = True) -> None:
        """Prepare the weights for inference only; later changes of them do not show.

        constants: they become constants of each graph, else its inputs
        """
        kernels, weights = self._tap_kernels(), (tf.identity(self.kernel), tf.identity(self.bias))
        self._folded = [kernel.numpy() for kernel in kernels] if constants else kernels
        self._weights = tuple(part.numpy() for part in weights) if constants else weights

    def weights_now(self):
        """Kernel (3, 3, filters, C) and bias (filters,), float32."""
        return self._weights or (self.kernel, self.bias)

    def _tap_kernels(self):
        """For each parity of row and column the kernel (filters, taps * C) of a cell's products."""
        # Unstacked, because the gradient of indexing would be nine whole kernels, all zero but for one tap.
        rows = [tf.unstack(row) for row in tf.unstack(self.kernel)]
        kernels = [tf.concat([rows[row][col] for (row, _), (col, _) in taps], axis=1) for taps in _CELL_TAPS]
        return [tf.cast(kernel, self.compute_dtype) for kernel in kernels]

    def call(self, features):
        return dense_maps([self], features)[0]

    def at_cells(self, features, cells):
        """The values of the map at chosen cells only.

        features: (B, h, w, C); cells: (n, 3) int32 batch, row, col; result (n, filters) float32, as `call` has there.

        Along one axis the transposed convolution is out[2i] = k[0] y[i] + k[2] y[i-1] and out[2i+1] = k[1] y[i],
        so a cell takes one, two or four products, by the parity of its row and column.
        """
        parity = 2 * (cells[:, 1] % 2) + cells[:, 2] % 2
        corner = tf.stack([cells[:, 0], cells[:, 1] // 2 + 1, cells[:, 2] // 2 + 1], axis=1)
        places = [tf.cast(tf.where(parity == group)[:, 0], tf.int32) for group in range(4)]
        inputs = [
            tf.gather(corner, place) - [0, row_back, col_back]
            for place, taps in zip(places, _CELL_TAPS, strict=True)
            for (_, row_back), (_, col_back) in taps
        ]
        # A single gather: the gradients of several would be summed in an order that varies from run to run.
        padded = tf.pad(features, [[0, 0], [1, 0], [1, 0], [0, 0]])  # y[-1] = 0
        counts = [tf.shape(indices)[0] for indices in inputs]
        gathered = iter(tf.split(tf.gather_nd(padded, tf.concat(inputs, axis=0)), counts, num=len(inputs)))
        values = [
            tf.matmul(tf.concat([next(gathered) for _ in taps], axis=1), kernel, transpose_b=True)
            for taps, kernel in zip(_CELL_TAPS, self._folded or self._tap_kernels(), strict=True)
        ]
        # Not dynamic_stitch, which TensorFlow Lite lacks.
        order, shape = tf.concat(places, axis=0)[:, None], tf.stack([tf.shape(cells)[0], self.filters])
        return tf.cast(tf.scatter_nd(order, tf.concat(values, axis=0), shape), tf.float32) + self.weights_now()[1]


def dense_maps(heads: list[Head], features) -> list[tf.Tensor]:
    """The maps (B, 2h, 2w, filters) of several heads on the same features (B, h, w, C), by one convolution."""
    kernels, biases = zip(*(head.weights_now() for head in heads), strict=True)
    kernel = tf.cast(tf.concat(kernels, axis=2), features.dtype)
    batch, height, width, _ = tf.unstack(tf.shape(features))
    filters = [head.filters for head in heads]
    shape = tf.stack([batch, 2 * height, 2 * width, sum(filters)])
    y = tf.nn.conv2d_transpose(features, kernel, shape, 2, "SAME")
    return tf.split(tf.cast(y, tf.float32) + tf.concat(biases, axis=0), filters, axis=-1)


# For an even and for an odd output index: (index into the kernel, cells back in the input) of each product.
_TAPS = ((0, 0), (2, 1)), ((1, 0),)
# The same for both axes, by 2 * parity of the row + parity of the column.
_CELL_TAPS = [[(row, col) for row in rows for col in cols] for rows in _TAPS for cols in _TAPS]
