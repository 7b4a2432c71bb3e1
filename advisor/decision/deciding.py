"""Which criteria decide between two frameworks: the fewest that outweigh all that speaks for the other one.

After Labreuche, C. (2011), A general framework for explaining the results of a multi-attribute preference model,
who looks for the smallest set of criteria that settles a comparison whatever else is left out.
"""

from collections.abc import Mapping, Sequence
from math import fsum

from advisor.recommendation import Deciding


def deciding(ranking: Sequence[str], contributions: Mapping[str, Mapping[str, float]]) -> tuple[Deciding, ...]:
    """For rank 1 against everybody below it, in the order of ranks.

    Args:
        ranking: framework ids, best first.
        contributions: framework -> leaf -> points.
    """
    return tuple(smallest_set(first, rival, contributions) for first in ranking[:1] for rival in ranking[1:])


def smallest_set(better: str, rival: str, contributions: Mapping[str, Mapping[str, float]]) -> Deciding:
    """The fewest leaves on which `better` gains more than `rival` gains on all leaves that speak for it.

    Of the sets of that size the one that gains most; taking the largest gains first finds it. No leaf is named where
    the scores are equal, or `rival` scores higher.
    """
    ours, theirs = contributions[better], contributions[rival]
    lead = {leaf: ours[leaf] - theirs[leaf] for leaf in ours}
    against = fsum(-points for points in lead.values() if points < 0)
    chosen: list[str] = []
    gained: list[float] = []
    for leaf in sorted((leaf for leaf in lead if lead[leaf] > 0), key=lambda leaf: -lead[leaf]):
        if chosen and fsum(gained) > against:
            break
        chosen.append(leaf)
        gained.append(lead[leaf])
    if fsum(gained) <= against:
        chosen, gained = [], []
    return Deciding(rival=rival, criteria=tuple(chosen), points=fsum(gained), against=against)
