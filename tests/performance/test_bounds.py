"""The bounds of medians are the order statistics that the binomial distribution says, and cover what they promise."""

import random

import pytest

from tests.performance.bounds import lower, told, upper


@pytest.mark.parametrize(("n", "k"), [(5, 5), (8, 7), (15, 12), (30, 20)])
def test_the_bound_is_the_order_statistic_of_the_sign_test(n: int, k: int) -> None:
    # P(Bin(n, 1/2) < k) is the first to reach .95; tables of the sign test have these n and k.
    values = [float(value) for value in range(1, n + 1)]
    random.Random(0).shuffle(values)
    assert upper(values) == k
    assert lower(values) == n + 1 - k


def test_too_few_values_have_no_bound() -> None:
    assert upper([1.0, 2.0, 3.0, 4.0]) is None
    assert "no bound" in told([1.0, 2.0, 3.0, 4.0])


def test_the_bound_is_above_the_median_as_often_as_it_says() -> None:
    draw = random.Random(1)
    races = 4000
    above = sum((upper([draw.lognormvariate(0, 1) for _ in range(15)]) or 0.0) >= 1.0 for _ in range(races))
    # The bound of 15 values is the 12th, for P(Bin(15, 1/2) < 11) = .941 is too little and P(... < 12) = .9824 enough.
    # Four standard errors around that.
    assert above / races == pytest.approx(0.9824, abs=4 * (0.9824 * 0.0176 / races) ** 0.5)
