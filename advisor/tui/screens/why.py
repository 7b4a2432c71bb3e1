"""One framework's place explained: why it, or why not; which criteria decide; what one would have to care about."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from advisor.decision.explain import explain_one, per_cent
from advisor.i18n import N_, _
from advisor.quantities import percent
from advisor.recommendation import Central, Ranked, Recommendation
from advisor.tui.lines import Part, heading, page
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.verdicts import criterion_name
from advisor.tui.widgets.bars import bar, fit, right
from advisor.words import name_of

_LEAVES = 6
"""Leaves shown for and against; the others hardly move anything."""
_LEAST_POINTS = 0.005
"""Points are shown with two digits; what rounds to zero decides nothing."""
_BAR = 16
_NAME = 26


class Place(VerticalScroll):
    """The text; up and down scroll, left and right go from rank to rank."""

    BINDINGS: ClassVar = [
        Binding("left", "screen.other(-1)", N_("better rank"), key_display="←"),
        Binding("right", "screen.other(1)", N_("worse rank"), key_display="→"),
    ]


class WhyScreen(AdvisorScreen):
    """Sentences first, then the numbers they come from. The arrows go to the framework ranked before or after."""

    CSS_PATH = "reading.tcss"
    BINDINGS: ClassVar = [
        Binding("enter", "details", N_("details"), key_display="⏎"),
        Binding("k", "app.ranks", N_("ranks")),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def __init__(self, framework: str) -> None:
        super().__init__()
        self._framework = framework

    def heading(self) -> str:
        return _("Why, why not")

    def compose_body(self) -> Iterable[Widget]:
        with Place(id="text"):
            yield Static(id="told", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.follow("recommendation", self.fill)
        self.query_one("#text").focus()

    def fill(self) -> None:
        now = self.advisor.recommendation
        told = page([] if now is None else self._lines(now))
        self.query_one("#told", Static).update(told)

    # -- what it says -------------------------------------------------------------------------------------------------

    def _lines(self, now: Recommendation) -> Iterator[Part]:
        explained = explain_one(now, self.advisor.knowledge, self._framework)
        yield (explained.headline, "bold $text-accent")
        yield ""
        yield from explained.lines
        ranked = next((each for each in now.ranking if each.framework == self._framework), None)
        if ranked is None:
            return
        if (rival := self._rival(now, ranked)) is not None:
            yield from self._against(now, ranked, rival)
        if (central := now.central.get(ranked.framework)) is not None:
            yield from self._central(central, ranked.name)
        yield from _pairs(now, ranked)

    def _rival(self, now: Recommendation, ranked: Ranked) -> Ranked | None:
        """Whom it is held against: rank 1, or for rank 1 the one ranked next."""
        others = [each for each in now.ranking if each is not ranked]
        return others[0] if others else None

    def _against(self, now: Recommendation, ranked: Ranked, rival: Ranked) -> Iterator[Part]:
        """Points gained and lost; the smallest set that decides is marked."""
        lower = max(ranked, rival, key=lambda each: each.rank)
        found = next((each for each in now.deciding if each.rival == lower.framework), None)
        decides = set(found.criteria) if found is not None else set()
        lead = {leaf: ranked.contributions[leaf] - rival.contributions[leaf] for leaf in ranked.contributions}
        most = max((abs(points) for points in lead.values()), default=0.0)
        yield ""
        yield heading(_("{name} against {rival}, in points").format(name=ranked.name, rival=rival.name))
        gains = [leaf for leaf in sorted(lead, key=lambda leaf: -lead[leaf]) if lead[leaf] >= _LEAST_POINTS]
        losses = [leaf for leaf in sorted(lead, key=lambda leaf: lead[leaf]) if lead[leaf] <= -_LEAST_POINTS]
        for leaf in (*gains[:_LEAVES], *reversed(losses[:_LEAVES])):
            style = "$text-success" if lead[leaf] > 0 else "$text-error"
            yield Content.assemble(
                ("● " if leaf in decides else "  ", "bold"),
                fit(criterion_name(self.advisor.knowledge, leaf), _NAME),
                (right(f"{lead[leaf]:+.2f}", 7) + " ", "bold"),
                (bar(abs(lead[leaf]) / most if most else 0.0, _BAR), style),
            )
        if found is not None and found.criteria:
            told = _("● decide: {points:.2f} points, more than all that speaks for {rival} ({against:.2f})")
            yield (told.format(points=found.points, rival=lower.name, against=found.against), "dim")

    def _central(self, central: Central, name: str) -> Iterator[Part]:
        """The mean weights with which it comes first, beside the mean of all weights."""
        yield ""
        yield heading(_("What you would have to care about for {name} to win").format(name=name))
        told = _("It comes first with {share} of all weights a person could have.")
        yield (told.format(share=per_cent(central.share, 1)), "dim")
        more = {leaf: weight - central.even[leaf] for leaf, weight in central.weights.items()}
        for leaf in sorted(more, key=lambda leaf: -more[leaf])[:_LEAVES]:
            yield Content.assemble(
                "  ",
                fit(criterion_name(self.advisor.knowledge, leaf), _NAME),
                (right(percent(central.weights[leaf]), 7) + " ", "bold"),
                (bar(central.weights[leaf], _BAR), "$accent"),
                (_("  on average {share}").format(share=percent(central.even[leaf])), "dim"),
            )

    # -- keys ---------------------------------------------------------------------------------------------------------

    def action_other(self, steps: int) -> None:
        """To the framework ranked before or after."""
        now = self.advisor.recommendation
        order = [each.framework for each in now.ranking] + [each.framework for each in now.excluded] if now else []
        if self._framework in order:
            self._framework = order[(order.index(self._framework) + steps) % len(order)]
            self.fill()
            self.query_one("#text", VerticalScroll).scroll_home(animate=False)

    def action_details(self) -> None:
        """Open the framework's page."""
        if self._framework in self.advisor.knowledge.frameworks:
            self.advisor.action_framework(self._framework)


def _pairs(now: Recommendation, ranked: Ranked) -> Iterator[Part]:
    """How often it scores above each other framework, in the draws."""
    above = now.pairwise.get(ranked.framework, {})
    if not above:
        return
    yield ""
    yield heading(_("{name} scores above").format(name=ranked.name))
    for other, share in above.items():
        yield Content.assemble(
            "  ",
            fit(name_of(now, other), _NAME),
            (right(per_cent(share), 7) + " ", "bold"),
            (bar(share, _BAR), "$accent"),
        )
