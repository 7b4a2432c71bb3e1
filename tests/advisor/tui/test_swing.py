"""Weights by whole swings, on the screen."""

import pytest
from textual.widgets import OptionList

from advisor.answers import Answers, FixedWeight
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.answer import AnswerScreen
from advisor.tui.screens.swing import SwingScreen
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, Scene, shown


def rows(app: AdvisorApp) -> list[list[str]]:
    options = app.screen.query_one("#swings", OptionList).options
    return [str(option.prompt).split() for option in options]


async def test_each_node_shows_the_real_worst_and_best_with_names(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_swing()
        await settle(pilot)
        ease, community = rows(app)
        assert " ".join(ease).endswith("— answers: 70% 5.7 TensorFlow → 8.6 PyTorch")
        assert " ".join(community).endswith("— answers: 30% 4.7 PyTorch → 8.0 TensorFlow")
        told = shown(app, "#asked")
        assert "worst of all of these" in told
        assert told.splitlines()[-1].startswith("Ease of use: ")
        await pilot.press("down")
        await settle(pilot)
        assert shown(app, "#asked").splitlines()[-1].startswith("Community: ")


async def test_points_are_typed_and_become_weights_that_are_undone(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        await pilot.press("g")
        await settle(pilot)
        await pilot.press("1", "0", "0", "down", "5", "5", "backspace", "right", "left", "0", "5", "0")
        await settle(pilot)
        ease, community = rows(app)
        assert ease[3:7] == ["████████████████████", "100", "70.0", "%"]  # 100 / 2.86 against 50 / 3.33
        assert community[1:5] == ["██████████", "50", "30.0", "%"]
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, AnswerScreen)
        assert app.answers.weights == {"ease": FixedWeight(70.0), "community": FixedWeight(30.0)}
        assert "weights set by hand" in shown(app, "#basis")
        assert "Weights you set\n70 %  Ease of use\n30 %  Community" in shown(app, "#because")
        await pilot.press("g")
        await settle(pilot)
        assert rows(app)[1][2] == "50"  # what was said before is there again
        await pilot.press("u")
        await settle(pilot)
        assert app.answers.weights == {}
        assert rows(app)[0][3] == "—"


async def test_the_most_important_swing_must_be_a_hundred(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_swing()
        await settle(pilot)
        await pilot.press("9", "0", "enter")
        await settle(pilot)
        assert isinstance(app.screen, SwingScreen)
        assert app.answers.weights == {}


@pytest.mark.parametrize(("keys", "points"), [("1,0,1", "1"), ("1,0,0,backspace", "10"), ("left", "0")])
async def test_typing_never_leaves_the_scale(app: AdvisorApp, settle: Settle, keys: str, points: str) -> None:
    async with app.run_test() as pilot:
        app.action_swing()
        await settle(pilot)
        await pilot.press(*keys.split(","))
        await settle(pilot)
        assert points in rows(app)[0]


async def test_weights_that_came_with_a_sheet_can_be_taken_out_and_brought_back(scene: Scene, settle: Settle) -> None:
    sheet = Answers(weights={"ease": FixedWeight(60.0), "ease.ramp_up": FixedWeight(50.0)})
    app = AdvisorApp(KNOWLEDGE, scene, answers=sheet)
    async with app.run_test() as pilot:
        app.action_swing()
        await settle(pilot)
        await pilot.press("u")
        await settle(pilot)
        assert app.answers.weights == {"ease.ramp_up": FixedWeight(50.0)}
        await pilot.press("u")
        await settle(pilot)
        assert app.answers == sheet
