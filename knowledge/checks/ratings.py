"""Ratings: every score has a range, a reason and evidence, is recent, and an extreme one has more than one witness."""

import datetime
from collections.abc import Iterator
from typing import Final

from knowledge.checks.criteria import has_to_be_rated, rated_leaves
from knowledge.checks.findings import Finding, error, note, unknown, warning
from knowledge.checks.sources import houses
from knowledge.loader import Place, Places
from knowledge.model import Framework, Independence, Knowledge, Stance, Statement

MAX_UNKNOWN_SHARE: Final = 0.15
"""Largest share of a rated framework's leaves that may be unknown: an answer needs coverage (METHOD.md)."""

EXTREME_LOW: Final = 2
EXTREME_HIGH: Final = 8
"""A score this low or this high rests on supporting claims from INDEPENDENT_HOUSES different houses."""

INDEPENDENT_HOUSES: Final = 2

GOOD_ABOVE: Final = 5
"""A score above the middle anchor speaks for a framework; where only its own people bear it out, a note says so."""


def check(framework: Framework, knowledge: Knowledge, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    yield from _ratings(framework, knowledge, places, as_of)
    yield from _coverage(framework, knowledge, places)


def _ratings(framework: Framework, knowledge: Knowledge, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    rated = rated_leaves(knowledge)
    for path, statements in framework.ratings.items():
        if path not in rated:
            place = places.framework(framework.id, "ratings", path)
            if path in knowledge.leaves:
                yield error(place, "is worked out or measured, not rated", "remove it")
            else:
                yield unknown(place, "leaf", path, rated)
            continue
        if not statements:
            yield error(places.framework(framework.id, "ratings", path), "holds no statement")
        for index, statement in enumerate(statements):
            place = places.framework(framework.id, "ratings", path, index)
            for problem, mend in _statement_faults(statement):
                yield error(place, problem, mend)
            if index == 0 and statement.score is not None:
                yield from _witnesses(statement, statement.score, knowledge, place)
            dated = places.framework(framework.id, "ratings", path, index, "as_of")
            if statement.as_of > as_of:
                yield error(dated, f"{statement.as_of} lies after {as_of}")
            if index and statement.as_of > statements[index - 1].as_of:
                yield error(dated, "is newer than the statement above it", "put the newest first")
        age_days = (as_of - statements[0].as_of).days if statements else 0
        limit_days = rated[path].max_age_days
        if limit_days is not None and age_days > limit_days:
            place = places.framework(framework.id, "ratings", path, 0, "as_of")
            yield warning(place, f"is {age_days} days old, {limit_days} are allowed", "look again and add a statement")


def _statement_faults(statement: Statement) -> Iterator[tuple[str, str]]:
    """Problems and mends of one rating, taken by itself."""
    if not statement.author.strip():
        yield "names no author", "say who rated"
    if statement.score is None:
        if not statement.reason.strip():
            yield "the score is null without a reason", "say in 'reason' why it is unknown"
        if statement.low is not None or statement.high is not None:
            yield "the score is null, but has a range", "remove low and high"
        return
    if statement.low is None or statement.high is None:
        yield "the score has no range", "add low and high"
    elif not statement.low <= statement.score <= statement.high:
        yield f"the score {statement.score:g} is outside {statement.low:g} to {statement.high:g}", "widen the range"
    if not statement.rationale.strip():
        yield "has no rationale", "say in one sentence why"
    if not any(claim.stance is Stance.SUPPORTS for claim in statement.evidence):
        yield "no evidence supports the score", "add some, or make the score null and give the reason"


def _witnesses(statement: Statement, score: float, knowledge: Knowledge, place: Place) -> Iterator[Finding]:
    """An extreme score has enough houses behind it, a good one more than the framework's own people."""
    supporting = [each.source for each in statement.evidence if each.stance is Stance.SUPPORTS]
    known = [knowledge.sources[each] for each in supporting if each in knowledge.sources]
    behind = sorted(houses(statement.evidence, knowledge))
    if known and not EXTREME_LOW < score < EXTREME_HIGH and len(behind) < INDEPENDENT_HOUSES:
        problem = f"{score:g} rests on {' and '.join(behind)} alone, {INDEPENDENT_HOUSES} houses are needed"
        yield error(place, problem, "add an independent source, or move the score towards the middle")
    elif known and score > GOOD_ABOVE and all(each.independence is Independence.VENDOR for each in known):
        yield note(place, f"only the framework's own people say {score:g}", "look for an independent source")


def _coverage(framework: Framework, knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """A rated framework has a statement on every leaf, and few of them are unknown."""
    rated = rated_leaves(knowledge)
    place = places.framework(framework.id, "ratings")
    if not has_to_be_rated(framework.role, framework.lifecycle.status):
        return
    if not framework.ratings:
        yield warning(place, "is not rated yet", "rate it, or it scores as unknown on every leaf")
        return
    missing = [path for path in rated if path in knowledge.leaves and path not in framework.ratings]
    if missing:
        yield error(place, f"nothing is said on {', '.join(missing)}", "add a statement; null with a reason if unknown")
    newest = [framework.ratings[path][0] for path in rated if framework.ratings.get(path)]
    unknown = [statement for statement in newest if statement.score is None]
    if rated and len(unknown) > MAX_UNKNOWN_SHARE * len(rated):
        problem = f"{len(unknown)} of {len(rated)} leaves are unknown, at most {MAX_UNKNOWN_SHARE:.0%} may be"
        yield error(place, problem, "find evidence for some")
