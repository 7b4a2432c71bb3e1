"""All that is known of one framework: its sheet, facts by grade, ratings with who stands behind them and why, how
popular it is, and where to go from it."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from textual import work
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from advisor import clock
from advisor.attributes import Attributes
from advisor.i18n import _, language, ngettext
from advisor.tui.lines import (
    Part,
    evidence_lines,
    heading,
    objection_to_fact,
    objection_to_rating,
    page,
    source_lines,
    written,
)
from advisor.tui.screens.base import EVIDENCE_KEYS, AdvisorScreen
from advisor.tui.screens.dialogs import Pick, Reading
from advisor.tui.widgets.bars import bar, fit, range_mark, right
from advisor.words import (
    authorship_in_words,
    execution_in_words,
    fact_in_words,
    layer_in_words,
    measure_in_words,
    role_in_words,
    status_in_words,
    support_in_words,
)
from knowledge.checks import rated_leaves
from knowledge.faults import BadInput
from knowledge.loader import Place, walk
from knowledge.model import Count, Evidence, FactStatement, Framework, Measure, Sheet, Stance, Statement, Support

_ABOUT, _SHEET, _POPULARITY, _INSTEAD, _FACT, _LEAF = "about", "sheet", "popularity", "instead", "fact:", "leaf:"
_COURSE = 10
"""Cells of a bar that holds a figure against the largest one of its kind."""


class FrameworkScreen(AdvisorScreen):
    """A list of everything on the left; what is under the cursor in full on the right."""

    CSS_PATH = "framework.tcss"
    BINDINGS: ClassVar = EVIDENCE_KEYS

    def __init__(self, framework: Framework) -> None:
        super().__init__()
        self._framework = framework
        self._attributes: Attributes | None = None  # None until its programs are counted
        self._offered = False  # whether the line of keys offers it
        self._history = False  # whether superseded statements are shown

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
        self.load()

    @work(group="attributes")
    async def load(self) -> None:
        """Count the programs of this framework; the screen can be read meanwhile."""
        self._attributes = await asyncio.to_thread(self.advisor.services.attributes, self._framework.id)
        if self.stays:
            self._see_detail()

    def on_resize(self) -> None:
        self.call_after_refresh(lambda: self.fill() if self.stays else None)

    def fill(self) -> None:
        entries = self.query_one("#entries", OptionList)
        kept = entries.highlighted or 0
        entries.set_options(self._entries(entries.scrollable_content_region.width or 36))
        entries.highlighted = min(kept, entries.option_count - 1)
        self._see_detail()

    # -- the list -----------------------------------------------------------------------------------------------------

    def _entries(self, width: int) -> Iterator[Option]:
        framework = self._framework
        yield Option(Content(_("About")), id=_ABOUT)
        yield Option(Content(_("Attributes")), id=_SHEET)
        if framework.popularity:
            yield Option(Content(_("Popularity")), id=_POPULARITY)
        if framework.instead:
            yield Option(Content(_("Where to go instead")), id=_INSTEAD)
        if framework.facts:
            yield _heading(_("Facts"))
        for fact, statements in framework.facts.items():
            yield Option(Content(fit(f"{fact_in_words(fact)}: {_in_brief(statements)}", width)), id=_FACT + fact)
        scale = min(15, max(7, width // 3))
        for path, criterion in walk(self.advisor.knowledge.criteria, special=True):
            if criterion.children:
                yield _heading(criterion.name.in_language(language()))
            elif ratings := framework.ratings.get(path):
                name = fit(criterion.name.in_language(language()), width - scale - 6)
                contradicted = any(piece.stance is Stance.CONTRADICTS for piece in ratings[0].evidence)
                mark = ("≠" if contradicted else " ", "$text-error")
                yield Option(Content.assemble(name, mark, *_rated(ratings[0], scale)), id=_LEAF + path)

    def on_option_list_option_highlighted(self) -> None:
        self._see_detail()
        self.query_one("#page", VerticalScroll).scroll_home(animate=False)

    def action_scroll(self, pages: int) -> None:
        """Scroll the page on the right."""
        page = self.query_one("#page", VerticalScroll)
        page.scroll_relative(y=pages * max(1, page.size.height - 2), animate=False)

    # -- the page -----------------------------------------------------------------------------------------------------

    def _pointed(self) -> str:
        option = self.query_one("#entries", OptionList).highlighted_option
        return option.id or _ABOUT if option is not None else _ABOUT

    def _see_detail(self) -> None:
        identifier = self._pointed()
        if identifier.startswith(_FACT):
            title, lines = self._fact(identifier.removeprefix(_FACT))
        elif identifier.startswith(_LEAF):
            title, lines = self._leaf(identifier.removeprefix(_LEAF))
        else:
            title, lines = {
                _SHEET: self._sheet,
                _POPULARITY: self._popularity,
                _INSTEAD: self._instead,
            }.get(identifier, self._about)()
        self.query_one("#page").border_title = title
        self.query_one("#detail", Static).update(page(lines))
        if self._has_history() is not self._offered:  # drawing the line of keys anew costs as much as the page
            self._offered = self._has_history()
            self.refresh_bindings()

    def _about(self) -> tuple[str, list[Part]]:
        framework, life = self._framework, self._framework.lifecycle
        lines: list[Part] = [
            framework.summary.in_language(language()),
            "",
            f"{role_in_words(framework.role)} · {status_in_words(life.status)}",
            (framework.homepage, "dim"),
            "",
            heading(_("Life")),
            _("first release {date}").format(date=life.first_release),
        ]
        lines += [f"{release.version}  {release.date}" for release in life.releases[:3]]
        if life.archived is not None:
            lines.append((_("archived {date}").format(date=life.archived), "$text-warning"))
        if life.note:
            lines += ["", life.note]
        lines += self._evidence(life.evidence)
        if live := self._live():
            lines += ["", heading(_("On the package index")), *live]
        if framework.instead:
            names = ", ".join(self._named(part.framework) for part in framework.instead)
            lines += ["", heading(_("Where to go instead")), names]
        lines += [*self._leaving(), "", written(self._place())]
        return framework.name, lines

    def _live(self) -> tuple[str, ...]:
        """What a package index said, read from a small file."""
        try:
            return self.advisor.services.live(self._framework.id)
        except BadInput as bad:
            return tuple(str(fault) for fault in bad.faults)

    def _leaving(self) -> Iterator[Part]:
        if (leaving := self._framework.leaving) is not None:
            yield from ("", heading(_("Leaving it")), leaving.cost, *self._evidence(leaving.evidence))

    def _instead(self) -> tuple[str, list[Part]]:
        lines: list[Part] = []
        for part in self._framework.instead:
            lines += [(self._named(part.framework), "bold"), part.because, *self._evidence(part.evidence), ""]
        lines += [(_("enter opens the page of one"), "dim"), *self._leaving(), "", written(self._place())]
        return _("Where to go instead"), lines

    def _sheet(self) -> tuple[str, list[Part]]:
        sheet, counted = self._framework.sheet, self._attributes
        lines: list[Part] = [*_stated(sheet)] if sheet is not None else []
        if counted is None:
            lines.append((_("Counting…"), "dim"))
        else:
            lines += _counted(counted)
        if sheet is not None:
            lines += ["", *self._evidence(sheet.evidence)]
        return _("Attributes"), [*lines, "", written(self._place())]

    def _popularity(self) -> tuple[str, list[Part]]:
        lines: list[Part] = []
        for measure in Measure:
            counts = [count for count in self._framework.popularity if count.measure is measure]
            if counts:
                lines += [heading(measure_in_words(measure)), *self._figures(counts), ""]
        return _("Popularity"), [*lines, written(self._place())]

    def _figures(self, counts: Sequence[Count]) -> Iterator[Part]:
        most = max(count.value for count in counts)
        for count in counts:
            figure = (right(f"{count.value:,.0f}", 13) + " ", "bold")
            drawn = (bar(count.value / most if most else 0.0, _COURSE), "$accent")
            yield Content.assemble(fit(count.as_of, 11), figure, drawn)
            source = self.advisor.knowledge.sources.get(count.source)
            told = source.title if source is not None else count.source
            yield (f"  {told}" + (f": {count.note}" if count.note else ""), "dim")

    def _fact(self, fact: str) -> tuple[str, list[Part]]:
        lines: list[Part] = []
        order = list(Support)
        for statement in sorted(self._framework.facts[fact], key=lambda s: order.index(s.support)):
            mark = "✗" if statement.support is Support.NONE else "✓"
            told = ", ".join(value for value in statement.values if value != "true")
            lines.append((f"{mark} {support_in_words(statement.support)}" + (f": {told}" if told else ""), "bold"))
            lines.append((_("as of {date}").format(date=statement.as_of), "dim"))
            if statement.note:
                lines.append(statement.note)
            lines += [*self._evidence(statement.evidence), ""]
        lines.append(written(self._place()))
        return fact_in_words(fact), lines

    def _leaf(self, path: str) -> tuple[str, list[Part]]:
        leaf = rated_leaves(self.advisor.knowledge)[path]
        newest, *older = self._framework.ratings[path]
        lines: list[Part] = [(leaf.question.in_language(language()), "italic"), "", *self._statement(newest)]
        lines += ["", written(self._place())]
        if leaf.anchors is not None:
            lines += ["", heading(_("The scale"))]
            for score, text in ((0, leaf.anchors.worst), (5, leaf.anchors.middle), (10, leaf.anchors.best)):
                lines.append((f"{score:>2}  {text.in_language(language())}", "dim"))
        if older and not self._history:
            n = len(older)
            told = ngettext("{n} statement before it: h shows it", "{n} statements before it: h shows them", n)
            lines += ["", (told.format(n=n), "dim")]
        elif older:
            lines += ["", heading(_("Said before, superseded"))]
            for index, statement in enumerate(older, 1):
                place = self.advisor.services.place(self._framework.id, "ratings", path, index)
                lines += [*self._statement(statement), written(place), ""]
        return leaf.name.in_language(language()), lines

    def _statement(self, statement: Statement) -> Iterator[Part]:
        dated = _("as of {date}").format(date=statement.as_of)
        unknown = statement.score is None
        if unknown:
            yield Content.assemble((_("unknown"), "bold $text-warning"), (f"  {dated}", "dim"))
        else:
            score, (low, high) = statement.score or 0.0, _range(statement)
            yield Content.assemble(
                (range_mark(score, low, high, 15), "$accent"),
                (f" {score:g}", "bold"),
                (f" ({low:g}–{high:g}) {dated}", "dim"),
            )
        yield (authorship_in_words(statement.author, statement.affiliation, statement.reviewed_by), "dim")
        yield statement.reason if unknown else statement.rationale
        yield from self._evidence(statement.evidence)

    def _evidence(self, evidence: Sequence[Evidence]) -> Iterator[Part]:
        return evidence_lines(evidence, self.advisor.knowledge)

    def _named(self, framework: str) -> str:
        known = self.advisor.knowledge.frameworks.get(framework)
        return known.name if known is not None else framework

    def _place(self) -> Place:
        """Where what is under the cursor is written."""
        identifier, place = self._pointed(), self.advisor.services.place
        if identifier.startswith(_LEAF):
            return place(self._framework.id, "ratings", identifier.removeprefix(_LEAF), 0)
        if identifier.startswith(_FACT):
            return place(self._framework.id, "facts", identifier.removeprefix(_FACT))
        if identifier in (_POPULARITY, _INSTEAD) or (identifier == _SHEET and self._framework.sheet is not None):
            return place(self._framework.id, identifier)
        return place(self._framework.id)

    # -- what is done to it -------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """History is offered where something was said before."""
        return self._has_history() if action == "history" and self.is_mounted else True

    def _has_history(self) -> bool:
        """Whether the entry under the cursor is a rating with others before it."""
        return len(self._framework.ratings.get(self._pointed().removeprefix(_LEAF), ())) > 1

    def on_option_list_option_selected(self, selected: OptionList.OptionSelected) -> None:
        parts = self._framework.instead
        if selected.option_id == _INSTEAD:
            known = [part.framework for part in parts if part.framework in self.advisor.knowledge.frameworks]
            names = [(framework, self._named(framework)) for framework in known]
            self.app.push_screen(Pick(_("Where to go instead"), names), self._go)

    def _go(self, framework: str | None) -> None:
        if framework is not None:
            self.advisor.action_framework(framework)

    def action_history(self) -> None:
        """Show what was said before, or hide it again."""
        self._history = not self._history
        self._see_detail()

    def action_sources(self) -> None:
        """Show in full what the entry under the cursor rests on."""
        knowledge, services = self.advisor.knowledge, self.advisor.services
        lines: list[Part] = []
        for identifier in dict.fromkeys(self._cited()):
            if (source := knowledge.sources.get(identifier)) is not None:
                lines += [*source_lines(source, services.source_place(identifier)), ""]
        self.app.push_screen(Reading(_("Sources"), page(lines or [_("Nothing is cited here.")])))

    def _cited(self) -> Iterator[str]:
        framework, identifier = self._framework, self._pointed()
        evidence: Iterable[Evidence] = ()
        if identifier.startswith(_LEAF):
            evidence = [e for s in framework.ratings[identifier.removeprefix(_LEAF)] for e in s.evidence]
        elif identifier.startswith(_FACT):
            evidence = [e for s in framework.facts[identifier.removeprefix(_FACT)] for e in s.evidence]
        elif identifier == _SHEET:
            evidence = framework.sheet.evidence if framework.sheet is not None else ()
        elif identifier == _POPULARITY:
            yield from (count.source for count in framework.popularity)
        else:
            leaving = framework.leaving.evidence if framework.leaving is not None else ()
            instead = [piece for part in framework.instead for piece in part.evidence]
            evidence = (*(instead if identifier == _INSTEAD else framework.lifecycle.evidence), *leaving)
        yield from (piece.source for piece in evidence)

    def action_dispute(self) -> None:
        """Say where this is written and how to object to it."""
        place = self._place()
        rating = self._pointed().startswith(_LEAF)
        told = objection_to_rating(place, clock.today().isoformat()) if rating else objection_to_fact(place)
        self.app.push_screen(Reading(_("Dispute"), told))


def _stated(sheet: Sheet) -> Iterator[Part]:
    """What the file states of its makers and of how it works."""
    yield _entry(_("developer"), sheet.developer)
    yield _entry(_("written in"), ", ".join(sheet.written_in))
    yield _entry(_("execution"), ", ".join(execution_in_words(each) for each in sheet.execution))
    yield _entry(_("gradients"), _("worked out for you") if sheet.autodiff else _("by hand"))
    yield _entry(_("layers"), ", ".join(layer_in_words(each) for each in sheet.layers) or _("none"))


def _counted(sheet: Attributes) -> Iterator[Part]:
    """What is worked out from life, facts, ratings and programs."""
    yield _entry(_("role"), role_in_words(sheet.role))
    yield _entry(_("life"), status_in_words(sheet.status))
    yield _entry(_("first release"), sheet.first_release)
    latest = f"{sheet.latest_version} ({sheet.latest_date})" if sheet.latest_version else _("unknown")
    yield _entry(_("latest release"), latest)
    for fact, grades in sheet.facts.items():
        yield ""
        yield heading(fact_in_words(fact))
        for value, grade in grades.items():
            told = support_in_words(grade) if grade is not None else "?"
            style = "$text-success" if grade is Support.NATIVE else "" if grade else "dim"
            yield Content.assemble(fit(f"  {value}", 18), (told, style))
    yield ""
    yield _entry(_("known ratings"), f"{sheet.known_ratings} / {sheet.ratings}")
    if sheet.code_lines is not None:
        n = len(sheet.code_lines.workloads)
        told = _("{n:g}, the median of {all} programs").format(n=sheet.code_lines.median, all=n)
        yield _entry(_("lines of code"), told)


def _entry(name: str, value: str) -> Content:
    return Content.assemble((fit(name, 16), "dim"), value)


def _heading(text: str) -> Option:
    return Option(Content.styled(text, "bold $text-accent"), disabled=True)


def _in_brief(statements: Sequence[FactStatement]) -> str:
    words = []
    for statement in statements:
        none = statement.support is Support.NONE
        for value in statement.values:
            if value == "true":  # a fact that is so or not so
                words.append("✗" if none else "✓")
            else:
                words.append(f"✗{value}" if none else value)
    return " ".join(words)


def _range(statement: Statement) -> tuple[float, float]:
    score = statement.score or 0.0
    return (
        score if statement.low is None else statement.low,
        score if statement.high is None else statement.high,
    )


def _rated(statement: Statement, scale: int) -> tuple[Part, ...]:
    if statement.score is None:
        return (("?" * scale, "dim"), right("?", 5))
    low, high = _range(statement)
    return ((range_mark(statement.score, low, high, scale), "$accent"), right(f"{statement.score:g}", 5))
