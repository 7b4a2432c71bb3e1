"""A race as it happens. Events are taken in as they come; the screen draws itself at most four times a second."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from itertools import combinations, pairwise
from typing import ClassVar

from textual import work
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import ProgressBar, Static

from advisor.findings import about, basis_sentence, phase_in_words, twin_sentence, verdict_sentence, verdicts_of
from advisor.i18n import N_, _, language, ngettext
from advisor.quantities import clock
from advisor.tui.board import Board
from advisor.tui.board import Race as Raced
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.screens.dialogs import Confirm
from advisor.tui.services import Race
from advisor.tui.widgets.lanes import Lanes, stage_in_words
from advisor.tui.widgets.load import LoadPanel
from advisor.words import quantity_in_words
from bench.plan import Plan
from bench.results import Outcome, Results, Status
from bench.store import StoreFailure
from knowledge.faults import BadInput

REPAINT_SECONDS = 0.5
"""Drawing every event (650 a second in a fast race) cost the app 60 % of a core. Drawing all of it takes some 10 ms, so
it happens twice a second, and only what changed is drawn: engine and screen may use 2 % of a core together
(tests.performance, "parent and screen").
"""

_ORDERED = (Outcome.A, Outcome.B)


class RaceScreen(AdvisorScreen):
    """Runs one plan. Stopping keeps what was measured; at the end the answer takes it in."""

    CSS_PATH = "race.tcss"
    BINDINGS: ClassVar = [
        Binding("enter", "answer", N_("see the answer"), key_display="⏎"),
        Binding("g", "verdicts", N_("the verdicts")),
        Binding("q", "stop", N_("stop, keep")),
        Binding("k", "leave_out", N_("leave one out")),
        Binding("w", "workload", N_("workload")),
        Binding("t", "retry", N_("try again")),
        Binding("up", "point(-1)", show=False),
        Binding("down", "point(1)", show=False),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan
        self._board = Board(plan)
        self._race: Race | None = None
        self._fault = ""
        self._stopping = False
        self._over = False
        self._results: Results | None = None
        self._looked_at: Raced | None = None  # what the user chose to look at; None follows the race

    # -- the race -----------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(REPAINT_SECONDS, self._beat)
        self.run_race()

    @work(group="race")
    async def run_race(self) -> None:
        """Run the plan from the first event to the last."""
        self._over, self._stopping, self._fault, self._board = False, False, "", Board(self._plan)
        self.refresh_bindings()
        try:
            async with self.open_race() as race:
                self._race = race
                async for event in race.events():
                    self._board.take(event)
            self._results = race.results
            if self._results is not None:
                self._board.settle(self._results)
        except BadInput as bad:
            self._fault = "\n".join(str(fault) for fault in bad.faults)
        except (OSError, StoreFailure) as error:
            self._fault = str(error)
        self._over = True
        if self._measured():
            self.take_in_results()
        self.fill()
        self.refresh_bindings()

    def open_race(self) -> AbstractAsyncContextManager[Race]:
        """What is watched: a race on this machine."""
        return self.advisor.services.race(self._plan)

    def take_in_results(self) -> None:
        """What was measured here enters the answer."""
        if self._results is not None:
            self.advisor.measured(self._results)

    # -- what it shows ------------------------------------------------------------------------------------------------

    def heading(self) -> str:
        return _("Race")

    def compose_body(self) -> Iterable[Widget]:
        yield Static(id="where", markup=False)
        yield ProgressBar(id="progress", show_percentage=False, show_eta=False)
        with VerticalScroll(id="lanes", can_focus=False):
            yield Lanes()
        yield Static(id="standing", markup=False)
        yield LoadPanel()

    def fill(self) -> None:
        self._board.changed = True
        self._beat()

    def _beat(self) -> None:
        board = self._board
        if not board.changed:
            return
        board.changed = False
        race = self._shown()
        lanes = self.query_one(Lanes)
        lanes.seconds = board.seconds
        lanes.over = self._over
        lanes.rows = board.rows(race)
        ticked = self._say("#where", self._where(race))
        self._say("#standing", self._standing(race))
        panel = self.query_one(LoadPanel)
        if ticked or panel.load is None:  # every sample is another load; once a second, with the clock, is enough
            panel.history = tuple(board.cpu_history)
            panel.load = board.load
        self.query_one(ProgressBar).update(total=1.0, progress=board.progress)

    def _say(self, selector: str, told: Content) -> bool:
        """Show a text in its place if it is another, and say so; a new layout only if it may need other lines."""
        widget = self.query_one(selector, Static)
        if isinstance(widget.visual, Content) and widget.visual.markup == told.markup:
            return False
        width = widget.content_size.width
        lines = told.split("\n", allow_blank=True)
        fits = all(line.cell_length <= width for line in lines)
        widget.update(told, layout=not fits or len(lines) != widget.content_size.height)
        return True

    def _shown(self) -> Raced:
        """The workload and phase on the screen: the ones looked at, else those in progress, else the first."""
        return self._looked_at or self._board.race or self._board.races[0]

    def _where(self, race: Raced) -> Content:
        plan = self._plan
        if self._over and self._results is not None:  # what the verdicts are about, in full
            return Content.assemble((about(self._results, *race), "bold"), "\n", " · ".join(self._when()))
        known = self.advisor.services.workloads().get(race[0])
        name = known.in_language(language()) if known is not None else race[0]
        threads = ngettext("{n} thread", "{n} threads", plan.threads).format(n=plan.threads)
        what = " · ".join([name, phase_in_words(race[1]), plan.device, plan.precision, threads])
        return Content.assemble((what, "bold"), "\n", " · ".join(self._when()))

    def _when(self) -> Iterator[str]:
        """How far the race is, and what happens just now."""
        board = self._board
        if board.launches > 1 or self._plan.launches > 1:
            launches = max(board.launches, self._plan.launches)
            yield _("launch {n}/{all}").format(n=max(board.launch, 1), all=launches)
        if board.rounds:
            yield _("round {n}/{all}").format(n=board.round, all=board.rounds)
        yield clock(board.seconds)
        if board.remaining_seconds is not None:
            yield _("about {time} left").format(time=clock(board.remaining_seconds))
        if board.measuring is not None:
            what = board.measuring
            told = _("measuring {quantity} of {candidate}")
            yield told.format(quantity=quantity_in_words(what.quantity), candidate=what.candidate)
        elif board.preparing is not None and board.launch and board.preparing.workload is not None:
            yield f"{board.preparing.candidate} {stage_in_words(board.preparing.stage)}"

    def _standing(self, race: Raced) -> Content:
        board = self._board
        if self._fault:
            return Content.assemble((_("The race could not run: "), "bold $text-error"), self._fault)
        if self._over:
            return Content("\n").join([self._ending(), *self._settled(race)])
        if self._stopping:
            return Content.styled(_("Stopping; what was measured is kept…"), "$text-warning")
        lines = [*self._settled(race), *(self._live() if race == board.race else ())]
        return Content("\n").join(lines) if lines else Content.styled(_("Nothing can be said yet."), "dim")

    def _settled(self, race: Raced) -> Iterator[Content]:
        """What launches together say of neighbours in the standings and of others where that does not follow from it;
        and how far the same thing twice differed.
        """
        results = self._results if self._over else None
        verdicts = self._board.verdicts(race)
        if results is not None:
            verdicts = tuple(verdicts_of(results, *race))
        if results is not None and (told := twin_sentence(results)) is not None:
            yield Content.styled(told, "dim")
        said = {frozenset((verdict.a, verdict.b)): verdict for verdict in verdicts}
        order = [row.candidate for row in self._board.rows(race) if row.standing is not None]
        neighbours = set(pairwise(order))
        faster = {(v.a, v.b) if v.verdict is Outcome.A else (v.b, v.a) for v in verdicts if v.verdict in _ORDERED}
        shown = [
            said[key]
            for a, b in combinations(order, 2)
            if (key := frozenset((a, b))) in said
            and ((a, b) in neighbours or ((a, b) in faster and not any({(a, c), (c, b)} <= faster for c in order)))
        ]
        for basis in dict.fromkeys(map(basis_sentence, shown)):
            if basis is not None:
                yield Content.styled(basis, "dim")
        for verdict in shown:
            decided = verdict.verdict is not Outcome.UNDECIDED
            if decided or self._over:  # while it runs, further launches may still decide
                yield Content.styled(verdict_sentence(verdict, rests_on=False), "bold" if decided else "dim")

    def _live(self) -> Iterator[Content]:
        """What the processes of this launch show; others may show something else."""
        for pair in self._board.pairs:
            told = (
                _("{a} is ahead of {b} in these processes: {ratio:.2f}x")
                if pair.settled
                else _("{a} and {b}: not told apart yet ({ratio:.2f}x)")
            ).format(a=pair.a, b=pair.b, ratio=pair.ratio)
            yield Content.styled(told, "" if pair.settled else "dim")

    def _ending(self) -> Content:
        measured = self._measured()
        without = len(self._board.races) * len(self._plan.candidates) - measured
        stopped = _("Stopped.") if self._stopping or self._board.interrupted else _("Done.")
        told = _("{measured} measured, {without} without a result.").format(measured=measured, without=without)
        results = self._results
        named = _("Results {run}.").format(run=results.id) if measured and results is not None else ""
        return Content.assemble((stopped, "bold $text-success"), f" {told} {named}")

    def _measured(self) -> int:
        """How many candidates have a speed, over all workloads and phases."""
        rows = (row for race in self._board.races for row in self._board.rows(race))
        return sum(row.standing is not None and row.status in (None, Status.OK) for row in rows)

    # -- keys ---------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Stopping is offered while it runs, the answer once it is over, other workloads where there are some."""
        if action in ("stop", "leave_out"):
            return not self._over
        if action == "answer":
            return self._over and not self._fault
        if action == "verdicts":
            return self._over and self.advisor.on_trial()
        if action == "retry":
            return bool(self._fault)
        if action == "workload":
            return len(self._board.races) > 1
        return True

    def action_answer(self) -> None:
        """To the recommendation, with what was measured."""
        self.advisor.back()
        self.advisor.action_answer()

    def action_verdicts(self) -> None:
        """Back to the guide on trial that this race was run for."""
        self.advisor.action_verdicts()

    def action_retry(self) -> None:
        """Start the race again that could not run."""
        self.run_race()

    def action_stop(self) -> None:
        """Stop the race; every complete round is kept."""
        if self._race is not None and not self._stopping:
            self._stopping = True
            self._race.cancel(None)
            self.fill()

    def action_point(self, steps: int) -> None:
        """Point at the next candidate."""
        lanes = self.query_one(Lanes)
        names = [row.candidate for row in lanes.rows]
        position = names.index(lanes.pointed) + steps if lanes.pointed in names else 0
        lanes.pointed = names[position % len(names)]

    def action_leave_out(self) -> None:
        """Stop the candidate that is pointed at; the others go on."""
        pointed = self.query_one(Lanes).pointed
        if not pointed:
            self.notify(_("Point at a candidate with the arrow keys first."))
        elif self._race is not None:
            self._race.cancel(pointed)

    def action_workload(self) -> None:
        """Look at the next workload or phase."""
        races = self._board.races
        self._looked_at = races[(races.index(self._shown()) + 1) % len(races)]
        self.fill()

    def may_close(self) -> bool:
        return self._over

    async def finish(self) -> None:
        self.action_stop()
        await self.workers.wait_for_complete([worker for worker in self.workers if worker.group == "race"])

    def action_leave(self) -> None:
        """Leave; a race under way is stopped after a yes."""
        if self._over:
            self.advisor.back()
        else:
            question = _("The race is still running. Stop it? What was measured is kept.")
            self.app.push_screen(Confirm(_("Race"), question, _("Stop"), _("Go on")), self._stop_if)

    def _stop_if(self, yes: bool | None) -> None:
        if yes:
            self.action_stop()
