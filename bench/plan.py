"""What to run: candidates x workloads x phases on one device, precision and thread count, within a budget.

A plan is fixed before anything is measured; K, M and alpha in it are the *planned* numbers that verdicts use.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from bench.records import Record

_CANDIDATE = re.compile(r"^([a-z0-9_]+)(?:@([a-z0-9_]+))?:([a-z0-9_]+)$")


class Goal(StrEnum):
    WINNER = "winner"
    ORDER = "order"


class Candidate(Record, frozen=True, order=True):
    """`framework[@backend]:mode`, the unit that is raced."""

    framework: str
    backend: str | None
    mode: str

    def __str__(self) -> str:
        backend = f"@{self.backend}" if self.backend else ""
        return f"{self.framework}{backend}:{self.mode}"

    @classmethod
    def parse(cls, text: str) -> "Candidate":
        """The candidate that `text` names.

        Raises:
            ValueError: `text` is not of the form framework[@backend]:mode.
        """
        match = _CANDIDATE.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not a candidate; write framework[@backend]:mode")
        return cls(framework=match[1], backend=match[2], mode=match[3])


class Plan(Record, frozen=True):
    """Everything that decides what a run does; stored with its result so that it can be repeated.

    Attributes:
        K: planned candidates; M: their pairs; alpha: error rate per (workload, phase) race.
        data: data set name -> "made", or "user" when the user's own files were read.
        defaults: candidates that stand for their framework in the ranking (its documented default for training).
    """

    candidates: tuple[str, ...]
    workloads: tuple[str, ...]
    phases: tuple[str, ...]
    device: str
    precision: str
    threads: int
    batch: int | None
    budget_seconds: float
    goal: Goal
    launches: int
    rounds: int
    seed: int
    K: int
    M: int
    alpha: float
    data: dict[str, str]
    defaults: tuple[str, ...]


def family_error_rate(workloads: Iterable[str], phases: Iterable[str]) -> float:
    """alpha for one race: .05 shared equally between the planned (workload, phase) races (METHOD.md, "Race")."""
    races = len(tuple(workloads)) * len(tuple(phases))
    return 0.05 / max(races, 1)
