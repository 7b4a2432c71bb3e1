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
from statistics import median
from typing import Any, Protocol

import msgspec

from bench import events, history, machine, race, waves
from bench.budget import Budget, Costs
from bench.data import prepare
from bench.environments import Environment, EnvironmentFailure, Report, recipe_for
from bench.events import AnyEvent
from bench.machine_lock import default_lock, held
from bench.passes import OpenMeter, Passes
from bench.plan import Candidate, Goal, Plan, untwinned
from bench.results import Basis, Results, Status
from bench.rounds import Heat, Rounds
from bench.scoreboard import Scoreboard, Stated
from bench.session import WorkerFailure
from bench.store import Block, Store
from bench.telemetry import Telemetry
from bench.telemetry.energy import open_meter
from bench.workers import MEMORY_RESERVE_BYTES, Material, Pace, Workers
from bench.workload import Workload, flops_per_sample, training_flops_per_sample
from knowledge.model import Framework, Knowledge, Recipe

__all__ = ["Pace", "Race", "start"]

WORKER = Path(__file__).parent / "worker" / "main.py"

ALONE_BLOCKS = 5
"""Blocks of the first worker before the others start: what a step costs it alone."""

LEAST_WAVE = waves.REFERENCES + 2
"""A field is not split further than this: two references and two others."""


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
        self._board = Scoreboard(self.id, created, plan, machine.describe(), stated, os.getloadavg()[0])
        known = history.expectations(store, plan)
        self._costs = Costs(known.block_seconds, known.start_seconds)
        self._budget = Budget(plan, self._costs)
        self._workers = Workers(
            plan,
            knowledge,
            self._board,
            self._costs,
            folder=folder,
            program=worker,
            adapters=adapters,
            known_bytes=known.bytes,
            pace=pace,
            tell=self._tell,
            clock=clock,
        )
        batches = {name: each.batch for name, each in stated.items()}
        self._rounds = Rounds(
            plan,
            self._board,
            self._workers,
            self._budget,
            self._costs,
            batches=batches,
            keep=self._keep,
            tell=self._tell,
            clock=clock,
        )
        self._passes = Passes(
            plan,
            self._board,
            self._workers,
            self._budget,
            batches=batches,
            folder=folder,
            tell=self._tell,
            clock=clock,
            open_meter=open_meter,
        )
        self._alone: dict[str, tuple[str, float]] = {}  # workload -> the first worker and its CPU seconds a step alone
        self._most: dict[str, int] = {}  # workload -> workers in one wave
        self._early: set[tuple[str, str]] = set()  # races that let go of the flagged after launch 1
        self._journal: list[AnyEvent] = []
        self._readers: set[asyncio.Queue[AnyEvent | None]] = set()
        self._ending = False
        self._started = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    # -- for whoever watches ------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[AnyEvent]:
        """Every event from the first on, until the race is over; for any number of readers."""
        queue: asyncio.Queue[AnyEvent | None] = asyncio.Queue()
        for past in self._journal:
            queue.put_nowait(past)
        if self._task is None or self._task.done():
            queue.put_nowait(None)
        self._readers.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._readers.discard(queue)

    def cancel(self, candidate: str | None = None) -> None:
        """Take one candidate out, and its twins, or end the race; what was measured is kept."""
        if candidate is not None:
            for workload in self.plan.workloads:
                for name in self.plan.field:
                    if untwinned(name) == candidate:
                        self._workers.end(name, workload, Status.SKIPPED, "it was cancelled")
        elif self._task is not None and not self._ending:
            self._ending = True
            self._task.cancel()

    # -- the whole of it ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        self._tell(events.RaceStarted(id=self.id, plan=self.plan, machine=machine.describe()))
        try:
            async with _background(self._tell_load()):
                await self._race()
        finally:
            self._ending = True
            for queue in self._readers:
                queue.put_nowait(None)

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
                await self._race_workload(name, material)
        except asyncio.CancelledError:
            interrupted = True  # by `cancel`, or by leaving `start`
        finally:
            self._ending = True
            await self._workers.all_gone()
            if begun:
                self.results = await self._keep(interrupted)
        self._tell(events.RaceFinished(id=self.id, interrupted=interrupted))

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
                self._tell(
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

    async def _race_workload(self, workload: str, material: Material) -> None:
        """Launches until the goals of all phases are reached, or as far as the budget goes."""
        launch = 0
        while wanted := self._wanted(workload, launch):
            launch += 1
            await self._launch(workload, material, launch, wanted)
        self._budget.finish(workload)
        for name in self.plan.field:
            self._workers.end(name, workload, Status.OK, None)

    def _wanted(self, workload: str, done: int) -> dict[str, tuple[str, ...]]:
        """Phase -> who runs in the launch after `done` ones; nobody where the goal is reached or the budget spent."""
        wanted = {}
        for phase in self.plan.phases:
            field = self._next_field(workload, phase, done)
            racing = [name for name in field if name in self.plan.candidates]
            if not racing:
                continue
            if done and (len(racing) < 2 or self._decided(workload, phase, racing)):
                continue
            if done and self._budget.stop(workload, phase, self._everybody(workload, field), done) <= done:
                continue
            wanted[phase] = field
        return wanted

    def _next_field(self, workload: str, phase: str, done: int) -> tuple[str, ...]:
        """Who of those still in the race runs in the next launch.

        Under the goal `winner` the flagged are let go of after launch 1 where that alone lets the budget pay for the
        launches that a verdict between launches needs.
        """
        plan, launches = self.plan, self._full_launches(workload, phase)

        def field(early: bool) -> tuple[str, ...]:
            names = race.next_field(launches, plan.field, plan.M, plan.alpha, early)
            return tuple(name for name in names if not self._board.ended(name, workload))

        def stop(names: Sequence[str]) -> int:
            return self._budget.stop(workload, phase, self._everybody(workload, names), done)

        if plan.goal is Goal.WINNER and len(launches) == 1 and plan.launches > 1 and (plan.auto or plan.launches > 2):
            few = field(early=True)
            if stop(field(early=False)) < race.MIN_LAUNCHES <= stop(few):
                self._early.add((workload, phase))
        names = field(early=(workload, phase) in self._early)
        for name in plan.candidates:
            if launches and name not in names and not self._board.ended(name, workload):
                text = (
                    f"flagged ({phase}): launch 1 showed at least {race.FLAG_RATIO:g} times the time of another"
                    f" candidate, so it ran in {len(launches)} launches only"
                )
                self._board.flag(name, workload, phase, text)
        return names

    def _full_launches(self, workload: str, phase: str) -> tuple[race.Launch, ...]:
        launches = self._board.launches(workload, phase, self._board.basis(workload, phase) or Basis.WALL)
        return tuple(launch for launch in launches if len(launch) >= race.MIN_ROUNDS)

    def _decided(self, workload: str, phase: str, racing: Sequence[str]) -> bool:
        plan = self.plan
        comparable = [name for name in racing if self._board.comparable(name, workload, phase)]
        return race.decided(self._full_launches(workload, phase), comparable, plan.K, plan.alpha, plan.goal)

    # -- one launch ---------------------------------------------------------------------------------------------------

    def _split(self, workload: str, field: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """The waves of a launch, a single one where all fit into memory."""
        references = field[: waves.REFERENCES]
        free = machine.free_memory_bytes() - MEMORY_RESERVE_BYTES
        needed = {name: self._workers.needed_bytes(name) for name in field}
        return waves.split(field, needed, free, references, self._most.get(workload))

    def _everybody(self, workload: str, field: Sequence[str]) -> list[str]:
        """Whose blocks a round is made of: references count once per wave."""
        most = self._most.get(workload)
        if most is None:
            return list(field)
        split = waves.split(field, dict.fromkeys(field, 0), 0, field[: waves.REFERENCES], most)
        return [name for wave in split for name in wave]

    async def _launch(
        self, workload: str, material: Material, launch: int, wanted: Mapping[str, Sequence[str]]
    ) -> None:
        """New workers for everybody wanted, all at once or in waves, and their rounds."""
        field = [name for name in self.plan.field if any(name in names for names in wanted.values())]
        split = self._split(workload, field)
        references = field[: waves.REFERENCES] if len(split) > 1 else []
        self._board.set_references(workload, launch, references)
        try:
            for number, wave in enumerate(split, start=1):
                for name in wave:
                    if name not in self._workers.live and not self._board.ended(name, workload):
                        await self._workers.prepare(name, workload, material)
                        if launch == number == 1 and len(wave) > 1:
                            await self._measure_alone(name, workload)
                await self._workers.check_idle(workload)
                for phase, names in wanted.items():
                    await self._run_rounds(workload, phase, launch, number, split, wanted, names)
                await self._workers.read_statuses(workload)
                await self._passes.after_launch(workload, material)
                if number == len(split):
                    self._compare_with_alone(workload, launch, len(field))
                if self._is_last(workload, launch, len(split) > 1):
                    await self._passes.after_race(workload, material)
                    await self._keep(interrupted=True)
                await self._workers.close([name for name in wave if number == len(split) or name not in references])
        finally:
            await self._workers.kill()

    async def _run_rounds(
        self,
        workload: str,
        phase: str,
        launch: int,
        number: int,
        split: Sequence[Sequence[str]],
        wanted: Mapping[str, Sequence[str]],
        names: Sequence[str],
    ) -> None:
        """The rounds of one phase in wave `number`."""
        field = [name for wave in split for name in wave if name in names]
        stop = self._budget.stop(workload, phase, field, launch - 1)
        members = [name for name in split[number - 1] if name in names]

        def after() -> float:
            """Seconds of the race after these rounds: the rest of this launch, further launches, other workloads."""
            least, order = race.MIN_ROUNDS, list(wanted)
            pending = {
                each: least
                * sum(
                    self._costs.round([name for name in wave if name in wanted[each]], workload, each)
                    for later, wave in enumerate(split, start=1)
                    if later > number or (later == number and order.index(each) > order.index(phase))
                )
                for each in order
            }
            begun = {name for wave in split[:number] for name in wave}
            starts = {name for wave in split[number:] for name in wave} - begun
            fields = {each: [name for wave in split for name in wave if name in wanted[each]] for each in order}
            return (
                sum(pending.values())
                + sum(self._costs.start(name, workload) for name in starts)
                + self._budget.to_come(workload, launch, fields, pending)
            )

        heat = Heat(workload=workload, phase=phase, launch=launch, launches=stop, wave=number)
        await self._rounds.run(heat, members, after)

    def _is_last(self, workload: str, launch: int, in_waves: bool) -> bool:
        """Whether no launch follows, so that it is time for the passes.

        In waves not everybody lives to the end of a launch; each has its passes at the end of its wave in launch 1.
        """
        return launch == 1 if in_waves else not self._wanted(workload, launch)

    async def _measure_alone(self, name: str, workload: str) -> None:
        """What a step costs the first worker while it is alone."""
        worker, phase = self._workers.live.get(name), self.plan.phases[0]
        if worker is None or workload in self._alone:
            return
        with suppress(WorkerFailure):  # whoever loses it says so
            blocks = [await worker.steps_of(phase, worker.steps[phase]) for _ in range(ALONE_BLOCKS)]
            self._alone[workload] = (name, median(block.cpu_seconds / block.steps for block in blocks))

    def _compare_with_alone(self, workload: str, launch: int, field: int) -> None:
        """Make the waves smaller where the others, merely being there, make a step dearer."""
        name, alone = self._alone.pop(workload, ("", 0.0))
        phase = self.plan.phases[0]
        readings = self._board.readings(name, workload, phase, launch)
        if not alone or not readings or self._board.basis(workload, phase) is not Basis.WALL:
            return
        grown = median(reading.cpu_step_seconds for reading in readings) / alone
        if grown <= waves.ALONE_TOLERANCE:
            return
        text = f"its CPU seconds per step were {grown - 1:.0%} higher with the other workers resident than alone"
        if field > LEAST_WAVE:
            self._most[workload] = max(LEAST_WAVE, math.ceil(field / 2))
            text += f"; later launches run at most {self._most[workload]} workers at once"
        self._board.remark(name, workload, text)

    # -- ends ---------------------------------------------------------------------------------------------------------

    def _out(self, candidate: str) -> bool:
        """Whether a candidate has ended on every workload."""
        return all(self._board.ended(candidate, workload) for workload in self.plan.workloads)

    def _end_everywhere(self, candidate: str, status: Status, reason: str) -> None:
        for workload in self.plan.workloads:
            for name in self.plan.field:
                if untwinned(name) == candidate:
                    self._board.end(name, workload, status, reason)
        self._tell(events.CandidateEnded(candidate=candidate, workload=None, status=status, reason=reason))

    # -- telling and keeping ------------------------------------------------------------------------------------------

    def _tell(self, event: AnyEvent) -> None:
        stamp: dict[str, Any] = {"sequence": len(self._journal), "at_seconds": time.monotonic() - self._started}
        event = msgspec.structs.replace(event, **stamp)
        self._journal.append(event)
        for queue in self._readers:
            queue.put_nowait(event)

    async def _tell_load(self) -> None:
        """Sample the machine's load until cancelled, in one thread of its own: NVML blocks."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "telemetry") as thread:
            telemetry = await loop.run_in_executor(thread, Telemetry)
            try:
                while True:
                    load = await loop.run_in_executor(thread, telemetry.sample)
                    self._tell(load)
                    for gpu in load.gpus:
                        its = gpu.vendor == "nvidia" and f"cuda:{gpu.index}" == self.plan.device
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
