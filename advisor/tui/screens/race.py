"""A race as it happens. Events are taken in as they come; the screen draws itself at most four times a second."""

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import ProgressBar, Static

from advisor.i18n import N_, _, language
from advisor.quantities import clock
from advisor.tui.board import Board
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.screens.dialogs import Confirm
from advisor.tui.services import Race
from advisor.tui.widgets.lanes import Lanes
from advisor.tui.widgets.load import LoadPanel
from bench.plan import Plan
from bench.results import Results
from bench.store import StoreFailure
from knowledge.faults import BadInput

REPAINT_SECONDS = 0.5
"""Drawing every event (650 a second in a fast race) cost the app 60 % of a core. Drawing all of it takes some 10 ms, so
it happens twice a second, and only what changed is drawn: engine and screen may use 2 % of a core together
(tests.performance, "parent and screen").
"""


class RaceScreen(AdvisorScreen):
    """Runs one plan. Stopping keeps what was measured; at the end the answer takes it in."""

    CSS_PATH = "race.tcss"
    BINDINGS: ClassVar = [
        Binding("enter", "answer", N_("see the answer"), key_display="⏎"),
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
        self._looked_at: str | None = None  # a workload the user chose to look at; None follows the race

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
            async with self.advisor.services.race(self._plan) as race:
                self._race = race
                async for event in race.events():
                    self._board.take(event)
            self._results = race.results
        except BadInput as bad:
            self._fault = "\n".join(str(fault) for fault in bad.faults)
        except (OSError, StoreFailure) as error:
            self._fault = str(error)
        self._over = True
        if self._results is not None and self._measured():
            self.advisor.measured(self._results)
        self.fill()
        self.refresh_bindings()

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
        workload = self._looked_at or board.workload or self._plan.workloads[0]
        lanes = self.query_one(Lanes)
        lanes.seconds = board.seconds
        lanes.over = self._over
        lanes.rows = board.rows(workload)
        self._say("#where", Content(self._where(workload)))
        self._say("#standing", self._standing(workload))
        panel = self.query_one(LoadPanel)
        panel.history = tuple(board.cpu_history)
        panel.load = board.load
        progress = self.query_one(ProgressBar)
        done = self._plan.workloads.index(board.workload) if board.workload else 0
        share = board.round / board.rounds if board.rounds else 0.0
        progress.update(
            total=len(self._plan.workloads), progress=len(self._plan.workloads) if board.finished else done + share
        )

    def _say(self, selector: str, told: Content) -> None:
        """Show a text in its place, if it is another; a new layout only if it may need other lines than before."""
        widget = self.query_one(selector, Static)
        if isinstance(widget.visual, Content) and widget.visual.markup == told.markup:
            return
        width = widget.content_size.width
        lines = told.split("\n", allow_blank=True)
        fits = all(line.cell_length <= width for line in lines)
        widget.update(told, layout=not fits or len(lines) != widget.content_size.height)

    def _where(self, workload: str) -> str:
        board, plan = self._board, self._plan
        known = self.advisor.services.workloads().get(workload)
        name = known.in_language(language()) if known is not None else workload
        threads = _("{n} threads").format(n=plan.threads) if plan.threads != 1 else _("1 thread")
        parts = [name, plan.device, plan.precision, threads]
        if board.rounds:
            parts.append(_("round {n}/{all}").format(n=board.round, all=board.rounds))
        parts.append(clock(board.seconds))
        if board.remaining_seconds is not None:
            parts.append(_("{time} left").format(time=clock(board.remaining_seconds)))
        return " · ".join(parts)

    def _standing(self, workload: str) -> Content:
        board = self._board
        if self._fault:
            return Content.assemble((_("The race could not run: "), "bold $text-error"), self._fault)
        if self._over:
            return self._ending()
        if self._stopping:
            return Content.styled(_("Stopping; what was measured is kept…"), "$text-warning")
        if workload != board.workload or not board.pairs:
            return Content.styled(_("Nothing can be said yet."), "dim")
        lines = []
        for pair in board.pairs:
            told = (
                _("{a} is ahead of {b} in these processes: {ratio:.2f}x")
                if pair.settled
                else _("{a} and {b}: not told apart yet ({ratio:.2f}x)")
            ).format(a=pair.a, b=pair.b, ratio=pair.ratio)
            lines.append(Content.styled(told, "bold" if pair.settled else "dim"))
        return Content("\n").join(lines)

    def _ending(self) -> Content:
        measured = self._measured()
        without = len(self._plan.workloads) * len(self._plan.candidates) - measured
        stopped = _("Stopped.") if self._stopping or self._board.interrupted else _("Done.")
        told = _("{measured} measured, {without} without a result.").format(measured=measured, without=without)
        kept = (
            _("Kept as {run}; the answer counts it.").format(run=self._results.id) if measured and self._results else ""
        )
        return Content.assemble((stopped, "bold $text-success"), f" {told} {kept}")

    def _measured(self) -> int:
        """How many candidates have a speed, over all workloads."""
        rows = (row for workload in self._plan.workloads for row in self._board.rows(workload))
        return sum(row.standing is not None for row in rows)

    # -- keys ---------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Stopping is offered while it runs, the answer once it is over, other workloads where there are some."""
        if action in ("stop", "leave_out"):
            return not self._over
        if action == "answer":
            return self._over and not self._fault
        if action == "retry":
            return bool(self._fault)
        if action == "workload":
            return len(self._plan.workloads) > 1
        return True

    def action_answer(self) -> None:
        """To the recommendation, with what was measured."""
        self.advisor.back()
        self.advisor.action_answer()

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
        """Look at the next workload."""
        workloads = self._plan.workloads
        now = self._looked_at or self._board.workload or workloads[0]
        self._looked_at = workloads[(workloads.index(now) + 1) % len(workloads)]
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
