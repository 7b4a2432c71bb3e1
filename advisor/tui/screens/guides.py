"""The old guides: when each appeared, how much of it still holds, and where its claims can be read."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text as Cell
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import DataTable, Static

from advisor.guides import holding, topics
from advisor.i18n import N_, _, language
from advisor.tui.lines import page
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.screens.claims import ClaimsScreen, GuideScreen
from advisor.tui.screens.dialogs import Pick
from advisor.tui.verdicts import HOLDS
from advisor.tui.widgets.bars import fit
from knowledge.loader import walk
from knowledge.model import Guide

_BEFORE = 38
"""Columns before the title of a guide and behind it."""


class GuidesTable(DataTable[Cell]):
    """The guides; enter opens one."""

    BINDINGS: ClassVar = [Binding("enter", "select_cursor", N_("open"), key_display="⏎")]


class GuidesScreen(AdvisorScreen):
    """A table of the guides; below, what the one under the cursor concluded."""

    CSS_PATH = "guides.tcss"
    BINDINGS: ClassVar = [
        Binding("f", "framework", N_("by framework")),
        Binding("c", "criterion", N_("by criterion")),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def heading(self) -> str:
        return _("Guides on trial")

    def compose_body(self) -> Iterable[Widget]:
        yield GuidesTable(cursor_type="row", id="guides")
        yield Static(id="conclusion", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(GuidesTable).focus()

    def fill(self) -> None:
        table = self.query_one(GuidesTable)
        row = table.cursor_row
        table.clear(columns=True)
        marks = (f"{mark}" for mark, _style in HOLDS.values())
        headings = (_("date"), *marks, _("charges"), _("guide"))
        table.add_columns(*(Cell(text) for text in headings))
        for guide in self.advisor.knowledge.guides.values():
            table.add_row(*self._cells(guide), key=guide.id)
        table.move_cursor(row=row)
        self._see_conclusion()

    def _cells(self, guide: Guide) -> tuple[Cell, ...]:
        counts = holding(guide)
        return (
            Cell(guide.published),
            *(Cell(str(counts[holds]), justify="right") for holds in HOLDS),
            Cell(str(len(guide.charges)), justify="right"),
            Cell(fit(guide.title.in_language(language()), max(self.size.width - _BEFORE, 20)).rstrip(), style="bold"),
        )

    def _see_conclusion(self) -> None:
        guide = self._under_cursor()
        static = self.query_one("#conclusion", Static)
        if guide is None:
            static.update(_("No guide is known."))
            return
        legend = "  ".join(f"{mark} {told}" for mark, told in legend_of_marks())
        title, told = guide.title.in_language(language()), guide.conclusion.in_language(language())
        static.update(page([(title, "bold"), told, "", legend]))

    def _under_cursor(self) -> Guide | None:
        guides, row = tuple(self.advisor.knowledge.guides.values()), self.query_one(GuidesTable).cursor_row
        return guides[row] if 0 <= row < len(guides) else None

    # -- what is done to it -------------------------------------------------------------------------------------------

    def on_data_table_row_highlighted(self) -> None:
        self._see_conclusion()

    def on_data_table_row_selected(self) -> None:
        if (guide := self._under_cursor()) is not None:
            self.app.push_screen(GuideScreen(guide))

    def action_framework(self) -> None:
        """Choose a framework, to read all that was said of it."""
        knowledge = self.advisor.knowledge
        spoken_of = {topic.framework for topic in topics(knowledge)}
        names = [(each.id, each.name) for each in knowledge.frameworks.values() if each.id in spoken_of]
        self.app.push_screen(Pick(_("Claims about a framework"), names), self._of_framework)

    def _of_framework(self, framework: str | None) -> None:
        if framework is not None:
            self.app.push_screen(ClaimsScreen(framework=framework))

    def action_criterion(self) -> None:
        """Choose a criterion, to read all that was said of it."""
        knowledge = self.advisor.knowledge
        spoken_of = [topic.criterion for topic in topics(knowledge) if topic.criterion is not None]
        names = [
            (path, "  " * path.count(".") + criterion.name.in_language(language()))
            for path, criterion in walk(knowledge.criteria)
            if any(f"{each}.".startswith(f"{path}.") for each in spoken_of)
        ]
        self.app.push_screen(Pick(_("Claims about a criterion"), names), self._of_criterion)

    def _of_criterion(self, criterion: str | None) -> None:
        if criterion is not None:
            self.app.push_screen(ClaimsScreen(criterion=criterion))


def legend_of_marks() -> Iterable[tuple[str, str]]:
    """Each mark and what it means."""
    from advisor.words import ruling_in_words

    return [(mark, ruling_in_words(holds)) for holds, (mark, _style) in HOLDS.items()]
