"""The rounds of one launch: a block of every worker in random order, never two at once, until there are enough.

A round is in the store, with the results so far, before the next one begins.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from bench import events, race
from bench.budget import Budget, Costs
from bench.events import AnyEvent
from bench.plan import Plan
from bench.race import Reading
from bench.records import Record
from bench.results import Results, Status
from bench.scoreboard import Scoreboard
from bench.session import Refusal, WorkerFailure
from bench.store import Block
from bench.workers import Worker, Workers

FAILED_BLOCKS = 2
"""Failed blocks in a row that fail a candidate (METHOD, "Race")."""


class Keep(Protocol):
    """Stores the results so far together with new blocks."""

    def __call__(self, interrupted: bool, blocks: Sequence[Block] = ()) -> Awaitable[Results]: ...


class Heat(Record, frozen=True):
    """What is run at a time: one phase of one launch, or of one of its waves.

    Attributes:
        launches: after which the race is to end, as things stand.
        wave: from 1.
        later: who runs in the waves after this one, references once in each.
    """

    workload: str
    phase: str
    launch: int
    launches: int
    wave: int = 1
    later: tuple[str, ...] = ()


class Rounds:
    """Runs rounds; made once per race.

    Args:
        batches: workload -> samples per step.
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
        keep: Keep,
        tell: Callable[[AnyEvent], None],
        clock: Callable[[], float],
    ) -> None:
        self._plan, self._board, self._workers, self._budget, self._costs = plan, board, workers, budget, costs
        self._batches, self._keep, self._tell, self._clock = batches, keep, tell, clock
        self._numbers: dict[tuple[str, str, int], int] = {}  # rounds begun, waves of a launch together
        self._first: dict[tuple[str, str, int], int] = {}  # complete rounds of the first wave

    async def run(self, heat: Heat, names: Sequence[str], after: Callable[[float], float]) -> None:
        """Rounds of those of `names` that live, as many as the launch needs and the budget pays for.

        Args:
            after: seconds of the race that come after these rounds, asked before each with what these still take.

        The first wave is as long as all can be; the others are as long as it was, for the rest would be cut off.
        """
        key = (heat.workload, heat.phase, heat.launch)
        if heat.wave == 1:
            planned = self._budget.rounds(heat.workload, heat.phase, (*names, *heat.later), heat.launches)
        else:
            planned = max(race.MIN_ROUNDS, self._first.get(key, 0))
        complete = tried = 0
        while tried < 2 * planned:  # voided rounds are made up for, but not for ever
            live = [name for name in names if name in self._workers.live]
            if not live:
                return
            each = self._costs.round(live, heat.workload, heat.phase)
            if complete >= race.MIN_ROUNDS and each > self._budget.left(heat.workload, heat.phase):
                return
            if complete >= planned:
                if not self._longer(heat, live, complete):
                    return
                planned += 1
            tried += 1
            rest = each * (planned - complete)
            remaining = rest + after(rest)
            deadlines = [
                self._workers.live[name].pace.deadlines.for_block(self._workers.live[name].block_seconds[heat.phase])
                for name in live
            ]
            number = self._numbers[key] = self._numbers.get(key, 0) + 1
            self._tell(
                events.RoundStarted(
                    workload=heat.workload,
                    phase=heat.phase,
                    launch=heat.launch,
                    launches=max(heat.launches, heat.launch),
                    round=number,
                    rounds=number - complete - 1 + planned,
                    remaining_seconds=remaining,
                    deadline_seconds=max(deadlines),
                )
            )
            began = self._clock()
            whole = await self._round(heat, live, number, number - complete - 1 + planned, remaining - each)
            self._budget.spend(heat.workload, heat.phase, self._clock() - began)
            complete += whole
            if heat.wave == 1:
                self._first[key] = complete

    def _longer(self, heat: Heat, live: Sequence[str], complete: int) -> bool:
        """Whether a launch goes on beyond its least number of rounds: on a loaded machine, as far as that can pay."""
        gauge = self._board.gauge(heat.workload, heat.phase)
        if heat.wave > 1 or complete >= self._plan.rounds or gauge is None or gauge >= race.QUIET_GAUGE:
            return False
        pending = complete * self._costs.round(heat.later, heat.workload, heat.phase)
        everybody, to_come = (*live, *heat.later), max(0, heat.launches - heat.launch)
        return self._budget.may_go_on(heat.workload, heat.phase, everybody, to_come, pending)

    async def _round(self, heat: Heat, live: Sequence[str], number: int, planned: int, remaining: float) -> bool:
        """One block of everybody in random order; whether the round is complete. It is in the store then."""
        workload, phase, launch = heat.workload, heat.phase, heat.launch
        began = self._clock()
        order = race.round_order(live, self._plan.seed, workload, phase, launch, number)
        readings: dict[str, Reading] = {}
        took: dict[str, float] = {}
        for name in order:
            worker = self._workers.live.get(name)
            at = self._clock()
            reading = await self._block(worker, workload, phase) if worker is not None else None
            if reading is None:
                break  # a failed block voids the round for all
            readings[name], took[name] = reading, self._clock() - at
            self._tell(
                events.BlockDone(
                    candidate=name,
                    workload=workload,
                    phase=phase,
                    launch=launch,
                    round=number,
                    wall_seconds=reading.wall_seconds,
                    cpu_seconds=reading.cpu_seconds,
                    steps=reading.steps,
                    samples=reading.steps * self._batches[workload],
                )
            )
        complete = len(readings) == len(order)
        if complete:
            self._board.add_round(workload, phase, launch, readings, heat.wave)
        blocks = [
            Block(
                workload=workload,
                phase=phase,
                launch=launch,
                round=number,
                position=position,
                candidate=name,
                reading=readings[name],
                complete=complete,
            )
            for position, name in enumerate(order)
            if name in readings
        ]
        await self._keep(True, blocks)
        standings = self._board.standings(workload, phase)
        self._tell(
            events.RoundDone(
                workload=workload,
                phase=phase,
                launch=launch,
                launches=max(heat.launches, launch),
                round=number,
                rounds=planned,
                complete=complete,
                standings=standings,
                pairs=self._board.live_pairs(workload, phase, standings),
                gauge=self._board.gauge(workload, phase),
                remaining_seconds=max(0.0, remaining),
            )
        )
        besides = (self._clock() - began - sum(took.values())) / max(1, len(took))
        for name, seconds in took.items():
            self._costs.add_block(name, workload, phase, seconds + besides)
        return complete

    async def _block(self, worker: Worker, workload: str, phase: str) -> Reading | None:
        """One block, None when it failed; a second failure in a row, or the loss of the worker, ends the candidate."""
        self._workers.running = (worker.name, workload, phase)
        try:
            reading = await worker.block(phase)
        except Refusal as refusal:
            worker.failures += 1
            if worker.failures >= FAILED_BLOCKS:
                self._workers.end(worker.name, workload, Status.FAILED, str(refusal))
            return None
        except WorkerFailure as failure:
            self._workers.end(worker.name, workload, Status.FAILED, str(failure))
            return None
        finally:
            self._workers.running = None
        worker.failures = 0
        return reading
