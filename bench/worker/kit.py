"""What adapters need besides their framework: refusals, tensors, layouts. Standard library only, Python 3.6 to 3.14.

`main.py` makes this module importable as `advisor_kit` (and `runtimes.py` as `advisor_runtimes`) before it loads an
adapter. An adapter is a file with a class
`Adapter`; the base class below says what it has to provide. NumPy is imported on first use, so that importing a
framework is timed with all that it brings.
"""

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
    or "mps". All methods may raise `Refused`.
    """

    def __init__(self, backend, device, precision, threads):
        raise NotImplementedError

    def build(self, network, weights, batches, mode):
        """Build `network` (see `bench.workload.network`) with `weights`, and put every batch on the device once.

        weights: name -> float32 array, canonical layout (see `bench.protocol`). batches: "inputs" of shape
        (batches, batch, ...) and "targets" of shape (batches, batch) int32 or (batches, batch, outputs) float32.
        Train, infer and trace cycle through them.
        """
        raise NotImplementedError

    def trace(self, steps):
        """Train `steps` steps; the loss of each, before its update, as Python floats."""
        raise NotImplementedError

    def weights(self):
        """Name -> float32 NumPy array in the canonical layout, as they are now."""
        raise NotImplementedError

    def train(self, steps):
        """Train `steps` steps as the framework's own documentation would, without waiting for the device."""
        raise NotImplementedError

    def infer(self, steps):
        """`steps` forward passes in inference mode, without waiting for the device."""
        raise NotImplementedError

    def synchronise(self):
        """Return when everything asked for so far has been computed."""
        raise NotImplementedError

    def threads(self):
        """How many threads the framework says it computes with."""
        raise NotImplementedError

    def memory(self):
        """Peak bytes of the framework's own allocator on the accelerator; None where there is none."""

    def notes(self):
        """What a reader of the result should know: graph breaks, recompilations, defaults that were resolved."""
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


def require_fp32(precision):
    """Refuse every precision but fp32."""
    if precision != "fp32":
        raise Refused("precision", "%s is not built yet" % precision, "use --precision fp32")


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


def dense_inputs(network):
    """Id of each dense layer -> (channels, height, width) of the image its input was flattened from.

    The canonical kernel's rows are in that order; an engine that keeps channels last flattens in another.
    """
    image = None
    result = {}
    for layer in network["layers"]:
        if layer["kind"] == "flatten" and len(layer["input_shape"]) == 3:
            image = tuple(layer["input_shape"])
        elif layer["kind"] == "dense":
            if image is not None:
                result[layer["id"]] = image
            image = None
    return result


def rows_channels_last(kernel, image):
    """Canonical dense kernel (C H W, out) -> rows in height, width, channel order."""
    channels, height, width = image
    return kernel.reshape(channels, height, width, -1).transpose(1, 2, 0, 3).reshape(kernel.shape)


def rows_channels_first(kernel, image):
    """The inverse of `rows_channels_last`."""
    channels, height, width = image
    return kernel.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)


def images_channels_last(inputs, network):
    """Batches of images (..., C, H, W) -> (..., H, W, C); anything else as it is."""
    if len(network["input"]) != 3:
        return inputs
    import numpy

    return numpy.ascontiguousarray(numpy.moveaxis(inputs, -3, -1))


class Cycle(object):
    """Items in turn, for ever, going on where the last call stopped."""

    def __init__(self, items):
        self._items = itertools.cycle(items)

    def take(self, count):
        """An iterator over the next `count` items."""
        return itertools.islice(self._items, count)
