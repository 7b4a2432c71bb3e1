"""A race from plan to results: makes environments, has workers made ready and rounds run, tells, keeps.

    async with start(plan, knowledge, environments, store, folder=..., workloads=...) as race:
        async for event in race.events():
            ...
    race.results

One asyncio task does it all, one thing at a time: candidates are prepared one after another (`bench.workers`) and no
two blocks ever run at once (`bench.rounds`, `bench.passes`). Threads serve NVML, SQLite and NumPy only. Whatever a
candidate does, the others go on; whatever ends this process, every complete round is in the store.
"""

import asyncio
import math
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from bench import events, history, machine
from bench.budget import Budget, Costs
from bench.data import prepare
from bench.environments import Environment, EnvironmentFailure, Report, recipe_for
from bench.events import AnyEvent
from bench.journal import Journal
from bench.launches import Launches
from bench.machine_lock import default_lock, held
from bench.passes import OpenMeter, Passes
from bench.plan import Candidate, Plan, untwinned
from bench.results import Results, Status
from bench.rounds import Rounds
from bench.scoreboard import Scoreboard, Stated
from bench.store import Block, Store
from bench.telemetry import Telemetry
from bench.telemetry.energy import open_meter
from bench.workers import Material, Pace, Workers
from bench.workload import Workload, flops_per_sample, training_flops_per_sample
from knowledge.model import Framework, Knowledge, Recipe

__all__ = ["Pace", "Race", "start"]

WORKER = Path(__file__).parent / "worker" / "main.py"


class EnvironmentSource(Protocol):
    """Where environments come from (`bench.environments.Environments`)."""

    def find(self, framework: Framework, recipe: Recipe) -> Environment | None: ...

    async def create(self, framework: Framework, recipe: Recipe, report: Report) -> Environment: ...


class Preparation(Protocol):
    """Makes the material of a workload below a folder (`bench.data.prepare`)."""

    def __call__(self, workload: Workload, seed: int, folder: Path, data: Path | None, /) -> Material: ...


_USUAL_PACE = Pace()


class Race:
    """A race under way; made by `start`."""

    def __init__(
        self,
        plan: Plan,
        knowledge: Knowledge,
        environments: EnvironmentSource,
        store: Store,
        *,
        folder: Path,
        workloads: Mapping[str, Workload],
        data: Mapping[str, Path],
        adapters: Sequence[Path],
        worker: Path,
        prepare: Preparation,
        pace: Pace,
        clock: Callable[[], float],
        open_meter: OpenMeter,
    ) -> None:
        now = datetime.now(UTC)
        self.id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        self.plan = plan
        self.results: Results | None = None
        self._knowledge, self._environments, self._store = knowledge, environments, store
        self._folder, self._data, self._prepare_data, self._pace = folder, data, prepare, pace
        self._workloads = {
            name: msgspec.structs.replace(workloads[name], batch=plan.batch or workloads[name].batch)
            for name in plan.workloads
        }
        stated = {name: _stated(workload) for name, workload in self._workloads.items()}
        created = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        self._journal = Journal()
        self._board = Scoreboard(self.id, created, plan, machine.describe(), stated, os.getloadavg()[0])
        known = history.expectations(store, plan)
        costs = Costs(known.block_seconds, known.start_seconds)
        budget = Budget(plan, costs)
        self._workers = Workers(
            plan,
            knowledge,
            self._board,
            costs,
            folder=folder,
            program=worker,
            adapters=adapters,
            known_bytes=known.bytes,
            pace=pace,
            tell=self._journal.tell,
            clock=clock,
        )
        batches = {name: each.batch for name, each in stated.items()}
        rounds = Rounds(
            plan,
            self._board,
            self._workers,
            budget,
            costs,
            batches=batches,
            keep=self._keep,
            tell=self._journal.tell,
            clock=clock,
        )
        passes = Passes(
            plan,
            self._board,
            self._workers,
            budget,
            costs,
            batches=batches,
            folder=folder,
            tell=self._journal.tell,
            clock=clock,
            open_meter=open_meter,
        )
        self._launches = Launches(
            plan, self._board, self._workers, rounds, passes, budget, costs, self._keep, self._journal.tell
        )
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    # -- for whoever watches ------------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[AnyEvent]:
        """Every event from the first on, until the race is over; for any number of readers."""
        return self._journal.read()

    def cancel(self, candidate: str | None = None) -> None:
        """Take one candidate out, and its twins, or end the race; what was measured is kept."""
        if candidate is not None:
            for workload in self.plan.workloads:
                for name in {*self.plan.field, *self._workers.live}:
                    if untwinned(name) == candidate:
                        self._workers.end(name, workload, Status.SKIPPED, "it was cancelled")
        elif self._task is not None and not self._ending:
            self._ending = True
            self._task.cancel()

    # -- the whole of it ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        self._journal.tell(events.RaceStarted(id=self.id, plan=self.plan, machine=machine.describe()))
        try:
            async with _background(self._tell_load()):
                await self._race()
        finally:
            self._ending = True
            self._journal.close()

    async def _race(self) -> None:
        materials: dict[str, Material] = {}
        begun = interrupted = False
        try:
            for name, workload in self._workloads.items():  # first of all: the user's own files may be no good
                materials[name] = await self._make_material(name, workload)
            await self._keep(interrupted=True)
            begun = True
            await self._make_environments()
            for name, material in materials.items():
                await self._launches.run(name, material)
        except asyncio.CancelledError:
            interrupted = True  # by `cancel`, or by leaving `start`
        finally:
            self._ending = True
            await self._workers.all_gone()
            if begun:
                self.results = await self._keep(interrupted)
        self._journal.tell(events.RaceFinished(id=self.id, interrupted=interrupted))

    async def _make_material(self, name: str, workload: Workload) -> Material:
        for candidate in self.plan.candidates:
            self._workers.stage(candidate, name, "data", None)
        data = self._data.get(workload.data)
        return await asyncio.to_thread(self._prepare_data, workload, self.plan.seed, self._folder, data)

    async def _make_environments(self) -> None:
        for name in self.plan.candidates:
            if self._out(name):
                continue
            candidate = Candidate.parse(name)
            framework = self._knowledge.frameworks[candidate.framework]

            def report(text: str, fraction: float | None, name: str = name) -> None:
                share = "" if fraction is None else f" {fraction:.0%}"
                self._journal.tell(
                    events.Preparing(candidate=name, workload=None, stage="environment", detail=f"{text}{share}")
                )

            try:
                recipe = recipe_for(framework, candidate.backend, self.plan.device)
            except EnvironmentFailure as failure:
                self._end_everywhere(name, Status.SKIPPED, f"{failure.reason} ({failure.mend})")
                continue
            if lacks := [
                f"{lack} ({need.mend})"
                for need in recipe.needs
                if not need.modes or candidate.mode in need.modes
                if (lack := machine.missing_need(need)) is not None
            ]:
                self._end_everywhere(name, Status.SKIPPED, "; ".join(lacks))
                continue
            try:
                self._workers.environments[name] = self._environments.find(
                    framework, recipe
                ) or await self._environments.create(framework, recipe, report)
            except EnvironmentFailure as failure:
                self._end_everywhere(name, Status.FAILED, f"{failure.reason} ({failure.mend})")

    # -- ends ---------------------------------------------------------------------------------------------------------

    def _out(self, candidate: str) -> bool:
        """Whether a candidate has ended on every workload."""
        return all(self._board.ended(candidate, workload) for workload in self.plan.workloads)

    def _end_everywhere(self, candidate: str, status: Status, reason: str) -> None:
        for workload in self.plan.workloads:
            for name in self.plan.field:
                if untwinned(name) == candidate:
                    self._board.end(name, workload, status, reason)
        self._journal.tell(events.CandidateEnded(candidate=candidate, workload=None, status=status, reason=reason))

    # -- telling and keeping ------------------------------------------------------------------------------------------

    async def _tell_load(self) -> None:
        """Sample the machine's load until cancelled, in one thread of its own: NVML blocks."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "telemetry") as thread:
            telemetry = await loop.run_in_executor(thread, Telemetry)
            try:
                while True:
                    load = await loop.run_in_executor(thread, telemetry.sample)
                    self._journal.tell(load)
                    for gpu in load.gpus:
                        its = gpu.device == self.plan.device
                        if self._workers.running and its and gpu.utilisation is not None:
                            self._board.add_utilisation(*self._workers.running, gpu.utilisation)
                    await asyncio.sleep(self._pace.sample_seconds)
            finally:
                thread.submit(telemetry.close)

    async def _keep(self, interrupted: bool, blocks: Sequence[Block] = ()) -> Results:
        """Store the results so far and the blocks of a round in one transaction; marked interrupted until the end."""
        results = self._board.results(interrupted)
        await asyncio.to_thread(self._store.save, results, blocks)
        return results


@asynccontextmanager
async def start(
    plan: Plan,
    knowledge: Knowledge,
    environments: EnvironmentSource,
    store: Store,
    *,
    folder: Path,
    workloads: Mapping[str, Workload],
    data: Mapping[str, Path] | None = None,
    adapters: Sequence[Path] = (),
    worker: Path = WORKER,
    prepare: Preparation = prepare,
    pace: Pace = _USUAL_PACE,
    lock: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
    open_meter: OpenMeter = open_meter,
) -> AsyncIterator[Race]:
    """Run `plan`; leaving the context ends the race, and keeps what was measured.

    Args:
        folder: where weights and batches are written for the workers.
        workloads: by id; all that the plan names.
        data: data set -> the user's own files, made data for the others.
        adapters: folders of the user's own adapters, beside those of this package.
        worker, prepare, pace, lock, clock, open_meter: other ones for tests.

    Raises:
        BadInput: another race is running on this machine; on leaving: the user's own files cannot be used.
        StoreFailure: the store cannot be written; on leaving.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    with held(lock or default_lock()):
        running = Race(
            plan,
            knowledge,
            environments,
            store,
            folder=folder,
            workloads=workloads,
            data=data or {},
            adapters=adapters,
            worker=worker,
            prepare=prepare,
            pace=pace,
            clock=clock,
            open_meter=open_meter,
        )
        task = running._task = asyncio.create_task(running._run())
        try:
            yield running
        finally:
            running.cancel()
            await task


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` meanwhile, and cancel it at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _stated(workload: Workload) -> Stated:
    """What a workload says of itself, for its batch size."""
    steps = math.ceil(workload.epoch_samples / workload.batch)
    return Stated(
        batch=workload.batch,
        flops={
            "train": float(training_flops_per_sample(workload) * workload.batch),
            "infer": float(flops_per_sample(workload) * workload.batch),
        },
        epochs=workload.epochs,
        steps=None if workload.epochs is None else workload.epochs * steps,
    )
