"""What the command was asked for."""

from bench.planning import DEFAULT_BUDGET_SECONDS
from bench.records import Record


class Options(Record, frozen=True):
    """Settings of a run of the experiments.

    Attributes:
        launches, pairs: of the harness against bare loops: how often both are started anew, and pairs of blocks each.
        seconds: how long each stretch of a share is watched.
        candidates: candidates to use instead of the defaults.
        budget: seconds of measuring of a fresh race.
        results: a results file to take step times from, instead of a fresh race.
        really: a candidate whose fixed epochs are run for real.
    """

    launches: int = 8
    pairs: int = 5
    seconds: float = 5.0
    candidates: tuple[str, ...] = ()
    budget: float = DEFAULT_BUDGET_SECONDS
    results: str | None = None
    really: str | None = None
