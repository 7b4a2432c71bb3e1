"""What the screens ask of the rest of the house. The app is given one object that does all of it: `house.House` on a
real machine, a scripted one in tests."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from advisor.answers import Answers
from advisor.attributes import Attributes
from advisor.recommendation import Recommendation
from advisor.trial import Trial
from bench.comparison import Comparison
from bench.events import AnyEvent
from bench.plan import Goal, Plan
from bench.planning import Wishes
from bench.readiness import Readiness
from bench.recording import Recording
from bench.results import Machine, Results
from bench.store import Summary
from knowledge.loader import Place
from knowledge.model import Text

CONSENT_BYTES = 500_000_000
"""Downloads over this need an explicit yes (INTERFACE.md, "The interface")."""


class Offer(msgspec.Struct, frozen=True):
    """One candidate as the plan screen offers it: what it needs, and why its result would not enter the advice."""

    readiness: Readiness
    why_not_counted: str | None


class Choice(msgspec.Struct, frozen=True):
    """What the user wants measured."""

    candidates: tuple[str, ...]
    workloads: tuple[str, ...]
    device: str
    budget_seconds: float
    phases: tuple[str, ...] = ("train",)
    goal: Goal = Goal.WINNER
    launches: int | None = None  # None: as many as the budget is expected to pay for


class Race(Protocol):
    """A race under way."""

    def events(self) -> AsyncIterator[AnyEvent]:
        """Every event from the first on, until the race is over."""
        ...

    def cancel(self, candidate: str | None = None) -> None:
        """Stop one candidate, or the race; what was measured is kept."""
        ...

    @property
    def results(self) -> Results | None:
        """The results once the race is over."""
        ...


class Services(Protocol):
    """All that happens outside the screens. Every method but `race` may take its time: call it in a thread."""

    def machine(self) -> Machine:
        """What this machine is."""
        ...

    def decide(self, sheets: Sequence[Answers], results: Results | None) -> Recommendation:
        """The recommendation for one sheet, or for several people's together.

        Raises:
            BadInput: the answers contradict each other.
        """
        ...

    def read_answers(self, path: Path) -> Answers:
        """The sheet in an answers file.

        Raises:
            BadInput: with every fault of the file.
        """
        ...

    def devices(self) -> tuple[str, ...]:
        """What can be trained on here, "cpu" first."""
        ...

    def free_memory_bytes(self) -> int:
        """Memory that is free now."""
        ...

    def free_disk_bytes(self) -> int:
        """Disk that is free where environments are kept."""
        ...

    def workloads(self) -> dict[str, Text]:
        """Workload id -> name."""
        ...

    def wanted_workloads(self, sheets: Sequence[Answers]) -> tuple[str, ...]:
        """The workloads that the answers map to; all when they say nothing."""
        ...

    def offers(self, sheets: Sequence[Answers], device: str) -> tuple[Offer, ...]:
        """Every candidate there is, in the order of the knowledge base."""
        ...

    def plan(self, choice: Choice) -> Plan:
        """The plan of a race.

        Raises:
            BadInput: it makes no sense here.
        """
        ...

    def race(self, plan: Plan) -> AbstractAsyncContextManager[Race]:
        """Start a race."""
        ...

    def latest_results(self) -> Results | None:
        """The newest stored results, if any."""
        ...

    def history(self) -> tuple[Summary, ...]:
        """Every race kept, newest first.

        Raises:
            BadInput: the store cannot be read.
        """
        ...

    def stored_results(self, identity: str) -> Results:
        """The results of one race kept.

        Raises:
            BadInput: they cannot be read, or are gone.
        """
        ...

    def comparison(self, earlier: Results, later: Results) -> Comparison:
        """Two results held against each other."""
        ...

    def recordings(self) -> dict[str, Path]:
        """Name -> file of the recorded races that come with the app."""
        ...

    def recording(self, path: Path) -> Recording:
        """One recorded race.

        Raises:
            BadInput: the file cannot be played, with the line that is wrong.
        """
        ...

    def report(self, sheets: Sequence[Answers], results: Results | None, form: str) -> bytes:
        """The report as "md", "html" or "json", in UTF-8.

        Raises:
            BadInput: the answers contradict each other.
        """
        ...

    def report_form(self, path: Path) -> str | None:
        """The form that a file's suffix asks for; None when it names none."""
        ...

    def place(self, framework: str, *steps: str | int) -> Place:
        """Where in the knowledge base something about a framework is written: file, and line where known."""
        ...

    def live(self, framework: str) -> tuple[str, ...]:
        """What a package index said of a framework and from when, line by line; nothing where it was never asked.

        Raises:
            BadInput: what is kept of it cannot be used.
        """
        ...

    def guide_place(self, guide: str, *steps: str | int) -> Place:
        """Where something about an old guide is written."""
        ...

    def source_place(self, source: str) -> Place:
        """Where a source is written."""
        ...

    def attributes(self, framework: str) -> Attributes:
        """The sheet of one framework."""
        ...

    def trial(self, guide: str, results: Sequence[Results]) -> Trial:
        """What these results, and lines of code, say of an old guide's charges."""
        ...

    def trial_races(self, guide: str) -> tuple[Wishes, ...]:
        """The races that try a guide's charges on this machine."""
        ...

    def trial_recordings(self, guide: str) -> dict[str, Path]:
        """Name -> file of the recorded races that come with the app and try a guide's charges."""
        ...
