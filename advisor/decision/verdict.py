"""How sure the first rank is, in one of four words (METHOD.md, "Decision")."""

from collections.abc import Sequence

import msgspec

from advisor.recommendation import Verdict

CLEAR_PROBABILITY = 0.90
LEANING_PROBABILITY = 0.70
ROBUST_PROBABILITY = 0.70
CLEAR_COVERAGE = 0.80
LEANING_COVERAGE = 0.60

FEWEST_ANSWERS = 3
"""With fewer answers than this nothing is clear (QUESTIONS.md)."""


class Lead(msgspec.Struct, frozen=True):
    """How surely rank 1 is ahead of its closest rival.

    Attributes:
        rival: index of the closest rival in the ranking; None without rivals.
        probability: the least P(rank 1 scores above a rival).
        robust: the same probability for that rival at the other correlations.
    """

    rival: int | None
    probability: float
    robust: tuple[float, ...]


def lead(above: Sequence[float], elsewhere: Sequence[Sequence[float]]) -> Lead:
    """The lead of rank 1.

    The rival that is closest at the main correlation is the one that is looked at elsewhere too, so that hiding any
    other rival can never change the verdict (METHOD.md, D3).

    Args:
        above: P(rank 1 scores above rival) for each rival in the order of ranks.
        elsewhere: the same at each of the other correlations.
    """
    if not above:
        return Lead(None, 1.0, tuple(1.0 for _each in elsewhere))
    closest = min(range(len(above)), key=above.__getitem__)
    return Lead(closest + 1, above[closest], tuple(row[closest] for row in elsewhere))


def judge(first: Lead, coverage: float, answered: int, *, conditional: bool) -> Verdict:
    """The verdict on rank 1.

    Args:
        first: how surely it leads.
        coverage: share of weight on which it has known values.
        answered: number of questions answered.
        conditional: whether it is not known to meet a requirement.
    """
    robust = min(first.robust, default=1.0)
    if first.probability >= CLEAR_PROBABILITY and robust >= ROBUST_PROBABILITY and coverage >= CLEAR_COVERAGE:
        return Verdict.LEANING if conditional or answered < FEWEST_ANSWERS else Verdict.CLEAR
    if first.probability >= LEANING_PROBABILITY and coverage >= LEANING_COVERAGE:
        return Verdict.LEANING
    return Verdict.TOO_CLOSE
