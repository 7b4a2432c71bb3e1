"""Leaves that order the frameworks alike: together they count one thing twice."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from knowledge.checks.criteria import rated_leaves
from knowledge.checks.findings import Finding, note
from knowledge.loader import Places
from knowledge.model import Knowledge

REDUNDANT_ABOVE: Final = 0.8
"""|Spearman| above which two leaves are listed as saying much the same (METHOD.md)."""

REDUNDANT_FRAMEWORKS: Final = 7
"""Frameworks that have to be rated on both leaves: the fewest with which a Spearman correlation of .8 is beyond
chance (two-sided 5 % points: .786 for 7, .886 for 6; Zar 1972)."""


def check(knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Pairs of leaves that order the frameworks alike: together they count one thing twice."""
    scores: dict[str, dict[str, float]] = {path: {} for path in rated_leaves(knowledge)}
    for framework in knowledge.frameworks.values():
        for path, statements in framework.ratings.items():
            if path in scores and statements and statements[0].score is not None:
                scores[path][framework.id] = statements[0].score
    for (a, scores_a), (b, scores_b) in itertools.combinations(scores.items(), 2):
        if b.startswith(f"{a}."):  # a special case counts instead of its leaf, never beside it
            continue
        both = [id_ for id_ in scores_a if id_ in scores_b]
        if len(both) < REDUNDANT_FRAMEWORKS:
            continue
        rho = spearman([scores_a[id_] for id_ in both], [scores_b[id_] for id_ in both])
        if rho is not None and abs(rho) > REDUNDANT_ABOVE:
            problem = f"{a} orders {len(both)} frameworks much as {b} does (Spearman {rho:.2f})"
            yield note(places.criterion(a), problem + _on_purpose(a, b))


def _on_purpose(a: str, b: str) -> str:
    """That two leaves share a node below the top level, whose weight the user gives to both together."""
    node = a.rpartition(".")[0]
    together = "." in node and b.rpartition(".")[0] == node
    return f"; on purpose, they share the weight of {node}" if together else ""


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Spearman's rank correlation, ties at their mean rank; None if all values on one side are equal.

    Spearman, C. (1904), The proof and measurement of association between two things.
    """
    ranks_a, ranks_b = _ranks(a), _ranks(b)
    mean = (len(a) + 1) / 2
    covariance = math.fsum((x - mean) * (y - mean) for x, y in zip(ranks_a, ranks_b, strict=True))
    spread_a = math.fsum((x - mean) ** 2 for x in ranks_a)
    spread_b = math.fsum((y - mean) ** 2 for y in ranks_b)
    return covariance / math.sqrt(spread_a * spread_b) if spread_a and spread_b else None


def _ranks(values: Sequence[float]) -> list[float]:
    counts = Counter(values)
    below, rank = 0, dict[float, float]()
    for value in sorted(counts):
        rank[value] = below + (counts[value] + 1) / 2
        below += counts[value]
    return [rank[value] for value in values]
