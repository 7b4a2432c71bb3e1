"""All that is known of one framework: facts by grade, ratings with ranges, reasons, evidence, what was said before."""

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from advisor.i18n import N_, _, language
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.widgets.bars import fit, range_mark, right
from advisor.words import fact_in_words, role_in_words, stance_in_words, status_in_words, support_in_words
from knowledge.faults import BadInput
from knowledge.loader import Place, walk
from knowledge.model import Evidence, FactStatement, Framework, Independence, Statement, Support

_ABOUT, _FACT, _LEAF = "about", "fact:", "leaf:"
_Part = str | tuple[str, str] | Content


class FrameworkScreen(AdvisorScreen):
    """A list of everything on the left; what is under the cursor in full on the right."""

    CSS_PATH = "framework.tcss"
    BINDINGS: ClassVar = [
        Binding("space", "scroll(1)", N_("read on"), key_display="space"),
        Binding("backspace", "scroll(-1)", show=False),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def __init__(self, framework: Framework) -> None:
        super().__init__()
        self._framework = framework

    def heading(self) -> str:
        return self._framework.name

    def compose_body(self) -> Iterable[Widget]:
        with Horizontal():
            yield OptionList(id="entries", compact=True, markup=False)
            with VerticalScroll(id="page", classes="panel"):
                yield Static(id="detail", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#entries").focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self.fill)

    def fill(self) -> None:
        entries = self.query_one("#entries", OptionList)
        kept = entries.highlighted or 0
        entries.set_options(self._entries(entries.scrollable_content_region.width or 36))
        entries.highlighted = min(kept, entries.option_count - 1)
        self._see_detail()

    # -- the list -----------------------------------------------------------------------------------------------------

    def _entries(self, width: int) -> Iterator[Option]:
        yield Option(Content(_("About")), id=_ABOUT)
        if self._framework.facts:
            yield _heading(_("Facts"))
        for fact, statements in self._framework.facts.items():
            yield Option(Content(fit(f"{fact_in_words(fact)}: {_in_brief(statements)}", width)), id=_FACT + fact)
        scale = min(15, max(7, width // 3))
        for path, criterion in walk(self.advisor.knowledge.criteria):
            if criterion.children:
                yield _heading(criterion.name.in_language(language()))
            elif ratings := self._framework.ratings.get(path):
                name = fit(criterion.name.in_language(language()), width - scale - 5)
                yield Option(Content.assemble(name, *_rated(ratings[0], scale)), id=_LEAF + path)

    def on_option_list_option_highlighted(self) -> None:
        self._see_detail()
        self.query_one("#page", VerticalScroll).scroll_home(animate=False)

    def action_scroll(self, pages: int) -> None:
        """Scroll the page on the right."""
        page = self.query_one("#page", VerticalScroll)
        page.scroll_relative(y=pages * max(1, page.size.height - 2), animate=False)

    # -- the page -----------------------------------------------------------------------------------------------------

    def _see_detail(self) -> None:
        option = self.query_one("#entries", OptionList).highlighted_option
        identifier = option.id or _ABOUT if option is not None else _ABOUT
        if identifier.startswith(_FACT):
            title, lines = self._fact(identifier.removeprefix(_FACT))
        elif identifier.startswith(_LEAF):
            title, lines = self._leaf(identifier.removeprefix(_LEAF))
        else:
            title, lines = self._about()
        self.query_one("#page").border_title = title
        shown = [line if isinstance(line, Content) else Content.assemble(line) for line in lines]
        self.query_one("#detail", Static).update(Content("\n").join(shown))

    def _about(self) -> tuple[str, list[_Part]]:
        framework, life = self._framework, self._framework.lifecycle
        lines: list[_Part] = [
            framework.summary.in_language(language()),
            "",
            f"{role_in_words(framework.role)} · {status_in_words(life.status)}",
            (framework.homepage, "dim"),
            "",
            (_("Life"), "bold $text-accent"),
            _("first release {date}").format(date=life.first_release),
        ]
        lines += [f"{release.version}  {release.date}" for release in life.releases[:3]]
        if life.archived is not None:
            lines.append((_("archived {date}").format(date=life.archived), "$text-warning"))
        if life.note:
            lines += ["", life.note]
        lines += self._evidence(life.evidence)
        if live := self._live():
            lines += ["", (_("On the package index"), "bold $text-accent"), *live]
        if framework.leaving is not None:
            lines += ["", (_("Leaving it"), "bold $text-accent"), framework.leaving.cost]
        lines += ["", _written(self.advisor.services.place(framework.id))]
        return framework.name, lines

    def _live(self) -> tuple[str, ...]:
        """What a package index said, read from a small file."""
        try:
            return self.advisor.services.live(self._framework.id)
        except BadInput as bad:
            return tuple(str(fault) for fault in bad.faults)

    def _fact(self, fact: str) -> tuple[str, list[_Part]]:
        lines: list[_Part] = []
        order = list(Support)
        for statement in sorted(self._framework.facts[fact], key=lambda s: order.index(s.support)):
            mark = "✗" if statement.support is Support.NONE else "✓"
            lines.append((f"{mark} {support_in_words(statement.support)}: {', '.join(statement.values)}", "bold"))
            lines.append((_("as of {date}").format(date=statement.as_of), "dim"))
            if statement.note:
                lines.append(statement.note)
            lines += [*self._evidence(statement.evidence), ""]
        lines.append(_written(self.advisor.services.place(self._framework.id, "facts", fact)))
        return fact_in_words(fact), lines

    def _leaf(self, path: str) -> tuple[str, list[_Part]]:
        leaf = self.advisor.knowledge.leaves[path]
        newest, *older = self._framework.ratings[path]
        lines: list[_Part] = [(leaf.question.in_language(language()), "italic"), "", *self._statement(newest)]
        if leaf.anchors is not None:
            lines += ["", (_("The scale"), "bold $text-accent")]
            for score, text in ((0, leaf.anchors.worst), (5, leaf.anchors.middle), (10, leaf.anchors.best)):
                lines.append((f"{score:>2}  {text.in_language(language())}", "dim"))
        if older:
            lines += ["", (_("Said before, superseded"), "bold $text-accent")]
            for statement in older:
                lines += [*self._statement(statement), ""]
        place = self.advisor.services.place(self._framework.id, "ratings", path, 0)
        return leaf.name.in_language(language()), [*lines, "", _written(place)]

    def _statement(self, statement: Statement) -> Iterator[_Part]:
        dated = _("as of {date}, {author}").format(date=statement.as_of, author=statement.author)
        if statement.score is None:
            yield Content.assemble((_("unknown"), "bold $text-warning"), (f"  {dated}", "dim"))
            yield statement.reason
        else:
            low, high = _range(statement)
            yield Content.assemble(
                (range_mark(statement.score, low, high, 21), "$accent"),
                (f" {statement.score:g}", "bold"),
                (f" ({low:g}–{high:g})  {dated}", "dim"),
            )
            yield statement.rationale
        yield from self._evidence(statement.evidence)

    def _evidence(self, evidence: Sequence[Evidence]) -> Iterator[_Part]:
        grades = {
            Independence.INDEPENDENT: _("independent"),
            Independence.VENDOR: _("its own people"),
            Independence.COMPETITOR: _("a competitor"),
            Independence.PROJECT: _("this project"),
        }
        for piece in evidence:
            yield f"• {piece.claim}"
            source = self.advisor.knowledge.sources.get(piece.source)
            if source is None:
                yield (f"  {piece.source}", "dim")
                continue
            published = source.published or _("undated")
            who = grades[source.independence]
            stance = stance_in_words(piece.stance)
            yield (f"  {stance}: {source.title}, {source.publisher}, {published} ({who})", "dim")
            yield (f"  {source.url}", "dim")


def _heading(text: str) -> Option:
    return Option(Content.styled(text, "bold $text-accent"), disabled=True)


def _in_brief(statements: Sequence[FactStatement]) -> str:
    words = []
    for statement in statements:
        mark = "✗" if statement.support is Support.NONE else ""
        words += [mark + value for value in statement.values]
    return " ".join(words)


def _range(statement: Statement) -> tuple[float, float]:
    score = statement.score or 0.0
    return (
        score if statement.low is None else statement.low,
        score if statement.high is None else statement.high,
    )


def _rated(statement: Statement, scale: int) -> tuple[_Part, ...]:
    if statement.score is None:
        return (("?" * scale, "dim"), right("?", 5))
    low, high = _range(statement)
    return ((range_mark(statement.score, low, high, scale), "$accent"), right(f"{statement.score:g}", 5))


def _written(place: Place) -> _Part:
    return (_("written in {place}").format(place=place), "dim")
