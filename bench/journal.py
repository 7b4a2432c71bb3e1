"""What a race tells, kept from the first event on: any number of readers see all of it, whenever they come."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from bench.events import AnyEvent


class Journal:
    """The events of one race; used from one event loop."""

    def __init__(self) -> None:
        self._events: list[AnyEvent] = []
        self._readers: set[asyncio.Queue[AnyEvent | None]] = set()
        self._closed = False
        self._started = time.monotonic()

    def tell(self, event: AnyEvent) -> None:
        """Hand an event to all readers, with its number and the seconds since the start."""
        stamp: dict[str, Any] = {"sequence": len(self._events), "at_seconds": time.monotonic() - self._started}
        event = msgspec.structs.replace(event, **stamp)
        self._events.append(event)
        for queue in self._readers:
            queue.put_nowait(event)

    def close(self) -> None:
        """Nothing more will be told."""
        self._closed = True
        for queue in self._readers:
            queue.put_nowait(None)

    async def read(self) -> AsyncIterator[AnyEvent]:
        """Every event from the first on, until the journal is closed."""
        queue: asyncio.Queue[AnyEvent | None] = asyncio.Queue()
        for past in self._events:
            queue.put_nowait(past)
        if self._closed:
            queue.put_nowait(None)
        self._readers.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._readers.discard(queue)
