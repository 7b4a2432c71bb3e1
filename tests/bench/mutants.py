"""The catalogue of faults: trainings that are each wrong in one named way, to hold the parity tolerances against.

    python -m tests.bench.mutants [--workloads mnist-cnn,pm25-lstm] [--seeds 5] [--honest LOSSES UPDATE OUTPUTS]

prints for each workload how far honest float32 arithmetic and the weakest fault are from the tolerances of
`bench.parity`. METHOD.md, "Fair blocks", asks for a factor of 3 on either side. The honest side is NumPy's float32
here; `--honest` takes the worst figures of real candidates instead.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from bench import parity, reference
from bench.data import made_samples, make_weights
from bench.reference import Floats, Gradients, Pull, Reference, Weights
from bench.results import Parity
from bench.tensors import Array
from bench.workload import (
    Attention,
    BatchNorm,
    Conv2d,
    Dense,
    Flatten,
    Gelu,
    Layer,
    LayerNorm,
    Lstm,
    MaxPool2d,
    Recurrence,
    Relu,
    Workload,
    load_workloads,
    shapes,
    sources,
    trained_weights,
)

USUAL = ("mnist-cnn", "pm25-lstm", "resnet-mini", "transformer-lm", "vqa-50")
MANTISSA = {"tf32": 10, "bf16": 7}
"""Bits after the leading one: NVIDIA's TF32, and bfloat16."""

Forward = Callable[..., tuple[Floats, Pull]]


class Trace(msgspec.Struct, frozen=True):
    """What a candidate hands back."""

    losses: list[float]
    first_update: Mapping[str, Array]
    outputs: Array


def trace(
    workload: Workload,
    made: Reference,
    *,
    dtype: type[np.floating] = np.float64,
    start: Callable[[Weights], Weights] = lambda weights: weights,
    back: Callable[[Weights], Weights] = lambda weights: weights,
    batch: Callable[[int], int] = lambda step: step,
    targets: Callable[[Array], Array] = lambda targets: targets,
    gradients: Callable[[Weights, Gradients], Gradients] = lambda weights, gradients: gradients,
    forward: Callable[[Forward], Forward] = lambda forward: forward,
) -> Trace:
    """Train on the batches of `made`, with what the arguments change.

    Args:
        dtype: of the arithmetic.
        start, back: from the weights handed over to those used, and back to those handed back.
        batch: step -> the batch it trains on.
        targets: from those of a batch to those used.
        gradients: from the weights and their gradients to the gradients applied.
        forward: from `bench.reference.forward` to the one used.
    """
    weights: Weights = start({name: tensor.astype(dtype) for name, tensor in made.weights.items()})
    rate = dtype(workload.optimiser.learning_rate)
    trained = trained_weights(workload)

    def taken(step: int) -> tuple[dict[str, Array], dict[str, int]]:
        return (
            {name: batches[step] for name, batches in made.inputs.items()},
            {name: int(lengths[step]) for name, lengths in made.steps.items()},
        )

    losses: list[float] = []
    first: Weights = {}
    with mock.patch.object(reference, "forward", forward(reference.forward)):
        outputs = reference.outputs(workload, weights, *taken(0))
        for step in range(len(made.losses)):
            inputs, lengths = taken(batch(step))
            wanted = targets(made.targets[batch(step)])
            loss, found = reference.loss_and_gradients(workload, weights, inputs, wanted, lengths)
            losses.append(loss)
            found = gradients(weights, found)
            weights = {
                name: tensor - rate * found[name] if name in trained else tensor for name, tensor in weights.items()
            }
            first = first or back(weights)
    return Trace(losses, {name: tensor.astype(np.float32) for name, tensor in first.items()}, outputs)


def honest(workload: Workload, made: Reference) -> Trace:
    """Nothing wrong, in float32."""
    return trace(workload, made, dtype=np.float32)


# --- faults: name -> what a candidate with it hands back; None where the network has no such place -------------------

FaultyTraining = Callable[[Workload, Reference], Trace | None]
FAULTS: dict[str, FaultyTraining] = {}


def fault(name: str) -> Callable[[FaultyTraining], FaultyTraining]:
    def register(faulty: FaultyTraining) -> FaultyTraining:
        FAULTS[name] = faulty
        return faulty

    return register


@fault("learning rate 1 % off")
def _learning_rate(workload: Workload, made: Reference) -> Trace:
    return trace(workload, made, gradients=lambda _, found: {name: 1.01 * tensor for name, tensor in found.items()})


@fault("missing bias")
def _missing_bias(workload: Workload, made: Reference) -> Trace:
    """Of the last layer, whose absence changes least of the rest."""
    name = [name for name in made.weights if name.endswith("bias")][-1]
    return trace(
        workload,
        made,
        start=lambda weights: {**weights, name: np.zeros_like(weights[name])},
        gradients=lambda _, found: {**found, name: np.zeros_like(found[name])},
    )


@fault("frozen layer")
def _frozen_layer(workload: Workload, made: Reference) -> Trace:
    last = workload.layers[-1].id
    return trace(
        workload,
        made,
        gradients=lambda _, found: {
            name: 0 * tensor if name.startswith(f"{last}.") else tensor for name, tensor in found.items()
        },
    )


@fault("swapped gates")
def _swapped_gates(workload: Workload, made: Reference) -> Trace | None:
    """i, f, o, g for i, f, g, o."""
    ids = tuple(f"{layer.id}." for layer in workload.layers if isinstance(layer, Lstm))
    if not ids:
        return None

    def swap(weights: Weights) -> Weights:
        swapped = dict(weights)
        for name in weights:
            if name.startswith(ids):
                i, f, g, o = np.split(weights[name], 4, axis=-1)
                swapped[name] = np.concatenate([i, f, o, g], axis=-1)
        return swapped

    return trace(workload, made, start=swap, back=swap)


@fault("second LSTM bias")
def _second_bias(workload: Workload, made: Reference) -> Trace | None:
    """Both bias vectors are trained, so that their sum moves twice as far."""
    names = {f"{layer.id}.bias" for layer in workload.layers if isinstance(layer, Lstm)}
    if not names:
        return None
    return trace(
        workload,
        made,
        gradients=lambda _, found: {name: 2 * t if name in names else t for name, t in found.items()},
    )


@fault("flatten order")
def _flatten_order(workload: Workload, made: Reference) -> Trace | None:
    """Height, width, channel where the dense kernel means channel, height, width."""
    known, taken = shapes(workload), sources(workload)
    flat = {
        layer.id: known[taken[layer.id][0]]
        for layer in workload.layers
        if isinstance(layer, Flatten) and len(known[taken[layer.id][0]]) == 3
    }
    after = {layer.id: flat[taken[layer.id][0]] for layer in workload.layers if taken[layer.id][0] in flat}
    dense = [layer.id for layer in workload.layers if layer.id in after and isinstance(layer, Dense)]
    if not dense:
        return None
    name = f"{dense[0]}.weight"
    order = np.arange(made.weights[name].shape[0]).reshape(after[dense[0]]).transpose(1, 2, 0).reshape(-1)
    return trace(
        workload,
        made,
        # Row r of the kernel meets feature order[r].
        start=lambda weights: {**weights, name: weights[name][np.argsort(order)]},
        back=lambda weights: {**weights, name: weights[name][order]},
    )


@fault("padding")
def _padding(workload: Workload, made: Reference) -> Trace | None:
    """One more row and column of zeros before and one less after, as engines that pad unevenly do."""

    def uneven(forward: Forward) -> Forward:
        def run(layer: Layer, weights: Weights, *given: Floats, **settings: Any) -> tuple[Floats, Pull]:
            if not isinstance(layer, Conv2d) or layer.kernel == 1:
                return forward(layer, weights, *given, **settings)
            y, pull = forward(layer, weights, _shifted(given[0], 1), **settings)

            def back(dy: Floats) -> tuple[tuple[Floats, ...], Gradients]:
                (dx,), named = pull(dy)
                return (_shifted(dx, -1),), named

            return y, back

        return run

    return trace(workload, made, forward=uneven) if _has(workload, Conv2d) else None


def _shifted(images: Floats, by: int) -> Floats:
    """Moved down and right by `by` pixels; zeros come in."""
    moved = np.zeros_like(images)
    to, of = (slice(by, None), slice(None, -by)) if by > 0 else (slice(None, by), slice(-by, None))
    moved[:, :, to, to] = images[:, :, of, of]
    return moved


@fault("ceil pooling")
def _ceil_pooling(workload: Workload, made: Reference) -> Trace | None:
    """A remainder that should be dropped at the end is kept; the places at the start make room for it."""
    known, taken = shapes(workload), sources(workload)
    uneven = {
        layer.id
        for layer in workload.layers
        if isinstance(layer, MaxPool2d) and any(length % layer.size for length in known[taken[layer.id][0]][1:])
    }
    if not uneven:
        return None

    def late(forward: Forward) -> Forward:
        def run(layer: Layer, weights: Weights, *given: Floats, **settings: Any) -> tuple[Floats, Pull]:
            if layer.id not in uneven or not isinstance(layer, MaxPool2d):
                return forward(layer, weights, *given, **settings)
            (x,) = given
            top, left = (length % layer.size for length in x.shape[2:])
            y, pull = forward(layer, weights, x[:, :, top:, left:], **settings)

            def back(dy: Floats) -> tuple[tuple[Floats, ...], Gradients]:
                dx = np.zeros_like(x)
                dx[:, :, top:, left:] = pull(dy)[0][0]
                return (dx,), {}

            return y, back

        return run

    return trace(workload, made, forward=late)


@fault("weight decay 1e-4")
def _weight_decay(workload: Workload, made: Reference) -> Trace:
    return trace(
        workload,
        made,
        gradients=lambda weights, found: {name: tensor + 1e-4 * weights[name] for name, tensor in found.items()},
    )


@fault("momentum")
def _momentum(workload: Workload, made: Reference) -> Trace:
    velocity: Gradients = {}

    def pushed(_: Weights, found: Gradients) -> Gradients:
        for name, tensor in found.items():
            velocity[name] = 0.9 * velocity[name] + tensor if name in velocity else tensor
        return dict(velocity)

    return trace(workload, made, gradients=pushed)


@fault("sum for mean")
def _sum_for_mean(workload: Workload, made: Reference) -> Trace:
    """In the gradient; the loss that is reported is the mean."""
    factor = workload.batch
    return trace(workload, made, gradients=lambda _, found: {name: factor * t for name, t in found.items()})


@fault("other epsilon")
def _other_epsilon(workload: Workload, made: Reference) -> Trace | None:
    """Keras's default of 1e-3."""
    if not _has(workload, LayerNorm, BatchNorm):
        return None
    with mock.patch.object(reference, "EPSILON", 1e-3):
        return trace(workload, made)


@fault("labels off by one")
def _labels(workload: Workload, made: Reference) -> Trace:
    if workload.loss == "mse":
        return trace(workload, made, targets=lambda targets: targets + 1)
    classes = shapes(workload)[workload.layers[-1].id][-1]
    return trace(workload, made, targets=lambda targets: (targets + 1) % classes)


@fault("float16 accumulation")
def _half_precision(workload: Workload, made: Reference) -> Trace:
    """Sums kept in half precision: what a layer hands on, forward and backward, is a float16."""
    return trace(workload, made, forward=_rounding(lambda values: values.astype(np.float16).astype(values.dtype)))


@fault("dropped last batch")
def _dropped_batch(workload: Workload, made: Reference) -> Trace:
    last = len(made.losses) - 1
    return trace(workload, made, batch=lambda step: step % last)


@fault("ReLU before pooling left out")
def _no_relu(workload: Workload, made: Reference) -> Trace | None:
    """Of the last, where fewest windows are below zero."""
    taken = sources(workload)
    pooled = {taken[layer.id][0] for layer in workload.layers if isinstance(layer, MaxPool2d)}
    relus = [layer.id for layer in workload.layers if isinstance(layer, Relu) and layer.id in pooled]
    if not relus:
        return None

    def without(forward: Forward) -> Forward:
        def run(layer: Layer, weights: Weights, *given: Floats, **settings: Any) -> tuple[Floats, Pull]:
            if layer.id == relus[-1]:
                return given[0], lambda dy: ((dy,), {})
            return forward(layer, weights, *given, **settings)

        return run

    return trace(workload, made, forward=without)


@fault("stale batch")
def _stale_batch(workload: Workload, made: Reference) -> Trace:
    return trace(workload, made, batch=lambda step: max(step - 1, 0))


@fault("gelu by tanh")
def _approximate_gelu(workload: Workload, made: Reference) -> Trace | None:
    """The approximation of Hendrycks & Gimpel 2016 (section 2) for the exact function."""
    if not _has(workload, Gelu):
        return None

    def normal(z: Floats) -> Floats:
        x = z * np.sqrt(2)
        return np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)).astype(z.dtype)

    with mock.patch.object(reference, "_erf", normal):
        return trace(workload, made)


@fault("batch statistics in inference")
def _training_statistics(workload: Workload, made: Reference) -> Trace | None:
    if not _has(workload, BatchNorm):
        return None

    def always(forward: Forward) -> Forward:
        def run(layer: Layer, weights: Weights, *given: Floats, **settings: Any) -> tuple[Floats, Pull]:
            return forward(layer, weights, *given, **{**settings, "training": True})

        return run

    return trace(workload, made, forward=always)


def _has(workload: Workload, *kinds: type[Layer]) -> bool:
    return any(isinstance(layer, kinds) for layer in workload.layers)


# --- reduced precision -----------------------------------------------------------------------------------------------


def reduced(workload: Workload, made: Reference, precision: str) -> Trace:
    """Nothing wrong, but what goes into products and comes out of them has the mantissa of `precision`."""
    bits = MANTISSA[precision]

    def rounded(values: Floats) -> Floats:
        fraction, exponent = np.frexp(values)
        whole: Floats = np.ldexp(np.rint(fraction * 2.0 ** (bits + 1)), exponent - bits - 1).astype(values.dtype)
        return whole

    return trace(workload, made, dtype=np.float32, forward=_rounding(rounded, entries=True))


def _rounding(rounded: Callable[[Floats], Floats], entries: bool = False) -> Callable[[Forward], Forward]:
    """Layers with products hand on rounded values; with `entries`, they take in rounded ones and rounded weights."""

    def altered(forward: Forward) -> Forward:
        def run(layer: Layer, weights: Weights, *given: Floats, **settings: Any) -> tuple[Floats, Pull]:
            if not isinstance(layer, Conv2d | Dense | Lstm | Attention | Recurrence):
                return forward(layer, weights, *given, **settings)
            if entries:
                own = {name: rounded(t) for name, t in weights.items() if name.startswith(f"{layer.id}.")}
                y, pull = forward(layer, own, *map(rounded, given), **settings)
            else:
                y, pull = forward(layer, weights, *given, **settings)

            def back(dy: Floats) -> tuple[tuple[Floats, ...], Gradients]:
                inward, named = pull(rounded(dy))
                return tuple(map(rounded, inward)), {name: rounded(tensor) for name, tensor in named.items()}

            return rounded(y), back

        return run

    return altered


# --- how far from the tolerances -------------------------------------------------------------------------------------


class Figures(msgspec.Struct, frozen=True):
    """Differences from the reference, as `bench.parity` measures them."""

    losses: float = 0.0
    first_update: float = 0.0
    outputs: float = 0.0

    def over(self, allowed: parity.Tolerance) -> dict[str, float]:
        """Each as a multiple of what is allowed."""
        return {
            "losses": self.losses / allowed.losses,
            "first update": self.first_update / allowed.first_update,
            "outputs": self.outputs / allowed.outputs,
        }

    def worst(self, other: "Figures") -> "Figures":
        return Figures(
            max(self.losses, other.losses),
            max(self.first_update, other.first_update),
            max(self.outputs, other.outputs),
        )


def judge(made: Reference, found: Trace, precision: str = "fp32") -> Parity:
    return parity.compare(made, found.losses, found.first_update, found.outputs, precision=precision)


def figures(made: Reference, found: Trace) -> Figures:
    judged = judge(made, found)
    assert judged.output_difference is not None
    return Figures(judged.max_relative_difference, judged.first_update_difference, judged.output_difference)


def faulty(workload: Workload, made: Reference) -> Iterator[tuple[str, Figures]]:
    """Every fault that the network has a place for."""
    for name, run in FAULTS.items():
        with np.errstate(all="ignore"):  # a sum for a mean may well diverge
            found = run(workload, made)
        if found is not None:
            yield name, figures(made, found)


def headroom(worst: Figures, precision: str = "fp32") -> float:
    """Of the worst honest figures: how many times the tightest tolerance is as wide. METHOD.md asks for 3."""
    return 1 / max(worst.over(parity.tolerance(precision)).values())


def reach(weakest: Figures) -> float:
    """Of a fault: how many times the tolerance it exceeds it, where it does most clearly. METHOD.md asks for 3."""
    return max(weakest.over(parity.tolerance("fp32")).values())


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """As in `bench.data.prepare`: several wait for one another on a busy machine."""
    with threadpool_limits(1, "blas"):
        yield


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", default=",".join(USUAL), help="ids, or all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=parity.STEPS)
    parser.add_argument("--honest", type=float, nargs=3, metavar=("LOSSES", "UPDATE", "OUTPUTS"))
    wishes = parser.parse_args()
    known = load_workloads()
    chosen = tuple(known) if wishes.workloads == "all" else wishes.workloads.split(",")
    for name in chosen:
        with one_blas_thread():
            _report(known[name], wishes.seeds, wishes.steps, Figures(*wishes.honest) if wishes.honest else None)


def _report(workload: Workload, seeds: int, steps: int, measured: Figures | None) -> None:
    fair = Figures()
    low = {precision: Figures() for precision in MANTISSA}
    caught: dict[str, tuple[Figures, int]] = {}  # fault -> where it shows least, and the seed
    margins: list[float | None] = []
    for seed in range(seeds):
        made = reference.train(workload, make_weights(workload, seed), made_samples(workload, seed), steps)
        margins.append(made.margin)
        fair = fair.worst(figures(made, honest(workload, made)))
        for precision, before in low.items():
            low[precision] = before.worst(figures(made, reduced(workload, made, precision)))
        for name, found in faulty(workload, made):
            if name not in caught or reach(found) < reach(caught[name][0]):
                caught[name] = found, seed
    print(f"{workload.id}: {seeds} seeds, {steps} steps, margin of the first batch {min(m or 0 for m in margins):g}")
    for label, worst in ({"float32 of NumPy": fair} | ({"candidates": measured} if measured else {})).items():
        print(f"  honest {label}: {_told(worst)}; tolerance {headroom(worst):.1f} x as wide")
    for precision, worst in low.items():
        print(f"  honest {precision}: {_told(worst)}; tolerance {headroom(worst, precision):.1f} x as wide")
    for name, (found, seed) in sorted(caught.items(), key=lambda item: reach(item[1][0]))[:3]:
        print(f"  weakest: {name} (seed {seed}): {_told(found)}; {reach(found):.1f} x its tolerance")
    missed = [name for name, (found, _) in caught.items() if reach(found) <= 1]
    told = f"; not {', '.join(missed)}" if missed else ""
    print(f"  {len(caught) - len(missed)} of {len(caught)} kinds of fault caught{told}")


def _told(found: Figures) -> str:
    return f"losses {found.losses:.1e}, first update {found.first_update:.1e}, outputs {found.outputs:.1e}"


if __name__ == "__main__":
    main()
