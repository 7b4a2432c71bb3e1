"""TensorFlow without Keras: tf.Module, tf.nn and GradientTape. Modes: eager, function (tf.function), xla
(tf.function with jit_compile=True)."""

# ruff: noqa: B905  (zip has no `strict` before Python 3.10)
import advisor_kit as kit
import advisor_runtimes as runtimes
import numpy as np
import tensorflow as tf


class Conv2d(tf.Module):
    """Kernels are height, width, in, out; images have their channels last."""

    def __init__(self, layer, weights, image):
        self.id = layer["id"]
        self.weight = tf.Variable(np.ascontiguousarray(weights[self.id + ".weight"].transpose(2, 3, 1, 0)))
        self.bias = tf.Variable(weights[self.id + ".bias"])

    def __call__(self, x):
        return tf.nn.bias_add(tf.nn.conv2d(x, self.weight, strides=1, padding="VALID"), self.bias)

    def canonical(self):
        kernel = self.weight.numpy().transpose(3, 2, 0, 1)
        return {self.id + ".weight": kernel, self.id + ".bias": self.bias.numpy()}


class Relu(tf.Module):
    def __init__(self, layer, weights, image):
        pass

    def __call__(self, x):
        return tf.nn.relu(x)


class MaxPool2d(tf.Module):
    def __init__(self, layer, weights, image):
        self.size = layer["size"]

    def __call__(self, x):
        return tf.nn.max_pool2d(x, self.size, strides=self.size, padding="VALID")


class Flatten(tf.Module):
    def __init__(self, layer, weights, image):
        self.length = layer["output_shape"][0]

    def __call__(self, x):
        return tf.reshape(x, [-1, self.length])


class Dense(tf.Module):
    """`image` is the shape its input was flattened from; here that happened with channels last."""

    def __init__(self, layer, weights, image):
        self.id = layer["id"]
        self.image = image
        kernel = weights[self.id + ".weight"]
        self.weight = tf.Variable(kit.rows_channels_last(kernel, image) if image else kernel)
        self.bias = tf.Variable(weights[self.id + ".bias"])

    def __call__(self, x):
        return tf.nn.bias_add(tf.matmul(x, self.weight), self.bias)

    def canonical(self):
        kernel = self.weight.numpy()
        kernel = kit.rows_channels_first(kernel, self.image) if self.image else kernel
        return {self.id + ".weight": kernel, self.id + ".bias": self.bias.numpy()}


class Lstm(tf.Module):
    """TensorFlow proper has no LSTM layer. The input's part of all gates is one product over all time steps."""

    def __init__(self, layer, weights, image):
        self.id = layer["id"]
        self.units = layer["units"]
        self.steps = layer["input_shape"][0]
        self.kernel = tf.Variable(weights[self.id + ".kernel"])
        self.recurrent = tf.Variable(weights[self.id + ".recurrent"])
        self.bias = tf.Variable(weights[self.id + ".bias"])

    def __call__(self, x):
        gates_of_input = tf.unstack(tf.tensordot(x, self.kernel, 1) + self.bias, self.steps, axis=1)
        hidden = tf.zeros([tf.shape(x)[0], self.units])
        cell = tf.zeros_like(hidden)
        for gates in gates_of_input:
            i, f, g, o = tf.split(gates + tf.matmul(hidden, self.recurrent), 4, axis=1)
            cell = tf.sigmoid(f) * cell + tf.sigmoid(i) * tf.tanh(g)
            hidden = tf.sigmoid(o) * tf.tanh(cell)
        return hidden

    def canonical(self):
        return {
            self.id + ".kernel": self.kernel.numpy(),
            self.id + ".recurrent": self.recurrent.numpy(),
            self.id + ".bias": self.bias.numpy(),
        }


LAYERS = {
    "conv2d": Conv2d,
    "relu": Relu,
    "max-pool2d": MaxPool2d,
    "flatten": Flatten,
    "dense": Dense,
    "lstm": Lstm,
}


class Model(tf.Module):
    def __init__(self, network, weights):
        images = kit.dense_inputs(network)
        self.layers = []
        for layer in network["layers"]:
            if layer["kind"] not in LAYERS:
                raise kit.unknown_layer(layer)
            self.layers.append(LAYERS[layer["kind"]](layer, weights, images.get(layer["id"])))

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def canonical(self):
        return {
            name: np.ascontiguousarray(array)
            for layer in self.layers
            if hasattr(layer, "canonical")
            for name, array in layer.canonical().items()
        }


def cross_entropy(outputs, targets):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=outputs))


def squared_error(outputs, targets):
    return tf.reduce_mean(tf.math.squared_difference(outputs, targets))


class Adapter(kit.Adapter):
    def __init__(self, backend, device, precision, threads):
        self.runtime = runtimes.Tensorflow(device, precision, threads)
        self.device = self.runtime.device
        self.result = None

    def build(self, network, weights, batches, mode):
        if mode not in ("eager", "function", "xla"):
            raise kit.unknown_mode("tensorflow", mode)
        rate = network["optimiser"]["learning_rate"]
        loss_of = cross_entropy if network["loss"] == "softmax-cross-entropy" else squared_error
        with tf.device(self.device):
            model = Model(network, weights)
            inputs = kit.images_channels_last(batches["inputs.input"], network)
            inputs = [tf.constant(batch) for batch in inputs]
            targets = [tf.constant(batch) for batch in batches["targets"]]
        variables = model.trainable_variables

        def step(x, y):
            with tf.GradientTape() as tape:
                loss = loss_of(model(x), y)
            for variable, gradient in zip(variables, tape.gradient(loss, variables)):
                variable.assign_sub(rate * gradient)
            return loss

        if mode != "eager":
            step = tf.function(step, jit_compile=mode == "xla")
        self.model = model
        self.step = step
        self.forward = model if mode == "eager" else tf.function(model, jit_compile=mode == "xla")
        self.batches = kit.Cycle(list(zip(inputs, targets)))

    def trace(self, steps):
        with tf.device(self.device):
            return [float(self.step(x, y)) for x, y in self.batches.take(steps)]

    def train(self, steps):
        step = self.step
        with tf.device(self.device):
            for x, y in self.batches.take(steps):
                self.result = step(x, y)

    def infer(self, steps):
        forward = self.forward
        with tf.device(self.device):
            for x, _ in self.batches.take(steps):
                self.result = forward(x)

    def weights(self):
        return self.model.canonical()

    def synchronise(self):
        self.runtime.synchronise()

    def threads(self):
        return self.runtime.threads()

    def memory(self):
        return self.runtime.memory()

    def versions(self):
        return self.runtime.versions()
