"""What every screen shares: a title line above, the line of keys below, and texts in the language in force."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from advisor.i18n import N_, _
from advisor.tui.widgets.keys import KeyLine
from advisor.tui.widgets.title import Title

if TYPE_CHECKING:
    from textual.binding import ActiveBinding

    from advisor.tui.app import AdvisorApp

Result = TypeVar("Result")

EVIDENCE_KEYS: Final[list[BindingType]] = [
    Binding("h", "history", N_("history")),
    Binding("o", "sources", N_("sources")),
    Binding("d", "dispute", N_("dispute")),
    Binding("space", "scroll(1)", N_("read on"), key_display="space"),
    Binding("backspace", "scroll(-1)", N_("read back"), key_display="⌫"),
    Binding("escape", "leave", N_("back"), key_display="esc"),
]
"""Of screens that show what is known on the right and what there is to choose from on the left."""


def _translated(active: "ActiveBinding") -> "ActiveBinding":
    binding = active.binding
    if not binding.description:
        return active
    group = binding.group
    if group is not None and group.description:
        group = Binding.Group(_(group.description), group.compact)
    return active._replace(
        binding=dataclasses.replace(binding, description=_(binding.description), group=group),
        tooltip=_(binding.tooltip) if binding.tooltip else "",
    )


class Speaking(Screen[Result]):
    """A screen whose key line is in the language in force. BINDINGS are in English, marked with N_."""

    @property
    def advisor(self) -> "AdvisorApp":
        """The app, by its own type."""
        return cast("AdvisorApp", self.app)

    @property
    def active_bindings(self) -> "dict[str, ActiveBinding]":
        return {key: _translated(active) for key, active in super().active_bindings.items()}

    def fill(self) -> None:
        """Put into the composed widgets what the app knows; called on mount and after a change of language."""

    def on_mount(self) -> None:
        if self.stays:
            self.fill()

    @property
    def stays(self) -> bool:
        """Whether it is not being closed: widgets go before the last messages are read and the last work is done, and
        keys typed ahead can close a screen before it is even mounted.
        """
        return self.display

    def follow(self, attribute: str, change: Callable[[], None]) -> None:
        """Be told whenever something the app knows changes, for as long as this screen is open."""

        def tell() -> None:
            if self.stays:
                change()

        self.watch(self.advisor, attribute, tell, init=False)

    async def _dispatch_message(self, message: Message) -> None:
        """Handle a message; that a screen being closed has lost its widgets is no error. Textual has no hook for it."""
        try:
            await super()._dispatch_message(message)
        except NoMatches:
            if self.stays:
                raise

    async def speak(self) -> None:
        """Say everything again, in the language now in force."""
        focused = self.focused.id if self.focused is not None else None
        await self.recompose()
        self.fill()
        if focused and (again := self.query(f"#{focused}")):
            again.first().focus()
        self.refresh_bindings()


class AdvisorScreen(Speaking[None]):
    """A full screen. `SHOWS_PALETTE`: whether its line of keys has the one for all commands, which works everywhere."""

    SHOWS_PALETTE: ClassVar = False
    BINDINGS: ClassVar = [Binding("escape", "leave", show=False)]

    def compose(self) -> ComposeResult:
        yield Title(self.heading())
        yield from self.compose_body()
        yield KeyLine(compact=True, show_command_palette=self.SHOWS_PALETTE)

    def heading(self) -> str:
        """What the title line says."""
        raise NotImplementedError  # abstract: every screen has its own

    def compose_body(self) -> Iterable[Widget]:
        """The widgets between title and keys."""
        raise NotImplementedError  # abstract: every screen has its own

    def may_close(self) -> bool:
        """Whether nothing is lost when this screen goes."""
        return True

    async def finish(self) -> None:
        """Bring to an end what this screen runs, before the app ends."""

    def action_leave(self) -> None:
        """Back to the screen before."""
        self.advisor.back()


class Dialog(ModalScreen[Result], Speaking[Result]):
    """A box over the screen, closed with a result; escape closes it without one."""

    BINDINGS: ClassVar = [Binding("escape", "dismiss", show=False)]
