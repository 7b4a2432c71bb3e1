"""The list of frameworks and the page of one."""

from textual.widgets import DataTable, OptionList, Static

from advisor.tui.app import AdvisorApp
from advisor.tui.screens.dialogs import Reading
from advisor.tui.screens.framework import FrameworkScreen
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import shown


def point_at(app: AdvisorApp, entry: str) -> None:
    entries = app.screen.query_one("#entries", OptionList)
    entries.highlighted = entries.get_option_index(entry)


async def test_the_table_has_role_life_and_newest_release(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(140, 45)) as pilot:
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


async def test_where_there_are_eighty_columns_nothing_of_the_table_is_cut_off(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f")
        await settle(pilot)
        table = app.screen.query_one(DataTable)
        row = [str(cell) for cell in table.get_row("mxnet")]
        assert (row[0].rstrip(), *row[1:]) == ("Apache MXNet", "engine", "archived", "2.0  2026-09-01")
        assert table.virtual_size.width <= table.size.width
        await pilot.resize_terminal(140, 45)
        await settle(pilot)
        assert len(table.get_row("mxnet")) == 5


async def test_what_is_so_or_not_so_has_a_mark_and_no_word(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(140, 45)) as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        entries = app.screen.query_one("#entries", OptionList)
        assert str(entries.get_option("fact:offline").prompt).rstrip().endswith(": ✓")
        assert str(entries.get_option("fact:governance").prompt).rstrip().endswith(": ✗foundation")
        point_at(app, "fact:offline")
        await settle(pilot)
        assert shown(app, "#detail").startswith("✓ native\n")


async def test_a_rating_has_range_reason_evidence_and_place(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(140, 45)) as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "leaf:ease.ramp_up")
        await settle(pilot)
        told = shown(app, "#detail")
        assert "8 (7.5–9) as of 2026-10-01\nthe project (no affiliation), reviewed by nobody\n" in told
        assert "• The tutorial trains a model in ten minutes.\n  supports: Quick start" in told
        assert "2026-09 (its own people)" in told  # the makers' word is marked as such
        assert "≠ Users find the first hour hard.\n  contradicts: Survey of users, Example, 2025 (independent)" in told
        assert "written in knowledge/frameworks/pytorch.yaml:12" in told


async def test_what_was_said_before_stays_readable(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(140, 45)) as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "leaf:ease.ramp_up")
        await settle(pilot)
        assert "1 statement before it: h shows it" in shown(app, "#detail")
        assert "2018" not in shown(app, "#detail")
        await pilot.press("h")
        before, after = shown(app, "#detail").split("Said before, superseded")
        assert "2018" not in before
        assert "3 (2–4) as of 2018-05-01\na guide of 2018 (a university), reviewed by A. Maintainer" in after
        await pilot.press("h")
        assert "a guide of 2018" not in shown(app, "#detail")


async def test_history_is_offered_where_something_was_said_before(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "leaf:ease.debugging")
        await settle(pilot)
        assert "h" not in app.screen.active_bindings
        point_at(app, "leaf:ease.ramp_up")
        await settle(pilot)
        assert "h" in app.screen.active_bindings


async def test_a_contradicted_rating_is_marked_in_the_list(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        entries = app.screen.query_one("#entries", OptionList)
        assert "≠" in str(entries.get_option("leaf:ease.ramp_up").prompt)
        assert "≠" not in str(entries.get_option("leaf:community.pretrained").prompt)


async def test_a_rating_can_be_disputed_at_its_line(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "leaf:ease.ramp_up")
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        assert isinstance(app.screen, Reading)
        told = str(app.screen.query_one("#text Static", Static).content)
        assert "knowledge/frameworks/pytorch.yaml:12" in told
        assert "stance: contradicts" in told
        assert "- as_of: " in told
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, FrameworkScreen)


async def test_its_sources_are_told_in_full_once_each(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "leaf:ease.ramp_up")
        await settle(pilot)
        await pilot.press("o")
        await settle(pilot)
        told = str(app.screen.query_one("#text Static", Static).content)
        assert "Example · documentation · its own people" in told
        assert "published 2026-09, read 2026-11-01" in told
        assert told.count("knowledge/sources.yaml:7") == 3  # of two statements with three sources


async def test_the_sheet_has_what_is_stated_and_what_is_counted(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "sheet")
        await settle(pilot)
        told = [" ".join(line.split()) for line in shown(app, "#detail").splitlines()]
        assert "developer Example Foundation" in told
        assert "execution eager, compiled" in told
        assert told.index("cuda native") < told.index("tpu none")
        assert "rocm ?" in told
        assert "known ratings 2 / 3" in told
        assert "lines of code 31, the median of 1 programs" in told


async def test_popularity_is_dated_and_names_its_sources(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "popularity")
        await settle(pilot)
        told = [" ".join(line.split()) for line in shown(app, "#detail").splitlines()]
        assert "2026-03 40,000 ██████████" in told
        assert "2024-03 20,000 █████" in told
        assert "Survey of users: One index only." in told
        assert told.index("downloads per month") < told.index("GitHub stars")


async def test_a_retired_framework_says_where_to_go_and_leads_there(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("mxnet")
        await settle(pilot)
        point_at(app, "instead")
        await settle(pilot)
        told = shown(app, "#detail")
        assert told.startswith("PyTorch\nClosest in kind.")
        assert "Leaving it\nLayers are rewritten by hand." in told
        await pilot.press("enter", "enter")
        await settle(pilot)
        assert app.screen.heading() == "PyTorch"  # type: ignore[attr-defined]


async def test_an_unknown_rating_says_why_it_is_unknown(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "leaf:community.pretrained")
        await settle(pilot)
        told = shown(app, "#detail")
        assert "unknown  as of 2026-10-01\nthe project (no affiliation)" in told
        assert "\nNobody has counted them.\n" in told


async def test_facts_are_grouped_by_grade_of_support(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        point_at(app, "fact:accelerator")
        await settle(pilot)
        told = shown(app, "#detail")
        assert told.index("✓ native: cpu, cuda") < told.index("✗ none: tpu")
