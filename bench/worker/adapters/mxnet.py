"""Apache MXNet 1.9, Gluon. Modes: imperative, hybrid (net.hybridize())."""

# ruff: noqa: B905  (zip has no `strict` before Python 3.10)
import itertools

import advisor_kit as kit
import mxnet as mx
import numpy
from mxnet import autograd, gluon
from mxnet.gluon import nn, rnn

EPSILON = 1e-5  # of both normalisations


class LastOutput(gluon.HybridBlock):
    """An LSTM that hands on its last output. Gluon's has a second bias vector; it stays zero and is not trained."""

    def __init__(self, features, units):
        super().__init__()
        with self.name_scope():
            self.lstm = rnn.LSTM(units, layout="NTC", input_size=features)
        self.lstm.l0_h2h_bias.grad_req = "null"

    def hybrid_forward(self, F, series):
        return F.squeeze(F.slice_axis(self.lstm(series), axis=1, begin=-1, end=None), axis=1)


class Mean(gluon.HybridBlock):
    """Over all places: of an image per channel, of a series per feature."""

    def __init__(self, shape):
        super().__init__()
        self.axes = (2, 3) if len(shape) == 3 else 1

    def hybrid_forward(self, F, x):
        return F.mean(x, axis=self.axes)


class Tokens(gluon.HybridBlock):
    """An image's places, row by row, as positions with its channels as features."""

    def hybrid_forward(self, F, x):
        return F.transpose(F.reshape(x, (0, 0, -1)), axes=(0, 2, 1))


class Positions(gluon.HybridBlock):
    def __init__(self, shape):
        super().__init__()
        with self.name_scope():
            self.weight = self.params.get("weight", shape=tuple(shape))

    def hybrid_forward(self, F, x, weight):
        return F.broadcast_add(x, F.expand_dims(weight, axis=0))


class Attention(gluon.HybridBlock):
    """Multi-head self-attention; Gluon has none, this is its batch_dot and softmax, as GluonNLP writes it."""

    def __init__(self, positions, features, heads, causal):
        super().__init__()
        self.heads = heads
        self.width = features // heads
        with self.name_scope():
            self.qkv = nn.Dense(3 * features, flatten=False, in_units=features)
            self.out = nn.Dense(features, flatten=False, in_units=features)
            self.future = None
            if causal:
                mask = numpy.triu(numpy.full((1, positions, positions), -numpy.inf, dtype="float32"), 1)
                self.future = self.params.get_constant("future", mask)

    def hybrid_forward(self, F, x, future=None):
        # (batch, time, 3 features) -> (3, batch, heads, time, width) -> three of (batch heads, time, width)
        parts = F.reshape(self.qkv(x), (0, 0, 3, self.heads, self.width))
        parts = F.reshape(F.transpose(parts, axes=(2, 0, 3, 1, 4)), (0, -3, 0, 0))
        queries, keys, values = F.split(parts, num_outputs=3, axis=0, squeeze_axis=True)
        scores = F.batch_dot(queries * self.width**-0.5, keys, transpose_b=True)
        if future is not None:
            scores = F.broadcast_add(scores, future)
        x = F.batch_dot(F.softmax(scores), values)
        x = F.transpose(F.reshape(x, (-4, -1, self.heads, 0, 0)), axes=(0, 2, 1, 3))
        return self.out(F.reshape(x, (0, 0, -3)))


class Add(gluon.HybridBlock):
    def hybrid_forward(self, F, x, y):
        return x + y


class Concat(gluon.HybridBlock):
    def hybrid_forward(self, F, *parts):
        return F.concat(*parts, dim=1)


class Recurrence(gluon.HybridBlock):
    """h = h W + b, once for each tick: a Python loop, in a hybrid network Gluon's `foreach`, which is traced once."""

    def __init__(self, features):
        super().__init__()
        with self.name_scope():
            self.dense = nn.Dense(features, in_units=features)

    def hybrid_forward(self, F, h, ticks):
        if F is mx.nd:
            for _ in range(ticks.shape[0]):
                h = self.dense(h)
            return h

        def body(tick, states):
            return F.identity(tick), [self.dense(states[0])]  # its data has to be used

        return F.contrib.foreach(body, ticks, [h])[1][0]


def make_block(layer):
    kind, shape = layer["kind"], layer["input_shape"]
    if kind == "conv2d":
        return nn.Conv2D(
            layer["channels"],
            layer["kernel"],
            strides=layer["stride"],
            padding=layer["padding"],
            use_bias=layer["bias"],
            in_channels=shape[0],
        )
    if kind == "dense":
        return nn.Dense(layer["units"], flatten=False, use_bias=layer["bias"], in_units=shape[-1])
    if kind in ("relu", "tanh"):
        return nn.Activation(kind)
    if kind == "silu":
        return nn.Swish()
    if kind == "gelu":
        return nn.GELU()
    if kind == "max-pool2d":
        return nn.MaxPool2D(layer["size"])
    if kind == "mean":
        return Mean(shape)
    if kind == "flatten":
        return nn.Flatten()
    if kind == "tokens":
        return Tokens()
    if kind == "embedding":
        return nn.Embedding(layer["tokens"], layer["units"])
    if kind == "positions":
        return Positions(shape)
    if kind == "layer-norm":
        return nn.LayerNorm(epsilon=EPSILON, in_channels=shape[-1])
    if kind == "batch-norm":
        return nn.BatchNorm(epsilon=EPSILON, in_channels=shape[0])
    if kind == "attention":
        return Attention(shape[0], shape[1], layer["heads"], layer["causal"])
    if kind == "lstm":
        return LastOutput(shape[1], layer["units"])
    if kind == "add":
        return Add()
    if kind == "concat":
        return Concat()
    if kind == "recurrence":
        return Recurrence(shape[0])
    raise kit.unknown_layer(layer)


def tensors_of(layer, block):
    """(canonical name, parameter, whether it is the transpose of the canonical tensor) of one layer."""
    kind = layer["kind"]
    if kind == "lstm":
        lstm = block.lstm
        found = [("kernel", lstm.l0_i2h_weight), ("recurrent", lstm.l0_h2h_weight), ("bias", lstm.l0_i2h_bias)]
    elif kind == "attention":
        found = [("qkv.weight", block.qkv.weight), ("qkv.bias", block.qkv.bias)]
        found += [("out.weight", block.out.weight), ("out.bias", block.out.bias)]
    elif kind == "recurrence":
        found = [("weight", block.dense.weight), ("bias", block.dense.bias)]
    elif kind in ("layer-norm", "batch-norm"):
        found = [("weight", block.gamma), ("bias", block.beta)]
    elif kind in ("embedding", "positions"):
        found = [("weight", block.weight)]
    elif kind in ("conv2d", "dense"):
        found = [("weight", block.weight)] + ([("bias", block.bias)] if layer["bias"] else [])
    else:
        found = []
    transposed = {"dense": ("weight",), "recurrence": ("weight",), "lstm": ("kernel", "recurrent")}
    transposed["attention"] = ("qkv.weight", "out.weight")
    for tensor, parameter in found:
        yield layer["id"] + "." + tensor, parameter, tensor in transposed.get(kind, ())


def state_of(layer, block):
    """(canonical name, parameter) of what batch-norm stores."""
    if layer["kind"] == "batch-norm":
        yield layer["id"] + ".mean", block.running_mean
        yield layer["id"] + ".variance", block.running_var


class Net(gluon.HybridBlock):
    """The blocks in turn. Takes what `kit.input_names` names; numbers of steps come as that many ticks."""

    def __init__(self, network, blocks):
        super().__init__()
        for block in blocks:
            self.register_child(block)
        self.names = kit.input_names(network)
        self.plan = [
            (layer["id"], block, taken, done) for (layer, taken, done), block in zip(kit.plan(network), blocks)
        ]
        self.traced = 0  # how often it became a graph

    def hybrid_forward(self, F, *values):
        self.traced += F is mx.sym
        return kit.walk(self.plan, zip(self.names, values))


class CrossEntropy(gluon.loss.Loss):
    """What gluon.loss.SoftmaxCrossEntropyLoss computes, by MXNet's own kernel of log_softmax: naming a temperature asks
    for it. oneDNN's (2.4, in 1.9.1) is off by up to 4e-6: over 5 seeds of mlp-tabular losses differed by 8e-5 and first
    updates by 8e-5, with this kernel by 3e-7 and 2e-5."""

    def __init__(self):
        super().__init__(weight=None, batch_axis=0)

    def hybrid_forward(self, F, outputs, targets):
        likelihoods = F.log_softmax(outputs, axis=-1, temperature=1.0)
        return -F.mean(F.pick(likelihoods, targets, axis=-1, keepdims=True), axis=0, exclude=True)


def find_context(name):
    index = kit.cuda_index(name)
    if name == "cpu":
        return mx.cpu()
    if index is None or index >= mx.context.num_gpus():
        raise kit.no_device(name, "MXNet sees %d GPUs" % mx.context.num_gpus())
    return mx.gpu(index)


class Adapter(kit.Adapter):
    def __init__(self, backend, device, precision, threads):
        if precision == "bf16":
            problem = "MXNet 1.9's bfloat16 (contrib.amp) was not seen to work: oneDNN has no kernels without AVX-512"
            raise kit.Refused("precision", problem, "use --precision fp32")
        kit.require_precision(precision, device, ("fp32",))  # TF32 is off by NVIDIA_TF32_OVERRIDE (main.py)
        self.context = find_context(device)
        self.thread_count = threads  # by OMP_NUM_THREADS (main.py); MXNet has no way to ask
        self.network = None
        self.hybrid = False
        self.result = None

    def build(self, network, weights, batches, mode):
        if mode not in ("imperative", "hybrid"):
            raise kit.unknown_mode("mxnet", mode)
        layers = network["layers"]
        blocks = [make_block(layer) for layer in layers]
        net = Net(network, blocks)
        self.tensors = [tensor for layer, block in zip(layers, blocks) for tensor in tensors_of(layer, block)]
        for name, parameter, _ in self.tensors:
            if not kit.trained(network, name):
                parameter.grad_req = "null"
        net.initialize(mx.init.Zero(), ctx=self.context)
        for name, parameter, transposed in self.tensors:
            array = weights[name]
            parameter.set_data(mx.nd.array(array.T if transposed else array))
        for layer, block in zip(layers, blocks):
            for name, parameter in state_of(layer, block):
                parameter.set_data(mx.nd.array(weights[name]))
        self.hybrid = mode == "hybrid"
        if self.hybrid:
            net.hybridize()
        self.network, self.net = network, net
        if network["loss"] == "softmax-cross-entropy":
            self.loss = CrossEntropy()
        else:
            self.loss = gluon.loss.L2Loss(weight=2.0)  # Gluon's L2 loss is half the squared error
        rate = network["optimiser"]["learning_rate"]
        self.trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": rate})
        self.feed(batches)

    def feed(self, batches):
        self.host_batches = kit.read_batches(self.network, batches)
        self.device_batches = [self._on_device(*batch) for batch in self.host_batches]
        self.batches = kit.Cycle(self.device_batches)

    def _on_device(self, inputs, targets, steps):
        values = [mx.nd.array(x, ctx=self.context, dtype=x.dtype) for x in inputs]
        values += [mx.nd.zeros((count, 1), ctx=self.context) for count in steps]
        return values, mx.nd.array(targets, ctx=self.context)

    def trace(self, steps):
        return [self._step(values, targets).mean().asscalar() for values, targets in self.batches.take(steps)]

    def train(self, steps):
        for values, targets in self.batches.take(steps):
            self._step(values, targets)

    def _step(self, values, targets):
        """The loss is one number per sample; `Trainer.step` divides their gradients' sum by the batch size."""
        with autograd.record():
            loss = self.loss(self.net(*values), targets)
        loss.backward()
        self.trainer.step(len(targets))
        return loss

    def infer(self, steps):
        for values, _ in self.batches.take(steps):
            self.result = self.net(*values)

    def predict(self):
        return self.net(*self.device_batches[0][0]).asnumpy()

    def copy(self, steps):
        if self.context == mx.cpu():
            return False
        for batch in itertools.islice(itertools.cycle(self.host_batches), steps):
            self.result = self._on_device(*batch)
        return True

    def gemm(self, size):
        matrix = mx.nd.random.normal(shape=(size, size), ctx=self.context)

        def multiply():
            self.result = mx.nd.dot(matrix, matrix)

        return multiply

    def weights(self):
        arrays = {}
        for name, parameter, transposed in self.tensors:
            array = parameter.data(self.context).asnumpy()
            arrays[name] = numpy.ascontiguousarray(array.T if transposed else array)
        return arrays

    def recompilations(self):
        return max(0, self.net.traced - 1) if self.hybrid else None

    def notes(self):
        if self.network is None or self.network["loss"] != "softmax-cross-entropy":
            return []
        return ["the loss takes MXNet's own log_softmax: oneDNN's, Gluon's default, is off by up to 4e-6"]

    def synchronise(self):
        mx.nd.waitall()

    def threads(self):
        return self.thread_count

    def versions(self):
        return {"mxnet": mx.__version__}
