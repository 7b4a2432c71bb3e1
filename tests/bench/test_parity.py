"""The parity gate: what computes the same passes, every fault we thought of is caught."""

from collections.abc import Callable, Iterator, Mapping

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from bench import parity, reference
from bench.data import made_samples, make_weights
from bench.reference import Floats, Reference
from bench.tensors import Array
from bench.workload import Workload, load_workloads

WORKLOADS = {
    name: msgspec.structs.replace(workload, batch=32 if name == "mnist-cnn" else workload.batch)
    for name, workload in load_workloads().items()
    if workload.usual
}
STEPS = 3  # every fault shows in the first two

Weights = dict[str, Floats]


@pytest.fixture(scope="module", autouse=True)
def one_blas_thread() -> Iterator[None]:
    """As in `bench.data.prepare`: several wait for one another on a busy machine."""
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture(scope="module", params=sorted(WORKLOADS))
def case(request: pytest.FixtureRequest) -> tuple[Workload, Reference]:
    workload = WORKLOADS[request.param]
    made = reference.train(workload, make_weights(workload, 0), made_samples(workload, 0), STEPS)
    return workload, made


class Trainer:
    """Trains on a reference's batches, with one fault if there is one."""

    def __init__(self, workload: Workload, made: Reference) -> None:
        self.workload, self.made = workload, made
        self.rate = workload.optimiser.learning_rate
        self.velocity: Weights = {}

    def run(
        self,
        update: Callable[[Weights, Weights], Weights],
        targets: Callable[[Array], Array] = lambda y: y,
        start: Callable[[Weights], Weights] = lambda w: w,
    ) -> tuple[list[float], Mapping[str, Array]]:
        weights = start({name: tensor.astype(np.float64) for name, tensor in self.made.weights.items()})
        losses, first = [], None
        for x, y in zip(self.made.inputs["input"], self.made.targets, strict=True):
            loss, gradients = reference.loss_and_gradients(self.workload, weights, {"input": x}, targets(y))
            losses.append(loss)
            weights = update(weights, gradients)
            first = first or {name: tensor.astype(np.float32) for name, tensor in weights.items()}
        assert first is not None
        return losses, first

    def plain(self, weights: Weights, gradients: Weights) -> Weights:
        return {name: tensor - self.rate * gradients[name] for name, tensor in weights.items()}

    def momentum(self, weights: Weights, gradients: Weights) -> Weights:
        self.velocity = {name: 0.9 * self.velocity.get(name, 0.0) + g for name, g in gradients.items()}
        return self.plain(weights, self.velocity)

    def scaled(self, factor: float) -> Callable[[Weights, Weights], Weights]:
        return lambda weights, gradients: self.plain(weights, {name: factor * g for name, g in gradients.items()})

    def decayed(self, decay: float) -> Callable[[Weights, Weights], Weights]:
        return lambda weights, gradients: self.plain(
            weights, {name: g + decay * weights[name] for name, g in gradients.items()}
        )

    def frozen(self, name: str) -> Callable[[Weights, Weights], Weights]:
        return lambda weights, gradients: self.plain(weights, gradients) | {name: weights[name]}


def compare(made: Reference, trace: tuple[list[float], Mapping[str, Array]]) -> bool:
    return parity.compare(made, *trace).passed


def test_float32_weights_of_the_same_training_pass(case: tuple[Workload, Reference]) -> None:
    workload, made = case
    trainer = Trainer(workload, made)
    found = parity.compare(made, *trainer.run(trainer.plain))
    assert found.passed
    assert found.max_relative_difference == 0
    assert 0 < found.first_update_difference <= parity.FIRST_UPDATE_TOLERANCE / 3
    assert found.steps == len(made.losses)


def test_every_faulty_training_is_caught(case: tuple[Workload, Reference]) -> None:
    workload, made = case
    trainer = Trainer(workload, made)
    classes = workload.loss == "softmax-cross-entropy"
    first_bias = next(name for name in made.weights if name.endswith("bias"))
    kernel = next(iter(made.weights))
    faults = {
        "learning rate 1 % off": trainer.run(trainer.scaled(1.01)),
        "sum for mean": trainer.run(trainer.scaled(workload.batch)),
        "weight decay of 1e-4": trainer.run(trainer.decayed(1e-4)),
        "momentum": trainer.run(trainer.momentum),
        "a bias left out of training": trainer.run(trainer.frozen(first_bias)),
        "a frozen layer": trainer.run(trainer.frozen(kernel)),
        "targets off by one": trainer.run(trainer.plain, targets=lambda y: (y + 1) % 10 if classes else y + 1),
        "a second bias trained too": trainer.run(
            lambda w, g: trainer.plain(w, {n: 2 * t if n == first_bias else t for n, t in g.items()})
        ),
        "a kernel transposed": trainer.run(
            trainer.plain, start=lambda w: w | {kernel: w[kernel].reshape(w[kernel].shape[::-1]).T}
        ),
        "half precision": trainer.run(
            trainer.plain, start=lambda w: {n: t.astype(np.float16).astype(np.float64) for n, t in w.items()}
        ),
        "a stale batch": ([made.losses[0], *made.losses[:-1]], made.first_update),
        "the update of the second step": (list(made.losses), trainer.run(trainer.scaled(2))[1]),
    }
    missed = [name for name, trace in faults.items() if compare(made, trace)]
    assert missed == []


def test_the_worst_tensor_is_named(case: tuple[Workload, Reference]) -> None:
    workload, made = case
    trainer = Trainer(workload, made)
    name = list(made.weights)[-1]
    assert parity.compare(made, *trainer.run(trainer.frozen(name))).worst_tensor == name


@pytest.mark.parametrize("damage", ["missing", "misshapen", "nan"])
def test_a_tensor_that_cannot_be_compared_counts_as_not_updated(case: tuple[Workload, Reference], damage: str) -> None:
    _, made = case
    name = next(iter(made.weights))
    first: dict[str, Array] = {key: tensor.astype(np.float32) for key, tensor in made.first_update.items()}
    if damage == "missing":
        del first[name]
    elif damage == "misshapen":
        first[name] = first[name].reshape(-1)
    else:
        first[name] = np.full_like(first[name], np.nan)
    found = parity.compare(made, made.losses, first)
    assert not found.passed
    assert (found.worst_tensor, found.first_update_difference) == (name, pytest.approx(1))


@pytest.mark.parametrize("losses", [[], [1.0], [float("nan")] * 20, [float("inf")] * 20])
def test_losses_that_are_missing_or_not_finite_differ_by_everything(
    case: tuple[Workload, Reference], losses: list[float]
) -> None:
    _, made = case
    found = parity.compare(made, losses, made.first_update)
    assert not found.passed
    assert found.max_relative_difference >= 0.999


@given(st.floats(1e-9, 1e-2), st.integers(0, 2), st.booleans())
def test_the_difference_found_is_the_one_put_in(size: float, step: int, up: bool) -> None:
    made = Reference(
        inputs={"input": np.zeros((3, 1, 1), np.float32)},
        targets=np.zeros((3, 1), np.int32),
        weights={"w": np.zeros(2, np.float32)},
        outputs=np.zeros((1, 1)),
        losses=(2.0, 1.0, 0.5),
        first_update={"w": np.array([3.0, 4.0])},
        margin=None,
        safe_steps=3,
    )
    losses = list(made.losses)
    losses[step] *= 1 + size if up else 1 - size
    found = parity.compare(made, losses, {"w": np.array([3.0, 4.0 + 5 * size])})
    assert found.max_relative_difference == pytest.approx(size, rel=1e-6)
    assert found.first_update_difference == pytest.approx(size, rel=1e-6)
    assert found.passed == (found.max_relative_difference <= 1e-5 and found.first_update_difference <= 3e-4)


def test_a_tensor_the_reference_leaves_alone_has_to_be_left_alone() -> None:
    made = Reference(
        inputs={"input": np.zeros((1, 1, 1), np.float32)},
        targets=np.zeros((1, 1), np.int32),
        weights={"w": np.ones(2, np.float32)},
        outputs=np.zeros((1, 1)),
        losses=(1.0,),
        first_update={"w": np.ones(2)},
        margin=None,
        safe_steps=1,
    )
    assert parity.compare(made, [1.0], {"w": np.ones(2, np.float32)}).passed
    assert not parity.compare(made, [1.0], {"w": np.array([1, 1.001], np.float32)}).passed
