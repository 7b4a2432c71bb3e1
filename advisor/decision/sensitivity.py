"""What would change the ranking: for each framework the smallest change of one weight that puts it first.

Changing the global weight of one leaf from w to x, all others rescaled by (1 - x) / (1 - w), changes every score
linearly in x. So a framework beats one rival on one side of one x, and all rivals on an interval, found exactly
(Triantaphyllou & Sanchez 1997, with all rivals at once instead of one at a time).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from advisor.decision.value import Value
from advisor.recommendation import Flip

_RESOLUTION = 1e-6
"""A flip at x must hold at x (1 + 1e-6) and not at x (1 - 1e-6), or the other way round (METHOD.md, D4)."""

_ROUNDING = 1e-12
"""Points below which a difference is rounding: sums of some 50 products on 0-10 in double precision err by 1e-14."""


def flips(
    ranking: Sequence[str], values: Mapping[str, Mapping[str, Value]], weights: Mapping[str, float]
) -> tuple[Flip, ...]:
    """One flip for every framework of `ranking` but the first, in that order.

    Args:
        ranking: framework ids, best first.
        values: framework -> leaf -> value.
        weights: leaf -> global central weight; they sum to 1.
    """
    leaves = list(weights)
    expected = np.array([[values[framework][leaf].expected for leaf in leaves] for framework in ranking])
    weight = np.array([weights[leaf] for leaf in leaves])
    found = []
    for row, framework in enumerate(ranking):
        if row == 0:
            continue
        lower, upper = _winning_intervals(expected[row], np.delete(expected, row, axis=0), weight)
        target = _nearest_bound(lower, upper, weight)
        change = np.abs(target - weight)
        best = int(np.argmin(change))  # the first of equals: tree order
        if np.isfinite(change[best]):
            found.append(Flip(framework, leaves[best], float(weight[best]), float(target[best])))
        else:
            found.append(Flip(framework, None))
    return tuple(found)


def _winning_intervals(own: np.ndarray, rivals: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every leaf the open interval of its weight in which `own` scores above all `rivals`; empty if lower >= upper.

    Args:
        own: expected values, shape (leaves,).
        rivals: expected values, shape (rivals, leaves).
        weight: central weights, shape (leaves,).
    """
    lead = own - rivals
    rest_weight = 1 - weight
    with np.errstate(divide="ignore", invalid="ignore"):
        # Lead over each rival at x = 0, where the other leaves share all the weight; it is `lead` itself at x = 1.
        rest = _without_noise(((lead @ weight)[:, None] - weight * lead) / rest_weight)
        slope = _without_noise(lead - rest)
        crossing = -rest / slope
    rises, falls = slope > 0, slope < 0
    lower = np.where(rises, crossing, 0.0).max(axis=0, initial=0.0)
    upper = np.where(falls, crossing, 1.0).min(axis=0, initial=1.0)
    never = (~rises & ~falls & ~(rest > 0)).any(axis=0) | (rest_weight <= 0)
    return lower, np.where(never, -1.0, upper)


def _without_noise(differences: np.ndarray) -> np.ndarray:
    """Differences of points with what is left of equal ones by rounding set to 0: equals do not beat each other."""
    return np.where(np.abs(differences) < _ROUNDING, 0.0, differences)


def _nearest_bound(lower: np.ndarray, upper: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The bound of each interval nearest to the weight; infinite where the interval is empty or a mere point."""
    target = np.where(weight <= lower, lower, upper)
    just_inside = np.where(weight <= lower, target * (1 + _RESOLUTION), target * (1 - _RESOLUTION))
    holds = (lower < just_inside) & (just_inside < upper) & (target > _RESOLUTION)
    return np.where(holds, target, np.inf)
