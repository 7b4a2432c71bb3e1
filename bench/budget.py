"""How far a budget reaches: what blocks and starts cost, how many launches that pays for, how long the rest takes.

A pure function of what was measured so far: whoever measures hands in seconds. The budget is seconds of measuring,
shared equally between the open races of a plan (one per workload and phase); what one of them does not need, the
others get. Starts come on top of the budget, but are part of what is left to wait for.
"""

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean
from typing import TypeAlias

from bench import race
from bench.plan import Plan, untwinned

BLOCK_SECONDS = 0.35
"""What a block is expected to take before anything is known: its least length, its re-warm step and the messages."""

START_SECONDS = 12.0
"""What starting, checking and warming up a worker is expected to take: 6 to 15 s on two cores (main frameworks)."""

LATENCY_SECONDS = 2.5
"""What the pass of single samples, a part of every launch of inference, is expected to take per worker: 2 s of calls,
some before them, and other batches (`bench.passes`)."""

LEEWAY = 0.1
"""Share of its budget that a race may overdraw for its last launch: without it the verdicts of the launches before
would be lost for want of some seconds."""

STOPS = (1, *(number for number, _ in race.LOOKS))
"""Launches after which verdicts are looked for; a launch in between decides nothing."""

Key: TypeAlias = tuple[str, str, str]
"""Candidate, workload, phase."""


class Costs:
    """Seconds that blocks and starts take, per candidate: measured ones, else the best guess there is."""

    def __init__(
        self, blocks: Mapping[Key, float] | None = None, starts: Mapping[tuple[str, str], float] | None = None
    ):
        """From what earlier runs took; both may be empty."""
        self._expected = dict(blocks or {})
        self._starts = dict(starts or {})
        self._blocks: dict[Key, list[float]] = {}
        self._latencies: dict[tuple[str, str], float] = {}

    def expect_block(self, name: str, workload: str, phase: str, seconds: float) -> None:
        """What warm-up promises."""
        self._expected[name, workload, phase] = seconds

    def add_block(self, name: str, workload: str, phase: str, seconds: float) -> None:
        """What a block of a round took, all of it."""
        self._blocks.setdefault((name, workload, phase), []).append(seconds)

    def add_start(self, name: str, workload: str, seconds: float) -> None:
        """What it took to start, check and warm up a worker; the newest stands."""
        self._starts[name, workload] = seconds

    def add_latency(self, name: str, workload: str, seconds: float) -> None:
        """What the pass of single samples took; the newest stands."""
        self._latencies[name, workload] = seconds

    def block(self, name: str, workload: str, phase: str) -> float:
        """Seconds of one block; of the same candidate elsewhere, or of the others, where it has had none."""
        for each in (name, untwinned(name)):
            if (key := (each, workload, phase)) in self._blocks:
                return fmean(self._blocks[key])
            if key in self._expected:
                return self._expected[key]
        known = [fmean(seconds) for key, seconds in self._blocks.items() if key[1:] == (workload, phase)]
        return fmean(known) if known else BLOCK_SECONDS

    def round(self, field: Collection[str], workload: str, phase: str) -> float:
        """Seconds of one round of `field`."""
        return sum(self.block(name, workload, phase) for name in field)

    def besides(self, field: Collection[str], workload: str, phase: str) -> float:
        """Seconds of a launch beside its rounds: single samples, in the phase `infer`, once for each of `field`."""
        if phase != "infer":
            return 0.0
        known = [seconds for (_, where), seconds in self._latencies.items() if where == workload]
        usual = fmean(known) if known else LATENCY_SECONDS
        return sum(self._latencies.get((name, workload), usual) for name in set(field))

    def launch(self, field: Collection[str], workload: str, phase: str) -> float:
        """Seconds of measuring of one launch of `field` at its least length."""
        return race.MIN_ROUNDS * self.round(field, workload, phase) + self.besides(field, workload, phase)

    def start(self, name: str, workload: str) -> float:
        """Seconds until a worker is ready."""
        for each in (name, untwinned(name)):
            if (each, workload) in self._starts:
                return self._starts[each, workload]
            if elsewhere := [s for (candidate, _), s in self._starts.items() if candidate == each]:
                return fmean(elsewhere)
        return fmean(self._starts.values()) if self._starts else START_SECONDS


class Budget:
    """What is spent and what is left, by race.

    Args:
        plan: its budget, launches and rounds.
        costs: asked again and again as it learns.
    """

    def __init__(self, plan: Plan, costs: Costs) -> None:
        self._plan, self._costs = plan, costs
        self._spent = {(workload, phase): 0.0 for workload in plan.workloads for phase in plan.phases}
        self._finished: set[tuple[str, str]] = set()

    def spend(self, workload: str, phase: str, seconds: float) -> None:
        """Measuring took so long."""
        self._spent[workload, phase] += seconds

    def finish(self, workload: str, phase: str | None = None) -> None:
        """The races of a workload are over, or that of one phase; what they leave is for the others."""
        self._finished.update(each for each in self._spent if each[0] == workload and phase in (None, each[1]))

    def left(self, workload: str, phase: str) -> float:
        """Seconds of measuring that a race still has; negative once it has overdrawn.

        One that is over shares, for its passes, with the open one of its workload.
        """
        open_ = [each for each in self._spent if each[0] == workload and each not in self._finished]
        if open_ and (workload, phase) in self._finished:
            return min(self._share() - self._spent[each] for each in open_)
        return self._share() - self._spent[workload, phase]

    def _share(self) -> float:
        """The budget of every open race."""
        gone = sum(self._spent[each] for each in self._finished)
        return (self._plan.budget_seconds - gone) / max(1, len(self._spent) - len(self._finished))

    def stop(self, workload: str, phase: str, field: Collection[str], done: int, pending: float = 0.0) -> int:
        """The launches after which a race of `field` is to end, `done` of them being over; `done` when it is over.

        The greatest number that decides something and that the budget, with LEEWAY, pays for, each launch at its least
        length. The first launch is always run: nothing would be measured without it.

        Args:
            pending: seconds that the launches done will still spend, where the last one is under way.
        """
        plan, costs = self._plan, self._costs
        stops = {stop for stop in STOPS if plan.auto or stop <= plan.launches} | {plan.launches}
        launch = costs.launch(field, workload, phase)
        left = self.left(workload, phase) - pending + LEEWAY * self._share()
        affordable = [stop for stop in stops if stop > done and (stop - done) * launch <= left]
        return max(affordable, default=max(done, 1))

    def may_go_on(
        self, workload: str, phase: str, field: Collection[str], launches_to_come: int, pending: float = 0.0
    ) -> bool:
        """Whether a launch may have another round beyond its least number.

        Args:
            field: of all waves, references once in each.
            pending: seconds of the rounds that later waves have to make up for.
        """
        costs = self._costs
        further = launches_to_come * costs.launch(field, workload, phase) + costs.besides(field, workload, phase)
        return costs.round(field, workload, phase) + further + pending <= self.left(workload, phase)

    def rounds(self, workload: str, phase: str, field: Collection[str], stop: int) -> int:
        """Rounds that a launch is planned to have: with a single launch as many as are of use, else the least.

        Args:
            field: of all waves, references once in each: waves of unequal length are cut to the shortest.
        """
        if stop > 1:
            return race.MIN_ROUNDS
        seconds = self._costs.round(field, workload, phase)
        left = self.left(workload, phase) - self._costs.besides(field, workload, phase)
        return race.rounds_within(left, seconds, self._plan.rounds)

    def launch_seconds(self, workload: str, fields: Mapping[str, Sequence[str]]) -> float:
        """What a whole launch takes, starts included. Args: fields: phase -> who runs in it."""
        everybody = dict.fromkeys(name for field in fields.values() for name in field)
        starts = sum(self._costs.start(name, workload) for name in everybody)
        return starts + sum(self._costs.launch(field, workload, phase) for phase, field in fields.items())

    def to_come(
        self, workload: str, launch: int, fields: Mapping[str, Sequence[str]], pending: Mapping[str, float]
    ) -> float:
        """Seconds after launch `launch` of `workload`: its further launches, then the workloads not begun yet.

        Args:
            fields: phase -> who runs in it.
            pending: phase -> seconds of measuring that the launch under way still needs.
        """
        stops = [self.stop(workload, phase, field, launch, pending.get(phase, 0.0)) for phase, field in fields.items()]
        seconds = (max(stops, default=launch) - launch) * self.launch_seconds(workload, fields)
        plan = self._plan
        for name in plan.workloads[plan.workloads.index(workload) + 1 :]:
            whole = dict.fromkeys(plan.phases, plan.field)
            launches = max(self.stop(name, phase, plan.field, 0) for phase in plan.phases)
            seconds += launches * self.launch_seconds(name, whole)
        return seconds
