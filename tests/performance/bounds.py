"""How sure a ratio is: medians with distribution-free bounds (order statistics; only the sign test is assumed)."""

from collections.abc import Sequence
from math import comb
from statistics import median

CONFIDENCE = 0.95


def upper(values: Sequence[float], confidence: float = CONFIDENCE) -> float | None:
    """The one-sided upper bound of the median; None when there are too few values for one (under 5 for 95 %).

    The k-th smallest of n is above the median unless k or more are below it: with probability P(Bin(n, 1/2) < k).
    """
    n, below = len(values), 0.0
    for k, value in enumerate(sorted(values), start=1):
        below += comb(n, k - 1) / 2**n
        if below >= confidence:
            return value
    return None


def lower(values: Sequence[float], confidence: float = CONFIDENCE) -> float | None:
    """The one-sided lower bound of the median."""
    bound = upper([-value for value in values], confidence)
    return None if bound is None else -bound


def told(values: Sequence[float], digits: int = 3, factor: float = 1.0, unit: str = "") -> str:
    """A median and its bound in words."""
    bound = upper(values)
    limit = "no bound from so few" if bound is None else f"<= {bound * factor:.{digits}f}{unit}"
    return f"{median(values) * factor:.{digits}f}{unit}  [95 %: {limit}; {len(values)} values]"
