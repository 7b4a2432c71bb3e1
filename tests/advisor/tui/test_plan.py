"""The plan screen."""

from pathlib import Path

from textual.widgets import Checkbox, DataTable

from advisor.answers import Answer, Answers
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.dialogs import Confirm, Pick
from advisor.tui.screens.plan import PlanScreen
from advisor.tui.screens.race import RaceScreen
from advisor.tui.screens.replay import ReplayScreen
from bench.plan import Goal
from knowledge.model import Text
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, Scene, offer, shown
from tests.advisor.tui.test_replay import screen_lines
from tests.bench.test_recording import recorded


def rows(app: AdvisorApp) -> list[list[str]]:
    table = app.screen.query_one(DataTable)
    return [[str(cell) for cell in table.get_row_at(index)] for index in range(table.row_count)]


async def test_every_candidate_says_what_it_needs_and_whether_it_counts(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        assert rows(app) == [
            ["[x]", "keras@jax:fit", "", "", "now", "yes"],
            ["[ ]", "mxnet:hybrid", "60 MB", "240 MB", "40 s", "no: knocked out, history only"],
            ["[x]", "pytorch:eager", "192 MB", "768 MB", "40 s", "yes"],
            ["[-]", "pytorch:compile", "", "", "", "no: cannot run here: no c++ compiler is on the PATH"],
        ]


async def test_costs_are_added_up_and_stand_beside_what_is_free(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        assert shown(app, "#cost").startswith("download 192 MB · disk 768 MB of 41.0 GB free · 12.0 GB of memory free")


async def test_candidates_of_one_environment_share_its_cost(settle: Settle) -> None:
    scene = Scene()
    scene.offered = (offer("pytorch:eager"), offer("pytorch:compile"))
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        assert shown(app, "#cost").startswith("download 192 MB")


async def test_enter_starts_exactly_what_is_marked(scene: Scene, app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        await pilot.press("down", "space")
        await settle(pilot)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert isinstance(app.screen, RaceScreen)
        assert scene.plans[0].candidates == ("keras@jax:fit", "mxnet:hybrid", "pytorch:eager")
        assert scene.plans[0].workloads == ("mnist-cnn", "pm25-lstm")


async def test_the_workloads_of_the_answers_are_marked_beforehand(scene: Scene, settle: Settle) -> None:
    app = AdvisorApp(KNOWLEDGE, scene, answers=Answers(answers={"build": Answer(("images",))}))
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        assert {box.id: box.value for box in app.screen.query(Checkbox)} == {"mnist-cnn": True, "pm25-lstm": False}


async def test_a_large_download_asks_first(scene: Scene, settle: Settle) -> None:
    scene.offered = (offer("tensorflow:function", download=600e6),)
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert isinstance(app.screen, Confirm)
        await pilot.press("n")
        await settle(pilot)
        assert isinstance(app.screen, PlanScreen)
        assert scene.plans == []


async def test_nothing_starts_when_the_disk_is_too_small(scene: Scene, app: AdvisorApp, settle: Settle) -> None:
    scene.free_disk = 10**8
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "There is not enough disk for this." in shown(app, "#cost")
        assert scene.plans == []


async def test_what_cannot_run_is_not_marked_and_says_what_is_missing(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        await pilot.press("down", "down", "down", "space")
        await settle(pilot)
        assert rows(app)[3][0] == "[-]"
        assert "Install a C++ compiler." in shown(app, "#detail")


async def test_a_machine_that_can_measure_nothing_is_told_so(scene: Scene, settle: Settle) -> None:
    scene.offered = ()
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        assert shown(app, "#cost").splitlines() == [
            "No framework can be measured on this machine.",
            "d plays a recorded race.",
        ]


async def test_the_budget_goes_up_and_down(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        before = shown(app, "#settings")
        await pilot.press("plus")
        assert "5 min of measuring" in shown(app, "#settings")
        await pilot.press("minus")
        assert shown(app, "#settings") == before


async def test_phase_launches_and_goal_are_chosen_and_what_the_budget_buys_is_told(
    scene: Scene, app: AdvisorApp, settle: Settle
) -> None:
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        assert "p training  l launches by budget  g goal: winner" in shown(app, "#settings")
        assert shown(app, "#cost").endswith("about 5 min in all · 3 launches · keras@jax:fit runs twice")
        # 180 s, 40 s to install, 2 workloads x 3 launches x 4 s for pytorch and both of keras
        await pilot.press("p", "p", "l", "g")
        await settle(pilot)
        assert "p training + inference  l 1 launch  g goal: order" in shown(app, "#settings")
        assert shown(app, "#cost").endswith("1 launch · provisional")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert isinstance(app.screen, RaceScreen)
        choice = scene.choices[-1]
        assert (choice.phases, choice.goal, choice.launches) == (("train", "infer"), Goal.ORDER, 1)


async def test_who_is_left_out_for_the_budget_says_why(scene: Scene, settle: Settle) -> None:
    scene.offered = tuple(offer(f"{name}:plain") for name in ("one", "two", "three", "four"))
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        assert rows(app)[3][-1] == "left out: the budget decides fewer"
        assert "1 left out" in shown(app, "#cost")
        await pilot.press("down", "down", "down")
        assert shown(app, "#detail") == "four:plain  left out: the budget decides fewer"


async def test_with_nothing_installed_a_recorded_race_is_offered_and_played(
    scene: Scene, settle: Settle, tmp_path: Path
) -> None:
    scene.recorded = {"mnist-cnn": recorded(tmp_path / "mnist-cnn.jsonl")}
    scene.offered = (offer("pytorch:eager"), offer("mxnet:hybrid"))
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        app.action_plan()
        await settle(pilot)
        assert shown(app, "#cost").splitlines()[-1] == "Nothing is installed yet: d plays a recorded race."
        await pilot.press("d")
        await pilot.pause(0.1)
        assert isinstance(app.screen, Pick)
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert isinstance(app.screen, ReplayScreen)
        await pilot.press("e", "escape")
        await pilot.pause()
        assert isinstance(app.screen, PlanScreen)


async def test_many_workloads_stay_on_the_screen(settle: Settle) -> None:
    class Rich(Scene):
        def workloads(self) -> dict[str, Text]:
            return {f"workload-number-{n:02}": Text(en=f"A network, number {n}", zh=f"网络 {n}") for n in range(12)}

    app = AdvisorApp(KNOWLEDGE, Rich())
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_plan()
        await settle(pilot)
        boxes = app.screen.query(Checkbox)
        assert all(box.region.right <= 80 and box.region.bottom <= 7 for box in boxes)
        assert "workload-number-11" in "\n".join(screen_lines(app))
        boxes.last().focus()
        await pilot.pause()
        assert shown(app, "#detail") == "workload-number-11  A network, number 11"
