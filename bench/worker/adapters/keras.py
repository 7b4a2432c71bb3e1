"""Keras 3 on TensorFlow, PyTorch or JAX. Modes: fit (compile and fit, all defaults), custom (a training loop of one's
own, as Keras's guide for each backend writes it)."""

# ruff: noqa: B905  (zip has no `strict` before Python 3.10)
import itertools
import os

import advisor_kit as kit
import advisor_runtimes as runtimes

# Backend (a framework id) -> Keras's name for it, and its runtime.
BACKENDS = {
    "tensorflow": ("tensorflow", runtimes.Tensorflow),
    "pytorch": ("torch", runtimes.Torch),
    "jax": ("jax", runtimes.Jax),
}


class Adapter(kit.Adapter):
    def __init__(self, backend, device, precision, threads):
        if backend not in BACKENDS:
            raise kit.Refused("build", "keras has no backend %r" % backend, "use keras@tensorflow, @pytorch or @jax")
        name, runtime = BACKENDS[backend]
        os.environ["KERAS_BACKEND"] = name
        os.environ["KERAS_TORCH_DEVICE"] = device
        self.runtime = runtime(device, precision, threads)
        import keras

        self.keras = keras
        self.backend = backend
        if keras.backend.backend() != name:
            raise kit.Refused("import", "Keras runs on %s instead of %s" % (keras.backend.backend(), name))
        if keras.config.dtype_policy().name != "float32":
            raise kit.Refused("precision", "Keras computes in %s" % keras.config.dtype_policy().name)
        keras.config.set_image_data_format("channels_last")  # Keras's default, whatever a keras.json says

    def build(self, network, weights, batches, mode):
        if mode not in ("fit", "custom"):
            raise kit.unknown_mode("keras", mode)
        keras = self.keras
        shape = network["layers"][0]["input_shape"]
        if len(shape) == 3:
            shape = shape[1:] + shape[:1]
        self.model = keras.Sequential([keras.Input(shape)] + [self._layer(layer) for layer in network["layers"]])
        self.images = kit.dense_inputs(network)
        for name, variable, to_keras, _ in self._variables(network):
            variable.assign(to_keras(weights[name]))
        self.network = network
        optimiser = keras.optimizers.SGD(network["optimiser"]["learning_rate"])
        if network["loss"] == "softmax-cross-entropy":
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        else:
            loss = keras.losses.MeanSquaredError()
        inputs = kit.images_channels_last(batches["inputs.input"], network)
        pairs = [tuple(self._on_device(array) for array in pair) for pair in zip(inputs, batches["targets"])]
        loops = {"tensorflow": TensorflowLoop, "pytorch": TorchLoop, "jax": JaxLoop}
        loop = Fit if mode == "fit" else loops[self.backend]
        self.loop = loop(keras, self.model, optimiser, loss, pairs)

    def _layer(self, layer):
        layers, kind, name = self.keras.layers, layer["kind"], layer["id"]
        if kind == "conv2d":
            return layers.Conv2D(layer["channels"], layer["kernel"], name=name)
        if kind == "relu":
            return layers.ReLU(name=name)
        if kind == "max-pool2d":
            return layers.MaxPooling2D(layer["size"], name=name)
        if kind == "flatten":
            return layers.Flatten(name=name)
        if kind == "dense":
            return layers.Dense(layer["units"], name=name)
        if kind == "lstm":
            return layers.LSTM(layer["units"], name=name)
        raise kit.unknown_layer(layer)

    def _on_device(self, array):
        if self.backend == "jax":
            return self.runtime.jax.device_put(array, self.runtime.device)
        return self.keras.ops.convert_to_tensor(array)

    def _variables(self, network):
        """(canonical name, variable, canonical -> Keras, Keras -> canonical) of every tensor."""
        for layer in network["layers"]:
            kind, name = layer["kind"], layer["id"]
            if kind not in ("conv2d", "dense", "lstm"):
                continue
            built = self.model.get_layer(name)
            if kind == "lstm":
                cell = built.cell
                yield name + ".kernel", cell.kernel, same, same
                yield name + ".recurrent", cell.recurrent_kernel, same, same
                yield name + ".bias", cell.bias, same, same
                continue
            image = self.images.get(name)
            if kind == "conv2d":
                yield name + ".weight", built.kernel, to_hwio, to_oihw
            elif image is None:
                yield name + ".weight", built.kernel, same, same
            else:
                yield name + ".weight", built.kernel, channels_last(image), channels_first(image)
            yield name + ".bias", built.bias, same, same

    def trace(self, steps):
        return self.loop.trace(steps)

    def weights(self):
        import numpy

        self.loop.store()
        return {
            name: numpy.ascontiguousarray(to_canonical(self.keras.ops.convert_to_numpy(variable)))
            for name, variable, _, to_canonical in self._variables(self.network)
        }

    def train(self, steps):
        self.loop.train(steps)

    def infer(self, steps):
        self.loop.infer(steps)

    def synchronise(self):
        self.runtime.synchronise(self.loop.results())

    def threads(self):
        return self.runtime.threads()

    def memory(self):
        return self.runtime.memory()

    def notes(self):
        return self.loop.notes() if hasattr(self, "loop") else []

    def versions(self):
        return dict(self.runtime.versions(), keras=self.keras.__version__)


def same(array):
    return array


def to_hwio(kernel):
    return kernel.transpose(2, 3, 1, 0)


def to_oihw(kernel):
    return kernel.transpose(3, 2, 0, 1)


def channels_last(image):
    return lambda kernel: kit.rows_channels_last(kernel, image)


def channels_first(image):
    return lambda kernel: kit.rows_channels_first(kernel, image)


def forever(pairs):
    """A generator, which is what Keras knows; it refuses other iterators."""
    yield from itertools.cycle(pairs)


# --- how training runs: fit, or a loop per backend -------------------------------------------------------------------


class Fit(object):
    """`model.fit` and `model.predict`. Batches come from a tf.data set on TensorFlow, else from a generator."""

    def __init__(self, keras, model, optimiser, loss, pairs):
        self.keras, self.model, self.pairs = keras, model, pairs
        self.cycle = kit.Cycle(pairs)
        model.compile(optimizer=optimiser, loss=loss)
        self.dataset = self._dataset(pairs) if keras.backend.backend() == "tensorflow" else None

    def _data(self, pairs):
        """What `fit` can read `pairs` from, over and over."""
        return forever(pairs) if self.dataset is None else self._dataset(pairs)

    def _dataset(self, pairs):
        import tensorflow as tf

        inputs = tf.stack([inputs for inputs, _ in pairs])
        targets = tf.stack([targets for _, targets in pairs])
        # With autotuning, the end of each `fit` waits for the tuner to wake, every 5, 10, 20 ... ms (TensorFlow 2.21):
        # up to as long again as the block itself. There is nothing to tune about tensors in memory.
        options = tf.data.Options()
        options.autotune.enabled = False
        return tf.data.Dataset.from_tensor_slices((inputs, targets)).repeat().with_options(options)

    def _fit(self, data, steps):
        return self.model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)

    def trace(self, steps):
        """One call per step: over one batch the mean that `fit` reports is that batch's loss."""
        losses = []
        for pair in self.cycle.take(steps):
            losses.append(self._fit(self._data([pair]), 1).history["loss"][0])
        return losses

    def train(self, steps):
        self._fit(self.dataset or forever(self.pairs), steps)

    def infer(self, steps):
        self.model.predict(self.dataset or forever(self.pairs), steps=steps, verbose=0)

    def store(self):
        pass

    def results(self):
        return [variable.value for variable in self.model.variables]

    def notes(self):
        notes = ["jit_compile='auto' resolved to %s" % self.model.jit_compile]
        if self.dataset is not None and self.keras.distribution.list_devices("gpu"):
            notes.append("tf.data keeps batches in main memory: every step includes the copy to the GPU")
        return notes


class Loop(object):
    """A training loop of one's own: `step(x, y)` trains one batch and gives its loss."""

    def __init__(self, keras, model, optimiser, loss, pairs):
        self.keras, self.model, self.optimiser, self.loss = keras, model, optimiser, loss
        self.cycle = kit.Cycle(pairs)
        self.result = None
        self.prepare()

    def trace(self, steps):
        return [float(self.step(x, y)) for x, y in self.cycle.take(steps)]

    def train(self, steps):
        step = self.step
        for x, y in self.cycle.take(steps):
            self.result = step(x, y)

    def infer(self, steps):
        forward = self.forward
        for x, _ in self.cycle.take(steps):
            self.result = forward(x)

    def store(self):
        """Bring the weights back into the model, where they live elsewhere while training."""

    def results(self):
        return self.result

    def notes(self):
        return []


class TensorflowLoop(Loop):
    def prepare(self):
        import tensorflow as tf

        model, optimiser, loss_of = self.model, self.optimiser, self.loss
        optimiser.build(model.trainable_variables)

        @tf.function
        def step(x, y):
            with tf.GradientTape() as tape:
                loss = loss_of(y, model(x, training=True))
            gradients = tape.gradient(loss, model.trainable_weights)
            optimiser.apply(gradients, model.trainable_weights)
            return loss

        @tf.function
        def forward(x):
            return model(x, training=False)

        self.step, self.forward = step, forward


class TorchLoop(Loop):
    def prepare(self):
        import torch

        self.torch = torch

    def step(self, x, y):
        model = self.model
        loss = self.loss(y, model(x, training=True))
        model.zero_grad()
        loss.backward()
        weights = list(model.trainable_weights)
        gradients = [weight.value.grad for weight in weights]
        with self.torch.no_grad():
            self.optimiser.apply(gradients, weights)
        return loss.detach()

    def forward(self, x):
        with self.torch.no_grad():
            return self.model(x, training=False)


class JaxLoop(Loop):
    def prepare(self):
        import jax

        model, optimiser, loss_of = self.model, self.optimiser, self.loss
        optimiser.build(model.trainable_variables)

        def compute_loss(trainable, non_trainable, x, y):
            outputs, non_trainable = model.stateless_call(trainable, non_trainable, x, training=True)
            return loss_of(y, outputs), non_trainable

        loss_and_gradient = jax.value_and_grad(compute_loss, has_aux=True)

        @jax.jit
        def train_step(state, x, y):
            trainable, non_trainable, of_optimiser = state
            (loss, non_trainable), gradients = loss_and_gradient(trainable, non_trainable, x, y)
            trainable, of_optimiser = optimiser.stateless_apply(of_optimiser, gradients, trainable)
            return loss, (trainable, non_trainable, of_optimiser)

        @jax.jit
        def forward(trainable, non_trainable, x):
            return model.stateless_call(trainable, non_trainable, x, training=False)[0]

        self.train_step, self.jitted_forward = train_step, forward
        self.state = tuple(
            [variable.value for variable in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables, optimiser.variables)
        )

    def step(self, x, y):
        loss, self.state = self.train_step(self.state, x, y)
        return loss

    def forward(self, x):
        return self.jitted_forward(self.state[0], self.state[1], x)

    def store(self):
        for variable, value in zip(self.model.trainable_variables, self.state[0]):
            variable.assign(value)

    def results(self):
        return self.result, self.state
