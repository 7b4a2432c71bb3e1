"""A verdict on every charge of a guide, from invented results: each kind of charge, each outcome."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

import knowledge
from advisor import i18n
from advisor.trial import MEMORY_SPREAD, ChargeTrial, Ruling, counted_lines, is_raced, races, try_guide
from bench import recording
from bench.events import Prepared
from bench.idioms.lines import Lines
from bench.plan import Candidate, Goal, untwinned
from bench.results import Basis, Contention, Outcome, Quantity, Ratio, Results, Run, Status, StepSeconds, Verdict
from knowledge.model import Charge, Claim, Guide, Holds, Polarity, Text
from knowledge.model import Test as Kind  # a name that pytest does not take for a class of tests
from tests.bench import pretend
from tests.bench.test_store import MACHINE

BASE = knowledge.load()
OF = {
    "pytorch": "pytorch:eager",
    "tensorflow": "tensorflow:function",
    "keras": "keras@tensorflow:fit",
    "mxnet": "mxnet:hybrid",
}
"""The candidate that stands for each framework."""

_TEXT = Text(en="x", zh="x")


@pytest.fixture(autouse=True)
def _english() -> None:
    i18n.set_language("en")


def charge(test: Kind, framework: str = "keras", *against: str, **changes: Any) -> Charge:
    given: dict[str, Any] = {
        "id": "charge",
        "text": _TEXT,
        "claims": ("x-1",),
        "test": test,
        "framework": framework,
        "against": against or ("pytorch", "tensorflow"),
        "workloads": ("mnist-cnn",),
    }
    return Charge(**given | changes)


def guide(*charges: Charge) -> Guide:
    claim = Claim(
        id="x-1", line=1, about="Keras", said="So it is.", polarity=Polarity.FOR, holds=Holds.UNTESTABLE, now="?"
    )
    return Guide(
        id="guide", title=_TEXT, published="2018", source="x", conclusion=_TEXT, claims=(claim,), charges=charges
    )


def run(name: str, workload: str = "mnist-cnn", **changes: Any) -> Run:
    candidate = Candidate.parse(OF[name])
    given: dict[str, Any] = {
        "candidate": OF[name],
        "framework": name,
        "backend": candidate.backend,
        "mode": candidate.mode,
        "workload": workload,
        "phase": "train",
        "device": "cpu",
        "precision": "fp32",
        "threads": 1,
        "launches": 3,
        "provisional": False,
        "status": Status.OK,
        "reason": None,
        "step_seconds": StepSeconds(median=0.01, low=0.009, high=0.012, blocks=45, steps_per_block=25),
        "peak_rss_bytes": 500_000_000,
        "versions": {"torch": "2.13.0", "keras": "3.15.1", "numpy": "2.4.6", "wheel": "1"},
    }
    return Run(**given | changes)


def said(
    a: str, b: str, outcome: Outcome, low: float | None = 1.2, high: float | None = 1.4, **changes: Any
) -> Verdict:
    given: dict[str, Any] = {
        "workload": "mnist-cnn",
        "phase": "train",
        "a": OF[a],
        "b": OF[b],
        "verdict": outcome,
        "ratio": Ratio(low=low, high=high),
        "basis": Basis.WALL,
    }
    return Verdict(**given | changes)


def results(*parts: Run | Verdict, **changes: Any) -> Results:
    runs = tuple(part for part in parts if isinstance(part, Run))
    candidates = tuple(dict.fromkeys(each.candidate for each in runs))
    plan = pretend.plan("one", "two", candidates=candidates, defaults=tuple(OF.values()), launches=3, **changes)
    return Results(
        id="20261120-100000-aaaaaa",
        created="2026-11-20T10:00:00Z",
        machine=MACHINE,
        plan=plan,
        runs=runs,
        verdicts=tuple(part for part in parts if isinstance(part, Verdict)),
        twin=None,
        contention=Contention(gauge=None, flagged_blocks=0, blocks=0, load_average=None),
    )


ALL = tuple(run(name) for name in OF)


def tried(
    of: Charge, *parts: Run | Verdict, lines: Mapping[str, Mapping[str, Lines]] | None = None, **changes: Any
) -> ChargeTrial:
    (found,) = try_guide(guide(of), BASE, [results(*parts, **changes)], lines or {}).charges
    return found


# --- fastest and slowest ---------------------------------------------------------------------------------------------

A, B, TIE, UNDECIDED = Outcome.A, Outcome.B, Outcome.TIE, Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("test", "verdicts", "ruling"),
    [
        (Kind.SLOWEST, (said("pytorch", "keras", A), said("tensorflow", "keras", A)), Ruling.CONFIRMED),
        (Kind.SLOWEST, (said("keras", "pytorch", B), said("tensorflow", "keras", A)), Ruling.CONFIRMED),
        (Kind.SLOWEST, (said("keras", "pytorch", A), said("tensorflow", "keras", A)), Ruling.REFUTED),
        (Kind.SLOWEST, (said("pytorch", "keras", TIE), said("tensorflow", "keras", A)), Ruling.REFUTED),
        (Kind.SLOWEST, (said("pytorch", "keras", UNDECIDED), said("tensorflow", "keras", A)), Ruling.UNDECIDED),
        (Kind.SLOWEST, (said("pytorch", "keras", UNDECIDED), said("keras", "tensorflow", A)), Ruling.REFUTED),
        (Kind.SLOWEST, (said("tensorflow", "keras", A),), Ruling.UNDECIDED),
        (Kind.FASTEST, (said("keras", "pytorch", A), said("keras", "tensorflow", A)), Ruling.CONFIRMED),
        (Kind.FASTEST, (said("pytorch", "keras", B), said("keras", "tensorflow", A)), Ruling.CONFIRMED),
        (Kind.FASTEST, (said("keras", "pytorch", A), said("tensorflow", "keras", A)), Ruling.REFUTED),
        (Kind.FASTEST, (said("keras", "pytorch", A), said("keras", "tensorflow", TIE)), Ruling.REFUTED),
        (Kind.FASTEST, (said("keras", "pytorch", A), said("keras", "tensorflow", UNDECIDED)), Ruling.UNDECIDED),
    ],
)
def test_speed_is_what_the_race_says_of_each_rival(test: Kind, verdicts: tuple[Verdict, ...], ruling: Ruling) -> None:
    assert tried(charge(test), *ALL, *verdicts).ruling is ruling


def test_medians_alone_confirm_nothing() -> None:
    slow = StepSeconds(median=1, low=0.99, high=1.01, blocks=45, steps_per_block=1)
    found = tried(charge(Kind.SLOWEST), run("keras", step_seconds=slow), run("pytorch"), run("tensorflow"))
    assert found.ruling is Ruling.UNDECIDED


def test_a_third_framework_counts_in_no_charge_that_does_not_name_it() -> None:
    found = tried(
        charge(Kind.FASTEST, "keras", "pytorch"), *ALL, said("keras", "pytorch", A), said("mxnet", "keras", A)
    )
    assert found.ruling is Ruling.CONFIRMED


@pytest.mark.parametrize(
    ("verdict", "ratio"),
    [
        (said("pytorch", "keras", A, 1.25, 2), (1.25, 2)),
        (said("keras", "pytorch", B, 0.5, 0.8), (1.25, 2)),
        (said("keras", "pytorch", A, 1.25, 2), (0.5, 0.8)),
        (said("pytorch", "keras", A, 1.5, None), (1.5, None)),
        (said("keras", "pytorch", A, 1.25, None), (None, 0.8)),
    ],
)
def test_the_ratio_tells_how_much_the_guide_is_right(verdict: Verdict, ratio: tuple[float, float]) -> None:
    (hearing,) = tried(charge(Kind.SLOWEST, "keras", "pytorch"), *ALL, verdict).hearings
    (pair,) = hearing.pairs
    assert pair.ratio is not None
    assert (pair.ratio.low, pair.ratio.high) == ratio
    assert pair.verdicts == (verdict,)


@pytest.mark.parametrize(
    ("verdict", "ruling"),
    [
        (said("pytorch", "keras", A, 2.0, 2.4), Ruling.CONFIRMED),
        (said("pytorch", "keras", A, 1.9, 2.4), Ruling.UNDECIDED),
        (said("pytorch", "keras", A, 1.5, 1.9), Ruling.PARTLY),
        (said("pytorch", "keras", A, 1.5, None, basis=Basis.ONE_LAUNCH), Ruling.UNDECIDED),
        (said("keras", "pytorch", A, 2.0, 2.4), Ruling.REFUTED),
        (said("keras", "pytorch", TIE, 0.95, 1.05), Ruling.REFUTED),
    ],
)
def test_a_factor_asks_for_the_whole_interval_beyond_it(verdict: Verdict, ruling: Ruling) -> None:
    assert tried(charge(Kind.SLOWEST, "keras", "pytorch", factor=2), *ALL, verdict).ruling is ruling


# --- several workloads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "ruling"),
    [
        (A, A, Ruling.CONFIRMED),
        (A, B, Ruling.PARTLY),
        (A, TIE, Ruling.PARTLY),
        (A, UNDECIDED, Ruling.UNDECIDED),
        (B, UNDECIDED, Ruling.REFUTED),
        (TIE, UNDECIDED, Ruling.REFUTED),
        (UNDECIDED, UNDECIDED, Ruling.UNDECIDED),
    ],
)
def test_workloads_are_put_together(first: Outcome, second: Outcome, ruling: Ruling) -> None:
    both = charge(Kind.FASTEST, "keras", "pytorch", workloads=("mnist-cnn", "pm25-lstm"))
    runs = [run(name, workload) for workload in both.workloads for name in ("keras", "pytorch")]
    verdicts = [said("keras", "pytorch", first), said("keras", "pytorch", second, workload="pm25-lstm")]
    found = tried(both, *runs, *verdicts)
    assert found.ruling is ruling
    assert [hearing.workload for hearing in found.hearings] == ["mnist-cnn", "pm25-lstm"]


@pytest.mark.parametrize(
    ("ratio", "ruling"), [((1.2, 1.4), Ruling.PARTLY), ((2.1, 2.4), Ruling.CONFIRMED), ((1.9, 2.4), Ruling.UNDECIDED)]
)
def test_a_factor_missed_on_one_workload_and_reached_on_the_other_holds_in_part(
    ratio: tuple[float, float], ruling: Ruling
) -> None:
    both = charge(Kind.FASTEST, "keras", "pytorch", workloads=("mnist-cnn", "pm25-lstm"), factor=2)
    runs = [run(name, workload) for workload in both.workloads for name in ("keras", "pytorch")]
    verdicts = [said("keras", "pytorch", A, 3, 4), said("keras", "pytorch", A, *ratio, workload="pm25-lstm")]
    assert tried(both, *runs, *verdicts).ruling is ruling


def test_inference_says_nothing_of_training() -> None:
    only = [replace(each, phase="infer") for each in ALL]
    assert tried(charge(Kind.FASTEST), *only).why == "not before a race on cpu over mnist-cnn"
    found = tried(charge(Kind.FASTEST, "keras", "pytorch"), *ALL, said("keras", "pytorch", A, phase="infer"))
    assert found.ruling is Ruling.UNDECIDED


# --- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "rivals", "ruling"),
    [
        (280, (400, 640), Ruling.CONFIRMED),
        (400, (280, 640), Ruling.REFUTED),
        (400, (482, 640), Ruling.UNDECIDED),  # 1.205 times
        (400, (486, 640), Ruling.CONFIRMED),  # 1.215 times
        (482, (400, 640), Ruling.UNDECIDED),
        (486, (400, 640), Ruling.REFUTED),
    ],
)
def test_memory_is_compared_beyond_what_launches_differ_by(own: int, rivals: tuple[int, int], ruling: Ruling) -> None:
    peaks = {"mxnet": own, "pytorch": rivals[0], "tensorflow": rivals[1]}
    runs = [run(name, peak_rss_bytes=peak * 1_000_000) for name, peak in peaks.items()]
    found = tried(charge(Kind.LEAST_MEMORY, "mxnet"), *runs)
    assert found.ruling is ruling
    assert found.hearings[0].exhibits[0].peak_rss_bytes == own * 1_000_000


def test_the_margin_covers_what_the_recorded_races_show_of_one_candidate() -> None:
    peaks: dict[tuple[str, str, str], list[int]] = {}
    for path in (*recording.shipped().values(), *(path for paths in recording.trials().values() for path in paths)):
        recorded = recording.read(path)
        for each in (*(event for event in recorded.events if isinstance(event, Prepared)), *recorded.results.runs):
            if each.peak_rss_bytes is not None:
                of = (recorded.results.plan.device, untwinned(each.candidate), each.workload)
                peaks.setdefault(of, []).append(each.peak_rss_bytes)
    widest = max(max(found) / min(found) for found in peaks.values())
    assert widest > 1.05
    assert widest**2 <= MEMORY_SPREAD


def test_without_a_peak_memory_cannot_be_compared() -> None:
    found = tried(charge(Kind.LEAST_MEMORY, "mxnet", "keras"), run("mxnet"), run("keras", peak_rss_bytes=None))
    assert found.ruling is Ruling.UNTESTABLE
    assert found.hearings[0].pairs[0].why == "the peak of memory was not measured"


# --- lines -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "rivals", "factor", "ruling"),
    [
        (Lines(14, 8), (Lines(18, 12), Lines(35, 12)), 1, Ruling.CONFIRMED),
        (Lines(14, 8), (Lines(10, 12), Lines(35, 12)), 1, Ruling.REFUTED),
        (Lines(14, 8), (Lines(18, 12), Lines(8, 12)), 1, Ruling.REFUTED),
        (Lines(10, 10), (Lines(20, 20), Lines(30, 30)), 2, Ruling.CONFIRMED),
        (Lines(10, 10), (Lines(20, 19), Lines(30, 30)), 2, Ruling.PARTLY),
        (Lines(10, 10), (Lines(9, 10), Lines(30, 30)), 2, Ruling.REFUTED),
    ],
)
def test_lines_are_counted(own: Lines, rivals: tuple[Lines, Lines], factor: float, ruling: Ruling) -> None:
    lines = {
        name: {"mnist-cnn": each} for name, each in zip(("keras", "pytorch", "tensorflow"), (own, *rivals), strict=True)
    }
    found = tried(charge(Kind.FEWEST_LINES, factor=factor), lines=lines)
    assert found.ruling is ruling
    assert (found.device, found.results, found.provisional) == (None, (), False)
    assert [exhibit.lines for exhibit in found.hearings[0].exhibits] == [own, *rivals]


def test_training_is_counted_alone_where_the_guide_speaks_of_training() -> None:
    lines = {"keras": {"mnist-cnn": Lines(50, 1)}, "pytorch": {"mnist-cnn": Lines(20, 20)}}
    of = charge(Kind.FEWEST_TRAINING_LINES, "keras", "pytorch", factor=20)
    assert tried(of, lines=lines).ruling is Ruling.CONFIRMED
    assert tried(charge(Kind.FEWEST_LINES, "keras", "pytorch"), lines=lines).ruling is Ruling.REFUTED


def test_a_program_that_nobody_wrote_cannot_be_counted() -> None:
    found = tried(charge(Kind.FEWEST_LINES, "keras", "pytorch"), lines={"keras": {"mnist-cnn": Lines(14, 8)}})
    assert found.ruling is Ruling.UNTESTABLE
    assert found.hearings[0].pairs[0].why == "nobody has written mnist-cnn in PyTorch here"


# --- lengths that change ---------------------------------------------------------------------------------------------

LOOP = charge(Kind.DYNAMIC_SHAPE, "pytorch", "tensorflow", workloads=("dynamic-rnn",))
LOOPS = [run(name, loop) for loop in ("dynamic-rnn", "dynamic-rnn-constant") for name in ("pytorch", "tensorflow")]


def loops(changing: Verdict, constant: Verdict) -> list[Verdict]:
    return [replace(changing, workload="dynamic-rnn"), replace(constant, workload="dynamic-rnn-constant")]


@pytest.mark.parametrize(
    ("changing", "constant", "ruling"),
    [
        # PyTorch goes ahead of a TensorFlow that was ahead of it: it slowed down less.
        (said("pytorch", "tensorflow", A, 1.2, 1.4), said("tensorflow", "pytorch", A, 1.5, 1.8), Ruling.CONFIRMED),
        # Both are ahead of it, but less so with constant lengths.
        (said("tensorflow", "pytorch", A, 2.0, 2.2), said("tensorflow", "pytorch", A, 1.5, 1.8), Ruling.REFUTED),
        (said("tensorflow", "pytorch", A, 1.5, 1.8), said("tensorflow", "pytorch", A, 2.0, 2.2), Ruling.CONFIRMED),
        # The same on both: neither slowed down more.
        (said("tensorflow", "pytorch", A, 2.0, 2.05), said("tensorflow", "pytorch", A, 2.0, 2.05), Ruling.REFUTED),
        # As far as can be told.
        (said("tensorflow", "pytorch", A, 1.5, 1.8), said("tensorflow", "pytorch", A, 1.6, 1.9), Ruling.UNDECIDED),
        # One that says nothing, or is open at an end.
        (
            said("tensorflow", "pytorch", UNDECIDED, None, None),
            said("tensorflow", "pytorch", A, 1.6, 1.9),
            Ruling.UNDECIDED,
        ),
        (said("pytorch", "tensorflow", A, 1.5, None), said("tensorflow", "pytorch", A, 1.5, None), Ruling.UNDECIDED),
        # One in wall time, the other in CPU seconds.
        (
            said("pytorch", "tensorflow", A, quantity=Quantity.CPU_SECONDS),
            said("tensorflow", "pytorch", A, 1.5, 1.8),
            Ruling.UNDECIDED,
        ),
    ],
)
def test_slowdowns_are_compared_by_the_race(changing: Verdict, constant: Verdict, ruling: Ruling) -> None:
    assert tried(LOOP, *LOOPS, *loops(changing, constant)).ruling is ruling


def test_the_ratio_of_slowdowns_is_the_quotient_of_two_intervals() -> None:
    pair = loops(said("pytorch", "tensorflow", A, 1.2, 1.4), said("tensorflow", "pytorch", A, 1.6, 2.0))
    ratio = tried(LOOP, *LOOPS, *pair).hearings[0].pairs[0].ratio
    assert ratio is not None
    assert (ratio.low, ratio.high) == (pytest.approx(1.2 / (1 / 1.6)), pytest.approx(1.4 / (1 / 2.0)))


def test_slowdown_and_recompilations_are_shown() -> None:
    slow = StepSeconds(median=0.03, low=0.02, high=0.04, blocks=45, steps_per_block=25)
    runs = [run("tensorflow", "dynamic-rnn", step_seconds=slow, recompilations=7), *(LOOPS[:1] + LOOPS[2:])]
    own, rival = tried(LOOP, *runs).hearings[0].exhibits
    assert (own.slowdown, rival.slowdown) == (1, pytest.approx(3))
    assert (own.recompilations, rival.recompilations) == (None, 7)


def test_without_the_constant_length_a_slowdown_is_untestable() -> None:
    found = tried(LOOP, *LOOPS[:2])
    assert found.ruling is Ruling.UNTESTABLE
    assert found.why == "not before a race on cpu over dynamic-rnn, dynamic-rnn-constant"


# --- what cannot be tried --------------------------------------------------------------------------------------------


def test_a_charge_on_another_device_cannot_be_tried() -> None:
    found = tried(charge(Kind.FASTEST, device="cuda"), *ALL, said("keras", "pytorch", A))
    assert (found.ruling, found.why) == (Ruling.UNTESTABLE, "needs cuda, and the machine of the race has no GPU")
    assert (found.device, found.results, found.hearings) == (None, (), ())


def test_a_charge_takes_the_race_on_its_device() -> None:
    on_gpu = results(*ALL, said("keras", "pytorch", A), device="cuda:0")
    charges = (charge(Kind.FASTEST, "keras", "pytorch"), charge(Kind.FASTEST, "keras", "pytorch", device="cuda"))
    first, second = try_guide(guide(*charges), BASE, [results(*ALL, said("pytorch", "keras", A)), on_gpu], {}).charges
    assert (first.ruling, first.device) == (Ruling.REFUTED, "cpu")
    assert (second.ruling, second.device) == (Ruling.CONFIRMED, "cuda:0")


def test_without_any_race_what_needs_one_says_so() -> None:
    (found,) = try_guide(guide(charge(Kind.FASTEST)), BASE, [], {}).charges
    assert (found.ruling, found.why) == (Ruling.UNTESTABLE, "not before a race on cpu over mnist-cnn")


def test_each_workload_takes_the_first_race_that_ran_it() -> None:
    both = charge(Kind.FASTEST, "keras", "pytorch", workloads=("mnist-cnn", "pm25-lstm", "vqa-50"))
    on_pm25 = [run(name, "pm25-lstm") for name in ("keras", "pytorch")]
    first = results(*ALL, said("keras", "pytorch", A))
    second = replace(results(*on_pm25, said("pytorch", "keras", A, workload="pm25-lstm")), id="second")
    third = replace(results(*ALL, said("pytorch", "keras", A)), id="third")
    trial = try_guide(guide(both), BASE, [first, second, third], {})
    (found,) = trial.charges
    assert [hearing.ruling for hearing in found.hearings] == [Ruling.CONFIRMED, Ruling.REFUTED, Ruling.UNTESTABLE]
    assert found.results == (first.id, "second")
    assert [venue.results for venue in trial.venues] == [first.id, "second"]
    assert {exhibit.why_not for exhibit in found.hearings[2].exhibits} == {"vqa-50 was not raced"}


def test_a_race_in_another_precision_counts_as_none() -> None:
    found = tried(charge(Kind.FASTEST), *ALL, said("keras", "pytorch", A), precision="bf16")
    assert found.ruling is Ruling.UNTESTABLE


@pytest.mark.parametrize(
    ("status", "reason", "why"),
    [
        (Status.SKIPPED, "needs Python 3.9", "keras@tensorflow:fit: skipped: needs Python 3.9"),
        (Status.FAILED, None, "keras@tensorflow:fit: failed"),
        (Status.INCOMPARABLE, "other losses", "keras@tensorflow:fit: incomparable: other losses"),
    ],
)
def test_a_framework_that_came_to_no_figure_is_named_with_the_reason(
    status: Status, reason: str | None, why: str
) -> None:
    runs = [run("keras", status=status, reason=reason, step_seconds=None), run("pytorch"), run("tensorflow")]
    found = tried(charge(Kind.SLOWEST), *runs, said("pytorch", "tensorflow", A))
    assert found.ruling is Ruling.UNTESTABLE
    assert {pair.why for pair in found.hearings[0].pairs} == {why}
    assert found.hearings[0].exhibits[0].why_not == why


def test_a_framework_that_nothing_here_runs_is_untestable() -> None:
    found = tried(charge(Kind.FASTEST, "theano", "keras"), *ALL)
    assert found.ruling is Ruling.UNTESTABLE
    assert found.hearings[0].pairs[0].why == "Theano cannot be measured: nothing here runs it"


def test_another_mode_does_not_stand_for_its_framework() -> None:
    custom = run("keras", candidate="keras@tensorflow:custom", mode="custom")
    found = tried(charge(Kind.FASTEST, "keras", "pytorch"), custom, run("pytorch"))
    assert found.ruling is Ruling.UNTESTABLE
    assert found.hearings[0].pairs[0].why == "Keras was not raced on mnist-cnn in its default mode"


def test_one_rival_refutes_even_where_another_could_not_be_tried() -> None:
    runs = [run("keras"), run("pytorch"), run("tensorflow", status=Status.FAILED, step_seconds=None)]
    assert tried(charge(Kind.FASTEST), *runs, said("pytorch", "keras", A)).ruling is Ruling.REFUTED
    assert tried(charge(Kind.FASTEST), *runs, said("keras", "pytorch", A)).ruling is Ruling.UNTESTABLE


# --- what a verdict shows --------------------------------------------------------------------------------------------


def test_a_verdict_shows_what_it_rests_on() -> None:
    found = tried(charge(Kind.FASTEST, "keras", "pytorch"), *ALL, said("keras", "pytorch", A))
    assert (found.said, found.device, found.results) == (("So it is.",), "cpu", ("20261120-100000-aaaaaa",))
    keras, pytorch = found.hearings[0].exhibits
    assert (keras.candidate, keras.versions) == ("keras@tensorflow:fit", {"keras": "3.15.1", "torch": "2.13.0"})
    assert pytorch.versions == {"torch": "2.13.0", "numpy": "2.4.6"}
    assert pytorch.step_seconds is not None
    assert not found.provisional


def test_few_launches_are_provisional() -> None:
    one = said("keras", "pytorch", A, 1.5, None, basis=Basis.ONE_LAUNCH)
    assert tried(charge(Kind.FASTEST, "keras", "pytorch"), *ALL, one).provisional
    runs = [run("keras", provisional=True), run("pytorch")]
    assert tried(charge(Kind.LEAST_MEMORY, "keras", "pytorch"), *runs).provisional


# --- the races that try a guide --------------------------------------------------------------------------------------


def test_one_race_for_each_device_that_is_asked_for_and_here() -> None:
    shipped = BASE.guides["four-frameworks-2018"]
    (here,) = races(shipped, BASE, ["cpu"])
    assert (here.device, here.goal) == ("cpu", Goal.ORDER)
    assert set(here.frameworks) == {"keras", "tensorflow", "mxnet", "pytorch"}
    assert here.workloads == ("pm25-lstm", "mnist-cnn", "vqa-50")
    assert here.budget_seconds == 540
    on_cpu, on_gpu = races(shipped, BASE, ["cpu", "cuda:0", "cuda:1"], 60)
    assert (on_cpu.device, on_gpu.device, on_gpu.workloads) == ("cpu", "cuda:0", ("vqa-50", "vqa-224"))
    assert {on_cpu.budget_seconds, on_gpu.budget_seconds} == {60}


def test_lengths_that_change_are_raced_beside_constant_ones() -> None:
    (here,) = races(BASE.guides["pytorch-or-tensorflow-2017"], BASE, ["cpu"])
    assert here.workloads == ("dynamic-rnn", "dynamic-rnn-constant")
    assert set(here.frameworks) == {"pytorch", "tensorflow"}


def test_counting_needs_no_race() -> None:
    shipped = BASE.guides["keras-or-pytorch-2018"]
    assert races(shipped, BASE, ["cpu", "cuda:0"]) == ()
    assert not any(map(is_raced, shipped.charges))
    rulings = {each.charge: each.ruling for each in try_guide(shipped, BASE, [], counted_lines(shipped)).charges}
    assert rulings == {"twenty-lines-against-one": Ruling.PARTLY, "keras-more-concise": Ruling.CONFIRMED}


def test_frameworks_that_nothing_runs_are_not_raced() -> None:
    theano = charge(Kind.FASTEST, "theano", "keras", "pytorch")
    assert races(guide(theano), BASE, ["cpu"])[0].frameworks == ("keras", "pytorch")
    assert races(guide(charge(Kind.FASTEST, "theano", "keras")), BASE, ["cpu"]) == ()


@pytest.mark.parametrize("name", BASE.guides)
def test_every_shipped_charge_can_be_planned_and_is_ruled_upon(name: str) -> None:
    from bench.planning import make_plan
    from bench.workload import load_workloads

    shipped = BASE.guides[name]
    for wishes in races(shipped, BASE, ["cpu", "cuda:0"]):
        assert len(make_plan(wishes, BASE, tuple(load_workloads()), ["cpu", "cuda:0"]).candidates) > 1
    found = try_guide(shipped, BASE, [], counted_lines(shipped)).charges
    assert [each.charge for each in found] == [each.id for each in shipped.charges]
    for each, of in zip(found, shipped.charges, strict=True):
        assert (each.ruling is Ruling.UNTESTABLE) == is_raced(of)
        assert each.said


def test_every_recorded_trial_is_of_a_guide_and_tries_every_charge_on_its_device() -> None:
    assert "four-frameworks-2018" in recording.trials()
    for name, paths in recording.trials().items():
        raced = [recording.read(path).results for path in paths]
        assert [path.stem for path in paths] == [each.plan.device.replace(":", "-") for each in raced]
        trial = try_guide(BASE.guides[name], BASE, raced, counted_lines(BASE.guides[name]))
        assert [venue.results for venue in trial.venues] == [each.id for each in raced]
        devices = {each.plan.device.partition(":")[0] for each in raced}
        for of, tried_ in zip(BASE.guides[name].charges, trial.charges, strict=True):
            assert (tried_.ruling is not Ruling.UNTESTABLE) == (of.device in devices or not is_raced(of)), of.id
