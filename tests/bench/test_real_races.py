"""How real races are summed up, on lines as `real_races` writes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import events
from bench.plan import Candidate, Goal
from bench.results import Basis, Outcome, Ratio, Verdict
from bench.store import Store
from tests.bench import pretend, real_races
from tests.bench.test_engine import run


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
        "seconds_measuring": 120.0,
        "seconds_preparing": 60.0,
        "decided_after_seconds": 110.0,
        "stated_epochs": 10,
        "stated_seconds": {"x": 500.0, "y": 700.0, "z": 1000.0},
        "statuses": {"x": "ok", "y": "ok", "z": "ok"},
        "code": "1",
        "goal": "order",
        "budget_seconds": 300.0,
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


def test_a_pair_that_changes_sides_is_no_agreement() -> None:
    turned = line(
        step_seconds={"x": 1.6, "y": 1.0, "z": 2.0},
        verdicts=[{"a": "y", "b": "x", "verdict": "a"}, {"a": "y", "b": "z", "verdict": "a"}],
    )
    assert real_races.agreement([line(), turned]) == (0, 1)  # x and y are apart in both


def missed(lines: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The bounds that these lines miss, by their first words."""
    capsys.readouterr()
    count = real_races.summarise(lines)
    found = [text for text in capsys.readouterr().out.splitlines() if text.startswith("MISSED")]
    assert count == len(found)
    return [" ".join(text.split()[1:4]) for text in found]


def test_no_bound_holds_vacuously(capsys: pytest.CaptureFixture[str]) -> None:
    assert missed([line()] * 10, capsys) == []
    assert missed([], capsys) == ["no race was"]
    assert missed([line()], capsys) == ["consecutive races agree"]
    assert missed([line(twin_verdicts=[])] * 10, capsys) == ["a twin called"]
    assert missed([*[line()] * 9, line(twin_verdicts=[real_races.ABSENT])], capsys) == ["a twin called"]
    near = line(step_seconds={"x": 1.0, "y": 1.1, "z": 1.2})
    assert missed([near] * 10, capsys) == ["pairs >= 1.5", "consecutive races agree"]


def test_a_decision_the_wrong_way_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = line(verdicts=[{"a": "x", "b": "y", "verdict": "b"}, {"a": "x", "b": "z", "verdict": "b"}])
    assert missed([wrong] * 10, capsys) == ["pairs >= 1.5"]


def test_lines_of_another_code_goal_or_budget_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {"code": "1", "goal": "order", "budget_seconds": 300.0}
    assert real_races.unlike([line(), line()], wanted) is None
    for change in ({"code": "2"}, {"goal": "winner"}, {"budget_seconds": 60.0}):
        assert real_races.unlike([line(), line(**change)], wanted) is not None
        assert missed([*[line()] * 9, line(**change)], capsys) == ["race 10 has"]


def test_what_was_decided_soon_stands_beside_the_stated_run(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line(), line(decided_after_seconds=220.0), line(decided_after_seconds=None)]
    real_races.tell_how_soon(lines)
    told = capsys.readouterr().out
    assert "within 180 s of measuring in 1 of 3 races, ever in 2" in told
    assert "race 1: 10 epochs of each of 3 candidates take 2200 s, 20.0 x the 110.0 s" in told
    assert "race 3: 10 epochs of each of 3 candidates take 2200 s, not decided in 120.0 s" in told
    assert "factor: median 15.0, from 10.0 to 20.0" in told


def settled(a: str, b: str, outcome: str, basis: Basis = Basis.WALL) -> Verdict:
    ratio = Ratio(low=1.0, high=2.0)
    return Verdict(
        workload="w",
        phase="train",
        a=f"{a}1:plain",
        b=f"{b}1:plain",
        verdict=Outcome(outcome),
        ratio=ratio,
        basis=basis,
    )


def test_measuring_is_rounds_and_passes_and_the_goal_is_reached_at_a_look() -> None:
    plan = pretend.plan("a1", "b1", goal=Goal.ORDER)
    names: dict[str, Any] = {"workload": "w", "phase": "train", "launch": 1}
    started: dict[str, Any] = {**names, "rounds": 15, "remaining_seconds": None}
    done: dict[str, Any] = {**started, "complete": True, "standings": (), "pairs": (), "gauge": None}
    block: dict[str, Any] = {"candidate": "a1:plain", "wall_seconds": 1.0, "cpu_seconds": 1.0, "steps": 1, "samples": 1}
    looks = [(settled("a", "b", "a", Basis.ONE_LAUNCH),), (settled("a", "b", "undecided"),), (settled("a", "b", "a"),)]
    measuring: dict[str, Any] = {"candidate": "a1:plain", "workload": "w", "phase": "train", "quantity": "copy"}
    told: list[events.AnyEvent] = [
        events.Preparing(at_seconds=0, candidate="a1:plain", workload="w", stage="start"),
        events.RoundStarted(at_seconds=10, round=1, **started),
        events.BlockDone(at_seconds=11, round=1, **names, **block),
        events.RoundDone(at_seconds=12, round=1, **done),
        events.Looked(at_seconds=20, verdicts=looks[0], **names),
        events.RoundStarted(at_seconds=20, round=2, **started),
        events.RoundDone(at_seconds=23, round=2, **done),
        events.Looked(at_seconds=24, verdicts=looks[1], **names),
    ]
    assert real_races.seconds_of_measuring(told, plan) == (5, None)
    told += [
        events.Looked(at_seconds=25, verdicts=looks[2], **names),
        events.Measuring(at_seconds=30, **measuring),
        events.Measuring(at_seconds=31, **measuring),
        events.RaceFinished(at_seconds=33, id="x", interrupted=False),
    ]
    assert real_races.seconds_of_measuring(told, plan) == (8, 5)


@pytest.mark.parametrize(
    ("goal", "said", "reached"),
    [
        (Goal.ORDER, "ab:a ac:a bc:tie", True),
        (Goal.ORDER, "ab:a ac:a", False),
        (Goal.ORDER, "ab:a ac:a bc:undecided", False),
        (Goal.WINNER, "ab:a ac:tie", True),
        (Goal.WINNER, "ab:b bc:a", True),
        (Goal.WINNER, "ab:b ac:a bc:b", False),
        (Goal.WINNER, "ab:a", False),
    ],
)
def test_the_goal_is_reached_as_the_race_has_it(goal: Goal, said: str, reached: bool) -> None:
    verdicts = [settled(each[0], each[1], each[3:]) for each in said.split()]
    names = [f"{name}1:plain" for name in "abc"]
    assert real_races.goal_reached(verdicts, names, goal) is reached


def test_the_plan_races_the_slowed_copies_beside_the_original_and_its_twin() -> None:
    base = real_races.with_slowed(real_races.knowledge.load())
    plan = real_races.plan_of(base, real_races.CANDIDATES, 300, real_races.Goal.WINNER, seed=3)
    assert plan.candidates == real_races.CANDIDATES
    assert {real_races.ORIGINAL, real_races.SLOWED} <= set(plan.candidates)
    assert plan.twins == (f"{real_races.ORIGINAL}#2",)
    adapters = {str(base.frameworks[Candidate.parse(name).framework].adapter) for name in plan.candidates}
    slowed = {name for name in adapters if name.endswith("_slowed")}
    assert slowed == {path.stem for path in real_races.ADAPTERS.glob("*_slowed.py")}


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
    alone = [block for block in blocks if block.candidate == "a1:plain"]
    assert real_races.twin_verdicts(pretend.results(plan), alone) == [real_races.ABSENT]


async def test_a_race_becomes_a_line_that_can_be_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Between pretended frameworks: every field is there, and measuring was part of the race."""
    settings = {"a1": {}, "b1": {"step_seconds": 0.002}, "c1": {"step_seconds": 0.004}}
    plan = pretend.plan(*settings, launches=3, twins=("a1:plain#2",), goal=Goal.ORDER)
    results, told = await run(tmp_path, settings, plan)
    with Store(tmp_path / "results.sqlite") as store:
        found = real_races.line_of(results, store.blocks(results.id), told, 1e6)
    assert found["twin_verdicts"] != [real_races.ABSENT]
    assert 0 < found["decided_after_seconds"] < found["seconds_measuring"]
    assert found["seconds_preparing"] == pytest.approx(1e6 - found["seconds_measuring"])
    assert found["stated_epochs"] == 10
    assert set(found["stated_seconds"]) == {"a1:plain", "b1:plain", "c1:plain"}
    assert missed([json.loads(json.dumps({**found, "slowed_found": True}))] * 2, capsys) == []
