"""The report: a preview, and a file of it."""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Markdown, Static

from advisor.i18n import N_, _
from advisor.tui.files import save
from advisor.tui.screens.base import AdvisorScreen
from knowledge.faults import BadInput

_FILE = "framework-advice.md"


_LINES = 100
"""As many lines are previewed at most, whole sections only. Of a report on fourteen frameworks the screen would make
9,200 widgets, in 28 seconds of one core and 2.5 for each page turned; of this many lines it makes 160, in 0.8."""


def beginning(report: str) -> str:
    """The first sections of a Markdown report, as many as `_LINES` hold; at least what stands before the first."""
    shown = ""
    for section in re.split(r"(?m)^(?=## )", report):
        if shown and (shown + section).count("\n") > _LINES:
            break
        shown += section
    return shown


class ReportScreen(AdvisorScreen):
    """The beginning of the Markdown report as it will be written; the file's suffix decides the form."""

    CSS_PATH = "report.tcss"
    BINDINGS: ClassVar = [
        Binding("e,ctrl+s", "export", N_("write to a file")),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def heading(self) -> str:
        return _("Report")

    def compose_body(self) -> Iterable[Widget]:
        yield Static(id="state", markup=False)
        with VerticalScroll(id="preview"):
            yield Markdown(id="text", open_links=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#preview").focus()

    def fill(self) -> None:
        self.query_one("#state", Static).update(_("Writing the report…"))
        self.query_one("#preview").loading = True
        self.preview()

    @work(exclusive=True, group="preview")
    async def preview(self) -> None:
        """Render the report in a thread and show it."""
        if not self.stays:
            return
        services, advisor = self.advisor.services, self.advisor
        state = self.query_one("#state", Static)
        try:
            text = await asyncio.to_thread(services.report, advisor.sheets, advisor.results, "md")
        except BadInput as bad:
            state.update(_("No report: {why}").format(why="; ".join(fault.problem for fault in bad.faults)))
        else:
            if not self.stays:
                return
            report = text.decode()
            shown = beginning(report)
            await self.query_one(Markdown).update(shown)
            whole = _("All of it; e writes it as .md, .html or .json.")
            told = _("Its first {shown} of {lines:,} lines; e writes all of it as .md, .html or .json.")
            lines = (shown.count("\n"), report.count("\n"))
            state.update(whole if shown == report else told.format(shown=lines[0], lines=lines[1]))
        if self.stays:
            self.query_one("#preview").loading = False

    @work(exclusive=True, group="export")
    async def action_export(self) -> None:
        """Write it into a file whose suffix says in which form."""
        services, advisor = self.advisor.services, self.advisor

        def check(path: Path) -> str | None:
            if services.report_form(path) is None:
                return _("End the name in .md, .html or .json.")
            return None

        def content(path: Path) -> bytes:
            return services.report(advisor.sheets, advisor.results, services.report_form(path) or "md")

        await save(advisor, _("Write the report"), _FILE, content, check)
