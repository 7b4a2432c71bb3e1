"""The chance of every rank, and of scoring above each other framework: two square tables."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.text import Text as Cell
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import DataTable, Static

from advisor.i18n import N_, _
from advisor.quantities import percent
from advisor.recommendation import Recommendation
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.widgets.bars import fit

_NAME, _CELL = 19, 4
_LIKELY, _HARDLY = 0.5, 0.005
"""From one half on a cell is bold; what rounds to 0 % is a dot."""


class RanksTable(DataTable[Cell]):
    """One row a framework; enter explains its place."""

    BINDINGS: ClassVar = [
        Binding("enter", "select_cursor", N_("why, why not"), key_display="⏎"),
        Binding("left", "sideways(-1)", show=False),
        Binding("right", "sideways(1)", N_("sideways"), key_display="←→"),
    ]

    def action_sideways(self, columns: int) -> None:
        """Scroll by whole columns."""
        self.scroll_relative(x=columns * (_CELL + 2 * self.cell_padding), animate=False)


class RanksScreen(AdvisorScreen):
    """Rows in the order of ranks. Columns are ranks, or with `v` the frameworks that are scored above."""

    CSS_PATH = "ranks.tcss"
    BINDINGS: ClassVar = [
        Binding("v", "view", N_("ranks / pairs")),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._pairs = False

    def heading(self) -> str:
        return _("Ranks")

    def compose_body(self) -> Iterable[Widget]:
        yield Static(id="about", markup=False)
        yield RanksTable(cursor_type="row", id="ranks", fixed_columns=1)

    def on_mount(self) -> None:
        super().on_mount()
        self.follow("recommendation", self.fill)
        self.query_one(RanksTable).focus()

    def fill(self) -> None:
        now = self.advisor.recommendation
        table = self.query_one(RanksTable)
        row = table.cursor_row
        table.clear(columns=True)
        about = (
            _("How often the row's framework scores above the column's, in the draws")
            if self._pairs
            else _("How often each takes each rank, in the draws of ratings and weights")
        )
        self.query_one("#about", Static).update(about if now is not None and now.ranking else _("Nobody is ranked."))
        if now is None or not now.ranking:
            return
        order = [each.framework for each in now.ranking]
        table.add_column(Cell(""), width=_NAME)
        for number in range(1, len(order) + 1):
            table.add_column(Cell(str(number), justify="right"), width=_CELL)
        for entry in now.ranking:
            cells = self._above(now, entry.framework, order) if self._pairs else now.acceptability[entry.framework]
            name = Cell(fit(f"{entry.rank} {entry.name}", _NAME), style="bold" if entry.rank == 1 else "")
            table.add_row(name, *map(_cell, cells), key=entry.framework)
        table.move_cursor(row=min(row, len(order) - 1))

    def _above(self, now: Recommendation, framework: str, order: Sequence[str]) -> list[float | None]:
        """Against everybody in the order of ranks; None against itself."""
        return [now.pairwise[framework].get(other) for other in order]

    # -- keys ---------------------------------------------------------------------------------------------------------

    def action_view(self) -> None:
        """From ranks to pairs, and back."""
        self._pairs = not self._pairs
        self.fill()

    def on_data_table_row_selected(self, selected: DataTable.RowSelected) -> None:
        self.advisor.action_why(selected.row_key.value or "")


def _cell(share: float | None) -> Cell:
    if share is None:
        return Cell("—", style="dim", justify="right")
    if share < _HARDLY:
        return Cell("·", style="dim", justify="right")
    return Cell(percent(share), style="bold" if share >= _LIKELY else "", justify="right")
