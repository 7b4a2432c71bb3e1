"""What is measured besides the rounds, each in a pass of its own, worker by worker: latency, host-to-device copies,
the best matrix product, energy, and steps on other batch sizes.

Passes come after the rounds of a launch, when nothing can disturb a verdict any more, and count as measuring: they end
with the budget, and a run's notes say what was left out. Every one returns fields of `bench.results.Run`.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from bench import events, protocol, race, tensors
from bench.budget import Budget, Costs
from bench.dispatch import FACTORS, fit
from bench.events import AnyEvent
from bench.plan import Plan
from bench.results import DispatchPoint, Energy, HostToDevice
from bench.scoreboard import Scoreboard
from bench.session import WorkerFailure
from bench.telemetry.energy import READS_PER_SECOND, EnergyMeter
from bench.workers import Material, Worker, Workers

COPIES = 20
"""Batches copied from host to device in one timing."""

GEMM_SIZE = {"cpu": 1024}
GEMM_SIZE_ACCELERATOR = 8192
"""Sizes at which matrix products reach their best speed: 50 ms on one core, 10 ms on a data-centre GPU in float32."""

GEMM_REPEATS = 5

FIRST_CALLS, LEAST_CALLS, MOST_CALLS = 10, 50, 300
LATENCY_SECONDS = 2.0
"""Calls of one sample: as many as fit into this time, at least 50 and at most 300 a launch, pooled over launches."""

SWEEP_SECONDS = 0.1
"""What the steps of one timing on another batch size take at least, the call not counted; the least of three counts."""

SWEEP_CALLS = 3

SWEEP_GUESSES = 6
"""Times the steps of such a timing are worked out anew: each may be `race.MOST_GROWTH` times the one before."""

SWEEP_STEPS = 1 + 3 * (1 + SWEEP_CALLS)
"""Steps that a batch size takes whose single step is as long as that: warm-up, one guess, the timings."""

LONGEST_STEP_SECONDS = 2.0
"""A batch size whose step is expected to take longer is left out of the sweep."""

LARGEST_BATCH_BYTES = 256 * 2**20
"""Nor is one whose samples take more memory than this: the network multiplies it."""

SWEEP_BATCHES = 2
"""Batches of another size that are cycled through."""

ENERGY_SECONDS = 10.0
ENERGY_UPDATES = 100
"""The least that an energy phase lasts, and sees its counter move (METHOD, "Fair blocks")."""

ENERGY_TRIES = 3
"""Times an energy phase is lengthened for the counter's sake."""

CANDIDATE_SECONDS = 3.0
"""What the passes after a race are expected to take per candidate, where there is no energy counter."""

OpenMeter = Callable[[str], EnergyMeter]


class Passes:
    """Runs passes; made once per race.

    Args:
        batches: workload -> samples per step.
        open_meter: of the device (`bench.telemetry.energy.open_meter`).
    """

    def __init__(
        self,
        plan: Plan,
        board: Scoreboard,
        workers: Workers,
        budget: Budget,
        costs: Costs,
        *,
        batches: Mapping[str, int],
        folder: Path,
        tell: Callable[[AnyEvent], None],
        clock: Callable[[], float],
        open_meter: OpenMeter,
    ) -> None:
        self._plan, self._board, self._workers, self._budget, self._costs = plan, board, workers, budget, costs
        self._batches, self._folder, self._tell, self._clock = batches, folder, tell, clock
        self._open_meter = open_meter
        self._took: list[float] = []  # seconds of the passes after a race, per candidate

    def expected_seconds(self, workload: str) -> float:
        """What the passes after the race of `workload`, and of those to come, are expected to take."""
        each = fmean(self._took) if self._took else CANDIDATE_SECONDS
        to_come = self._plan.workloads[self._plan.workloads.index(workload) :]
        return each * len(self._plan.candidates) * len(to_come)

    async def after_launch(self, workload: str, material: Material, names: Sequence[str]) -> None:
        """Latency of single samples, in the phase `infer` of every launch, of `names`."""
        if "infer" not in self._plan.phases:
            return
        for worker in [self._workers.live[name] for name in names if name in self._workers.live]:
            work = partial(self._latency, worker, workload, material)
            began = self._clock()
            await self._run(worker, workload, "infer", "latency", work, always=True)  # part of what inference is
            self._costs.add_latency(worker.name, workload, self._clock() - began)

    async def after_race(self, workload: str, material: Material, names: Sequence[str]) -> None:
        """Everything else, for the candidates among `names`, whose rounds on a workload are over."""
        wanted = [name for name in names if name in self._plan.candidates]
        workers = [worker for name, worker in self._workers.live.items() if name in wanted]
        began = self._clock()
        for worker in workers:
            worker.over = True
            first = self._plan.phases[0]
            await self._run(worker, workload, first, "copy", partial(self._copy, worker, workload))
            await self._run(worker, workload, first, "gemm", partial(self._gemm, worker))
        for phase in self._plan.phases:
            await self._energy_of_all(workers, workload, phase)
        for worker in workers:
            for phase in self._plan.phases:
                await self._run(
                    worker,
                    workload,
                    phase,
                    "dispatch",
                    partial(self._dispatch, worker, workload, phase, material),
                )

        if workers:
            self._took.append((self._clock() - began) / len(workers))

    async def _run(
        self,
        worker: Worker,
        workload: str,
        phase: str,
        quantity: str,
        work: Callable[[], Awaitable[dict[str, Any]]],
        always: bool = False,
    ) -> None:
        """One pass of one worker; its end ends no race. Skipped, and said so, once the budget is spent."""
        if worker.name not in self._workers.live:
            return
        if self._budget.left(workload, phase) <= 0 and not always:
            self._board.remark(worker.name, workload, f"{quantity} ({phase}) was not measured: the budget was spent")
            return
        self._tell(events.Measuring(candidate=worker.name, workload=workload, phase=phase, quantity=quantity))
        began = self._clock()
        try:
            self._board.note(worker.name, workload, phase, **await work())
        except (WorkerFailure, OSError, ValueError, MemoryError) as failure:
            # The rounds stand: what was lost is what would have come after them.
            self._board.remark(worker.name, workload, f"{quantity} ({phase}) was not measured: {failure}")
        finally:
            self._budget.spend(workload, phase, self._clock() - began)

    # -- one quantity each --------------------------------------------------------------------------------------------

    async def _latency(self, worker: Worker, workload: str, material: Material) -> dict[str, Any]:
        """Seconds of single calls on a batch of one; p50 and p99 are taken over all launches."""
        deadline = worker.pace.deadlines.trace  # another batch size may compile anew
        async with self._other_batches(worker, material, 1):
            first = await worker.ask(protocol.Latency(id=0, calls=FIRST_CALLS), protocol.Latencies, "latency", deadline)
            calls = round(LATENCY_SECONDS / max(median(first.seconds), 1e-6))
            calls = min(MOST_CALLS, max(LEAST_CALLS, calls))
            found = await worker.ask(protocol.Latency(id=0, calls=calls), protocol.Latencies, "latency", deadline)
        self._board.add_latencies(worker.name, workload, found.seconds)
        return {}

    async def _copy(self, worker: Worker, workload: str) -> dict[str, Any]:
        deadline = worker.pace.deadlines.warm_up
        found = await worker.ask(protocol.Copy(id=0, steps=COPIES), protocol.Copied, "copy", deadline)
        included = self._board.copies.get((worker.name, workload), False)
        for phase in self._plan.phases:
            self._board.note(
                worker.name, workload, phase, host_to_device=HostToDevice(included=included, seconds=found.seconds)
            )
        return {}

    async def _gemm(self, worker: Worker) -> dict[str, Any]:
        """The speed of one large matrix product; the best of all candidates is the peak that shares are taken of."""
        size = GEMM_SIZE.get(self._plan.device, GEMM_SIZE_ACCELERATOR)
        message = protocol.Gemm(id=0, size=size, repeats=GEMM_REPEATS)
        found = await worker.ask(message, protocol.Multiplied, "a matrix product", worker.pace.deadlines.warm_up)
        if found.seconds > 0:
            self._board.add_gemm(2 * size**3 / found.seconds)
        return {}

    async def _dispatch(self, worker: Worker, workload: str, phase: str, material: Material) -> dict[str, Any]:
        """Seconds per step on n, 4n, 16n and 64n samples, as far as time and memory allow, and their line."""
        batch = self._batches[workload]
        sample_bytes = await asyncio.to_thread(_sample_bytes, material.batches_manifest)
        points: list[DispatchPoint] = []
        for factor in FACTORS:
            size = batch * factor
            expected = points[-1].seconds * size / points[-1].batch if points else 0.0
            wanted = expected * SWEEP_STEPS
            if wanted > self._budget.left(workload, phase) or expected > LONGEST_STEP_SECONDS:
                break
            if size * SWEEP_BATCHES * sample_bytes > LARGEST_BATCH_BYTES:
                break
            async with self._other_batches(worker, material, size):
                points.append(DispatchPoint(batch=size, seconds=await self._step_seconds(worker, phase)))
        return {"dispatch_points": tuple(points), "dispatch": fit(points)}

    async def _step_seconds(self, worker: Worker, phase: str) -> float:
        """Seconds of one more step: what twice the steps take beyond the steps, so that the call is no part of it.

        A call of Keras's `fit` costs tens of milliseconds, which a race's blocks are made long enough to forget.
        """

        async def seconds(steps: int) -> float:
            return float((await worker.steps_of(phase, steps)).wall_seconds)

        first = (await worker.steps_of(phase, 1, rewarm=1)).wall_seconds
        steps = max(1, math.ceil(SWEEP_SECONDS / max(first, 1e-6)))
        for _ in range(SWEEP_GUESSES):
            short, long = await seconds(steps), await seconds(2 * steps)
            wanted = math.ceil(SWEEP_SECONDS / max((long - short) / steps, 1e-6))
            wanted = min(wanted, race.MOST_GROWTH * steps, math.floor(race.LONGEST_BLOCK_SECONDS / long * steps))
            if wanted <= 2 * steps:  # near enough, or as long as a call may be
                break
            steps = wanted
        pairs = [(await seconds(steps), await seconds(2 * steps)) for _ in range(SWEEP_CALLS)]
        short, long = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
        return max((long - short) / steps, long / (2 * steps) / 2)  # the difference may be all noise

    async def _energy_of_all(self, workers: list[Worker], workload: str, phase: str) -> None:
        """Joules per sample of every worker, gross and beyond the idle machine's, where there is a counter."""
        meter = await asyncio.to_thread(self._open_meter, self._plan.device)
        try:
            await self._energy_by(meter, workers, workload, phase)
        except Exception as failure:  # every vendor's driver has errors of its own, and none may end a race
            for worker in workers:
                text = f"energy ({phase}) was not measured: {type(failure).__name__}: {failure}"
                self._board.remark(worker.name, workload, text)
        finally:
            await asyncio.to_thread(meter.close)

    async def _energy_by(self, meter: EnergyMeter, workers: list[Worker], workload: str, phase: str) -> None:
        """Watch the idle machine first, then every worker."""
        if meter.absent_because is not None:
            return  # `doctor` says why; a run says "unavailable"
        if self._budget.left(workload, phase) < ENERGY_SECONDS * (1 + len(workers)):
            for worker in workers:
                text = f"energy ({phase}) was not measured: the budget was spent"
                self._board.remark(worker.name, workload, text)
            return
        began, joules = self._clock(), await asyncio.to_thread(meter.joules)
        async with _reading(meter):
            await asyncio.sleep(ENERGY_SECONDS)
        idle_watts = (await asyncio.to_thread(meter.joules) - joules) / (self._clock() - began)
        self._budget.spend(workload, phase, self._clock() - began)
        for worker in workers:
            await self._run(
                worker,
                workload,
                phase,
                "energy",
                partial(self._energy, worker, workload, phase, meter, idle_watts),
            )

    async def _energy(
        self, worker: Worker, workload: str, phase: str, meter: EnergyMeter, idle_watts: float
    ) -> dict[str, Any]:
        step = worker.block_seconds[phase] / worker.steps[phase]
        steps = math.ceil(ENERGY_SECONDS / step * 1.05)
        await worker.steps_of(phase, 1)
        updates, began, joules = meter.updates, self._clock(), await asyncio.to_thread(meter.joules)
        done = 0
        async with _reading(meter):
            for _ in range(ENERGY_TRIES):
                await worker.steps_of(phase, steps)
                done += steps
                if meter.updates - updates >= ENERGY_UPDATES and self._clock() - began >= ENERGY_SECONDS:
                    break
        spent, seconds = await asyncio.to_thread(meter.joules) - joules, self._clock() - began
        if meter.updates - updates < ENERGY_UPDATES or seconds < ENERGY_SECONDS:
            text = f"energy ({phase}) was not measured: the counter moved {meter.updates - updates} times only"
            self._board.remark(worker.name, workload, text)
            return {}
        samples = done * self._batches[workload]
        above = max(0.0, spent - idle_watts * seconds)
        return {
            "energy_joules_per_sample": Energy(value=spent / samples, basis=meter.basis, above_idle=above / samples)
        }

    @asynccontextmanager
    async def _other_batches(self, worker: Worker, material: Material, size: int) -> AsyncIterator[None]:
        """Within it a worker cycles through batches of `size` samples; afterwards through its own again."""

        async def feed(manifest: Path) -> None:
            message = protocol.Batches(id=0, batches=str(manifest))
            await worker.ask(message, protocol.Reply, "other batches", worker.pace.deadlines.build)

        own = material.batches_manifest
        other = self._folder / f"{own.stem}-of-{size}.json"
        if not other.exists():
            await asyncio.to_thread(resize, own, other, size)
        await feed(other)
        try:
            yield
        finally:
            with suppress(WorkerFailure):
                await feed(own)


@asynccontextmanager
async def _reading(meter: EnergyMeter) -> AsyncIterator[None]:
    """Reads a meter often enough to see its counter move, meanwhile."""

    over = asyncio.Event()

    async def read() -> None:
        while not over.is_set():
            await asyncio.to_thread(meter.joules)
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 1 / READS_PER_SECOND)

    task = asyncio.create_task(read())
    try:
        yield
    finally:
        over.set()  # a reading under way is waited for: two at once would count the same joules twice
        await task


def resize(manifest: Path, other: Path, size: int) -> None:
    """Write SWEEP_BATCHES batches of `size` samples made of those in `manifest`, in their order, over and over.

    Raises:
        ValueError, OSError: as reading and writing tensors do.
    """
    resized = {}
    for name, tensor in tensors.read_tensors(manifest).items():
        if name.startswith("steps."):  # one number per batch
            resized[name] = np.resize(tensor, SWEEP_BATCHES)
            continue
        samples = tensor.reshape(-1, *tensor.shape[2:])
        places = np.arange(SWEEP_BATCHES * size) % len(samples)
        resized[name] = samples[places].reshape(SWEEP_BATCHES, size, *tensor.shape[2:])
    tensors.write_tensors(other, resized)


def _sample_bytes(manifest: Path) -> float:
    """Bytes of one sample, targets included."""
    found = {name: tensor for name, tensor in tensors.read_tensors(manifest).items() if not name.startswith("steps.")}
    return float(sum(tensor.nbytes / (tensor.shape[0] * tensor.shape[1]) for tensor in found.values()))
