"""The terminal app with a race of fake workers on its screen: run by `tests.performance.screen` in a terminal.

`python -m tests.performance.screen_app FILE ROUNDS WORKERS` writes what the process had used at the end of each round
into FILE: [[monotonic seconds, CPU seconds], ...].
"""

import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from advisor.tui import app
from advisor.tui.app import AdvisorApp
from advisor.tui.house import House
from bench import engine
from bench.events import AnyEvent, RaceFinished, RoundDone
from bench.plan import Plan
from bench.store import Store
from knowledge.loader import load_with_places
from tests.bench import pretend


class Watched:
    """A race that notes what this process has used whenever a round is done, and at its end closes the app."""

    def __init__(self, race: engine.Race, app: AdvisorApp, file: Path) -> None:
        self._race, self._app, self._file = race, app, file
        self._marks: list[tuple[float, float]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._race, name)

    async def events(self) -> AsyncIterator[AnyEvent]:
        async for event in self._race.events():
            yield event
            if isinstance(event, RoundDone):
                self._marks.append((time.monotonic(), time.process_time()))
            if isinstance(event, RaceFinished):
                self._file.write_text(json.dumps(self._marks))
                self._app.exit()


class Rooms(House):
    """The house, but its races are between fake workers that take as long as they say."""

    app: AdvisorApp
    file: Path
    folder: Path
    names: tuple[str, ...]

    @asynccontextmanager
    async def race(self, plan: Plan) -> AsyncIterator[Any]:
        settings = {name: {"step_seconds": 0.004 * 1.3**place, "speed": 1} for place, name in enumerate(self.names)}
        with Store(self.folder / "results.sqlite") as store:
            async with engine.start(
                plan,
                pretend.knowledge(*map(pretend.framework, self.names)),
                pretend.Environments(self.folder, settings),
                store,
                folder=self.folder / "data",
                workloads=pretend.workloads(),
                worker=pretend.WORKER,
                prepare=pretend.prepare,
                lock=self.folder / "lock",
            ) as race:
                yield Watched(race, self.app, self.file)


class RaceApp(AdvisorApp):
    """Opens on the race."""

    CSS_PATH = Path(app.__file__).with_name("app.tcss")
    plan: Plan

    def on_mount(self) -> None:
        super().on_mount()
        from advisor.tui.screens.race import RaceScreen

        self.push_screen(RaceScreen(self.plan))


def main(file: str, rounds: int, workers: int) -> None:
    base, places = load_with_places()
    with TemporaryDirectory() as folder:
        rooms = Rooms(base, places)
        shown = RaceApp(base, rooms)
        rooms.app, rooms.file, rooms.folder = shown, Path(file), Path(folder)
        rooms.names = tuple(f"framework{number}" for number in range(workers))
        shown.plan = pretend.plan(*rooms.names, rounds=rounds, budget_seconds=600)
        shown.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
