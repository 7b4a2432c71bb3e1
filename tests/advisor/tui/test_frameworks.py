"""The list of frameworks and the page of one."""

from textual.widgets import DataTable, OptionList

from advisor.tui.app import AdvisorApp
from advisor.tui.screens.framework import FrameworkScreen
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import shown


def point_at(app: AdvisorApp, entry: str) -> None:
    entries = app.screen.query_one("#entries", OptionList)
    entries.highlighted = entries.get_option_index(entry)


async def test_the_table_has_role_life_and_newest_release(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await pilot.press("f")
        await settle(pilot)
        table = app.screen.query_one(DataTable)
        assert [str(cell) for cell in table.get_row("mxnet")] == [
            "Apache MXNet",
            "engine",
            "archived",
            "2.0  2026-09-01",
            "2 of 3",
        ]
        await pilot.press("down", "enter")
        await settle(pilot)
        assert isinstance(app.screen, FrameworkScreen)
        assert app.screen.heading() == "Apache MXNet"


async def test_a_rating_has_range_reason_evidence_and_place(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(140, 45)) as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "leaf:ease.ramp_up")
        await settle(pilot)
        told = shown(app, "#detail")
        assert "8 (7.5–9)  as of 2026-10-01, the project" in told
        assert "• The tutorial trains a model in ten minutes." in told
        assert "contradicts: Survey of users, Example, 2025 (independent)" in told
        assert told.endswith("written in knowledge/frameworks/pytorch.yaml:12")


async def test_what_was_said_before_stays_readable(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(140, 45)) as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "leaf:ease.ramp_up")
        await settle(pilot)
        before, after = shown(app, "#detail").split("Said before, superseded")
        assert "2018" not in before
        assert "3 (2–4)  as of 2018-05-01, a guide of 2018" in after


async def test_an_unknown_rating_says_why_it_is_unknown(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "leaf:community.pretrained")
        await settle(pilot)
        assert "unknown  as of 2026-10-01, the project\nNobody has counted them." in shown(app, "#detail")


async def test_facts_are_grouped_by_grade_of_support(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "fact:accelerator")
        await settle(pilot)
        told = shown(app, "#detail")
        assert told.index("✓ native: cpu, cuda") < told.index("✗ none: tpu")
