"""knowledge.counts: every figure counts what it says."""

import datetime

from knowledge.counts import count
from knowledge.loader import load
from knowledge.model import Role, Status
from tests.knowledge.conftest import AS_OF, Base

ALPHA = "frameworks/alpha.yaml"


def test_the_small_base_is_counted(base: Base) -> None:
    found = count(load(base.folder), AS_OF)
    assert found.as_of == AS_OF
    assert found.frameworks.total == 2
    assert {role: n for role, n in found.frameworks.by_role.items() if n} == {Role.ENGINE: 1, Role.COMPANION: 1}
    assert {status: n for status, n in found.frameworks.by_status.items() if n} == {Status.ACTIVE: 2}
    ratings = found.ratings
    assert (ratings.leaves, ratings.statements, ratings.ratings, ratings.with_score) == (2, 3, 2, 2)
    assert ratings.unknown_by_reason == {}  # the one without a score is superseded
    assert (ratings.evidence, ratings.evidence_mean, ratings.evidence_least) == (3, 1.5, 1)
    assert (ratings.two_houses, ratings.not_the_vendor_alone) == (0.5, 1)
    assert (ratings.contradicted, ratings.reviewed) == (0, 0)
    assert (found.sources.total, found.sources.houses) == (3, 2)
    assert found.sources.by_independence == {"independent": 1, "vendor": 2, "competitor": 0, "project": 0}
    assert (found.guides.total, found.guides.claims, found.guides.charges, found.guides.winners) == (1, 2, 1, 1)
    assert found.guides.by_verdict == {"confirmed": 1, "partly": 0, "refuted": 0, "untestable": 1}
    assert found.broken_ids == 0


def test_ages_count_from_publication_and_else_from_reading(base: Base) -> None:
    known = load(base.folder)
    # review: published 2025-12-05; manual: 2026-10; registry: undated, read 2026-11-19
    assert count(known, datetime.date(2026, 12, 5)).sources.within_12_months == 1
    assert count(known, datetime.date(2026, 12, 6)).sources.within_12_months == 2 / 3
    assert count(known, datetime.date(2027, 10, 2)).sources.within_12_months == 1 / 3
    assert count(known, datetime.date(2027, 11, 19)).ratings.within_12_months == 0.5  # of two, the installed one
    assert count(known, datetime.date(2027, 11, 20)).ratings.within_12_months == 0
    assert count(known, datetime.date(2027, 12, 5)).sources.within_24_months == 1
    assert count(known, datetime.date(2027, 12, 6)).sources.within_24_months == 2 / 3


def test_unknown_ratings_are_counted_by_reason(base: Base) -> None:
    text = (base.folder / ALPHA).read_text(encoding="utf-8").partition("  ease.install:")[0]
    unknown = "  ease.install: [{as_of: 2026-11-20, author: A, score: null, reason: no source, reviewed_by: B}]\n"
    (base.folder / ALPHA).write_text(text + unknown, encoding="utf-8")
    ratings = count(load(base.folder), AS_OF).ratings
    assert (ratings.ratings, ratings.with_score, ratings.unknown_by_reason) == (2, 1, {"no source": 1})
    assert (ratings.evidence, ratings.reviewed) == (1, 1)


def test_contradicting_and_vendor_evidence_is_told_apart(base: Base) -> None:
    base.spoil(
        ALPHA, "{claim: It installed at once., source: review}", "{claim: No., source: review, stance: contradicts}"
    )
    base.spoil(ALPHA, "{claim: A quick start., source: review}", "{claim: A quick start., source: manual}")
    ratings = count(load(base.folder), AS_OF).ratings
    assert (ratings.contradicted, ratings.two_houses, ratings.not_the_vendor_alone) == (1, 0, 0)


def test_two_names_of_one_house_are_one_house(base: Base) -> None:
    base.spoil("sources.yaml", "publisher: Reviewer", "publisher: Reviewer\n    house: Example")
    found = count(load(base.folder), AS_OF)
    assert (found.sources.houses, found.ratings.two_houses) == (1, 0)


def test_ids_that_lead_nowhere_are_counted(base: Base) -> None:
    base.spoil(ALPHA, "successor: beta", "successor: bete")
    base.spoil("guides/old.yaml", "against: [beta]", "against: [bete]")
    assert count(load(base.folder), AS_OF).broken_ids == 2


def test_the_shipped_base_leads_nowhere_in_vain() -> None:
    known = load()
    found = count(known, known.date)
    assert found.broken_ids == 0
    assert found.ratings.with_score + sum(found.ratings.unknown_by_reason.values()) == found.ratings.ratings
    assert sum(found.guides.by_verdict.values()) == found.guides.claims
    assert sum(found.frameworks.by_role.values()) == found.frameworks.total == len(known.frameworks)
