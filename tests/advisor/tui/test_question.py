"""The question screen."""

from advisor.answers import Answer, Sure, Wanted
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.answer import AnswerScreen
from advisor.tui.screens.question import QuestionScreen
from advisor.tui.widgets.choices import Choices
from advisor.tui.widgets.ranking import Ranking
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import shown


def ranking(app: AdvisorApp) -> str:
    return app.screen.query_one(Ranking).render().plain


async def test_enter_takes_the_option_under_the_cursor_and_goes_on(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert app.answers.answers["goal"] == Answer(("learn",))
        assert shown(app, "#text") == "What does the model work on?"


async def test_marking_moves_the_ranking_beside_it(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        assert ranking(app).splitlines()[0].startswith("PyTorch")
        await pilot.press("space")
        await settle(pilot)
        first, second, *_rest = ranking(app).splitlines()
        assert first.startswith("Keras")
        assert first.endswith("▲")
        assert second.endswith("▼")
        assert "What is this for?" in shown(app, "#text")


async def test_who_is_knocked_out_and_why_stands_under_the_ranking(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        assert "✗ Apache MXNet was archived on 2023-11-17. (assumed)" in ranking(app)
        await pilot.press("x")
        await settle(pilot)
        assert app.answers.requirements["maintained"] == Wanted(("false",))
        assert "✗" not in ranking(app)


async def test_space_cycles_tick_perhaps_and_nothing(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.press("s", "s")
        await settle(pilot)
        choices = app.screen.query_one(Choices)
        choices.highlighted = 1
        marks = []
        for _press in range(3):
            await pilot.press("space")
            await settle(pilot)
            marks.append((dict(app.answers.answers), str(choices.get_option_at_index(1).prompt)))
        assert [mark for _answers, mark in marks] == [
            "[x] NVIDIA GPU (CUDA)",
            "[~] NVIDIA GPU (CUDA)  perhaps",
            "[ ] NVIDIA GPU (CUDA)",
        ]
        assert marks[1][0] == {"train_on_maybe": Answer(("cuda",))}
        assert marks[2][0] == {}


async def test_what_the_machine_suggests_is_pointed_at_and_written_only_when_confirmed(
    app: AdvisorApp, settle: Settle
) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.press("s", "s")
        await settle(pilot)
        choices = app.screen.query_one(Choices)
        assert "found here" in str(choices.get_option_at_index(0).prompt)
        assert "train_on" not in app.answers.answers
        await pilot.press("enter")
        await settle(pilot)
        assert app.answers.answers["train_on"] == Answer(("cpu",))


async def test_an_option_that_stands_alone_clears_the_others(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.press("s", "s", "space", "down", "m")
        app.screen.query_one(Choices).highlighted = 3
        await pilot.press("space")
        await settle(pilot)
        assert app.answers.answers == {"train_on": Answer(("nowhere",))}


async def test_a_third_of_two_replaces_the_older(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.press("s", "space", "down", "space", "down", "space")
        assert app.answers.answers["build"] == Answer(("series", "text"))


async def test_how_sure_is_kept_with_the_answer(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.press("1")
        assert app.answers.answers == {}
        await pilot.press("space", "3")
        assert app.answers.answers["goal"] == Answer(("learn",), Sure.HIGH)


async def test_z_goes_back_and_s_takes_the_answer_out(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.press("enter")
        await pilot.press("z")
        assert shown(app, "#text") == "What is this for?"
        await pilot.press("s")
        assert app.answers.answers == {}


async def test_a_follow_up_comes_directly_behind_its_answer(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.press("down", "down", "enter")
        assert shown(app, "#text") == "What do you use today?"
        await pilot.press("down", "enter")
        assert app.answers.current == "mxnet"
        assert shown(app, "#text") == "What does the model work on?"


async def test_a_required_python_version_goes_with_the_answer_that_asked_for_it(
    app: AdvisorApp, settle: Settle
) -> None:
    async with app.run_test() as pilot:
        app.action_questions(False)
        await settle(pilot)
        await pilot.press("s", "s", "s", "down", "enter")
        assert shown(app, "#text") == "Which Python version must it be?"
        await pilot.press("enter")
        assert app.answers.requirements["python"] == Wanted(("3.11",))  # this machine's, which is pointed at
        await pilot.press("z", "z", "s")
        assert app.answers.requirements == {}


async def test_behind_the_last_question_comes_the_answer(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.press("s", "s", "s")
        await settle(pilot)
        assert isinstance(app.screen, AnswerScreen)


async def test_answers_that_cannot_be_decided_say_why_in_the_ranking(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(False)
        await settle(pilot)
        await pilot.press("s", "s", "s", "space")
        await settle(pilot)
        assert "offline is not known in this scene" in ranking(app)


async def test_a_click_marks_and_does_not_go_on(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.click(Choices, offset=(6, 1))
        await settle(pilot)
        assert app.answers.answers["goal"] == Answer(("research",))
        assert shown(app, "#text") == "What is this for?"


async def test_the_language_changes_at_once_and_keeps_the_answers(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_questions(True)
        await settle(pilot)
        await pilot.press("space", "ctrl+l")
        await settle(pilot)
        assert shown(app, "#text") == "你用它来做什么？"
        assert isinstance(app.screen, QuestionScreen)
        assert "学习深度学习" in str(app.screen.query_one(Choices).get_option_at_index(0).prompt)
        assert app.answers.answers["goal"] == Answer(("learn",))
