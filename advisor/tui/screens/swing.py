"""Weights by whole swings: what is it worth to go from the worst to the best of the frameworks that qualify?"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from advisor.i18n import N_, _, language
from advisor.quantities import percent
from advisor.swing import TOP_POINTS, Swing, swings, unweighed, weighed, weights
from advisor.tui.lines import page
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.verdicts import criterion_name, framework_name
from advisor.tui.widgets.bars import bar, fit, right
from knowledge.faults import BadInput

_STEP = 5
"""Points that one arrow adds: finer than anybody can tell two swings apart."""
_NAME, _BAR = 22, 20
_NAMED = 2
"""So many frameworks that share the worst or the best are all named; of more only the first."""


class SwingList(OptionList):
    """The nodes; digits and arrows say what a swing is worth."""

    BINDINGS: ClassVar = [
        Binding("enter", "screen.apply", N_("set weights"), key_display="⏎"),
        Binding("left", "screen.add(-1)", show=False),
        Binding("right", "screen.add(1)", N_("less / more"), key_display="←→"),
        Binding("1", "screen.type(1)", N_("points"), key_display="0-9"),
        *(Binding(str(digit), f"screen.type({digit})", show=False) for digit in (0, 2, 3, 4, 5, 6, 7, 8, 9)),
        Binding("backspace", "screen.type(-1)", N_("delete"), key_display="⌫"),
    ]


class SwingScreen(AdvisorScreen):
    """Each top-level node with the real worst and best. Enter turns the points into weights of the sheet."""

    CSS_PATH = "swing.tcss"
    BINDINGS: ClassVar = [
        Binding("u", "undo", N_("take back")),
        Binding("w", "app.save_answers", N_("save")),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._swings: tuple[Swing, ...] | None = None
        self._fault = ""
        self._points: dict[str, int] = {}
        self._typing = ""  # the node whose points are being typed

    def heading(self) -> str:
        return _("Weights by whole swings")

    def compose_body(self) -> Iterable[Widget]:
        yield Static(id="asked", markup=False)
        yield SwingList(id="swings", compact=True, markup=False)
        yield Static(id="left-out", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(SwingList).focus()
        self.load()

    @work(exclusive=True, group="swing")
    async def load(self) -> None:
        """Find the worst and the best of each node, whatever weights are set."""
        if not self.stays:
            return
        advisor = self.advisor
        criteria = advisor.knowledge.criteria
        try:
            sheet = unweighed(advisor.answers, criteria)
            decided = await asyncio.to_thread(advisor.services.decide, (sheet,), advisor.results)
            self._swings, self._fault = swings(decided, criteria), ""
        except BadInput as bad:
            self._swings, self._fault = (), "\n".join(fault.problem for fault in bad.faults)
        self._points = self._set_before()
        if self.stays:
            self.fill()

    def _set_before(self) -> dict[str, int]:
        """The points that lead to the weights that are set: in proportion to weight x range, the largest 100."""
        fixed = self.advisor.answers.weights
        gains = {s.node: fixed[s.node].per_cent * s.range for s in self._swings or () if s.node in fixed}
        most = max(gains.values(), default=0.0)
        return {node: round(gain / most * TOP_POINTS) for node, gain in gains.items()} if most else {}

    # -- what it shows ------------------------------------------------------------------------------------------------

    def fill(self) -> None:
        found = self._swings
        asked = self.query_one("#asked", Static)
        if found is None:
            asked.update(_("Looking for the worst and the best…"))
        elif not found:
            asked.update(self._fault or _("Nobody qualifies, so there is nothing to weigh."))
        else:
            asked.update(self._asked(found))
        swings_list = self.query_one(SwingList)
        kept = swings_list.highlighted or 0
        swings_list.set_options(Option(self._row(swing), id=swing.node) for swing in found or ())
        swings_list.highlighted = min(kept, len(found) - 1) if found else None
        self._see_left_out()

    def _asked(self, found: Sequence[Swing]) -> Content:
        node = self._node()
        swing = next((each for each in found if each.node == node), found[0])
        question = _(
            "Imagine a framework that is at the worst of all of these. Which one would you move to its best first? "
            "That swing is worth 100; what are the others worth beside it?"
        )
        criterion = next(each for each in self.advisor.knowledge.criteria if each.id == swing.node)
        asks = f"{criterion_name(self.advisor.knowledge, swing.node)}: {criterion.question.in_language(language())}"
        return page([question, "", (asks, "italic")])

    def _row(self, swing: Swing) -> Content:
        points = self._points.get(swing.node)
        shares = self._shares()
        share = f"{shares[swing.node]:.1f} %" if swing.node in shares else ""
        name = fit(criterion_name(self.advisor.knowledge, swing.node), _NAME)
        if not swing.range:
            told = _("nobody differs: no weight")
            return Content.assemble((name, "dim"), (told, "dim"), "\n")
        return Content.assemble(
            (name, "bold"),
            (bar((points or 0) / TOP_POINTS, _BAR), "$accent"),
            (right("—" if points is None else str(points), 5), "bold"),
            (right(share, 9), ""),
            (_("  answers: {share}").format(share=percent(swing.weight)), "dim"),
            ("\n  " + self._range(swing), "dim"),
        )

    def _range(self, swing: Swing) -> str:
        return _("{worst:.1f} {worst_of}  →  {best:.1f} {best_of}").format(
            worst=swing.worst,
            worst_of=self._names(swing.worst_of),
            best=swing.best,
            best_of=self._names(swing.best_of),
        )

    def _names(self, frameworks: Sequence[str]) -> str:
        named = [framework_name(self.advisor.knowledge, each) for each in frameworks]
        if len(named) > _NAMED:
            return _("{name} and {n} more").format(name=named[0], n=len(named) - 1)
        return _(", ").join(named)

    def _see_left_out(self) -> None:
        weighed_nodes = {swing.node for swing in self._swings or ()}
        left_out = [node for node in self.advisor.knowledge.criteria if node.id not in weighed_nodes]
        told = ""
        if self._swings and left_out:
            names = _(", ").join(node.name.in_language(language()) for node in left_out)
            told = _("Not weighed, since nothing fills it now: {names}. Measure or answer first if it matters.")
            told = told.format(names=names)
        self.query_one("#left-out", Static).update(told)

    def _shares(self) -> dict[str, float]:
        """The per cents that the points lead to; none while they lead to nothing."""
        try:
            return weights(self._swings or (), self._points)
        except ValueError:
            return {}

    def _node(self) -> str:
        option = self.query_one(SwingList).highlighted_option
        return option.id or "" if option is not None else ""

    # -- keys ---------------------------------------------------------------------------------------------------------

    def on_option_list_option_highlighted(self) -> None:
        self._typing = ""
        if self._swings:
            self.query_one("#asked", Static).update(self._asked(self._swings))

    def action_type(self, digit: int) -> None:
        """Type the points of the node under the cursor, digit by digit; -1 takes the last one away."""
        node = self._node()
        before = self._points.get(node, 0)
        if digit < 0:
            points = before // 10
        else:
            points = (before if self._typing == node else 0) * 10 + digit
            points = points if points <= TOP_POINTS else digit
        self._typing = node
        self._set(node, points)

    def action_add(self, steps: int) -> None:
        """A little more or less."""
        node = self._node()
        self._typing = ""
        self._set(node, min(max(self._points.get(node, 0) + steps * _STEP, 0), TOP_POINTS))

    def _set(self, node: str, points: int) -> None:
        swing = next((each for each in self._swings or () if each.node == node), None)
        if swing is None or not swing.range:
            return
        self._points[node] = points
        swings_list = self.query_one(SwingList)
        for index, each in enumerate(self._swings or ()):
            swings_list.replace_option_prompt_at_index(index, self._row(each))

    def action_apply(self) -> None:
        """Turn the points into weights of the sheet, and show what they lead to."""
        shares = self._shares()
        if not shares or max(self._points.values()) != TOP_POINTS:
            self.notify(_("Give the most important swing 100 points first."), severity="warning")
            return
        advisor = self.advisor
        advisor.weigh(weighed(advisor.answers, advisor.knowledge.criteria, shares))
        self.notify(_("The weights are set. w saves them with the answers, u takes them back."))
        advisor.back()
        advisor.action_answer()

    def action_undo(self) -> None:
        """The weights as they were before; of a sheet that came with weights, none on the top level."""
        advisor = self.advisor
        criteria = advisor.knowledge.criteria
        if not advisor.unweigh():
            plain = unweighed(advisor.answers, criteria)
            if plain == advisor.answers:
                self.notify(_("No weights are set: your answers decide them."))
                return
            advisor.weigh(plain)
        self._points = self._set_before()
        self.fill()
