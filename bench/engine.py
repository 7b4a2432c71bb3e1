"""A race from plan to results: makes environments, starts and checks workers, runs rounds, tells, keeps.

    async with start(plan, knowledge, environments, store, folder=..., workloads=...) as race:
        async for event in race.events():
            ...
    race.results

One asyncio task does it all, one thing at a time: candidates are prepared one after another and no two blocks ever
run at once. Threads serve NVML, SQLite and NumPy only. Whatever a candidate does, the others go on; whatever ends
this process, every complete round is in the store.
"""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

import msgspec
import psutil

from bench import affinity, events, machine, parity, protocol, race, tensors
from bench.data import prepare
from bench.environments import Environment, EnvironmentFailure, Report, recipe_for
from bench.events import AnyEvent
from bench.machine_lock import default_lock, held
from bench.plan import Candidate, Plan
from bench.race import Reading
from bench.records import Record
from bench.reference import Reference
from bench.results import Parity, Results, Status
from bench.scoreboard import Scoreboard
from bench.session import Deadlines, Refusal, Session, WorkerFailure, worker_variables
from bench.store import Block, Store
from bench.telemetry import Telemetry
from bench.workload import Workload
from knowledge.model import Framework, Knowledge, Recipe

WORKER = Path(__file__).parent / "worker" / "main.py"

WORKER_BYTES = 800_000_000
"""Memory a worker is expected to need before anything is known of it: the largest of the main frameworks had 650 MB
resident while training."""

MEMORY_RESERVE_BYTES = 500_000_000
"""Left free for everything else: a machine that swaps measures its disk."""

IDLE_SHARE = 0.01
"""Of a core that a waiting worker may use (METHOD, "Fair blocks")."""

IDLE_SETTLE_SECONDS = 0.5
IDLE_WATCH_SECONDS = 2.0
"""CPU times count in hundredths of a second, so 2 s resolve half a per cent."""

SAMPLE_SECONDS = 0.5
"""Between two samples of the machine's load."""

FAILED_BLOCKS = 2
"""Failed blocks in a row that fail a candidate (METHOD, "Race")."""

WARM_UP_CALLS = 3
"""Timed calls of one step, and of several, from which the block length follows; the least of each is used."""

FIRST_GUESS_STEPS = 64
"""Steps of the first longer warm-up call, at most."""

MOST_GUESSES = 6
"""Times the block length is worked out anew; it can grow eightfold each time."""

_SKIPPING = frozenset({"compiler", "library", "device", "precision"})
"""Kinds of refusal that speak of this machine, not of a fault: the candidate is skipped."""

_BLOCKS: dict[str, type[protocol.Train] | type[protocol.Infer]] = {"train": protocol.Train, "infer": protocol.Infer}


class EnvironmentSource(Protocol):
    """Where environments come from (`bench.environments.Environments`)."""

    def find(self, framework: Framework, recipe: Recipe) -> Environment | None: ...

    async def create(self, framework: Framework, recipe: Recipe, report: Report) -> Environment: ...


class Material(Protocol):
    """What the workers of one workload are built from and held against (`bench.data.PreparedData`)."""

    @property
    def network_json(self) -> Path: ...
    @property
    def weights_manifest(self) -> Path: ...
    @property
    def batches_manifest(self) -> Path: ...
    @property
    def reference(self) -> Reference: ...


class Preparation(Protocol):
    """Makes the material of a workload below a folder (`bench.data.prepare`)."""

    def __call__(self, workload: Workload, seed: int, folder: Path, data: Path | None, /) -> Material: ...


class _Unfit(WorkerFailure):
    """Something that this machine lacks, so that a candidate is skipped and not failed."""


class Pace(Record, frozen=True):
    """What the engine waits for; tests on fake workers shorten it."""

    deadlines: Deadlines = Deadlines()
    idle_settle_seconds: float = IDLE_SETTLE_SECONDS
    idle_watch_seconds: float = IDLE_WATCH_SECONDS
    sample_seconds: float = SAMPLE_SECONDS


_USUAL_PACE = Pace()


class _Worker:
    """One candidate's live worker in one launch of one workload."""

    def __init__(self, candidate: str, session: Session) -> None:
        self.candidate, self.session = candidate, session
        self.steps: dict[str, int] = {}  # phase -> steps per block
        self.block_seconds: dict[str, float] = {}  # phase -> what a block took in warm-up
        self.failures = 0  # failed blocks in a row


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
        worker: Path,
        prepare: Preparation,
        pace: Pace,
    ) -> None:
        now = datetime.now(UTC)
        self.id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        self.plan = plan
        self.results: Results | None = None
        self._knowledge, self._environments, self._store = knowledge, environments, store
        self._folder, self._data, self._worker_file = folder, data, worker
        self._prepare_data, self._pace = prepare, pace
        self._workloads = {
            name: msgspec.structs.replace(workloads[name], batch=plan.batch or workloads[name].batch)
            for name in plan.workloads
        }
        self._board = Scoreboard(
            self.id,
            f"{now:%Y-%m-%dT%H:%M:%SZ}",
            plan,
            machine.describe(),
            {name: workload.batch for name, workload in self._workloads.items()},
            os.getloadavg()[0],
        )
        self._cpus = affinity.choose(plan.threads)
        self._ready: dict[str, Environment] = {}  # candidate -> its environment
        self._live: dict[str, _Worker] = {}
        self._known_bytes: dict[str, int] = {}  # candidate -> peak memory of its last worker
        self._running: tuple[str, str] | None = None  # candidate and workload whose block runs
        self._journal: list[AnyEvent] = []
        self._readers: set[asyncio.Queue[AnyEvent | None]] = set()
        self._ending = False
        self._started = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._kills: set[asyncio.Task[None]] = set()

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
        """Take one candidate out, or end the race; what was measured is kept."""
        if candidate is not None:
            for workload in self.plan.workloads:
                self._end(candidate, workload, Status.SKIPPED, "it was cancelled")
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
            await asyncio.gather(*self._kills, return_exceptions=True)
            if begun:
                self.results = await self._keep(interrupted)
        self._tell(events.RaceFinished(id=self.id, interrupted=interrupted))

    async def _make_material(self, name: str, workload: Workload) -> Material:
        for candidate in self.plan.candidates:
            self._stage(candidate, name, "data", None)
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
                self._ready[name] = self._environments.find(framework, recipe) or await self._environments.create(
                    framework, recipe, report
                )
            except EnvironmentFailure as failure:
                self._end_everywhere(name, Status.FAILED, f"{failure.reason} ({failure.mend})")

    async def _race_workload(self, name: str, material: Material) -> None:
        for launch in range(1, self.plan.launches + 1):
            try:
                for candidate in self._field(name):
                    if not self._board.ended(candidate, name):
                        await self._prepare(candidate, name, material)
                await self._check_idle(name)
                for phase in self.plan.phases:
                    await self._race_phase(name, phase, launch)
                await self._close_workers(name)
            finally:
                await self._kill_workers()
        for candidate in self.plan.candidates:
            self._end(candidate, name, Status.OK, None)

    def _field(self, workload: str) -> tuple[str, ...]:
        """Who runs in the next launch: those that some phase still needs; nobody when all is decided."""
        plan = self.plan
        wanted: set[str] = set()
        for phase in plan.phases:
            launches = self._board.launches(workload, phase)
            field = race.next_field(launches, plan.candidates, plan.M, plan.alpha)
            if len(launches) < race.MIN_LAUNCHES or not race.decided(launches, field, plan.K, plan.alpha):
                wanted.update(field)
        return tuple(candidate for candidate in plan.candidates if candidate in wanted)

    # -- one worker ---------------------------------------------------------------------------------------------------

    async def _prepare(self, candidate: str, workload: str, material: Material) -> None:
        """Start, load, build, check and warm up one worker; a candidate that cannot is out of this workload."""
        try:
            needed = self._known_bytes.get(candidate, WORKER_BYTES) + MEMORY_RESERVE_BYTES
            if (free := machine.free_memory_bytes()) < needed:
                raise _Unfit(
                    f"{needed / 1e9:.1f} GB of free memory are needed, {free / 1e9:.1f} GB are free",
                    "close other programs, or race fewer candidates at once",
                )
            worker = await self._start_worker(candidate, workload)
            await self._check_worker(worker, workload, material)
        except WorkerFailure as failure:
            unfit = isinstance(failure, _Unfit) or (isinstance(failure, Refusal) and failure.kind in _SKIPPING)
            self._end(candidate, workload, Status.SKIPPED if unfit else Status.FAILED, str(failure))

    async def _start_worker(self, candidate: str, workload: str) -> _Worker:
        self._stage(candidate, workload, "start", None)
        environment = self._ready[candidate]
        # A temporary folder of its own: compilers keep code there, and a first step must pay for its compilation.
        scratch = await asyncio.to_thread(mkdtemp, prefix="worker-", dir=self._folder)
        session = await Session.start(
            candidate,
            environment.python,
            self._worker_file,
            worker_variables({**environment.variables, "TMPDIR": scratch}),
            self._cpus,
            ("--parent", str(os.getpid())),
        )
        if self._board.ended(candidate, workload):  # cancelled meanwhile
            await session.kill()
            raise session.lost.result()
        worker = self._live[candidate] = _Worker(candidate, session)
        session.lost.add_done_callback(lambda lost: self._on_lost(worker, workload, lost.result()))
        return worker

    async def _check_worker(self, worker: _Worker, workload: str, material: Material) -> None:
        candidate, session, deadlines = worker.candidate, worker.session, self._pace.deadlines
        parsed = Candidate.parse(candidate)
        environment = self._ready[candidate]
        framework = self._knowledge.frameworks[parsed.framework]

        self._stage(candidate, workload, "import", deadlines.load)
        loaded = await session.request(
            protocol.Load(
                id=0,
                adapter=str(self._worker_file.parent / "adapters" / f"{framework.adapter}.py"),
                backend=parsed.backend,
                device=self.plan.device,
                precision=self.plan.precision,
                threads=self.plan.threads,
            ),
            protocol.Loaded,
            "import",
            deadlines.load,
        )
        self._stage(candidate, workload, "build", deadlines.build)
        built = await session.request(
            protocol.Build(
                id=0,
                network=str(material.network_json),
                weights=str(material.weights_manifest),
                batches=str(material.batches_manifest),
                mode=parsed.mode,
            ),
            protocol.Built,
            "build",
            deadlines.build,
        )
        self._stage(candidate, workload, "parity", deadlines.trace)
        first_update = self._folder / f"first-update-{session.pid}.json"
        traced = await session.request(
            protocol.Trace(id=0, steps=parity.STEPS, first_update=str(first_update)),
            protocol.Traced,
            "the parity check",
            deadlines.trace,
        )
        found = await asyncio.to_thread(_compare, material, traced, first_update)
        self._board.note(
            candidate,
            workload,
            import_seconds=loaded.import_seconds,
            build_seconds=built.build_seconds,
            first_step_seconds=traced.first_step_seconds,
            parity=found,
            versions={**environment.freeze, **loaded.versions},
            stand_ins=environment.stand_ins,
        )
        if not found.passed:
            raise WorkerFailure(
                f"it does not compute what the reference does: losses differ by {found.max_relative_difference:.1e}"
                f" ({found.tolerance:.0e} allowed), the first update of {found.worst_tensor} by"
                f" {found.first_update_difference:.1e} ({found.first_update_tolerance:.0e} allowed)",
                "report it; its speed is not compared",
            )
        for phase in self.plan.phases:
            self._stage(candidate, workload, "warm-up", deadlines.warm_up)
            await self._warm_up(worker, phase)
            status = await self._read_status(worker, workload)
            self._tell(
                events.Prepared(
                    candidate=candidate,
                    workload=workload,
                    phase=phase,
                    import_seconds=loaded.import_seconds,
                    build_seconds=built.build_seconds,
                    first_step_seconds=traced.first_step_seconds,
                    steps_per_block=worker.steps[phase],
                    parity=found,
                    threads_seen=status.threads_seen,
                    peak_rss_bytes=status.peak_rss_bytes,
                )
            )
        self._stage(candidate, workload, "ready", None)

    async def _warm_up(self, worker: _Worker, phase: str) -> None:
        """Bring one worker to its steady state and choose its block: long enough, call overhead small enough."""

        async def call(steps: int) -> protocol.Block:
            return await worker.session.request(
                _BLOCKS[phase](id=0, steps=steps, rewarm=0), protocol.Block, "warm-up", self._pace.deadlines.warm_up
            )

        def seconds(blocks: list[protocol.Block]) -> list[float]:
            return [min(each.wall_seconds, each.cpu_seconds) if alone else each.wall_seconds for each in blocks]

        # One thread on the CPU needs as much wall time as CPU time once the neighbours are quiet again.
        alone = self.plan.device == "cpu" and self.plan.threads == 1
        await call(1)  # may compile again: a trace reads every loss, a block does not
        single = seconds([await call(1) for _ in range(WARM_UP_CALLS)])
        steps = max(2, min(FIRST_GUESS_STEPS, round(race.BLOCK_SECONDS / max(min(single), 1e-6))))
        for _ in range(MOST_GUESSES):
            timed = steps
            longer = [await call(timed) for _ in range(WARM_UP_CALLS)]
            steps = race.steps_per_block(single, seconds(longer), timed)
            if steps <= timed:
                break
        worker.steps[phase] = steps
        worker.block_seconds[phase] = steps * min(each.wall_seconds for each in longer) / timed

    async def _read_status(self, worker: _Worker, workload: str) -> protocol.StatusReply:
        status = await worker.session.request(
            protocol.Status(id=0), protocol.StatusReply, "status", self._pace.deadlines.status
        )
        self._known_bytes[worker.candidate] = status.peak_rss_bytes
        self._board.note(
            worker.candidate,
            workload,
            threads_seen=status.threads_seen,
            peak_rss_bytes=status.peak_rss_bytes,
            gpu_memory_bytes=status.gpu_memory_bytes,
            notes=status.notes,
        )
        return status

    async def _check_idle(self, workload: str) -> None:
        """Take out workers that use the CPU while they wait: they would slow the others down."""
        if len(self._live) < 2:
            return
        await asyncio.sleep(self._pace.idle_settle_seconds)
        before = {name: _cpu_seconds(worker.session.pid) for name, worker in self._live.items()}
        started = time.monotonic()
        await asyncio.sleep(self._pace.idle_watch_seconds)
        elapsed = time.monotonic() - started
        for name, worker in list(self._live.items()):
            share = (_cpu_seconds(worker.session.pid) - before.get(name, 0.0)) / elapsed
            if share > IDLE_SHARE:
                reason = f"its worker used {share:.0%} of a core while it waited (race it on its own)"
                self._end(name, workload, Status.INCOMPARABLE, reason)

    async def _close_workers(self, workload: str) -> None:
        for worker in list(self._live.values()):
            with suppress(WorkerFailure):
                await self._read_status(worker, workload)
            if self._live.pop(worker.candidate, None) is not None:
                await worker.session.close()

    async def _kill_workers(self) -> None:
        workers = list(self._live.values())
        self._live.clear()  # first, so that none of them counts as lost
        await asyncio.gather(*(worker.session.kill() for worker in workers))

    # -- rounds -------------------------------------------------------------------------------------------------------

    async def _race_phase(self, workload: str, phase: str, launch: int) -> None:
        """Rounds of one launch until the planned number, or until the budget is spent and a launch is complete."""
        share = self.plan.budget_seconds / (len(self._workloads) * len(self.plan.phases) * self.plan.launches)
        expected = sum(worker.block_seconds[phase] for worker in self._live.values())
        planned = race.rounds_within(share, expected, self.plan.rounds)
        started = time.monotonic()
        complete = 0
        for number in range(1, 2 * planned + 1):  # voided rounds are made up for, but not for ever
            spent = time.monotonic() - started
            each = spent / (number - 1) if number > 1 else expected
            if not self._live or complete >= planned:
                return
            if complete >= race.MIN_ROUNDS and spent + each > share:
                return
            remaining = each * (planned - complete)
            deadlines = [self._pace.deadlines.for_block(w.block_seconds[phase]) for w in self._live.values()]
            self._tell(
                events.RoundStarted(
                    workload=workload,
                    phase=phase,
                    launch=launch,
                    round=number,
                    rounds=planned,
                    remaining_seconds=remaining,
                    deadline_seconds=max(deadlines),
                )
            )
            complete += await self._round(workload, phase, launch, number, planned, remaining - each)

    async def _round(self, workload: str, phase: str, launch: int, number: int, planned: int, remaining: float) -> bool:
        """One block of every live candidate in random order; whether the round is complete. It is in the store then."""
        order = race.round_order(self._live, self.plan.seed, workload, phase, launch, number)
        readings: dict[str, Reading] = {}
        for candidate in order:
            worker = self._live.get(candidate)
            reading = await self._block(worker, workload, phase) if worker is not None else None
            if reading is None:
                break  # a failed block voids the round for all
            readings[candidate] = reading
            self._tell(
                events.BlockDone(
                    candidate=candidate,
                    workload=workload,
                    phase=phase,
                    launch=launch,
                    round=number,
                    wall_seconds=reading.wall_seconds,
                    cpu_seconds=reading.cpu_seconds,
                    steps=reading.steps,
                    samples=reading.steps * self._workloads[workload].batch,
                )
            )
        complete = len(readings) == len(order)
        if complete:
            self._board.add_round(workload, phase, launch, readings)
        blocks = [
            Block(
                workload=workload,
                phase=phase,
                launch=launch,
                round=number,
                position=position,
                candidate=candidate,
                reading=readings[candidate],
                complete=complete,
            )
            for position, candidate in enumerate(order)
            if candidate in readings
        ]
        await self._keep(interrupted=True, blocks=blocks)
        standings = self._board.standings(workload, phase)
        self._tell(
            events.RoundDone(
                workload=workload,
                phase=phase,
                launch=launch,
                round=number,
                rounds=planned,
                complete=complete,
                standings=standings,
                pairs=self._board.live_pairs(workload, phase, standings),
                gauge=self._board.gauge(workload, phase),
                remaining_seconds=max(0.0, remaining),
            )
        )
        return complete

    async def _block(self, worker: _Worker, workload: str, phase: str) -> Reading | None:
        """One block, None when it failed; a second failure in a row, or the loss of the worker, ends the candidate."""
        self._running = (worker.candidate, workload)
        try:
            block = await worker.session.request(
                _BLOCKS[phase](id=0, steps=worker.steps[phase]),
                protocol.Block,
                "a block",
                self._pace.deadlines.for_block(worker.block_seconds[phase]),
            )
        except Refusal as refusal:
            worker.failures += 1
            if worker.failures >= FAILED_BLOCKS:
                self._end(worker.candidate, workload, Status.FAILED, str(refusal))
            return None
        except WorkerFailure as failure:
            self._end(worker.candidate, workload, Status.FAILED, str(failure))
            return None
        finally:
            self._running = None
        worker.failures = 0
        if block.wall_seconds <= 0 or block.cpu_seconds < 0 or block.steps != worker.steps[phase]:
            self._end(worker.candidate, workload, Status.FAILED, "it reported a block that cannot be (report it)")
            return None
        return Reading(wall_seconds=block.wall_seconds, cpu_seconds=block.cpu_seconds, steps=block.steps)

    # -- ends ---------------------------------------------------------------------------------------------------------

    def _on_lost(self, worker: _Worker, workload: str, failure: WorkerFailure) -> None:
        """A worker was lost, perhaps while it waited for its turn: say so at once."""
        if self._live.get(worker.candidate) is worker:
            self._end(worker.candidate, workload, Status.FAILED, str(failure))

    def _end(self, candidate: str, workload: str, status: Status, reason: str | None) -> None:
        """Record and tell how a candidate ended on a workload, once; a worker it still has is killed."""
        if not self._board.end(candidate, workload, status, reason):
            return
        self._tell(events.CandidateEnded(candidate=candidate, workload=workload, status=status, reason=reason))
        if (worker := self._live.pop(candidate, None)) is not None:
            kill = asyncio.get_running_loop().create_task(worker.session.kill())
            self._kills.add(kill)
            kill.add_done_callback(self._kills.discard)

    def _out(self, candidate: str) -> bool:
        """Whether a candidate has ended on every workload."""
        return all(self._board.ended(candidate, workload) for workload in self.plan.workloads)

    def _end_everywhere(self, candidate: str, status: Status, reason: str) -> None:
        for workload in self.plan.workloads:
            self._board.end(candidate, workload, status, reason)
        self._tell(events.CandidateEnded(candidate=candidate, workload=None, status=status, reason=reason))

    # -- telling and keeping ------------------------------------------------------------------------------------------

    def _stage(self, candidate: str, workload: str, stage: str, deadline_seconds: float | None) -> None:
        if self._board.ended(candidate, workload):
            return
        self._tell(
            events.Preparing(candidate=candidate, workload=workload, stage=stage, deadline_seconds=deadline_seconds)
        )

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
                        if self._running and its and gpu.utilisation is not None:
                            self._board.add_utilisation(*self._running, gpu.utilisation)
                    await asyncio.sleep(self._pace.sample_seconds)
            finally:
                thread.submit(telemetry.close)

    async def _keep(self, interrupted: bool, blocks: list[Block] | None = None) -> Results:
        """Store the results so far and the blocks of a round in one transaction; marked interrupted until the end."""
        results = self._board.results(interrupted)
        await asyncio.to_thread(self._store.save, results, blocks or ())
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
    worker: Path = WORKER,
    prepare: Preparation = prepare,
    pace: Pace = _USUAL_PACE,
    lock: Path | None = None,
) -> AsyncIterator[Race]:
    """Run `plan`; leaving the context ends the race, and keeps what was measured.

    Args:
        folder: where weights and batches are written for the workers.
        workloads: by id; all that the plan names.
        data: data set -> the user's own files, made data for the others.
        worker, prepare, pace, lock: other ones for tests.

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
            worker=worker,
            prepare=prepare,
            pace=pace,
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


def _compare(material: Material, traced: protocol.Traced, first_update: Path) -> Parity:
    """The parity of a trace with the reference; the worker's file is removed.

    Raises:
        WorkerFailure: the file it wrote cannot be read.
    """
    try:
        update = tensors.read_tensors(first_update)
    except (OSError, ValueError) as error:
        raise WorkerFailure(
            f"the weights it wrote cannot be read: {error}", "report it: the adapter is broken"
        ) from error
    finally:
        first_update.unlink(missing_ok=True)
        first_update.with_suffix(".bin").unlink(missing_ok=True)
    return parity.compare(material.reference, traced.losses, update)


def _cpu_seconds(pid: int) -> float:
    """CPU seconds a process has used so far; 0 when it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
