"""How the screens look at 80x24 and at 140x45, and that Chinese keeps the columns."""

from collections.abc import Awaitable, Callable

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import OptionList

from advisor import i18n
from advisor.answers import Answer, Answers
from advisor.tui.app import AdvisorApp
from advisor.tui.screens.race import RaceScreen
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import KNOWLEDGE, PLAN, RESULTS, Scene
from tests.advisor.tui.test_guides import RACED
from tests.advisor.tui.test_history import KEPT
from tests.advisor.tui.test_race import SETTLED

Steps = Callable[[AdvisorApp, Pilot[None]], Awaitable[None]]
SMALL, LARGE = (80, 24), (140, 45)


async def home(app: AdvisorApp, pilot: Pilot[None]) -> None:
    await pilot.pause()


async def question(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_questions(True)
    await pilot.pause()
    await pilot.press("space", "down")


async def several(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_questions(True)
    await pilot.pause()
    await pilot.press("s", "s", "down", "space", "down", "m")


async def answer(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_answer()


async def framework(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_framework("mxnet")
    await pilot.pause()
    await pilot.press("down", "down", "down")


async def plan(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_plan()
    await pilot.pause()


async def race(app: AdvisorApp, pilot: Pilot[None]) -> None:
    screen = RaceScreen(PLAN)
    await app.push_screen(screen)
    await pilot.pause(0.1)
    screen.fill()


async def history(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_history()
    await pilot.pause()


async def report(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_report()
    await pilot.pause()


async def rating(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_framework("mxnet")
    await pilot.pause()
    entries = app.screen.query_one("#entries", OptionList)
    entries.highlighted = entries.get_option_index("leaf:ease.ramp_up")
    await pilot.pause()
    await pilot.press("h")


async def attributes(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_framework("mxnet")
    await pilot.pause()
    await pilot.press("down")


async def dispute(app: AdvisorApp, pilot: Pilot[None]) -> None:
    await rating(app, pilot)
    await pilot.press("d")


async def stay(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.answers = Answers(current="keras")
    app.action_answer()


async def why(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_answer()
    await app.workers.wait_for_complete()
    await pilot.press("down", "e")


async def ranks(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_ranks()
    await pilot.pause()


async def people(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.others = (("lab.yaml", Answers(answers={"goal": Answer(("learn",))})),)
    app.action_people()


async def swing(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_swing()
    await app.workers.wait_for_complete()
    await pilot.press("1", "0", "0", "down", "5", "0")


async def guides(app: AdvisorApp, pilot: Pilot[None]) -> None:
    app.action_guides()
    await pilot.pause()
    await pilot.press("down")


async def charge(app: AdvisorApp, pilot: Pilot[None]) -> None:
    await guides(app, pilot)
    app.measured(RACED)
    await pilot.press("enter")
    await app.workers.wait_for_complete()
    await pilot.press("down")


async def then_and_now(app: AdvisorApp, pilot: Pilot[None]) -> None:
    await guides(app, pilot)
    await pilot.press("enter")
    await app.workers.wait_for_complete()
    await pilot.press("end")


SCREENS = [
    *(home, question, several, answer, framework, plan, race, history, report),
    *(rating, attributes, dispute, stay, why, ranks, people, swing, guides, charge, then_and_now),
]


def _picture(snap_compare: Callable[..., bool], settle: Settle, steps: Steps, size: tuple[int, int]) -> bool:
    # A race under way never ends, so waiting for every worker would not either.
    scene = Scene(SETTLED) if steps is race else Scene((), RESULTS)
    scene.kept = KEPT
    app = AdvisorApp(KNOWLEDGE, scene, answers=Answers(answers={"build": Answer(("images",))}))

    async def go(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await steps(app, pilot)
        if steps is race:
            await pilot.pause(0.1)
        else:
            await settle(pilot)

    return snap_compare(app, terminal_size=size, run_before=go)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "140x45"])
@pytest.mark.parametrize("steps", SCREENS, ids=lambda steps: steps.__name__)
def test_picture(
    snap_compare: Callable[..., bool],
    settle: Settle,
    steps: Steps,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795651200")  # 2026-11-26: a dispute offers a statement of today
    assert _picture(snap_compare, settle, steps, size)


async def test_chinese_takes_two_cells_and_the_columns_stay_in_line(settle: Settle) -> None:
    i18n.set_language("zh")
    app = AdvisorApp(KNOWLEDGE, Scene())
    async with app.run_test(size=SMALL) as pilot:
        app.action_framework("pytorch")
        await settle(pilot)
        options = {option.id: str(option.prompt) for option in app.screen.query_one("#entries", OptionList).options}
        leaves = [text for identifier, text in options.items() if identifier and identifier.startswith("leaf:")]
        assert leaves[0].startswith("上手速度")
        assert len({cell_len(text) for text in leaves}) == 1
        assert cell_len(leaves[0]) <= 38
