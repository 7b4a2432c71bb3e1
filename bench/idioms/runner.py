"""Runs idioms inside a framework's environment and writes down what they compute. Standard library and NumPy only.

Started as `python -I runner.py JOB.json` by the environment's interpreter (Python 3.6 to 3.14), one process for many
workloads. The job: {"weights": path of `weights/<framework>.py`, "results": path to write, "trials": [{"workload",
"idiom", "network", "tensors", "batches", "folder"}]}, all paths; `tensors` is the manifest of the canonical weights.
Each trial writes `outputs.json` (predict before any training) and `first_update.json` into its folder; the results
are {workload: {"losses": [...], "error": null or a traceback}}.

Idioms know nothing of canonical weights. `weights/<framework>.py` says what a model is made of:

    CHANNELS_LAST    whether images, and what is flattened from them, have their channels last
    BACKBONE         name of a file of weights, with the suffix the framework wants
    parts(model, layers)    yields (kind, {suffix: (read, write)}) in the model's own order; `read()` gives and
                     `write(array)` takes the canonical layout, rows of flattened images apart (that is done here).
                     `layers` are the workload's, for engines that cannot tell from the model
    save(model, path)    writes a file of weights as the framework does

Parts and layers of a kind are matched in their order. A part may have no more tensors than its canonical layer: what
is left over (an LSTM's second bias vector) is set to zero and frozen by `parts`. A recurrence is a dense part;
positions may be an embedding; attention may be two dense parts, queries, keys and values in one and the output.
"""

import importlib.util
import json
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
STATE = ("mean", "variance")  # of batch-norm: handed over, never compared
WEIGHTLESS = frozenset("relu tanh silu gelu max-pool2d mean flatten tokens add concat".split())
STAND_INS = {"recurrence": ("dense",), "positions": ("embedding",), "attention": ("dense", "dense")}
ATTENTION = ("qkv", "out")


def load(name, path):
    """The module in `path`, importable as `name` from now on."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def match(parts, layers):
    """Canonical name -> (read, write) for every tensor of `layers`.

    Raises ValueError where the model has too few or too many parts of a kind.
    """
    waiting = {}
    for kind, tensors in parts:
        waiting.setdefault(kind, []).append(tensors)
    result = {}
    for layer in layers:
        kind, name = layer["kind"], layer["id"]
        if kind in WEIGHTLESS:
            continue
        kinds = (kind,) if waiting.get(kind) else STAND_INS.get(kind, (kind,))
        for place, wanted in enumerate(kinds):
            if not waiting.get(wanted):
                raise ValueError("the model has no %s for the layer %s" % (wanted, name))
            prefix = "%s.%s" % (name, ATTENTION[place]) if len(kinds) > 1 else name
            for suffix, access in waiting[wanted].pop(0).items():
                result["%s.%s" % (prefix, suffix)] = access
    extra = sorted(kind for kind, left in waiting.items() if left)
    if extra:
        raise ValueError("the model has more parts than the workload: %s" % ", ".join(extra))
    return result


class Trial(object):
    """One idiom with its workload."""

    def __init__(self, kit, weights, job):
        import numpy

        self.kit, self.weights, self.numpy, self.job = kit, weights, numpy, job
        self.idiom = load("idiom_" + job["workload"].replace("-", "_"), job["idiom"])
        with open(job["network"], encoding="utf-8") as file:
            self.network = json.load(file)
        self.layers = self.network["layers"]
        self.frozen = [layer for layer in self.layers if not layer.get("trained", True)]
        tensors = kit.Tensors(job["tensors"])
        self.tensors = {name: tensors[name] for name in tensors}
        self.orders = kit.orders_channels_last(self.network) if weights.CHANNELS_LAST else {}
        self.batches = self.make_batches(kit.Tensors(job["batches"]))
        self.rate = self.network["optimiser"]["learning_rate"]

    def make_batches(self, manifest):
        inputs = {}
        for name, given in self.network["inputs"].items():
            array = manifest["inputs." + name]
            inputs[name] = self.kit.channels_last(array, given["shape"]) if self.weights.CHANNELS_LAST else array
        targets = manifest["targets"]
        changing = [layer["id"] for layer in self.layers if len(set(layer.get("steps", ()))) > 1]
        steps = [manifest["steps." + name] for name in changing]
        return [
            (self.only({name: array[place] for name, array in inputs.items()}), targets[place])
            + tuple(int(array[place]) for array in steps)
            for place in range(len(targets))
        ]

    @staticmethod
    def only(inputs):
        return next(iter(inputs.values())) if len(inputs) == 1 else inputs

    def run(self):
        """The losses; outputs and first update go into the trial's folder."""
        outputs = self.predict(self.make_model())
        self.kit.write_tensors(os.path.join(self.job["folder"], "outputs.json"), {"outputs": outputs})
        model = self.make_model()
        self.idiom.train(model, self.batches[:1], self.rate)
        names = [name for name in self.tensors if name.rpartition(".")[2] not in STATE]
        updated = self.read(model, self.layers)
        first_update = {name: updated[name] for name in names}
        self.kit.write_tensors(os.path.join(self.job["folder"], "first_update.json"), first_update)
        losses = [float(loss) for loss in self.idiom.train(self.make_model(), self.batches, self.rate)]
        if len(losses) != len(self.batches):
            raise ValueError("train gave %d losses for %d batches" % (len(losses), len(self.batches)))
        return losses

    def make_model(self):
        """A new model with the canonical weights; the frozen ones are loaded by the idiom itself, and checked."""
        if not self.frozen:
            model = self.idiom.build()
            self.predict(model)  # some engines learn their shapes from the first batch
        else:
            path = os.path.join(self.job["folder"], self.weights.BACKBONE)
            backbone = self.idiom.backbone()
            self.settle(backbone)
            self.write(backbone, self.frozen)
            self.weights.save(backbone, path)
            model = self.idiom.build(path)
            self.predict(model)
            for name, array in self.read(model, self.layers).items():
                loaded = name.partition(".")[0] in {layer["id"] for layer in self.frozen}
                if loaded and not self.numpy.array_equal(array, self.tensors[name]):
                    raise ValueError("build has not loaded %s from its file" % name)
        self.write(model, self.layers)
        return model

    def settle(self, backbone):
        """Call a backbone once on the first inputs."""
        settle = getattr(self.weights, "settle", None)
        if settle is not None:
            settle(backbone, self.batches[0][0])

    def predict(self, model):
        batch = self.batches[0]
        return self.numpy.asarray(self.idiom.predict(model, batch[0], *batch[2:]), dtype="float32")

    def write(self, model, layers):
        for name, (read, write) in match(self.weights.parts(model, layers), layers).items():
            array = self.tensors[name]
            found = tuple(read().shape)
            if found != array.shape:
                raise ValueError("%s has shape %r in the model, not %r" % (name, found, array.shape))
            write(self.rows(name, array, self.kit.in_order))

    def read(self, model, layers):
        return {
            name: self.rows(name, self.numpy.array(read(), dtype="float32"), self.kit.back_in_order)
            for name, (read, _) in match(self.weights.parts(model, layers), layers).items()
        }

    def rows(self, name, array, arrange):
        """A dense kernel on a flattened image, its rows put in order; any other tensor as it is."""
        layer, _, suffix = name.rpartition(".")
        return arrange(array, self.orders[layer]) if suffix == "weight" and layer in self.orders else array


def main(job_path):
    with open(job_path, encoding="utf-8") as file:
        job = json.load(file)
    kit = load("advisor_kit", os.path.join(os.path.dirname(HERE), "worker", "kit.py"))
    weights = load("advisor_weights", job["weights"])
    results = {}
    for trial in job["trials"]:
        try:
            result = {"losses": Trial(kit, weights, trial).run(), "error": None}
        except Exception:  # a fault of one idiom leaves the others their turn
            result = {"losses": [], "error": traceback.format_exc()}
        results[trial["workload"]] = result
    with open(job["results"], "w", encoding="utf-8") as file:
        json.dump(results, file)


if __name__ == "__main__":
    main(sys.argv[1])
