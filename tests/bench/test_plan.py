"""From wishes to plans, against the shipped knowledge base."""

from pathlib import Path
from typing import Any

import pytest

import knowledge
from bench.environments import Environments
from bench.history import Expectations
from bench.machine import usable_cores
from bench.plan import Candidate, Plan, family_error_rate
from bench.planning import CONSENT_BYTES, LARGEST_BATCH, MAIN_FRAMEWORKS, Wishes, announce, informed_plan, make_plan
from bench.readiness import State
from bench.results import StepSeconds
from bench.store import Store
from knowledge.faults import BadInput
from knowledge.model import Need
from tests.bench import pretend

WORKLOADS = ("mnist-cnn", "pm25-lstm")
DEVICES = ("cpu",)
BASE = knowledge.load()


def planned(devices: tuple[str, ...] = DEVICES, **wishes: Any) -> Plan:
    return make_plan(Wishes(**wishes), BASE, WORKLOADS, devices)


def faults(devices: tuple[str, ...] = DEVICES, **wishes: Any) -> str:
    with pytest.raises(BadInput) as caught:
        planned(devices, **wishes)
    return str(caught.value)


def test_the_default_is_every_frameworks_documented_default_on_every_workload() -> None:
    plan = planned(budget_seconds=300.0)
    assert {"pytorch:eager", "tensorflow:function", "mxnet:hybrid", "keras@tensorflow:fit", "jax:jit"} <= set(
        plan.candidates
    )
    assert plan.defaults == plan.candidates
    assert plan.workloads == WORKLOADS
    assert len({Candidate.parse(name).framework for name in plan.candidates}) == plan.K


def test_all_modes_run_on_all_backends() -> None:
    plan = planned(frameworks=("pytorch", "tensorflow", "keras", "mxnet"), modes=("all",))
    assert set(plan.candidates) == {
        "pytorch:eager",
        "pytorch:compile",
        "tensorflow:eager",
        "tensorflow:function",
        "tensorflow:xla",
        *(f"keras@{backend}:{mode}" for backend in ("tensorflow", "pytorch", "jax") for mode in ("fit", "custom")),
        "mxnet:imperative",
        "mxnet:hybrid",
    }
    assert (plan.K, plan.M) == (13, 78)
    assert plan.alpha == 0.025
    assert plan.defaults == ("pytorch:eager", "tensorflow:function", "keras@tensorflow:fit", "mxnet:hybrid")


def test_a_backend_and_a_mode_narrow_the_choice() -> None:
    assert planned(frameworks=("keras@jax",)).candidates == ("keras@jax:fit",)
    assert planned(frameworks=("keras@jax",), modes=("custom",)).candidates == ("keras@jax:custom",)
    assert planned(frameworks=("keras",), modes=("custom",)).candidates == ("keras@tensorflow:custom",)
    both = planned(frameworks=("pytorch", "tensorflow"), modes=("eager", "default"))
    assert set(both.candidates) == {"pytorch:eager", "tensorflow:eager", "tensorflow:function"}


def test_candidates_named_twice_run_once() -> None:
    plan = planned(frameworks=("pytorch", "pytorch"), workloads=("mnist-cnn", "mnist-cnn"))
    assert plan.candidates == ("pytorch:eager",)
    assert plan.workloads == ("mnist-cnn",)


def test_every_fault_is_named_at_once() -> None:
    text = faults(
        frameworks=("pytroch", "keras@jaxx", "theano"),
        workloads=("mnist_cnn",),
        device="cuda:0",
        budget_seconds=-1,
        threads=100_000,
        batch=0,
        launches=0,
        seed=-1,
        precision="fp64",
        phases=("both",),
    )
    for said in (
        "no framework 'pytroch' (did you mean pytorch?)",
        "no backend of keras 'jaxx' (did you mean jax?)",
        "Theano cannot be measured",
        "no workload 'mnist_cnn' (did you mean mnist-cnn?)",
        "this machine has no device 'cuda:0' (it has: cpu)",
        "-1 is no usable number of seconds",
        f"this machine runs 1 to {len(usable_cores())} at once",
        "0 samples are no usable batch",
        "0 launches cannot be made: 1 to 100 can",
        "-1 is negative",
        "no precision 'fp64' (there are: bf16, fp32, tf32)",
        "no phase 'both' (there are: infer, train)",
    ):
        assert said in text


@pytest.mark.parametrize("batch", [-1, LARGEST_BATCH + 1, 10**30])
def test_batches_fit_into_memory(batch: int) -> None:
    assert f"{batch} samples are no usable batch: 1 to 4096 are" in faults(batch=batch)


@pytest.mark.parametrize("budget", [0.0, float("nan"), float("inf"), 1e9])
def test_budgets_are_seconds_somebody_could_wait(budget: float) -> None:
    assert "--budget" in faults(budget_seconds=budget)


def test_a_mode_that_a_framework_lacks_is_named_with_those_it_has() -> None:
    assert "pytorch has no mode fit (it has: eager, compile, default, all)" in faults(
        frameworks=("pytorch", "keras"), modes=("fit",)
    )
    assert "no mode 'egaer' (did you mean eager?)" in faults(modes=("egaer",))


def test_auto_takes_an_accelerator_that_some_candidate_has_a_recipe_for() -> None:
    assert planned(("cpu", "cuda:0", "cuda:1"), frameworks=("pytorch", "mxnet")).device == "cuda:0"
    assert planned(("cpu", "cuda:0"), frameworks=("mxnet",)).device == "cpu"
    assert planned(("cpu", "cuda:0"), frameworks=("mxnet",), device="cuda:0").device == "cuda:0"
    assert planned().device == "cpu"


def test_the_error_rate_is_shared_between_races() -> None:
    assert family_error_rate(["a"], ["train"]) == 0.05
    assert family_error_rate(["a", "b"], ["train", "infer"]) == 0.0125


def test_costs_are_announced_once_per_environment(tmp_path: Path) -> None:
    plan = planned(frameworks=("pytorch", "keras@tensorflow"), modes=("all",))
    told = announce(plan, BASE, Environments(tmp_path))
    assert [each.candidate for each in told.candidates] == list(plan.candidates)
    by_environment = {each.environment: each.download_bytes for each in told.candidates}
    assert len(by_environment) == 2
    assert told.download_bytes == sum(by_environment.values())
    assert told.asks is (told.download_bytes > CONSENT_BYTES)
    assert told.measure_seconds == plan.budget_seconds


def test_what_cannot_run_here_costs_nothing(tmp_path: Path) -> None:
    need = Need(kind="library", name="libnowhere.so.9", mend="install nowhere")
    base = pretend.knowledge(pretend.framework("needy", (need,)), pretend.framework("good"))
    plan = make_plan(Wishes(), base, WORKLOADS, DEVICES)
    told = announce(plan, base, Environments(tmp_path))
    states = {each.candidate: each.state for each in told.candidates}
    assert states == {"needy:plain": State.IMPOSSIBLE, "good:plain": State.INSTALLABLE}
    assert told.download_bytes == 1_000_000
    assert not told.asks


# --- what a budget pays for ------------------------------------------------------------------------------------------


def known(seconds: float) -> Expectations:
    """Every default candidate's block took so long."""
    return Expectations(
        block_seconds={
            (name, workload, "train"): seconds for name in planned(budget_seconds=300.0).field for workload in WORKLOADS
        }
    )


def informed(expected: Expectations, **wishes: Any) -> Plan:
    return make_plan(Wishes(**wishes), BASE, WORKLOADS, DEVICES, expected)


def test_launches_are_as_many_as_the_budget_honestly_pays_for() -> None:
    names = ("pytorch", "tensorflow", "keras", "mxnet")
    settings = {"frameworks": names, "workloads": ("mnist-cnn",)}  # 5 workers with the twin: 75 blocks a launch
    expected = known(0.4)  # 30 s a launch
    launches = {b: informed(expected, budget_seconds=b, **settings).launches for b in (20, 89, 90, 149, 150, 240)}
    assert launches == {20: 1, 89: 1, 90: 3, 149: 3, 150: 5, 240: 8}
    assert informed(expected, budget_seconds=90, **settings).auto


def test_launches_asked_for_stand() -> None:
    plan = planned(frameworks=("pytorch", "mxnet"), launches=2, budget_seconds=10)
    assert (plan.launches, plan.auto) == (2, False)


def test_the_first_default_runs_twice_and_few_are_filled_up() -> None:
    four = planned(frameworks=("mxnet", "pytorch", "tensorflow", "keras"), workloads=("mnist-cnn",))
    assert four.twins == ("mxnet:hybrid#2",)
    assert four.field == (*four.candidates, "mxnet:hybrid#2")
    assert (four.K, four.M) == (4, 6)
    two = planned(frameworks=("mxnet", "pytorch"), workloads=("mnist-cnn",))
    assert two.twins == ("mxnet:hybrid#2", "pytorch:eager#2")
    assert (two.K, two.M) == (2, 1)
    assert planned(frameworks=("pytorch",)).twins == ()


def test_a_twin_is_left_out_where_the_budget_is_too_short_even_for_one_launch_of_it() -> None:
    assert planned(frameworks=("mxnet", "pytorch"), budget_seconds=20).twins == ()
    assert planned(frameworks=("mxnet", "pytorch"), workloads=("mnist-cnn",), budget_seconds=20).twins == (
        "mxnet:hybrid#2",
    )


def test_what_was_not_named_is_left_out_so_that_the_rest_can_be_decided() -> None:
    all_ = planned(budget_seconds=3600)
    assert all_.left_out == {}
    plan = informed(known(0.4), budget_seconds=150)  # 2 workloads: 4 workers at 36 s each
    assert plan.launches == 3
    assert len(plan.candidates) == plan.K == 3
    assert set(plan.candidates) | set(plan.left_out) == set(all_.candidates)
    assert "mxnet:hybrid" in plan.left_out  # no longer worked on
    (why,) = set(plan.left_out.values())
    assert why.startswith("left out so that the rest can be decided within 150 s (give --budget ")
    needed = float(why.partition("--budget ")[2].partition(" ")[0])
    assert informed(known(0.4), budget_seconds=needed).left_out == {}


def test_the_main_frameworks_and_a_twin_are_the_default_where_no_more_can_be_decided() -> None:
    plan = planned()
    assert set(plan.candidates) == {"pytorch:eager", "tensorflow:function", "keras@tensorflow:fit", "mxnet:hybrid"}
    assert plan.launches == 3
    assert plan.twins == (f"{plan.candidates[0]}#2",)
    assert "jax:jit" in plan.left_out


def test_the_twin_is_of_a_main_framework_whoever_is_named_first() -> None:
    named = planned(frameworks=("jax", "tensorflow", "pytorch"), workloads=("mnist-cnn",))
    assert named.twins == ("tensorflow:function#2",)
    assert planned(budget_seconds=3600).twins[0].partition("@")[0].partition(":")[0] in MAIN_FRAMEWORKS


def test_inference_pays_for_its_single_samples_too() -> None:
    """5 workers: 26 s of blocks a launch, and 12.5 s of single samples."""
    settings = {"frameworks": ("pytorch", "tensorflow", "keras", "mxnet"), "workloads": ("mnist-cnn",)}
    assert planned(budget_seconds=80, **settings).launches == 3
    assert planned(budget_seconds=80, phases=("infer",), **settings).launches == 1
    assert planned(budget_seconds=120, phases=("infer",), **settings).launches == 3


def test_what_was_named_always_runs() -> None:
    named = ("pytorch", "tensorflow", "keras", "mxnet")
    assert len(planned(frameworks=named, budget_seconds=20).candidates) == 4
    assert planned(modes=("all",), budget_seconds=20).left_out == {}
    exactly = planned(candidates=("keras@jax:fit", "pytorch:compile"), budget_seconds=20)
    assert exactly.candidates == ("keras@jax:fit", "pytorch:compile")
    assert exactly.defaults == ()


def test_where_even_two_cannot_be_decided_nobody_is_left_out() -> None:
    assert planned(budget_seconds=5).left_out == {}


def test_earlier_runs_inform_a_plan(tmp_path: Path) -> None:
    wishes = Wishes(frameworks=("pytorch", "mxnet"), workloads=("mnist-cnn",), budget_seconds=100)
    file = tmp_path / "results.sqlite"
    first = informed_plan(wishes, BASE, WORKLOADS, DEVICES, file)
    assert not file.exists()
    slow = StepSeconds(median=0.9, low=0.9, high=0.9, blocks=15, steps_per_block=1)  # 1.8 s with the re-warm step
    with Store(file) as store:
        store.save(pretend.results(first, step_seconds=slow))
    assert (first.launches, informed_plan(wishes, BASE, WORKLOADS, DEVICES, file).launches) == (3, 1)
