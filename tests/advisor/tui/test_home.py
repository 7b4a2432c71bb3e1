"""The first screen, and switching the language."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event

import pytest
from textual.widgets import Footer, OptionList

from advisor.answers import Answer, Answers
from advisor.recommendation import Recommendation
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.answer import AnswerScreen
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.screens.claims import ClaimsScreen, GuideScreen
from advisor.tui.screens.framework import FrameworkScreen
from advisor.tui.screens.frameworks import FrameworksScreen
from advisor.tui.screens.guides import GuidesScreen
from advisor.tui.screens.history import HistoryScreen
from advisor.tui.screens.home import HomeScreen
from advisor.tui.screens.people import PeopleScreen
from advisor.tui.screens.plan import PlanScreen
from advisor.tui.screens.question import QuestionScreen
from advisor.tui.screens.ranks import RanksScreen
from advisor.tui.screens.report import ReportScreen
from advisor.tui.screens.swing import SwingScreen
from advisor.tui.screens.why import WhyScreen
from bench.results import Results
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, Scene, recommendation, shown


@pytest.mark.parametrize(
    ("key", "screen"),
    [("s", QuestionScreen), ("a", QuestionScreen), ("f", FrameworksScreen), ("b", PlanScreen), ("n", AnswerScreen)],
)
async def test_every_entry_has_a_key_and_escape_leads_back(
    app: AdvisorApp, settle: Settle, key: str, screen: type
) -> None:
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, screen)
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, HomeScreen)


async def test_enter_opens_what_is_under_the_cursor(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, QuestionScreen)
        assert app.quick


async def test_who_has_answered_before_is_offered_the_answer_first(scene: Scene, settle: Settle) -> None:
    app = AdvisorApp(KNOWLEDGE, scene, answers=Answers(answers={"goal": Answer(("learn",))}))
    async with app.run_test() as pilot:
        await settle(pilot)
        menu = app.screen.query_one(OptionList)
        assert "See the answer  1 of 5 answered" in str(menu.get_option_at_index(0).prompt)
        assert "So far: Keras and PyTorch are too close to call." in shown(app, "#standing")


async def test_a_key_line_is_there_on_every_screen(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        for key in ("s", "f", "b", "n"):
            await pilot.press(key)
            await settle(pilot)
            footer = app.screen.query_one(Footer)
            assert footer.region.bottom == 24
            assert footer.children
            await pilot.press("escape")
            await settle(pilot)


async def test_keys_are_taken_while_a_decision_is_under_way(scene: Scene, app: AdvisorApp, settle: Settle) -> None:
    go_on, decided = Event(), list[Answers]()
    decide = scene.decide

    def slow(sheets: Sequence[Answers], results: Results | None) -> Recommendation:
        go_on.wait(timeout=30)
        decided.extend(sheets)
        return decide(sheets, results)

    scene.decide = slow  # type: ignore[method-assign]
    async with app.run_test() as pilot:
        await pilot.press("s", "space", "down", "space")
        prompts = [str(option.prompt) for option in app.screen.query_one(OptionList).options]
        assert prompts[1] == "(•) To try new ideas"
        assert app.recommendation is None
        go_on.set()
        await settle(pilot)
        assert len(decided) < 4  # the answers of four moments, but never two decisions at once
        assert decided[-1] == app.answers
        assert app.recommendation == recommendation(app.answers, None)


_MADE: list[Callable[[], AdvisorScreen]] = [
    *(QuestionScreen, PlanScreen, HistoryScreen, ReportScreen, AnswerScreen),
    *(GuidesScreen, PeopleScreen, SwingScreen, RanksScreen),
    partial(WhyScreen, "keras"),
    partial(FrameworkScreen, KNOWLEDGE.frameworks["mxnet"]),
    partial(GuideScreen, KNOWLEDGE.guides["later-2018"]),
    partial(ClaimsScreen, criterion="ease"),
]


def _called(make: Callable[[], AdvisorScreen]) -> str:
    return getattr(make, "func", make).__name__


@pytest.mark.parametrize("kind", _MADE, ids=_called)
async def test_a_screen_can_be_closed_at_any_moment_after_it_was_opened(kind: Callable[[], AdvisorScreen]) -> None:
    for turns in (0, 4, 21):  # of the event loop: keys typed ahead come before a screen is mounted, or just after
        app = AdvisorApp(KNOWLEDGE, Scene())
        async with app.run_test() as pilot:
            await pilot.pause()
            app.push_screen(kind())
            for _turn in range(turns):
                await asyncio.sleep(0)
            app.pop_screen()
            await pilot.pause(0.05)
            assert isinstance(app.screen, HomeScreen)


@pytest.mark.parametrize("kind", _MADE, ids=_called)
async def test_every_screen_says_everything_in_the_other_language_and_back(
    settle: Settle, kind: Callable[[], AdvisorScreen]
) -> None:
    app = AdvisorApp(KNOWLEDGE, Scene())
    async with app.run_test() as pilot:
        app.push_screen(kind())
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, AdvisorScreen)
        english = screen.heading()
        await pilot.press("ctrl+l")
        await settle(pilot)
        chinese = screen.heading()
        assert app.screen is screen
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert screen.heading() == english
        assert (chinese == english) == (english in {"Apache MXNet"})  # a name is the same in both
