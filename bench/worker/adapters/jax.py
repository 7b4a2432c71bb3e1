"""JAX as its own documentation writes it: pure functions of arrays, value_and_grad, no library of layers. Modes: jit
(one compiled function a training step), eager (operation by operation)."""

# ruff: noqa: B905  (zip has no `strict` before Python 3.10)
import functools
import itertools

import advisor_kit as kit
import advisor_runtimes as runtimes
import numpy as np

EPSILON = 1e-5  # of both normalisations
MOMENTUM = 0.99  # of batch-norm's stored state, as Flax has it by default


TENSORS = {
    "conv2d": ("weight", "bias"),
    "dense": ("weight", "bias"),
    "embedding": ("weight",),
    "positions": ("weight",),
    "layer-norm": ("weight", "bias"),
    "batch-norm": ("weight", "bias", "mean", "variance"),
    "attention": ("qkv.weight", "qkv.bias", "out.weight", "out.bias"),
    "lstm": ("kernel", "recurrent", "bias"),
    "recurrence": ("weight", "bias"),
}


class Layers(object):
    """One method per kind of layer: (arrays, tensors, the layer) -> array. Images have their channels last.

    `tensors(name)` is a weight in the precision that is computed in, `tensors.exact(name)` the float32 one.
    """

    def __init__(self, jax, loops):
        self.jax, self.np, self.nn, self.lax = jax, jax.numpy, jax.nn, jax.lax
        self.loops = loops  # whether a loop is one operation (lax.scan), which is what gets compiled, or Python's

    def conv2d(self, layer, tensors, x):
        padding = [(layer["padding"],) * 2] * 2
        kernel, strides = tensors("weight"), (layer["stride"],) * 2
        x = self.lax.conv_general_dilated(x, kernel, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return x + tensors("bias") if layer["bias"] else x

    def dense(self, layer, tensors, x):
        x = x @ tensors("weight")
        return x + tensors("bias") if layer["bias"] else x

    def relu(self, layer, tensors, x):
        return self.nn.relu(x)

    def tanh(self, layer, tensors, x):
        return self.np.tanh(x)

    def silu(self, layer, tensors, x):
        return self.nn.silu(x)

    def gelu(self, layer, tensors, x):
        return self.nn.gelu(x, approximate=False)

    def max_pool2d(self, layer, tensors, x):
        window = (1, layer["size"], layer["size"], 1)
        return self.lax.reduce_window(x, -self.np.inf, self.lax.max, window, window, "VALID")

    def mean(self, layer, tensors, x):
        return x.mean(axis=tuple(range(1, x.ndim - 1)))

    def flatten(self, layer, tensors, x):
        return x.reshape(len(x), -1)

    def tokens(self, layer, tensors, x):
        return x.reshape(len(x), -1, x.shape[-1])

    def embedding(self, layer, tensors, x):
        return tensors("weight")[x]

    def positions(self, layer, tensors, x):
        return x + tensors("weight")

    def layer_norm(self, layer, tensors, x):
        exact = x.astype(np.float32)
        mean, variance = exact.mean(axis=-1, keepdims=True), exact.var(axis=-1, keepdims=True)
        return self._normalise(exact, mean, variance, tensors).astype(x.dtype)

    def batch_norm(self, layer, tensors, x):
        exact = x.astype(np.float32)
        mean, variance = tensors.exact("mean"), tensors.exact("variance")
        if tensors.training:
            axes = tuple(range(x.ndim - 1))
            stored = (("mean", mean, exact.mean(axis=axes)), ("variance", variance, exact.var(axis=axes)))
            for name, before, now in stored:
                tensors.store(name, MOMENTUM * before + (1 - MOMENTUM) * now)
            (_, _, mean), (_, _, variance) = stored
        return self._normalise(exact, mean, variance, tensors).astype(x.dtype)

    def _normalise(self, x, mean, variance, tensors):
        """In float32 whatever the precision, as Flax does."""
        return (x - mean) * (self.lax.rsqrt(variance + EPSILON) * tensors.exact("weight")) + tensors.exact("bias")

    def attention(self, layer, tensors, x):
        batch, positions, features = x.shape
        parts = x @ tensors("qkv.weight") + tensors("qkv.bias")
        parts = parts.reshape(batch, positions, 3, layer["heads"], features // layer["heads"])
        queries, keys, values = (parts[:, :, part] for part in range(3))
        x = self.nn.dot_product_attention(queries, keys, values, is_causal=layer["causal"])
        return x.reshape(batch, positions, features) @ tensors("out.weight") + tensors("out.bias")

    def lstm(self, layer, tensors, x):
        """The input's part of all gates is one product over all time steps."""
        recurrent = tensors("recurrent")

        def step(state, gates):
            hidden, cell = state
            i, f, g, o = self.np.split(gates + hidden @ recurrent, 4, axis=-1)
            cell = self.nn.sigmoid(f) * cell + self.nn.sigmoid(i) * self.np.tanh(g)
            return (self.nn.sigmoid(o) * self.np.tanh(cell), cell), None

        gates = (x @ tensors("kernel") + tensors("bias")).swapaxes(0, 1)
        nothing = self.np.zeros((len(x), layer["units"]), x.dtype)
        state = (nothing, nothing)
        if self.loops:
            return self.lax.scan(step, state, gates)[0][0]
        for of_step in gates:
            state, _ = step(state, of_step)
        return state[0]

    def add(self, layer, tensors, x, y):
        return x + y

    def concat(self, layer, tensors, *parts):
        return self.np.concatenate(parts, axis=-1)

    def recurrence(self, layer, tensors, h, steps):
        """`steps` is a Python int: a loop whose length is not known when it is compiled has no gradient in JAX."""
        weight, bias = tensors("weight"), tensors("bias")
        if self.loops:
            return self.lax.fori_loop(0, steps, lambda _, h: h @ weight + bias, h)
        for _ in range(steps):
            h = h @ weight + bias
        return h


class Tensors(object):
    """What one layer has in one call: its weights, and what it stores for inference."""

    def __init__(self, prefix, arrays, stored, compute, training):
        self.prefix, self.arrays, self.stored = prefix, arrays, stored
        self.compute, self.training = compute, training

    def __call__(self, name):
        return self.exact(name).astype(self.compute)

    def exact(self, name):
        return self.arrays[self.prefix + name]

    def store(self, name, array):
        self.stored[self.prefix + name] = array


class Model(object):
    """(arrays, values by `kit.input_names`) -> (float32 outputs, what is stored anew); a pure function."""

    def __init__(self, jax, network, compute, loops):
        layers = Layers(jax, loops)
        self.compute = compute
        self.names = kit.input_names(network)
        self.plan = [(layer, find_call(layers, layer), taken, done) for layer, taken, done in kit.plan(network)]

    def __call__(self, arrays, values, training):
        stored = {}
        plan = [
            (
                layer["id"],
                functools.partial(call, layer, Tensors(layer["id"] + ".", arrays, stored, self.compute, training)),
                taken,
                done,
            )
            for layer, call, taken, done in self.plan
        ]
        outputs = kit.walk(plan, zip(self.names, [self._in_precision(value) for value in values]))
        if outputs.dtype != self.compute:
            raise kit.Refused("precision", "JAX computes in %s" % outputs.dtype)
        return outputs.astype(np.float32), stored

    def _in_precision(self, value):
        """Token ids and numbers of steps stay what they are."""
        return value.astype(self.compute) if getattr(value, "dtype", None) == np.float32 else value


def find_call(layers, layer):
    call = getattr(layers, layer["kind"].replace("-", "_"), None)
    if call is None:
        raise kit.unknown_layer(layer)
    return call


def same(array):
    return array


def layouts(network):
    """Canonical name -> (canonical layout -> ours, back) of every tensor, batch-norm's state among them."""
    orders = kit.orders_channels_last(network)
    found = {}
    for layer in network["layers"]:
        order = orders.get(layer["id"])
        along_features = (same, same) if order is None else (take(order), put_back(order))
        for tensor in TENSORS.get(layer["kind"], ()):
            if tensor == "bias" and not layer.get("bias", True):
                continue
            layout = (same, same)
            if layer["kind"] == "conv2d" and tensor == "weight":
                layout = (to_hwio, to_oihw)
            elif (layer["kind"] == "dense" and tensor == "weight") or layer["kind"] in ("batch-norm", "layer-norm"):
                layout = along_features
            found[layer["id"] + "." + tensor] = layout
    return found


def take(order):
    return lambda array: array[order]


def put_back(order):
    return lambda array: kit.back_in_order(array, order)


def to_hwio(kernel):
    return kernel.transpose(2, 3, 1, 0)


def to_oihw(kernel):
    return kernel.transpose(3, 2, 0, 1)


def is_state(network, name):
    """Whether a tensor is moved by training without being trained."""
    id_, _, tensor = name.partition(".")
    kinds = {layer["id"]: layer["kind"] for layer in network["layers"]}
    return kinds[id_] == "batch-norm" and tensor in ("mean", "variance")


class Adapter(kit.Adapter):
    def __init__(self, backend, device, precision, threads):
        self.runtime = runtimes.Jax(device, precision, threads)
        self.jax = self.runtime.jax
        self.compute = self.jax.numpy.bfloat16 if precision == "bf16" else np.float32
        self.traced = {}  # function -> how often it was traced, to be compiled
        self.compiled = False
        self.result = None

    def build(self, network, weights, batches, mode):
        if mode not in ("jit", "eager"):
            raise kit.unknown_mode("jax", mode)
        jax = self.jax
        self.compiled = mode == "jit"
        model = Model(jax, network, self.compute, loops=self.compiled)
        loss_of = self._cross_entropy if network["loss"] == "softmax-cross-entropy" else self._squared_error
        rate = network["optimiser"]["learning_rate"]
        self.traced = dict.fromkeys(("step", "forward"), 0)

        def loss_and_stored(trained, frozen, values, targets):
            outputs, stored = model(dict(frozen, **trained), values, training=True)
            return loss_of(outputs, targets), stored

        def step(trained, frozen, inputs, targets, steps):
            self.traced["step"] += 1
            gradient_of = jax.value_and_grad(loss_and_stored, has_aux=True)
            (loss, stored), gradients = gradient_of(trained, frozen, inputs + steps, targets)
            trained = jax.tree.map(lambda weight, gradient: weight - rate * gradient, trained, gradients)
            return trained, dict(frozen, **stored), loss

        def forward(arrays, inputs, steps):
            self.traced["forward"] += 1
            return model(arrays, inputs + steps, training=False)[0]

        if self.compiled:
            step, forward = jax.jit(step, static_argnames="steps"), jax.jit(forward, static_argnames="steps")
        self.step, self.forward = step, forward
        self.network = network
        self.layouts = layouts(network)
        arrays = {name: jax.device_put(to_jax(weights[name])) for name, (to_jax, _) in self.layouts.items()}
        learns = {name for name in arrays if kit.trained(network, name) and not is_state(network, name)}
        self.trained = {name: array for name, array in arrays.items() if name in learns}
        self.frozen = {name: array for name, array in arrays.items() if name not in learns}  # batch-norm's state too
        self.result = arrays
        self.feed(batches)

    def _cross_entropy(self, outputs, targets):
        likelihoods = self.jax.nn.log_softmax(outputs)
        return -self.jax.numpy.take_along_axis(likelihoods, targets[..., None], axis=-1).mean()

    def _squared_error(self, outputs, targets):
        return self.jax.numpy.square(outputs - targets).mean()

    def feed(self, batches):
        shapes = [about["shape"] for about in self.network["inputs"].values()]
        self.host_batches = [
            (tuple(kit.channels_last(x, shape) for x, shape in zip(inputs, shapes)), targets, tuple(steps))
            for inputs, targets, steps in kit.read_batches(self.network, batches)
        ]
        self.device_batches = [self._on_device(*batch) for batch in self.host_batches]
        self.result = (self.result, self.device_batches)
        self.batches = kit.Cycle(self.device_batches)

    def _on_device(self, inputs, targets, steps):
        return self.jax.device_put(inputs), self.jax.device_put(targets), steps

    def _train(self, inputs, targets, steps):
        self.trained, self.frozen, loss = self.step(self.trained, self.frozen, inputs, targets, steps)
        return loss

    def trace(self, steps):
        return [float(self._train(*batch)) for batch in self.batches.take(steps)]

    def train(self, steps):
        for inputs, targets, counts in self.batches.take(steps):
            loss = self._train(inputs, targets, counts)
        self.result = (self.trained, self.frozen, loss)

    def infer(self, steps):
        arrays, forward = dict(self.frozen, **self.trained), self.forward
        for inputs, _, counts in self.batches.take(steps):
            self.result = forward(arrays, inputs, counts)

    def predict(self):
        inputs, _, steps = self.device_batches[0]
        return np.asarray(self.forward(dict(self.frozen, **self.trained), inputs, steps))

    def copy(self, steps):
        if self.runtime.device.platform == "cpu":
            return False
        self.result = [self._on_device(*batch) for batch in itertools.islice(itertools.cycle(self.host_batches), steps)]
        return True

    def gemm(self, size):
        return self.runtime.product(size)

    def weights(self):
        arrays = dict(self.frozen, **self.trained)
        return {
            name: np.ascontiguousarray(to_canonical(np.asarray(arrays[name])))
            for name, (_, to_canonical) in self.layouts.items()
            if not is_state(self.network, name)
        }

    def recompilations(self):
        return sum(max(0, count - 1) for count in self.traced.values()) if self.compiled else None

    def synchronise(self):
        self.runtime.synchronise(self.result)

    def threads(self):
        return self.runtime.threads()

    def memory(self):
        return self.runtime.memory()

    def versions(self):
        return self.runtime.versions()
