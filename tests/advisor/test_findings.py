"""What a race found, in sentences that say what they rest on."""

from typing import Any

import pytest
from msgspec.structs import replace

from advisor import findings, i18n
from advisor.quantities import span, times
from bench.results import (
    Basis,
    Contention,
    DispatchPoint,
    Energy,
    Gauge,
    GpuUtilisation,
    HostToDevice,
    Outcome,
    Quantity,
    Ratio,
    Verdict,
)
from tests.bench.test_comparison import FIRST, said, timed
from tests.bench.test_store import run


@pytest.fixture(autouse=True)
def _english() -> None:
    i18n.set_language("en")


def verdict(outcome: Outcome, low: float | None, high: float | None, **changes: Any) -> Verdict:
    return replace(said("one", "two", outcome), ratio=Ratio(low=low, high=high), **changes)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (verdict(Outcome.A, 1.28, 1.37), "one:plain is faster than two:plain: 1.28-1.37x"),
        (verdict(Outcome.B, 0.5, 0.8), "two:plain is faster than one:plain: 1.25-2.00x"),
        (verdict(Outcome.TIE, 0.97, 1.04), "one:plain and two:plain tie: 0.97-1.04x"),
        (verdict(Outcome.UNDECIDED, 0.95, 1.2), "one:plain and two:plain: undecided (0.95-1.20x)"),
        (verdict(Outcome.UNDECIDED, None, None), "one:plain and two:plain: undecided"),
        (
            verdict(Outcome.UNDECIDED, None, None, why="the machine was too busy"),
            "one:plain and two:plain: undecided: the machine was too busy",
        ),
        (
            verdict(Outcome.A, 1.5, None, basis=Basis.ONE_LAUNCH),
            "one:plain is faster than two:plain: at least 1.50x (in these processes only: fewer than three launches)",
        ),
        (
            verdict(Outcome.A, 1.2, 1.4, basis=Basis.CPU_SECONDS, quantity=Quantity.CPU_SECONDS),
            "one:plain is faster than two:plain: 1.20-1.40x (in CPU seconds: the machine was busy)",
        ),
        (
            verdict(Outcome.A, 1.5, None, basis=Basis.ONE_LAUNCH, quantity=Quantity.CPU_SECONDS),
            "one:plain is faster than two:plain: at least 1.50x (in these processes only: fewer than three launches; "
            "in CPU seconds: the machine was busy)",
        ),
    ],
)
def test_a_verdict_says_who_by_how_much_and_on_what_it_rests(given: Verdict, told: str) -> None:
    assert findings.verdict_sentence(given) == told


def test_decided_verdicts_come_first_and_only_of_those_asked_for() -> None:
    verdicts = (
        said("one", "two", Outcome.UNDECIDED),
        said("one", "three", Outcome.TIE),
        said("two", "three", Outcome.B),
        replace(said("one", "two", Outcome.A), phase="infer"),
    )
    results = replace(FIRST, verdicts=verdicts)
    found = findings.verdicts_of(results, "mnist-cnn", "train")
    assert [each.verdict for each in found] == [Outcome.B, Outcome.TIE, Outcome.UNDECIDED]
    among = findings.verdicts_of(results, "mnist-cnn", "train", ["one:plain", "two:plain"])
    assert among == [verdicts[0]]


def test_launches_are_provisional_only_where_something_measured_is() -> None:
    three = replace(
        FIRST, runs=(timed("one", 0.01, launches=3, provisional=False), replace(run("two"), step_seconds=None))
    )
    assert findings.launches_in_words(three) == "3 launches"
    assert findings.launches_in_words(FIRST).startswith("1 launch, provisional: ")


def test_what_is_not_known_is_left_out_and_what_is_has_its_unit() -> None:
    bare = replace(run("one"), step_seconds=None, samples_per_second=None)
    assert list(findings.besides(bare)) == []
    full = replace(
        bare,
        dispatch_points=(DispatchPoint(batch=128, seconds=0.01), DispatchPoint(batch=512, seconds=0.05)),
        host_to_device=HostToDevice(included=False, seconds=0.0001),
        gpu_utilisation=GpuUtilisation(mean=0.5, p50=0.6, p95=0.9),
        gpu_memory_bytes=2_000_000_000,
        energy_joules_per_sample=Energy(value=0.002, basis="estimated"),
        stand_ins=("libquadmath",),
        recompilations=0,
    )
    assert [(key, value) for key, _name, value in findings.besides(full)] == [
        ("dispatch_points", "128: 10 ms, 512: 50 ms"),
        ("copy", "100 µs (not included)"),
        ("gpu_memory", "2.0 GB"),
        ("gpu_use", "mean 50%, p50 60%, p95 90%"),
        ("energy", "2 mJ (estimated)"),
        ("recompilations", "0"),
        ("stand_ins", "libquadmath"),
    ]
    unavailable = replace(bare, energy_joules_per_sample=Energy(value=None, basis="unavailable"))
    assert list(findings.besides(unavailable)) == []


def test_closing_sentences_are_there_when_there_is_something_to_say() -> None:
    quiet = replace(FIRST, twin=None, interrupted=False)
    assert findings.closing_sentences(quiet) == []
    busy = Contention(gauge=Gauge(median=0.25, low=0.24), flagged_blocks=9, blocks=9, load_average=4.0)
    assert findings.closing_sentences(replace(FIRST, contention=busy, interrupted=True)) == [
        "CPU granted: 25% (least 24%), 9 of 9 blocks below 80 %",
        "The race was interrupted.",
    ]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.04, "40 ms"),
        (59.4, "59 s"),
        (80, "1 min 20 s"),
        (119.6, "2 min 0 s"),
        (3725, "1 h 2 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, told: str) -> None:
    assert span(seconds) == told


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(1.28, 1.37, "1.28-1.37x"), (1.5, None, "1.50x"), (None, None, ""), (12.34, 20.06, "12.3-20.1x"), (1, 1, "1.00x")],
)
def test_ratios_are_told_with_three_digits(low: float | None, high: float | None, told: str) -> None:
    assert times(low, high) == told
