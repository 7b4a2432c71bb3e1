"""Keras 3 on TensorFlow, PyTorch or JAX. Modes: fit (compile and fit, all defaults), custom (a training loop of one's
own, as Keras's guide for each backend writes it)."""

# ruff: noqa: B905  (zip has no `strict` before Python 3.10)
import functools
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


MIXED_PRECISION = "mixed_bfloat16"  # Keras's dtype policy: weights float32, products bfloat16

ACTIVATIONS = ("relu", "tanh", "silu", "gelu")  # Keras's names too; its gelu is the exact one


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
        self.device = device
        if keras.backend.backend() != name:
            raise kit.Refused("import", "Keras runs on %s instead of %s" % (keras.backend.backend(), name))
        policy = MIXED_PRECISION if precision == "bf16" else "float32"
        keras.config.set_dtype_policy(policy)
        if keras.config.dtype_policy().name != policy:
            raise kit.Refused("precision", "Keras computes in %s" % keras.config.dtype_policy().name)
        keras.config.set_image_data_format("channels_last")  # Keras's default, whatever a keras.json says
        self.loop = None

    @property
    def copy_included(self):
        return self.device != "cpu" and isinstance(self.loop, Fit) and self.backend == "tensorflow"

    def build(self, network, weights, batches, mode):
        if mode not in ("fit", "custom"):
            raise kit.unknown_mode("keras", mode)
        keras = self.keras
        self.network = network
        if any(layer["kind"] == "lstm" for layer in network["layers"]):
            self._require_lstm()
        # A recurrence's number of steps is one more input of the model, except in a loop of one's own on PyTorch and
        # JAX: there a Python int reaches the layer.
        self.fed = mode == "fit" or self.backend == "tensorflow"
        self.positions, self.recurrence = own_layers(keras, self.backend, self.fed)
        self.layers = {}
        self.model = self._model(network)
        self.tensors = list(self._tensors(network))
        for name, variables, to_keras, _ in self.tensors:
            assign(variables, to_keras(weights[name]))
        for name, variable, order in self._state(network):
            variable.assign(weights[name] if order is None else weights[name][order])
        optimiser = keras.optimizers.SGD(network["optimiser"]["learning_rate"])
        if network["loss"] == "softmax-cross-entropy":
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        else:
            loss = keras.losses.MeanSquaredError()
        loops = {"tensorflow": TensorflowLoop, "pytorch": TorchLoop, "jax": JaxLoop}
        loop = Fit if mode == "fit" else loops[self.backend]
        recurrences = [layer for layer in self.layers.values() if isinstance(layer, self.recurrence)]
        self.loop = loop(keras, self.model, optimiser, loss, recurrences)
        self.feed(batches)

    def _require_lstm(self):
        """On JAX with a GPU Keras takes cuDNN's, which JAX has in float32 only, and says so when it is compiled."""
        import numpy

        inputs = self.keras.Input((2, 8))
        tried = self.keras.Model(inputs, self.keras.layers.LSTM(8)(inputs))
        try:
            tried.predict_on_batch(numpy.zeros((2, 2, 8), "float32"))
        except ValueError as error:
            policy = self.keras.config.dtype_policy().name
            problem = "keras.layers.LSTM in %s: %s" % (policy, error)
            raise kit.Refused("precision", problem, "use --precision fp32") from None

    def feed(self, batches):
        shapes = [described["shape"] for described in self.network["inputs"].values()]
        self.host = []
        for inputs, targets, steps in kit.read_batches(self.network, batches):
            inputs = [kit.channels_last(array, shape) for array, shape in zip(inputs, shapes)]
            if self.fed:
                inputs += [one_each(count, len(targets)) for count in steps]
            self.host.append((tuple(inputs), targets, tuple(steps)))
        on_device = isinstance(self.loop, Fit) and self.backend == "tensorflow"  # tf.data takes them from the host
        self.loop.feed(self.host if on_device else [self._move(batch) for batch in self.host])
        self.unmoved = kit.Cycle(self.host)

    def _move(self, batch):
        inputs, targets, steps = batch
        return tuple(self._on_device(array) for array in inputs), self._on_device(targets), steps

    def _on_device(self, array):
        if self.backend == "jax":
            # On the default device. Bound to it by name, they would bind the weights from the first step on, and what
            # was compiled before would be compiled again.
            return self.runtime.jax.device_put(array)
        return self.keras.ops.convert_to_tensor(array)

    def _model(self, network):
        """The network by Keras's functional interface."""
        inputs = {}
        for name, described in network["inputs"].items():
            shape = described["shape"]
            shape = shape[1:] + shape[:1] if len(shape) == 3 else shape
            inputs[name] = self.keras.Input(shape, dtype=described["dtype"], name=name)
        values = dict(inputs)
        for name in kit.input_names(network):
            if name not in inputs and self.fed:
                values[name] = inputs[name] = self.keras.Input((), dtype="int32", name=name.replace(".", "_"))
            values.setdefault(name, None)
        steps = [
            (layer["id"], functools.partial(self._apply, layer), names, done)
            for layer, names, done in kit.plan(network)
        ]
        outputs = kit.walk(steps, values)
        inputs = tuple(inputs.values())
        return self.keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs)

    def _apply(self, layer, *values):
        """Make one layer and call it on symbolic tensors; `self.layers` gets what has its weights."""
        kind, name = layer["kind"], layer["id"]
        if kind == "conv2d" and layer["padding"] and not keeps_size(layer):
            # "same" would pad a stride's remainder on one side only.
            values = (self.keras.layers.ZeroPadding2D(layer["padding"], name=name + "_padding")(values[0]),)
        made = self._layer(layer)
        made.trainable = layer["trained"]
        self.layers[name] = made
        if kind == "attention":
            return made(values[0], values[0], use_causal_mask=layer["causal"])
        if kind in ("add", "concat"):
            return made(list(values))
        return made(*[value for value in values if value is not None])

    def _layer(self, layer):
        layers, kind, name, shape = self.keras.layers, layer["kind"], layer["id"], layer["input_shape"]
        if kind == "conv2d":
            padding = "same" if layer["padding"] and keeps_size(layer) else "valid"
            return layers.Conv2D(
                layer["channels"], layer["kernel"], layer["stride"], padding, use_bias=layer["bias"], name=name
            )
        if kind == "relu":
            return layers.ReLU(name=name)
        if kind in ACTIVATIONS:
            return layers.Activation(kind, name=name)
        if kind == "max-pool2d":
            return layers.MaxPooling2D(layer["size"], name=name)
        if kind == "mean":
            return (layers.GlobalAveragePooling2D if len(shape) == 3 else layers.GlobalAveragePooling1D)(name=name)
        if kind == "flatten":
            return layers.Flatten(name=name)
        if kind == "tokens":
            return layers.Reshape((-1, shape[0]), name=name)
        if kind == "dense":
            return layers.Dense(layer["units"], use_bias=layer["bias"], name=name)
        if kind == "embedding":
            return layers.Embedding(layer["tokens"], layer["units"], name=name)
        if kind == "positions":
            return self.positions(name=name)
        if kind == "layer-norm":
            return layers.LayerNormalization(epsilon=1e-5, name=name)
        if kind == "batch-norm":
            return layers.BatchNormalization(epsilon=1e-5, name=name)
        if kind == "attention":
            return layers.MultiHeadAttention(layer["heads"], shape[1] // layer["heads"], name=name)
        if kind == "lstm":
            return layers.LSTM(layer["units"], name=name)
        if kind == "recurrence":
            return self.recurrence(max(layer["steps"]), name=name)
        if kind == "add":
            return layers.Add(name=name)
        if kind == "concat":
            return layers.Concatenate(name=name)
        raise kit.unknown_layer(layer)

    def _tensors(self, network):
        """(canonical name, variables, canonical -> one array per variable, the inverse) of every weight."""
        orders = kit.orders_channels_last(network)
        for layer in network["layers"]:
            kind, name = layer["kind"], layer["id"]
            built, order = self.layers[name], orders.get(name)
            if kind == "lstm":
                cell = built.cell
                yield (name + ".kernel", [cell.kernel]) + SAME
                yield (name + ".recurrent", [cell.recurrent_kernel]) + SAME
                yield (name + ".bias", [cell.bias]) + SAME
            elif kind == "attention":
                qkv = [built.query_dense, built.key_dense, built.value_dense]
                out = built.output_dense
                yield (name + ".qkv.weight", [dense.kernel for dense in qkv]) + side_by_side(qkv[0].kernel.shape)
                yield (name + ".qkv.bias", [dense.bias for dense in qkv]) + side_by_side(qkv[0].bias.shape)
                yield (name + ".out.weight", [out.kernel]) + reshaped(out.kernel.shape)
                yield (name + ".out.bias", [out.bias]) + SAME
            elif kind == "conv2d":
                yield name + ".weight", [built.kernel], to_hwio, to_oihw
            elif kind == "dense":
                yield (name + ".weight", [built.kernel]) + ordered(order)
            elif kind == "recurrence":
                yield (name + ".weight", [built.kernel]) + SAME
                yield (name + ".bias", [built.bias]) + SAME
            elif kind in ("embedding", "positions"):
                yield (name + ".weight", [built.embeddings]) + SAME
            elif kind in ("layer-norm", "batch-norm"):
                yield (name + ".weight", [built.gamma]) + ordered(order)
                yield (name + ".bias", [built.beta]) + ordered(order)
            if kind in ("conv2d", "dense") and layer["bias"]:
                yield (name + ".bias", [built.bias]) + SAME

    def _state(self, network):
        """(canonical name, variable, order) of what batch normalisation keeps."""
        orders = kit.orders_channels_last(network)
        for layer in network["layers"]:
            if layer["kind"] == "batch-norm":
                name, built = layer["id"], self.layers[layer["id"]]
                yield name + ".mean", built.moving_mean, orders.get(name)
                yield name + ".variance", built.moving_variance, orders.get(name)

    def trace(self, steps):
        return self.loop.trace(steps)

    def weights(self):
        import numpy

        self.loop.store()
        to_numpy = self.keras.ops.convert_to_numpy
        return {
            name: numpy.ascontiguousarray(to_canonical([to_numpy(variable) for variable in variables]))
            for name, variables, _, to_canonical in self.tensors
        }

    def predict(self):
        return self.keras.ops.convert_to_numpy(self.loop.predict()).astype("float32")

    def train(self, steps):
        self.loop.train(steps)

    def infer(self, steps):
        self.loop.infer(steps)

    def copy(self, steps):
        if self.device == "cpu":
            return False
        moved = [self._move(batch)[:2] for batch in self.unmoved.take(steps)]
        self.runtime.synchronise(moved)
        return True

    def gemm(self, size):
        return self.runtime.product(size)

    def synchronise(self):
        self.runtime.synchronise(self.loop.results() if self.loop else None)

    def threads(self):
        return self.runtime.threads()

    def memory(self):
        return self.runtime.memory()

    def recompilations(self):
        counts = [compilations(function) for function in self.loop.functions()] if self.loop else []
        counts = [count for count in counts if count is not None]
        return sum(max(0, count - 1) for count in counts) if counts else None

    def notes(self):
        return self.loop.notes() if self.loop else []

    def versions(self):
        return dict(self.runtime.versions(), keras=self.keras.__version__)


def own_layers(keras, backend, fed):
    """The classes of the layers Keras does not bring; made here because only `Adapter` can import Keras."""
    ops = keras.ops

    class Positions(keras.layers.Layer):
        """Adds a learned vector at each position."""

        def build(self, shape):
            self.embeddings = self.add_weight(shape=shape[1:], name="embeddings")

        def call(self, series):
            return series + self.embeddings

    class Recurrence(keras.layers.Layer):
        """`steps` times h = h W + b, the way each backend can differentiate.

        `steps` is a whole number per sample, all equal, because Keras feeds nothing of lower rank. JAX knows no
        derivative of a loop whose length is a traced value: there the loop runs `most` times and what is too much is
        left out. Where steps are not fed, `self.steps` says how many: a Python int, when the function is traced.
        """

        def __init__(self, most, **options):
            super().__init__(**options)
            self.most = most
            self.steps = None

        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], shape[-1]), name="kernel")
            self.bias = self.add_weight(shape=(shape[-1],), name="bias")

        def compute_output_shape(self, hidden_shape, steps_shape=None):
            return hidden_shape

        def _once(self, hidden):
            return ops.matmul(hidden, self.kernel) + self.bias

        def call(self, hidden, steps=None):
            if not fed:
                return ops.fori_loop(0, self.steps, lambda _, h: self._once(h), hidden)
            steps = steps[0]
            if backend == "pytorch":
                return ops.fori_loop(0, int(steps), lambda _, h: self._once(h), hidden)
            if backend == "jax":
                return ops.fori_loop(0, self.most, lambda t, h: ops.where(t < steps, self._once(h), h), hidden)
            return ops.while_loop(
                lambda t, _: t < steps, lambda t, h: (t + 1, self._once(h)), (0, hidden), maximum_iterations=self.most
            )[1]

    return Positions, Recurrence


def keeps_size(layer):
    """Whether Keras's "same" pads as this convolution does."""
    return layer["stride"] == 1 and layer["kernel"] == 2 * layer["padding"] + 1


def one_each(count, batch):
    import numpy

    return numpy.full(batch, count, numpy.int32)


def assign(variables, arrays):
    for variable, array in zip(variables, arrays):
        variable.assign(array)


def compilations(function):
    """How often a tf.function was traced or a function under jax.jit compiled; None: `function` is neither.

    What Keras keeps as `train_function` is a plain function around the compiled one.
    """
    if hasattr(function, "experimental_get_tracing_count"):
        return function.experimental_get_tracing_count()
    if hasattr(function, "_cache_size"):
        return function._cache_size()
    for cell in getattr(function, "__closure__", None) or ():
        inside = cell.cell_contents
        if hasattr(inside, "experimental_get_tracing_count") or hasattr(inside, "_cache_size"):
            return compilations(inside)
    return None


# --- canonical tensor -> one array per variable of Keras, and back ---------------------------------------------------

SAME = (lambda tensor: [tensor], lambda arrays: arrays[0])


def to_hwio(kernel):
    return [kernel.transpose(2, 3, 1, 0)]


def to_oihw(kernels):
    return kernels[0].transpose(3, 2, 0, 1)


def ordered(order):
    if order is None:
        return SAME
    return (lambda tensor: [kit.in_order(tensor, order)], lambda arrays: kit.back_in_order(arrays[0], order))


def reshaped(shape):
    """`shape` is (heads, features of a head, features); canonical the first two are one."""
    shape = tuple(shape)
    return (lambda tensor: [tensor.reshape(shape)], lambda arrays: arrays[0].reshape(-1, shape[-1]))


def side_by_side(shape):
    """`shape`, of each of q, k and v, ends with (heads, features of a head)."""
    import numpy

    shape = tuple(shape)
    return (
        lambda tensor: [part.reshape(shape) for part in numpy.split(tensor, 3, axis=-1)],
        lambda arrays: numpy.concatenate([array.reshape(shape[:-2] + (-1,)) for array in arrays], axis=-1),
    )


# --- how training runs: fit, or a loop per backend -------------------------------------------------------------------


def alone_or_all(inputs):
    """What a model of one input or several is called on."""
    return inputs if len(inputs) > 1 else inputs[0]


def forever(batches):
    """A generator, which is what Keras knows; it refuses other iterators."""
    for inputs, targets, _ in itertools.cycle(batches):
        yield alone_or_all(inputs), targets


class Fit(object):
    """`model.fit` and `model.predict`. Batches come from a tf.data set on TensorFlow, else from a generator."""

    def __init__(self, keras, model, optimiser, loss, recurrences):
        self.keras, self.model, self.recurrences = keras, model, recurrences
        model.compile(optimizer=optimiser, loss=loss)

    def feed(self, batches):
        self.batches = batches
        self.cycle = kit.Cycle(batches)
        self.dataset = self._dataset(batches) if self.keras.backend.backend() == "tensorflow" else None

    def _data(self, batches):
        """What `fit` can read `batches` from, over and over."""
        return forever(batches) if self.keras.backend.backend() != "tensorflow" else self._dataset(batches)

    def _dataset(self, batches):
        import numpy
        import tensorflow as tf

        inputs = tuple(numpy.stack(arrays) for arrays in zip(*[inputs for inputs, _, _ in batches]))
        targets = numpy.stack([targets for _, targets, _ in batches])
        # With autotuning, the end of each `fit` waits for the tuner to wake, every 5, 10, 20 ... ms (TensorFlow 2.21):
        # up to as long again as the block itself. There is nothing to tune about tensors in memory.
        options = tf.data.Options()
        options.autotune.enabled = False
        dataset = tf.data.Dataset.from_tensor_slices((alone_or_all(inputs), targets))
        return dataset.repeat().with_options(options)

    def _fit(self, data, steps):
        return self.model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)

    def trace(self, steps):
        """One call per step: over one batch the mean that `fit` reports is that batch's loss."""
        losses = []
        for batch in self.cycle.take(steps):
            losses.append(self._fit(self._data([batch]), 1).history["loss"][0])
        return losses

    def train(self, steps):
        self._fit(self.dataset or forever(self.batches), steps)

    def infer(self, steps):
        self.model.predict(self.dataset or forever(self.batches), steps=steps, verbose=0)

    def predict(self):
        return self.model.predict(self._data(self.batches[:1]), steps=1, verbose=0)

    def store(self):
        pass

    def results(self):
        return [variable.value for variable in self.model.variables]

    def functions(self):
        return [self.model.train_function, self.model.predict_function]

    def notes(self):
        notes = ["jit_compile='auto' resolved to %s" % self.model.jit_compile]
        if self.dataset is not None and self.keras.distribution.list_devices("gpu"):
            notes.append("tf.data keeps batches in main memory: every step includes the copy to the GPU")
        if self.recurrences and self.keras.backend.backend() == "jax":
            most = max(layer.most for layer in self.recurrences)
            notes.append("the loop runs %d times whatever its length: JAX cannot differentiate a traced length" % most)
        return notes


class Loop(object):
    """A training loop of one's own: `step(x, y, steps)` trains one batch and gives its loss.

    `steps` are the numbers of steps of the recurrences, where the model is not fed them.
    """

    def __init__(self, keras, model, optimiser, loss, recurrences):
        self.keras, self.model, self.optimiser, self.loss = keras, model, optimiser, loss
        self.recurrences = recurrences
        self.result = None
        self.prepare()

    def feed(self, batches):
        batches = [(alone_or_all(inputs), targets, steps) for inputs, targets, steps in batches]
        self.first = batches[0]
        self.cycle = kit.Cycle(batches)

    def trace(self, steps):
        return [float(self.step(*batch)) for batch in self.cycle.take(steps)]

    def train(self, steps):
        step = self.step
        for x, y, counts in self.cycle.take(steps):
            self.result = step(x, y, counts)

    def infer(self, steps):
        forward = self.forward
        for x, _, counts in self.cycle.take(steps):
            self.result = forward(x, counts)

    def predict(self):
        x, _, counts = self.first
        return self.forward(x, counts)

    def tell(self, steps):
        for layer, count in zip(self.recurrences, steps):
            layer.steps = count

    def store(self):
        """Bring the weights back into the model, where they live elsewhere while training."""

    def results(self):
        return self.result

    def functions(self):
        return []

    def notes(self):
        return []


class TensorflowLoop(Loop):
    def prepare(self):
        import tensorflow as tf

        model, optimiser, loss_of = self.model, self.optimiser, self.loss
        optimiser.build(model.trainable_variables)

        @tf.function
        def train_step(x, y):
            with tf.GradientTape() as tape:
                loss = loss_of(y, model(x, training=True))
            gradients = tape.gradient(loss, model.trainable_weights)
            optimiser.apply(gradients, model.trainable_weights)
            return loss

        @tf.function
        def forward(x):
            return model(x, training=False)

        self.train_step, self.traced_forward = train_step, forward

    def step(self, x, y, steps):
        return self.train_step(x, y)

    def forward(self, x, steps):
        return self.traced_forward(x)

    def functions(self):
        return [self.train_step, self.traced_forward]


class TorchLoop(Loop):
    def prepare(self):
        import torch

        self.torch = torch

    def step(self, x, y, steps):
        model = self.model
        self.tell(steps)
        loss = self.loss(y, model(x, training=True))
        model.zero_grad()
        loss.backward()
        weights = list(model.trainable_weights)
        gradients = [weight.value.grad for weight in weights]
        with self.torch.no_grad():
            self.optimiser.apply(gradients, weights)
        return loss.detach()

    def forward(self, x, steps):
        self.tell(steps)
        with self.torch.no_grad():
            return self.model(x, training=False)


class JaxLoop(Loop):
    """The numbers of steps are static arguments of the jitted functions: each new one is traced and compiled."""

    def prepare(self):
        import jax

        model, optimiser, loss_of = self.model, self.optimiser, self.loss
        optimiser.build(model.trainable_variables)

        def compute_loss(trainable, non_trainable, x, y):
            outputs, non_trainable = model.stateless_call(trainable, non_trainable, x, training=True)
            return loss_of(y, outputs), non_trainable

        loss_and_gradient = jax.value_and_grad(compute_loss, has_aux=True)

        @functools.partial(jax.jit, static_argnums=3)
        def train_step(state, x, y, steps):
            self.tell(steps)
            trainable, non_trainable, of_optimiser = state
            (loss, non_trainable), gradients = loss_and_gradient(trainable, non_trainable, x, y)
            trainable, of_optimiser = optimiser.stateless_apply(of_optimiser, gradients, trainable)
            return loss, (trainable, non_trainable, of_optimiser)

        @functools.partial(jax.jit, static_argnums=3)
        def forward(trainable, non_trainable, x, steps):
            self.tell(steps)
            return model.stateless_call(trainable, non_trainable, x, training=False)[0]

        self.train_step, self.jitted_forward = train_step, forward
        self.state = tuple(
            [variable.value for variable in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables, optimiser.variables)
        )

    def step(self, x, y, steps):
        loss, self.state = self.train_step(self.state, x, y, steps)
        return loss

    def forward(self, x, steps):
        return self.jitted_forward(self.state[0], self.state[1], x, steps)

    def store(self):
        for variable, value in zip(self.model.trainable_variables, self.state[0]):
            variable.assign(value)

    def results(self):
        return self.result, self.state

    def functions(self):
        return [self.train_step, self.jitted_forward]
