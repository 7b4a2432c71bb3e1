"""Draws: their distributions, their correlation, and what they are keyed by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from advisor.decision.smaa import (
    draw_all_scores,
    draw_scores,
    first_probabilities,
    interval,
    pairwise,
    stream,
)
from advisor.decision.value import UNKNOWN, Value

SAMPLES = 100_000
ONE = np.ones(SAMPLES, dtype=np.float32)
NONE = np.zeros(SAMPLES, dtype=np.float32)


@pytest.mark.parametrize(
    ("value", "distribution"),
    [
        (Value(2, 3, 8), stats.triang(1 / 6, loc=2, scale=6)),
        (Value(4, 4, 6), stats.triang(0, loc=4, scale=2)),
        (Value(0, 10, 10), stats.triang(1, loc=0, scale=10)),
        (UNKNOWN, stats.uniform(0, 10)),
    ],
)
def test_a_rating_is_drawn_from_its_distribution(value: Value, distribution: stats.rv_continuous) -> None:
    draws = draw_scores("x", {"leaf": value}, {"leaf": ONE}, seed=1)[0]
    # .43 % is the critical distance of Kolmogorov and Smirnov at 5 % for 100,000 draws; tables add at most .1 %.
    assert stats.kstest(draws, distribution.cdf).statistic < 0.0043 + 0.001
    assert np.mean(draws) == pytest.approx(distribution.mean(), abs=4 * distribution.std() / SAMPLES**0.5)
    assert distribution.support()[0] <= draws.min()
    assert draws.max() <= distribution.support()[1] + 1e-5


def test_a_certain_rating_does_not_vary() -> None:
    assert set(draw_scores("x", {"leaf": Value(7, 7, 7)}, {"leaf": ONE}, seed=1)[0]) == {7.0}


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8, 1.0])
def test_any_two_leaves_of_one_framework_are_correlated_by_rho(rho: float) -> None:
    values = dict.fromkeys(("a", "b", "c"), UNKNOWN)  # uniform, so that normal scores can be had back
    leaves = [draw_scores("x", values, {**dict.fromkeys(values, NONE), leaf: ONE}, 4, [rho])[0] for leaf in values]
    normal = stats.norm.ppf(np.clip(np.array(leaves) / 10, 1e-6, 1 - 1e-6))
    assert np.corrcoef(normal)[np.triu_indices(3, 1)] == pytest.approx(rho, abs=0.012)


def test_frameworks_are_independent_of_each_other() -> None:
    first, second = draw_all_scores({"x": {"a": UNKNOWN}, "y": {"a": UNKNOWN}}, {"a": ONE}, 4, [0.5])[0]
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0, abs=0.012)


def test_more_samples_begin_with_the_same_draws() -> None:
    values = {"a": UNKNOWN, "b": Value(1, 2, 9)}
    short, long = (
        draw_scores("x", values, dict.fromkeys(values, np.ones(size, dtype=np.float32)), 2)[0] for size in (101, 70_003)
    )
    assert np.array_equal(short, long[:101])


def test_a_leaf_of_another_framework_or_name_has_other_draws() -> None:
    one = np.ones(5, dtype=np.float32)
    draws = [
        draw_scores(framework, {leaf: UNKNOWN}, {leaf: one}, seed)[0]
        for framework, leaf, seed in (("x", "a", 0), ("y", "a", 0), ("x", "b", 0), ("x", "a", 1))
    ]
    assert all(not np.array_equal(draws[0], other) for other in draws[1:])


def test_names_cannot_run_into_each_other() -> None:
    assert stream(0, "ab", "c").random_raw() != stream(0, "a", "bc").random_raw()


def test_rows_that_tie_share_the_first_rank() -> None:
    scores = np.array([[1, 2, 3], [1, 0, 3], [0, 0, 3]], dtype=np.float32)
    assert first_probabilities(scores) == pytest.approx([(1 / 2 + 1 + 1 / 3) / 3, (1 / 2 + 1 / 3) / 3, 1 / 9])
    assert pairwise(scores) == [[0, 1 / 3, 2 / 3], [0, 0, 1 / 3], [0, 0, 0]]


@given(st.lists(st.lists(st.floats(0, 10, width=32), min_size=8, max_size=8), min_size=1, max_size=5))
def test_probabilities_are_probabilities(rows: list[list[float]]) -> None:
    scores = np.array(rows, dtype=np.float32)
    assert sum(first_probabilities(scores)) == pytest.approx(1)
    table = pairwise(scores)
    for a in range(len(rows)):
        for b in range(len(rows)):
            assert table[a][b] + table[b][a] <= 1
            assert 0 <= table[a][b] <= 1


def test_an_interval_holds_nine_of_ten_draws() -> None:
    assert interval(np.arange(101, dtype=np.float32) / 10) == pytest.approx((0.5, 9.5))


def test_an_interval_stays_on_the_scale_though_weights_are_rounded() -> None:
    assert interval(np.full(10, np.nextafter(np.float32(10), np.float32(11)))) == (10, 10)
