"""What was measured before: one line a race; one to read, two to compare, a recording to play."""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from rich.text import Text as Cell
from textual import work
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import DataTable, Static

from advisor import findings, shown
from advisor.i18n import N_, _
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.screens.reading import ReadingScreen
from bench.results import Results
from bench.store import Summary
from knowledge.faults import BadInput

_PAIR = 2


class HistoryTable(DataTable[Cell]):
    """The races kept; space marks one, enter opens one."""

    BINDINGS: ClassVar = [
        Binding("enter", "select_cursor", N_("open"), key_display="⏎"),
        Binding("space", "screen.mark", N_("mark"), key_display="space"),
    ]


class HistoryScreen(AdvisorScreen):
    """Races in a table, newest first; below, what came of the one under the cursor."""

    CSS_PATH = "history.tcss"
    BINDINGS: ClassVar = [
        Binding("c", "compare", N_("compare two")),
        Binding("m", "count", N_("count it")),
        Binding("r", "app.replay", N_("play a recording")),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._kept: tuple[Summary, ...] | None = None
        self._fault = ""
        self._marked: list[str] = []  # in the order of marking, two at most

    def heading(self) -> str:
        return _("Measured before")

    def compose_body(self) -> Iterable[Widget]:
        yield HistoryTable(cursor_type="row", id="races")
        yield Static(id="detail", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.load()

    @work(exclusive=True, group="history")
    async def load(self) -> None:
        """Read the store; the screen can be left meanwhile."""
        if not self.stays:
            return
        table = self.query_one(HistoryTable)
        table.loading = True
        try:
            self._kept = await asyncio.to_thread(self.advisor.services.history)
        except BadInput as bad:
            self._kept, self._fault = (), "\n".join(str(fault) for fault in bad.faults)
        if not self.stays:
            return
        table.loading = False
        table.focus()  # a widget that loads lets go of the focus
        self.fill()

    def fill(self) -> None:
        table = self.query_one(HistoryTable)
        row = table.cursor_row
        table.clear(columns=True)
        headings = (" ", _("when (UTC)"), _("workloads"), _("raced"), _("fastest"), "")
        for key, heading in zip("mwlrfs", headings, strict=True):
            table.add_column(Cell(heading), key=key)
        for summary in self._kept or ():
            table.add_row(*self._cells(summary), key=summary.id)
        table.move_cursor(row=row)
        self._see_detail()
        self.refresh_bindings()

    def _cells(self, summary: Summary) -> tuple[Cell, ...]:
        marked = summary.id in self._marked
        fastest = ", ".join(dict.fromkeys(summary.fastest.values()))
        state = _("interrupted") if summary.interrupted else ""
        return (
            Cell("[x]" if marked else "[ ]", style="bold"),
            Cell(summary.created[:16].replace("T", " "), style="bold" if marked else ""),
            Cell(", ".join(summary.workloads)),
            Cell(str(summary.candidates), justify="right"),
            Cell(fastest or _("undecided") if summary.readable else _("damaged")),
            Cell(state, style="dim"),
        )

    def _see_detail(self) -> None:
        summary = self._under_cursor()
        if self._fault:
            told = self._fault
        elif self._kept is None:
            told = _("Looking at what is kept…")
        elif summary is None:
            told = _("Nothing has been measured on this machine yet.") + "\n" + _("r plays a race that was recorded.")
        else:
            told = "\n".join([summary.id, *findings.history_lines(summary)])
        self.query_one("#detail", Static).update(told)

    def _under_cursor(self) -> Summary | None:
        row, kept = self.query_one(HistoryTable).cursor_row, self._kept or ()
        return kept[row] if 0 <= row < len(kept) else None

    # -- what is done to it -------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Comparing takes two, counting one; playing a recording takes none."""
        if action == "compare":
            return len(self._kept or ()) >= _PAIR
        if action == "count":
            return bool(self._kept)
        return True

    def on_data_table_row_highlighted(self) -> None:
        self._see_detail()

    def on_data_table_row_selected(self) -> None:
        if (summary := self._under_cursor()) is not None:
            self.open(summary.id)

    def action_mark(self) -> None:
        """Mark the race under the cursor, or take the mark away; of three marks the oldest goes."""
        if (summary := self._under_cursor()) is None:
            return
        if summary.id in self._marked:
            self._marked.remove(summary.id)
        else:
            self._marked = [*self._marked, summary.id][-_PAIR:]
        self.fill()

    @work(exclusive=True, group="open")
    async def open(self, identity: str) -> None:
        """Show one result."""
        for results in await self._read(identity):
            self.app.push_screen(ReadingScreen(N_("Results"), partial(shown.of_results, results)))

    @work(exclusive=True, group="open")
    async def action_compare(self) -> None:
        """Hold the two marked against each other, or the one under the cursor against the marked one: earlier first."""
        summary = self._under_cursor()
        here = [summary.id] if summary is not None and summary.id not in self._marked else []
        pair = [*self._marked, *here][:_PAIR]
        if len(pair) < _PAIR:
            self.notify(_("Mark one, then point at another (or mark both)."))
            return
        order = [kept.id for kept in self._kept or ()]
        found = await self._read(*sorted(pair, key=order.index, reverse=True))
        if len(found) == _PAIR:
            comparison = await asyncio.to_thread(self.advisor.services.comparison, *found)
            self.app.push_screen(ReadingScreen(N_("Two results"), partial(shown.of_comparison, comparison)))

    @work(exclusive=True, group="open")
    async def action_count(self) -> None:
        """Let the answer count the one under the cursor."""
        if (summary := self._under_cursor()) is not None:
            for results in await self._read(summary.id):
                self.advisor.measured(results)
                self.advisor.action_answer()

    async def _read(self, *identities: str) -> list[Results]:
        """The results of these races; none of them, with the fault told, when one cannot be read."""
        try:
            return [await asyncio.to_thread(self.advisor.services.stored_results, each) for each in identities]
        except BadInput as bad:
            self.notify("\n".join(str(fault) for fault in bad.faults), severity="error", markup=False)
            return []
