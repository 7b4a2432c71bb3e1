"""A recorded race played as if it ran: the same events, each at its time, faster or slower, paused or all at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from bench.events import AnyEvent
from bench.recording import Recording
from bench.results import Results

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""What the keys step through; a recording of five minutes plays in five seconds at the fastest."""


class Playback:
    """Plays one recording once; in the place of a `services.Race`.

    Attributes:
        speed: recorded seconds per second; paused: whether time stands still.
    """

    def __init__(self, recording: Recording, speed: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._recording, self._clock = recording, clock
        self.speed, self.paused = speed, False
        self._from_seconds, self._from_clock = 0.0, clock()  # where in the race it was at which moment
        self._jumped = False
        self._turned = asyncio.Event()  # somebody touched the controls

    @property
    def results(self) -> Results | None:
        """The recorded results."""
        return self._recording.results

    @property
    def seconds(self) -> float:
        """How far into the race it is."""
        if self.paused:
            return self._from_seconds
        return self._from_seconds + (self._clock() - self._from_clock) * self.speed

    async def events(self) -> AsyncIterator[AnyEvent]:
        """Every event when its time has come."""
        for event in self._recording.events:
            while not self._jumped and (early := event.at_seconds - self.seconds) > 0:
                self._turned.clear()
                try:
                    async with asyncio.timeout(None if self.paused else early / self.speed):
                        await self._turned.wait()
                except TimeoutError:
                    pass
            yield event

    def cancel(self, candidate: str | None = None) -> None:
        """Stop playing by going to the end; what was recorded cannot be changed, so no candidate is taken out."""
        if candidate is None:
            self.jump()

    def pause(self) -> None:
        """Stand still, or go on."""
        self._anchor()
        self.paused = not self.paused
        self._turned.set()

    def change_speed(self, steps: int) -> None:
        """To the next faster or slower of the speeds."""
        self._anchor()
        beyond = [s for s in SPEEDS if (s > self.speed if steps > 0 else s < self.speed)]
        if beyond:
            self.speed = beyond[0] if steps > 0 else beyond[-1]
        self._turned.set()

    def jump(self) -> None:
        """Tell all that is left at once."""
        self._jumped = True
        self._turned.set()

    def _anchor(self) -> None:
        self._from_seconds, self._from_clock = self.seconds, self._clock()
