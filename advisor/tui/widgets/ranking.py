"""The ranking so far, beside the questions: who leads with which probability, who moved, who is out and why."""

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from advisor.i18n import _
from advisor.quantities import percent
from advisor.recommendation import Excluded, Ranked, Recommendation
from advisor.tui.widgets.bars import bar, fit, right

MOVED = 0.005
"""A change of probability smaller than half a per cent is sampling noise of 10,000 draws, and no arrow shows it."""


class Ranking(Widget):
    """Bars of P(first). `baseline` is what arrows compare with: the ranking when the question was opened."""

    DEFAULT_CSS = """
    Ranking { height: auto; }
    """

    recommendation: reactive[Recommendation | None] = reactive(None, layout=True)
    baseline: reactive[Recommendation | None] = reactive(None)
    fault: reactive[str] = reactive("", layout=True)
    working: reactive[bool] = reactive(False)

    def render(self) -> Content:
        if self.fault:
            return Content.assemble((_("These answers do not fit together:"), "bold $text-error"), "\n" + self.fault)
        now = self.recommendation
        if now is None:
            return Content.styled(_("Ranking…") if self.working else _("No ranking yet."), "dim")
        width = self.content_size.width or 30
        names = min(14, max((cell_len(entry.name) for entry in now.ranking), default=8))
        lines = [self._row(entry, names, width - names - 8) for entry in now.ranking]
        if not lines:
            lines.append(Content.styled(_("Nothing passes every requirement."), "bold $text-warning"))
        lines += [_out(entry) for entry in now.excluded]
        if any(failure.origin == "assumed" for entry in now.excluded for failure in entry.failed):
            lines.append(Content.styled(_("x takes the assumption back"), "dim"))
        return Content("\n").join(lines)

    def _row(self, entry: Ranked, names: int, bars: int) -> Content:
        probability, before = entry.first_probability, None
        if self.baseline is not None:
            before = next((r.first_probability for r in self.baseline.ranking if r.framework == entry.framework), 0.0)
        arrow, style = " ", ""
        if before is not None and probability - before >= MOVED:
            arrow, style = "▲", "$text-success"
        elif before is not None and before - probability >= MOVED:
            arrow, style = "▼", "$text-error"
        return Content.assemble(
            fit(entry.name, names) + " ",
            (bar(probability, bars), "$accent"),
            right(percent(probability), 5) + " ",
            (arrow, style),
        )


def _out(entry: Excluded) -> Content:
    failure = entry.failed[0]
    assumed = " " + _("(assumed)") if failure.origin == "assumed" else ""  # `because` is a sentence that names it
    return Content.assemble(("✗ ", "$text-warning"), failure.because, (assumed, "dim"))
