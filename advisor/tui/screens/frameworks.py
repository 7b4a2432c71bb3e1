"""All frameworks in one table."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text as Cell
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import DataTable, Static

from advisor.i18n import N_, _, language
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.widgets.bars import fit
from advisor.words import role_in_words, status_in_words
from knowledge.model import Framework

_NAME = 20
"""Columns of a name where there are 80: all but one fit, and the newest release stands beside them. How much is rated
does not fit there."""


class FrameworkTable(DataTable[Cell]):
    """The frameworks; enter opens one."""

    BINDINGS: ClassVar = [Binding("enter", "select_cursor", N_("open"), key_display="⏎")]


class FrameworksScreen(AdvisorScreen):
    """Name, role, stage of life, newest release; below, the summary of the one under the cursor."""

    CSS_PATH = "frameworks.tcss"
    BINDINGS: ClassVar = [Binding("escape", "leave", N_("back"), key_display="esc")]

    def __init__(self) -> None:
        super().__init__()
        self._narrow = False

    def heading(self) -> str:
        return _("Frameworks")

    def compose_body(self) -> Iterable[Widget]:
        yield FrameworkTable(cursor_type="row", id="frameworks")
        yield Static(id="summary", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(FrameworkTable).focus()

    def on_resize(self) -> None:
        self.call_after_refresh(lambda: self.fill() if self.stays and self._narrow is self.has_class("-wide") else None)

    def fill(self) -> None:
        table = self.query_one(FrameworkTable)
        row = table.cursor_row
        table.clear(columns=True)
        self._narrow = not self.has_class("-wide")
        headings = (_("name"), _("role"), _("life"), _("newest release"), _("rated"))[: 4 if self._narrow else 5]
        table.add_columns(*map(Cell, headings))
        for framework in self.advisor.knowledge.frameworks.values():
            table.add_row(*self._cells(framework)[: len(headings)], key=framework.id)
        table.move_cursor(row=row)

    def _cells(self, framework: Framework) -> tuple[Cell, ...]:
        life = framework.lifecycle
        release = f"{life.releases[0].version}  {life.releases[0].date}" if life.releases else ""
        known = sum(bool(s) and s[0].score is not None for s in framework.ratings.values())
        return (
            Cell(fit(framework.name, _NAME) if self._narrow else framework.name, style="bold"),
            Cell(role_in_words(framework.role)),
            Cell(status_in_words(life.status)),
            Cell(release),
            Cell(_("{n} of {all}").format(n=known, all=len(framework.ratings)) if framework.ratings else "—"),
        )

    def on_data_table_row_highlighted(self, highlighted: DataTable.RowHighlighted) -> None:
        framework = self.advisor.knowledge.frameworks.get(highlighted.row_key.value or "")
        if framework is not None:
            self.query_one("#summary", Static).update(framework.summary.in_language(language()))

    def on_data_table_row_selected(self, selected: DataTable.RowSelected) -> None:
        self.advisor.action_framework(selected.row_key.value or "")
