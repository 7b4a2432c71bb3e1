"""The terminal app: holds the answers, the results and the recommendation they lead to, and shows the screens.

State lives here as reactives that screens watch. Screens change it only by `answer`, `drop` and `measured`; every
change decides again in a thread, so that no key waits for it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

from msgspec.structs import replace
from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.reactive import reactive
from textual.screen import Screen

from advisor.answers import Answers, FixedWeight, dump_answers
from advisor.i18n import LANGUAGES, N_, _, language, set_language
from advisor.line_breaks import break_like_chinese
from advisor.recommendation import Recommendation
from advisor.respondents import distinct, named
from advisor.tui.screens.base import AdvisorScreen, Speaking
from advisor.tui.screens.home import HomeScreen
from advisor.tui.services import Services
from advisor.tui.sheet import Reply, is_answered, path, question, with_reply, without_assumption
from bench.plan import Plan
from bench.planning import Wishes
from bench.recording import Recording
from bench.results import Machine, Results
from knowledge.faults import BadInput
from knowledge.model import Knowledge

_PAUSE_SECONDS = 0.05
"""A decision waits this long for the next key, so that keys held down cost one decision, not thirty a second."""

_OWN_FILE = ":own"
"""Among the recordings to pick from: none of those that come with the app."""

Shown = TypeVar("Shown", bound=Screen[None])


class AdvisorApp(App[None]):
    """Framework Advisor in a terminal.

    Attributes:
        answers: the answers so far.
        others: sheets of others who decide too, or scenarios to hold beside: file and answers of each.
        results: the measurements in force, or None.
        recommendation: what follows from both; None until the first decision.
        fault: why there is no decision for the present answers, "" when there is one.
        deciding: whether a decision is under way.
        machine: this machine, once it has been looked at.
    """

    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    MODES: ClassVar = {"home": HomeScreen}
    DEFAULT_MODE = "home"
    BINDINGS: ClassVar = [
        Binding("ctrl+l", "language", N_("中文/English"), show=False),
        Binding("ctrl+p", "command_palette", N_("all commands"), show=False, key_display="^p", priority=True),
    ]

    answers: reactive[Answers] = reactive(Answers(), init=False)
    others: reactive[tuple[tuple[str, Answers], ...]] = reactive((), init=False)
    results: reactive[Results | None] = reactive(None, init=False)
    recommendation: reactive[Recommendation | None] = reactive(None, init=False)
    fault: reactive[str] = reactive("", init=False)
    deciding: reactive[bool] = reactive(False, init=False)
    machine: reactive[Machine | None] = reactive(None, init=False)

    def __init__(
        self,
        knowledge: Knowledge,
        services: Services,
        *,
        language: str | None = None,
        answers: Answers | None = None,
        recording: Recording | None = None,
        speed: float = 1.0,
    ) -> None:
        """The app; with a recording it opens on the screen that plays it, at `speed` times the pace it had."""
        super().__init__()
        break_like_chinese()
        self.title = "Framework Advisor"
        if language is not None:
            set_language(language)
        self.knowledge = knowledge
        self.services = services
        self.quick = True
        self._recording, self._speed = recording, speed
        self._weighed: list[dict[str, FixedWeight]] = []  # the sheet's weights before each time they were set by hand
        self._outdated = False  # whether answers or results changed since the last decision began
        if answers is not None:
            self.set_reactive(AdvisorApp.answers, answers)

    def on_mount(self) -> None:
        self.look_at_machine()
        self.decide()
        if self._recording is not None:
            self.open_replay(self._recording, self._speed)

    # -- state --------------------------------------------------------------------------------------------------------

    @property
    def sheets(self) -> tuple[Answers, ...]:
        """All sheets that are decided on, one's own first; each has a name where there are several.

        Raises:
            BadInput: two of them are one person's.
        """
        return self._named(self.answers, self.others)

    @staticmethod
    def _named(own: Answers, others: Sequence[tuple[str, Answers]]) -> tuple[Answers, ...]:
        _files, faults = distinct([file for file, _sheet in others])
        sheets, alike = named({_("you"): own, **dict(others)})
        if faults or alike:
            raise BadInput([*faults, *alike])
        return sheets

    @property
    def steps(self) -> tuple[str, ...]:
        """The questions of the path that was chosen."""
        return path(self.knowledge, self.answers, self.quick)

    def answered(self) -> tuple[int, int]:
        """How many of all questions that can come up are answered, and how many those are."""
        steps = path(self.knowledge, self.answers, quick=False)
        return sum(self.is_answered(step) for step in steps), len(steps)

    def is_answered(self, step: str) -> bool:
        """Whether anything was answered to a question."""
        return is_answered(self.knowledge, self.answers, step)

    def answer(self, step: str, reply: Reply) -> None:
        """Write a reply into the sheet; an empty one takes it out."""
        self.answers = with_reply(self.answers, question(self.knowledge, step), reply)

    def drop(self, assumption: str) -> None:
        """Take an assumption back, or take it up again."""
        self.answers = without_assumption(self.answers, assumption)

    def weigh(self, weighed: Answers) -> None:
        """Take over a sheet with other weights; `unweigh` brings the former ones back."""
        self._weighed.append(self.answers.weights)
        self.answers = weighed

    def unweigh(self) -> bool:
        """The weights as they were before they were last set by hand; False when they never were."""
        if not self._weighed:
            return False
        self.answers = replace(self.answers, weights=self._weighed.pop())
        return True

    def measured(self, results: Results) -> None:
        """Fold results into the recommendation."""
        self.results = results

    @work(exclusive=True, group="results")
    async def action_measurements(self) -> None:
        """Count the newest stored measurements, or stop counting any."""
        if self.results is not None:
            self.results = None
            return
        try:
            found = await asyncio.to_thread(self.services.latest_results)
        except BadInput as bad:
            self.notify("\n".join(str(fault) for fault in bad.faults), severity="error", markup=False)
            return
        if found is None:
            self.notify(_("Nothing has been measured on this machine yet."))
        self.results = found

    def watch_answers(self) -> None:
        self.decide()

    def watch_others(self) -> None:
        self.decide()

    def watch_results(self) -> None:
        self.decide()

    def decide(self) -> None:
        """Decide for the present answers and results; while a decision is under way, once more after it."""
        self._outdated = True
        if not self.deciding:
            self.deciding = True
            self._decide()

    @work(group="decide")
    async def _decide(self) -> None:
        while self._outdated:
            await asyncio.sleep(_PAUSE_SECONDS)
            self._outdated = False
            try:
                recommendation = await asyncio.to_thread(self.services.decide, self.sheets, self.results)
            except BadInput as bad:
                self.fault = "\n".join(fault.problem for fault in bad.faults)
            else:
                self.fault = ""
                self.recommendation = recommendation
        self.deciding = False

    @work(group="machine")
    async def look_at_machine(self) -> None:
        """Find out what this machine is."""
        self.machine = await asyncio.to_thread(self.services.machine)

    # -- screens ------------------------------------------------------------------------------------------------------

    def back(self) -> None:
        """To the screen before; from the first one nowhere."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def _show(self, kind: type[Shown], fresh: Shown) -> None:
        """Return to the screen of that kind if it is open below, else open `fresh` on top."""
        depth = next((depth for depth, screen in enumerate(self.screen_stack) if isinstance(screen, kind)), None)
        if depth is None:
            self.push_screen(fresh)
        else:
            self._close_above(depth)

    def _close_above(self, depth: int) -> bool:
        """Close every screen above one; none of them when one still has something to lose."""
        above = [screen for screen in self.screen_stack[depth + 1 :] if isinstance(screen, AdvisorScreen)]
        if not all(screen.may_close() for screen in above):
            self.notify(_("A race is still running; stop it first (q)."), severity="warning")
            return False
        while len(self.screen_stack) > depth + 1:
            self.pop_screen()
        return True

    def action_questions(self, quick: bool = True) -> None:
        """Ask, beginning with the first question that has no answer yet."""
        from advisor.tui.screens.question import QuestionScreen

        if self._close_above(0):
            self.quick = quick
            self.push_screen(QuestionScreen())

    def action_answer(self) -> None:
        """Show the recommendation."""
        from advisor.tui.screens.answer import AnswerScreen

        self._show(AnswerScreen, AnswerScreen())

    def action_frameworks(self) -> None:
        """List the frameworks."""
        from advisor.tui.screens.frameworks import FrameworksScreen

        self._show(FrameworksScreen, FrameworksScreen())

    def action_framework(self, framework: str) -> None:
        """Show all that is known of one framework."""
        from advisor.tui.screens.framework import FrameworkScreen

        self.push_screen(FrameworkScreen(self.knowledge.frameworks[framework]))

    def action_plan(self) -> None:
        """Choose what to measure."""
        from advisor.tui.screens.plan import PlanScreen

        self._show(PlanScreen, PlanScreen())

    def open_plan(self, wishes: Wishes) -> None:
        """Plan a race that was asked for elsewhere, above the present screen."""
        from advisor.tui.screens.plan import PlanScreen

        self.push_screen(PlanScreen(wishes))

    def on_trial(self) -> bool:
        """Whether the present screen stands above a guide on trial."""
        from advisor.tui.screens.claims import GuideScreen

        return any(isinstance(screen, GuideScreen) for screen in self.screen_stack[:-1])

    def action_verdicts(self) -> None:
        """Back to the guide on trial."""
        from advisor.tui.screens.claims import GuideScreen

        for depth, screen in enumerate(self.screen_stack):
            if isinstance(screen, GuideScreen):
                self._close_above(depth)
                return

    def action_guides(self) -> None:
        """List the old guides and what they claimed."""
        from advisor.tui.screens.guides import GuidesScreen

        self._show(GuidesScreen, GuidesScreen())

    def action_people(self) -> None:
        """Show several sheets side by side."""
        from advisor.tui.screens.people import PeopleScreen

        self._show(PeopleScreen, PeopleScreen())

    def action_swing(self) -> None:
        """Weigh the top level by what whole swings are worth."""
        from advisor.tui.screens.swing import SwingScreen

        self._show(SwingScreen, SwingScreen())

    def action_ranks(self) -> None:
        """Show the chance of every rank, and who scores above whom."""
        from advisor.tui.screens.ranks import RanksScreen

        self._show(RanksScreen, RanksScreen())

    def action_why(self, framework: str) -> None:
        """Explain one framework's place."""
        from advisor.tui.screens.why import WhyScreen

        self.push_screen(WhyScreen(framework))

    def action_report(self) -> None:
        """Preview the report and write it to a file."""
        from advisor.tui.screens.report import ReportScreen

        self._show(ReportScreen, ReportScreen())

    def open_race(self, plan: Plan) -> None:
        """Start the race and show it in place of the plan."""
        from advisor.tui.screens.race import RaceScreen

        self.switch_screen(RaceScreen(plan))

    def open_replay(self, recording: Recording, speed: float = 1.0) -> None:
        """Play a recorded race on a screen above the present one."""
        from advisor.tui.screens.replay import ReplayScreen

        self.push_screen(ReplayScreen(recording, speed))

    def action_history(self) -> None:
        """Show what was measured before."""
        from advisor.tui.screens.history import HistoryScreen

        self._show(HistoryScreen, HistoryScreen())

    @work(group="replay")
    async def action_replay(self) -> None:
        """Choose a recorded race and play it: one that comes with the app, or a file."""
        from advisor.tui.screens.dialogs import AskPath, Pick

        shipped = await asyncio.to_thread(self.services.recordings)
        own = _("a file of your own…")
        picked: str | None = _OWN_FILE
        if shipped:
            picked = await self.push_screen_wait(
                Pick(_("Play a recorded race"), [*((n, n) for n in shipped), (_OWN_FILE, own)])
            )
        if picked is None:
            return
        found: list[Recording] = []

        def check(path: Path) -> str | None:
            try:
                found.append(self.services.recording(path))
            except BadInput as bad:
                return "\n".join(str(fault) for fault in bad.faults)
            return None

        if picked != _OWN_FILE:
            if (fault := await asyncio.to_thread(check, shipped[picked])) is not None:
                self.notify(fault, severity="error", markup=False)
        else:
            hint = _("A file that `advisor bench run --record` wrote:")
            await self.push_screen_wait(AskPath(_("Play a recorded race"), hint, "", check))
        if found:
            self.open_replay(found[-1])

    @work(group="answers")
    async def action_open_answers(self) -> None:
        """Read an answers file and show what follows from it."""
        read = await self._read_sheet(_("Open answers"), lambda path, sheet: self._named(sheet, self.others))
        if read is not None:
            self._weighed.clear()
            self.answers = read[1]
            self.action_answer()

    @work(group="answers")
    async def action_add_sheet(self) -> None:
        """Read the sheet of somebody else who decides too, or another scenario, and decide for all of them."""
        read = await self._read_sheet(
            _("Another sheet"),
            lambda path, sheet: self._named(self.answers, (*self.others, (str(path.absolute()), sheet))),
        )
        if read is not None:
            self.others = (*self.others, read)

    async def _read_sheet(self, title: str, check: Callable[[Path, Answers], object]) -> tuple[str, Answers] | None:
        """Ask for an answers file; its path and its sheet, or None. `check` raises BadInput where it does not fit."""
        from advisor.tui.screens.dialogs import AskPath

        sheets: list[Answers] = []

        def fault(path: Path) -> str | None:
            try:
                sheet = self.services.read_answers(path)
                check(path, sheet)
            except BadInput as bad:
                return "\n".join(str(fault) for fault in bad.faults)
            except OSError as error:
                return f"{path}: {error.strerror}"
            sheets.append(sheet)
            return None

        hint = _("An answers file (YAML), as `advisor recommend` reads it:")
        path = await self.push_screen_wait(AskPath(title, hint, "", fault))
        return None if path is None else (str(path.absolute()), sheets[-1])

    @work(group="answers")
    async def action_save_answers(self) -> None:
        """Write the answers into a file that `advisor recommend` can read."""
        from advisor.tui.files import save

        text = dump_answers(self.answers)
        await save(self, _("Save answers"), "answers.yaml", lambda path: text.encode())

    async def action_quit(self) -> None:
        """End the app; a race under way is stopped first, and what it measured is kept."""
        for screen in self.screen_stack:
            if isinstance(screen, AdvisorScreen):
                await screen.finish()
        self.exit()

    # -- language -----------------------------------------------------------------------------------------------------

    async def action_language(self) -> None:
        """Say everything in the next language."""
        following = LANGUAGES[(LANGUAGES.index(language()) + 1) % len(LANGUAGES)]
        set_language(following)
        for screen in self.screen_stack:
            if isinstance(screen, Speaking):
                await screen.speak()
        self.decide()  # its sentences are in the language too

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        yield SystemCommand(_("Six questions"), _("The quick path, two minutes"), lambda: self.action_questions(True))
        yield SystemCommand(_("All questions"), _("For a surer answer"), lambda: self.action_questions(False))
        yield SystemCommand(_("The answer"), _("Ranking, reasons, what would change it"), self.action_answer)
        yield SystemCommand(_("Measure here"), _("Race the frameworks on this machine"), self.action_plan)
        yield SystemCommand(_("Measured before"), _("Show, compare, count earlier results"), self.action_history)
        yield SystemCommand(_("Play a recorded race"), _("Needs nothing installed"), self.action_replay)
        yield SystemCommand(_("Frameworks"), _("What is known of each, with sources"), self.action_frameworks)
        yield SystemCommand(_("Guides on trial"), _("What old guides claimed, then and now"), self.action_guides)
        yield SystemCommand(_("Several people"), _("Sheets side by side, agreement, vetoes"), self.action_people)
        yield SystemCommand(_("Set weights"), _("By what whole swings are worth to you"), self.action_swing)
        yield SystemCommand(_("Ranks"), _("The chance of every rank, and of each pair"), self.action_ranks)
        yield SystemCommand(_("Report"), _("Preview it and write it to a file"), self.action_report)
        yield SystemCommand(_("Open answers"), _("Read an answers file"), self.action_open_answers)
        yield SystemCommand(_("Save answers"), _("Write an answers file"), self.action_save_answers)
        yield SystemCommand("中文 / English", _("Switch the language"), self.action_language)
        yield from super().get_system_commands(screen)
