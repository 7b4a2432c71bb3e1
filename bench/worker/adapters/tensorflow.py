"""TensorFlow without Keras: tf.Module, tf.nn and GradientTape. Modes: eager, function (tf.function), xla
(tf.function with jit_compile=True)."""

# ruff: noqa: B905  (zip has no `strict` before Python 3.10)
import itertools

import advisor_kit as kit
import advisor_runtimes as runtimes
import numpy as np
import tensorflow as tf

EPSILON = 1e-5  # of both normalisations
MOMENTUM = 0.99  # of batch-norm's stored state: the default of tf.compat.v1.layers and of Keras


def same(array):
    return array


class Layer(tf.Module):
    """A layer of the network on tensors with channels last. Variables are float32, `compute` is what they are used in.

    `order` is that of the vector it takes (`kit.orders_channels_last`), None if it is the canonical one.
    """

    def __init__(self, layer, weights, compute, order):
        self.id = layer["id"]
        self.compute = compute
        self.order = order
        self.trained = layer["trained"]
        self.canonical_of = {}  # tensor -> (variable, TensorFlow's layout -> the canonical one)
        self.create(layer, lambda tensor: weights[self.id + "." + tensor])

    def create(self, layer, given):
        """Make the variables; `given(tensor)` is the canonical array."""

    def variable(self, tensor, array, to_canonical=same):
        variable = tf.Variable(np.ascontiguousarray(array), trainable=self.trained)
        self.canonical_of[tensor] = (variable, to_canonical)
        return variable

    def along_features(self, tensor, array):
        """A variable whose first axis goes along the vector that the layer takes."""
        order = self.order
        if order is None:
            return self.variable(tensor, array)
        return self.variable(tensor, array[order], lambda changed: kit.back_in_order(changed, order))

    def train(self, *inputs):
        """The call in training, where it is another one."""
        return self(*inputs)

    def use(self, variable):
        return variable if self.compute == tf.float32 else tf.cast(variable, self.compute)

    def canonical(self):
        for tensor, (variable, to_canonical) in self.canonical_of.items():
            array = variable.numpy()
            yield self.id + "." + tensor, np.ascontiguousarray(to_canonical(array))


class Conv2d(Layer):
    """Kernels are height, width, in, out."""

    def create(self, layer, given):
        self.weight = self.variable("weight", given("weight").transpose(2, 3, 1, 0), lambda k: k.transpose(3, 2, 0, 1))
        self.bias = self.variable("bias", given("bias")) if layer["bias"] else None
        self.stride = layer["stride"]
        around = [layer["padding"]] * 2
        self.padding = [[0, 0], around, around, [0, 0]] if layer["padding"] else "VALID"

    def __call__(self, x):
        x = tf.nn.conv2d(x, self.use(self.weight), self.stride, self.padding)
        return x if self.bias is None else tf.nn.bias_add(x, self.use(self.bias))


class Dense(Layer):
    def create(self, layer, given):
        self.weight = self.along_features("weight", given("weight"))
        self.bias = self.variable("bias", given("bias")) if layer["bias"] else None

    def __call__(self, x):
        x = product(x, self.use(self.weight))
        return x if self.bias is None else tf.nn.bias_add(x, self.use(self.bias))


def product(x, weight):
    """x W on the last axis; several positions of a sample become rows of one product."""
    return tf.matmul(x, weight) if len(x.shape) == 2 else tf.tensordot(x, weight, 1)


class Relu(Layer):
    def __call__(self, x):
        return tf.nn.relu(x)


class Tanh(Layer):
    def __call__(self, x):
        return tf.tanh(x)


class Silu(Layer):
    def __call__(self, x):
        return tf.nn.silu(x)


class Gelu(Layer):
    def __call__(self, x):
        return tf.nn.gelu(x, approximate=False)


class MaxPool2d(Layer):
    def create(self, layer, given):
        self.size = layer["size"]

    def __call__(self, x):
        return tf.nn.max_pool2d(x, self.size, strides=self.size, padding="VALID")


class Mean(Layer):
    def create(self, layer, given):
        self.axes = list(range(1, len(layer["input_shape"])))

    def __call__(self, x):
        return tf.reduce_mean(x, self.axes)


class Flatten(Layer):
    def create(self, layer, given):
        self.length = layer["output_shape"][0]

    def __call__(self, x):
        return tf.reshape(x, [-1, self.length])


class Tokens(Layer):
    def create(self, layer, given):
        self.shape = [-1] + layer["output_shape"]

    def __call__(self, x):
        return tf.reshape(x, self.shape)


class Embedding(Layer):
    def create(self, layer, given):
        self.weight = self.variable("weight", given("weight"))

    def __call__(self, x):
        return self.use(tf.gather(self.weight, x))


class Positions(Layer):
    def create(self, layer, given):
        self.weight = self.variable("weight", given("weight"))

    def __call__(self, x):
        return x + self.use(self.weight)


class LayerNorm(Layer):
    """Statistics are float32 in every precision, as Keras's mixed precision has it."""

    def create(self, layer, given):
        self.weight = self.along_features("weight", given("weight"))
        self.bias = self.along_features("bias", given("bias"))

    def __call__(self, x):
        x = tf.cast(x, tf.float32)
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return self.use(tf.nn.batch_normalization(x, mean, variance, self.bias, self.weight, EPSILON))


class BatchNorm(Layer):
    """Statistics are float32, as in layer-norm."""

    def create(self, layer, given):
        self.weight = self.along_features("weight", given("weight"))
        self.bias = self.along_features("bias", given("bias"))
        mean, variance = given("mean"), given("variance")
        self.mean = tf.Variable(mean if self.order is None else mean[self.order], trainable=False)
        self.variance = tf.Variable(variance if self.order is None else variance[self.order], trainable=False)
        self.axes = list(range(len(layer["input_shape"])))

    def __call__(self, x):
        return self.normalise(tf.cast(x, tf.float32), self.mean, self.variance)

    def train(self, x):
        x = tf.cast(x, tf.float32)
        mean, variance = tf.nn.moments(x, self.axes)
        self.mean.assign_sub((1 - MOMENTUM) * (self.mean - mean))
        self.variance.assign_sub((1 - MOMENTUM) * (self.variance - variance))
        return self.normalise(x, mean, variance)

    def normalise(self, x, mean, variance):
        return self.use(tf.nn.batch_normalization(x, mean, variance, self.bias, self.weight, EPSILON))


class Attention(Layer):
    def create(self, layer, given):
        positions, features = layer["input_shape"]
        self.heads = layer["heads"]
        self.parts = [-1, positions, 3, self.heads, features // self.heads]
        self.joined = [-1, positions, features]
        self.scale = (features // self.heads) ** -0.5
        self.past = tf.constant(np.tri(positions, dtype=bool)) if layer["causal"] else None
        self.qkv_weight = self.variable("qkv.weight", given("qkv.weight"))
        self.qkv_bias = self.variable("qkv.bias", given("qkv.bias"))
        self.out_weight = self.variable("out.weight", given("out.weight"))
        self.out_bias = self.variable("out.bias", given("out.bias"))

    def __call__(self, x):
        x = tf.nn.bias_add(product(x, self.use(self.qkv_weight)), self.use(self.qkv_bias))
        queries, keys, values = tf.unstack(tf.reshape(x, self.parts), axis=2)
        scores = self.scale * tf.einsum("bqhd,bkhd->bhqk", queries, keys)
        if self.past is not None:
            scores = tf.where(self.past, scores, scores.dtype.min)
        x = tf.einsum("bhqk,bkhd->bqhd", tf.nn.softmax(scores), values)
        x = tf.reshape(x, self.joined)
        return tf.nn.bias_add(product(x, self.use(self.out_weight)), self.use(self.out_bias))


class Lstm(Layer):
    """TensorFlow proper has no LSTM layer. The input's part of all gates is one product over all time steps."""

    def create(self, layer, given):
        self.units = layer["units"]
        self.steps = layer["input_shape"][0]
        self.kernel = self.variable("kernel", given("kernel"))
        self.recurrent = self.variable("recurrent", given("recurrent"))
        self.bias = self.variable("bias", given("bias"))

    def __call__(self, x):
        gates_of_input = product(x, self.use(self.kernel)) + self.use(self.bias)
        recurrent = self.use(self.recurrent)
        hidden = tf.zeros([tf.shape(x)[0], self.units], self.compute)
        cell = tf.zeros_like(hidden)
        for gates in tf.unstack(gates_of_input, self.steps, axis=1):
            i, f, g, o = tf.split(gates + tf.matmul(hidden, recurrent), 4, axis=1)
            cell = tf.sigmoid(f) * cell + tf.sigmoid(i) * tf.tanh(g)
            hidden = tf.sigmoid(o) * tf.tanh(cell)
        return hidden


class Add(Layer):
    def __call__(self, x, y):
        return x + y


class Concat(Layer):
    def __call__(self, *parts):
        return tf.concat(parts, axis=1)


class Recurrence(Layer):
    """`steps` is a tensor in a tf.function, where this becomes a tf.while_loop; else a number."""

    def create(self, layer, given):
        self.weight = self.variable("weight", given("weight"))
        self.bias = self.variable("bias", given("bias"))

    def __call__(self, h, steps):
        weight, bias = self.use(self.weight), self.use(self.bias)
        if not tf.is_tensor(steps):
            for _ in range(steps):
                h = tf.nn.bias_add(tf.matmul(h, weight), bias)
            return h

        def body(step, h):
            return step + 1, tf.nn.bias_add(tf.matmul(h, weight), bias)

        return tf.while_loop(lambda step, h: step < steps, body, (0, h))[1]


LAYERS = {
    "conv2d": Conv2d,
    "dense": Dense,
    "relu": Relu,
    "tanh": Tanh,
    "silu": Silu,
    "gelu": Gelu,
    "max-pool2d": MaxPool2d,
    "mean": Mean,
    "flatten": Flatten,
    "tokens": Tokens,
    "embedding": Embedding,
    "positions": Positions,
    "layer-norm": LayerNorm,
    "batch-norm": BatchNorm,
    "attention": Attention,
    "lstm": Lstm,
    "add": Add,
    "concat": Concat,
    "recurrence": Recurrence,
}


class Model(tf.Module):
    """The layers in turn. Takes what `kit.input_names` names, gives float32."""

    def __init__(self, network, weights, compute):
        orders = kit.orders_channels_last(network)
        self.layers = [make_layer(layer, weights, compute, orders.get(layer["id"])) for layer in network["layers"]]
        self.compute = compute
        self.forward, self.forward_in_training = self._ways(network, list(self.layers))

    def _ways(self, network, layers):
        """(inference, training): functions of a list of values. Their lists are their own, since tf.Module wraps those
        it is given, which makes them slow to walk."""
        names, compute = kit.input_names(network), self.compute
        plan = [(layer["id"], call, taken, done) for (layer, taken, done), call in zip(kit.plan(network), layers)]
        plan_in_training = [(id_, call.train, taken, done) for id_, call, taken, done in plan]

        def way(plan):
            def run(values):
                if compute != tf.float32:
                    values = [in_precision(value, compute) for value in values]
                outputs = kit.walk(plan, zip(names, values))
                if outputs.dtype != compute:
                    raise kit.Refused("precision", "TensorFlow computes in %s" % outputs.dtype.name)
                return tf.cast(outputs, tf.float32)

            return run

        return way(plan), way(plan_in_training)

    def canonical(self):
        return {name: array for layer in self.layers for name, array in layer.canonical()}


def make_layer(layer, weights, compute, order):
    if layer["kind"] not in LAYERS:
        raise kit.unknown_layer(layer)
    return LAYERS[layer["kind"]](layer, weights, compute, order)


def in_precision(value, compute):
    """Token ids and numbers of steps stay what they are."""
    return tf.cast(value, compute) if tf.is_tensor(value) and value.dtype == tf.float32 else value


def cross_entropy(outputs, targets):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=outputs))


def squared_error(outputs, targets):
    return tf.reduce_mean(tf.math.squared_difference(outputs, targets))


def descend(variable, gradient, rate):
    """A table's gradient has the rows that were looked up and no others."""
    if isinstance(gradient, tf.IndexedSlices):
        variable.scatter_sub(tf.IndexedSlices(rate * gradient.values, gradient.indices))
    else:
        variable.assign_sub(rate * gradient)


class Adapter(kit.Adapter):
    def __init__(self, backend, device, precision, threads):
        self.runtime = runtimes.Tensorflow(device, precision, threads)
        self.device = self.runtime.device
        self.compute = tf.bfloat16 if precision == "bf16" else tf.float32  # see `Model`
        self.functions = None  # what is compiled; None in eager mode
        self.result = None

    def build(self, network, weights, batches, mode):
        if mode not in ("eager", "function", "xla"):
            raise kit.unknown_mode("tensorflow", mode)
        rate = network["optimiser"]["learning_rate"]
        loss_of = cross_entropy if network["loss"] == "softmax-cross-entropy" else squared_error
        with tf.device(self.device):
            model = Model(network, weights, self.compute)
        variables = model.trainable_variables

        def step(values, targets):
            with tf.GradientTape() as tape:
                loss = loss_of(model.forward_in_training(values), targets)
            for variable, gradient in zip(variables, tape.gradient(loss, variables)):
                descend(variable, gradient, rate)
            return loss

        forward = model.forward
        self.functions = None
        if mode != "eager":
            step = tf.function(step, jit_compile=mode == "xla")
            forward = tf.function(forward, jit_compile=mode == "xla")
            self.functions = (step, forward)
        self.network, self.mode = network, mode
        self.model, self.step, self.forward = model, step, forward
        self.feed(batches)

    def feed(self, batches):
        shapes = [about["shape"] for about in self.network["inputs"].values()]
        self.host_batches = [
            ([self._laid_out(x, shape) for x, shape in zip(inputs, shapes)], self._laid_out(targets), steps)
            for inputs, targets, steps in kit.read_batches(self.network, batches)
        ]
        self.device_batches = [self._on_device(*batch) for batch in self.host_batches]
        self.batches = kit.Cycle(self.device_batches)

    def _laid_out(self, array, shape=()):
        """As the layers want it. Eager TensorFlow keeps int32, and only that, in the host's memory beside a GPU."""
        if array.dtype == np.int32 and self.device != "/CPU:0":
            array = array.astype(np.int64)
        return kit.channels_last(array, shape)

    def _on_device(self, inputs, targets, steps):
        """(values, targets). XLA and Python loops want the number of steps, a tf.function its tensor."""
        with tf.device(self.device):
            values = [tf.constant(x) for x in inputs]
            values += [tf.constant(count) if self.mode == "function" else count for count in steps]
            return values, tf.constant(targets)

    def trace(self, steps):
        with tf.device(self.device):
            return [float(self.step(values, targets)) for values, targets in self.batches.take(steps)]

    def train(self, steps):
        step = self.step
        with tf.device(self.device):
            for values, targets in self.batches.take(steps):
                self.result = step(values, targets)

    def infer(self, steps):
        forward = self.forward
        with tf.device(self.device):
            for values, _ in self.batches.take(steps):
                self.result = forward(values)

    def predict(self):
        with tf.device(self.device):
            return self.forward(self.device_batches[0][0]).numpy()

    def copy(self, steps):
        if self.device == "/CPU:0":
            return False
        for batch in itertools.islice(itertools.cycle(self.host_batches), steps):
            self.result = self._on_device(*batch)
        return True

    def gemm(self, size):
        return self.runtime.product(size)

    def weights(self):
        return self.model.canonical()

    def recompilations(self):
        if self.functions is None:
            return None
        return sum(max(0, function.experimental_get_tracing_count() - 1) for function in self.functions)

    def synchronise(self):
        self.runtime.synchronise()

    def threads(self):
        return self.runtime.threads()

    def memory(self):
        return self.runtime.memory()

    def versions(self):
        return self.runtime.versions()
