"""Small questions over a screen: a text to read, yes or no, one of several, a path."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from advisor.i18n import N_, _
from advisor.tui.screens.base import Dialog


class Reading(Dialog[None]):
    """A text to read; any of the closing keys closes it."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [Binding("enter,q,question_mark", "dismiss", show=False)]

    def __init__(self, title: str, text: Content | str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = _("esc closes")
            with VerticalScroll(id="text"):
                yield Static(self._text, markup=False)


class Confirm(Dialog[bool]):
    """Yes or no; escape means no."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [
        Binding("y", "answer(True)", N_("yes")),
        Binding("n,escape", "answer(False)", N_("no")),
    ]

    def __init__(self, title: str, text: str, yes: str, no: str) -> None:
        super().__init__()
        self._title, self._text, self._yes, self._no = title, text, yes, no

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title
            yield Static(self._text, markup=False)
            with Horizontal(classes="buttons"):
                yield Button(f"{self._yes} (y)", variant="primary", id="yes", compact=True)
                yield Button(f"{self._no} (n)", id="no", compact=True)

    def on_button_pressed(self, pressed: Button.Pressed) -> None:
        self.dismiss(pressed.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


class Pick(Dialog[str]):
    """One of several."""

    CSS_PATH = "dialogs.tcss"

    def __init__(self, title: str, options: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title, self._options = title, options

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title
            yield OptionList(
                *(Option(Content(text), id=identifier) for identifier, text in self._options),
                compact=True,
                id="options",
            )

    def on_option_list_option_selected(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(selected.option_id)


class AskPath(Dialog[Path]):
    """A file's path. `check` says what is wrong with it, or None; the dialog stays open until nothing is."""

    CSS_PATH = "dialogs.tcss"

    def __init__(self, title: str, hint: str, value: str, check: Callable[[Path], str | None]) -> None:
        super().__init__()
        self._title, self._hint, self._value, self._check = title, hint, value, check

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = _("enter · esc closes")
            yield Label(self._hint, markup=False)
            yield Input(self._value, id="path", select_on_focus=False)
            yield Static("", id="fault", markup=False)

    def on_input_changed(self) -> None:
        self.query_one("#fault", Static).update("")

    def on_input_submitted(self, submitted: Input.Submitted) -> None:
        path = Path(submitted.value.strip()).expanduser()
        fault = self._check(path) if submitted.value.strip() else _("Type a path.")
        if fault is None:
            self.dismiss(path)
        else:
            self.query_one("#fault", Static).update(fault)
