"""Flips on cases small enough to work out by hand."""

import pytest

from advisor.decision.sensitivity import flips
from advisor.decision.value import Value
from advisor.recommendation import Flip


def found(weights: list[float], **rows: list[float]) -> dict[str, Flip]:
    """Flips of frameworks, best first, on leaves a, b, c..."""
    values = {
        name: {leaf: Value(score, score, score) for leaf, score in zip("abc", scores, strict=False)}
        for name, scores in rows.items()
    }
    flipped = flips(list(rows), values, dict(zip("abc", weights, strict=False)))
    return {flip.framework: flip for flip in flipped}


def test_a_crossing_is_found_exactly() -> None:
    # first: 4 + 4 x, second: 8 - 4 x, for the weight x of a; they cross at 1/2.
    flip = found([0.6, 0.4], first=[8, 4], second=[4, 8])["second"]
    assert (flip.criterion, flip.start, flip.to) == ("a", 0.6, pytest.approx(0.5))


def test_the_smallest_change_is_taken() -> None:
    rows = {"first": [6.0, 5.0, 5.0], "second": [4.0, 6.0, 9.0]}
    flip = found([0.8, 0.1, 0.1], **rows)["second"]
    # Second leads by 4 on c, by 1 on b, and by 2.5 without a; first by 5/3 without c, by 4/3 without b, by 2 on a.
    bounds = {"a": 2.5 / 4.5, "b": (4 / 3) / (7 / 3), "c": (5 / 3) / (17 / 3)}
    assert (flip.criterion, flip.to) == ("c", pytest.approx(bounds["c"]))
    assert bounds["c"] - 0.1 < 0.8 - bounds["a"] < bounds["b"] - 0.1


def test_all_rivals_have_to_be_beaten_at_once() -> None:
    # third beats first where a weighs little, but there second is ahead of both.
    assert found([0.9, 0.1], first=[8, 0], second=[5, 9], third=[4, 8])["third"].criterion is None


def test_a_dominated_framework_never_comes_first() -> None:
    assert found([0.5, 0.5], first=[8, 6], second=[7, 6])["second"] == Flip("second", None)


def test_equals_do_not_beat_each_other() -> None:
    # Without a, second and third score 1 each, but for rounding.
    flips_of = found([0.5, 0.3, 0.2], first=[8, 0, 0], second=[2, 1 / 3, 2], third=[2, 1, 1])
    assert flips_of["second"].criterion != "a"
    assert flips_of["third"].criterion != "a"


def test_a_criterion_with_all_the_weight_cannot_be_rescaled() -> None:
    assert found([1.0, 0.0], first=[8, 0], second=[4, 9])["second"] == Flip("second", "b", 0.0, pytest.approx(4 / 13))
