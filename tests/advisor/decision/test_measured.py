"""From a race to values."""

import msgspec
import pytest

from advisor.decision.measured import break_evens, count
from advisor.decision.value import UNKNOWN, Value
from advisor.questionnaire import Preferences
from bench.results import Basis, Energy, Latency, Outcome, Ratio, Results, Run, Status, Verdict
from bench.results import Quantity as Compared
from knowledge.model import Role
from tests.advisor.decision.builders import base, results, run

LEAVES = base().leaves
TIME = "performance.time_to_finish"
MEMORY = "performance.memory"
LONG = Preferences(run_length_seconds=1e9)  # so long that only the step counts


def values(race: Results, preferences: Preferences = LONG, leaf: str = TIME) -> dict[str, Value]:
    return count(race, LEAVES, preferences).values.get(leaf, {})


def not_counted(race: Results, preferences: Preferences = LONG) -> dict[str, str]:
    summary = count(race, LEAVES, preferences).summary
    assert summary is not None
    return {each.candidate: each.why for each in summary.not_counted}


def test_no_results_give_no_values() -> None:
    nothing = count(None, LEAVES, LONG)
    assert (nothing.values, nothing.summary) == ({}, None)


def test_each_doubling_of_the_time_costs_a_seventh_of_the_scale() -> None:
    found = values(results(run("a:m", 0.001), run("b:m", 0.002), run("c:m", 0.128), run("d:m", 1.0)))
    assert {name: value.expected for name, value in found.items()} == pytest.approx(
        {"a": 10, "b": 10 - 10 / 7, "c": 0, "d": 0}, abs=1e-3
    )


def test_time_is_start_and_compile_and_as_many_steps_as_the_fastest_does_in_a_run() -> None:
    slow_start = run("a:m", 0.001, import_seconds=50.0, build_seconds=10.0, first_step_seconds=40.001)
    quick_start = run("b:m", 0.002, import_seconds=0.0)
    found = values(results(slow_start, quick_start), Preferences(run_length_seconds=100))
    # a: 50 + 10 + 40 + 100 seconds; b: 100,000 steps of .002 s.
    assert found["a"].mode == pytest.approx(10)
    assert found["b"].mode == pytest.approx(10)
    assert values(results(slow_start, quick_start), Preferences(run_length_seconds=10))["b"].mode == 10
    assert values(results(slow_start, quick_start), Preferences(run_length_seconds=1e5))["a"].mode == 10


def test_a_range_becomes_a_range_and_a_provisional_one_is_widened() -> None:
    settled = values(results(run("a:m", 0.001), run("b:m", 0.004, spread=2)))
    assert settled["b"] == Value(pytest.approx(10 - 30 / 7), pytest.approx(10 - 20 / 7), pytest.approx(10 - 10 / 7))  # type: ignore[arg-type]
    provisional = values(results(run("a:m", 0.001), run("b:m", 0.004, spread=2, provisional=True)))
    widened = 0.3219280948873623 * 10 / 7  # log2 1.25
    assert provisional["b"].low == pytest.approx(settled["b"].low - widened)
    assert provisional["b"].mode == pytest.approx(settled["b"].mode)
    assert provisional["b"].high == pytest.approx(settled["b"].high + widened)


def test_values_stay_on_the_scale() -> None:
    fastest = values(results(run("a:m", 0.001, spread=3), run("b:m", 1.0, spread=3)))
    assert (fastest["a"].mode, fastest["a"].high) == (10, 10)
    assert (fastest["b"].low, fastest["b"].mode) == (0, 0)


def test_the_reference_is_the_best_of_the_race_whoever_it_is_and_in_the_default_mode_only() -> None:
    race = results(run("stranger:m", 0.001), run("a:m", 0.002), run("a:turbo", 0.0001), defaults=["stranger:m", "a:m"])
    assert values(race)["a"].mode == pytest.approx(10 - 10 / 7, abs=1e-3)
    assert not_counted(race) == {"a:turbo": "not its framework's default mode"}


def test_one_default_stands_for_a_framework() -> None:
    race = results(run("keras@jax:fit", 0.001), run("keras@tensorflow:fit", 0.004), run("a:m", 0.001))
    reordered = msgspec.structs.replace(
        race, plan=msgspec.structs.replace(race.plan, defaults=("keras@tensorflow:fit", "keras@jax:fit", "a:m"))
    )
    assert values(race)["keras"].mode == pytest.approx(10)
    assert values(reordered)["keras"].mode == pytest.approx(10 - 20 / 7, abs=1e-3)
    assert "keras@jax:fit" in not_counted(reordered)


@pytest.mark.parametrize(
    ("status", "why"),
    [(Status.FAILED, "failed: it"), (Status.SKIPPED, "skipped: it"), (Status.INCOMPARABLE, "not comparable: it")],
)
def test_what_did_not_finish_is_not_counted_and_sets_no_reference(status: Status, why: str) -> None:
    race = results(run("a:m", 0.002), run("b:m", 0.001, status=status))
    assert values(race) == {"a": Value(10, 10, 10)}
    assert not_counted(race)["b:m"].startswith(why)


def test_only_devices_the_user_trains_on_count() -> None:
    race = results(run("a:m", 0.001, device="cuda:0"), run("b:m", 0.002, device="mps"), run("c:m", 0.004))
    assert set(values(race)) == {"a", "b", "c"}
    assert set(values(race, Preferences(devices=("cuda",)))) == {"a"}
    assert set(values(race, Preferences(devices=("metal", "cpu")))) == {"b", "c"}
    assert not_counted(race, Preferences(devices=("tpu",)))["a:m"] == "you do not train on cuda:0"


def test_only_workloads_that_resemble_the_task_count() -> None:
    race = results(run("a:m", 0.001), run("a:m", 0.001, workload="pm25-lstm"))
    found = count(race, LEAVES, Preferences(workloads=("pm25-lstm",)))
    assert found.summary is not None
    assert found.summary.counted == ("a:m pm25-lstm",)
    assert [each.workload for each in found.summary.not_counted] == ["mnist-cnn"]


def test_workloads_count_the_same_and_a_missing_one_is_unknown() -> None:
    race = results(
        run("a:m", 0.001),
        run("a:m", 0.004, workload="pm25-lstm"),
        run("b:m", 0.004),
        run("b:m", 0.001, workload="pm25-lstm"),
        run("c:m", 0.001),
    )
    found = values(race)
    assert found["a"].expected == pytest.approx(found["b"].expected)
    assert found["c"].expected == pytest.approx((10 + UNKNOWN.expected) / 2)
    assert found["c"].known == 0.5


def test_other_quantities_fill_other_leaves() -> None:
    energy = Energy(value=1.0, basis="measured")
    race = results(
        run("a:m", 0.001, peak_rss_bytes=10**9, gpu_memory_bytes=10**8, energy_joules_per_sample=energy),
        run(
            "b:m",
            0.001,
            peak_rss_bytes=2 * 10**9,
            gpu_memory_bytes=4 * 10**8,
            energy_joules_per_sample=Energy(value=0.1, basis="estimated"),
        ),
        run("a:m", 0.001, phase="infer", latency_seconds=Latency(p50=0.2, p99=0.3)),
        run("b:m", 0.001, phase="infer", latency_seconds=Latency(p50=0.1, p99=9.0)),
    )
    found = count(race, LEAVES, LONG).values
    assert found[MEMORY]["b"].mode == pytest.approx(10 - 10 / 7)
    assert found["performance.gpu_memory"]["b"].mode == pytest.approx(10 - 20 / 7)
    assert found["performance.latency"]["a"].mode == pytest.approx(10 - 10 / 7)
    assert found["performance.latency"]["b"].mode == 10
    assert set(found["performance.energy"]) == {"a"}  # an estimate is no measurement


def test_what_nothing_measured_fills_has_no_values() -> None:
    assert set(count(results(run("a:m", 0.001, peak_rss_bytes=None)), LEAVES, LONG).values) == {TIME}


def test_who_only_runs_models_counts_no_training() -> None:
    race = results(
        run("a:m", 0.001),
        run("a:m", 0.001, phase="infer", latency_seconds=Latency(p50=0.1, p99=0.2)),
    )
    running = Preferences(roles=(Role.RUNTIME,), devices=())
    assert set(count(race, LEAVES, running).values) == {"performance.latency"}
    assert not_counted(race, running)["a:m"].endswith("this is training")


def test_phases_of_one_result_fill_their_own_leaves_only() -> None:
    race = results(
        run("a:m", 0.001),
        run("b:m", 0.004),
        run("a:m", 0.0004, phase="infer", latency_seconds=Latency(p50=0.2, p99=0.3)),
        run("b:m", 0.0001, phase="infer", latency_seconds=Latency(p50=0.1, p99=0.2)),
    )
    found = count(race, LEAVES, LONG).values
    assert found[TIME] == values(results(run("a:m", 0.001), run("b:m", 0.004)))
    assert (found["performance.latency"]["a"].mode, found["performance.latency"]["b"].mode) == (
        pytest.approx(10 - 10 / 7),
        10,
    )
    assert found[MEMORY] == values(results(run("a:m", 0.001), run("b:m", 0.004)), leaf=MEMORY)


def test_devices_of_one_result_are_not_compared_with_each_other() -> None:
    race = results(
        run("a:m", 0.001, device="cuda:0"), run("b:m", 0.002, device="cuda:0"), run("c:m", 0.1), run("d:m", 0.2)
    )
    found = values(race)
    half = (10 + UNKNOWN.expected) / 2
    assert found["a"].expected == found["c"].expected == pytest.approx(half)  # each the best on its own device
    assert found["b"].expected == found["d"].expected == pytest.approx(half - 10 / 7 / 2)


def test_only_fp32_counts_and_sets_the_reference() -> None:
    reduced = msgspec.structs.replace(run("b:m", 0.0001), precision="bf16")
    race = results(run("a:m", 0.001), reduced)
    assert values(race) == {"a": Value(10, 10, 10)}
    assert not_counted(race)["b:m"] == "measured in bf16; only fp32 counts"


def test_what_three_launches_found_is_not_widened_beside_what_one_did() -> None:
    race = results(run("a:m", 0.001), run("b:m", 0.004, spread=2), run("c:m", 0.004, spread=2, provisional=True))
    found = values(race)
    assert found["b"].high - found["b"].low == pytest.approx(20 / 7)
    assert found["c"].high - found["c"].low > found["b"].high - found["b"].low
    assert count(race, LEAVES, LONG).provisional


def raced(*runs: Run, verdict: str = "a", quantity: Compared = Compared.WALL_SECONDS) -> Results:
    """A race in which the first run stands against the second with this verdict."""
    first, second = runs[:2]
    said = Verdict(
        workload=first.workload,
        phase=first.phase,
        a=first.candidate,
        b=second.candidate,
        verdict=Outcome(verdict),
        ratio=Ratio(low=2.0, high=4.0),
        basis=Basis.WALL,
        quantity=quantity,
    )
    return msgspec.structs.replace(results(*runs), verdicts=(said,))


def broken_even(race: Results) -> list[tuple[str, str]]:
    return [(each.faster, each.slower) for each in break_evens(race.runs, race)]


LATE, PROMPT = run("a:m", 0.001, first_step_seconds=20.001), run("b:m", 0.003)


def test_break_even_speaks_of_one_device_and_precision() -> None:
    other = msgspec.structs.replace(LATE, precision="bf16")
    assert broken_even(raced(LATE, PROMPT)) == [("a:m", "b:m")]
    assert broken_even(raced(other, PROMPT)) == []
    assert broken_even(raced(LATE, run("b:m", 0.003, device="cuda:0"))) == []


@pytest.mark.parametrize("verdict", ["tie", "undecided"])
def test_break_even_needs_a_winner(verdict: str) -> None:
    assert broken_even(raced(LATE, PROMPT, verdict=verdict)) == []
    assert broken_even(results(LATE, PROMPT)) == []
    assert broken_even(raced(PROMPT, LATE, verdict="b")) == [("a:m", "b:m")]
    assert broken_even(raced(PROMPT, LATE, verdict="a")) == []  # medians that the race contradicts


def test_break_even_needs_a_machine_quiet_enough_for_wall_time() -> None:
    assert broken_even(raced(LATE, PROMPT, quantity=Compared.CPU_SECONDS)) == []


def test_break_even_is_of_the_workload_that_was_won() -> None:
    elsewhere = [msgspec.structs.replace(each, workload="pm25-lstm") for each in (LATE, PROMPT)]
    race = raced(LATE, PROMPT, *elsewhere)
    assert [each.workload for each in break_evens(race.runs, race)] == ["mnist-cnn"]


def test_break_even_is_where_the_faster_has_caught_up() -> None:
    compiled = run("a:compile", 0.001, first_step_seconds=20.001)
    plain = run("b:eager", 0.003)
    summary = count(raced(compiled, plain), LEAVES, LONG).summary
    assert summary is not None
    (found,) = summary.break_even
    assert (found.faster, found.slower, found.workload) == ("a:compile", "b:eager", "mnist-cnn")
    assert found.steps == pytest.approx(10_000)
    assert found.seconds == pytest.approx(1 + 20 + 10)
    assert found.seconds == pytest.approx(1 + 0.003 * found.steps)


def test_who_is_faster_and_starts_first_never_breaks_even() -> None:
    summary = count(raced(run("a:m", 0.001), run("b:m", 0.003, import_seconds=9.0)), LEAVES, LONG).summary
    assert summary is not None
    assert summary.break_even == ()
