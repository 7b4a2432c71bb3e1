"""A race as the screen tells it: events go in one by one, what is known so far can be read at any moment.

Texts are scrubbed as in results and recordings, so that a replay shows what the race itself did.

Taking in an event is a few assignments, so hundreds a second cost nothing; drawing happens on the screen's own beat.
"""

from collections import deque
from copy import copy
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from bench.events import (
    AnyEvent,
    CandidateEnded,
    LivePair,
    Load,
    Looked,
    Measuring,
    Prepared,
    Preparing,
    RaceFinished,
    RaceStarted,
    RoundDone,
    RoundStarted,
    Standing,
)
from bench.plan import Plan
from bench.results import Machine, Results, Run, Status, Verdict
from bench.scrub import scrubbed

HISTORY = 120
"""Samples of load kept for the course over time: half a minute at 4 a second."""


Race: TypeAlias = tuple[str, str]
"""A workload and a phase: what candidates are compared in."""


class Row(msgspec.Struct):
    """One candidate in one race."""

    candidate: str
    stage: str = ""
    detail: str = ""
    stage_began_seconds: float = 0.0
    prepared: Prepared | None = None
    standing: Standing | None = None
    status: Status | None = None
    reason: str = ""


class Board:
    """What is known of one race of a plan, and of the races in it.

    Attributes:
        races: every (workload, phase), in the order they are run.
        race: the one in progress, None before the first.
        launch, launches: of that race; 0 before its first round.
        round, rounds: of that launch; 0 before the first round.
        seconds: time since the start, as of the newest event.
        remaining_seconds: what the engine expects to be left of all, None when it does not say.
        preparing: the newest stage of somebody being made ready, None during rounds.
        measuring: the candidate and the quantity that is measured apart from rounds, None during rounds.
        pairs: live comparisons of the present launch, fastest pair first.
        load: the newest sample; cpu_history holds mean CPU shares, oldest first.
        finished: whether all is over; interrupted: whether it was stopped.
        changed: whether anything came in since it was last set to False.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.races: tuple[Race, ...] = tuple((w, phase) for w in plan.workloads for phase in plan.phases)
        self.machine: Machine | None = None
        self.race: Race | None = None
        self.launch = self.launches = self.round = self.rounds = 0
        self.seconds = 0.0
        self.remaining_seconds: float | None = None
        self.preparing: Preparing | None = None
        self.measuring: Measuring | None = None
        self.pairs: tuple[LivePair, ...] = ()
        self.gauge: float | None = None
        self.load: Load | None = None
        self.cpu_history: deque[float] = deque(maxlen=HISTORY)
        self.finished = self.interrupted = False
        self.changed = True
        self._rows = {
            (race, candidate): Row(candidate=candidate) for race in self.races for candidate in plan.candidates
        }
        self._settled: dict[Race, tuple[Verdict, ...]] = {}

    def rows(self, race: Race) -> tuple[Row, ...]:
        """The rows of one race as they are now: those with a standing first, fastest first, then as planned."""
        rows = [copy(self._rows[race, candidate]) for candidate in self.plan.candidates]
        return tuple(sorted(rows, key=lambda row: -row.standing.samples_per_second if row.standing else 0.0))

    def verdicts(self, race: Race) -> tuple[Verdict, ...]:
        """What the newest look at one race said of its pairs."""
        return self._settled.get(race, ())

    @property
    def progress(self) -> float:
        """The share of the rounds planned that are done, 0-1."""
        if self.finished or not self.races:
            return 1.0
        if self.race is None:
            return 0.0
        launches = max(self.launches, self.launch, 1)
        workload, phase = self.plan.workloads.index(self.race[0]), self.plan.phases.index(self.race[1])
        rounds = self.round / self.rounds if self.rounds else 0.0
        launch = max(self.launch - 1, 0) + (phase + rounds) / len(self.plan.phases)  # every launch runs all phases
        return min(1.0, (workload + launch / launches) / len(self.plan.workloads))

    def take(self, event: AnyEvent) -> None:
        """Take in one event."""
        self.changed = True
        self.seconds = max(self.seconds, event.at_seconds)
        match event:
            case RaceStarted():
                self.machine = event.machine
            case Preparing():
                self._enter(event.workload)
                self.preparing, self.measuring = event, None
                for row in self._of(event.candidate, event.workload):
                    if row.stage != event.stage:
                        row.stage_began_seconds = event.at_seconds
                    row.stage, row.detail = event.stage, scrubbed(event.detail)
            case Prepared():
                for row in self._of(event.candidate, event.workload, event.phase):
                    row.prepared, row.stage, row.detail = event, "ready", ""
            case RoundStarted():
                self._enter(event.workload, event.phase, event.launch)
                self._count(event)
            case RoundDone():
                self._enter(event.workload, event.phase, event.launch)
                self._count(event)
                self.pairs, self.gauge = event.pairs, event.gauge
                for standing in event.standings:
                    for row in self._of(standing.candidate, event.workload, event.phase):
                        row.standing = standing
            case Looked():
                self._settled[event.workload, event.phase] = event.verdicts
            case Measuring():
                self._enter(event.workload, event.phase, self.launch)
                self.preparing, self.measuring, self.remaining_seconds = None, event, event.remaining_seconds
            case Load():
                self.load = event
                if event.cpu:
                    self.cpu_history.append(sum(event.cpu) / len(event.cpu))
            case CandidateEnded():
                for row in self._of(event.candidate, event.workload):
                    if row.status is None:
                        row.status, row.reason = event.status, scrubbed(event.reason or "")
            case RaceFinished():
                self.finished, self.interrupted = True, event.interrupted
                self.remaining_seconds = self.preparing = self.measuring = None

    def settle(self, results: Results) -> None:
        """Put what all launches together gave in the place of what the newest launch showed."""
        self.changed = True
        for run in results.runs:
            speed, step = run.samples_per_second, run.step_seconds
            for row in self._of(run.candidate, run.workload, run.phase):
                if speed is None or step is None:
                    continue
                row.standing = Standing(
                    candidate=run.candidate,
                    samples_per_second=speed.median,
                    low=speed.low,
                    high=speed.high,
                    step_seconds=step.median,
                )
                if row.prepared is not None:
                    row.prepared = _over_launches(row.prepared, run)

    def _count(self, event: RoundStarted | RoundDone) -> None:
        self.round, self.rounds, self.launches = event.round, event.rounds, event.launches
        self.remaining_seconds, self.preparing, self.measuring = event.remaining_seconds, None, None

    def _enter(self, workload: str | None, phase: str | None = None, launch: int = 0) -> None:
        """Nothing said about one launch of one race holds for the next. Preparing names no phase and no launch."""
        if workload is None or (self.race is not None and phase is None and workload == self.race[0]):
            return
        race = (workload, phase or self.plan.phases[0])
        if race != self.race or launch != self.launch:
            self.launches = self.launches if race == self.race else 0
            self.race, self.launch, self.round, self.rounds = race, launch, 0, 0
            self.pairs, self.gauge = (), None

    def _of(self, candidate: str, workload: str | None, phase: str | None = None) -> list[Row]:
        """The rows of a candidate in one race, in all phases of a workload, or in all."""
        return [
            self._rows[race, candidate]
            for race in self.races
            if (race, candidate) in self._rows and workload in (None, race[0]) and phase in (None, race[1])
        ]


def _over_launches(prepared: Prepared, run: Run) -> Prepared:
    """What one launch told of its start, with the figures of all launches where there are any."""
    told = {
        "import_seconds": run.import_seconds,
        "build_seconds": run.build_seconds,
        "first_step_seconds": run.first_step_seconds,
        "peak_rss_bytes": run.peak_rss_bytes,
    }
    return replace(prepared, **{field: value for field, value in told.items() if value is not None})
