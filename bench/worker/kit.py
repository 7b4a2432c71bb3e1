"""What adapters need besides their framework: refusals, tensors, layouts. Standard library only, Python 3.6 to 3.14.

`main.py` makes this module importable as `advisor_kit` (and `runtimes.py` as `advisor_runtimes`) before it loads an
adapter. An adapter is a file with a class `Adapter`; the base class below says what it has to provide. NumPy is
imported on first use, so that importing a framework is timed with all that it brings.
"""

# ruff: noqa: B905  (zip has no `strict` before Python 3.10)
import itertools
import json
import os
import re

TENSORS_SCHEMA = "advisor/tensors/1"
_DTYPES = {"float32": "<f4", "int32": "<i4"}


class Refused(Exception):
    """A request that cannot be served: one line why, its kind (`bench.protocol.Reply`), and what would mend it."""

    def __init__(self, kind, problem, mend=None):
        super(Refused, self).__init__(problem)
        self.kind = kind
        self.mend = mend


class Adapter(object):
    """One framework behind the protocol. State stays inside; nothing here is called between the steps of a block.

    `__init__` imports the framework and sets threads and precision, reading both back. `device` is "cpu", "cuda:N"
    or "mps"; `precision` "fp32", "tf32" or "bf16". All methods may raise `Refused`. What has a body below may be left
    out, at the price it names.
    """

    copy_included = False  # whether every step copies its batch from the host's memory to the device

    def __init__(self, backend, device, precision, threads):
        raise NotImplementedError

    def build(self, network, weights, batches, mode):
        """Build `network` (see `bench.workload.network`) with `weights`, and `feed` it; afresh, if there was another.

        weights: name -> float32 array, canonical layout (see `bench.protocol`). batches: as in `feed`.
        """
        raise NotImplementedError

    def feed(self, batches):
        """From now on train, infer and trace cycle through these batches, each put on the device once.

        batches: name -> array as in `bench.protocol.Build`; `read_batches` takes it apart. The batch size may be
        another than the network's.
        """
        raise Refused("run", "this adapter keeps the batches it was built with")

    def trace(self, steps):
        """Train `steps` steps; the loss of each, before its update, as Python floats."""
        raise NotImplementedError

    def weights(self):
        """Name -> float32 NumPy array of every weight in the canonical layout, as it is now; frozen ones too."""
        raise NotImplementedError

    def predict(self):
        """What one inference pass over the first batch gives, float32 NumPy array (batch, ...); weights stay."""
        raise Refused("run", "this adapter does not hand out predictions")

    def train(self, steps):
        """Train `steps` steps as the framework's own documentation would, without waiting for the device."""
        raise NotImplementedError

    def infer(self, steps):
        """`steps` forward passes in inference mode, without waiting for the device."""
        raise NotImplementedError

    def copy(self, steps):
        """Copy `steps` batches from the host's memory to the device; False if the device computes in that memory."""
        return False

    def gemm(self, size):
        """A call that multiplies two size x size matrices on the device, in the run's precision, without waiting."""
        raise Refused("run", "this adapter multiplies no matrices of its own")

    def synchronise(self):
        """Return when everything asked for so far has been computed."""
        raise NotImplementedError

    def threads(self):
        """How many threads the framework says it computes with."""
        raise NotImplementedError

    def memory(self):
        """Peak bytes of the framework's own allocator on the accelerator; None where there is none."""

    def recompilations(self):
        """Compilations since `build` beyond the first of each function; None where nothing is ever compiled."""

    def graph_breaks(self):
        """How often a compiler handed back to Python since `build`; None where that does not happen."""

    def notes(self):
        """What a reader of the result should know: defaults that were resolved, what stands in for something."""
        return []

    def versions(self):
        """Package -> version of everything that computes."""
        raise NotImplementedError

    def close(self):
        """Let go of what would outlive the process."""


class Tensors(object):
    """The tensors of one manifest, read when they are asked for: `tensors[name]` is a read-only NumPy array."""

    def __init__(self, manifest):
        with open(manifest, encoding="utf-8") as file:
            document = json.load(file)
        if document["schema"] != TENSORS_SCHEMA:
            raise ValueError("%s is not of schema %s" % (manifest, TENSORS_SCHEMA))
        self._file = os.path.join(os.path.dirname(manifest), document["file"])
        self._entries = {entry["name"]: entry for entry in document["tensors"]}

    def __iter__(self):
        return iter(self._entries)

    def __getitem__(self, name):
        import numpy

        entry = self._entries[name]
        count = 1
        for length in entry["shape"]:
            count *= length
        dtype = numpy.dtype(_DTYPES[entry["dtype"]])
        with open(self._file, "rb") as file:
            file.seek(entry["offset"])
            raw = file.read(count * dtype.itemsize)
        array = numpy.frombuffer(raw, dtype)
        return array.reshape(entry["shape"]).astype(dtype.newbyteorder("="))


def write_tensors(manifest, tensors):
    """Write name -> float32 or int32 array; the manifest comes last, so a reader never finds half a file."""
    entries = []
    offset = 0
    raw = os.path.splitext(manifest)[0] + ".bin"
    with open(raw, "wb") as file:
        for name, tensor in tensors.items():
            chunk = tensor.astype(_DTYPES[tensor.dtype.name]).tobytes()
            entries.append({"name": name, "dtype": tensor.dtype.name, "shape": list(tensor.shape), "offset": offset})
            offset += file.write(chunk)
    with open(manifest, "w", encoding="utf-8") as file:
        json.dump({"schema": TENSORS_SCHEMA, "file": os.path.basename(raw), "tensors": entries}, file)


def require_precision(precision, device, choices):
    """Refuse a precision that is not among the engine's `choices`, and TF32 anywhere but on CUDA."""
    if precision == "tf32" and cuda_index(device) is None:
        raise Refused("precision", "TF32 is a format of NVIDIA GPUs, not of %s" % device, "use --precision fp32")
    if precision not in choices:
        raise Refused("precision", "this engine is not set to %s here" % precision, "use --precision fp32")


def require_fp32(precision):
    """Refuse every precision but fp32."""
    require_precision(precision, "cpu", ("fp32",))


def cuda_index(device):
    """N of "cuda:N"; None for any other device."""
    match = re.match(r"^cuda:(\d+)$", device)
    return int(match.group(1)) if match else None


def no_device(device, found):
    """The refusal for a device that is not there; `found` says what is."""
    return Refused("device", "there is no %s here (%s)" % (device, found), "use --device cpu")


def unknown_mode(framework, mode):
    """The refusal for a mode the adapter does not have."""
    return Refused("build", "%s has no mode %r" % (framework, mode))


def unknown_layer(layer):
    """The refusal for a layer the adapter cannot build."""
    return Refused("build", "this adapter has no layer of kind %r" % layer["kind"])


# --- the network, layer by layer -------------------------------------------------------------------------------------


def input_names(network):
    """What a call of the network takes, in order: its inputs, then "steps.<layer id>" of each recurrence."""
    steps = ["steps." + layer["id"] for layer in network["layers"] if layer["kind"] == "recurrence"]
    return list(network["inputs"]) + steps


def sources(layer):
    """Names of the values a layer takes: layers, inputs, and for a recurrence its number of steps."""
    steps = ["steps." + layer["id"]] if layer["kind"] == "recurrence" else []
    return list(layer["from"]) + steps


def is_chain(network):
    """Whether the network takes one input, and every layer what the one before it hands on: a sequential model."""
    before = input_names(network)
    for layer in network["layers"]:
        if len(before) != 1 or sources(layer) != before:
            return False
        before = [layer["id"]]
    return True


def plan(network):
    """(layer, names of the values it takes, names of the values nobody takes after it), in the order of the layers.

    Values that are let go of as soon as in a hand-written model cost no more memory than there.
    """
    last = {}
    for index, layer in enumerate(network["layers"]):
        for name in sources(layer):
            last[name] = index
    return [
        (layer, sources(layer), sorted(name for name in set(sources(layer)) if last[name] == index))
        for index, layer in enumerate(network["layers"])
    ]


def walk(steps, values):
    """The output of a network. `steps` as of `plan`, with a call in place of each layer, and the layer's own id:
    (id, call, names, finished); `values` are the network's, by the names of `input_names`.
    """
    values = dict(values)
    for name, call, names, finished in steps:
        result = call(*[values[source] for source in names])
        for done in finished:
            del values[done]
        values[name] = result
    return result


def trained(network, name):
    """Whether the layer that the tensor `name` belongs to is trained (others are frozen)."""
    return all(layer.get("trained", True) for layer in network["layers"] if name.startswith(layer["id"] + "."))


def read_batches(network, batches):
    """Every batch as (inputs, targets, steps): a list of arrays in the order of the network's inputs, an array, and a
    list of Python ints, one for each recurrence, in their order.
    """
    names = input_names(network)
    inputs = [batches["inputs." + name] for name in names if name in network["inputs"]]
    steps = [batches[name] for name in names if name not in network["inputs"]]
    targets = batches["targets"]
    return [
        ([array[index] for array in inputs], targets[index], [int(array[index]) for array in steps])
        for index in range(len(targets))
    ]


# --- layouts: engines that keep channels last ------------------------------------------------------------------------

# Layers that hand each value on in its place; a normalisation's weights are in the order of its values.
_IN_PLACE = ("relu", "tanh", "silu", "gelu", "layer-norm", "batch-norm", "flatten")


def channels_last(array, shape):
    """Images (..., C, H, W) -> (..., H, W, C) where `shape`, of one sample, is that of an image; others as they are."""
    if len(shape) != 3:
        return array
    import numpy

    return numpy.ascontiguousarray(numpy.moveaxis(array, -3, -1))


def orders_channels_last(network):
    """Layer id -> order of the vector it takes: `canonical[order]` is what an engine with its channels last has there.

    Such an engine flattens images in another order, so the rows of the next dense kernel (or the values of a
    normalisation) have to follow. Only layers are listed whose vector is in another order.
    """
    import numpy

    handed_on = {}
    result = {}
    for layer in network["layers"]:
        name, kind = layer["id"], layer["kind"]
        given = [handed_on.get(source) for source in layer["from"]]
        if kind == "flatten" and len(layer["input_shape"]) == 3:
            places = numpy.arange(_product(layer["input_shape"])).reshape(layer["input_shape"])
            handed_on[name] = numpy.moveaxis(places, 0, -1).reshape(-1)
        elif all(order is None for order in given):
            continue
        elif kind == "dense":
            result[name] = given[0]
        elif kind in _IN_PLACE:
            result[name] = handed_on[name] = given[0]
        elif kind == "concat":
            pieces, start = [], 0
            for order, shape in zip(given, layer["input_shapes"]):
                pieces.append(start + (numpy.arange(shape[-1]) if order is None else order))
                start += shape[-1]
            handed_on[name] = numpy.concatenate(pieces)
        elif kind == "add" and all(numpy.array_equal(order, given[0]) for order in given):
            handed_on[name] = given[0]
        else:
            raise Refused("build", "%s takes a flattened image in another order" % name, "put a dense layer before it")
    return result


def _product(lengths):
    product = 1
    for length in lengths:
        product *= length
    return product


def in_order(array, order):
    """A canonical tensor, its first axis in an order of `orders_channels_last`."""
    return array[order]


def back_in_order(array, order):
    """The inverse of `in_order`."""
    result = array.copy()
    result[order] = array
    return result


class Cycle(object):
    """Items in turn, for ever, going on where the last call stopped."""

    def __init__(self, items):
        self._items = itertools.cycle(items)

    def take(self, count):
        """An iterator over the next `count` items."""
        return itertools.islice(self._items, count)
