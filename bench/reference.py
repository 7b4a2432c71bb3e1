"""The float64 NumPy reference: what every candidate has to compute, step by step.

Independent of all frameworks: each layer is a function that returns its output and its vector-Jacobian product.
Checked in the tests against numerical derivatives.

A rounding error can turn a ReLU or a max-pool decision round and send a gradient elsewhere; honest float32 candidates
then differ from the reference as much as faulty ones do. So the batches are put together here, while the reference
trains: a sample enters a batch only if, with the weights of that very step, each decision that can reach the loss has
a margin of more than `MARGIN` of its layer's scale (METHOD.md, "Fair blocks").
"""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Protocol, TypeAlias, cast

import msgspec
import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from bench.tensors import Array
from bench.workload import Conv2d, Dense, Flatten, Layer, Lstm, MaxPool2d, Relu, Workload

Floats: TypeAlias = npt.NDArray[np.float64]
Weights: TypeAlias = Mapping[str, Floats]
Pull: TypeAlias = Callable[[Floats], tuple[Floats, dict[str, Floats]]]
"""Vector-Jacobian product: gradient at a layer's output -> gradients at its input and at its weights."""

MARGIN = 1e-4
"""Smallest margin of a decision, as a share of the root mean square of the values decided on (METHOD.md): some 1,000
float32 rounding errors."""

TIE = 1e-12
"""Below this share two values of a pooling window are one and the same number: their receptive fields are equal, the
blank border of a digit for instance, so that either way the same gradient reaches every weight."""

MOST_DRAWS = 50
"""Batches drawn to fill one with safe samples. Made images need 3; data that has none after 50 has none to offer."""


class Samples(Protocol):
    """An endless supply of samples: `take(n)` gives the next n as (inputs float32, targets)."""

    def take(self, count: int) -> tuple[Array, Array]: ...


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What training with `weights` on the batches gives.

    Attributes:
        inputs: (batches, batch, ...) float32.
        targets: (batches, batch) int32 class numbers or (batches, batch, outputs) float32.
        weights: initial weights, float32, canonical layout (`bench.protocol`).
        losses: of each step before its update; step k trains on batch k.
        first_update: the weights after the first update, float64.
        safe_steps: from the first, how many steps have margins in every sample; fewer than the steps only where the
            data has none to offer.
    """

    inputs: Array
    targets: Array
    weights: dict[str, Array]
    losses: tuple[float, ...]
    first_update: dict[str, Floats]
    safe_steps: int


def train(workload: Workload, weights: Mapping[str, Array], samples: Samples, steps: int) -> Reference:
    """Train `steps` steps, each on a new batch of `samples` with safe margins where there are any.

    Raises:
        ValueError: `steps` is less than 1.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}")
    now = {name: tensor.astype(np.float64) for name, tensor in weights.items()}
    inputs, targets, losses = [], [], []
    first_update: dict[str, Floats] = {}
    safe_steps = 0
    for step in range(steps):
        x, y, safe = draw(workload, now, samples)
        safe_steps += safe and safe_steps == step
        loss, gradients = loss_and_gradients(workload, now, x, y)
        rate = workload.optimiser.learning_rate
        now = {name: tensor - rate * gradients[name] for name, tensor in now.items()}
        first_update = first_update or now
        inputs.append(x)
        targets.append(y)
        losses.append(loss)
    return Reference(
        inputs=np.stack(inputs),
        targets=np.stack(targets),
        weights=dict(weights),
        losses=tuple(losses),
        first_update=first_update,
        safe_steps=safe_steps,
    )


def draw(workload: Workload, weights: Weights, samples: Samples) -> tuple[Array, Array, bool]:
    """One batch (inputs, targets), and whether all its samples have safe margins with `weights`."""
    size = workload.batch
    kept: list[tuple[Array, Array]] = []
    missing = size
    for _ in range(MOST_DRAWS):
        inputs, targets = samples.take(size)
        safe = np.flatnonzero(safe_samples(workload, weights, inputs))[:missing]
        kept.append((inputs[safe], targets[safe]))
        missing -= len(safe)
        if not missing:
            break
    else:
        kept.append((inputs[:missing], targets[:missing]))
    return np.concatenate([x for x, _ in kept]), np.concatenate([y for _, y in kept]), not missing


def safe_samples(workload: Workload, weights: Weights, inputs: Array) -> npt.NDArray[np.bool_]:
    """Which samples have no ReLU or max-pool decision within `MARGIN` of turning round; shape (samples,).

    A ReLU right before a pooling layer decides only about the maximum of each window: what it does to the others is
    lost there.
    """
    x = inputs.astype(np.float64)
    safe = np.ones(len(x), dtype=bool)
    layers = workload.layers
    for index, layer in enumerate(layers):
        after = layers[index + 1] if index + 1 < len(layers) else None
        if isinstance(layer, Relu) and isinstance(after, MaxPool2d):
            margin = MARGIN * _scale(x)
            top = reduce(np.maximum, cells(x, after.size))
            safe &= _every(np.abs(top) > margin)
        elif isinstance(layer, Relu):
            safe &= _every(np.abs(x) > MARGIN * _scale(x))
        elif isinstance(layer, MaxPool2d):
            scale = _scale(x)
            top = reduce(np.maximum, cells(x, layer.size))
            for cell in cells(x, layer.size):
                gap = top - cell
                safe &= _every((gap <= TIE * scale) | (gap > MARGIN * scale))
        x, _ = forward(layer, weights, x)
    return safe


def loss_and_gradients(
    workload: Workload, weights: Weights, inputs: Array, targets: Array
) -> tuple[float, dict[str, Floats]]:
    """Mean loss of one batch, and its gradient for every weight."""
    x = inputs.astype(np.float64)
    pulls: list[Pull] = []
    for layer in workload.layers:
        x, pull = forward(layer, weights, x)
        pulls.append(pull)
    loss, gradient = _LOSSES[workload.loss](x, targets)
    gradients: dict[str, Floats] = {}
    for pull in reversed(pulls):
        gradient, of_weights = pull(gradient)
        gradients.update(of_weights)
    return loss, gradients


def forward(layer: Layer, weights: Weights, x: Floats) -> tuple[Floats, Pull]:
    """A layer's output for a batch `x`, and its vector-Jacobian product."""
    match layer:
        case Conv2d():
            return _conv2d(layer, weights, x)
        case Relu():
            return _relu(x)
        case MaxPool2d():
            return _max_pool2d(layer, x)
        case Flatten():
            return x.reshape(len(x), -1), lambda dy: (dy.reshape(x.shape), {})
        case Dense():
            return _dense(layer, weights, x)
        case Lstm():
            return _lstm(layer, weights, x)


def cells(x: Floats, size: int) -> list[Floats]:
    """The size x size cells of every pooling window of images (n, c, h, w), row by row: views of one shape each."""
    height, width = (length // size * size for length in x.shape[2:])
    return [x[:, :, i:height:size, j:width:size] for i in range(size) for j in range(size)]


# --- layers ----------------------------------------------------------------------------------------------------------


def _conv2d(layer: Conv2d, weights: Weights, x: Floats) -> tuple[Floats, Pull]:
    kernel = weights[f"{layer.id}.weight"]  # (out, in, k, k)
    channels, k = layer.channels, layer.kernel
    patches = sliding_window_view(x, (k, k), axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)  # (n, h, w, in, k, k)
    count, height, width = patches.shape[:3]
    columns = patches.reshape(count * height * width, -1)
    flat = columns @ kernel.reshape(channels, -1).T + weights[f"{layer.id}.bias"]
    y = flat.reshape(count, height, width, channels).transpose(0, 3, 1, 2)

    def pull(dy: Floats) -> tuple[Floats, dict[str, Floats]]:
        rows = dy.transpose(0, 2, 3, 1).reshape(-1, channels)
        dx = np.zeros((count, x.shape[2], x.shape[3], x.shape[1]))  # channels last: rows add up without reordering
        for i in range(k):
            for j in range(k):
                dx[:, i : i + height, j : j + width] += (rows @ kernel[:, :, i, j]).reshape(count, height, width, -1)
        dkernel = (rows.T @ columns).reshape(kernel.shape)
        return dx.transpose(0, 3, 1, 2), {f"{layer.id}.weight": dkernel, f"{layer.id}.bias": rows.sum(axis=0)}

    return y, pull


def _relu(x: Floats) -> tuple[Floats, Pull]:
    return np.maximum(x, 0), lambda dy: (dy * (x > 0), {})


def _max_pool2d(layer: MaxPool2d, x: Floats) -> tuple[Floats, Pull]:
    top = reduce(np.maximum, cells(x, layer.size))

    def pull(dy: Floats) -> tuple[Floats, dict[str, Floats]]:
        dx = np.zeros_like(x)
        still = np.ones(top.shape, dtype=bool)  # of equal cells the first takes the gradient
        for cell, dcell in zip(cells(x, layer.size), cells(dx, layer.size), strict=True):
            won = still & (cell == top)
            dcell[won] = dy[won]
            still &= ~won
        return dx, {}

    return top, pull


def _dense(layer: Dense, weights: Weights, x: Floats) -> tuple[Floats, Pull]:
    kernel = weights[f"{layer.id}.weight"]

    def pull(dy: Floats) -> tuple[Floats, dict[str, Floats]]:
        return dy @ kernel.T, {f"{layer.id}.weight": x.T @ dy, f"{layer.id}.bias": dy.sum(axis=0)}

    return x @ kernel + weights[f"{layer.id}.bias"], pull


def _lstm(layer: Lstm, weights: Weights, x: Floats) -> tuple[Floats, Pull]:
    kernel, recurrent = weights[f"{layer.id}.kernel"], weights[f"{layer.id}.recurrent"]
    bias = weights[f"{layer.id}.bias"]
    count, time, _ = x.shape
    hidden, cell = np.zeros((count, layer.units)), np.zeros((count, layer.units))
    tape: list[tuple[Floats, ...]] = []  # per time step: hidden and cell before it, gates, tanh of the cell after it
    for t in range(time):
        i, f, g, o = np.split(x[:, t] @ kernel + hidden @ recurrent + bias, 4, axis=1)
        i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
        before = hidden, cell
        cell = f * cell + i * g
        bent = np.tanh(cell)
        hidden = o * bent
        tape.append((*before, i, f, g, o, bent))

    def pull(dhidden: Floats) -> tuple[Floats, dict[str, Floats]]:
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
        return dx, {f"{layer.id}.{name}": gradient for name, gradient in named.items()}

    return hidden, pull


def _sigmoid(x: Floats) -> Floats:
    return 0.5 * (1 + np.tanh(0.5 * x))  # never overflows


# --- losses: (outputs, targets) -> mean loss, its gradient -----------------------------------------------------------


def _softmax_cross_entropy(outputs: Floats, targets: Array) -> tuple[float, Floats]:
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(outputs))
    gradient = np.exp(logs)
    gradient[rows, targets] -= 1
    return float(-logs[rows, targets].mean()), gradient / len(outputs)


def _mse(outputs: Floats, targets: Array) -> tuple[float, Floats]:
    difference = outputs - targets
    return float((difference**2).mean()), 2 * difference / difference.size


_LOSSES = {"softmax-cross-entropy": _softmax_cross_entropy, "mse": _mse}


def _scale(x: Floats) -> float:
    return float(np.sqrt(np.mean(x**2)))


def _every(per_value: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether all values of each sample hold; shape (samples,)."""
    return cast(npt.NDArray[np.bool_], per_value.reshape(len(per_value), -1).all(axis=1))
