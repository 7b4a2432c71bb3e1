"""What a framework is, set beside what others are: the sheet that `advisor compare` prints. Read, never weighed."""

from collections.abc import Mapping
from statistics import median
from typing import Final

import msgspec

from bench import idioms
from bench.idioms.lines import Lines, count
from bench.workload import load_workloads
from knowledge.checks import rated_leaves
from knowledge.facts import FACTS
from knowledge.model import Count, Framework, Knowledge, Measure, Role, Sheet, Status, Support

COMPARED: Final = ("os", "accelerator", "target")
"""The facts that are compared value by value: where it installs, what it computes on, where its models run."""


class CodeLines(msgspec.Struct, frozen=True):
    """How long the same programs are in a framework (`bench.idioms`).

    Attributes:
        median: of the workloads' model and training together.
        workloads: workload -> its lines, in the order of the ids.
    """

    median: float
    workloads: Mapping[str, Lines]


class Attributes(msgspec.Struct, frozen=True):
    """One framework's sheet.

    Attributes:
        first_release: year, month or day as known.
        latest_version, latest_date: of the newest final release; None where none is listed.
        facts: fact -> value -> how well it is supported; None is unknown, which is not "none".
        known_ratings, ratings: how many of the leaves that people rate have a score, and how many there are.
        coverage: the share of them, 0 to 1.
        code_lines: None where its programs are not written.
        sheet: who develops it and how it works; None where nobody has written that down.
        popularity: what is counted -> the newest figure, with its day and source.
    """

    role: Role
    status: Status
    first_release: str
    latest_version: str | None
    latest_date: str | None
    facts: Mapping[str, Mapping[str, Support | None]]
    known_ratings: int
    ratings: int
    coverage: float
    code_lines: CodeLines | None
    sheet: Sheet | None
    popularity: Mapping[Measure, Count]


def attributes(base: Knowledge, framework: Framework) -> Attributes:
    """The sheet of one framework, from the newest statements."""
    life = framework.lifecycle
    latest = life.releases[0] if life.releases else None
    leaves = rated_leaves(base)
    newest = [framework.ratings[path][0] for path in leaves if framework.ratings.get(path)]
    known = sum(statement.score is not None for statement in newest)
    return Attributes(
        role=framework.role,
        status=life.status,
        first_release=life.first_release,
        latest_version=latest.version if latest else None,
        latest_date=latest.date.isoformat() if latest else None,
        facts={fact: {value: _support(framework, fact, value) for value in FACTS[fact].values} for fact in COMPARED},
        known_ratings=known,
        ratings=len(leaves),
        coverage=known / len(leaves),
        code_lines=code_lines(framework.id),
        sheet=framework.sheet,
        popularity=newest_counts(framework),
    )


def newest_counts(framework: Framework) -> dict[Measure, Count]:
    """The newest figure of everything that is counted of a framework, in the order in which measures are defined."""
    counts: dict[Measure, Count] = {}
    for each in framework.popularity:  # newest first within one measure
        counts.setdefault(each.measure, each)
    return {measure: counts[measure] for measure in Measure if measure in counts}


def code_lines(framework: str) -> CodeLines | None:
    """The lines of every workload's program in a framework (its id); None where none is written."""
    sources = {workload: idioms.source(framework, workload) for workload in load_workloads()}
    counts = {workload: count(source) for workload, source in sources.items() if source is not None}
    return CodeLines(median(lines.total for lines in counts.values()), counts) if counts else None


def _support(framework: Framework, fact: str, value: str) -> Support | None:
    return next((each.support for each in framework.facts.get(fact, ()) if value in each.values), None)
