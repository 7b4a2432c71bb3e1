"""What a scoreboard makes of rounds written down by hand: launches that count, and verdicts that stand."""

from collections.abc import Mapping

import pytest

from bench import machine, race
from bench.plan import Plan
from bench.race import Reading
from bench.results import Basis, Outcome, Quantity, Results, Run, Verdict
from bench.scoreboard import Scoreboard, Stated
from tests.bench import pretend

W, P = pretend.WORKLOAD, "train"
TRUTH = {"a:plain": 1.0, "b:plain": 1.2, "c:plain": 1.6, "d:plain": 2.4}


def board(**changes: object) -> Scoreboard:
    plan: Plan = pretend.plan("a", "b", "c", "d", **{"launches": 8, **changes})
    return Scoreboard("id", "2026-01-01T00:00:00Z", plan, machine.describe(), {W: Stated(batch=8)})


def add(
    board: Scoreboard,
    launch: int,
    seconds: Mapping[str, float] = TRUTH,
    *,
    rounds: int = race.MIN_ROUNDS,
    gauge: float = 1.0,
    wave: int = 1,
    over: bool = True,
) -> None:
    """Rounds of a launch; CPU seconds are `seconds`, wall seconds what a machine as busy as `gauge` makes of them."""
    for _ in range(rounds):
        readings = {
            name: Reading(wall_seconds=value / gauge, cpu_seconds=value, steps=1) for name, value in seconds.items()
        }
        board.add_round(W, P, launch, readings, wave)
    if over:
        board.finish_launch(W, P, launch)


def verdict(results: Results, a: str, b: str) -> Verdict:
    (found,) = [each for each in results.verdicts if {each.a[0], each.b[0]} == {a, b}]
    return found


def run(results: Results, name: str) -> Run:
    (found,) = [each for each in results.runs if each.framework == name]
    return found


def test_what_a_first_look_compared_stays_what_is_compared() -> None:
    scores = board()
    for launch in (1, 2, 3):
        add(scores, launch)
    before = verdict(scores.results(interrupted=True), "a", "b")
    assert (before.verdict, before.quantity) == (Outcome.A, Quantity.WALL_SECONDS)
    for launch in (4, 5, 6, 7):
        add(scores, launch, gauge=0.5)
    assert scores.gauge(W, P) == pytest.approx(0.5)
    assert scores.basis(W, P) is Basis.WALL
    assert verdict(scores.results(interrupted=False), "a", "b") == before


def test_before_the_first_look_what_is_compared_follows_the_machine() -> None:
    scores = board()
    add(scores, 1)
    assert scores.basis(W, P) is Basis.WALL
    add(scores, 2, gauge=0.5, rounds=16)
    assert scores.basis(W, P) is Basis.CPU_SECONDS


def test_a_launch_under_way_waits_for_its_last_round() -> None:
    scores = board()
    for launch in (1, 2):
        add(scores, launch)
    add(scores, 3, rounds=20, over=False)
    under_way = scores.results(interrupted=True)
    assert {each.basis for each in under_way.verdicts} == {Basis.ONE_LAUNCH}
    assert verdict(under_way, "a", "b").verdict is Outcome.UNDECIDED
    assert verdict(under_way, "a", "c").verdict is Outcome.A
    assert len(scores.full_launches(W, P)) == 2
    scores.finish_launch(W, P, 3)
    over = verdict(scores.results(interrupted=True), "a", "b")
    assert (over.verdict, over.basis) == (Outcome.A, Basis.WALL)


def in_waves(scores: Scoreboard, launch: int, reference: float) -> None:
    """`c` and `d` never meet; in the second wave `b` takes `reference` times as long as in the first."""
    scores.set_references(W, launch, ("a:plain", "b:plain"))
    add(scores, launch, {name: TRUTH[name] for name in ("a:plain", "b:plain", "c:plain")}, over=False)
    second = {name: TRUTH[name] for name in ("a:plain", "b:plain", "d:plain")}
    add(scores, launch, {**second, "b:plain": 1.2 * reference}, wave=2)


def test_references_that_disagree_later_leave_what_was_settled() -> None:
    scores = board()
    for launch in (1, 2, 3):
        in_waves(scores, launch, 1.0)
    assert verdict(scores.results(interrupted=True), "c", "d").verdict is Outcome.A
    for launch in (4, 5):
        in_waves(scores, launch, 1.1)
    later = verdict(scores.results(interrupted=True), "c", "d")
    assert (later.verdict, later.why) == (Outcome.A, None)


def test_references_that_disagree_before_the_look_forbid_a_verdict() -> None:
    scores = board()
    for launch, reference in ((1, 1.0), (2, 1.1), (3, 1.0)):
        in_waves(scores, launch, reference)
    found = verdict(scores.results(interrupted=True), "c", "d")
    assert found.verdict is Outcome.UNDECIDED
    assert "did not agree within 5 %" in (found.why or "")


def test_a_lost_reference_is_called_lost() -> None:
    scores = board()
    scores.set_references(W, 1, ("a:plain", "b:plain"))
    add(scores, 1, {name: TRUTH[name] for name in ("a:plain", "b:plain", "c:plain")}, over=False)
    add(scores, 1, {name: TRUTH[name] for name in ("a:plain", "d:plain")}, wave=2)
    found = verdict(scores.results(interrupted=True), "c", "d")
    assert found.verdict is Outcome.UNDECIDED
    assert "was lost" in (found.why or "")


@pytest.mark.parametrize(("full", "partial", "launches"), [(2, 2, 2), (0, 2, 0), (3, 2, 3)])
def test_a_launch_broken_off_is_no_launch(full: int, partial: int, launches: int) -> None:
    scores = board()
    for launch in range(1, full + 1):
        add(scores, launch)
    add(scores, full + 1, rounds=partial, over=False)
    found = run(scores.results(interrupted=True), "a")
    assert (found.launches, found.provisional) == (launches, launches < 3)
    assert found.step_seconds is not None
    assert found.step_seconds.blocks == full * race.MIN_ROUNDS + partial
