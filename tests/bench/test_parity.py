"""The parity gate: what computes the same passes, every fault of the catalogue is caught."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import parity, reference
from bench.data import made_samples, make_weights
from bench.reference import Reference
from bench.tensors import Array
from bench.workload import Workload, load_workloads
from tests.bench import mutants

BATCHES = {"mnist-cnn": 8, "pm25-lstm": 72, "resnet-mini": 2, "transformer-lm": 2}  # small ones: faults show as well
SEEDS = 5
STEPS = 3  # every fault shows in the first three
WORKLOADS = {
    name: msgspec.structs.replace(workload, batch=BATCHES[name])
    for name, workload in load_workloads().items()
    if name in BATCHES
}
APPLICABLE = {  # faults that need a place of their own in the network
    "mnist-cnn": {"flatten order", "padding", "ceil pooling", "ReLU before pooling left out"},
    "pm25-lstm": {"swapped gates", "second LSTM bias"},
    "resnet-mini": {"padding", "other epsilon", "batch statistics in inference"},
    "transformer-lm": {"other epsilon", "gelu by tanh"},
}
ANYWHERE = {
    "learning rate 1 % off",
    "missing bias",
    "frozen layer",
    "weight decay 1e-4",
    "momentum",
    "sum for mean",
    "labels off by one",
    "float16 accumulation",
    "dropped last batch",
    "stale batch",
}


@pytest.fixture(scope="module", autouse=True)
def one_blas_thread() -> Iterator[None]:
    with mutants.one_blas_thread():
        yield


def make(workload: Workload, seed: int) -> Reference:
    return reference.train(workload, make_weights(workload, seed), made_samples(workload, seed), STEPS)


@pytest.fixture(scope="module", params=sorted(WORKLOADS))
def case(request: pytest.FixtureRequest) -> tuple[Workload, Reference]:
    workload = WORKLOADS[request.param]
    return workload, make(workload, 0)


def test_float32_arithmetic_passes_three_times_over(case: tuple[Workload, Reference]) -> None:
    workload, made = case
    found = mutants.judge(made, mutants.honest(workload, made))
    assert found.passed
    assert 0 < found.max_relative_difference <= found.tolerance / 3
    assert 0 < found.first_update_difference <= found.first_update_tolerance / 3
    assert found.output_difference is not None
    assert found.output_tolerance is not None
    assert 0 < found.output_difference <= found.output_tolerance / 3
    assert (found.steps, found.margin) == (STEPS, made.margin)


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_reduced_precision_passes_its_own_tolerances_only(case: tuple[Workload, Reference], precision: str) -> None:
    workload, made = case
    trace = mutants.reduced(workload, made, precision)
    assert not mutants.judge(made, trace).passed
    assert mutants.headroom(mutants.figures(made, trace), precision) >= 3


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_every_fault_is_caught_three_times_over(name: str, seed: int) -> None:
    workload = WORKLOADS[name]
    made = make(workload, seed)
    found = dict(mutants.faulty(workload, made))
    assert found.keys() == ANYWHERE | APPLICABLE[name]
    assert {fault: figures for fault, figures in found.items() if mutants.reach(figures) < 3} == {}


def test_the_catalogue_is_tried_whole() -> None:
    assert mutants.FAULTS.keys() == ANYWHERE.union(*APPLICABLE.values())


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
@pytest.mark.parametrize("fault", ["frozen layer", "labels off by one"])
def test_gross_faults_are_caught_in_reduced_precision_too(
    case: tuple[Workload, Reference], precision: str, fault: str
) -> None:
    workload, made = case
    trace = mutants.FAULTS[fault](workload, made)
    assert trace is not None
    assert not mutants.judge(made, trace, precision).passed


def test_the_worst_tensor_is_named(case: tuple[Workload, Reference]) -> None:
    _, made = case
    name = list(made.first_update)[-1]
    first = dict(made.first_update) | {name: made.weights[name]}
    assert parity.compare(made, made.losses, first).worst_tensor == name


def test_outputs_that_were_not_asked_for_are_not_judged(case: tuple[Workload, Reference]) -> None:
    _, made = case
    found = parity.compare(made, made.losses, made.first_update)
    assert found.passed
    assert (found.output_difference, found.output_tolerance) == (None, None)


@pytest.mark.parametrize("damage", ["zero", "misshapen", "nan"])
def test_outputs_that_cannot_be_compared_count_as_zero(case: tuple[Workload, Reference], damage: str) -> None:
    _, made = case
    outputs = {
        "zero": np.zeros_like(made.outputs),
        "misshapen": made.outputs[:-1],
        "nan": np.full_like(made.outputs, np.nan),
    }[damage]
    found = parity.compare(made, made.losses, made.first_update, outputs)
    assert not found.passed
    assert found.output_difference is not None
    assert found.output_difference >= 1


def test_a_frozen_tensor_has_to_come_back_as_it_was() -> None:
    workload = msgspec.structs.replace(load_workloads()["finetune"], batch=2)
    made = make(workload, 0)
    assert parity.compare(made, made.losses, made.first_update).passed
    moved = dict(made.first_update)
    moved["conv1.weight"] = moved["conv1.weight"] * (1 + 1e-6)
    assert not parity.compare(made, made.losses, moved).passed
    del moved["conv1.weight"]
    assert not parity.compare(made, made.losses, moved).passed


def test_a_wider_tolerance_of_an_engine_is_in_the_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parity.tolerance("fp32") == parity.tolerance("fp32", "pytorch")
    monkeypatch.setattr(parity, "WIDENED", {"theano": 4.0})
    assert parity.tolerance("fp32", "theano").losses == 4 * parity.LOSS_TOLERANCE
    assert parity.tolerance("fp32", "theano").first_update == 4 * parity.FIRST_UPDATE_TOLERANCE
    with pytest.raises(KeyError):
        parity.tolerance("fp8")


def test_a_wider_tolerance_of_a_library_is_for_its_device_its_workload_and_first_updates_alone() -> None:
    usual, widened = parity.tolerance("fp32"), parity.tolerance("fp32", device="cuda:1", workload="lenet-mnist")
    assert widened.first_update == 12 * usual.first_update
    assert (widened.losses, widened.outputs) == (usual.losses, usual.outputs)
    assert parity.tolerance("fp32", device="cpu", workload="lenet-mnist") == usual
    assert parity.tolerance("fp32", device="cuda:0", workload="mnist-cnn") == usual
    assert parity.tolerance("bf16", device="cuda:0", workload="lenet-mnist") == parity.tolerance("bf16")


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
    assert found.passed == (found.max_relative_difference <= 1e-5 and found.first_update_difference <= 1e-4)


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
