"""PyTorch: the network as nn.Module, trained by torch.optim.SGD. Modes: eager, compile (torch.compile, defaults)."""

# ruff: noqa: B905  (zip has no `strict` before Python 3.10)
import os
import shutil
import sys
import sysconfig

import advisor_kit as kit
import advisor_runtimes as runtimes
import torch
from torch import nn
from torch.nn import functional as F


class LastOutput(nn.Module):
    """An LSTM that hands on its last output. nn.LSTM has a second bias vector; it stays zero and is not trained."""

    def __init__(self, features, units):
        super().__init__()
        self.lstm = nn.LSTM(features, units, batch_first=True)
        self.lstm.bias_hh_l0.requires_grad_(False).zero_()

    def forward(self, series):
        return self.lstm(series)[0][:, -1]


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3) if x.dim() == 4 else 1)


class Tokens(nn.Module):
    def forward(self, images):
        return images.flatten(2).transpose(1, 2)


class Positions(nn.Module):
    def __init__(self, time, features):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(time, features))

    def forward(self, series):
        return series + self.weight


class SelfAttention(nn.Module):
    def __init__(self, features, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(features, 3 * features)
        self.out = nn.Linear(features, features)

    def forward(self, series):
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.qkv(series).chunk(3, dim=2))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(mixed.transpose(1, 2).flatten(2))


class Recurrence(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.linear = nn.Linear(features, features)

    def forward(self, hidden, steps):
        for _ in range(steps):
            hidden = self.linear(hidden)
        return hidden


class Add(nn.Module):
    def forward(self, one, other):
        return one + other


class Concat(nn.Module):
    def forward(self, one, other):
        return torch.cat((one, other), dim=1)


class Graph(nn.Module):
    """A network whose layers do not just follow one another."""

    def __init__(self, network, modules):
        super().__init__()
        self.modules_in_order = nn.ModuleList(modules)
        self.inputs = kit.input_names(network)
        self.steps = [
            (layer["id"], module, names, finished)
            for module, (layer, names, finished) in zip(modules, kit.plan(network))
        ]

    def forward(self, *values):
        return kit.walk(self.steps, zip(self.inputs, values))


SIMPLE = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "mean": Mean,
    "flatten": nn.Flatten,
    "tokens": Tokens,
    "add": Add,
    "concat": Concat,
}


def make_module(layer):
    kind, shape = layer["kind"], layer["input_shape"]
    if kind in SIMPLE:
        return SIMPLE[kind]()
    if kind == "conv2d":
        return nn.Conv2d(
            shape[0], layer["channels"], layer["kernel"], layer["stride"], layer["padding"], bias=layer["bias"]
        )
    if kind == "max-pool2d":
        return nn.MaxPool2d(layer["size"])
    if kind == "dense":
        return nn.Linear(shape[-1], layer["units"], bias=layer["bias"])
    if kind == "embedding":
        return nn.Embedding(layer["tokens"], layer["units"])
    if kind == "positions":
        return Positions(*shape)
    if kind == "layer-norm":
        return nn.LayerNorm(shape[-1], eps=1e-5)
    if kind == "batch-norm":
        return (nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d)(shape[0], eps=1e-5)
    if kind == "attention":
        return SelfAttention(shape[1], layer["heads"], layer["causal"])
    if kind == "lstm":
        return LastOutput(shape[1], layer["units"])
    if kind == "recurrence":
        return Recurrence(shape[0])
    raise kit.unknown_layer(layer)


def canonical_tensors(layer, module):
    """(name after the layer's id, tensor, whether it is the transpose of the canonical one) of one layer's weights."""
    kind = layer["kind"]
    if kind == "lstm":
        lstm = module.lstm
        return [
            ("kernel", lstm.weight_ih_l0, True),
            ("recurrent", lstm.weight_hh_l0, True),
            ("bias", lstm.bias_ih_l0, False),
        ]
    if kind == "attention":
        return [
            ("qkv.weight", module.qkv.weight, True),
            ("qkv.bias", module.qkv.bias, False),
            ("out.weight", module.out.weight, True),
            ("out.bias", module.out.bias, False),
        ]
    if kind == "recurrence":
        module = module.linear
    found = [("weight", getattr(module, "weight", None), isinstance(module, nn.Linear))]
    found.append(("bias", getattr(module, "bias", None), False))
    return [entry for entry in found if entry[1] is not None]


def load_weights(layer, module, weights):
    """Give one layer its canonical weights, and batch normalisation its state."""
    with torch.no_grad():
        for name, tensor, transposed in canonical_tensors(layer, module):
            given = torch.from_numpy(weights[layer["id"] + "." + name])
            tensor.copy_(given.T if transposed else given)
        if layer["kind"] == "batch-norm":
            module.running_mean.copy_(torch.from_numpy(weights[layer["id"] + ".mean"]))
            module.running_var.copy_(torch.from_numpy(weights[layer["id"] + ".variance"]))
    if not layer["trained"]:
        module.requires_grad_(False)


def make_loss(network):
    if network["loss"] == "mse":
        return nn.MSELoss()
    loss = nn.CrossEntropyLoss()
    if len(network["layers"][-1]["output_shape"]) == 1:
        return loss
    return lambda outputs, targets: loss(outputs.flatten(0, 1), targets.flatten())


def require_compiler():
    """torch.compile writes C++ for the CPU and needs Python's headers; it looks for the compiler as here."""
    compiler = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(compiler.split()[0]) is None:
        raise kit.Refused(
            "compiler",
            "torch.compile needs a C++ compiler and there is no %s" % compiler,
            "install one (Debian, Ubuntu: apt install g++; macOS: xcode-select --install)",
        )
    headers = os.path.join(sysconfig.get_paths()["include"], "Python.h")
    if not os.path.exists(headers):
        raise kit.Refused(
            "compiler",
            "torch.compile needs Python's headers and there is no Python.h",
            "install them (Debian, Ubuntu: apt install python3-dev) or use a Python that brings them",
        )


class Compilations(object):
    """What Dynamo has compiled since this was made. It is imported here: that takes as long as PyTorch itself."""

    def __init__(self):
        from torch._dynamo import reset, utils

        reset()  # Dynamo counts and caches by code, and that is the same for every network
        utils.counters.clear()
        utils.clear_compilation_metrics()
        self._utils = utils

    def again(self):
        """Compilations of code that had been compiled before. Dynamo numbers them "function/time", from 0."""
        done = [metrics for metrics in self._utils.get_compilation_metrics() if metrics.fail_type is None]
        return sum(not identity.endswith("/0") for identity in {str(metrics.compile_id) for metrics in done})

    def graph_breaks(self):
        return sum(self._utils.counters["graph_break"].values())

    def notes(self):
        counters = self._utils.counters
        graphs = counters["stats"]["unique_graphs"]
        notes = ["torch.compile: %d graph breaks, %d graphs" % (self.graph_breaks(), graphs)]
        if counters["aot_autograd"]["autograd_cache_hit"] or counters["inductor"]["fxgraph_cache_hit"]:
            notes.append("torch.compile: compiled code came from its cache, the first step was shorter for it")
        if any("limit exceeded" in reason for reason in counters["unimplemented"]):
            notes.append(
                "torch.compile: its limit of compilations of one function was reached, the rest ran uncompiled"
            )
        return notes


class Adapter(kit.Adapter):
    def __init__(self, backend, device, precision, threads):
        self.runtime = runtimes.Torch(device, precision, threads)
        self.compilations = None
        self.mixed = precision == "bf16"
        if self.mixed:
            self._require_bfloat16()

    def _require_bfloat16(self):
        one = torch.ones(8, 8, device=self.runtime.device)
        found = self._try_mixed("torch.autocast", lambda: one @ one).dtype
        if found != torch.bfloat16:
            raise kit.Refused("precision", "torch.autocast computes in %s" % found, "use --precision fp32")

    def _require_bfloat16_lstm(self):
        """oneDNN has the LSTM in bfloat16 only for CPUs with instructions for it, and says so when it runs."""
        lstm = nn.LSTM(8, 8, batch_first=True).to(self.runtime.device)
        series = torch.zeros(2, 2, 8, device=self.runtime.device)
        self._try_mixed("nn.LSTM under torch.autocast", lambda: lstm(series))
        with torch.inference_mode():
            self._try_mixed("nn.LSTM under torch.autocast", lambda: lstm(series))

    def _try_mixed(self, what, call):
        try:
            with self._mixed_precision():
                return call()
        except RuntimeError as error:
            raise kit.Refused("precision", "%s: %s" % (what, error), "use --precision fp32") from None

    def _mixed_precision(self):
        return torch.autocast(self.runtime.device.type, torch.bfloat16)

    def build(self, network, weights, batches, mode):
        if mode not in ("eager", "compile"):
            raise kit.unknown_mode("pytorch", mode)
        if mode == "compile":
            require_compiler()
        if self.mixed and any(layer["kind"] == "lstm" for layer in network["layers"]):
            self._require_bfloat16_lstm()
        modules = [make_module(layer) for layer in network["layers"]]
        for layer, module in zip(network["layers"], modules):
            load_weights(layer, module, weights)
        self.parameters = [
            (layer["id"] + "." + name, tensor, transposed)
            for layer, module in zip(network["layers"], modules)
            for name, tensor, transposed in canonical_tensors(layer, module)
        ]
        model = nn.Sequential(*modules) if kit.is_chain(network) else Graph(network, modules)
        self.network = network
        self.module = model.to(self.runtime.device)
        self.loss = make_loss(network)
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.SGD(trained, lr=network["optimiser"]["learning_rate"])
        self.compilations = Compilations() if mode == "compile" else None
        self.model = self.forward = model
        if self.compilations:
            self.model = torch.compile(model)
            # A function of its own, so that its first compilation is not counted as training's second.
            self.forward = torch.compile(lambda *values: model(*values))
        self.feed(batches)

    def feed(self, batches):
        arrays = kit.read_batches(self.network, batches)
        host = [
            ([torch.from_numpy(x) for x in inputs], self._labels(torch.from_numpy(targets)), steps)
            for inputs, targets, steps in arrays
        ]
        on_device = [self._move(batch) for batch in host]
        self.first = on_device[0]
        self.batches = kit.Cycle(on_device)
        self.host = None if self.runtime.device.type == "cpu" else kit.Cycle(host)

    def _labels(self, targets):
        return targets.long() if self.network["loss"] == "softmax-cross-entropy" else targets

    def _move(self, batch):
        inputs, targets, steps = batch
        device = self.runtime.device
        return tuple(x.to(device) for x in inputs) + tuple(steps), targets.to(device)

    def trace(self, steps):
        return [self._step(values, targets).item() for values, targets in self.batches.take(steps)]

    def train(self, steps):
        for values, targets in self.batches.take(steps):
            self._step(values, targets)

    def _step(self, values, targets):
        self.optimiser.zero_grad()
        loss = self._loss_of(values, targets)
        loss.backward()
        self.optimiser.step()
        return loss

    def _loss_of(self, values, targets):
        if not self.mixed:
            return self.loss(self.model(*values), targets)
        with self._mixed_precision():
            return self.loss(self.model(*values), targets)

    def infer(self, steps):
        self.module.eval()
        with torch.inference_mode():
            for values, _ in self.batches.take(steps):
                self._outputs_of(values)
        self.module.train()

    def _outputs_of(self, values):
        if not self.mixed:
            return self.forward(*values)
        with self._mixed_precision():
            return self.forward(*values)

    def predict(self):
        self.module.eval()
        with torch.inference_mode():
            outputs = self._outputs_of(self.first[0])
        self.module.train()
        return outputs.float().cpu().numpy()

    def copy(self, steps):
        if self.host is None:
            return False
        for batch in self.host.take(steps):
            self._move(batch)
        return True

    def gemm(self, size):
        return self.runtime.product(size)

    def weights(self):
        return {
            name: (tensor.T if transposed else tensor).detach().cpu().contiguous().numpy().copy()
            for name, tensor, transposed in self.parameters
        }

    def synchronise(self):
        self.runtime.synchronise()

    def threads(self):
        return self.runtime.threads()

    def memory(self):
        return self.runtime.memory()

    def recompilations(self):
        return self.compilations.again() if self.compilations else None

    def graph_breaks(self):
        return self.compilations.graph_breaks() if self.compilations else None

    def notes(self):
        return self.compilations.notes() if self.compilations else []

    def versions(self):
        return self.runtime.versions()
