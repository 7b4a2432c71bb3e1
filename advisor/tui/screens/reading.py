"""A screen to read: one result, or two side by side, as the command line prints them."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.console import Group, RenderableType
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from advisor.i18n import N_, _
from advisor.tui.screens.base import AdvisorScreen


class ReadingScreen(AdvisorScreen):
    """Scrolls through what `parts` gives, made anew when the language changes. `title` is marked with N_."""

    CSS_PATH = "reading.tcss"
    BINDINGS: ClassVar = [Binding("escape", "leave", N_("back"), key_display="esc")]

    def __init__(self, title: str, parts: Callable[[], Iterable[RenderableType]]) -> None:
        super().__init__()
        self._title, self._parts = title, parts

    def heading(self) -> str:
        return _(self._title)

    def compose_body(self) -> Iterable[Widget]:
        with VerticalScroll(id="text"):
            yield Static(id="told")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#text").focus()

    def fill(self) -> None:
        self.query_one("#told", Static).update(Group(*self._parts()))
