"""All frameworks in one table."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text as Cell
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import DataTable, Static

from advisor.i18n import N_, _, language
from advisor.tui.screens.base import AdvisorScreen
from advisor.words import role_in_words, status_in_words
from knowledge.model import Framework


class FrameworkTable(DataTable[Cell]):
    """The frameworks; enter opens one."""

    BINDINGS: ClassVar = [Binding("enter", "select_cursor", N_("open"), key_display="⏎")]


class FrameworksScreen(AdvisorScreen):
    """Name, role, stage of life, newest release; below, the summary of the one under the cursor."""

    CSS_PATH = "frameworks.tcss"
    BINDINGS: ClassVar = [Binding("escape", "leave", N_("back"), key_display="esc")]

    def heading(self) -> str:
        return _("Frameworks")

    def compose_body(self) -> Iterable[Widget]:
        yield FrameworkTable(cursor_type="row", id="frameworks")
        yield Static(id="summary", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(FrameworkTable).focus()

    def fill(self) -> None:
        table = self.query_one(FrameworkTable)
        row = table.cursor_row
        table.clear(columns=True)
        table.add_columns(*(Cell(text) for text in (_("name"), _("role"), _("life"), _("newest release"), _("rated"))))
        for framework in self.advisor.knowledge.frameworks.values():
            table.add_row(*self._cells(framework), key=framework.id)
        table.move_cursor(row=row)

    def _cells(self, framework: Framework) -> tuple[Cell, ...]:
        life = framework.lifecycle
        release = f"{life.releases[0].version}  {life.releases[0].date}" if life.releases else ""
        known = sum(bool(s) and s[0].score is not None for s in framework.ratings.values())
        return (
            Cell(framework.name, style="bold"),
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
