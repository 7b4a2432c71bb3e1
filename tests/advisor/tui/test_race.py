"""The race screen and the board behind it."""

from itertools import combinations, pairwise
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.screen import Screen

from advisor.tui.app import AdvisorApp
from advisor.tui.board import Board
from advisor.tui.screens.answer import AnswerScreen
from advisor.tui.screens.race import RaceScreen
from advisor.tui.widgets.lanes import Lanes
from advisor.tui.widgets.load import LoadPanel
from bench.events import (
    AnyEvent,
    CandidateEnded,
    GpuLoad,
    LivePair,
    Load,
    Looked,
    Measuring,
    Prepared,
    Preparing,
    RaceFinished,
    RaceStarted,
    RoundDone,
    RoundStarted,
    Standing,
)
from bench.results import Basis, Outcome, Parity, Range, Ratio, Status, Twin, Verdict
from tests.advisor.decision import builders
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, MACHINE, PLAN, RESULTS, Scene, shown

_GIB = 2**30


def _prepared(candidate: str, first_step: float, at: float) -> Prepared:
    return Prepared(
        candidate=candidate,
        workload="mnist-cnn",
        phase="train",
        import_seconds=1.9,
        build_seconds=0.3,
        first_step_seconds=first_step,
        steps_per_block=100,
        parity=Parity(
            passed=True,
            max_relative_difference=1e-7,
            first_update_difference=1e-6,
            tolerance=1e-5,
            first_update_tolerance=3e-4,
            steps=20,
        ),
        threads_seen=8,
        peak_rss_bytes=500_000_000,
        at_seconds=at,
    )


def _standing(candidate: str, rate: float) -> Standing:
    return Standing(
        candidate=candidate, samples_per_second=rate, low=rate * 0.98, high=rate * 1.02, step_seconds=128 / rate
    )


def _load(at: float) -> Load:
    return Load(
        cpu=(0.9, 0.8, 0.1, 0.05, 0.5, 0.6, 0.7, 1.0),
        memory_used_bytes=3 * _GIB,
        memory_total_bytes=16 * _GIB,
        gpus=(),
        gpu_absent_because="no NVIDIA driver",
        at_seconds=at,
    )


UNDER_WAY: tuple[AnyEvent, ...] = (
    RaceStarted(id="run-17", plan=PLAN, machine=MACHINE),
    Preparing(candidate="mxnet:hybrid", workload=None, stage="environment", detail="finding versions", at_seconds=0.5),
    CandidateEnded(
        candidate="mxnet:hybrid",
        workload=None,
        status=Status.FAILED,
        reason="no network (connect and try again)",
        at_seconds=4.0,
    ),
    Preparing(candidate="pytorch:eager", workload="mnist-cnn", stage="start", at_seconds=5.0),
    _prepared("pytorch:eager", 0.12, 8.0),
    Preparing(candidate="keras@jax:fit", workload="mnist-cnn", stage="parity", at_seconds=9.0),
    _load(10.0),
    _prepared("keras@jax:fit", 6.1, 14.0),
    RoundStarted(
        workload="mnist-cnn", phase="train", launch=1, round=1, rounds=15, remaining_seconds=60, at_seconds=15.0
    ),
    RoundDone(
        workload="mnist-cnn",
        phase="train",
        launch=1,
        round=7,
        rounds=15,
        complete=True,
        standings=(_standing("keras@jax:fit", 4210), _standing("pytorch:eager", 3180)),
        pairs=(LivePair(a="keras@jax:fit", b="pytorch:eager", ratio=1.32, settled=True),),
        gauge=0.99,
        remaining_seconds=38,
        at_seconds=52.0,
    ),
)
SETTLED: tuple[AnyEvent, ...] = (
    *UNDER_WAY,
    Looked(
        workload="mnist-cnn",
        phase="train",
        launch=3,
        verdicts=(
            Verdict(
                workload="mnist-cnn",
                phase="train",
                a="keras@jax:fit",
                b="pytorch:eager",
                verdict=Outcome.A,
                ratio=Ratio(low=1.28, high=1.37),
                basis=Basis.WALL,
            ),
        ),
        at_seconds=160.0,
    ),
    Preparing(candidate="pytorch:eager", workload="mnist-cnn", stage="start", at_seconds=161.0),
    replace(UNDER_WAY[-1], launch=4, launches=5, round=3, remaining_seconds=95, at_seconds=180.0),
)
"""After three of five launches: one look is behind it."""
EVENTS: tuple[AnyEvent, ...] = (
    *UNDER_WAY,
    CandidateEnded(candidate="keras@jax:fit", workload="mnist-cnn", status=Status.OK, reason=None, at_seconds=90.0),
    CandidateEnded(candidate="pytorch:eager", workload="mnist-cnn", status=Status.OK, reason=None, at_seconds=90.0),
    RaceFinished(id="run-17", interrupted=False, at_seconds=90.5),
)


def lanes(app: AdvisorApp) -> list[str]:
    return app.screen.query_one(Lanes).render().plain.splitlines()


async def _until(pilot: Pilot[None], screen: Screen[Any]) -> None:
    """Let the race tell all it has to tell, and draw it."""
    await pilot.pause(0.1)
    assert isinstance(screen, RaceScreen)
    screen.fill()
    await pilot.pause()


async def test_each_candidate_has_a_lane_with_speed_range_first_step_and_parity() -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(UNDER_WAY))
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        fastest = next(line for line in lanes(app) if "keras@jax:fit" in line)
        assert all(part in fastest for part in ("█", "4,210/s", "[4,130–4,290]", "6.1 s", "= ref"))
        assert [line.split()[0] for line in lanes(app)[1:]] == ["keras@jax:fit", "pytorch:eager", "mxnet:hybrid"]


async def test_ranges_of_quick_machines_are_told_whole() -> None:
    quick = replace(
        UNDER_WAY[-1], standings=(_standing("keras@jax:fit", 1_344_208), _standing("pytorch:eager", 93_300))
    )
    app = AdvisorApp(KNOWLEDGE, Scene((*UNDER_WAY[:-1], quick)))
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        first, second = lanes(app)[1:3]
        assert all(part in first for part in ("1.34M/s", "[1.32M–1.37M]"))
        assert all(part in second for part in ("93,300/s", "[91.4k–95.2k]"))


async def test_a_failed_candidate_says_why_and_what_to_do() -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(UNDER_WAY))
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        assert "✗ failed: no network (connect and try again)" in lanes(app)[-1]


async def test_the_live_sentence_speaks_of_these_processes_only() -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(UNDER_WAY))
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        assert shown(app, "#standing") == "keras@jax:fit is ahead of pytorch:eager in these processes: 1.32x"
        assert "round 7/15 · 0:52 · about 0:38 left" in shown(app, "#where")


async def test_what_launches_together_say_stands_apart_from_what_these_processes_show() -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(SETTLED))
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        assert shown(app, "#standing").splitlines() == [
            "keras@jax:fit is faster than pytorch:eager: 1.28-1.37x",
            "keras@jax:fit is ahead of pytorch:eager in these processes: 1.32x",
        ]
        assert shown(app, "#where").splitlines()[1] == "launch 4/5 · round 3/15 · 3:00 · about 1:35 left"


async def test_what_is_done_between_rounds_is_told() -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(SETTLED))
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        screen._board.take(Preparing(candidate="pytorch:eager", workload="mnist-cnn", stage="start", at_seconds=190.0))
        screen.fill()
        assert shown(app, "#where").endswith("pytorch:eager starting")
        screen._board.take(
            Measuring(
                candidate="pytorch:eager", workload="mnist-cnn", phase="train", quantity="dispatch", at_seconds=200.0
            )
        )
        screen.fill()
        assert shown(app, "#where").endswith("measuring dispatch of pytorch:eager")


def test_phases_of_a_workload_are_raced_and_shown_apart() -> None:
    board = Board(replace(PLAN, phases=("train", "infer")))
    for event in UNDER_WAY:
        board.take(event)
    board.take(replace(UNDER_WAY[-1], phase="infer", standings=(_standing("pytorch:eager", 9000),), pairs=()))
    assert board.race == ("mnist-cnn", "infer")
    assert board.rows(("mnist-cnn", "infer"))[0].standing == _standing("pytorch:eager", 9000)
    assert board.rows(("mnist-cnn", "train"))[0].standing == _standing("keras@jax:fit", 4210)
    failed = [board.rows(race)[-1].status for race in board.races]
    assert failed == [Status.FAILED, Status.FAILED]  # a candidate without an environment is out of both


def test_progress_never_runs_backwards_over_launches_phases_and_workloads() -> None:
    plan = replace(PLAN, phases=("train", "infer"), workloads=("mnist-cnn", "pm25-lstm"), launches=2)
    board, seen = Board(plan), []
    for workload in plan.workloads:
        for launch in (1, 2):
            board.take(Preparing(candidate="pytorch:eager", workload=workload, stage="start"))
            for phase in plan.phases:
                for number in (1, 15):
                    board.take(
                        replace(UNDER_WAY[-1], workload=workload, phase=phase, launch=launch, launches=2, round=number)
                    )
                    seen.append(board.progress)
    board.take(RaceFinished(id="run-17", interrupted=False))
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= board.progress == 1


async def test_load_without_a_gpu_says_why_there_is_none() -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(UNDER_WAY))
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        cpu, memory, gpu = app.screen.query_one(LoadPanel).render().plain.splitlines()
        assert cpu.startswith("CPU  █▇▁▁▅▅▆█")
        assert memory.endswith("3.0/16 GiB")
        assert gpu == "GPU  none: no NVIDIA driver"


def test_a_gpu_shows_what_it_reports_and_says_what_it_does_not() -> None:
    gpu = GpuLoad(
        index=0,
        name="Example GPU",
        utilisation=0.62,
        memory_used_bytes=3 * _GIB,
        memory_total_bytes=24 * _GIB,
        power_watts=None,
        temperature_celsius=54,
    )
    panel = LoadPanel()
    panel.set_reactive(
        LoadPanel.load,
        Load(cpu=(0.5,), memory_used_bytes=1, memory_total_bytes=2, gpus=(gpu,), gpu_absent_because=None),
    )
    told = panel.render().plain.splitlines()[-1]
    assert told == "GPU0 █████     62% · 3.0/24 GiB · n/a · 54 °C  Example GPU"


async def test_stopping_asks_the_race_to_end_and_the_answer_follows() -> None:
    scene = Scene(UNDER_WAY)
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        await pilot.press("q")
        await app.workers.wait_for_complete()
        assert scene.races[0].cancelled == [None]
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, AnswerScreen)


async def test_one_candidate_can_be_left_out() -> None:
    scene = Scene(UNDER_WAY)
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        await pilot.press("down", "down", "k")
        assert scene.races[0].cancelled == ["pytorch:eager"]


async def test_leaving_a_running_race_asks_first(settle: Settle) -> None:
    scene = Scene(UNDER_WAY)
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        await pilot.press("escape", "n")
        assert scene.races[0].cancelled == []
        await pilot.press("escape", "y")
        await settle(pilot)
        assert scene.races[0].cancelled == [None]


async def test_a_finished_race_is_counted_in_the_answer(settle: Settle) -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(EVENTS, RESULTS))
    async with app.run_test() as pilot:
        await app.push_screen(RaceScreen(PLAN))
        await settle(pilot)
        assert "2 measured, 1 without a result" in shown(app, "#standing")
        await pilot.press("enter")
        await settle(pilot)
        assert "1 measurement counts · run-17" in shown(app, "#basis")


async def test_a_race_that_cannot_start_says_why(settle: Settle) -> None:
    scene = Scene(UNDER_WAY)
    scene.refusal = "another race is running on this machine"
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        await app.push_screen(RaceScreen(PLAN))
        await settle(pilot)
        assert "another race is running on this machine" in shown(app, "#standing")
        scene.refusal = ""
        await pilot.press("t")
        await _until(pilot, app.screen)
        assert len(scene.races) == 1
        assert "is ahead of" in shown(app, "#standing")


@pytest.mark.parametrize("order", [UNDER_WAY, tuple(reversed(UNDER_WAY))])
def test_the_board_ends_a_candidate_once_whatever_comes_after(order: tuple[AnyEvent, ...]) -> None:
    board = Board(PLAN)
    for event in order:
        board.take(event)
    (row,) = [row for row in board.rows(("mnist-cnn", "train")) if row.candidate == "mxnet:hybrid"]
    assert row.status is Status.FAILED


def test_events_of_candidates_that_were_not_planned_are_ignored() -> None:
    board = Board(PLAN)
    board.take(Preparing(candidate="theano:eager", workload="mnist-cnn", stage="start"))
    assert [row.candidate for row in board.rows(("mnist-cnn", "train"))] == list(PLAN.candidates)


def test_what_was_said_of_one_workload_is_not_said_of_the_next() -> None:
    board = Board(replace(PLAN, workloads=("mnist-cnn", "pm25-lstm")))
    for event in UNDER_WAY:
        board.take(event)
    assert board.pairs
    board.take(Preparing(candidate="pytorch:eager", workload="pm25-lstm", stage="data"))
    assert (board.race, board.round, board.rounds, board.pairs) == (("pm25-lstm", "train"), 0, 0, ())
    assert board.rows(("mnist-cnn", "train"))[0].standing is not None


async def test_events_wait_for_the_next_beat_of_the_screen() -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(UNDER_WAY))
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        before = lanes(app)
        for number in range(650):
            screen._board.take(_load(60.0 + number / 650))
            screen._board.take(replace(UNDER_WAY[-1], standings=(_standing("pytorch:eager", 9000),), at_seconds=61.0))
        assert lanes(app) == before
        screen._beat()
        assert "9,000/s" in lanes(app)[1]


async def test_a_race_stopped_before_anything_was_measured_leaves_the_answer_as_it_was(settle: Settle) -> None:
    nothing = (UNDER_WAY[0], RaceFinished(id="run-17", interrupted=True, at_seconds=1.0))
    app = AdvisorApp(KNOWLEDGE, Scene(nothing, RESULTS))
    async with app.run_test() as pilot:
        await app.push_screen(RaceScreen(PLAN))
        await settle(pilot)
        assert shown(app, "#standing").strip() == "Stopped. 0 measured, 3 without a result."
        assert app.results is None


async def test_a_running_race_is_not_closed_from_elsewhere() -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(UNDER_WAY))
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        app.action_questions(True)
        await pilot.pause()
        assert app.screen is screen


async def test_ending_the_app_ends_the_race_and_keeps_what_was_measured() -> None:
    scene = Scene(UNDER_WAY)
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        screen = RaceScreen(PLAN)
        await app.push_screen(screen)
        await _until(pilot, screen)
        await pilot.press("ctrl+q")
    assert scene.races[0].cancelled == [None]
    assert scene.races[0].ended


async def test_six_candidates_and_what_is_said_of_them_fit_twenty_four_lines(settle: Settle) -> None:
    names = ("pytorch:eager", "keras@tensorflow:fit", "mxnet:hybrid", "tensorflow:function", "keras@jax:fit", "jax:jit")
    plan = replace(PLAN, candidates=names)
    standings = tuple(_standing(name, 4000 - 500 * place) for place, name in enumerate(names))
    verdicts = tuple(
        Verdict(
            workload="mnist-cnn",
            phase="train",
            a=a,
            b=b,
            verdict=Outcome.A,
            ratio=Ratio(low=1.5, high=None),
            basis=Basis.ONE_LAUNCH,
        )
        for a, b in pairwise(names)
    )
    told = (
        RaceStarted(id="run-17", plan=plan, machine=MACHINE),
        _load(1.0),
        replace(UNDER_WAY[-1], standings=standings, pairs=()),
        RaceFinished(id="run-17", interrupted=False, at_seconds=90.5),
    )
    results = replace(
        RESULTS, plan=plan, verdicts=verdicts, twin=Twin(candidate=names[0], ratio=Ratio(low=0.9, high=1))
    )
    app = AdvisorApp(KNOWLEDGE, Scene(told, results))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(RaceScreen(plan))
        await settle(pilot)
        scroll = app.screen.query_one("#lanes")
        assert scroll.virtual_size.height <= scroll.size.height
        assert shown(app, "#standing").splitlines()[:4] == [
            "Done. 6 measured, 0 without a result. Results run-17.",
            "the same thing twice (pytorch:eager) differed by 0.90-1.00x",
            "in these processes only: fewer than three launches",
            "pytorch:eager is faster than keras@tensorflow:fit: at least 1.50x",
        ]


async def test_at_the_end_the_lanes_show_all_launches_and_every_pair_decided_that_does_not_follow(
    settle: Settle,
) -> None:
    plan = replace(PLAN, candidates=("jax:jit", "keras@jax:fit", "pytorch:eager", "tensorflow:function"), launches=3)
    # the last launch told another order than all of them do
    standings = tuple(_standing(name, rate) for name, rate in zip(plan.candidates, (900, 800, 700, 600), strict=True))
    told = (
        RaceStarted(id="run-17", plan=plan, machine=MACHINE),
        _load(1.0),
        _prepared("pytorch:eager", 0.12, 8.0),
        replace(UNDER_WAY[-1], standings=standings, pairs=()),
        RaceFinished(id="run-17", interrupted=False, at_seconds=90.5),
    )
    steps = {"tensorflow:function": 0.1, "pytorch:eager": 0.11, "keras@jax:fit": 0.12, "jax:jit": 0.2}
    runs = tuple(
        builders.run(
            name,
            step,
            samples_per_second=Range(median=128 / step, low=126 / step, high=130 / step),
            first_step_seconds=0.5,
        )
        for name, step in steps.items()
    )
    order = list(steps)
    decided = {(order[0], order[2]), (order[0], order[3]), (order[1], order[3]), (order[2], order[3])}
    verdicts = tuple(
        Verdict(
            workload="mnist-cnn",
            phase="train",
            a=b,
            b=a,
            verdict=Outcome.B if (a, b) in decided else Outcome.UNDECIDED,
            ratio=Ratio(low=0.4, high=0.8) if (a, b) in decided else Ratio(low=None, high=None),
            basis=Basis.WALL,
        )
        for a, b in combinations(order, 2)
    )
    app = AdvisorApp(KNOWLEDGE, Scene(told, replace(RESULTS, plan=plan, runs=runs, verdicts=verdicts)))
    async with app.run_test(size=(140, 45)) as pilot:
        await app.push_screen(RaceScreen(plan))
        await settle(pilot)
        assert [line.split()[0] for line in lanes(app)[1:]] == order
        assert ["1,160/s" in line and "0.5 s" in line for line in lanes(app)[1:]] == [False, True, False, False]
        assert shown(app, "#standing").splitlines()[1:] == [
            "pytorch:eager and tensorflow:function: undecided",
            "tensorflow:function is faster than keras@jax:fit: 1.25-2.50x",
            "keras@jax:fit and pytorch:eager: undecided",
            "pytorch:eager is faster than jax:jit: 1.25-2.50x",
            "keras@jax:fit is faster than jax:jit: 1.25-2.50x",
        ]
