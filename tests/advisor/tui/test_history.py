"""The history screen: what was measured before, read, compared, counted."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets import DataTable, Static

from advisor.tui.app import AdvisorApp
from advisor.tui.screens.answer import AnswerScreen
from advisor.tui.screens.dialogs import AskPath, Pick
from advisor.tui.screens.history import HistoryScreen
from advisor.tui.screens.reading import ReadingScreen
from advisor.tui.screens.replay import ReplayScreen
from bench.results import Outcome, Results
from bench.store import Summary
from knowledge.faults import BadInput, Fault
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, Scene, shown
from tests.advisor.tui.test_replay import screen_lines
from tests.bench.test_comparison import LATER, raced, said, timed
from tests.bench.test_recording import recorded
from tests.bench.test_store import results

FIRST = raced(
    results().id, timed("one", 0.01), timed("two", 0.02), verdicts=(said("one", "two", Outcome.A),), code="0.1.0+aaa"
)
SECOND = replace(
    raced(LATER, timed("one", 0.013), timed("two", 0.02), code="0.1.0+bbb", interrupted=True),
    created="2026-11-21T10:00:00Z",
)
KEPT: tuple[Results, ...] = (FIRST, SECOND)


def rows(app: AdvisorApp) -> list[list[str]]:
    table = app.screen.query_one(DataTable)
    return [[str(cell) for cell in table.get_row_at(index)] for index in range(table.row_count)]


def text(app: AdvisorApp) -> str:
    return " ".join(" ".join(screen_lines(app)).split())


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.kept = KEPT
    return scene


async def test_every_race_kept_is_a_line_newest_first(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await pilot.press("h")
        await settle(pilot)
        assert rows(app) == [
            ["[ ]", "2026-11-21 10:00", "mnist-cnn", "2", "undecided", "interrupted"],
            ["[ ]", "2026-11-20 10:00", "mnist-cnn", "2", "one:plain", ""],
        ]
        await pilot.press("down")
        assert shown(app, "#detail").splitlines() == [
            FIRST.id,
            "one:plain, two:plain",
            "mnist-cnn · training · cpu · fp32 · 0.1.0+aaa",
            "mnist-cnn train: one:plain; 1 faster, 0 tie, 0 undecided",
        ]


async def test_enter_shows_one_result_as_the_command_line_does(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await pilot.press("h")
        await settle(pilot)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert isinstance(app.screen, ReadingScreen)
        assert "measured by 0.1.0+aaa" in text(app)
        assert "one:plain is faster than two:plain: 1.10-1.20x" in text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, HistoryScreen)


@pytest.mark.parametrize(
    "keys", [("space", "down", "c"), ("space", "down", "space", "c"), ("down", "space", "up", "c")]
)
async def test_two_are_compared_the_earlier_one_first(app: AdvisorApp, settle: Settle, keys: tuple[str, ...]) -> None:
    async with app.run_test() as pilot:
        await pilot.press("h")
        await settle(pilot)
        await pilot.press(*keys)
        await settle(pilot)
        assert isinstance(app.screen, ReadingScreen)
        assert f"a {FIRST.id}" in text(app)
        assert "one:plain 10 ms 13 ms 1.30 [1.18-1.43x] b is slower" in text(app)


async def test_comparing_needs_two(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await pilot.press("h")
        await settle(pilot)
        await pilot.press("c")
        await settle(pilot)
        assert isinstance(app.screen, HistoryScreen)
        await pilot.press("space", "down", "space", "up", "space")  # marked, marked, and taken back
        assert [row[0] for row in rows(app)] == ["[ ]", "[x]"]


async def test_an_earlier_result_can_be_counted_in_the_answer(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await pilot.press("h")
        await settle(pilot)
        await pilot.press("down", "m")
        await settle(pilot)
        assert isinstance(app.screen, AnswerScreen)
        assert app.results == FIRST


async def test_with_nothing_kept_it_says_so_and_plays_a_recording(settle: Settle, tmp_path: Path) -> None:
    scene = Scene()
    scene.recorded = {"mnist-cnn": recorded(tmp_path / "mnist-cnn.jsonl")}
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        await pilot.press("h")
        await settle(pilot)
        assert shown(app, "#detail").splitlines() == [
            "Nothing has been measured on this machine yet.",
            "r plays a race that was recorded.",
        ]
        await pilot.press("enter", "space", "c", "m")
        await pilot.pause()
        assert isinstance(app.screen, HistoryScreen)
        await pilot.press("r")
        await pilot.pause(0.1)
        assert isinstance(app.screen, Pick)
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert isinstance(app.screen, ReplayScreen)


async def test_a_recording_of_ones_own_is_asked_for_and_a_damaged_one_refused_by_its_line(tmp_path: Path) -> None:
    whole = recorded(tmp_path / "race.jsonl")
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(whole.read_bytes()[:-40])
    app = AdvisorApp(KNOWLEDGE, Scene())
    async with app.run_test() as pilot:
        app.action_replay()
        await pilot.pause(0.1)
        assert isinstance(app.screen, AskPath)
        await pilot.press(*str(cut), "enter")
        await pilot.pause()
        assert "cut.jsonl:6: ends in the middle of a line" in str(app.screen.query_one("#fault", Static).content)
        await pilot.press(*["backspace"] * len(cut.name), *whole.name, "enter")
        await pilot.pause(0.2)
        assert isinstance(app.screen, ReplayScreen)


async def test_a_store_that_cannot_be_read_is_named(settle: Settle) -> None:
    class Broken(Scene):
        def history(self) -> tuple[Summary, ...]:
            raise BadInput([Fault("results.sqlite", None, "", "this is not a usable store", "move it away")])

    app = AdvisorApp(KNOWLEDGE, Broken())
    async with app.run_test() as pilot:
        await pilot.press("h")
        await settle(pilot)
        assert "results.sqlite: this is not a usable store (move it away)" in shown(app, "#detail")


async def test_a_result_that_is_gone_is_told_and_the_list_stays(scene: Scene, app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await pilot.press("h")
        await settle(pilot)
        scene.kept = ()
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, HistoryScreen)
        assert [note.message for note in app._notifications] == [f"results: there are no results {LATER!r}"]
