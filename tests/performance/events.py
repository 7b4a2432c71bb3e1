"""What telling costs: an event from the engine to its readers, and the load sampler's whole path at 4 samples a second.

Both run in a real race that waits for its data: thread hop, event, queue and reader are the engine's own.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from bench import engine
from bench.events import BlockDone, Standing
from bench.store import Store
from tests.bench import pretend
from tests.performance.bounds import told
from tests.performance.options import Options

EVENTS = 5_000
REPEATS = 15
STRETCHES = 6
SAMPLES_PER_SECOND = 4

BLOCK = BlockDone(
    candidate="pytorch:eager",
    workload=pretend.WORKLOAD,
    phase="train",
    launch=1,
    round=7,
    wall_seconds=0.2513,
    cpu_seconds=0.2502,
    steps=24,
    samples=3072,
)


@asynccontextmanager
async def _idle_race(folder: Path, sample_seconds: float) -> AsyncIterator[engine.Race]:
    """A race that waits for its data until this is left."""
    released = threading.Event()

    def wait(*_: object) -> Any:
        released.wait()
        raise OSError("this race is over")

    with Store(folder / "results.sqlite") as store:
        try:
            async with engine.start(
                pretend.plan("a1", "b1"),
                pretend.knowledge(pretend.framework("a1"), pretend.framework("b1")),
                pretend.Environments(folder, {"a1": {}, "b1": {}}),
                store,
                folder=folder / "data",
                workloads=pretend.workloads(),
                worker=pretend.WORKER,
                prepare=wait,
                pace=msgspec.structs.replace(pretend.PACE, sample_seconds=sample_seconds),
                lock=folder / "lock",
            ) as race:
                yield race
                released.set()
        except OSError as error:
            if "this race is over" not in str(error):
                raise


async def _read(race: engine.Race) -> int:
    return len([event async for event in race.events()])


async def _cost(folder: Path, readers: int) -> float:
    """CPU seconds per event, told and read by so many readers."""
    async with _idle_race(folder, 1e6) as race:
        tasks = [asyncio.create_task(_read(race)) for _ in range(readers)]
        await asyncio.sleep(0.1)
        before = time.process_time()
        for _ in range(EVENTS):
            race._tell(BLOCK)
            await asyncio.sleep(0)
        spent = (time.process_time() - before) / EVENTS
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return spent


def telling(options: Options) -> None:
    with TemporaryDirectory() as name:
        costs: dict[int, list[float]] = {1: [], 3: []}
        for number in range(REPEATS):
            for readers, found in costs.items():
                folder = Path(name) / f"{number}-{readers}"
                folder.mkdir()
                found.append(asyncio.run(_cost(folder, readers)))
    for readers, found in costs.items():
        print(f"one event, told and read by {readers}: {told(found, 1, 1e6, ' us')}")
    encoded = []
    standing = Standing(candidate="a1:plain", samples_per_second=1.0, low=0.9, high=1.1, step_seconds=0.1)
    for event in (BLOCK, standing):
        encoder = msgspec.json.Encoder()
        before = time.process_time()
        for _ in range(EVENTS):
            encoder.encode(event)
        encoded.append((time.process_time() - before) / EVENTS)
    print(f"encoding a BlockDone as a line of JSON: {encoded[0] * 1e6:.1f} us, a Standing: {encoded[1] * 1e6:.1f} us")


async def _share(folder: Path, sample_seconds: float, seconds: float) -> float:
    """Of a core that this process uses while it samples and one reader reads."""
    async with _idle_race(folder, sample_seconds) as race:
        reader = asyncio.create_task(_read(race))
        await asyncio.sleep(0.2)
        before, started = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        share = (time.process_time() - before) / (time.monotonic() - started)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    return share


def sampler(options: Options) -> None:
    """Target: <= 0.5 % of a core at 4 samples a second."""
    shares: dict[float, list[float]] = {1 / SAMPLES_PER_SECOND: [], 1e6: []}
    with TemporaryDirectory() as name:
        for number in range(STRETCHES):
            for sample_seconds, found in shares.items():
                folder = Path(name) / f"{number}-{sample_seconds}"
                folder.mkdir()
                found.append(asyncio.run(_share(folder, sample_seconds, options.seconds)))
    with_it, without = shares.values()
    print(f"the race's process while it waits, sampling at 4 Hz; target 0.5 % of a core: {told(with_it, 3, 100, ' %')}")
    print(f"the same without sampling: {told(without, 3, 100, ' %')}")


EXPERIMENTS = {"event cost": telling, "sampler": sampler}
