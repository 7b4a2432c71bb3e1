"""The report screen, and writing files."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Markdown

from advisor.answers import Answer, Answers
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.dialogs import AskPath, Confirm
from advisor.tui.screens.report import beginning
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, Scene, shown


async def export(app: AdvisorApp, pilot: Pilot[None], path: str) -> None:
    await pilot.press("e")
    await pilot.pause(0.1)
    app.screen.query_one(Input).value = path
    await pilot.press("enter")
    await pilot.pause(0.1)


async def test_the_preview_is_the_markdown_report(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_report()
        await settle(pilot)
        assert app.screen.query_one(Markdown).source.startswith("# Advice")


def test_a_preview_is_whole_sections_within_a_hundred_lines() -> None:
    head, short, long = "# Advice\n\n", "## Ranking\n" + "- a\n" * 60, "## Sources\n" + "- b\n" * 60
    assert beginning(head + short) == head + short
    assert beginning(head + short + long + "## End\n") == head + short
    assert beginning("# Advice\n" + "- a\n" * 200 + long) == "# Advice\n" + "- a\n" * 200


async def test_the_preview_of_a_long_report_says_how_much_of_it_there_is(
    scene: Scene, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = "# Advice\n" + "## Ranking\n- a\n" * 20 + "## Sources\n" + "- b\n" * 1200
    monkeypatch.setattr(scene, "report", lambda *_given: report.encode())
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        app.action_report()
        await settle(pilot)
        assert app.screen.query_one(Markdown).source == "# Advice\n" + "## Ranking\n- a\n" * 20
        assert shown(app, "#state") == "Its first 41 of 1,242 lines; e writes all of it as .md, .html or .json."


@pytest.mark.parametrize("form", ["md", "html", "json"])
async def test_the_suffix_decides_the_form(app: AdvisorApp, settle: Settle, tmp_path: Path, form: str) -> None:
    async with app.run_test() as pilot:
        app.action_report()
        await settle(pilot)
        await export(app, pilot, str(tmp_path / f"advice.{form}"))
        await settle(pilot)
        assert f"({form})" in (tmp_path / f"advice.{form}").read_text()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("advice.docx", "End the name in .md, .html or .json."),
        ("no/such/advice.md", "does not exist"),
        ("", "Type a path"),
    ],
)
async def test_a_path_that_cannot_be_written_is_refused_before_writing(
    app: AdvisorApp, settle: Settle, tmp_path: Path, name: str, problem: str
) -> None:
    async with app.run_test() as pilot:
        app.action_report()
        await settle(pilot)
        await export(app, pilot, str(tmp_path / name) if name else "")
        assert isinstance(app.screen, AskPath)
        assert problem in shown(app, "#fault")


async def test_a_file_that_is_there_is_replaced_only_after_a_yes(
    app: AdvisorApp, settle: Settle, tmp_path: Path
) -> None:
    target = tmp_path / "advice.md"
    target.write_text("mine")
    async with app.run_test() as pilot:
        app.action_report()
        await settle(pilot)
        await export(app, pilot, str(target))
        assert isinstance(app.screen, Confirm)
        await pilot.press("n")
        await settle(pilot)
        assert target.read_text() == "mine"
        await export(app, pilot, str(target))
        await pilot.press("y")
        await settle(pilot)
        assert target.read_text().startswith("# Advice")


async def test_answers_are_saved_as_a_file_that_opens_again(scene: Scene, settle: Settle, tmp_path: Path) -> None:
    answers = Answers(answers={"goal": Answer(("learn",))}, current="mxnet")
    app = AdvisorApp(KNOWLEDGE, scene, answers=answers)
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        await pilot.press("w")
        await pilot.pause(0.1)
        app.screen.query_one(Input).value = str(tmp_path / "answers.yaml")
        await pilot.press("enter")
        await settle(pilot)
        app.answers = Answers()
        app.action_open_answers()
        await pilot.pause(0.1)
        app.screen.query_one(Input).value = str(tmp_path / "answers.yaml")
        await pilot.press("enter")
        await settle(pilot)
        assert app.answers == answers


async def test_an_answers_file_with_faults_names_them_all_and_changes_nothing(
    app: AdvisorApp, settle: Settle, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("schema: advisor/answers/1\nanswers: {goal: nonsense, colour: blue}\n")
    async with app.run_test() as pilot:
        await pilot.press("o")
        await pilot.pause(0.1)
        app.screen.query_one(Input).value = str(bad)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert "nonsense" in shown(app, "#fault")
        assert "colour" in shown(app, "#fault")
        assert app.answers == Answers()
