"""The first screen: what this is, and where to begin."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from advisor.i18n import N_, _, language
from advisor.recommendation import Recommendation
from advisor.tui.screens.base import AdvisorScreen


class HomeScreen(AdvisorScreen):
    """A short introduction and a menu; the letter beside each entry works too."""

    CSS_PATH = "home.tcss"
    SHOWS_PALETTE = True
    BINDINGS: ClassVar = [
        Binding("s", "app.questions(True)", N_("six questions"), show=False),
        Binding("a", "app.questions(False)", N_("all questions"), show=False),
        Binding("n", "app.answer", N_("answer"), show=False),
        Binding("o", "app.open_answers", N_("open"), show=False),
        Binding("f", "app.frameworks", N_("frameworks"), show=False),
        Binding("g", "app.guides", N_("guides on trial"), show=False),
        Binding("p", "app.people", N_("several people"), show=False),
        Binding("b", "app.plan", N_("benchmarks"), show=False),
        Binding("h", "app.history", N_("measured before"), show=False),
        Binding("l", "app.language", N_("中文/English")),
        Binding("q", "app.quit", N_("quit")),
    ]

    def heading(self) -> str:
        return "Framework Advisor"

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(id="middle"):
            yield Static(id="intro", markup=False)
            yield OptionList(id="menu", compact=True)
            yield Static(id="standing", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.watch(self.advisor, "recommendation", self._tell)
        self.follow("answers", self.fill)
        self.query_one("#menu").focus()

    def fill(self) -> None:
        introduction = _(
            "Which deep-learning framework, for your needs, on this machine? You answer, it can measure, "
            "and every point it gives names its source."
        )
        self.query_one("#intro", Static).update(introduction)
        menu = self.query_one("#menu", OptionList)
        kept = menu.highlighted or 0
        menu.set_options(self._entry(*entry) for entry in self._entries())
        menu.highlighted = min(kept, menu.option_count - 1)
        self._tell(self.advisor.recommendation)

    def _entries(self) -> list[tuple[str, str, str, str]]:
        answered, asked = self.advisor.answered()
        entries = []
        if answered:
            told = _("{n} of {all} answered").format(n=answered, all=asked)
            entries.append(("n", "app.answer", _("See the answer"), told))
        return [
            *entries,
            ("s", "app.questions(True)", _("Answer six questions"), _("two minutes, works offline")),
            ("a", "app.questions(False)", _("Answer all questions"), _("for a surer answer; skip any")),
            ("o", "app.open_answers", _("Open an answers file"), _("one that was saved before")),
            ("b", "app.plan", _("Measure on this machine"), _("race real frameworks, watch them run")),
            ("h", "app.history", _("See what was measured"), _("compare results, play a recorded race")),
            ("f", "app.frameworks", _("Browse the frameworks"), _("facts and ratings with their sources")),
            ("g", "app.guides", _("Put old guides on trial"), _("what they claimed, what holds today")),
            ("p", "app.people", _("Decide with others"), _("several sheets or scenarios side by side")),
            ("l", "app.language", "English" if language() == "zh" else "中文", _("switch the language")),
        ]

    def _entry(self, key: str, action: str, text: str, remark: str) -> Option:
        return Option(
            Content.assemble((f" {key} ", "bold $text-accent"), f" {text}", (f"  {remark}", "dim")), id=action
        )

    def _tell(self, recommendation: Recommendation | None) -> None:
        known = len(self.advisor.knowledge.frameworks)
        date = self.advisor.knowledge.date.isoformat()
        text = _("{n} frameworks, facts as of {date}.").format(n=known, date=date)
        if recommendation is not None and self.advisor.answered()[0]:
            text += "\n" + _("So far: {verdict}").format(verdict=recommendation.reasoning.headline)
        self.query_one("#standing", Static).update(text)

    async def on_option_list_option_selected(self, selected: OptionList.OptionSelected) -> None:
        await self.run_action(selected.option_id or "")
