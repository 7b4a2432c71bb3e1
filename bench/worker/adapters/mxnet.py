"""Apache MXNet 1.9, Gluon. Modes: imperative, hybrid (net.hybridize())."""

# ruff: noqa: B905  (zip has no `strict` before Python 3.10)
import advisor_kit as kit
import mxnet as mx
import numpy
from mxnet import autograd, gluon
from mxnet.gluon import nn, rnn


class LastOutput(gluon.HybridBlock):
    """An LSTM that hands on its last output. Gluon's has a second bias vector; it stays zero and is not trained."""

    def __init__(self, features, units):
        super().__init__()
        with self.name_scope():
            self.lstm = rnn.LSTM(units, layout="NTC", input_size=features)
        self.lstm.l0_h2h_bias.grad_req = "null"

    def hybrid_forward(self, F, series):
        return F.squeeze(F.slice_axis(self.lstm(series), axis=1, begin=-1, end=None), axis=1)


def make_block(layer):
    kind, shape = layer["kind"], layer["input_shape"]
    if kind == "conv2d":
        return nn.Conv2D(layer["channels"], layer["kernel"], in_channels=shape[0])
    if kind == "relu":
        return nn.Activation("relu")
    if kind == "max-pool2d":
        return nn.MaxPool2D(layer["size"])
    if kind == "flatten":
        return nn.Flatten()
    if kind == "dense":
        return nn.Dense(layer["units"], in_units=shape[0])
    if kind == "lstm":
        return LastOutput(shape[1], layer["units"])
    raise kit.unknown_layer(layer)


def canonical_parameters(layer, block):
    """(canonical name, parameter, whether it is the transpose of the canonical tensor) of one layer."""
    name = layer["id"]
    if layer["kind"] == "lstm":
        yield name + ".kernel", block.lstm.l0_i2h_weight, True
        yield name + ".recurrent", block.lstm.l0_h2h_weight, True
        yield name + ".bias", block.lstm.l0_i2h_bias, False
    elif layer["kind"] in ("conv2d", "dense"):
        yield name + ".weight", block.weight, layer["kind"] == "dense"
        yield name + ".bias", block.bias, False


def find_context(name):
    index = kit.cuda_index(name)
    if name == "cpu":
        return mx.cpu()
    if index is None or index >= mx.context.num_gpus():
        raise kit.no_device(name, "MXNet sees %d GPUs" % mx.context.num_gpus())
    return mx.gpu(index)


class Adapter(kit.Adapter):
    def __init__(self, backend, device, precision, threads):
        kit.require_fp32(precision)  # TF32 is switched off beneath MXNet, by NVIDIA_TF32_OVERRIDE (main.py)
        self.context = find_context(device)
        self.thread_count = threads  # by OMP_NUM_THREADS (main.py); MXNet has no way to ask
        self.result = None

    def build(self, network, weights, batches, mode):
        if mode not in ("imperative", "hybrid"):
            raise kit.unknown_mode("mxnet", mode)
        net = nn.HybridSequential()
        blocks = [make_block(layer) for layer in network["layers"]]
        net.add(*blocks)
        net.initialize(mx.init.Zero(), ctx=self.context)
        self.parameters = [
            parameter
            for layer, block in zip(network["layers"], blocks)
            for parameter in canonical_parameters(layer, block)
        ]
        for name, parameter, transposed in self.parameters:
            array = weights[name]
            parameter.set_data(mx.nd.array(array.T if transposed else array))
        if mode == "hybrid":
            net.hybridize()
        self.net = net
        if network["loss"] == "softmax-cross-entropy":
            self.loss = gluon.loss.SoftmaxCrossEntropyLoss()
        else:
            self.loss = gluon.loss.L2Loss(weight=2.0)  # Gluon's L2 loss is half the squared error
        rate = network["optimiser"]["learning_rate"]
        self.trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": rate})
        self.size = network["batch"]
        inputs = [mx.nd.array(batch, ctx=self.context) for batch in batches["inputs.input"]]
        targets = [mx.nd.array(batch, ctx=self.context) for batch in batches["targets"]]
        self.batches = kit.Cycle(list(zip(inputs, targets)))

    def trace(self, steps):
        return [self._step(x, y).mean().asscalar() for x, y in self.batches.take(steps)]

    def train(self, steps):
        for x, y in self.batches.take(steps):
            self._step(x, y)

    def _step(self, x, y):
        """The loss is one number per sample; `Trainer.step` divides their gradients' sum by the batch size."""
        with autograd.record():
            loss = self.loss(self.net(x), y)
        loss.backward()
        self.trainer.step(self.size)
        return loss

    def infer(self, steps):
        for x, _ in self.batches.take(steps):
            self.result = self.net(x)

    def weights(self):
        arrays = {}
        for name, parameter, transposed in self.parameters:
            array = parameter.data(self.context).asnumpy()
            arrays[name] = numpy.ascontiguousarray(array.T if transposed else array)
        return arrays

    def synchronise(self):
        mx.nd.waitall()

    def threads(self):
        return self.thread_count

    def versions(self):
        return {"mxnet": mx.__version__}
