"""The recommendation: what, how sure, why, and what would change it."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from advisor.answers import Answers
from advisor.decision.explain import InUse, closest_rival, in_use, instead_in_words, people_in_words
from advisor.findings import about, launches_in_words, races, twin_sentence, verdict_sentence, verdicts_of
from advisor.i18n import N_, _, language, ngettext
from advisor.quantities import percent, size
from advisor.recommendation import Excluded, Ranked, Recommendation
from advisor.tui.lines import page
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.screens.dialogs import Pick
from advisor.tui.sheet import taken_back
from advisor.tui.verdicts import criterion_name
from advisor.tui.widgets.bars import TOP_SCORE, fit, interval_bar, right
from advisor.words import name_of, need_in_words, origin_in_words, requirement_in_words
from bench.results import Results
from knowledge.model import Evidence, Knowledge

_DECIDING_LEAVES = 4
"""As many leaves are named as deciding between rank 1 and 2; more would not be read."""
_LEAST_POINTS = 0.005
"""Points are shown with two digits; a difference that rounds to zero decides nothing."""

_Part = str | tuple[str, str] | Content


class RankingList(OptionList):
    """The frameworks in order; enter opens the page of one."""

    BINDINGS: ClassVar = [
        Binding("enter", "select", N_("details"), key_display="⏎"),
        Binding("e", "screen.why", N_("why not")),
    ]


class AnswerScreen(AdvisorScreen):
    """Ranking on the left, reasons on the right. The cursor is on a framework; its reasons stand first."""

    CSS_PATH = "answer.tcss"
    BINDINGS: ClassVar = [
        Binding("n", "app.questions(False)", N_("questions")),
        Binding("b", "app.plan", N_("measure")),
        Binding("r", "app.report", N_("report")),
        Binding("m", "app.measurements", N_("measured")),
        Binding("x", "drop", N_("assumed")),
        Binding("w", "app.save_answers", N_("save")),
        Binding("k", "app.ranks", N_("ranks")),
        Binding("g", "app.swing", N_("weights")),
        Binding("p", "app.people", N_("people")),
        Binding("space", "scroll(1)", N_("read on"), key_display="space"),
        Binding("backspace", "scroll(-1)", N_("read back"), key_display="⌫"),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._first: str | None = None

    def heading(self) -> str:
        return _("Answer")

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(id="verdict"):
            yield Static(id="headline", markup=False)
            yield Static(id="basis", markup=False)
        with Horizontal():
            with Vertical(id="left"):
                yield RankingList(id="ranking", compact=True, markup=False)
                yield Static(id="stay", classes="panel", markup=False)
            with VerticalScroll(id="reasons", classes="panel"):
                yield Static(id="because", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        for attribute in ("recommendation", "fault", "deciding"):
            self.follow(attribute, self.fill)

    def on_resize(self) -> None:
        self.call_after_refresh(lambda: self.fill() if self.stays else None)

    def fill(self) -> None:
        now = self.advisor.recommendation
        if self.advisor.fault:
            self._tell(_("These answers do not fit together"), self.advisor.fault)
        elif now is None:
            self._tell(_("Deciding…"), "")
        else:
            self._tell(now.reasoning.headline, self._basis(now))
        ranking = self.query_one("#ranking", OptionList)
        kept = ranking.highlighted_option.id if ranking.highlighted_option is not None else None
        ranking.set_options(self._rows(now) if now is not None else ())
        identifiers = [option.id for option in ranking.options]
        if kept == self._first:  # nobody has moved the cursor: it goes with the first, whoever that is now
            kept = None
        self._first = identifiers[0] if identifiers else None
        ranking.highlighted = identifiers.index(kept) if kept in identifiers else 0 if identifiers else None
        if self.focused is None:
            ranking.focus()
        self._see_current(now)
        self._see_reasons()

    def _see_current(self, now: Recommendation | None) -> None:
        """Stay or switch: where each framework in use today stands. The reasons say what would justify leaving it."""
        stay = self.query_one("#stay", Static)
        used = in_use(now) if now is not None and not self.advisor.fault else []
        stay.display = bool(used)
        stay.border_title = _("Stay or switch")
        stay.update(page(_standing(use) for use in used))

    def _tell(self, headline: str, basis: str) -> None:
        self.query_one("#headline", Static).update(headline + (" …" if self.advisor.deciding else ""))
        self.query_one("#basis", Static).update(basis)

    def _basis(self, now: Recommendation) -> str:
        answered, asked = self.advisor.answered()
        told = _("{n} of {all} questions answered").format(n=answered, all=asked)
        if now.people:
            n = len(now.people)
            told += " · " + ngettext("{n} person decides", "{n} people decide", n).format(n=n)
        if self.advisor.answers.weights:
            told += " · " + _("weights set by hand")
        if now.measured is None:
            return told + " · " + _("nothing measured")
        n = len(now.measured.counted)
        counted = ngettext("{n} measurement counts", "{n} measurements count", n).format(n=n)
        return f"{told} · {counted} · {now.measured.results}"

    # -- ranking ------------------------------------------------------------------------------------------------------

    def _rows(self, now: Recommendation) -> list[Option | None]:
        width = self.query_one("#ranking").scrollable_content_region.width or 43
        names = min(14, max((cell_len(entry.name) for entry in now.ranking), default=8)) + 1
        ranks = len(str(len(now.ranking))) + 1
        rows: list[Option | None] = [
            Option(self._ranked(entry, ranks, names, width - ranks - names - 20), id=entry.framework)
            for entry in now.ranking
        ]
        if now.excluded:
            rows += [None] if rows else []
            rows += [Option(self._excluded(entry), id=entry.framework) for entry in now.excluded]
        return rows

    def _ranked(self, entry: Ranked, ranks: int, names: int, bars: int) -> Content:
        return Content.assemble(
            (right(f"{entry.rank} ", ranks), "dim"),
            (fit(entry.name, names), "bold" if entry.rank == 1 else ""),
            (interval_bar(entry.score, entry.low, entry.high, TOP_SCORE, bars), "$accent"),
            right(f"{entry.score:.1f}", 5),
            (f" [{entry.low:.1f}–{entry.high:.1f}]", "dim"),
            (right(percent(entry.first_probability), 5), "bold"),
        )

    def _excluded(self, entry: Excluded) -> Content:
        failure = entry.failed[0]
        return Content.assemble(
            ("✗ ", "$text-warning"),
            f"{failure.because} ",
            (f"({origin_in_words(failure.origin)})", "dim"),
        )

    # -- reasons ------------------------------------------------------------------------------------------------------

    def _see_reasons(self) -> None:
        now, option = self.advisor.recommendation, self.query_one("#ranking", OptionList).highlighted_option
        static = self.query_one("#because", Static)
        if now is None or self.advisor.fault:
            static.update(_("Change an answer (n), or take an assumption back (x).") if self.advisor.fault else "")
            return
        framework = option.id or "" if option is not None else ""
        self.query_one("#reasons").border_title = name_of(now, framework)
        best = bool(now.ranking) and framework == now.ranking[0].framework
        own, common = [*self._of_framework(now, framework)], [*self._of_all(now)]
        first = 3 + len(now.currents)
        sections = [*common[:first], *own, *common[first:]] if best else [*own, *common]
        static.update(Content("\n\n").join(Content("\n").join(section) for section in sections if section))

    def _of_framework(self, now: Recommendation, framework: str) -> Iterable[list[Content]]:
        out = next((entry for entry in now.excluded if entry.framework == framework), None)
        if out is not None:
            yield _section(_("{name} is out").format(name=out.name), _why_out(out))
        elif framework in now.reasoning.why_not:
            why_not = now.reasoning.why_not[framework]
            yield _section(_("Why not {name}").format(name=name_of(now, framework)), [why_not])
        elif now.ranking:
            yield _section(_("Why"), list(now.reasoning.why))

    def _of_all(self, now: Recommendation) -> Iterable[list[Content]]:
        knowledge = self.advisor.knowledge
        for use in in_use(now):
            yield _section(_("Stay with {name} or switch").format(name=use.current.name), _staying(use, knowledge))
        yield _section(_("Stack"), self._stack(now))
        if (rival := closest_rival(now)) is not None:
            yield _section(_("What decides against {name}").format(name=rival.name), decisive(now, rival, knowledge))
        yield _section(_("What flips it"), now.reasoning.what_would_change)
        yield _section(_("Mind"), now.reasoning.caveats)
        yield _section(_("Several people"), people_in_words(now, knowledge))
        if now.course is not None:
            yield _section(_("Your course"), [name_of(now, now.course)])
        if now.minimal_drops:
            yield _section(
                _("Smallest sets to give up"),
                [" + ".join(map(requirement_in_words, drops)) for drops in now.minimal_drops],
            )
        if now.unknown:
            told = [
                f"{name_of(now, entry.framework)}: {requirement_in_words(entry.requirement)}" for entry in now.unknown
            ]
            yield _section(_("Not known"), told)
        yield _section(_("Weights you set"), _set_by_hand(self.advisor.answers, knowledge))
        yield _section(_("Assumed"), [_assumed(now, index) for index in range(len(now.assumptions))])
        if (results := self.advisor.results) is not None:
            yield _section(_("Measured"), [*_measured(results)])
        if now.measured is not None:
            not_counted = [f"{n.candidate} {n.workload}: {n.why}" for n in now.measured.not_counted]
            even = [
                _("{faster} has caught up with {slower} after {steps:,.0f} steps ({seconds:.0f} s)").format(
                    faster=b.faster, slower=b.slower, steps=b.steps, seconds=b.seconds
                )
                for b in now.measured.break_even
            ]
            yield _section(_("Break-even"), even)
            yield _section(_("Measured, not counted"), not_counted)

    def _stack(self, now: Recommendation) -> Iterator[_Part]:
        frameworks = self.advisor.knowledge.frameworks
        for part in now.stack:
            name = frameworks[part.framework].name if part.framework in frameworks else part.framework
            because = f"  {part.because}" if self.has_class("-wide") else ""
            need = fit(need_in_words(part.need), 10)
            yield Content.assemble((need, "dim"), (name, "bold"), (because, "dim"))
        best = frameworks.get(now.ranking[0].framework) if now.ranking else None
        recipe = next((recipe for recipe in best.recipes if "cpu" in recipe.devices), None) if best else None
        if recipe is not None:
            told = _("{size} on disk, for the CPU").format(size=size(recipe.disk_mb * 1e6))
            yield Content.assemble((fit(_("install"), 10), "dim"), told)

    # -- keys ---------------------------------------------------------------------------------------------------------

    def on_option_list_option_highlighted(self) -> None:
        self._see_reasons()
        self.query_one("#reasons", VerticalScroll).scroll_home(animate=False)

    def on_option_list_option_selected(self, selected: OptionList.OptionSelected) -> None:
        self.advisor.action_framework(selected.option_id or "")

    def action_why(self) -> None:
        """Explain the place of the framework under the cursor."""
        option = self.query_one("#ranking", OptionList).highlighted_option
        if option is not None and option.id is not None and self.advisor.recommendation is not None:
            self.advisor.action_why(option.id)

    def action_scroll(self, pages: int) -> None:
        """Read on in the reasons."""
        reasons = self.query_one("#reasons", VerticalScroll)
        reasons.scroll_relative(y=pages * max(1, reasons.size.height - 2), animate=False)

    def action_drop(self) -> None:
        """Take an assumption back, or take one up again."""
        now = self.advisor.recommendation
        made = (
            {a.id: _("take back: {what}").format(what=a.what) for a in now.assumptions if a.knocks_out} if now else {}
        )
        dropped = {
            d: _("assume again: {what}").format(what=d) for d in taken_back(self.advisor.answers) if d not in made
        }
        entries = [*made.items(), *dropped.items()]
        if not entries:
            self.notify(_("Nothing is assumed that rules a framework out."))
            return
        self.app.push_screen(Pick(_("Assumptions"), entries), self._dropped)

    def _dropped(self, assumption: str | None) -> None:
        if assumption is not None:
            self.advisor.drop(assumption)


def decisive(now: Recommendation, rival: Ranked, knowledge: Knowledge) -> list[str]:
    """The leaves on which rank 1 gains or loses most points against `rival`."""
    first = now.ranking[0]
    leaves = first.contributions.keys() | rival.contributions.keys()
    gains = {leaf: first.contributions.get(leaf, 0.0) - rival.contributions.get(leaf, 0.0) for leaf in leaves}
    ordered = sorted(gains, key=lambda leaf: (-abs(gains[leaf]), leaf))
    return [
        f"{gains[leaf]:+.2f} {leaf_name(knowledge, leaf)}"
        for leaf in ordered[:_DECIDING_LEAVES]
        if abs(gains[leaf]) >= _LEAST_POINTS
    ]


def leaf_name(knowledge: Knowledge, leaf: str) -> str:
    """A leaf's name in the language in force, or its id when the tree has no such leaf."""
    criterion = knowledge.leaves.get(leaf)
    return criterion.name.in_language(language()) if criterion is not None else leaf


def _standing(use: InUse) -> Content:
    """A framework in use today, where it stands, and who uses it."""
    who = " " + _("In use by {people}.").format(people=_(", ").join(use.who)) if use.who else ""
    return Content.assemble((use.current.name, "bold"), f"  {use.place}", (who, "dim"))


def _staying(use: InUse, knowledge: Knowledge) -> Iterator[_Part]:
    """What would justify leaving, what that costs and where one would go, each with its evidence."""
    yield use.current.what_would_justify
    framework = knowledge.frameworks.get(use.current.framework)
    cost = use.current.leaving_cost or _("What leaving costs is not known.")
    yield _("Leaving it: {cost}").format(cost=cost)
    if framework is not None:
        yield from _evidence(framework.leaving.evidence if framework.leaving is not None else (), knowledge)
        for told, part in zip(instead_in_words(framework.id, knowledge), framework.instead, strict=True):
            yield told
            yield from _evidence(part.evidence, knowledge)


def _evidence(evidence: Iterable[Evidence], knowledge: Knowledge) -> Iterator[_Part]:
    for piece in evidence:
        source = knowledge.sources.get(piece.source)
        told = f"{source.title}, {source.published or _('undated')}" if source is not None else piece.source
        yield f"  {piece.claim} — {told}", "dim"


def _set_by_hand(answers: Answers, knowledge: Knowledge) -> Iterator[_Part]:
    for path, fixed in answers.weights.items():
        yield f"{fixed.per_cent:g} %  {criterion_name(knowledge, path)}"


def _assumed(now: Recommendation, index: int) -> Content:
    assumption = now.assumptions[index]
    how = _("x takes it back") if assumption.knocks_out else assumption.removable_by
    return Content.assemble(assumption.what, (f"  {how}", "dim"))


def _measured(results: Results) -> Iterator[_Part]:
    """What came of each race between those that stand for their framework, and what all of it rests on."""
    for workload, phase in races(results):
        yield about(results, workload, phase), "dim"
        yield from map(verdict_sentence, verdicts_of(results, workload, phase, results.plan.defaults))
    yield launches_in_words(results), "dim"
    for told in (twin_sentence(results), _("measured by {code}").format(code=results.code or "?")):
        if told is not None:
            yield told, "dim"


def _why_out(out: Excluded) -> list[_Part]:
    lines: list[_Part] = []
    for failure in out.failed:
        requirement = requirement_in_words(failure.requirement)
        lines.append(f"{requirement}: {failure.because} ({origin_in_words(failure.origin)})")
        if failure.owners:
            lines.append((_("asked for by {people}").format(people=_(", ").join(failure.owners)), "dim"))
        lines += [(f"  {e.claim} — {e.title}, {e.published or _('undated')}", "dim") for e in failure.evidence]
    if out.would_rank is not None:
        lines.append(_("Without that it would rank {n}.").format(n=out.would_rank))
    return lines


def _section(title: str, lines: Iterable[_Part]) -> list[Content]:
    shown = [line if isinstance(line, Content) else Content.assemble(line) for line in lines]
    return [Content.styled(title, "bold $text-accent"), *shown] if shown else []
