"""What a trial found, in sentences: the figures and what they rest on, or what is missing."""

from typing import Any

import pytest
from msgspec.structs import replace

from advisor import i18n
from advisor.trial import Ruling, try_guide
from advisor.trial_findings import hearing_lines, ruling_sentence, tally, venue_sentence
from bench.idioms.lines import Lines
from bench.results import Basis, Quantity, Run, Status, StepSeconds, Verdict
from knowledge.model import Charge
from knowledge.model import Test as Kind
from tests.advisor.test_trial import ALL, BASE, LOOP, LOOPS, A, charge, guide, loops, results, run, said, tried


@pytest.fixture(autouse=True)
def _english() -> None:
    i18n.set_language("en")


def told(of: Charge, *parts: Run | Verdict, **changes: Any) -> list[str]:
    return list(hearing_lines(of, tried(of, *parts, **changes).hearings[0], BASE))


def test_speed_is_told_by_step_times_and_by_the_races_own_sentence() -> None:
    of = charge(Kind.SLOWEST, "keras", "pytorch")
    verdict = said("pytorch", "keras", A, quantity=Quantity.CPU_SECONDS)
    assert told(of, *ALL, verdict) == [
        "keras@tensorflow:fit: 10 ms a step [9 ms - 12 ms]; keras 3.15.1, torch 2.13.0",
        "pytorch:eager: 10 ms a step [9 ms - 12 ms]; torch 2.13.0, numpy 2.4.6",
        "pytorch:eager is faster than keras@tensorflow:fit: 1.20-1.40x (in CPU seconds: the machine was busy)",
    ]


def test_a_pair_of_which_the_race_said_nothing_is_undecided() -> None:
    assert told(charge(Kind.SLOWEST, "keras", "pytorch"), *ALL)[-1] == "Keras and PyTorch: undecided"


def test_memory_is_told_with_how_far_it_is_known() -> None:
    of = charge(Kind.LEAST_MEMORY, "mxnet", "pytorch")
    lines = told(of, run("mxnet", peak_rss_bytes=250_000_000, versions={}), run("pytorch"))
    assert lines[0] == "mxnet:hybrid: peak RSS 250 MB"
    assert lines[2] == "PyTorch took 1.65-2.42x the memory of Apache MXNet: confirmed"


def test_a_slowdown_is_told_beside_what_it_is_a_slowdown_of() -> None:
    slow = StepSeconds(median=0.03, low=0.02, high=0.04, blocks=45, steps_per_block=25)
    runs = [LOOPS[0], replace(LOOPS[1], step_seconds=slow, recompilations=7, versions={}), *LOOPS[2:]]
    pair = loops(said("pytorch", "tensorflow", A, 1.2, 1.4), said("tensorflow", "pytorch", A, 1.5, 1.8))
    lines = told(LOOP, *runs, *pair)
    assert lines[1] == (
        "tensorflow:function: 30 ms a step [20 ms - 40 ms]; 3.00x the 10 ms of constant lengths; recompilations 7"
    )
    assert lines[2] == "TensorFlow slowed down 1.80-2.52x as much as PyTorch: confirmed"


def test_lines_are_told_by_model_and_training() -> None:
    lines = {"keras": {"mnist-cnn": Lines(14, 8)}, "pytorch": {"mnist-cnn": Lines(18, 12)}}
    of = charge(Kind.FEWEST_TRAINING_LINES, "keras", "pytorch", factor=20)
    assert told(of, lines=lines) == [
        "Keras: 14 lines of model, 8 of training",
        "PyTorch: 18 lines of model, 12 of training",
        "PyTorch takes 1.50x the lines of Keras, for training alone: partly",
    ]
    assert ruling_sentence(tried(of, lines=lines)) == "partly, counted in the programs that come with the app"


def test_what_could_not_be_tried_is_told_once() -> None:
    runs = [run("keras"), run("pytorch"), run("tensorflow", status=Status.FAILED, reason="it was lost")]
    lines = told(charge(Kind.FASTEST), *runs, said("keras", "pytorch", A))
    assert lines[2] == "tensorflow:function: failed: it was lost"
    assert lines[3:] == ["keras@tensorflow:fit is faster than pytorch:eager: 1.20-1.40x"]


def test_a_workload_that_nobody_raced_is_told_in_one_line() -> None:
    of = charge(Kind.FASTEST, workloads=("mnist-cnn", "vqa-50"))
    hearing = tried(of, *ALL).hearings[1]
    assert list(hearing_lines(of, hearing, BASE)) == ["vqa-50 was not raced"]


def test_a_ruling_says_on_what_it_rests() -> None:
    of = charge(Kind.FASTEST, "keras", "pytorch")
    assert ruling_sentence(tried(of, *ALL, said("keras", "pytorch", A))) == "confirmed, on cpu"
    one = said("keras", "pytorch", A, 1.5, None, basis=Basis.ONE_LAUNCH)
    assert ruling_sentence(tried(of, *ALL, one)) == "confirmed, on cpu, provisional: fewer than three launches"
    elsewhere = tried(replace(of, device="cuda"), *ALL)
    assert ruling_sentence(elsewhere) == "untestable: needs cuda, and the machine of the race has no GPU"


def test_a_trial_tells_its_races_and_how_many_charges_came_to_what() -> None:
    charges = (charge(Kind.FASTEST, "keras", "pytorch"), charge(Kind.SLOWEST, "keras", "pytorch"), LOOP)
    race = replace(results(*ALL, said("keras", "pytorch", A)), code="0.1.0+abc", interrupted=True)
    trial = try_guide(guide(*charges), BASE, [race], {})
    assert [each.ruling for each in trial.charges] == [Ruling.CONFIRMED, Ruling.REFUTED, Ruling.UNTESTABLE]
    assert tally(trial) == "1 confirmed, 1 refuted, 1 untestable"
    assert venue_sentence(trial.venues[0]) == (
        "raced 2026-11-20T10:00:00Z on cpu: some CPU, 0.1.0+abc, results 20261120-100000-aaaaaa; "
        "The race was interrupted."
    )
