"""A recorded race on the race screen: the same picture at the end, at whatever pace it was played."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from advisor.tui.app import AdvisorApp
from advisor.tui.playback import SPEEDS, Playback
from advisor.tui.screens.answer import AnswerScreen
from advisor.tui.screens.race import RaceScreen
from advisor.tui.screens.replay import ReplayScreen
from advisor.tui.services import Race
from bench import machine, recording
from bench.events import AnyEvent, Load
from bench.plan import Plan
from bench.recording import Header, Recorder, Recording
from bench.results import Machine
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, RESULTS, Scene, shown
from tests.advisor.tui.test_race import EVENTS
from tests.bench import pretend
from tests.bench.test_engine import racing

HEADER = Header(schema=recording.SCHEMA, app="0.1.0", code="0.1.0+abc")
RECORDING = Recording(header=HEADER, events=EVENTS, results=RESULTS)


def screen_lines(app: AdvisorApp) -> list[str]:
    """The text of the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


async def drawn(pilot: Pilot[None]) -> None:
    """Let the last picture be drawn, in full."""
    assert isinstance(pilot.app.screen, RaceScreen)
    for _beat in range(3):
        pilot.app.screen.fill()
        await pilot.pause()


class RealRace(Scene):
    """Races pretended frameworks in real processes, and records what is told."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        super().__init__()
        self._folder, self._real_plan = folder, plan
        self.file = folder / "race.jsonl"

    def machine(self) -> Machine:
        return machine.describe()

    @asynccontextmanager
    async def race(self, plan: Plan) -> AsyncIterator[Race]:  # type: ignore[override]
        settings = {
            "quick": {"step_seconds": 0.002},
            "slow": {"step_seconds": 0.005},
            "lost": {"faults": {"block": {"after": 2, "do": "exit-with-path"}}},
        }
        with Recorder(self.file) as recorder:

            async def record(running: Race) -> None:
                async for event in running.events():
                    recorder.take(event)

            async with racing(self._folder, settings, plan) as running:
                recording_it = asyncio.create_task(record(running))
                yield running
                await recording_it
            assert running.results is not None
            recorder.finish(running.results)


@pytest.mark.parametrize("size", [(80, 24), (140, 45)], ids=["80x24", "140x45"])
async def test_a_race_and_its_replay_end_in_the_same_picture(
    tmp_path: Path, settle: Settle, size: tuple[int, int]
) -> None:
    plan = pretend.plan("quick", "slow", "lost", launches=2)
    scene = RealRace(tmp_path, plan)
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test(size=size) as pilot:
        await app.push_screen(RaceScreen(plan))
        await settle(pilot)
        await drawn(pilot)
        raced, picture = screen_lines(app), app.export_screenshot()

    assert "quick:plain" in "\n".join(raced)
    assert "Done. 2 measured, 1 without a result." in "\n".join(raced)

    replayed = AdvisorApp(KNOWLEDGE, Scene(), recording=recording.read(scene.file), speed=64)
    async with replayed.run_test(size=size) as pilot:
        await settle(pilot)
        await drawn(pilot)
        assert isinstance(replayed.screen, ReplayScreen)
        assert screen_lines(replayed) == raced
        assert replayed.export_screenshot() == picture
        assert replayed.results is None


async def test_while_it_plays_it_says_that_it_is_a_recording_and_of_which_machine() -> None:
    elsewhere = Recording(header=HEADER, events=EVENTS, results=RESULTS)
    app = AdvisorApp(KNOWLEDGE, Scene(), recording=elsewhere)
    async with app.run_test() as pilot:
        await pilot.pause(0.1)
        assert "Race  recorded 2026-11-20 · 1x" in screen_lines(app)[0]
        await pilot.press("space")
        assert "paused" in screen_lines(app)[0]
        await pilot.press("space", "plus", "plus")
        assert "4x" in screen_lines(app)[0]
        await pilot.press("e")


async def test_the_end_can_be_jumped_to_and_the_answer_asked_for(settle: Settle) -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(), recording=RECORDING, speed=0.25)
    async with app.run_test() as pilot:
        await pilot.pause(0.1)
        assert "Done." not in shown(app, "#standing")
        await pilot.press("e")
        await settle(pilot)
        assert "Done. 2 measured, 1 without a result. Results run-17." in shown(app, "#standing")
        assert app.results is None  # until it is asked for
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, AnswerScreen)
        assert app.results == RESULTS


async def test_a_replay_can_be_left_at_any_time_and_stops_nothing() -> None:
    app = AdvisorApp(KNOWLEDGE, Scene(), recording=RECORDING)
    async with app.run_test() as pilot:
        await pilot.pause(0.1)
        await pilot.press("q", "k", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, RaceScreen)
        assert app.results is None


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def _take(playback: Playback, into: list[AnyEvent]) -> None:
    async for event in playback.events():
        into.append(event)


def _loads(*moments: float) -> Recording:
    events = tuple(
        Load(
            cpu=(),
            memory_used_bytes=0,
            memory_total_bytes=1,
            gpus=(),
            gpu_absent_because=None,
            sequence=number,
            at_seconds=moment,
        )
        for number, moment in enumerate(moments)
    )
    return Recording(header=HEADER, events=events, results=RESULTS)


def test_time_runs_at_the_speed_chosen_and_stands_still_when_paused() -> None:
    clock = Clock()
    playback = Playback(_loads(0.0), clock=clock)
    clock.now += 2
    assert playback.seconds == pytest.approx(2)
    playback.change_speed(1)
    assert playback.speed == 2
    clock.now += 2
    assert playback.seconds == pytest.approx(6)
    playback.pause()
    clock.now += 10
    assert playback.seconds == pytest.approx(6)
    playback.pause()
    clock.now += 1
    assert playback.seconds == pytest.approx(8)


@pytest.mark.parametrize(("speed", "steps", "then"), [(64.0, 1, 64.0), (0.25, -1, 0.25), (3.0, 1, 4.0), (3.0, -1, 2.0)])
def test_speeds_step_through_a_list_whatever_was_given(speed: float, steps: int, then: float) -> None:
    playback = Playback(_loads(0.0), speed=speed)
    playback.change_speed(steps)
    assert playback.speed == then
    assert list(SPEEDS) == sorted(SPEEDS)


async def test_nothing_is_told_before_its_time_and_all_of_it_after_a_jump() -> None:
    clock = Clock()
    playback = Playback(_loads(0.0, 1.0, 500.0, 900.0), clock=clock)
    seen: list[AnyEvent] = []
    task = asyncio.create_task(_take(playback, seen))
    await asyncio.sleep(0.01)
    assert [event.at_seconds for event in seen] == [0.0]
    clock.now += 1
    playback.pause()  # touches the controls, so that it looks at the clock again
    await asyncio.sleep(0.01)
    assert [event.at_seconds for event in seen] == [0.0, 1.0]
    playback.jump()
    await task
    assert [event.at_seconds for event in seen] == [0.0, 1.0, 500.0, 900.0]
