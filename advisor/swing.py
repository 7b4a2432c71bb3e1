"""Swing weighting of the top level: what whole swings are worth to a person, turned into the sheet's weights.

In a weighted sum a weight belongs to one point on 0-10, and says nothing until one knows how far apart the frameworks
lie. So the question is about the range itself: with everything at the worst of those that qualify, which node would
one move to its best first? That swing is worth 100; the others are compared with it. A node's weight is then
proportional to its points divided by its range: best - worst points on 0-10 gain points x constant.

von Winterfeldt, D. & Edwards, W. (1986), Decision Analysis and Behavioral Research, ch. 8 (swing weights);
Keeney, R. L. & Raiffa, H. (1976), Decisions with Multiple Objectives, ch. 3 (scaling constants depend on the ranges).
"""

from collections.abc import Mapping, Sequence
from math import floor, fsum
from typing import Final

import msgspec
from msgspec.structs import replace

from advisor.answers import Answers, FixedWeight, Sure
from advisor.recommendation import Recommendation
from knowledge.model import Criterion

TOP_POINTS: Final = 100
"""What the most important swing is worth; the others are compared with it."""

_LEAST_RANGE: Final = 1e-9
"""Ranges below this are rounding: values on 0-10 are means of some ten leaves in double precision."""

_PER_UNIT: Final = 100
"""Per cents are written with two digits: a sheet is read by people, and nobody weighs finer."""


class Swing(msgspec.Struct, frozen=True):
    """One top-level node with the worst and the best of the frameworks that qualify.

    Attributes:
        node: its id.
        worst, best: their values on 0-10: the mean of its leaves, as the answers weigh them.
        worst_of, best_of: ids of the frameworks that have them, best rank first.
        weight: the node's share of everything as the answers have it, 0-1.
    """

    node: str
    worst: float
    best: float
    worst_of: tuple[str, ...]
    best_of: tuple[str, ...]
    weight: float

    @property
    def range(self) -> float:
        """Points on 0-10 between worst and best; exactly 0 where nobody differs."""
        return self.best - self.worst if self.best - self.worst > _LEAST_RANGE else 0.0


def unweighed(answers: Answers, criteria: Sequence[Criterion]) -> Answers:
    """The sheet without weights of its own on the top level, so that every node that can be filled weighs something."""
    top = {node.id for node in criteria}
    return replace(answers, weights={path: fixed for path, fixed in answers.weights.items() if path not in top})


def swings(recommendation: Recommendation, criteria: Sequence[Criterion]) -> tuple[Swing, ...]:
    """The swing of every top-level node that has a weight; none where nobody qualifies.

    Args:
        recommendation: on an `unweighed` sheet: of a node without weight the values are not known.
        criteria: the tree.
    """
    found = []
    for node in criteria if recommendation.ranking else ():
        within = {leaf: weight for leaf, weight in recommendation.weights.items() if leaf.partition(".")[0] == node.id}
        weight = fsum(within.values())
        if weight <= 0:
            continue
        values = {
            each.framework: fsum(each.contributions[leaf] for leaf in within) / weight
            for each in recommendation.ranking
        }
        worst, best = min(values.values()), max(values.values())
        found.append(
            Swing(
                node=node.id,
                worst=worst,
                best=best,
                worst_of=tuple(name for name, value in values.items() if value - worst <= _LEAST_RANGE),
                best_of=tuple(name for name, value in values.items() if best - value <= _LEAST_RANGE),
                weight=weight,
            )
        )
    return tuple(found)


def weights(found: Sequence[Swing], points: Mapping[str, float]) -> dict[str, float]:
    """Per cents of the top-level nodes, with two digits and summing to 100: proportional to points / range.

    A node on which nobody differs gets none, whatever it is worth: no framework would gain by it.

    Args:
        found: the swings that were compared.
        points: node -> what its swing is worth, 0 to TOP_POINTS; a node left out is worth nothing.

    Raises:
        ValueError: points lie outside 0 to TOP_POINTS, or no swing that has a range is worth anything.
    """
    if not all(0 <= points.get(swing.node, 0) <= TOP_POINTS for swing in found):
        raise ValueError("a swing is worth 0 to 100 points")
    per_point = {s.node: points.get(s.node, 0) / s.range if s.range else 0.0 for s in found}
    total = fsum(per_point.values())
    if total <= 0:
        raise ValueError("no swing is worth anything")
    units = {node: each / total * 100 * _PER_UNIT for node, each in per_point.items()}
    whole = {node: floor(each) for node, each in units.items()}
    left = 100 * _PER_UNIT - sum(whole.values())  # largest remainders get what rounding down left over
    for node in sorted(units, key=lambda node: whole[node] - units[node])[:left]:
        whole[node] += 1
    return {node: each / _PER_UNIT for node, each in whole.items()}


def weighed(
    answers: Answers, criteria: Sequence[Criterion], per_cents: Mapping[str, float], sure: Sure = Sure.MEDIUM
) -> Answers:
    """The sheet with these per cents on the top level, in place of any before; weights further down stay."""
    further_down = unweighed(answers, criteria).weights
    fixed = {node: FixedWeight(per_cent, sure) for node, per_cent in per_cents.items()}
    return replace(answers, weights={**fixed, **further_down})
