"""The NumPy reference: what every candidate has to compute, step by step, in float64.

Independent of all frameworks: each layer is a function that returns its output and its vector-Jacobian product.
Checked in the tests against numerical derivatives. It computes in the type of the weights it is given, so that the same
code in float32 stands for an honest candidate.

A rounding error can turn a ReLU or a max-pool decision round and send a gradient elsewhere; honest float32 candidates
then differ from the reference as much as faulty ones do. So the batches are put together here, while the reference
trains: a sample enters a batch only if, with the weights of that very step, each decision that can reach the loss has
a margin of more than a share of its layer's scale (METHOD.md, "Fair blocks").

That share is METHOD.md's 1e-4 where enough samples keep it. A large network has so many decisions that hardly any does
(a third of mnist-cnn's samples, one in 30 of vqa-224's): there it is the largest of `MARGINS` that the batch can be
filled with. A decision that turns in a later step cannot be let pass: ReLU and max are continuous, so that its own loss
stays as it is, but the gradient is not, and the next losses have it. With the first batch safe and the others as they
came, float32 differed from the reference by 3e-4 in the losses of vqa-224; with margins in every step by 1e-7.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Protocol, TypeAlias, cast

import msgspec
import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from bench.tensors import Array
from bench.workload import (
    Add,
    Attention,
    BatchNorm,
    Concat,
    Conv2d,
    Dense,
    Embedding,
    Flatten,
    Gelu,
    Layer,
    LayerNorm,
    Lstm,
    MaxPool2d,
    Mean,
    Positions,
    Recurrence,
    Relu,
    Silu,
    Tanh,
    Tokens,
    Workload,
    learning,
    sources,
    state_shapes,
    steps_of,
    trained_weights,
)

Floats: TypeAlias = npt.NDArray[np.floating]
Weights: TypeAlias = Mapping[str, Floats]
Inputs: TypeAlias = Mapping[str, Array]
Gradients: TypeAlias = dict[str, Floats]
Pull: TypeAlias = Callable[[Floats], tuple[tuple[Floats, ...], Gradients]]
"""Vector-Jacobian product: gradient at a layer's output -> gradients at what it took and at its weights."""

MARGINS = (1e-4, 3e-5, 1e-5)
"""Smallest margin of a decision, as a share of the root mean square of the values decided on: the first is METHOD.md's,
some 1,000 float32 rounding errors; the last is still 80."""

TIE = 1e-12
"""Below this share two values of a pooling window are one and the same number: their receptive fields are equal, the
blank border of a digit for instance, so that either way the same gradient reaches every weight."""

MOST_DRAWS = 8
"""Batches drawn to fill one with safe samples: mnist-cnn needs 3 or 4, and every draw costs a forward pass."""

EPSILON = 1e-5
"""Added to the variance by layer-norm and batch-norm: the default of PyTorch and MXNet."""


class Samples(Protocol):
    """An endless supply of samples: `take(n)` gives the next n as (name -> inputs, targets)."""

    def take(self, count: int) -> tuple[dict[str, Array], Array]: ...


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What training with `weights` on the batches gives.

    Attributes:
        inputs: name -> (batches, batch, ...) float32, or int32 where they are token numbers.
        targets: (batches, batch, ...) int32 class numbers or (batches, batch, outputs) float32.
        steps: id of each recurrence -> its T in every batch, (batches,) int32.
        weights: initial weights and state, float32, canonical layout (`bench.protocol`).
        outputs: of the first batch in inference mode, with the initial weights.
        losses: of each step before its update; step k trains on batch k.
        first_update: the weights after the first update, float64; without the state, which is not learned.
        margin: what every decision of the first batch keeps, one of `MARGINS`; None: not even the last.
        safe_steps: from the first, how many steps keep one of `MARGINS`.
    """

    inputs: dict[str, Array]
    targets: Array
    steps: dict[str, Array] = {}
    weights: dict[str, Array]
    outputs: Array
    losses: tuple[float, ...]
    first_update: dict[str, Floats]
    margin: float | None
    safe_steps: int


class Batch(msgspec.Struct, frozen=True):
    """One batch, and the margin that all its samples keep; None where they keep none of those wished for."""

    inputs: dict[str, Array]
    targets: Array
    margin: float | None


def train(workload: Workload, weights: Mapping[str, Array], samples: Samples, steps: int) -> Reference:
    """Train `steps` steps, each on a new batch of `samples` with safe margins where there are any.

    Raises:
        ValueError: `steps` is less than 1.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}")
    now: dict[str, Floats] = {name: tensor.astype(np.float64) for name, tensor in weights.items()}
    lengths = [steps_of(workload, step) for step in range(steps)]
    batches: list[Batch] = []
    losses: list[float] = []
    first_update: dict[str, Floats] = {}
    wanted: Sequence[float] = MARGINS
    for step in range(steps):
        batch = draw(workload, now, samples, lengths[step], wanted)
        # What the first batch did not find is not looked for again: every draw takes its time.
        wanted = [] if batch.margin is None else [margin for margin in wanted if margin <= batch.margin]
        loss, gradients = loss_and_gradients(workload, now, batch.inputs, batch.targets, lengths[step])
        losses.append(loss)
        batches.append(batch)
        now = update(workload, now, gradients)
        first_update = first_update or now
    start = {name: tensor.astype(np.float64) for name, tensor in weights.items()}
    return Reference(
        inputs={name: np.stack([batch.inputs[name] for batch in batches]) for name in batches[0].inputs},
        targets=np.stack([batch.targets for batch in batches]),
        steps={name: np.array([length[name] for length in lengths], np.int32) for name in lengths[0]},
        weights=dict(weights),
        outputs=outputs(workload, start, batches[0].inputs, lengths[0]),
        losses=tuple(losses),
        first_update={name: first_update[name] for name in first_update if name not in state_shapes(workload)},
        margin=batches[0].margin,
        safe_steps=sum(batch.margin is not None for batch in batches),
    )


def update(workload: Workload, weights: Weights, gradients: Gradients) -> dict[str, Floats]:
    """The weights after one step of gradient descent; frozen ones and state stay."""
    rate = workload.optimiser.learning_rate
    trained = trained_weights(workload)
    return {name: tensor - rate * gradients[name] if name in trained else tensor for name, tensor in weights.items()}


def draw(
    workload: Workload,
    weights: Weights,
    samples: Samples,
    steps: Mapping[str, int] | None = None,
    wanted: Sequence[float] = MARGINS,
) -> Batch:
    """A batch of samples that keep the largest margin of `wanted` (in falling order) of which there are enough.

    Args:
        weights: the margins are those with these weights.
        steps: id of each recurrence -> its T.
        wanted: margins; where it is empty the next samples are taken as they come.
    """
    size = workload.batch
    if not wanted:
        return Batch(*samples.take(size), None)
    drawn: list[tuple[dict[str, Array], Array]] = []
    kept: list[npt.NDArray[np.float64]] = []
    while len(drawn) < MOST_DRAWS and sum(np.count_nonzero(one > wanted[0]) for one in kept) < size:
        drawn.append(samples.take(size))
        kept.append(margins(workload, weights, drawn[-1][0], steps))
    every = np.concatenate(kept)
    margin = next((margin for margin in wanted if np.count_nonzero(every > margin) >= size), None)
    chosen = np.flatnonzero(every > (-1 if margin is None else margin))[:size]
    batch = Batch(
        {name: np.concatenate([inputs[name] for inputs, _ in drawn])[chosen] for name in drawn[0][0]},
        np.concatenate([targets for _, targets in drawn])[chosen],
        margin,
    )
    if margin is not None and any(isinstance(layer, BatchNorm) for layer in workload.layers):
        # The others of its batch are part of what batch-norm makes of a sample: only the whole batch can tell.
        together = margins(workload, weights, batch.inputs, steps).min()
        return Batch(batch.inputs, batch.targets, next((margin for margin in wanted if together > margin), None))
    return batch


def margins(
    workload: Workload, weights: Weights, inputs: Inputs, steps: Mapping[str, int] | None = None
) -> npt.NDArray[np.float64]:
    """How far from turning round each sample's closest ReLU or max-pool decision is, in shares of its layer's scale.

    Decisions count that a gradient passes on its way to a trained layer. A ReLU right before a pooling layer decides
    only about the maximum of each window: what it does to the others is lost there.

    Returns:
        (samples,), infinite where there is no decision.
    """
    values, _ = _run(workload, weights, inputs, steps)
    taken, learns = sources(workload), learning(workload)
    closest = np.full(len(next(iter(inputs.values()))), np.inf)
    for layer in workload.layers:
        x = values[taken[layer.id][0]]
        if not learns[taken[layer.id][0]]:
            continue
        if isinstance(layer, Relu):
            after = [other for other in workload.layers if layer.id in taken[other.id]]
            pool = after[0] if len(after) == 1 else None
            decided = reduce(np.maximum, cells(x, pool.size)) if isinstance(pool, MaxPool2d) else x
            closest = np.minimum(closest, _least(np.abs(decided)) / _scale(x))
        elif isinstance(layer, MaxPool2d):
            scale = _scale(x)
            top = reduce(np.maximum, cells(x, layer.size))
            for cell in cells(x, layer.size):
                gap = (top - cell) / scale
                closest = np.minimum(closest, _least(np.where(gap <= TIE, np.inf, gap)))
    return closest


def loss_and_gradients(
    workload: Workload, weights: Weights, inputs: Inputs, targets: Array, steps: Mapping[str, int] | None = None
) -> tuple[float, Gradients]:
    """Mean loss of one batch in training mode, and its gradient for every trained weight."""
    values, pulls = _run(workload, weights, inputs, steps)
    taken, learns = sources(workload), learning(workload)
    last = workload.layers[-1].id
    loss, gradient = _LOSSES[workload.loss](values[last], targets)
    arrived: dict[str, Floats] = {last: gradient}
    gradients: Gradients = {}
    for layer in reversed(workload.layers):
        if not learns[layer.id]:
            continue
        inward, of_weights = pulls[layer.id](arrived.pop(layer.id))
        if layer.trained:
            gradients.update(of_weights)
        for name, dx in zip(taken[layer.id], inward, strict=True):
            if learns[name]:
                arrived[name] = arrived[name] + dx if name in arrived else dx
    return loss, gradients


def outputs(workload: Workload, weights: Weights, inputs: Inputs, steps: Mapping[str, int] | None = None) -> Floats:
    """What the network makes of a batch in inference mode."""
    values, _ = _run(workload, weights, inputs, steps, training=False)
    return values[workload.layers[-1].id]


def _run(
    workload: Workload,
    weights: Weights,
    inputs: Inputs,
    steps: Mapping[str, int] | None,
    training: bool = True,
) -> tuple[dict[str, Floats], dict[str, Pull]]:
    """The values of all inputs and layers, and the products that lead back."""
    dtype = next(iter(weights.values())).dtype if weights else np.dtype(np.float64)
    values: dict[str, Floats] = {
        name: given if given.dtype.kind == "i" else given.astype(dtype) for name, given in inputs.items()
    }
    pulls: dict[str, Pull] = {}
    taken, learns = sources(workload), learning(workload)
    lengths = steps or {}
    for layer in workload.layers:
        given = [values[name] for name in taken[layer.id]]
        inward = any(learns[name] for name in taken[layer.id])
        values[layer.id], pulls[layer.id] = forward(
            layer, weights, *given, steps=lengths.get(layer.id), training=training, inward=inward
        )
    return values, pulls


def forward(
    layer: Layer,
    weights: Weights,
    *given: Floats,
    steps: int | None = None,
    training: bool = True,
    inward: bool = True,
) -> tuple[Floats, Pull]:
    """A layer's output for a batch of what it takes, and its vector-Jacobian product.

    Args:
        given: one array of (samples, ...) per source.
        steps: T of a recurrence; its first by default.
        training: whether batch-norm takes its statistics from the batch, not from its state.
        inward: whether the gradient at the input is wanted; a convolution saves much where it is not, and gives zeros.
    """
    x = given[0]
    match layer:
        case Conv2d():
            return _conv2d(layer, weights, x, inward)
        case Relu():
            return _elementwise(np.maximum(x, 0), lambda: x > 0)
        case Tanh():
            bent = np.tanh(x)
            return _elementwise(bent, lambda: 1 - bent**2)
        case Silu():
            gate = _sigmoid(x)
            return _elementwise(x * gate, lambda: gate * (1 + x * (1 - gate)))
        case Gelu():
            below = 0.5 * (1 + _erf(x / math.sqrt(2)))
            return _elementwise(x * below, lambda: below + x * np.exp(-0.5 * x**2) / math.sqrt(2 * math.pi))
        case MaxPool2d():
            return _max_pool2d(layer, x)
        case Mean():
            return _mean(x)
        case Flatten():
            return x.reshape(len(x), -1), lambda dy: ((dy.reshape(x.shape),), {})
        case Tokens():
            flat = x.reshape(*x.shape[:2], -1)
            return flat.transpose(0, 2, 1), lambda dy: ((dy.transpose(0, 2, 1).reshape(x.shape),), {})
        case Dense():
            return _dense(layer, weights, x)
        case Embedding():
            return _embedding(layer, weights, x)
        case Positions():
            return x + weights[f"{layer.id}.weight"], lambda dy: ((dy,), {f"{layer.id}.weight": dy.sum(axis=0)})
        case LayerNorm():
            return _layer_norm(layer, weights, x)
        case BatchNorm():
            return _batch_norm(layer, weights, x, training)
        case Attention():
            return _attention(layer, weights, x)
        case Lstm():
            return _lstm(layer, weights, x)
        case Recurrence():
            return _recurrence(layer, weights, x, layer.steps[0] if steps is None else steps)
        case Add():
            return given[0] + given[1], lambda dy: ((dy, dy), {})
        case Concat():
            width = x.shape[1]
            return np.concatenate(given, axis=1), lambda dy: ((dy[:, :width], dy[:, width:]), {})


def cells(x: Floats, size: int) -> list[Floats]:
    """The size x size cells of every pooling window of images (n, c, h, w), row by row: views of one shape each."""
    height, width = (length // size * size for length in x.shape[2:])
    return [x[:, :, i:height:size, j:width:size] for i in range(size) for j in range(size)]


# --- layers ----------------------------------------------------------------------------------------------------------


def _elementwise(y: Floats, slope: Callable[[], Array]) -> tuple[Floats, Pull]:
    """`slope` is dy/dx at each element."""
    return y, lambda dy: ((dy * slope(),), {})


def _conv2d(layer: Conv2d, weights: Weights, x: Floats, inward: bool) -> tuple[Floats, Pull]:
    kernel = weights[f"{layer.id}.weight"]  # (out, in, k, k)
    channels, k, stride, pad = layer.channels, layer.kernel, layer.stride, layer.padding
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad))) if pad else x
    patches = sliding_window_view(padded, (k, k), axis=(2, 3))[:, :, ::stride, ::stride].transpose(0, 2, 3, 1, 4, 5)
    count, height, width = patches.shape[:3]
    columns = patches.reshape(count * height * width, -1)
    flat = columns @ kernel.reshape(channels, -1).T
    if layer.bias:
        flat += weights[f"{layer.id}.bias"]
    y = flat.reshape(count, height, width, channels).transpose(0, 3, 1, 2)

    def pull(dy: Floats) -> tuple[tuple[Floats], Gradients]:
        rows = dy.transpose(0, 2, 3, 1).reshape(-1, channels)
        named: Gradients = {f"{layer.id}.weight": (rows.T @ columns).reshape(kernel.shape)}
        if layer.bias:
            named[f"{layer.id}.bias"] = rows.sum(axis=0)
        if not inward:
            return (np.broadcast_to(np.zeros((), x.dtype), x.shape),), named
        # Channels last: rows add up without reordering.
        dpadded = np.zeros((count, padded.shape[2], padded.shape[3], padded.shape[1]), x.dtype)
        for i in range(k):
            for j in range(k):
                places = dpadded[:, i : i + height * stride : stride, j : j + width * stride : stride]
                places += (rows @ kernel[:, :, i, j]).reshape(count, height, width, -1)
        inner = dpadded[:, pad : pad + x.shape[2], pad : pad + x.shape[3]]
        return (inner.transpose(0, 3, 1, 2),), named

    return y, pull


def _max_pool2d(layer: MaxPool2d, x: Floats) -> tuple[Floats, Pull]:
    top = reduce(np.maximum, cells(x, layer.size))

    def pull(dy: Floats) -> tuple[tuple[Floats], Gradients]:
        dx = np.zeros_like(x)
        still = np.ones(top.shape, dtype=bool)  # of equal cells the first takes the gradient
        for cell, dcell in zip(cells(x, layer.size), cells(dx, layer.size), strict=True):
            won = still & (cell == top)
            dcell[won] = dy[won]
            still &= ~won
        return (dx,), {}

    return top, pull


def _mean(x: Floats) -> tuple[Floats, Pull]:
    places = (2, 3) if x.ndim == 4 else (1,)

    def pull(dy: Floats) -> tuple[tuple[Floats], Gradients]:
        shares = dy / math.prod(x.shape[axis] for axis in places)
        return (np.broadcast_to(np.expand_dims(shares, places), x.shape),), {}

    return x.mean(axis=places), pull


def _dense(layer: Dense, weights: Weights, x: Floats) -> tuple[Floats, Pull]:
    kernel = weights[f"{layer.id}.weight"]
    y = x @ kernel
    if layer.bias:
        y = y + weights[f"{layer.id}.bias"]

    def pull(dy: Floats) -> tuple[tuple[Floats], Gradients]:
        rows = _rows(dy)
        named: Gradients = {f"{layer.id}.weight": _rows(x).T @ rows}
        if layer.bias:
            named[f"{layer.id}.bias"] = rows.sum(axis=0)
        return (dy @ kernel.T,), named

    return y, pull


def _embedding(layer: Embedding, weights: Weights, x: Array) -> tuple[Floats, Pull]:
    table = weights[f"{layer.id}.weight"]

    def pull(dy: Floats) -> tuple[tuple[Floats], Gradients]:
        dtable = np.zeros_like(table)
        np.add.at(dtable, x, dy)
        return (np.zeros(x.shape, dy.dtype),), {f"{layer.id}.weight": dtable}  # token numbers have no gradient

    return table[x], pull


def _layer_norm(layer: LayerNorm, weights: Weights, x: Floats) -> tuple[Floats, Pull]:
    normal, back = _normalised(x, (-1,))
    return _scaled(layer, weights[f"{layer.id}.weight"], weights[f"{layer.id}.bias"], normal, back, -1)


def _batch_norm(layer: BatchNorm, weights: Weights, x: Floats, training: bool) -> tuple[Floats, Pull]:
    around = (1, -1) + (1,) * (x.ndim - 2)
    if training:
        normal, back = _normalised(x, (0, *range(2, x.ndim)))
    else:
        mean, variance = (weights[f"{layer.id}.{name}"].reshape(around) for name in ("mean", "variance"))
        deviation = np.sqrt(variance + EPSILON)
        normal = (x - mean) / deviation

        def back(dnormal: Floats) -> Floats:
            return cast(Floats, dnormal / deviation)

    scale, shift = (weights[f"{layer.id}.{name}"].reshape(around) for name in ("weight", "bias"))
    return _scaled(layer, scale, shift, normal, back, 1)


def _normalised(x: Floats, axes: tuple[int, ...]) -> tuple[Floats, Callable[[Floats], Floats]]:
    """x less its mean over `axes`, over its standard deviation (biased); and the way back of a gradient."""
    centred = x - x.mean(axis=axes, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=axes, keepdims=True) + EPSILON)
    normal = centred / deviation

    def back(dnormal: Floats) -> Floats:
        along = (dnormal * normal).mean(axis=axes, keepdims=True)
        return cast(Floats, (dnormal - dnormal.mean(axis=axes, keepdims=True) - normal * along) / deviation)

    return normal, back


def _scaled(
    layer: LayerNorm | BatchNorm,
    scale: Floats,
    shift: Floats,
    normal: Floats,
    back: Callable[[Floats], Floats],
    axis: int,
) -> tuple[Floats, Pull]:
    """What both kinds of normalisation end with: each feature along `axis` times its weight, plus its bias."""

    def pull(dy: Floats) -> tuple[tuple[Floats], Gradients]:
        others = tuple(other for other in range(dy.ndim) if other != axis % dy.ndim)
        named = {
            f"{layer.id}.weight": (dy * normal).sum(axis=others),
            f"{layer.id}.bias": dy.sum(axis=others),
        }
        return (back(dy * scale),), named

    return normal * scale + shift, pull


def _attention(layer: Attention, weights: Weights, x: Floats) -> tuple[Floats, Pull]:
    count, time, features = x.shape
    heads, size = layer.heads, features // layer.heads
    into, out = weights[f"{layer.id}.qkv.weight"], weights[f"{layer.id}.out.weight"]

    def split(joined: Floats) -> Floats:  # (n, time, features) -> (n, heads, time, size)
        return joined.reshape(count, time, heads, size).transpose(0, 2, 1, 3)

    def join(parts: Floats) -> Floats:
        return parts.transpose(0, 2, 1, 3).reshape(count, time, features)

    q, k, v = (split(part) for part in np.split(x @ into + weights[f"{layer.id}.qkv.bias"], 3, axis=2))
    scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(size)
    if layer.causal:
        scores = np.where(np.tri(time, dtype=bool), scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares = shares / shares.sum(axis=-1, keepdims=True)
    mixed = join(shares @ v)

    def pull(dy: Floats) -> tuple[tuple[Floats], Gradients]:
        dmixed = split(dy @ out.T)
        dshares = dmixed @ v.transpose(0, 1, 3, 2)
        dscores = shares * (dshares - (dshares * shares).sum(axis=-1, keepdims=True)) / math.sqrt(size)
        parts = (dscores @ k, dscores.transpose(0, 1, 3, 2) @ q, shares.transpose(0, 1, 3, 2) @ dmixed)
        dqkv = np.concatenate([join(part) for part in parts], axis=2)
        named = {
            "qkv.weight": _rows(x).T @ _rows(dqkv),
            "qkv.bias": _rows(dqkv).sum(axis=0),
            "out.weight": _rows(mixed).T @ _rows(dy),
            "out.bias": _rows(dy).sum(axis=0),
        }
        return (dqkv @ into.T,), {f"{layer.id}.{name}": gradient for name, gradient in named.items()}

    return mixed @ out + weights[f"{layer.id}.out.bias"], pull


def _recurrence(layer: Recurrence, weights: Weights, x: Floats, steps: int) -> tuple[Floats, Pull]:
    kernel, bias = weights[f"{layer.id}.weight"], weights[f"{layer.id}.bias"]
    tape = [x]
    for _ in range(steps):
        tape.append(tape[-1] @ kernel + bias)

    def pull(dh: Floats) -> tuple[tuple[Floats], Gradients]:
        dkernel, dbias = np.zeros_like(kernel), np.zeros_like(bias)
        for before in reversed(tape[:-1]):
            dkernel += before.T @ dh
            dbias += dh.sum(axis=0)
            dh = dh @ kernel.T
        return (dh,), {f"{layer.id}.weight": dkernel, f"{layer.id}.bias": dbias}

    return tape[-1], pull


def _lstm(layer: Lstm, weights: Weights, x: Floats) -> tuple[Floats, Pull]:
    kernel, recurrent = weights[f"{layer.id}.kernel"], weights[f"{layer.id}.recurrent"]
    bias = weights[f"{layer.id}.bias"]
    count, time, _ = x.shape
    hidden: Floats = np.zeros((count, layer.units), x.dtype)
    cell: Floats = np.zeros_like(hidden)
    tape: list[tuple[Floats, ...]] = []  # per time step: hidden and cell before it, gates, tanh of the cell after it
    for t in range(time):
        gates = np.split(x[:, t] @ kernel + hidden @ recurrent + bias, 4, axis=1)
        i, f, g, o = _sigmoid(gates[0]), _sigmoid(gates[1]), np.tanh(gates[2]), _sigmoid(gates[3])
        before = hidden, cell
        cell = f * cell + i * g
        bent = np.tanh(cell)
        hidden = o * bent
        tape.append((*before, i, f, g, o, bent))

    def pull(dhidden: Floats) -> tuple[tuple[Floats], Gradients]:
        dcell = np.zeros_like(dhidden)
        dkernel, drecurrent, dbias = np.zeros_like(kernel), np.zeros_like(recurrent), np.zeros_like(bias)
        dx = np.zeros_like(x)
        for t in reversed(range(time)):
            hidden_before, cell_before, i, f, g, o, bent = tape[t]
            dcell = dcell + dhidden * o * (1 - bent**2)
            dgates = np.concatenate(
                [
                    dcell * g * i * (1 - i),
                    dcell * cell_before * f * (1 - f),
                    dcell * i * (1 - g**2),
                    dhidden * bent * o * (1 - o),
                ],
                axis=1,
            )
            dkernel += x[:, t].T @ dgates
            drecurrent += hidden_before.T @ dgates
            dbias += dgates.sum(axis=0)
            dx[:, t] = dgates @ kernel.T
            dhidden = dgates @ recurrent.T
            dcell = dcell * f
        named = {"kernel": dkernel, "recurrent": drecurrent, "bias": dbias}
        return (dx,), {f"{layer.id}.{name}": gradient for name, gradient in named.items()}

    return hidden, pull


def _sigmoid(x: Floats) -> Floats:
    return cast(Floats, 0.5 * (1 + np.tanh(0.5 * x)))  # never overflows


_erf_of_each = np.vectorize(math.erf, otypes=[np.float64])


def _erf(x: Floats) -> Floats:
    return cast(Floats, _erf_of_each(x).astype(x.dtype))


def _rows(x: Floats) -> Floats:
    """The vectors along the last axis, one below the other."""
    return x.reshape(-1, x.shape[-1])


# --- losses: (outputs, targets) -> mean loss, its gradient -----------------------------------------------------------


def _softmax_cross_entropy(outputs: Floats, targets: Array) -> tuple[float, Floats]:
    """Of one class per sample, or per position of each sample."""
    shifted = _rows(outputs) - _rows(outputs).max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows, classes = np.arange(len(logs)), targets.reshape(-1)
    gradient = np.exp(logs)
    gradient[rows, classes] -= 1
    return float(-logs[rows, classes].mean()), gradient.reshape(outputs.shape) / len(logs)


def _mse(outputs: Floats, targets: Array) -> tuple[float, Floats]:
    difference = outputs - targets
    return float((difference**2).mean()), 2 * difference / difference.size


_LOSSES = {"softmax-cross-entropy": _softmax_cross_entropy, "mse": _mse}


def _scale(x: Floats) -> float:
    return float(np.sqrt(np.mean(x**2)))


def _least(values: Floats) -> npt.NDArray[np.float64]:
    """The least value of each sample; shape (samples,)."""
    return cast(npt.NDArray[np.float64], values.reshape(len(values), -1).min(axis=1))
