"""A recorded race on the race's own screen. Nothing runs and nothing is kept; the last picture is the race's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

from textual.binding import Binding

from advisor.i18n import N_, _
from advisor.tui.playback import Playback
from advisor.tui.screens.race import RaceScreen
from advisor.tui.services import Race
from advisor.tui.widgets.title import Title
from bench.recording import Recording


class ReplayScreen(RaceScreen):
    """Plays a recording. Its results enter the answer only when the answer is asked for from here."""

    BINDINGS: ClassVar = [
        Binding("space", "pause", N_("pause")),
        Binding("plus,equals_sign", "speed(1)", N_("faster"), key_display="+"),
        Binding("minus", "speed(-1)", N_("slower"), key_display="-"),
        Binding("e,end", "jump", N_("to the end"), key_display="e"),
    ]

    def __init__(self, recording: Recording, speed: float = 1.0) -> None:
        super().__init__(recording.results.plan)
        self._recording = recording
        self._playback = Playback(recording, speed)

    @asynccontextmanager
    async def open_race(self) -> AsyncIterator[Race]:
        yield self._playback

    def take_in_results(self) -> None:
        """Nothing: these are a recording's, perhaps of another machine."""

    def fill(self) -> None:
        title = self.query_one(Title)
        title.recorded = self._recording.machine
        title.progress = "" if self._over else self._pace()
        super().fill()

    def _pace(self) -> str:
        recorded = _("recorded {day}").format(day=self._recording.results.created[:10])
        speed = _("paused") if self._playback.paused else f"{self._playback.speed:g}x"
        return f"{recorded} · {speed}"

    # -- keys ---------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("pause", "speed", "jump"):
            return not self._over
        if action in ("stop", "leave_out", "retry"):
            return False
        return super().check_action(action, parameters)

    def action_pause(self) -> None:
        """Stand still, or go on."""
        self._playback.pause()
        self.fill()

    def action_speed(self, steps: int) -> None:
        """Play faster or slower."""
        self._playback.change_speed(steps)
        self.fill()

    def action_jump(self) -> None:
        """Show how it ended."""
        self._playback.jump()

    def action_answer(self) -> None:
        """To the recommendation, with what was recorded."""
        super().take_in_results()
        super().action_answer()

    def may_close(self) -> bool:
        return True

    def action_leave(self) -> None:
        """Back; a recording can be left at any time."""
        self.advisor.back()
