"""A race as the screen tells it: events go in one by one, what is known so far can be read at any moment.

Taking in an event is a few assignments, so hundreds a second cost nothing; drawing happens on the screen's own beat.
"""

from collections import deque
from copy import copy

import msgspec

from bench.events import (
    AnyEvent,
    CandidateEnded,
    LivePair,
    Load,
    Prepared,
    Preparing,
    RaceFinished,
    RaceStarted,
    RoundDone,
    RoundStarted,
    Standing,
)
from bench.plan import Plan
from bench.results import Machine, Status

HISTORY = 120
"""Samples of load kept for the course over time: half a minute at 4 a second."""


class Row(msgspec.Struct):
    """One candidate on one workload."""

    candidate: str
    stage: str = ""
    detail: str = ""
    stage_began_seconds: float = 0.0
    prepared: Prepared | None = None
    standing: Standing | None = None
    status: Status | None = None
    reason: str = ""


class Board:
    """What is known of one race.

    Attributes:
        workload: the workload in progress, None before the first.
        round, rounds: of that workload; 0 before the first round.
        seconds: time since the start, as of the newest event.
        remaining_seconds: what the engine expects to be left, None when it does not say.
        pairs: live comparisons of the present workload, fastest pair first.
        load: the newest sample; cpu_history holds mean CPU shares, oldest first.
        finished: whether the race is over; interrupted: whether it was stopped.
        changed: whether anything came in since it was last set to False.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.machine: Machine | None = None
        self.workload: str | None = None
        self.round = self.rounds = 0
        self.seconds = 0.0
        self.remaining_seconds: float | None = None
        self.pairs: tuple[LivePair, ...] = ()
        self.gauge: float | None = None
        self.load: Load | None = None
        self.cpu_history: deque[float] = deque(maxlen=HISTORY)
        self.finished = self.interrupted = False
        self.changed = True
        self._rows = {(w, c): Row(candidate=c) for w in plan.workloads for c in plan.candidates}

    def rows(self, workload: str) -> tuple[Row, ...]:
        """The rows of one workload as they are now: those with a standing first, fastest first, then as planned."""
        rows = [copy(self._rows[workload, candidate]) for candidate in self.plan.candidates]
        return tuple(sorted(rows, key=lambda row: -row.standing.samples_per_second if row.standing else 0.0))

    def take(self, event: AnyEvent) -> None:
        """Take in one event."""
        self.changed = True
        self.seconds = max(self.seconds, event.at_seconds)
        match event:
            case RaceStarted():
                self.machine = event.machine
            case Preparing():
                self._enter(event.workload or self.workload)
                for row in self._of(event.candidate, event.workload):
                    if row.stage != event.stage:
                        row.stage_began_seconds = event.at_seconds
                    row.stage, row.detail = event.stage, event.detail
            case Prepared():
                for row in self._of(event.candidate, event.workload):
                    row.prepared, row.stage, row.detail = event, "ready", ""
            case RoundStarted():
                self._enter(event.workload)
                self.round, self.rounds, self.remaining_seconds = event.round, event.rounds, event.remaining_seconds
            case RoundDone():
                self._enter(event.workload)
                self.round, self.rounds, self.remaining_seconds = event.round, event.rounds, event.remaining_seconds
                self.pairs, self.gauge = event.pairs, event.gauge
                for standing in event.standings:
                    for row in self._of(standing.candidate, event.workload):
                        row.standing = standing
            case Load():
                self.load = event
                if event.cpu:
                    self.cpu_history.append(sum(event.cpu) / len(event.cpu))
            case CandidateEnded():
                for row in self._of(event.candidate, event.workload):
                    if row.status is None:
                        row.status, row.reason = event.status, event.reason or ""
            case RaceFinished():
                self.finished, self.interrupted = True, event.interrupted
                self.remaining_seconds = None

    def _enter(self, workload: str | None) -> None:
        """Nothing said about one workload holds for the next."""
        if workload != self.workload:
            self.workload, self.round, self.rounds = workload, 0, 0
            self.remaining_seconds, self.pairs, self.gauge = None, (), None

    def _of(self, candidate: str, workload: str | None) -> list[Row]:
        workloads = self.plan.workloads if workload is None else (workload,)
        return [self._rows[each, candidate] for each in workloads if (each, candidate) in self._rows]
