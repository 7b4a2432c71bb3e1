"""Several sheets side by side: people who decide together, or scenarios; how far they agree, what pulls them apart."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.text import Text as Cell
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import DataTable, Static

from advisor.answers import Answers
from advisor.decision.explain import people_in_words
from advisor.i18n import N_, _, language
from advisor.recommendation import Recommendation
from advisor.tui.lines import Part, heading, page
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.screens.dialogs import Pick
from advisor.tui.sheet import options, reply_to
from advisor.tui.widgets.bars import fit
from advisor.words import name_of, verdict_name
from knowledge.model import Question

_NAME = 16
_PERSON = 12


class PeopleTable(DataTable[Cell]):
    """One row a framework; enter explains its place for all."""

    BINDINGS: ClassVar = [Binding("enter", "select_cursor", N_("why, why not"), key_display="⏎")]


class PeopleScreen(AdvisorScreen):
    """Scores of everybody alone and of all together; below, agreement, pulls, vetoes, and where answers differ."""

    CSS_PATH = "people.tcss"
    BINDINGS: ClassVar = [
        Binding("a", "app.add_sheet", N_("add a sheet")),
        Binding("x", "remove", N_("take one out")),
        Binding("n", "app.answer", N_("answer")),
        Binding("r", "app.report", N_("report")),
        Binding("space", "scroll(1)", N_("read on"), key_display="space"),
        Binding("backspace", "scroll(-1)", N_("read back"), key_display="⌫"),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def heading(self) -> str:
        return _("Several people")

    def compose_body(self) -> Iterable[Widget]:
        yield Static(id="hint", markup=False)
        yield PeopleTable(cursor_type="row", id="people")
        with VerticalScroll(id="said", classes="panel", can_focus=False):
            yield Static(id="told", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        for attribute in ("recommendation", "others", "fault"):
            self.follow(attribute, self.fill)

    def fill(self) -> None:
        now, several = self.advisor.recommendation, bool(self.advisor.others)
        decided = now is not None and len(now.people) == len(self.advisor.others) + 1
        hint = self.query_one("#hint", Static)
        if not several:
            hint.update(
                _("Your own answers are one sheet. a adds the sheet of somebody else, or of another scenario: a file "
                  "that was saved before. All of them then decide together, and stand here side by side.")
            )  # fmt: skip
        hint.display = not several
        table, said = self.query_one(PeopleTable), self.query_one("#said")
        table.display = said.display = several
        said.border_title = _("How far they agree")
        table.disabled = not several
        if not several:
            return
        table.loading = not decided and not self.advisor.fault
        if now is not None and decided:
            self._fill_table(now)
        told = [self.advisor.fault] if self.advisor.fault else self._said(now) if now is not None and decided else []
        self.query_one("#told", Static).update(page(told))
        if not table.loading and self.focused is None:
            table.focus()
        self.refresh_bindings()

    def _fill_table(self, now: Recommendation) -> None:
        table = self.query_one(PeopleTable)
        row = table.cursor_row
        table.clear(columns=True)
        table.add_column(Cell(_("alone")), width=_NAME)
        for person in now.people:
            table.add_column(Cell(fit(person.respondent, _PERSON).rstrip(), justify="right"))
        table.add_column(Cell(_("together"), justify="right"))
        verdicts = [Cell(verdict_name(person.verdict), style="dim", justify="right") for person in now.people]
        together = Cell(verdict_name(now.verdict), style="dim", justify="right")
        table.add_row(Cell(_("verdict"), style="dim"), *verdicts, together, key="")
        joint = {each.framework: each.score for each in now.ranking}
        alone = dict.fromkeys(framework for person in now.people for framework in person.ranking)
        for framework in dict.fromkeys((*joint, *alone)):
            own = [_score(person.scores.get(framework), person.first == framework) for person in now.people]
            first = bool(now.ranking) and now.ranking[0].framework == framework
            name = Cell(fit(name_of(now, framework), _NAME), style="bold" if first else "")
            table.add_row(name, *own, _score(joint.get(framework), first), key=framework)
        table.move_cursor(row=row)

    def _said(self, now: Recommendation) -> Iterator[Part]:
        yield from people_in_words(now, self.advisor.knowledge)
        differences = list(self._differences())
        if differences:
            yield ""
            yield heading(_("Where the answers differ"))
            yield from differences

    def _differences(self) -> Iterator[Part]:
        """Questions that were not answered alike."""
        sheets = self.advisor.sheets
        for asked in self.advisor.knowledge.questions.values():
            told = [self._answered(sheet, asked) for sheet in sheets]
            if len(set(told)) > 1:
                yield (asked.text.in_language(language()), "italic")
                for sheet, answer in zip(sheets, told, strict=True):
                    yield Content.assemble((f"  {sheet.respondent}: ", "dim"), answer)

    def _answered(self, sheet: Answers, asked: Question) -> str:
        reply = reply_to(sheet, asked)
        texts = {option.id: option.text.in_language(language()) for option in options(self.advisor.knowledge, asked)}
        values = [texts.get(value, value) for value in reply.values]
        values += [_("perhaps {value}").format(value=texts.get(value, value)) for value in reply.maybe]
        return _(", ").join(values) or "—"

    # -- keys ---------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to take out, and to read, once a sheet was added."""
        if action in ("remove", "scroll"):
            return bool(self.advisor.others)
        return True

    def action_remove(self) -> None:
        """Take out one of the sheets that were added."""
        names = [sheet.respondent for sheet in self.advisor.sheets[1:]]
        entries = [(str(number), name) for number, name in enumerate(names)]
        self.app.push_screen(Pick(_("Take out"), entries), self._removed)

    def _removed(self, number: str | None) -> None:
        if number is not None:
            others = self.advisor.others
            self.advisor.others = others[: int(number)] + others[int(number) + 1 :]

    def on_data_table_row_selected(self, selected: DataTable.RowSelected) -> None:
        if selected.row_key.value:
            self.advisor.action_why(selected.row_key.value)

    def action_scroll(self, pages: int) -> None:
        """Read on in what is said below."""
        said = self.query_one("#said", VerticalScroll)
        said.scroll_relative(y=pages * max(1, said.size.height - 2), animate=False)


def _score(score: float | None, first: bool) -> Cell:
    """A score; the best one with a star, and a dash for who is knocked out."""
    if score is None:
        return Cell("—  ", style="dim", justify="right")
    return Cell(f"{score:.1f} {'*' if first else ' '}", style="bold" if first else "", justify="right")
