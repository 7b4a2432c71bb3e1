"""The answer screen."""

from textual.widgets import DataTable, OptionList

from advisor.answers import Answer, Answers, Wanted
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.dialogs import Pick
from advisor.tui.screens.framework import FrameworkScreen
from advisor.tui.screens.question import QuestionScreen
from advisor.tui.screens.why import WhyScreen
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, RESULTS, Scene, shown
from tests.advisor.tui.test_history import KEPT


def rows(app: AdvisorApp) -> list[str]:
    options = app.screen.query_one("#ranking", OptionList).options
    return [str(option.prompt) for option in options]


async def test_verdict_and_what_it_rests_on_stand_first(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        assert shown(app, "#headline") == "PyTorch and Keras are too close to call."
        assert shown(app, "#basis") == "0 of 5 questions answered · nothing measured"


async def test_each_row_has_score_interval_and_chance_to_be_first(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        first, *_others, last = rows(app)
        assert first.split() == ["1", "PyTorch", "███████▓░", "7.4", "[6.8–7.9]", "56%"]
        assert last == "✗ Apache MXNet was archived on 2023-11-17. (assumed)"


async def test_reasons_follow_the_cursor(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        assert "Why\nPyTorch is easiest to begin with." in shown(app, "#because")
        await pilot.press("down")
        await settle(pilot)
        assert shown(app, "#because").startswith("Why not Keras\nKeras has less to build on.")
        await pilot.press("down", "down")
        await settle(pilot)
        assert "The repository was archived read-only. — Quick start, 2026-09" in shown(app, "#because")


async def test_the_cursor_goes_with_the_first_until_it_is_moved(app: AdvisorApp, settle: Settle) -> None:
    learn, research = (Answers(answers={"goal": Answer((goal,))}) for goal in ("learn", "research"))
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        reasons = app.screen.query_one("#reasons")
        assert reasons.border_title == "PyTorch"
        app.answers = learn
        await settle(pilot)
        assert rows(app)[0].split()[1] == "Keras"
        assert reasons.border_title == "Keras"
        await pilot.press("down", "down")
        await settle(pilot)
        moved_to = reasons.border_title
        app.answers = research
        await settle(pilot)
        assert rows(app)[0].split()[1] == "PyTorch"
        assert reasons.border_title == moved_to == "TensorFlow"


async def test_what_decides_what_flips_and_the_stack_are_named(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        told = shown(app, "#because")
        assert "What decides against Keras\n+1.00 Getting started\n-0.50 Pretrained models" in told
        assert "What flips it\nKeras would come first if Pretrained models weighed 14 %." in told
        assert "write in  PyTorch\nexport    onnxruntime" in told


async def test_enter_opens_the_page_of_the_framework(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, FrameworkScreen)
        assert app.screen.heading() == "PyTorch"


async def test_an_assumption_is_taken_back_and_up_again(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        await pilot.press("x")
        await settle(pilot)
        assert isinstance(app.screen, Pick)
        await pilot.press("enter")
        await settle(pilot)
        assert app.answers.requirements == {"maintained": Wanted(("false",))}
        assert rows(app)[-1].startswith("4 Apache MXNet")
        await pilot.press("x")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert app.answers.requirements == {}


async def test_n_asks_the_first_question_left_open(scene: Scene, settle: Settle) -> None:
    app = AdvisorApp(KNOWLEDGE, scene, answers=Answers(answers={"goal": Answer(("learn",))}))
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        await pilot.press("n")
        await settle(pilot)
        assert isinstance(app.screen, QuestionScreen)
        assert shown(app, "#text") == "What does the model work on?"


async def test_answers_that_contradict_each_other_have_no_ranking_but_a_reason(scene: Scene, settle: Settle) -> None:
    app = AdvisorApp(KNOWLEDGE, scene, answers=Answers(answers={"must": Answer(("offline",))}))
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        assert shown(app, "#headline") == "These answers do not fit together"
        assert shown(app, "#basis") == "offline is not known in this scene"
        assert rows(app) == []


async def test_stored_measurements_are_counted_on_demand_and_left_out_again(settle: Settle) -> None:
    app = AdvisorApp(KNOWLEDGE, Scene((), RESULTS))
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        assert "nothing measured" in shown(app, "#basis")
        await pilot.press("m")
        await settle(pilot)
        assert "1 measurement counts · run-17" in shown(app, "#basis")
        assert "mxnet:hybrid mnist-cnn: knocked out" in shown(app, "#because")
        await pilot.press("m")
        await settle(pilot)
        assert "nothing measured" in shown(app, "#basis")


async def test_what_was_measured_is_told_with_what_it_is_about(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.measured(KEPT[0])
        app.action_answer()
        await settle(pilot)
        told = shown(app, "#because")
        assert "mnist-cnn · training · batch 128 · cpu · fp32 · 1 thread · data already in memory" in told
        assert "one:plain is faster than two:plain: 1.10-1.20x" in told
        assert "1 launch, provisional" in told
        assert "measured by 0.1.0+aaa" in told


async def test_e_explains_the_framework_under_the_cursor_with_what_decides(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        await pilot.press("down", "e")
        await settle(pilot)
        assert isinstance(app.screen, WhyScreen)
        told = shown(app, "#told")
        assert told.startswith("Keras ranks 2 of 3 with 7.2 of 10 points.")
        assert "Keras would come first if Pretrained models weighed 14.0 % instead of 19.0 %." in told
        lines = [" ".join(line.split()) for line in told.splitlines()]
        assert "Pretrained models +0.50 ████████" in lines
        assert "● Getting started -1.00 ████████████████" in lines  # the smallest set that decides is marked
        assert "What you would have to care about for Keras to win" in lines
        assert any(line.startswith("Getting started 60% ") and line.endswith("on average 25%") for line in lines)
        assert any(line.startswith("TensorFlow 56 %") for line in lines[lines.index("Keras scores above") :])


async def test_the_arrows_go_from_rank_to_rank_and_to_those_that_are_out(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        await pilot.press("e", "right", "right")
        await settle(pilot)
        assert shown(app, "#told").startswith("TensorFlow ranks 3 of 3")
        await pilot.press("right")
        await settle(pilot)
        assert shown(app, "#told").startswith("Apache MXNet is ruled out.")
        await pilot.press("right")
        await settle(pilot)
        assert shown(app, "#told").startswith("PyTorch ranks 1 of 3")
        await pilot.press("left", "enter")
        await settle(pilot)
        assert isinstance(app.screen, FrameworkScreen)
        assert app.screen.heading() == "Apache MXNet"


async def test_the_chance_of_every_rank_and_of_every_pair(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        await pilot.press("k")
        await settle(pilot)
        table = app.screen.query_one(DataTable)
        assert [str(cell).strip() for cell in table.get_row("keras")] == ["2 Keras", "43%", "55%", "2%"]
        await pilot.press("v")
        await settle(pilot)
        assert [str(cell).strip() for cell in table.get_row("keras")] == ["2 Keras", "44%", "—", "56%"]
        await pilot.press("down", "enter")
        await settle(pilot)
        assert shown(app, "#told").startswith("Keras ranks 2 of 3")


async def test_stay_or_switch_is_shown_for_the_framework_in_use(scene: Scene, settle: Settle) -> None:
    app = AdvisorApp(KNOWLEDGE, scene, answers=Answers(current="keras"))
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        assert shown(app, "#stay") == "Keras  It ranks 2 of 3, 0.20 points behind the first."
        told = shown(app, "#because")
        assert told.startswith(
            "Stay with Keras or switch\nLeaving would be justified from 90 % on.\n"
            "Leaving it: Layers are rewritten by hand.\n"
        )


async def test_everything_that_several_people_use_is_weighed_with_its_evidence(scene: Scene, settle: Settle) -> None:
    ann, bob = Answers(respondent="Ann", current="keras"), Answers(respondent="Bob", current="mxnet")
    app = AdvisorApp(KNOWLEDGE, scene, answers=ann)
    app.others = (("bob.yaml", bob),)
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        assert shown(app, "#stay").splitlines() == [
            "Keras  It ranks 2 of 3, 0.20 points behind the first. In use by Ann.",
            "Apache MXNet  It is knocked out; otherwise it would rank 4. In use by Bob.",
        ]
        told = shown(app, "#because")
        assert told.startswith("Stay with Keras or switch\n")
        assert "\n\nStay with Apache MXNet or switch\n" in told
        assert "\nInstead of Apache MXNet, PyTorch: Closest in kind." in told


async def test_without_a_framework_in_use_there_is_no_such_panel(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_answer()
        await settle(pilot)
        assert not app.screen.query_one("#stay").display


async def test_every_key_stands_in_the_key_line_within_eighty_columns(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_answer()
        await settle(pilot)
        await pilot.pause(0.1)
        keys = list(app.screen.query("FooterKey"))
        assert {"e", "k", "g", "p", "r", "escape"} <= {key.key for key in keys}  # type: ignore[attr-defined]
        assert all(key.region.right <= 80 and key.region.bottom <= 24 and key.region.width for key in keys)
        assert len({key.region.y for key in keys}) == 2
