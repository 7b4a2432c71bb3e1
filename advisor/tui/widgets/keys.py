"""The line of keys below every screen: as many rows as the keys need, so that none is cut off."""

from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import HorizontalGroup
from textual.widget import Widget
from textual.widgets import Footer


class KeyLine(Footer):
    """Textual's footer, wrapped: the footer itself scrolls sideways, and nobody sees that it does."""

    DEFAULT_CSS = """
    KeyLine { layout: vertical; height: auto; max-height: 3; }
    KeyLine HorizontalGroup { height: 1; width: 100%; }
    """

    _wrapped_at = 0
    _drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        self._wrapped_at, self._drawn = self.app.size.width, self._keys()
        for row in _rows(super().compose(), self._wrapped_at):
            yield HorizontalGroup(*row)

    async def recompose(self) -> None:
        """Draw the line anew where it is another one. Textual asks for it four times while a screen opens, and each
        time takes as long as what the screen is about.
        """
        if self.is_attached and self._keys() != self._drawn:
            await super().recompose()

    def _keys(self) -> tuple[object, ...]:
        """All that the line shows, and the width it is wrapped at."""
        if not self._bindings_ready:
            return ()
        active = self.screen.active_bindings.values()
        shown = ((key.binding.key, key.binding.key_display, key.binding.description, key.enabled) for key in active)
        return (self.app.size.width, *shown)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew where the width is another one."""
        if self.is_attached and self.app.size.width != self._wrapped_at:
            self.call_after_refresh(self.recompose)


def _rows(keys: Iterable[Widget], width: int) -> Iterator[list[Widget]]:
    row: list[Widget] = []
    used = 0
    for key in keys:
        cells = _cells(key)
        if row and used + cells > width:
            yield row
            row, used = [], 0
        row.append(key)
        used += cells + 1  # a blank between two
    if row:
        yield row


def _cells(key: Widget) -> int:
    return cell_len(f"{getattr(key, 'key_display', '')} {getattr(key, 'description', '')}")
