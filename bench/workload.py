"""Workloads: networks as data. Each is one YAML file, its name is the workload's id; a user's own folder works too.

A network is a list of layers in the order of computation, each fed by earlier ones (`from`; the one before when it
says nothing). The records say what is computed; shapes and counts follow from them: workers get the network as JSON
with every layer's shapes resolved (`network`), the float64 reference interprets the same records (`bench.reference`).
"""

from collections import Counter
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
from knowledge.reader import Steps, convert, did_you_mean, read

SCHEMA = "advisor/workload/1"
NETWORK_SCHEMA = "advisor/network/2"
INPUT = "input"
"""What the only input is called where a workload just gives its shape."""

Count = Annotated[int, Meta(ge=1, le=2**24)]
Times = Annotated[int, Meta(ge=1, le=10_000)]
Identifier = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$")]
Shape: TypeAlias = tuple[int, ...]
InputShape = Annotated[tuple[Count, ...], Meta(min_length=1, max_length=3)]


class _Layer(Record, frozen=True, kw_only=True, tag_field="kind"):
    """A layer.

    Attributes:
        id: names its tensors ("<id>.weight").
        sources: the layers or inputs it takes, in order; `from` in the file. None: the layer before; for the first
            layer the only input.
        trained: whether its weights are updated; those of a frozen layer stay as they were handed over.
    """

    id: Identifier
    sources: tuple[Identifier, ...] | None = msgspec.field(name="from", default=None)
    trained: bool = True


class Conv2d(_Layer, frozen=True, tag="conv2d"):
    """2-D cross-correlation; zeros are added on all four sides."""

    channels: Count
    kernel: Count
    stride: Count = 1
    padding: Annotated[int, Meta(ge=0, le=2**12)] = 0
    bias: bool = True


class Relu(_Layer, frozen=True, tag="relu"):
    """max(x, 0)."""


class Tanh(_Layer, frozen=True, tag="tanh"):
    """The hyperbolic tangent."""


class Silu(_Layer, frozen=True, tag="silu"):
    """x sigmoid(x) (Elfwing et al. 2018; Ramachandran et al. 2017 call it swish)."""


class Gelu(_Layer, frozen=True, tag="gelu"):
    """x Phi(x), Phi the normal distribution function: the exact form, not the tanh one (Hendrycks & Gimpel 2016)."""


class MaxPool2d(_Layer, frozen=True, tag="max-pool2d"):
    """Maximum over size x size windows, stride = size; a remainder at the edge is dropped."""

    size: Count


class Mean(_Layer, frozen=True, tag="mean"):
    """The mean over all places: of each channel of an image, of each feature of a series."""


class Flatten(_Layer, frozen=True, tag="flatten"):
    """One vector per sample, in channel, height, width order."""


class Tokens(_Layer, frozen=True, tag="tokens"):
    """An image as a series of its places, row by row: (C, H, W) -> (H W, C)."""


class Dense(_Layer, frozen=True, tag="dense"):
    """x W + b, of a vector or of each position of a series."""

    units: Count
    bias: bool = True


class Embedding(_Layer, frozen=True, tag="embedding"):
    """One learned vector of `units` features per token number below `tokens`."""

    tokens: Count
    units: Count


class Positions(_Layer, frozen=True, tag="positions"):
    """Adds a learned vector at each position of a series."""


class LayerNorm(_Layer, frozen=True, tag="layer-norm"):
    """Each vector less its mean, over its standard deviation, then scaled and shifted (Ba et al. 2016)."""


class BatchNorm(_Layer, frozen=True, tag="batch-norm"):
    """Each channel less its mean, over its standard deviation, then scaled and shifted (Ioffe & Szegedy 2015).

    Training takes both from the batch (the biased variance), inference from the stored state. How an engine moves
    its running statistics is its own affair: the state is handed over and never compared.
    """


class Attention(_Layer, frozen=True, tag="attention"):
    """Multi-head self-attention (Vaswani et al. 2017): q, k, v, in that order, from one product, each in `heads` parts.

    causal: no position looks at a later one.
    """

    heads: Count
    causal: bool = False


class Lstm(_Layer, frozen=True, tag="lstm"):
    """Hochreiter & Schmidhuber's LSTM with forget gate (Gers et al. 2000), no peepholes; the last output only."""

    units: Count


class Recurrence(_Layer, frozen=True, tag="recurrence"):
    """T times h = h W + b, from the input h. `steps` gives T, batch by batch, over and over."""

    steps: Annotated[tuple[Times, ...], Meta(min_length=1)]


class Add(_Layer, frozen=True, tag="add"):
    """The sum of two equal shapes, element by element."""


class Concat(_Layer, frozen=True, tag="concat"):
    """Two vectors, one after the other."""


Layer: TypeAlias = (
    Conv2d
    | Relu
    | Tanh
    | Silu
    | Gelu
    | MaxPool2d
    | Mean
    | Flatten
    | Tokens
    | Dense
    | Embedding
    | Positions
    | LayerNorm
    | BatchNorm
    | Attention
    | Lstm
    | Recurrence
    | Add
    | Concat
)


class Input(Record, frozen=True):
    """What a sample brings.

    Attributes:
        shape: (channels, height, width), (time, features) or (features,).
        tokens: given, the values are int32 token numbers below it; else they are float32.
    """

    shape: InputShape
    tokens: Count | None = None


class Sgd(Record, frozen=True, tag_field="kind", tag="sgd"):
    """Plain gradient descent: w - learning_rate * gradient.

    The shipped rates are large, as far as training stays stable over the steps that are compared: a float32 weight
    holds an update the better, the larger it is. Speed does not depend on them.
    """

    learning_rate: Annotated[float, Meta(gt=0, le=10)]


class Workload(Record, frozen=True, kw_only=True):
    """One network with its data, loss, optimiser and batch.

    Attributes:
        data: the data set its batches look like (`bench.data`).
        epoch_samples: training samples of that data set.
        epochs: how long the run it re-creates was; None where there is none.
        usual: whether it runs when none is named.
        input: the shape of the only input, where there is one; its name is then "input".
        inputs: name -> input, instead of `input`.
    """

    schema: Literal["advisor/workload/1"]
    name: Text
    stands_for: Text
    source: str
    data: Literal["mnist", "pm25", "cifar10", "daquar", "made"]
    epoch_samples: Count
    epochs: Count | None = None
    usual: bool = False
    batch: Count
    input: InputShape | None = None
    inputs: dict[Identifier, Input] = {}
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


def inputs(workload: Workload) -> dict[str, Input]:
    """Name -> input, whichever way the workload gives them."""
    return workload.inputs if workload.input is None else {INPUT: Input(shape=workload.input)}


def sources(workload: Workload) -> dict[str, tuple[str, ...]]:
    """Id of each layer -> the layers and inputs it takes, in computation order."""
    return {layer.id: names for layer, names in zip(workload.layers, _taken(workload), strict=True)}


def shapes(workload: Workload) -> dict[str, Shape]:
    """Shape of one sample of every input, then after every layer, by name.

    Raises:
        ValueError: a layer cannot take what it is given.
    """
    result: dict[str, Shape] = {name: given.shape for name, given in inputs(workload).items()}
    taken = sources(workload)
    for layer in workload.layers:
        result[layer.id] = _output(layer, [result[name] for name in taken[layer.id]])
    return result


def output_shape(workload: Workload) -> Shape:
    """Shape of one sample of the output: what the last layer hands on."""
    return shapes(workload)[workload.layers[-1].id]


def weight_shapes(workload: Workload) -> dict[str, Shape]:
    """Name -> shape of every weight, trained or frozen, in the canonical layout (`bench.protocol`), in layer order."""
    return {name: shape for layer, before, _ in _around(workload) for name, shape in _weights(layer, before).items()}


def state_shapes(workload: Workload) -> dict[str, Shape]:
    """Name -> shape of what is handed over with the weights but not learned: the statistics of batch-norm."""
    return {
        f"{layer.id}.{name}": (before[0],)
        for layer, before, _ in _around(workload)
        if isinstance(layer, BatchNorm)
        for name in ("mean", "variance")
    }


def trained_weights(workload: Workload) -> frozenset[str]:
    """Names of the weights that training updates."""
    return frozenset(
        name for layer, before, _ in _around(workload) if layer.trained for name in _weights(layer, before)
    )


def parameters(workload: Workload) -> int:
    """Number of weights, frozen ones included."""
    return sum(prod(shape) for shape in weight_shapes(workload).values())


def trained_parameters(workload: Workload) -> int:
    """Number of weights that training updates."""
    trained = trained_weights(workload)
    return sum(prod(shape) for name, shape in weight_shapes(workload).items() if name in trained)


def flops_per_sample(workload: Workload) -> int:
    """Floating-point operations of one sample's forward pass, in convolutions and matrix products only.

    A multiplication and an addition count as two. Element-wise work, biases and pooling are left out, as is usual
    (Kaplan et al. 2020, section 2.1). Attention counts whole, causal or not; a recurrence counts its mean T.
    """
    return sum(_flops(layer, before, after) for layer, before, after in _around(workload))


def training_flops_per_sample(workload: Workload) -> int:
    """The same for one sample's part of a training step.

    As much again for the gradient of a layer's weights, and for that of its input; the first only where the layer is
    trained, the second only where something before it is, or where its own earlier steps need it.
    """
    learns = learning(workload)
    taken = sources(workload)
    total = 0
    for layer, before, after in _around(workload):
        trained = layer.trained and bool(_weights(layer, before))
        inward = any(learns[name] for name in taken[layer.id])
        inward |= trained and isinstance(layer, Lstm | Recurrence | Attention)
        total += _flops(layer, before, after) * (1 + trained + inward)
    return total


def learning(workload: Workload) -> dict[str, bool]:
    """Name of each input and layer -> whether it or anything before it is trained, so that a gradient goes there."""
    result = dict.fromkeys(inputs(workload), False)
    taken = sources(workload)
    for layer, before, _ in _around(workload):
        trained = layer.trained and bool(_weights(layer, before))
        result[layer.id] = trained or any(result[name] for name in taken[layer.id])
    return result


def steps_of(workload: Workload, batch: int) -> dict[str, int]:
    """Id of each recurrence -> its T for batch number `batch` (from 0)."""
    return {
        layer.id: layer.steps[batch % len(layer.steps)] for layer in workload.layers if isinstance(layer, Recurrence)
    }


def network(workload: Workload) -> dict[str, Any]:
    """What a worker is told: plain JSON data, every layer with what it takes and its shapes per sample."""
    known = shapes(workload)
    taken = sources(workload)
    return {
        "schema": NETWORK_SCHEMA,
        "workload": workload.id,
        "batch": workload.batch,
        "inputs": {
            name: {"shape": list(given.shape), "dtype": "float32" if given.tokens is None else "int32"}
            for name, given in inputs(workload).items()
        },
        "loss": workload.loss,
        "optimiser": msgspec.to_builtins(workload.optimiser),
        "layers": [
            {
                **msgspec.to_builtins(layer),
                "from": list(taken[layer.id]),
                "input_shapes": [list(known[name]) for name in taken[layer.id]],
                "input_shape": list(known[taken[layer.id][0]]),
                "output_shape": list(known[layer.id]),
            }
            for layer in workload.layers
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


def _around(workload: Workload) -> Iterator[tuple[Layer, Shape, Shape]]:
    """Every layer with the shape of the first thing it takes and of what it hands on."""
    known, taken = shapes(workload), sources(workload)
    for layer in workload.layers:
        yield layer, known[taken[layer.id][0]], known[layer.id]


def _taken(workload: Workload) -> list[tuple[str, ...]]:
    """What each layer takes; also where two layers have one id."""
    before = [tuple(inputs(workload)), *((layer.id,) for layer in workload.layers)]
    return [
        names if layer.sources is None else layer.sources for layer, names in zip(workload.layers, before, strict=False)
    ]


def _kind(layer: Layer) -> str:
    return str(type(layer).__struct_config__.tag)


def _by(shape: Shape) -> str:
    return " x ".join(map(str, shape))


def _output(layer: Layer, given: Sequence[Shape]) -> Shape:
    """What a layer hands on.

    Raises:
        ValueError: it cannot take `given`.
    """
    wanted = 2 if isinstance(layer, Add | Concat) else 1
    if len(given) != wanted:
        raise ValueError(f"{_kind(layer)} takes {wanted}, not {len(given)}, of the layers before it")
    if isinstance(layer, Add | Concat):
        one, other = given
        if isinstance(layer, Add) and one == other:
            return one
        if isinstance(layer, Concat) and len(one) == len(other) == 1:
            return (one[0] + other[0],)
        raise ValueError(f"{_kind(layer)} cannot take inputs of shape {_by(one)} and {_by(other)}")
    return _output_of_one(layer, given[0])


def _output_of_one(layer: Layer, shape: Shape) -> Shape:
    match layer, shape:
        case Conv2d(channels=channels, kernel=k, stride=stride, padding=pad), (_, height, width) if (
            min(height, width) + 2 * pad >= k
        ):
            return (channels, (height + 2 * pad - k) // stride + 1, (width + 2 * pad - k) // stride + 1)
        case MaxPool2d(size=size), (channels, height, width) if min(height, width) >= size:
            return (channels, height // size, width // size)
        case ((Relu() | Tanh() | Silu() | Gelu()), _):
            return shape
        case (LayerNorm(), (_,) | (_, _)) | (BatchNorm(), (_,) | (_, _, _)) | (Positions(), (_, _)):
            return shape
        case Attention(heads=heads), (_, features):
            if features % heads:
                raise ValueError(f"attention cannot split {features} features into {heads} heads")
            return shape
        case Mean(), (features, _, _) | (_, features):
            return (features,)
        case Flatten(), _:
            return (prod(shape),)
        case Tokens(), (channels, height, width):
            return (height * width, channels)
        case Dense(units=units), (_,):
            return (units,)
        case (Dense(units=units), (time, _)) | (Embedding(units=units), (time,)):
            return (time, units)
        case Lstm(units=units), (_, _):
            return (units,)
        case Recurrence(), (_,):
            return shape
    raise ValueError(f"{_kind(layer)} cannot take an input of shape {_by(shape)}")


def _weights(layer: Layer, shape: Shape) -> dict[str, Shape]:
    match layer:
        case Conv2d(channels=channels, kernel=k, bias=bias):
            kernel = {f"{layer.id}.weight": (channels, shape[0], k, k)}
            return kernel | ({f"{layer.id}.bias": (channels,)} if bias else {})
        case Dense(units=units, bias=bias):
            return {f"{layer.id}.weight": (shape[-1], units)} | ({f"{layer.id}.bias": (units,)} if bias else {})
        case Embedding(tokens=tokens, units=units):
            return {f"{layer.id}.weight": (tokens, units)}
        case Positions():
            return {f"{layer.id}.weight": shape}
        case LayerNorm():
            return {f"{layer.id}.weight": shape[-1:], f"{layer.id}.bias": shape[-1:]}
        case BatchNorm():
            return {f"{layer.id}.weight": shape[:1], f"{layer.id}.bias": shape[:1]}
        case Attention():
            features = shape[-1]
            return {
                f"{layer.id}.qkv.weight": (features, 3 * features),
                f"{layer.id}.qkv.bias": (3 * features,),
                f"{layer.id}.out.weight": (features, features),
                f"{layer.id}.out.bias": (features,),
            }
        case Lstm(units=units):
            return {
                f"{layer.id}.kernel": (shape[1], 4 * units),
                f"{layer.id}.recurrent": (units, 4 * units),
                f"{layer.id}.bias": (4 * units,),
            }
        case Recurrence():
            return {f"{layer.id}.weight": (shape[0], shape[0]), f"{layer.id}.bias": shape}
    return {}


def _flops(layer: Layer, before: Shape, after: Shape) -> int:
    match layer:
        case Conv2d(kernel=k):
            return 2 * prod(after) * before[0] * k * k
        case Dense(units=units):
            return 2 * prod(before) * units
        case Lstm(units=units):
            time, features = before
            return 2 * time * (features + units) * 4 * units
        case Attention():
            time, features = before
            return 2 * time * features * (3 * features + features) + 2 * 2 * time * time * features
        case Recurrence(steps=steps):
            return round(2 * before[0] * before[0] * sum(steps) / len(steps))
    return 0


def _misfits(workload: Workload) -> Iterator[tuple[Steps, str, str]]:
    """(path, problem, mend) of whatever the types alone cannot exclude."""
    given = inputs(workload)
    if not given:
        yield ("input",), "is missing", "give `input: [...]`, or `inputs` with a name for each"
        return
    if workload.input is not None and workload.inputs:
        yield ("inputs",), "stands beside `input`", "keep one of the two"
        return
    known: dict[str, Shape | None] = {name: one.shape for name, one in given.items()}  # None: it has a fault itself
    taken = _taken(workload)
    for index, (layer, names) in enumerate(zip(workload.layers, taken, strict=True)):
        path = ("layers", index)
        faults = list(_layer_misfits(layer, names, known, given))
        for where, problem, mend in faults:
            yield (*path, *where), problem, mend
        shape = None
        feeding = [known.get(name) for name in names]
        if not faults and all(one is not None for one in feeding):
            try:
                shape = _output(layer, [one for one in feeding if one is not None])
            except ValueError as error:
                yield path, str(error), "change this layer or the ones before it"
        known[layer.id] = shape
    yield from _network_misfits(workload, taken, known[workload.layers[-1].id])


def _layer_misfits(
    layer: Layer, taken: tuple[str, ...], known: dict[str, Shape | None], given: dict[str, Input]
) -> Iterator[tuple[Steps, str, str]]:
    """What is wrong with one layer apart from its shapes; `known` are the inputs and layers before it."""
    if layer.id in known:
        yield ("id",), f"{layer.id!r} is used twice", "give every layer and input its own id"
    if layer.sources is None and len(taken) > 1:
        yield (), "does not say which of the inputs it takes", f"add `from: [{taken[0]}]`"
        return
    for place, name in enumerate(taken):
        if name not in known:
            yield ("from", place), f"{name!r} is no input and no layer before this one", did_you_mean(name, known)
            return
    tokens = [name for name in taken if name in given and given[name].tokens is not None]
    if isinstance(layer, Embedding):
        numbers = given[taken[0]].tokens if tokens else None
        if numbers is None:
            yield (), "embedding takes token numbers", "let it take an input that has `tokens`"
        elif numbers > layer.tokens:
            problem = f"knows {layer.tokens} tokens; {taken[0]} has {numbers}"
            yield ("tokens",), problem, f"write {numbers} in both places"
    elif tokens:
        yield (), f"{_kind(layer)} cannot take token numbers ({tokens[0]})", "put an embedding between"
    if isinstance(layer, BatchNorm) and not layer.trained:
        problem = "frameworks disagree about what a frozen batch-norm computes"
        yield ("trained",), problem, "leave it trained, or use layer-norm"


def _network_misfits(
    workload: Workload, taken: Sequence[tuple[str, ...]], last: Shape | None
) -> Iterator[tuple[Steps, str, str]]:
    """What is wrong with the network as a whole; `last` is what it hands on, None when that is not known."""
    used = Counter(name for names in taken for name in names)
    for name in inputs(workload):
        if not used[name]:
            yield ("inputs", name), "no layer takes it", "remove it, or name it in a layer's `from`"
    for index, layer in enumerate(workload.layers[:-1]):
        if not used[layer.id]:
            yield ("layers", index), "nothing takes what it hands on", "remove it, or name it in a later layer's `from`"
    if last is None:
        return
    if len(last) > (2 if workload.loss == "softmax-cross-entropy" else 1):
        yield ("layers",), f"the last layer hands on {_by(last)}", "end with a dense layer"
    elif not trained_weights(workload):
        yield ("layers",), "nothing in this network is trained", "add a layer with weights"
