"""Two results side by side: like is held against like, and what differs is named."""

from typing import Any

import pytest
from msgspec.structs import replace

from bench.comparison import Comparison, compare
from bench.results import Basis, Outcome, Ratio, Results, Status, StepSeconds, Verdict, fastest
from tests.bench.test_store import results, run

LATER = "20261121-100000-bbbbbb"
NAMES = ("one", "two", "three", "four")


def timed(name: str, median: float, spread: float = 1.05, **changes: Any) -> Any:
    seconds = StepSeconds(median=median, low=median / spread, high=median * spread, blocks=45, steps_per_block=25)
    return replace(run(name), step_seconds=seconds, batch=128, **changes)


def said(a: str, b: str, outcome: Outcome) -> Verdict:
    return Verdict(
        workload="mnist-cnn",
        phase="train",
        a=f"{a}:plain",
        b=f"{b}:plain",
        verdict=outcome,
        ratio=Ratio(low=1.1, high=1.2),
        basis=Basis.WALL,
    )


def raced(identity: str, *runs: Any, verdicts: tuple[Verdict, ...] = (), **changes: Any) -> Results:
    return replace(results(identity), runs=runs, verdicts=verdicts, **changes)


FIRST = raced("20261120-100000-aaaaaa", timed("one", 0.01), timed("two", 0.02))


def why_not(comparison: Comparison) -> dict[str, str | None]:
    return {row.candidate: row.why_not for row in comparison.rows}


def test_step_times_are_held_against_each_other_with_what_their_ranges_allow() -> None:
    second = raced(LATER, timed("one", 0.0102), timed("two", 0.03))
    one, two = compare(FIRST, second).rows
    assert one.ratio is not None
    assert one.ratio.median == pytest.approx(1.02)
    assert (one.ratio.low, one.ratio.high) == (pytest.approx(1.02 / 1.05**2), pytest.approx(1.02 * 1.05**2))
    assert (one.overlap, two.overlap) == (True, False)
    assert (one.precision, one.phase, one.why_not) == ("fp32", "train", None)


def test_the_same_results_differ_in_nothing() -> None:
    same = compare(FIRST, FIRST)
    assert same.differences == ()
    assert [row.ratio.median for row in same.rows if row.ratio] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"precision": "bf16"}, "precision fp32 / bf16"),
        ({"device": "cuda:0"}, "device cpu / cuda:0"),
        ({"threads": 2}, "threads 1 / 2"),
        ({"batch": 64}, "batch 128 / 64"),
        ({"status": Status.FAILED, "reason": "it was lost"}, "failed in b"),
        ({"step_seconds": None}, "not measured in b"),
        ({"device": "mps", "precision": "bf16"}, "device cpu / mps, precision fp32 / bf16"),
    ],
)
def test_what_was_measured_otherwise_is_not_compared(changes: dict[str, Any], why: str) -> None:
    second = raced(
        LATER,
        replace(timed("one", 0.01), **changes),
        timed("two", 0.02),
        verdicts=(said("one", "two", Outcome.A),),
    )
    first = replace(FIRST, verdicts=second.verdicts)
    found = compare(first, second)
    assert why_not(found) == {"one:plain": why, "two:plain": None}
    (row, _) = found.rows
    assert (row.ratio, row.overlap) == (None, None)
    (verdict,) = found.verdicts
    assert (verdict.why_not, verdict.agree, verdict.contradict) == (why, False, False)


def test_own_data_are_not_held_against_made_ones() -> None:
    first = replace(FIRST, plan=replace(FIRST.plan, data={"mnist": "made", "pm25": "user"}))
    second = replace(FIRST, plan=replace(FIRST.plan, data={"mnist": "user", "pm25": "user"}))
    other = replace(FIRST, plan=replace(FIRST.plan, data={"mnist": "made", "pm25": "made"}))
    reads = {"mnist-cnn": "mnist"}
    assert why_not(compare(first, second, reads))["one:plain"] == "data mnist: made / user"
    assert why_not(compare(first, other, reads))["one:plain"] is None
    assert why_not(compare(first, other))["one:plain"] == "data pm25: user / made"


def test_what_stands_in_one_only_is_named() -> None:
    found = why_not(compare(FIRST, raced(LATER, timed("one", 0.01), timed("three", 0.01))))
    assert found == {"one:plain": None, "two:plain": "only in a", "three:plain": "only in b"}


def test_verdicts_agree_change_or_contradict_whichever_way_round_they_are_written() -> None:
    runs = [timed(name, 0.01) for name in NAMES]
    first = raced(
        "20261120-100000-aaaaaa",
        *runs,
        verdicts=(
            said("one", "two", Outcome.A),
            said("one", "three", Outcome.A),
            said("one", "four", Outcome.UNDECIDED),
            said("two", "three", Outcome.TIE),
        ),
    )
    second = raced(
        LATER,
        *runs,
        verdicts=(
            said("two", "one", Outcome.B),
            said("three", "one", Outcome.A),
            said("four", "one", Outcome.A),
        ),
    )
    found = {(each.first[:-6], each.second[:-6]): each for each in compare(first, second).verdicts}
    assert found["one", "two"].agree
    assert (found["one", "three"].a, found["one", "three"].b) == (Outcome.A, Outcome.B)
    assert found["one", "three"].contradict
    changed = found["four", "one"]
    assert (changed.a, changed.b) == (Outcome.UNDECIDED, Outcome.A)
    assert (changed.agree, changed.contradict) == (False, False)
    assert (found["three", "two"].b, found["three", "two"].agree) == (None, False)


def test_machine_code_plan_and_versions_that_differ_are_listed() -> None:
    first = raced(FIRST.id, timed("one", 0.01, versions={"torch": "2.9.0", "numpy": "2.0"}), code="0.1.0+aaa")
    second = raced(
        LATER,
        timed("one", 0.01, versions={"torch": "2.9.1", "numpy": "2.0", "triton": "3.0"}),
        code="0.1.0+bbb",
        machine=replace(FIRST.machine, cpu="another CPU", gpus=("a GPU",)),
        plan=replace(FIRST.plan, launches=3),
    )
    assert {(each.what, each.a, each.b) for each in compare(first, second).differences} == {
        ("code", "0.1.0+aaa", "0.1.0+bbb"),
        ("machine cpu", "some CPU", "another CPU"),
        ("machine gpus", "none", "a GPU"),
        ("plan launches", "1", "3"),
        ("one:plain torch", "2.9.0", "2.9.1"),
        ("one:plain triton", None, "3.0"),
    }


def test_the_fastest_is_named_only_when_it_beats_every_other_one() -> None:
    runs = [timed(name, 0.01) for name in NAMES[:3]]
    decided = (said("one", "two", Outcome.A), said("three", "one", Outcome.B))
    assert fastest(raced(LATER, *runs, verdicts=(*decided, said("two", "three", Outcome.TIE)))) == {
        "mnist-cnn train": "one:plain"
    }
    open_ = (said("one", "two", Outcome.A), said("one", "three", Outcome.UNDECIDED), said("two", "three", Outcome.A))
    assert fastest(raced(LATER, *runs, verdicts=open_)) == {}
