"""Old guides: the list, one of them with its charges, and what was said then and now."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets import DataTable, OptionList, Static

from advisor.answers import Answers
from advisor.guides import Topic
from advisor.tui.app import AdvisorApp
from advisor.tui.lines import page
from advisor.tui.screens.claims import ClaimsScreen, GuideScreen
from advisor.tui.screens.guides import GuidesScreen
from advisor.tui.screens.plan import PlanScreen
from advisor.tui.screens.race import RaceScreen
from advisor.tui.screens.replay import ReplayScreen
from advisor.tui.verdicts import topic_lines
from bench.plan import Candidate, Goal
from bench.results import Basis, Outcome, Ratio, Run, Status, StepSeconds, Verdict
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, RESULTS, Scene, recommendation, shown
from tests.advisor.tui.test_replay import RECORDING


def _run(candidate: str) -> Run:
    parts = Candidate.parse(candidate)
    return Run(
        candidate=candidate,
        framework=parts.framework,
        backend=parts.backend,
        mode=parts.mode,
        workload="mnist-cnn",
        phase="train",
        device="cpu",
        precision="fp32",
        threads=1,
        launches=3,
        provisional=False,
        status=Status.OK,
        reason=None,
        step_seconds=StepSeconds(median=0.01, low=0.009, high=0.012, blocks=45, steps_per_block=25),
    )


RACED = replace(
    RESULTS,
    runs=(_run("pytorch:eager"), _run("keras@jax:fit"), _run("mxnet:hybrid")),
    verdicts=(
        Verdict(
            workload="mnist-cnn",
            phase="train",
            a="keras@jax:fit",
            b="pytorch:eager",
            verdict=Outcome.A,
            ratio=Ratio(low=1.2, high=1.4),
            basis=Basis.WALL,
        ),
    ),
)
"""A race in which Keras was faster than PyTorch: the charge that it is the slowest is refuted."""


def point_at(app: AdvisorApp, entry: str) -> None:
    entries = app.screen.query_one("#entries", OptionList)
    entries.highlighted = entries.get_option_index(entry)


def prompts(app: AdvisorApp) -> dict[str, str]:
    options = app.screen.query_one("#entries", OptionList).options
    return {option.id: str(option.prompt) for option in options if option.id}


async def open_guide(app: AdvisorApp, pilot: object, settle: Settle, guide: str = "later-2018") -> None:
    await app.push_screen(GuideScreen(KNOWLEDGE.guides[guide]))
    await settle(pilot)  # type: ignore[arg-type]


async def test_the_list_counts_what_holds_of_each_guide(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await pilot.press("g")
        await settle(pilot)
        assert isinstance(app.screen, GuidesScreen)
        table = app.screen.query_one(DataTable)
        row = [str(cell) for cell in table.get_row("later-2018")]
        assert row == ["2018-06", "0", "0", "1", "1", "2", "Three compared"]
        await pilot.press("down")
        await settle(pilot)
        assert "Keras is slowest; MXNet is fastest." in shown(app, "#conclusion")
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, GuideScreen)
        assert "“Keras is slowest; MXNet is fastest.”" in shown(app, "#detail")


async def test_what_needs_no_race_is_ruled_on_at_once_and_the_rest_says_what_is_missing(
    app: AdvisorApp, settle: Settle
) -> None:
    async with app.run_test() as pilot:
        await open_guide(app, pilot, settle)
        listed = prompts(app)
        assert listed["charge:0"].startswith("? Keras is the slowest")
        assert listed["charge:1"].startswith("✓ Keras takes the fewest")  # 18 lines against 45, a factor of 2 is met
        point_at(app, "charge:1")
        await settle(pilot)
        told = shown(app, "#detail")
        assert "“Keras is slowest.”" in told
        assert "✓ confirmed, counted in the programs that come with the app" in told
        assert "It names a factor: 2 times." in told
        assert "Keras: 12 lines of model, 6 of training" in told
        assert "PyTorch takes 2.50x the lines of Keras: confirmed" in told
        point_at(app, "charge:0")
        await settle(pilot)
        assert "not before a race on cpu" in shown(app, "#detail")


async def test_what_was_measured_here_rules_on_the_charges(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await open_guide(app, pilot, settle)
        app.measured(RACED)
        await settle(pilot)
        assert prompts(app)["charge:0"].startswith("✗ Keras is the slowest")
        point_at(app, "charge:0")
        await settle(pilot)
        told = shown(app, "#detail")
        assert "✗ refuted, on cpu" in told
        assert "results run-17" in told
        assert "keras@jax:fit: 10 ms a step" in told
        assert "keras@jax:fit is faster than pytorch:eager: 1.20-1.40x" in told


async def test_then_and_now_stand_in_order_with_evidence_and_knock_outs(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await open_guide(app, pilot, settle)
        entry = next(entry for entry, text in prompts(app).items() if entry.startswith("topic:") and "started" in text)
        point_at(app, entry)
        await settle(pilot)
        told = shown(app, "#detail")
        assert told.index("2016 MXNet is easy to begin with.") < told.index("2018 MXNet takes a day to learn.")
        assert "± partly  An early comparison, line 12" in told
        assert "now  It has ended." in told
        assert "now  Nobody begins now." in told
        assert "≠ Users find the first hour hard." in told
        assert "knocked out  Apache MXNet was archived on 2023-11-17." in told
        assert "rated 3  2026-10-01" in told
        assert "2018-05-01" not in told
        await pilot.press("h")
        assert "rated 3  2018-05-01" in shown(app, "#detail")


async def test_who_was_preferred_stands_beside_who_is_rated_best_now(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await open_guide(app, pilot, settle)
        assert "Getting started: Apache MXNet" in prompts(app)["winner:0"]
        point_at(app, "winner:0")
        await settle(pilot)
        told = shown(app, "#detail")
        assert "2018 Apache MXNet\nnow  PyTorch, Keras" in told


async def test_a_claim_can_be_disputed_at_each_of_its_places(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await open_guide(app, pilot, settle)
        entry = next(entry for entry, text in prompts(app).items() if entry.startswith("topic:") and "started" in text)
        point_at(app, entry)
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        told = str(app.screen.query_one("#text Static", Static).content)
        assert "knowledge/guides/early-2016.yaml:30" in told
        assert "knowledge/guides/later-2018.yaml:30" in told
        await pilot.press("escape", "o")
        await settle(pilot)
        assert "Comparison guide" in str(app.screen.query_one("#text Static", Static).content)


async def test_claims_are_read_by_framework_and_by_criterion(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        for key, of in (("f", "Keras"), ("c", "Ease of use")):
            app.action_guides()
            await settle(pilot)
            await pilot.press(key, "enter")
            await settle(pilot)
            assert isinstance(app.screen, ClaimsScreen)
            assert app.screen.heading() == f"Then and now: {of}"
            assert len([entry for entry in prompts(app) if entry.startswith("topic:")]) == 2
            await pilot.press("escape", "escape")
            await settle(pilot)


async def test_the_trial_is_planned_raced_and_leads_back_to_the_verdicts(settle: Settle) -> None:
    scene = Scene((), RACED)
    scene.latest_results = lambda: None  # type: ignore[method-assign]
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        await open_guide(app, pilot, settle)
        await pilot.press("r")
        await settle(pilot)
        assert isinstance(app.screen, PlanScreen)
        await pilot.press("enter")
        await settle(pilot)
        (choice,) = {each.candidates: each for each in scene.choices}.values()
        assert choice.candidates == ("keras@jax:fit", "pytorch:eager")  # defaults of those that the charge names
        assert (choice.workloads, choice.goal, choice.budget_seconds) == (("mnist-cnn",), Goal.ORDER, 600)
        assert isinstance(app.screen, RaceScreen)
        app.measured(RACED)
        await pilot.press("g")
        await settle(pilot)
        assert isinstance(app.screen, GuideScreen)
        assert prompts(app)["charge:0"].startswith("✗")


async def test_a_recorded_trial_is_played_and_its_verdicts_are_told_as_recorded(settle: Settle, tmp_path: Path) -> None:
    scene = Scene()
    scene.recorded = {"trial": tmp_path / "trial.jsonl"}
    scene.recording = lambda path: replace(RECORDING, results=RACED)  # type: ignore[method-assign]
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        await open_guide(app, pilot, settle)
        await pilot.press("p")
        while not isinstance(app.screen, ReplayScreen):  # what it plays takes a minute: nothing to wait for
            await pilot.pause(0.02)
        await pilot.pause(0.1)
        await pilot.press("e")
        await settle(pilot)
        await pilot.press("g")
        await settle(pilot)
        assert isinstance(app.screen, GuideScreen)
        assert prompts(app)["charge:0"].startswith("✗")
        assert app.results is None  # a recording enters no answer unasked


async def test_where_no_race_can_try_the_charges_it_says_so_and_stays(settle: Settle) -> None:
    scene = Scene()
    scene.trial_races = lambda guide: ()  # type: ignore[method-assign]
    app = AdvisorApp(KNOWLEDGE, scene)
    async with app.run_test() as pilot:
        await open_guide(app, pilot, settle)
        await pilot.press("r")
        await settle(pilot)
        assert isinstance(app.screen, GuideScreen)
        await open_guide(app, pilot, settle, "early-2016")  # a guide without charges has nothing to try
        assert "r" not in app.screen.active_bindings


@pytest.mark.parametrize(
    ("framework", "counts"), [("pytorch", "run-17, counted"), ("keras", "run-17, not counted")]
)  # fmt: skip
def test_claims_about_speed_stand_beside_what_was_measured_here(framework: str, counts: str) -> None:
    topic = Topic(framework, "performance.time_to_finish", ())
    told = str(page(topic_lines(topic, KNOWLEDGE, recommendation(Answers(), RACED), RACED, history=False)))
    assert told.startswith("here mnist-cnn: keras@jax:fit is faster than pytorch:eager: 1.20-1.40x")
    assert told.endswith(counts)
    nothing = str(page(topic_lines(topic, KNOWLEDGE, recommendation(Answers(), None), None, history=False)))
    assert nothing == "here  nothing measured yet"


async def test_the_palette_leads_to_every_new_screen(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        await settle(pilot)
        shown_keys = {key.key for key in app.screen.query("FooterKey")}  # type: ignore[attr-defined]
        assert "ctrl+p" in shown_keys
        commands = {command.title: command.callback for command in app.get_system_commands(app.screen)}
        for title, heading in (
            ("Guides on trial", "Guides on trial"),
            ("Several people", "Several people"),
            ("Set weights", "Weights by whole swings"),
            ("Ranks", "Ranks"),
        ):
            commands[title]()
            await settle(pilot)
            assert app.screen.heading() == heading  # type: ignore[attr-defined]
            await pilot.press("escape")
            await settle(pilot)
