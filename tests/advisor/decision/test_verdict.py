"""The four words, and the limits between them."""

import pytest

from advisor.decision.verdict import Lead, judge, lead
from advisor.recommendation import Verdict


@pytest.mark.parametrize(
    ("probability", "robust", "coverage", "answered", "conditional", "verdict"),
    [
        (0.90, (0.70, 0.70), 0.80, 3, False, Verdict.CLEAR),
        (0.899, (1.0, 1.0), 1.0, 9, False, Verdict.LEANING),
        (0.95, (0.69, 0.95), 1.0, 9, False, Verdict.LEANING),
        (0.95, (0.95, 0.69), 1.0, 9, False, Verdict.LEANING),
        (0.95, (0.95, 0.95), 0.79, 9, False, Verdict.LEANING),
        (0.95, (0.95, 0.95), 1.0, 2, False, Verdict.LEANING),
        (0.95, (0.95, 0.95), 1.0, 9, True, Verdict.LEANING),
        (0.70, (0.5, 0.5), 0.60, 0, True, Verdict.LEANING),
        (0.699, (0.9, 0.9), 1.0, 9, False, Verdict.TOO_CLOSE),
        (0.99, (0.9, 0.9), 0.59, 9, False, Verdict.TOO_CLOSE),
    ],
)
def test_limits(
    probability: float,
    robust: tuple[float, ...],
    coverage: float,
    answered: int,
    conditional: bool,
    verdict: Verdict,
) -> None:
    assert judge(Lead(1, probability, robust), coverage, answered, conditional=conditional) is verdict


def test_no_rival_means_certainty() -> None:
    assert lead([], [[], []]) == Lead(None, 1.0, (1.0, 1.0))


def test_the_closest_rival_decides_at_every_correlation() -> None:
    assert lead([0.9, 0.8, 0.95], [[0.99, 0.85, 0.6], [0.7, 0.75, 0.9]]) == Lead(2, 0.8, (0.85, 0.75))
