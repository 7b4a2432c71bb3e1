"""How much is known, and how well it is borne out: figures about the knowledge base itself.

A rating is the newest statement of one framework on one leaf. Pure: takes records, returns counts.
"""

import datetime
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from knowledge.checks import check, dangling, rated_leaves
from knowledge.checks.ratings import INDEPENDENT_HOUSES
from knowledge.checks.sources import houses
from knowledge.facts import earliest
from knowledge.loader import Places
from knowledge.model import Holds, Independence, Knowledge, Record, Role, Source, Stance, Statement, Status

MONTHS_12_DAYS: Final = 365
MONTHS_24_DAYS: Final = 730


class Frameworks(Record, frozen=True):
    total: int
    by_role: Mapping[str, int]
    by_status: Mapping[str, int]


class Ratings(Record, frozen=True):
    """Ratings and what bears them out. Shares are of the ratings with a score, 0 to 1.

    Attributes:
        leaves: leaves that people rate.
        statements: of all times, the superseded ones too.
        unknown_by_reason: why a score is null -> how often.
        evidence: claims under the ratings with a score, of every stance.
        evidence_mean, evidence_least: per rating.
        contradicted: ratings that list a claim against themselves.
        two_houses: share that different houses support.
        not_the_vendor_alone: share that somebody supports who is not of the framework's own people.
        within_12_months, within_24_months: share whose newest source is no older than that.
        reviewed: ratings that somebody else has looked at.
    """

    leaves: int
    statements: int
    ratings: int
    with_score: int
    unknown_by_reason: Mapping[str, int]
    evidence: int
    evidence_mean: float
    evidence_least: int
    contradicted: int
    two_houses: float
    not_the_vendor_alone: float
    within_12_months: float
    within_24_months: float
    reviewed: int


class Sources(Record, frozen=True):
    """Attributes:
    houses: different ones behind them.
    within_12_months, within_24_months: share of the sources, 0 to 1.
    """

    total: int
    houses: int
    by_kind: Mapping[str, int]
    by_independence: Mapping[str, int]
    within_12_months: float
    within_24_months: float


class Guides(Record, frozen=True):
    total: int
    claims: int
    by_verdict: Mapping[str, int]
    charges: int
    winners: int


class Counts(Record, frozen=True):
    """Attributes:
    broken_ids: ids that lead nowhere.
    """

    as_of: datetime.date
    frameworks: Frameworks
    ratings: Ratings
    sources: Sources
    guides: Guides
    broken_ids: int


def count(knowledge: Knowledge, as_of: datetime.date) -> Counts:
    """The figures of a knowledge base on one day."""
    claims = [claim for guide in knowledge.guides.values() for claim in guide.claims]
    frameworks = knowledge.frameworks.values()
    sources = knowledge.sources.values()
    return Counts(
        as_of=as_of,
        frameworks=Frameworks(
            total=len(knowledge.frameworks),
            by_role=_tally(Role, (framework.role for framework in frameworks)),
            by_status=_tally(Status, (framework.lifecycle.status for framework in frameworks)),
        ),
        ratings=_ratings(knowledge, as_of),
        sources=Sources(
            total=len(knowledge.sources),
            houses=len({source.behind for source in sources}),
            by_kind=dict(Counter(source.kind.value for source in sources).most_common()),
            by_independence=_tally(Independence, (source.independence for source in sources)),
            within_12_months=_share(_recent(source, as_of, MONTHS_12_DAYS) for source in sources),
            within_24_months=_share(_recent(source, as_of, MONTHS_24_DAYS) for source in sources),
        ),
        guides=Guides(
            total=len(knowledge.guides),
            claims=len(claims),
            by_verdict=_tally(Holds, (claim.holds for claim in claims)),
            charges=sum(len(guide.charges) for guide in knowledge.guides.values()),
            winners=sum(len(guide.winners) for guide in knowledge.guides.values()),
        ),
        broken_ids=len(dangling(check(knowledge, Places(), as_of))),
    )


def _ratings(knowledge: Knowledge, as_of: datetime.date) -> Ratings:
    all_statements = [each for framework in knowledge.frameworks.values() for each in framework.ratings.values()]
    newest = [statements[0] for statements in all_statements if statements]
    scored = [rating for rating in newest if rating.score is not None]
    numbers = [len(rating.evidence) for rating in scored]
    return Ratings(
        leaves=len(rated_leaves(knowledge)),
        statements=sum(len(statements) for statements in all_statements),
        ratings=len(newest),
        with_score=len(scored),
        unknown_by_reason=dict(Counter(rating.reason for rating in newest if rating.score is None).most_common()),
        evidence=sum(numbers),
        evidence_mean=statistics.fmean(numbers) if numbers else 0.0,
        evidence_least=min(numbers, default=0),
        contradicted=sum(any(each.stance is Stance.CONTRADICTS for each in rating.evidence) for rating in scored),
        two_houses=_share(len(houses(rating.evidence, knowledge)) >= INDEPENDENT_HOUSES for rating in scored),
        not_the_vendor_alone=_share(
            any(source.independence is not Independence.VENDOR for source in _supporting(rating, knowledge))
            for rating in scored
        ),
        within_12_months=_share(_rating_recent(rating, knowledge, as_of, MONTHS_12_DAYS) for rating in scored),
        within_24_months=_share(_rating_recent(rating, knowledge, as_of, MONTHS_24_DAYS) for rating in scored),
        reviewed=sum(bool(rating.reviewed_by) for rating in newest),
    )


def _supporting(rating: Statement, knowledge: Knowledge) -> list[Source]:
    named = [each.source for each in rating.evidence if each.stance is Stance.SUPPORTS]
    return [knowledge.sources[each] for each in named if each in knowledge.sources]


def _rating_recent(rating: Statement, knowledge: Knowledge, as_of: datetime.date, days: int) -> bool:
    named = [each.source for each in rating.evidence]
    return any(_recent(knowledge.sources[each], as_of, days) for each in named if each in knowledge.sources)


def _recent(source: Source, as_of: datetime.date, days: int) -> bool:
    """Published no longer ago; read no longer ago where it carries no date. A year alone counts from its first day."""
    dated = (earliest(source.published) if source.published else None) or source.accessed
    return (as_of - dated).days <= days


def _share(flags: Iterable[bool]) -> float:
    all_flags = list(flags)
    return sum(all_flags) / len(all_flags) if all_flags else 0.0


def _tally(kinds: type[Role] | type[Status] | type[Independence] | type[Holds], found: Iterable[str]) -> dict[str, int]:
    """How often each kind occurs, in the order of the kinds."""
    counts = Counter(found)
    return {kind.value: counts[kind] for kind in kinds}
