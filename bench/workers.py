"""The workers of a race: started, checked against the reference, warmed up, watched and ended.

Whatever a worker does, the others go on: one that cannot be made ready, or is lost later, ends its candidate on the
workload at hand and nothing else. Works on the race's one task; `bench.engine` says who runs when.
"""

import asyncio
import math
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol, TypeVar

import numpy as np
import psutil

from bench import affinity, events, machine, parity, protocol, race, tensors
from bench.budget import Costs
from bench.environments import Environment
from bench.events import AnyEvent
from bench.plan import Candidate, Plan, untwinned
from bench.race import Reading
from bench.records import Record
from bench.reference import Reference
from bench.results import Parity, Status
from bench.scoreboard import Scoreboard
from bench.session import Deadlines, Refusal, Request, Session, WorkerFailure, worker_variables
from knowledge.model import Knowledge

WORKER_BYTES = {"cpu": 800_000_000, "mps": 800_000_000, "cuda": 1_800_000_000}
"""Memory a worker is expected to need before anything is known of it, by kind of device: the largest of the main
frameworks had 650 MB resident while training on a CPU, and 1.6 GB with a GPU's libraries loaded."""

MEMORY_RESERVE_BYTES = 500_000_000
"""Left free for everything else: a machine that swaps measures its disk."""

IDLE_SHARE = 0.01
"""Of a core that a waiting worker may use (METHOD, "Fair blocks")."""

IDLE_SETTLE_SECONDS = 0.5
IDLE_WATCH_SECONDS = 2.0
"""CPU times count in hundredths of a second, so 2 s resolve half a per cent."""

KERNEL_SHARE = 0.05
"""Share of CPU time spent in the kernel from which on it is told: six processes of PyTorch on one small convolutional
network had 12 to 21 %, with 3,900 to 7,000 page faults a step, and none with a large MALLOC_TRIM_THRESHOLD_."""

PAGE_FAULTS = 100
"""Page faults a step from which on they are told to be the reason: a tenth of a millisecond or so. Without them it is
something else that asks for the kernel, as a GPU's driver does (7 to 11 % on an H100)."""

SAMPLE_SECONDS = 0.5
"""Between two samples of the machine's load."""

WARM_UP_CALLS = 3
"""Timed calls of one step, and of several, from which the block length follows; the least of each is used."""

WARM_BLOCKS = 2
"""Blocks that a worker does before its first round, the block being known."""

FIRST_GUESS_STEPS = 64
"""Steps of the first longer warm-up call, at most."""

MOST_GUESSES = 6
"""Times the block length is worked out anew; it can grow eightfold each time."""

WARMED = "first step: training's came after one of inference in the same process, which may have made it shorter"
"""Remark where one process does both: outputs are checked before training changes the weights."""

_SKIPPING = frozenset({"compiler", "library", "device", "precision"})
"""Kinds of refusal that speak of this machine, not of a fault: the candidate is skipped."""

_BLOCKS: dict[str, type[protocol.Train] | type[protocol.Infer]] = {"train": protocol.Train, "infer": protocol.Infer}

_NO_OUTPUTS: tensors.Array = np.empty(0, np.float32)

ReplyType = TypeVar("ReplyType", bound=protocol.Reply)


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


class Pace(Record, frozen=True):
    """What the engine waits for; tests on fake workers shorten it."""

    deadlines: Deadlines = Deadlines()
    idle_settle_seconds: float = IDLE_SETTLE_SECONDS
    idle_watch_seconds: float = IDLE_WATCH_SECONDS
    sample_seconds: float = SAMPLE_SECONDS


class Unfit(WorkerFailure):
    """Something that this machine lacks, so that a candidate is skipped and not failed."""


class Worker:
    """One live worker in one launch of one workload; `name` is its candidate's, or that of a twin."""

    def __init__(self, name: str, session: Session, pace: Pace) -> None:
        self.name, self.session, self.pace = name, session, pace
        self.steps: dict[str, int] = {}  # phase -> steps per block
        self.block_seconds: dict[str, float] = {}  # phase -> what a block took in warm-up
        self.failures = 0  # failed blocks in a row
        self.choosing_seconds = 0.0  # spent on choosing blocks, which the next launch will not have to
        self.over = False  # whether its last round is over, so that its loss ends nothing

    async def ask(self, message: Request, reply: type[ReplyType], what: str, deadline_seconds: float) -> ReplyType:
        """One request (`bench.session.Session.request`)."""
        return await self.session.request(message, reply, what, deadline_seconds)

    async def block(self, phase: str) -> Reading:
        """One block of its usual length.

        Raises:
            Refusal: the worker could not do it and lives on.
            WorkerFailure: it is lost, or reported what cannot be.
        """
        steps = self.steps[phase]
        block = await self.ask(
            _BLOCKS[phase](id=0, steps=steps),
            protocol.Block,
            "a block",
            self.pace.deadlines.for_block(self.block_seconds[phase]),
        )
        if block.wall_seconds <= 0 or block.cpu_seconds < 0 or block.steps != steps:
            raise WorkerFailure("it reported a block that cannot be", "report it")
        return Reading(wall_seconds=block.wall_seconds, cpu_seconds=block.cpu_seconds, steps=block.steps)

    async def steps_of(self, phase: str, steps: int, rewarm: int = 0) -> protocol.Block:
        """A block of another length, outside the rounds."""
        return await self.ask(
            _BLOCKS[phase](id=0, steps=steps, rewarm=rewarm), protocol.Block, "warm-up", self.pace.deadlines.warm_up
        )


class Workers:
    """All live workers of a race.

    Args:
        adapters: folders that adapters are looked for in, the first that has the file serves.
        known_bytes: candidate -> peak memory of its worker in earlier runs; learned on.
        tell: where events go.
        clock: seconds, as `time.monotonic`.

    Attributes:
        environments: candidate -> the environment it runs in; filled by the engine.
        live: name -> worker.
        running: name, workload and phase whose block runs now.
    """

    def __init__(
        self,
        plan: Plan,
        knowledge: Knowledge,
        board: Scoreboard,
        costs: Costs,
        *,
        folder: Path,
        program: Path,
        adapters: Sequence[Path],
        known_bytes: Mapping[str, int],
        pace: Pace,
        tell: Callable[[AnyEvent], None],
        clock: Callable[[], float],
    ) -> None:
        self.environments: dict[str, Environment] = {}
        self.live: dict[str, Worker] = {}
        self.running: tuple[str, str, str] | None = None
        self._plan, self._knowledge, self._board, self._costs = plan, knowledge, board, costs
        self._folder, self._program, self._adapters = folder, program, adapters
        self._known_bytes = dict(known_bytes)
        self._pace, self._tell, self._clock = pace, tell, clock
        self._cpus = affinity.choose(plan.threads)
        self._kills: set[asyncio.Task[None]] = set()
        self._blocks: dict[tuple[str, str, str], int] = {}  # candidate, workload, phase -> least steps of a block

    # -- making one ready ---------------------------------------------------------------------------------------------

    def needed_bytes(self, name: str) -> int:
        """Memory that a worker is expected to take."""
        return self._known_bytes.get(untwinned(name), WORKER_BYTES[self._plan.device.partition(":")[0]])

    async def prepare(self, name: str, workload: str, material: Material) -> None:
        """Start, load, build, check and warm up one worker; a candidate that cannot is out of this workload."""
        began = self._clock()
        try:
            needed = self.needed_bytes(name) + MEMORY_RESERVE_BYTES
            if (free := machine.free_memory_bytes()) < needed:
                raise Unfit(
                    f"{needed / 1e9:.1f} GB of free memory are needed, {free / 1e9:.1f} GB are free",
                    "close other programs, or race fewer candidates at once",
                )
            worker = await self._start(name, workload)
            await self._check(worker, workload, material)
        except WorkerFailure as failure:
            unfit = isinstance(failure, Unfit) or (isinstance(failure, Refusal) and failure.kind in _SKIPPING)
            self.end(name, workload, Status.SKIPPED if unfit else Status.FAILED, str(failure))
        else:
            self._costs.add_start(name, workload, self._clock() - began - worker.choosing_seconds)

    async def _start(self, name: str, workload: str) -> Worker:
        self.stage(name, workload, "start", None)
        environment = self.environments[untwinned(name)]
        # A temporary folder of its own: compilers keep code there, and a first step must pay for its compilation.
        scratch = await asyncio.to_thread(mkdtemp, prefix="worker-", dir=self._folder)
        session = await Session.start(
            name,
            environment.python,
            self._program,
            worker_variables({**environment.variables, "TMPDIR": scratch}),
            self._cpus,
            ("--parent", str(os.getpid())),
        )
        if self._board.ended(name, workload):  # cancelled meanwhile
            await session.kill()
            raise session.lost.result()
        worker = self.live[name] = Worker(name, session, self._pace)
        session.lost.add_done_callback(lambda lost: self._on_lost(worker, workload, lost.result()))
        return worker

    def _adapter(self, name: str) -> Path:
        file = f"{self._knowledge.frameworks[name].adapter}.py"
        folders = (self._program.parent / "adapters", *self._adapters)
        return next((folder / file for folder in folders if (folder / file).exists()), folders[0] / file)

    async def _check(self, worker: Worker, workload: str, material: Material) -> None:
        name, deadlines, plan = worker.name, self._pace.deadlines, self._plan
        candidate = Candidate.parse(untwinned(name))
        environment = self.environments[untwinned(name)]
        self.stage(name, workload, "import", deadlines.load)
        loaded = await worker.ask(
            protocol.Load(
                id=0,
                adapter=str(self._adapter(candidate.framework)),
                backend=candidate.backend,
                device=plan.device,
                precision=plan.precision,
                threads=plan.threads,
            ),
            protocol.Loaded,
            "import",
            deadlines.load,
        )
        self.stage(name, workload, "build", deadlines.build)
        built = await worker.ask(
            protocol.Build(
                id=0,
                network=str(material.network_json),
                weights=str(material.weights_manifest),
                batches=str(material.batches_manifest),
                mode=candidate.mode,
            ),
            protocol.Built,
            "build",
            deadlines.build,
        )
        self.stage(name, workload, "parity", deadlines.trace)
        outputs, first_steps = None, dict[str, float]()
        if "infer" in plan.phases:  # before training changes the weights
            predicted = self._folder / f"outputs-{worker.session.pid}.json"
            message = protocol.Predict(id=0, outputs=str(predicted))
            told = await worker.ask(message, protocol.Predicted, "the parity check", deadlines.trace)
            first_steps["infer"] = told.first_step_seconds
            outputs = (await asyncio.to_thread(_read_and_remove, predicted)).get("outputs", _NO_OUTPUTS)
        first_update = self._folder / f"first-update-{worker.session.pid}.json"
        traced = await worker.ask(
            protocol.Trace(id=0, steps=parity.STEPS, first_update=str(first_update)),
            protocol.Traced,
            "the parity check",
            deadlines.trace,
        )
        first_steps["train"] = traced.first_step_seconds
        if {"train", "infer"} <= set(plan.phases):
            self._board.remark(name, workload, WARMED)
        update = await asyncio.to_thread(_read_and_remove, first_update)
        found = parity.compare(
            material.reference,
            traced.losses,
            update,
            outputs,
            precision=plan.precision,
            framework=candidate.framework,
            device=plan.device,
            workload=workload,
        )
        self._board.note(
            name,
            workload,
            parity=found,
            versions={**environment.freeze, **loaded.versions},
            stand_ins=environment.stand_ins,
            environment_bytes=environment.disk_bytes,
        )
        self._board.add_start(name, workload, loaded.import_seconds, built.build_seconds, first_steps)
        if not found.passed:
            raise WorkerFailure(_parity_words(found), "report it; its speed is not compared")
        for phase in plan.phases:
            self.stage(name, workload, "warm-up", deadlines.warm_up)
            await self._warm_up(worker, workload, phase)
            status = await self.read_status(worker, workload, phase)
            self._tell(
                events.Prepared(
                    candidate=name,
                    workload=workload,
                    phase=phase,
                    import_seconds=loaded.import_seconds,
                    build_seconds=built.build_seconds,
                    first_step_seconds=first_steps[phase],
                    steps_per_block=worker.steps[phase],
                    parity=found,
                    threads_seen=status.threads_seen,
                    peak_rss_bytes=status.peak_rss_bytes,
                )
            )
        self.stage(name, workload, "ready", None)

    async def _warm_up(self, worker: Worker, workload: str, phase: str) -> None:
        """Bring one worker to its steady state and choose its block: long enough, call overhead small enough.

        What calling costs is worked out once per candidate, by its first worker: it takes a difference of timings, and
        launches are to differ by nothing but the processes.
        """
        await worker.steps_of(phase, 1)  # may compile again: a trace reads every loss, a block does not
        key = (untwinned(worker.name), workload, phase)
        if key in self._blocks:
            steps = self._blocks[key]
            calls = [await worker.steps_of(phase, max(steps, 2)) for _ in range(WARM_BLOCKS)]
        else:
            began = self._clock()
            steps, calls = await self._choose_block(worker, workload, phase)
            worker.choosing_seconds += self._clock() - began
            self._blocks[key] = steps if steps > math.ceil(race.BLOCK_SECONDS / _step_seconds(calls)) else 1
        step = _step_seconds(calls)
        steps = worker.steps[phase] = max(steps, math.ceil(race.BLOCK_SECONDS / step))
        worker.block_seconds[phase] = steps * step
        self._costs.expect_block(worker.name, workload, phase, (steps + 1) * step)  # and the re-warm step

    async def _choose_block(self, worker: Worker, workload: str, phase: str) -> tuple[int, list[protocol.Block]]:
        """Steps of a block that is long enough, with a small enough call overhead, and the last calls it rests on."""

        def seconds(blocks: list[protocol.Block]) -> list[float]:
            return [min(each.wall_seconds, each.cpu_seconds) if alone else each.wall_seconds for each in blocks]

        async def calls(steps: int) -> list[protocol.Block]:
            return [await worker.steps_of(phase, steps) for _ in range(WARM_UP_CALLS)]

        # One thread on the CPU needs as much wall time as CPU time once the neighbours are quiet again.
        alone = self._plan.device == "cpu" and self._plan.threads == 1
        single = seconds(await calls(1))
        steps = max(2, min(FIRST_GUESS_STEPS, round(race.BLOCK_SECONDS / max(min(single), 1e-6))))
        for _ in range(MOST_GUESSES):
            timed = steps
            longer = await calls(timed)
            steps = race.steps_per_block(single, seconds(longer), timed)
            if steps > timed:  # the first calls may have been slow for another reason: ask once more
                single += seconds(await calls(1))
                steps = race.steps_per_block(single, seconds(longer), timed)
            if steps <= timed:
                break
        share = race.overhead_share(single, seconds(longer), timed, steps)
        if share > race.CALL_OVERHEAD + 1e-6:  # beyond rounding
            text = (
                f"calling takes {share:.0%} of a block of {steps} steps ({phase}), and not {race.CALL_OVERHEAD:.0%} at"
                f" most: blocks last {race.LONGEST_BLOCK_SECONDS:g} s at most"
            )
            self._board.remark(worker.name, workload, text)
        return steps, longer

    async def read_status(self, worker: Worker, workload: str, phase: str) -> protocol.StatusReply:
        """What the worker says of itself once it has done `phase`, written down.

        Its peaks of memory never fall: those of inference cannot be told from training's where one process does both.
        """
        status = await worker.ask(protocol.Status(id=0), protocol.StatusReply, "status", self._pace.deadlines.status)
        self._known_bytes[untwinned(worker.name)] = status.peak_rss_bytes
        self._board.note(
            worker.name,
            workload,
            threads_seen=status.threads_seen,
            recompilations=status.recompilations,
            graph_breaks=status.graph_breaks,
            page_faults_per_step=status.page_faults_per_step,
            kernel_share=status.kernel_share,
            notes=(*status.notes, *_on_the_kernel(status)),
        )
        if phase == "train" or "train" not in self._plan.phases:
            self._board.note(
                worker.name,
                workload,
                phase,
                peak_rss_bytes=status.peak_rss_bytes,
                gpu_memory_bytes=status.gpu_memory_bytes,
            )
        self._board.copies[worker.name, workload] = status.copy_included
        return status

    # -- while they wait ----------------------------------------------------------------------------------------------

    async def check_idle(self, workload: str) -> None:
        """Take out workers that use the CPU while they wait: they would slow the others down."""
        if len(self.live) < 2:
            return
        await asyncio.sleep(self._pace.idle_settle_seconds)
        before = {name: _cpu_seconds(worker.session.pid) for name, worker in self.live.items()}
        started = time.monotonic()
        await asyncio.sleep(self._pace.idle_watch_seconds)
        elapsed = time.monotonic() - started
        for name, worker in list(self.live.items()):
            share = (_cpu_seconds(worker.session.pid) - before.get(name, 0.0)) / elapsed
            if share > IDLE_SHARE:
                reason = f"its worker used {share:.0%} of a core while it waited (race it on its own)"
                self.end(name, workload, Status.INCOMPARABLE, reason)

    # -- ends ---------------------------------------------------------------------------------------------------------

    async def read_statuses(self, workload: str, phase: str) -> None:
        """What all workers say of themselves after their rounds of `phase`, before others change what they say."""
        for worker in list(self.live.values()):
            with suppress(WorkerFailure):
                await self.read_status(worker, workload, phase)

    async def close(self, names: Collection[str]) -> None:
        """Ask the workers of `names` to end, and end them."""
        for worker in [self.live[name] for name in names if name in self.live]:
            if self.live.pop(worker.name, None) is not None:
                await worker.session.close()

    async def kill(self) -> None:
        """End all workers at once."""
        workers = list(self.live.values())
        self.live.clear()  # first, so that none of them counts as lost
        await asyncio.gather(*(worker.session.kill() for worker in workers))

    async def all_gone(self) -> None:
        """Wait for the workers that were ended one by one."""
        await asyncio.gather(*self._kills, return_exceptions=True)

    def end(self, name: str, workload: str, status: Status, reason: str | None) -> None:
        """Record and tell how somebody ended on a workload, once; a worker it still has is killed."""
        if not self._board.end(name, workload, status, reason):
            return
        self._tell(events.CandidateEnded(candidate=name, workload=workload, status=status, reason=reason))
        self._let_go(name)

    def _let_go(self, name: str) -> None:
        """Kill the worker that somebody still has, without waiting for it."""
        if (worker := self.live.pop(name, None)) is not None:
            kill = asyncio.get_running_loop().create_task(worker.session.kill())
            self._kills.add(kill)
            kill.add_done_callback(self._kills.discard)

    def stage(self, name: str, workload: str, stage: str, deadline_seconds: float | None) -> None:
        """Tell what somebody passes through."""
        if not self._board.ended(name, workload):
            self._tell(
                events.Preparing(candidate=name, workload=workload, stage=stage, deadline_seconds=deadline_seconds)
            )

    def _on_lost(self, worker: Worker, workload: str, failure: WorkerFailure) -> None:
        """A worker was lost, perhaps while it waited for its turn: say so at once."""
        if self.live.get(worker.name) is not worker:
            return
        if worker.over:
            self._let_go(worker.name)
        else:
            self.end(worker.name, workload, Status.FAILED, str(failure))


def _parity_words(found: Parity) -> str:
    """How a candidate differs from the reference."""
    words = (
        f"it does not compute what the reference does: losses differ by {found.max_relative_difference:.1e}"
        f" ({found.tolerance:.0e} allowed), the first update of {found.worst_tensor} by"
        f" {found.first_update_difference:.1e} ({found.first_update_tolerance:.0e} allowed)"
    )
    if found.output_difference is not None:
        words += f", the outputs by {found.output_difference:.1e} ({found.output_tolerance:.0e} allowed)"
    return words


def _read_and_remove(manifest: Path) -> dict[str, tensors.Array]:
    """The tensors that a worker wrote.

    Raises:
        WorkerFailure: the file it wrote cannot be read.
    """
    try:
        return tensors.read_tensors(manifest)
    except (OSError, ValueError) as error:
        raise WorkerFailure(f"the file it wrote cannot be read: {error}", "report it: the adapter is broken") from error
    finally:
        manifest.unlink(missing_ok=True)
        manifest.with_suffix(".bin").unlink(missing_ok=True)


def _cpu_seconds(pid: int) -> float:
    """CPU seconds a process has used so far; 0 when it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _on_the_kernel(status: protocol.StatusReply) -> tuple[str, ...]:
    """What to say where much of a step goes to the kernel; its share differs from process to process."""
    share, faults = status.kernel_share, status.page_faults_per_step
    if share is None or faults is None or share < KERNEL_SHARE or faults < PAGE_FAULTS:
        return ()
    return (
        f"{share:.0%} of its CPU time went to the kernel, with {faults:,.0f} page faults a step: where its memory is"
        " given back after every step, a larger MALLOC_TRIM_THRESHOLD_ or another allocator saves that",
    )


def _step_seconds(calls: Sequence[protocol.Block]) -> float:
    """Wall seconds per step of the fastest call."""
    return min(each.wall_seconds / each.steps for each in calls)
