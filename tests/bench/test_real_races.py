"""How real races are summed up, on lines as `real_races` writes them."""

from typing import Any

import pytest

from bench.plan import Candidate
from tests.bench import pretend, real_races


def line(**changes: Any) -> dict[str, Any]:
    verdicts = [
        {"a": "x", "b": "y", "verdict": "a"},
        {"a": "z", "b": "x", "verdict": "b"},
        {"a": "y", "b": "z", "verdict": "undecided"},
    ]
    usual = {
        "step_seconds": {"x": 1.0, "y": 1.6, "z": 2.0},
        "verdicts": verdicts,
        "twin_verdicts": ["tie"],
        "slowed_found": True,
        "seconds_in_blocks": 100.0,
    }
    return {**usual, **changes}


def test_pairs_apart_are_by_their_measured_times() -> None:
    assert real_races.pairs_apart(line()) == [("x", "y"), ("x", "z")]


def test_a_winner_is_named_whichever_side_it_stands_on() -> None:
    assert real_races.decided(line()) == {frozenset("xy"): "x", frozenset("xz"): "x"}


def test_races_are_held_against_each_other_two_by_two() -> None:
    other = line(verdicts=[{"a": "y", "b": "x", "verdict": "a"}])
    assert real_races.agreement([line(), line(), line(), other]) == (2, 4)


def test_all_bounds_hold_or_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert real_races.summarise([line()] * 10) == 0
    assert "slowed copy found in 10 of 10 races" in capsys.readouterr().out
    bad = line(twin_verdicts=["a"], slowed_found=False, verdicts=[])
    assert real_races.summarise([bad] * 10) == 4
    assert real_races.summarise([line(slowed_found=n > 0) for n in range(10)]) == 0
    assert real_races.summarise([line(slowed_found=n > 1) for n in range(10)]) == 1


def test_the_plan_races_the_slowed_copy_beside_the_original_and_a_twin() -> None:
    base = real_races.with_slowed(real_races.knowledge.load())
    names = (*real_races.CANDIDATES, real_races.SLOWED)
    plan = real_races.plan_of(base, names, 300, real_races.Goal.ORDER, seed=3)
    assert plan.candidates == names
    assert plan.twins == ("pytorch:eager#2",)
    slowed = base.frameworks[Candidate.parse(real_races.SLOWED).framework]
    assert (real_races.ADAPTERS / f"{slowed.adapter}.py").exists()


def test_twins_are_judged_by_the_rules_for_candidates() -> None:
    plan = pretend.plan("a1", "b1", twins=("a1:plain#2",))
    blocks = [
        real_races.Block(
            workload=pretend.WORKLOAD,
            phase="train",
            launch=1,
            round=number,
            position=position,
            candidate=name,
            reading=real_races.race.Reading(wall_seconds=seconds, cpu_seconds=seconds, steps=1),
            complete=True,
        )
        for number in range(15)
        for position, (name, seconds) in enumerate((("a1:plain", 1.0), ("a1:plain#2", 1.6)))
    ]
    assert real_races.twin_verdicts(pretend.results(plan), blocks) == ["a"]
    assert real_races.twin_verdicts(pretend.results(plan), blocks[:28]) == ["undecided"]
