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


class LastOutput(nn.Module):
    """An LSTM that hands on its last output. nn.LSTM has a second bias vector; it stays zero and is not trained."""

    def __init__(self, features, units):
        super().__init__()
        self.lstm = nn.LSTM(features, units, batch_first=True)
        self.lstm.bias_hh_l0.requires_grad_(False)

    def forward(self, series):
        return self.lstm(series)[0][:, -1]


def make_module(layer):
    kind, shape = layer["kind"], layer["input_shape"]
    if kind == "conv2d":
        return nn.Conv2d(shape[0], layer["channels"], layer["kernel"])
    if kind == "relu":
        return nn.ReLU()
    if kind == "max-pool2d":
        return nn.MaxPool2d(layer["size"])
    if kind == "flatten":
        return nn.Flatten()
    if kind == "dense":
        return nn.Linear(shape[0], layer["units"])
    if kind == "lstm":
        return LastOutput(shape[1], layer["units"])
    raise kit.unknown_layer(layer)


def canonical_parameters(layer, module):
    """(canonical name, parameter, whether it is the transpose of the canonical tensor) of one layer."""
    name = layer["id"]
    if layer["kind"] == "lstm":
        lstm = module.lstm
        yield name + ".kernel", lstm.weight_ih_l0, True
        yield name + ".recurrent", lstm.weight_hh_l0, True
        yield name + ".bias", lstm.bias_ih_l0, False
    elif layer["kind"] in ("conv2d", "dense"):
        yield name + ".weight", module.weight, layer["kind"] == "dense"
        yield name + ".bias", module.bias, False


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


class Adapter(kit.Adapter):
    def __init__(self, backend, device, precision, threads):
        self.runtime = runtimes.Torch(device, precision, threads)
        self.compiled = False

    def build(self, network, weights, batches, mode):
        if mode not in ("eager", "compile"):
            raise kit.unknown_mode("pytorch", mode)
        if mode == "compile":
            require_compiler()
        modules = [make_module(layer) for layer in network["layers"]]
        self.parameters = [
            parameter
            for layer, module in zip(network["layers"], modules)
            for parameter in canonical_parameters(layer, module)
        ]
        with torch.no_grad():
            for module in modules:
                if isinstance(module, LastOutput):
                    module.lstm.bias_hh_l0.zero_()
            for name, parameter, transposed in self.parameters:
                tensor = torch.from_numpy(weights[name])
                parameter.copy_(tensor.T if transposed else tensor)
        model = nn.Sequential(*modules).to(self.runtime.device)
        self.loss = nn.CrossEntropyLoss() if network["loss"] == "softmax-cross-entropy" else nn.MSELoss()
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.SGD(trained, lr=network["optimiser"]["learning_rate"])
        self.compiled = mode == "compile"
        self.model = torch.compile(model) if self.compiled else model
        inputs = torch.from_numpy(batches["inputs.input"]).to(self.runtime.device)
        targets = torch.from_numpy(batches["targets"])
        if network["loss"] == "softmax-cross-entropy":
            targets = targets.long()
        self.batches = kit.Cycle(list(zip(inputs.unbind(), targets.to(self.runtime.device).unbind())))

    def trace(self, steps):
        return [self._step(inputs, targets).item() for inputs, targets in self.batches.take(steps)]

    def train(self, steps):
        for inputs, targets in self.batches.take(steps):
            self._step(inputs, targets)

    def _step(self, inputs, targets):
        self.optimiser.zero_grad()
        loss = self.loss(self.model(inputs), targets)
        loss.backward()
        self.optimiser.step()
        return loss

    def infer(self, steps):
        self.model.eval()
        with torch.inference_mode():
            for inputs, _ in self.batches.take(steps):
                self.model(inputs)
        self.model.train()

    def weights(self):
        return {
            name: (parameter.T if transposed else parameter).detach().cpu().contiguous().numpy().copy()
            for name, parameter, transposed in self.parameters
        }

    def synchronise(self):
        self.runtime.synchronise()

    def threads(self):
        return self.runtime.threads()

    def memory(self):
        return self.runtime.memory()

    def notes(self):
        if not self.compiled:
            return []
        from torch._dynamo.utils import counters

        breaks = sum(counters["graph_break"].values())
        notes = ["torch.compile: %d graph breaks, %d graphs" % (breaks, counters["stats"]["unique_graphs"])]
        if counters["aot_autograd"]["autograd_cache_hit"] or counters["inductor"]["fxgraph_cache_hit"]:
            notes.append("torch.compile: compiled code came from its cache, the first step was shorter for it")
        return notes

    def versions(self):
        return self.runtime.versions()
