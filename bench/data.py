"""What workloads train on: made data of the right shape, or the user's own MNIST and Beijing PM2.5 files.

Both sources give samples for ever (`take`): made ones are drawn anew from their seed, files start over at their end.
Inputs, by name, are float32 in the layout of the workload (`bench.workload`), or int32 token numbers; targets are int32
class numbers or float32 values.
"""

import csv
import gzip
import math
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bench.files import is_special
from bench.parity import STEPS
from bench.records import Record
from bench.reference import Reference, Samples, train
from bench.tensors import Array, write_tensors
from bench.workload import (
    INPUT,
    BatchNorm,
    Embedding,
    Input,
    LayerNorm,
    Recurrence,
    Workload,
    inputs,
    network,
    output_shape,
    state_shapes,
    weight_shapes,
)
from knowledge.faults import BadInput, Fault

MNIST_IMAGES: Final = ("train-images-idx3-ubyte", "train-images.idx3-ubyte")
MNIST_LABELS: Final = ("train-labels-idx1-ubyte", "train-labels.idx1-ubyte")
_IDX_IMAGES, _IDX_LABELS = 0x0803, 0x0801  # unsigned bytes in three dimensions and in one (LeCun's IDX format)
_MOST_PIXELS = 1_000_000 * 28 * 28  # far beyond MNIST's 60,000 images; a header that claims more is refused unread

PM25_COLUMNS: Final = ("pm2.5", "DEWP", "TEMP", "PRES", "cbwd", "Iws", "Is", "Ir")
PM25_WINDS: Final = ("NE", "NW", "SE", "cv")
PM25_NUMBERS: Final = tuple(column for column in PM25_COLUMNS if column != "cbwd")
_MISSING = "NA"
_MOST_FAULTS = 20  # of one file; more than anybody mends in one go
_LONGEST_CSV = 64 * 1024 * 1024  # bytes; the UCI file has two million
_LARGEST_VALUE = 1e6  # a thousand times the largest of the UCI file, 1,046 hPa

USERS: Final = ("mnist", "pm25")
"""Data sets that the user's own files of can be read."""

NOISE: Final = 0.5
"""Share of noise in made samples: the classes stay learnable, and no two values of a window are equal by accident."""

_MOST_BLOCKS = 8
"""A made pattern has at most so many blocks a side, of 4 pixels at least: large images stay cheap to keep."""


def make_weights(workload: Workload, seed: int) -> dict[str, Array]:
    """Initial weights and state, float32, canonical layout: Glorot & Bengio's (2010) uniform kernels.

    Biases are drawn as well, from -0.1 to 0.1, so that a candidate that loses or misplaces one is found out; so are
    the scales of normalisation, and batch-norm's stored variances, from 0.5 to 1.5. The matrix of a recurrence is
    orthogonal: what runs through it any number of times keeps its size (Saxe, McClelland & Ganguli 2014). Embeddings
    lie between -0.05 and 0.05, Keras's default: engines that subtract a word's gradients one occurrence at a time
    round as often, and large weights round coarsely.
    """
    random = np.random.default_rng([seed, 1])
    normal = {layer.id for layer in workload.layers if isinstance(layer, LayerNorm | BatchNorm)}
    loops = {layer.id for layer in workload.layers if isinstance(layer, Recurrence)}
    tables = {layer.id for layer in workload.layers if isinstance(layer, Embedding)}
    weights: dict[str, Array] = {}
    for name, shape in (weight_shapes(workload) | state_shapes(workload)).items():
        layer, _, tensor = name.partition(".")
        if layer in loops and len(shape) == 2:
            factor, triangle = np.linalg.qr(random.normal(size=shape))
            made = factor * np.sign(np.diag(triangle))
        elif layer in normal and tensor in ("weight", "variance"):
            made = random.uniform(0.5, 1.5, shape)
        else:
            limit = 0.05 if layer in tables else _limit(shape)
            made = random.uniform(-limit, limit, shape)
        weights[name] = made.astype(np.float32)
    return weights


def _limit(shape: tuple[int, ...]) -> float:
    if len(shape) == 1:
        return 0.1
    if len(shape) == 4:  # convolution kernel: out, in, height, width
        return math.sqrt(6 / ((shape[0] + shape[1]) * shape[2] * shape[3]))
    return math.sqrt(6 / (shape[0] + shape[1]))


class MadeClasses:
    """Made samples of a classification task: one smooth pattern per class, half hidden in noise.

    Values are -1 to 1; of token numbers half are the class's own. Where every position of a series is classified, each
    belongs to the class one further than the position before it.
    """

    def __init__(self, given: Mapping[str, Input], output: tuple[int, ...], seed: int) -> None:
        self._random = np.random.default_rng([seed, 2])
        self._given = given
        *self._positions, self._classes = output
        self._patterns = {name: self._pattern(one) for name, one in given.items()}

    def _pattern(self, given: Input) -> Array:
        """Of every class: tokens, or the values of blocks."""
        if given.tokens is not None:
            return self._random.integers(given.tokens, size=(self._classes, *given.shape), dtype=np.int32)
        blocks = [-(-length // block) for length, block in zip(given.shape, _blocks(given.shape), strict=True)]
        return self._random.uniform(-1, 1, (self._classes, *blocks))

    def take(self, count: int) -> tuple[dict[str, Array], Array]:
        classes = self._random.integers(self._classes, size=count, dtype=np.int32)
        taken = {name: self._sample(name, classes) for name in self._given}
        if not self._positions:
            return taken, classes
        steps = np.arange(self._positions[0], dtype=np.int32)
        return taken, (classes[:, None] + steps) % np.int32(self._classes)

    def _sample(self, name: str, classes: Array) -> Array:
        given = self._given[name]
        pattern: Array = self._patterns[name][classes]
        if given.tokens is not None:
            noise = self._random.integers(given.tokens, size=pattern.shape, dtype=np.int32)
            return np.where(self._random.random(pattern.shape) < NOISE, noise, pattern)
        for axis, (length, block) in enumerate(zip(given.shape, _blocks(given.shape), strict=True), start=1):
            pattern = np.repeat(pattern, block, axis=axis).take(range(length), axis=axis)
        hidden_in = self._random.uniform(-1, 1, pattern.shape)
        return ((1 - NOISE) * pattern + NOISE * hidden_in).astype(np.float32)


def _blocks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Length of a pattern's blocks along each axis; the channels of an image are apart."""
    lengths = tuple(max(4, -(-length // _MOST_BLOCKS)) for length in shape)
    return (1, *lengths[1:]) if len(shape) == 3 else lengths


class MadeText:
    """Made text, to predict the next token of: half of the time each token has one fixed successor, else any."""

    def __init__(self, name: str, length: int, tokens: int, seed: int) -> None:
        self._random = np.random.default_rng([seed, 2])
        self._name, self._length, self._tokens = name, length, tokens
        self._successor = self._random.permutation(tokens).astype(np.int32)

    def take(self, count: int) -> tuple[dict[str, Array], Array]:
        text = self._random.integers(self._tokens, size=(count, self._length + 1), dtype=np.int32)
        follows = self._random.random(text.shape) >= NOISE
        for place in range(1, self._length + 1):
            text[:, place] = np.where(follows[:, place], self._successor[text[:, place - 1]], text[:, place])
        return {self._name: text[:, :-1]}, text[:, 1:]


class MadeValues:
    """Made samples of a regression task: uniform inputs from 0 to 1; targets are fixed linear maps of them, bent."""

    def __init__(self, given: Mapping[str, Input], outputs: int, seed: int) -> None:
        self._random = np.random.default_rng([seed, 2])
        self._given = given
        width = sum(math.prod(one.shape) for one in given.values())
        self._map = self._random.normal(size=(width, outputs)) / math.sqrt(width)

    def take(self, count: int) -> tuple[dict[str, Array], Array]:
        taken: dict[str, Array] = {}
        shares = []
        for name, given in self._given.items():
            drawn = self._random.random((count, *given.shape)).astype(np.float32)
            taken[name] = drawn if given.tokens is None else (drawn * given.tokens).astype(np.int32) % given.tokens
            shares.append(drawn.reshape(count, -1) - 0.5)
        targets = 0.5 + 0.5 * np.tanh(np.concatenate(shares, axis=1) @ self._map * 3)
        return taken, targets.astype(np.float32)


class Stored:
    """Samples of one input from memory, in their order, for ever."""

    def __init__(self, inputs: Array, targets: Array, name: str = INPUT) -> None:
        self.inputs, self.targets = inputs, targets
        self._name = name
        self._next = 0

    def take(self, count: int) -> tuple[dict[str, Array], Array]:
        places = (self._next + np.arange(count)) % len(self.inputs)
        self._next = int(self._next + count) % len(self.inputs)
        return {self._name: self.inputs[places]}, self.targets[places]


def made_samples(workload: Workload, seed: int) -> Samples:
    """Made samples of the workload's shape; the same seed gives the same ones."""
    given, output = inputs(workload), output_shape(workload)
    if workload.loss == "mse":
        return MadeValues(given, output[0], seed)
    (name, first), *others = given.items()
    if not others and first.tokens is not None and (*first.shape, first.tokens) == output:
        return MadeText(name, first.shape[0], first.tokens, seed)
    return MadeClasses(given, output, seed)


def user_samples(workload: Workload, path: Path) -> Samples:
    """Samples from the user's own files for the workload's data set.

    Args:
        workload: says which data set, and the shapes it has to have.
        path: for `mnist` the folder with the training images and labels (IDX, plain or .gz), or the images file; for
            `pm25` the UCI CSV file, or its folder.

    Raises:
        BadInput: the files are not there, are not what they should be, or do not fit the workload.
    """
    if workload.data not in USERS:
        told = f"{workload.id} trains on made data; own files are read for {' and '.join(USERS)}"
        raise BadInput([Fault(str(path), None, "", told, "leave --data out")])
    (name, given), *others = inputs(workload).items()
    if others or given.tokens is not None:
        told = f"{workload.id} takes {', '.join(inputs(workload))}; the file holds one input of numbers"
        raise BadInput([Fault(str(path), None, "", told, "leave --data out")])
    samples = read_mnist(path) if workload.data == "mnist" else read_pm25(path, history=given.shape[0])
    samples = Stored(samples.inputs, samples.targets, name)
    found, wanted = samples.inputs.shape[1:], given.shape
    if found != wanted:
        told = f"its samples are {_by(found)}, {workload.id} takes {_by(wanted)}"
        raise BadInput([Fault(str(path), None, "", told, "use the original files")])
    classes = output_shape(workload)[-1]
    if workload.loss == "softmax-cross-entropy" and int(samples.targets.max()) >= classes:
        told = f"it has a label {int(samples.targets.max())}, {workload.id} knows {classes} classes"
        raise BadInput([Fault(str(path), None, "", told, "use the original files")])
    return samples


class PreparedData(Record, frozen=True):
    """What the workers of one workload are built from and held against.

    Attributes:
        network_json, weights_manifest, batches_manifest: the files a `bench.protocol.Build` names.
        made: whether the data was made, not the user's.
    """

    network_json: Path
    weights_manifest: Path
    batches_manifest: Path
    reference: Reference
    made: bool


def prepare(workload: Workload, seed: int, folder: Path, data: Path | None = None) -> PreparedData:
    """Make weights and batches, train the reference on them, and write what workers read into `folder`.

    Takes seconds (15 for mnist-cnn, 0.6 for pm25-lstm): the reference decides which samples have safe margins.

    Args:
        workload: with the batch size to use.
        seed: of the weights and of made data.
        folder: an existing folder; file names start with the workload's id.
        data: the user's own files (`user_samples`), or None for made data.

    Raises:
        BadInput: `data` cannot be used.
        OSError: the folder cannot be written to.
    """
    samples = made_samples(workload, seed) if data is None else user_samples(workload, data)
    # One BLAS thread: the products are small, and on a busy machine OpenBLAS's threads wait for one another so long
    # that pm25-lstm takes 7 s instead of 0.2 (two cores, load 6).
    with threadpool_limits(1, "blas"):
        reference = train(workload, make_weights(workload, seed), samples, STEPS)
    prepared = PreparedData(
        network_json=folder / f"{workload.id}-network.json",
        weights_manifest=folder / f"{workload.id}-weights.json",
        batches_manifest=folder / f"{workload.id}-batches.json",
        reference=reference,
        made=data is None,
    )
    prepared.network_json.write_bytes(msgspec.json.encode(network(workload)))
    write_tensors(prepared.weights_manifest, reference.weights)
    write_tensors(
        prepared.batches_manifest,
        {
            **{f"inputs.{name}": batches for name, batches in reference.inputs.items()},
            "targets": reference.targets,
            **{f"steps.{name}": lengths for name, lengths in reference.steps.items()},
        },
    )
    return prepared


# --- MNIST -----------------------------------------------------------------------------------------------------------


def read_mnist(path: Path) -> Stored:
    """MNIST's training set: inputs (n, 1, height, width) from 0 to 1, targets (n,).

    Raises:
        BadInput: see `user_samples`.
    """
    if is_special(path):  # a pipe or a device might never end
        raise BadInput([Fault(str(path), None, "", "is no ordinary file", "name the folder of the MNIST files")])
    if not path.exists():
        raise BadInput([Fault(str(path), None, "", "there is no such folder", "name the folder of the MNIST files")])
    folder, images = (path, None) if path.is_dir() else (path.parent, path)
    images = images or _find(folder, MNIST_IMAGES)
    labels = _find(folder, MNIST_LABELS)
    faults: list[Fault] = []
    pixels = _read_idx(images, _IDX_IMAGES, faults)
    classes = _read_idx(labels, _IDX_LABELS, faults)
    if pixels is not None and classes is not None:
        if len(pixels) != len(classes):
            told = f"{len(pixels)} images, but {len(classes)} labels in {labels.name}"
            faults.append(Fault(str(images), None, "", told, "take both files of one set"))
        elif len(pixels) == 0:
            faults.append(Fault(str(images), None, "", "holds no images", "use the original files"))
        elif classes.max() > 9:
            where = int(np.argmax(classes > 9))
            told = f"label {classes[where]} of image {where} is not a digit"
            faults.append(Fault(str(labels), None, "", told, "use the original files"))
    if faults or pixels is None or classes is None:
        raise BadInput(faults)
    return Stored((pixels[:, None] / np.float32(255)).astype(np.float32), classes.astype(np.int32))


def _find(folder: Path, names: Sequence[str]) -> Path:
    """The file of one of these names in `folder`, plain or compressed."""
    for name in names:
        for candidate in (folder / name, folder / f"{name}.gz"):
            if candidate.is_file():
                return candidate
    mend = f"put {names[0]} or {names[0]}.gz there, or name its folder"
    raise BadInput([Fault(str(folder), None, "", f"there is no {names[0]} here", mend)])


def _read_idx(path: Path, magic: int, faults: list[Fault]) -> Array | None:
    """The array in an IDX file of unsigned bytes; None, and a fault more, when it is not one."""
    dimensions = magic & 0xFF
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(4 + 4 * dimensions)
            found = int.from_bytes(head[:4], "big")
            if found != magic:
                raise _Unusable(f"is no IDX file of the right kind (magic number {found:#010x}, not {magic:#010x})")
            if len(head) < 4 + 4 * dimensions:
                raise _Unusable(f"ends after {len(head)} bytes, within its header")
            shape = struct.unpack(f">{dimensions}I", head[4:])
            if math.prod(shape) > _MOST_PIXELS:
                raise _Unusable(f"claims {_by(shape)} values, more than any MNIST")
            size = math.prod(shape)
            data = file.read(size + 1)
    except _Unusable as unusable:
        faults.append(Fault(str(path), None, "", str(unusable), "download it again"))
        return None
    except (OSError, EOFError, zlib.error) as error:
        faults.append(Fault(str(path), None, "", f"cannot be read: {_reason(error)}", "download it again"))
        return None
    if len(data) != size:
        more = "more" if len(data) > size else f"only {len(data)}"
        told = f"its header promises {size} bytes and it has {more}"
        faults.append(Fault(str(path), None, "", told, "download it again"))
        return None
    return np.frombuffer(data, np.uint8).reshape(shape)


class _Unusable(Exception):
    """A file that is not what it should be, in words."""


# --- Beijing PM2.5 ---------------------------------------------------------------------------------------------------


def read_pm25(path: Path, history: int = 24) -> Stored:
    """The UCI Beijing PM2.5 file: inputs (n, history, 8), targets (n, 1), the concentration one hour later.

    Every column is scaled from its least to its greatest value onto 0 to 1; wind directions are numbered in
    alphabetical order. Hours without a concentration (5 % of the file) belong to no sample.

    Raises:
        BadInput: see `user_samples`.
    """
    file = _find_csv(path) if path.is_dir() else path
    faults: list[Fault] = []
    table = np.array(list(_pm25_rows(file, faults)), dtype=np.float64)
    if faults:
        raise BadInput(faults)
    if len(table) <= history:
        told = f"holds {len(table)} hours; one sample needs {history + 1}"
        raise BadInput([Fault(str(file), None, "", told, "use the whole file")])
    low, high = np.nanmin(table, axis=0, initial=np.inf), np.nanmax(table, axis=0, initial=-np.inf)
    scaled = (table - low) / np.where(high > low, high - low, 1)
    hours = np.lib.stride_tricks.sliding_window_view(scaled, history + 1, axis=0).transpose(0, 2, 1)
    whole = hours[~np.isnan(hours[..., 0]).any(axis=1)].astype(np.float32)
    if not len(whole):
        told = f"no {history + 1} hours in a row have a concentration"
        raise BadInput([Fault(str(file), None, "pm2.5", told, "use the whole file")])
    return Stored(whole[:, :-1], whole[:, -1, :1])


def _find_csv(folder: Path) -> Path:
    found = sorted(folder.glob("PRSA_data*.csv")) or sorted(folder.glob("*.csv"))
    if len(found) == 1:
        return found[0]
    told = "there is no .csv file here" if not found else f"there are {len(found)} .csv files here"
    mend = "unpack the archive from UCI, and name PRSA_data_2010.1.1-2014.12.31.csv"
    raise BadInput([Fault(str(folder), None, "", told, mend)])


def _pm25_rows(path: Path, faults: list[Fault]) -> Iterator[list[float]]:
    """The rows of `PM25_COLUMNS`, a missing concentration as NaN; faults, with their lines, go into `faults`."""
    try:
        if is_special(path):  # a pipe or a device might never end
            faults.append(Fault(str(path), None, "", "is no ordinary file", "name the file from UCI"))
            return
        if path.stat().st_size > _LONGEST_CSV:
            faults.append(Fault(str(path), None, "", "is larger than 64 MiB", "name the file from UCI"))
            return
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.reader(text.splitlines(), strict=True)
        header = [name.strip() for name in next(reader, [])]
        missing = [column for column in PM25_COLUMNS if column not in header]
        if missing:
            told = f"the header lacks {', '.join(missing)}"
            faults.append(Fault(str(path), 1, "", told, "name the CSV file of UCI's Beijing PM2.5 data"))
            return
        places = {column: header.index(column) for column in PM25_COLUMNS}
        for row in reader:
            if len(faults) >= _MOST_FAULTS:
                faults.append(Fault(str(path), None, "", "has more faults; the rest was not read", ""))
                return
            if len(row) != len(header):
                told = f"has {len(row)} columns, the header {len(header)}"
                faults.append(Fault(str(path), reader.line_num, "", told, "mend or remove the line"))
            else:
                cells = {column: row[place].strip() for column, place in places.items()}
                yield list(_pm25_values(cells, path, reader.line_num, faults))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.append(Fault(str(path), None, "", f"cannot be read: {_reason(error)}", "download it again"))


def _pm25_values(cells: dict[str, str], path: Path, line: int, faults: list[Fault]) -> Iterable[float]:
    for column, cell in cells.items():
        value = math.nan
        if column == "cbwd" and cell in PM25_WINDS:
            value = PM25_WINDS.index(cell)
        elif column != "cbwd":
            with suppress(ValueError):
                value = float(cell)
        if abs(value) <= _LARGEST_VALUE or (column == "pm2.5" and cell == _MISSING):
            yield value
        else:
            number = "a number" if not math.isfinite(value) else f"a number below {_LARGEST_VALUE:,.0f} in size"
            wanted = f"one of {', '.join(PM25_WINDS)}" if column == "cbwd" else number
            faults.append(Fault(str(path), line, column, f"{cell[:40]!r} is not {wanted}", "mend or remove the line"))
            yield math.nan


def _by(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape))


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__
