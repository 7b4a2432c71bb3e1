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
        launches: that the budget is expected to pay for; the most there will be unless `auto`.
        twins: candidates that run twice, under names like "pytorch:eager#2" (`untwinned`): how far the same thing
            twice differs. They count neither in K nor in M, and nothing is said of them but that.
        left_out: candidate -> why it is not raced, so that the others can be decided.
        auto: whether the user left launches and candidates to the app, which may then revise the launches.
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
    twins: tuple[str, ...] = ()
    left_out: dict[str, str] = {}
    auto: bool = False

    @property
    def field(self) -> tuple[str, ...]:
        """Everybody who runs: the candidates, then the twins."""
        return self.candidates + self.twins


def twin_of(candidate: str, number: int = 2) -> str:
    """The name under which `candidate` runs for the `number`-th time."""
    return f"{candidate}#{number}"


def untwinned(name: str) -> str:
    """The candidate that runs under `name`, its own or a twin's."""
    return name.partition("#")[0]


def family_error_rate(workloads: Iterable[str], phases: Iterable[str]) -> float:
    """alpha for one race: .05 shared equally between the planned (workload, phase) races (METHOD.md, "Race")."""
    races = len(tuple(workloads)) * len(tuple(phases))
    return 0.05 / max(races, 1)
