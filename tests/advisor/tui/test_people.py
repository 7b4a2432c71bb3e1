"""Several sheets: read, decided on together, shown side by side."""

from pathlib import Path

from textual.widgets import DataTable, Input

from advisor.answers import Answer, Answers
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.people import PeopleScreen
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, Scene, shown

_LEARNER = "schema: advisor/answers/1\nrespondent: Ada\nanswers: {goal: learn}\n"


def sheet(folder: Path, text: str, name: str = "lab.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


async def test_one_sheet_alone_says_how_to_add_others(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await pilot.press("p")
        await settle(pilot)
        assert isinstance(app.screen, PeopleScreen)
        assert "a adds the sheet of somebody else" in shown(app, "#hint")
        assert not app.screen.query_one(DataTable).display
        assert "x" not in app.screen.active_bindings


async def test_a_sheet_is_added_and_stands_beside_ones_own(scene: Scene, settle: Settle, tmp_path: Path) -> None:
    app = AdvisorApp(KNOWLEDGE, scene, answers=Answers(answers={"goal": Answer(("research",))}))
    async with app.run_test(size=(140, 45)) as pilot:
        await pilot.press("p")
        await settle(pilot)
        await pilot.press("a")
        await pilot.pause()
        app.screen.query_one(Input).value = str(sheet(tmp_path, _LEARNER))
        await pilot.press("enter")
        await settle(pilot)
        table = app.screen.query_one(DataTable)
        assert [str(column.label) for column in table.columns.values()] == ["alone", "you", "Ada", "together"]
        cells = {str(key.value): [str(cell).strip() for cell in table.get_row(key)] for key in table.rows}
        assert cells["keras"] == ["Keras", "7.2", "7.4 *", "7.2"]
        assert cells["pytorch"] == ["PyTorch", "7.4 *", "7.2", "7.4 *"]
        assert cells[""] == ["verdict", "too close", "too close", "too close"]
        told = shown(app, "#told")
        assert "Their rankings agree to 0.50" in told
        assert "Ada alone: Keras. What pulls away from PyTorch: Getting started (weighs 50.0 %" in told
        assert "What is this for?\n  you: To try new ideas\n  Ada: To learn deep learning" in told
        assert "Which" not in told  # alike in everything else


async def test_the_answer_says_how_many_decide_and_one_can_be_taken_out(
    scene: Scene, settle: Settle, tmp_path: Path
) -> None:
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        app.others = ((str(tmp_path / "lab.yaml"), Answers(answers={"goal": Answer(("learn",))})),)
        app.action_people()
        await settle(pilot)
        assert [each.respondent for each in app.sheets] == ["you", "lab"]  # a sheet without a name goes by its file
        await pilot.press("n")
        await settle(pilot)
        assert "2 people decide" in shown(app, "#basis")
        await pilot.press("p")
        await settle(pilot)
        await pilot.press("x", "enter")
        await settle(pilot)
        assert app.others == ()
        assert app.recommendation is not None
        assert app.recommendation.people == ()


async def test_two_sheets_of_one_person_are_refused_with_the_reason(
    scene: Scene, settle: Settle, tmp_path: Path
) -> None:
    app = AdvisorApp(KNOWLEDGE, scene, answers=Answers(respondent="Ada"))
    async with app.run_test() as pilot:
        app.action_people()
        await settle(pilot)
        await pilot.press("a")
        await pilot.pause()
        app.screen.query_one(Input).value = str(sheet(tmp_path, _LEARNER))
        await pilot.press("enter")
        await pilot.pause()  # the dialog stays open
        assert "is the respondent of" in shown(app, "#fault")
        assert app.others == ()


async def test_a_file_with_faults_is_refused_and_the_dialog_stays(
    app: AdvisorApp, settle: Settle, tmp_path: Path
) -> None:
    async with app.run_test() as pilot:
        app.action_people()
        await settle(pilot)
        await pilot.press("a")
        await pilot.pause()
        app.screen.query_one(Input).value = str(sheet(tmp_path, "schema: advisor/answers/1\nanswers: {goal: fly}\n"))
        await pilot.press("enter")
        await pilot.pause()  # the dialog stays open
        assert "lab.yaml:2" in shown(app, "#fault")
        assert app.others == ()


async def test_a_sheet_that_is_there_already_is_not_added_again(
    app: AdvisorApp, settle: Settle, tmp_path: Path
) -> None:
    path = sheet(tmp_path, _LEARNER)
    async with app.run_test() as pilot:
        app.others = ((str(path), Answers(respondent="Ada")),)
        app.action_people()
        await settle(pilot)
        await pilot.press("a")
        await pilot.pause()
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        await pilot.pause()  # the dialog stays open
        assert "is given twice" in shown(app, "#fault")
        assert len(app.others) == 1
