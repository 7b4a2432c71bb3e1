"""The launches of a race: who runs in the next one, at once or in waves, and when there is nothing left to find out."""

import itertools
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from statistics import median

from bench import machine, race, waves
from bench.budget import Budget, Costs
from bench.events import AnyEvent, Looked
from bench.passes import ENERGY_SECONDS, Passes
from bench.plan import Goal, Plan, twin_of
from bench.results import Basis, Results, Status
from bench.rounds import Heat, Rounds
from bench.scoreboard import Scoreboard
from bench.session import WorkerFailure
from bench.workers import MEMORY_RESERVE_BYTES, Material, Workers

ALONE_BLOCKS = 5
"""Blocks of the first worker before the others start: what a step costs it alone."""

PASS_BLOCKS = 8
"""Blocks that the passes are worth without energy: most of them is the sweep over batch sizes."""

LEAST_WAVE = waves.REFERENCES + 2
"""A field is not split further than this: two references and two others."""


TOO_FEW = (
    f"fewer than {race.MIN_PRESENT} were present in all launches so far, which are too few to tell what differs from"
    " launch to launch"
)


PASSES_LEFT_OUT = (
    "copy, gemm, energy and dispatch were not measured: the further launches of the others needed the budget"
)


class Launches:
    """Runs the launches of one workload after another; made once per race.

    Args:
        keep: stores the results so far.
        tell: hands on an event.
    """

    def __init__(
        self,
        plan: Plan,
        board: Scoreboard,
        workers: Workers,
        rounds: Rounds,
        passes: Passes,
        budget: Budget,
        costs: Costs,
        keep: Callable[[bool], Awaitable[Results]],
        tell: Callable[[AnyEvent], None],
    ) -> None:
        self._tell = tell
        self._plan, self._board, self._workers = plan, board, workers
        self._rounds, self._passes, self._budget, self._costs, self._keep = rounds, passes, budget, costs, keep
        self._alone: dict[str, tuple[str, float]] = {}  # workload -> the first worker and its CPU seconds a step alone
        self._most: dict[str, int] = {}  # workload -> workers in one wave
        self._waves: dict[str, int] = {}  # workload -> waves of the newest launch
        self._passed: set[tuple[str, str]] = set()  # workload and who has had the passes
        self._early: set[tuple[str, str]] = set()  # races that let go of the flagged after launch 1
        self._stand_ins: dict[str, tuple[str, ...]] = {}  # workload -> twins beyond those planned

    async def run(self, workload: str, material: Material) -> None:
        """Launches until the goals of all phases are reached, or as far as the budget goes."""
        launch = 0
        while wanted := self._wanted(workload, launch):
            launch += 1
            await self._launch(workload, material, launch, wanted)
        self._budget.finish(workload)
        for name in (*self._plan.field, *self._stand_ins.get(workload, ())):
            self._workers.end(name, workload, Status.OK, None)

    def _wanted(self, workload: str, done: int) -> dict[str, tuple[str, ...]]:
        """Phase -> who runs in the launch after `done` ones; nobody where the goal is reached or the budget spent."""
        undecided = {}
        for phase in self._plan.phases:
            field = self._next_field(workload, phase, done)
            racing = [name for name in field if name in self._plan.candidates]
            if not racing:
                continue
            alone = self._plan.K == 1 and not self._plan.auto  # as many launches as were asked for
            if done and not alone and (len(racing) < 2 or self._decided(workload, phase, racing)):
                continue
            if done and not alone and self._too_few(workload, phase, field):
                self._board.stop(workload, phase, racing, TOO_FEW)
                continue
            undecided[phase] = field
        for phase in self._plan.phases:
            if undecided and phase not in undecided:
                self._budget.finish(workload, phase)  # the other phase gets what it leaves
        return {
            phase: field
            for phase, field in undecided.items()
            if not done or self._budget.stop(workload, phase, self._everybody(workload, field), done) > done
        }

    def _next_field(self, workload: str, phase: str, done: int) -> tuple[str, ...]:
        """Who of those still in the race runs in the next launch.

        Under the goal `winner` the flagged are let go of after launch 1 where that alone lets the budget pay for the
        launches that a verdict between launches needs.
        """
        plan, launches = self._plan, self._full_launches(workload, phase)

        def field(early: bool) -> tuple[str, ...]:
            everybody = (*plan.field, *self._stand_ins.get(workload, ()))
            able = [name for name in everybody if not self._board.ended(name, workload)]
            return race.next_field(launches, able, plan.M, plan.alpha, early)

        def stop(names: Sequence[str]) -> int:
            return self._budget.stop(workload, phase, self._everybody(workload, names), done)

        may_go_on = plan.auto or plan.launches >= race.MIN_LAUNCHES
        if plan.goal is Goal.WINNER and len(launches) == 1 and may_go_on:
            few = field(early=True)
            if stop(field(early=False)) < race.MIN_LAUNCHES <= stop(few):
                self._early.add((workload, phase))
        return field(early=(workload, phase) in self._early)

    def _full_launches(self, workload: str, phase: str) -> tuple[race.Launch, ...]:
        return self._board.full_launches(workload, phase, self._board.basis(workload, phase) or Basis.WALL)

    def _too_few(self, workload: str, phase: str, field: Sequence[str]) -> bool:
        """Whether further launches cannot lead to a verdict between launches, where the plan is about these."""
        launches = self._full_launches(workload, phase)
        about_these = self._plan.auto or self._plan.launches >= race.MIN_LAUNCHES
        return about_these and bool(launches) and len(race.present(launches) & set(field)) < race.MIN_PRESENT

    def _decided(self, workload: str, phase: str, racing: Sequence[str]) -> bool:
        plan = self._plan
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
        if most is None:  # as in the launch before, which memory may have split
            return [*field, *list(field[: waves.REFERENCES]) * (self._waves.get(workload, 1) - 1)]
        split = waves.split(field, dict.fromkeys(field, 0), 0, field[: waves.REFERENCES], most)
        return [name for wave in split for name in wave]

    async def _launch(
        self, workload: str, material: Material, launch: int, wanted: Mapping[str, Sequence[str]]
    ) -> None:
        """New workers for everybody wanted, all at once or in waves, and their rounds."""
        field = list(dict.fromkeys(name for names in wanted.values() for name in names))
        split = self._split(workload, field)
        self._waves[workload] = len(split)
        self._say_who_was_flagged(workload, launch, wanted)
        references = field[: waves.REFERENCES] if len(split) > 1 else []
        self._board.set_references(workload, launch, references)
        try:
            for number, wave in enumerate(split, start=1):
                for name in wave:
                    if name not in self._workers.live and not self._board.ended(name, workload):
                        await self._workers.prepare(name, workload, material)
                        if launch == number == 1 and len(wave) > 1:
                            await self._measure_alone(name, workload)
                if launch == len(split) == 1:
                    twins = await self._fill_up(workload, material, wave)
                    wave, split = (*wave, *twins), ((*wave, *twins),)
                    wanted = {phase: (*names, *twins) for phase, names in wanted.items()}
                await self._workers.check_idle(workload)
                for phase, names in wanted.items():
                    await self._run_rounds(workload, phase, launch, number, split, wanted, names)
                    await self._workers.read_statuses(workload, phase)
                    if number == len(split):
                        self._board.finish_launch(workload, phase, launch)
                if number == len(split):
                    self._compare_with_alone(workload, launch, len(field))
                    self._look(workload, launch, wanted)
                leaving = [name for name in wave if number == len(split) or name not in references]
                await self._passes.after_launch(workload, material, leaving)
                through = leaving if len(split) > 1 else self._through(workload, launch, leaving)
                await self._pass(workload, material, through)
                await self._workers.close(leaving)
        finally:
            await self._workers.kill()

    def _look(self, workload: str, launch: int, phases: Iterable[str]) -> None:
        """Tell what all launches so far say of each pair, as it would stand in the results now."""
        found = self._board.results(interrupted=True).verdicts
        for phase in phases:
            verdicts = tuple(each for each in found if (each.workload, each.phase) == (workload, phase))
            self._tell(Looked(workload=workload, phase=phase, launch=launch, verdicts=verdicts))

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

        def after(rest: float) -> float:
            """Seconds of the race after these rounds, which still take `rest`: of this launch, further ones, others."""
            least, order = race.MIN_ROUNDS, list(wanted)
            pending = {
                each: least
                * sum(
                    self._costs.round([name for name in wave if name in wanted[each]], workload, each)
                    for later, wave in enumerate(split, start=1)
                    if later > number or (later == number and order.index(each) > order.index(phase))
                )
                + self._costs.besides([n for w in split[number - 1 :] for n in w if n in wanted[each]], workload, each)
                for each in order
            }
            begun = {name for wave in split[:number] for name in wave}
            starts = {name for wave in split[number:] for name in wave} - begun
            fields = {each: [name for wave in split for name in wave if name in wanted[each]] for each in order}
            return (
                sum(pending.values())
                + sum(self._costs.start(name, workload) for name in starts)
                + self._budget.to_come(workload, launch, fields, {**pending, phase: pending[phase] + rest})
                + self._passes.expected_seconds(workload)
            )

        later = tuple(name for wave in split[number:] for name in wave if name in names)
        heat = Heat(workload=workload, phase=phase, launch=launch, launches=stop, wave=number, later=later)
        await self._rounds.run(heat, members, after)

    def _through(self, workload: str, launch: int, leaving: Sequence[str]) -> Sequence[str]:
        """Who of `leaving` has had the last launch, and gets the passes now.

        While the race goes on without them, only where that does not cost the others a launch.
        """
        wanted = self._wanted(workload, launch)
        going_on = {name for names in wanted.values() for name in names}
        through = [name for name in leaving if name in self._workers.live and name not in going_on]
        if not wanted or not through:
            return through

        def stop(phase: str, pending: float) -> int:
            return self._budget.stop(workload, phase, self._everybody(workload, wanted[phase]), launch, pending)

        for phase in wanted:
            seconds = PASS_BLOCKS * self._costs.round(through, workload, phase) + ENERGY_SECONDS * (1 + len(through))
            if stop(phase, seconds) < stop(phase, 0.0):
                for name in through:
                    self._passed.add((workload, name))
                    self._board.remark(name, workload, PASSES_LEFT_OUT)
                return ()
        return through

    async def _pass(self, workload: str, material: Material, leaving: Sequence[str]) -> None:
        """The passes of those who leave, once per workload: after their last launch, in waves after the first one.

        In waves not everybody lives to the end of a launch, and nobody knows which launch will be the last.
        """
        fresh = [name for name in leaving if (workload, name) not in self._passed]
        self._passed.update((workload, name) for name in fresh)
        await self._passes.after_race(workload, material, fresh)
        await self._keep(True)

    def _say_who_was_flagged(self, workload: str, launch: int, wanted: Mapping[str, Sequence[str]]) -> None:
        for phase, names in wanted.items():
            for name in self._plan.candidates:
                if launch > 1 and name not in names and not self._board.ended(name, workload):
                    text = (
                        f"flagged ({phase}): launch 1 showed at least {race.FLAG_RATIO:g} times the time of another"
                        f" candidate, so it did not run after launch {launch - 1}"
                    )
                    self._board.flag(name, workload, phase, text)

    async def _fill_up(self, workload: str, material: Material, wave: Sequence[str]) -> tuple[str, ...]:
        """More twins where candidates could not be made ready and those left are too few for a pooled variance."""
        live = [name for name in wave if name in self._workers.live]
        racing = [name for name in live if name in self._plan.candidates]
        may_go_on = self._plan.auto or self._plan.launches >= race.MIN_LAUNCHES
        if len(racing) < 2 or len(live) >= race.MIN_PRESENT or not may_go_on:
            return ()
        free = (twin_of(name, number) for number in itertools.count(2) for name in racing)
        twins = tuple(itertools.islice((name for name in free if name not in wave), race.MIN_PRESENT - len(live)))
        self._stand_ins[workload] = twins
        for name in twins:
            await self._workers.prepare(name, workload, material)
        return twins

    async def _measure_alone(self, name: str, workload: str) -> None:
        """What a step costs the first worker while it is alone."""
        worker, phase = self._workers.live.get(name), self._plan.phases[0]
        if worker is None or workload in self._alone:
            return
        with suppress(WorkerFailure):  # whoever loses it says so
            blocks = [await worker.steps_of(phase, worker.steps[phase]) for _ in range(ALONE_BLOCKS)]
            self._alone[workload] = (name, median(block.cpu_seconds / block.steps for block in blocks))

    def _compare_with_alone(self, workload: str, launch: int, field: int) -> None:
        """Make the waves smaller where the others, merely being there, make a step dearer."""
        name, alone = self._alone.pop(workload, ("", 0.0))
        phase = self._plan.phases[0]
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
