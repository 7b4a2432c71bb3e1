"""Workloads: networks as data. Each is one YAML file, its name is the workload's id; a user's own folder works too.

The records say what is computed; shapes and counts follow from them: workers get the network as JSON with every
layer's shapes resolved (`network`), the float64 reference interprets the same records (`bench.reference`).
"""

from collections.abc import Iterator, Sequence
from importlib.resources import files
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from bench.records import Record
from knowledge.faults import BadInput, Fault
from knowledge.model import Text
from knowledge.reader import convert, read

SCHEMA = "advisor/workload/1"
NETWORK_SCHEMA = "advisor/network/1"

Count = Annotated[int, Meta(ge=1, le=2**24)]
Identifier = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]
Shape: TypeAlias = tuple[int, ...]


class _Layer(Record, frozen=True, tag_field="kind"):
    """A layer; `id` names its tensors ("<id>.weight")."""

    id: Identifier


class Conv2d(_Layer, frozen=True, tag="conv2d"):
    """2-D cross-correlation, stride 1, no padding, with a bias."""

    channels: Count
    kernel: Count


class Relu(_Layer, frozen=True, tag="relu"):
    """max(x, 0)."""


class MaxPool2d(_Layer, frozen=True, tag="max-pool2d"):
    """Maximum over size x size windows, stride = size; a remainder at the edge is dropped."""

    size: Count


class Flatten(_Layer, frozen=True, tag="flatten"):
    """One vector per sample, in channel, height, width order."""


class Dense(_Layer, frozen=True, tag="dense"):
    """x W + b."""

    units: Count


class Lstm(_Layer, frozen=True, tag="lstm"):
    """Hochreiter & Schmidhuber's LSTM with forget gate (Gers et al. 2000), no peepholes; the last output only."""

    units: Count


Layer: TypeAlias = Conv2d | Relu | MaxPool2d | Flatten | Dense | Lstm


class Sgd(Record, frozen=True, tag_field="kind", tag="sgd"):
    """Plain gradient descent: w - learning_rate * gradient."""

    learning_rate: Annotated[float, Meta(gt=0, le=10)]


class Workload(Record, frozen=True):
    """One network with its data, loss, optimiser and batch.

    Attributes:
        data: the data set its batches look like (`bench.data`).
        epoch_samples: training samples of that data set.
        input: shape of one sample: (channels, height, width) or (time, features).
    """

    schema: Literal["advisor/workload/1"]
    name: Text
    stands_for: Text
    source: str
    data: Literal["mnist", "pm25"]
    epoch_samples: Count
    batch: Count
    input: Annotated[tuple[Count, ...], Meta(min_length=1, max_length=3)]
    loss: Literal["softmax-cross-entropy", "mse"]
    optimiser: Sgd
    layers: Annotated[tuple[Layer, ...], Meta(min_length=1)]
    id: str = ""  # the file's name


def load_workloads(folders: Sequence[Path] = ()) -> dict[str, Workload]:
    """The workloads of this package and of the user's own `folders`, by id; a later folder replaces an earlier id.

    Raises:
        BadInput: a file is not a workload, or a folder cannot be read; every fault of every file is in it.
    """
    faults: list[Fault] = []
    workloads: dict[str, Workload] = {}
    for path in _workload_files(folders, faults):
        try:
            workload = read_workload(path)
        except BadInput as bad:
            faults.extend(bad.faults)
        else:
            workloads[workload.id] = workload
    if faults:
        raise BadInput(faults)
    return workloads


def read_workload(path: Path) -> Workload:
    """The workload in `path`.

    Raises:
        BadInput: the file is not a workload, or its layers do not fit one another.
    """
    document = read(path)
    workload = msgspec.structs.replace(convert(document, Workload), id=path.stem)
    faults = [document.fault(*misfit) for misfit in _misfits(workload)]
    if faults:
        raise BadInput(faults)
    return workload


def shapes(workload: Workload) -> tuple[Shape, ...]:
    """Shape of one sample before the first layer and after each: len(layers) + 1 shapes.

    Raises:
        ValueError: a layer cannot take what the one before it hands on.
    """
    result: list[Shape] = [workload.input]
    for layer in workload.layers:
        result.append(_output(layer, result[-1]))
    return tuple(result)


def weight_shapes(workload: Workload) -> dict[str, Shape]:
    """Name -> shape of every trained tensor in the canonical layout (`bench.protocol`), in layer order."""
    return {
        name: shape
        for layer, before in zip(workload.layers, shapes(workload), strict=False)
        for name, shape in _weights(layer, before).items()
    }


def parameters(workload: Workload) -> int:
    """Number of trained parameters."""
    return sum(prod(shape) for shape in weight_shapes(workload).values())


def flops_per_sample(workload: Workload) -> int:
    """Floating-point operations of one sample's forward pass, in convolutions and matrix products only.

    A multiplication and an addition count as two. Element-wise work, biases and pooling are left out, as is usual
    (Kaplan et al. 2020, section 2.1). A training step takes about three times as many.
    """
    around = shapes(workload)
    return sum(
        _flops(layer, before, after) for layer, before, after in zip(workload.layers, around, around[1:], strict=False)
    )


def network(workload: Workload) -> dict[str, Any]:
    """What a worker is told: plain JSON data, every layer with its `input_shape` and `output_shape` per sample."""
    around = shapes(workload)
    return {
        "schema": NETWORK_SCHEMA,
        "workload": workload.id,
        "batch": workload.batch,
        "input": list(workload.input),
        "loss": workload.loss,
        "optimiser": msgspec.to_builtins(workload.optimiser),
        "layers": [
            {**msgspec.to_builtins(layer), "input_shape": list(before), "output_shape": list(after)}
            for layer, before, after in zip(workload.layers, around, around[1:], strict=False)
        ],
    }


def _workload_files(folders: Sequence[Path], faults: list[Fault]) -> Iterator[Path]:
    yield from _yaml_in(Path(str(files("bench") / "workloads")))
    for folder in folders:
        try:
            yield from _yaml_in(folder)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            faults.append(Fault(str(folder), None, "", f"cannot be read: {reason}", "name a folder of .yaml files"))


def _yaml_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix == ".yaml")


def _output(layer: Layer, shape: Shape) -> Shape:
    match layer, shape:
        case Conv2d(channels=channels, kernel=k), (_, height, width) if min(height, width) >= k:
            return (channels, height - k + 1, width - k + 1)
        case MaxPool2d(size=size), (channels, height, width) if min(height, width) >= size:
            return (channels, height // size, width // size)
        case Relu(), _:
            return shape
        case Flatten(), _:
            return (prod(shape),)
        case Dense(units=units), (_,):
            return (units,)
        case Lstm(units=units), (_, _):
            return (units,)
    kind = msgspec.to_builtins(layer)["kind"]
    raise ValueError(f"{kind} cannot take an input of shape {' x '.join(map(str, shape))}")


def _weights(layer: Layer, shape: Shape) -> dict[str, Shape]:
    match layer:
        case Conv2d(channels=channels, kernel=k):
            return {f"{layer.id}.weight": (channels, shape[0], k, k), f"{layer.id}.bias": (channels,)}
        case Dense(units=units):
            return {f"{layer.id}.weight": (shape[0], units), f"{layer.id}.bias": (units,)}
        case Lstm(units=units):
            return {
                f"{layer.id}.kernel": (shape[1], 4 * units),
                f"{layer.id}.recurrent": (units, 4 * units),
                f"{layer.id}.bias": (4 * units,),
            }
    return {}


def _flops(layer: Layer, before: Shape, after: Shape) -> int:
    match layer:
        case Conv2d(kernel=k):
            return 2 * prod(after) * before[0] * k * k
        case Dense():
            return 2 * before[0] * after[0]
        case Lstm(units=units):
            time, features = before
            return 2 * time * (features + units) * 4 * units
    return 0


def _misfits(workload: Workload) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """(path, problem, mend) of whatever the types alone cannot exclude."""
    ids = [layer.id for layer in workload.layers]
    for index, layer in enumerate(workload.layers):
        if layer.id in ids[:index]:
            yield ("layers", index, "id"), f"{layer.id!r} is used twice", "give every layer its own id"
    shape: Shape = workload.input
    for index, layer in enumerate(workload.layers):
        try:
            shape = _output(layer, shape)
        except ValueError as error:
            yield ("layers", index), str(error), "change this layer or the ones before it"
            return
    if len(shape) != 1:
        yield ("layers",), f"the last layer hands on {' x '.join(map(str, shape))}", "end with a dense layer"
    elif not weight_shapes(workload):
        yield ("layers",), "nothing in this network is trained", "add a layer with weights"
