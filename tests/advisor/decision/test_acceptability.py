"""The chance of each rank, and the weights with which each framework comes first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from advisor.decision import decide
from advisor.decision.acceptability import central_weights, even_weights, rank_acceptability
from advisor.decision.smaa import draw_all_scores, draw_twice, draw_weights, first_probabilities
from advisor.decision.value import UNKNOWN, Value, leaf_values
from advisor.decision.weights import split_tree
from advisor.questionnaire import Origin, Preferences, Requirement
from knowledge.model import Knowledge
from tests.advisor.decision.builders import TODAY, base, flat, framework, node, with_criteria, with_frameworks
from tests.advisor.decision.test_properties import knowledges, preferences, quick

HALF_POINTS = st.integers(0, 20).map(lambda half: half / 2)
score_rows = st.integers(1, 30).flatmap(
    lambda samples: st.lists(st.lists(HALF_POINTS, min_size=samples, max_size=samples), min_size=1, max_size=6)
)


def ranked_by_sorting(rows: list[list[float]]) -> np.ndarray:
    """The same as rank acceptability, draw by draw; ties by the order of rows."""
    shares = np.zeros((len(rows), len(rows)))
    for draw in zip(*rows, strict=True):
        for rank, row in enumerate(sorted(range(len(rows)), key=lambda row: -draw[row])):
            shares[row, rank] += 1 / len(rows[0])
    return shares


def test_ranks_are_counted_and_ties_go_by_row() -> None:
    scores = np.array([[9, 5, 5, 1], [3, 5, 7, 2], [1, 4, 7, 3]], dtype=np.float32)
    assert rank_acceptability(scores) == [[0.5, 0, 0.5], [0.25, 0.75, 0], [0.25, 0.25, 0.5]]


@given(score_rows)
def test_rank_acceptability_is_what_sorting_every_draw_counts(rows: list[list[float]]) -> None:
    shares = np.array(rank_acceptability(np.array(rows, dtype=np.float32)))
    assert shares == pytest.approx(ranked_by_sorting(rows))
    assert shares.sum(axis=0) == pytest.approx(np.ones(len(rows)))
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(rows)))


def test_many_draws_are_ranked_as_few_are() -> None:
    scores = np.random.default_rng(0).normal(size=(5, 20_011)).astype(np.float32)
    order = np.argsort(-scores, axis=0)
    expected = [[float(np.mean(order[rank] == row)) for rank in range(5)] for row in range(5)]
    assert np.array(rank_acceptability(scores)) == pytest.approx(np.array(expected), abs=1e-12)
    assert [row[0] for row in rank_acceptability(scores)] == pytest.approx(first_probabilities(scores), abs=1e-12)


@quick
@given(knowledges(), preferences)
def test_every_framework_has_a_rank_and_every_rank_a_framework(made: Knowledge, wanted: Preferences) -> None:
    found = decide(made, wanted, None, TODAY, seed=0, samples=200)
    table = np.array(list(found.acceptability.values()))
    assert list(found.acceptability) == [each.framework for each in found.ranking]
    assert table.sum(axis=0) == pytest.approx(np.ones(len(table)))
    assert table.sum(axis=1) == pytest.approx(np.ones(len(table)))
    assert sum(each.share for each in found.central.values()) == pytest.approx(1)


# --- central weights -------------------------------------------------------------------------------------------------


def test_even_weights_are_uniform_on_the_simplex_of_every_node() -> None:
    tree = (node("top", *flat("a", "b", "c")), *flat("d"))
    weights = even_weights(tree, (), seed=5, samples=100_000)
    whole = sum(weights[leaf] for leaf in ("top.a", "top.b", "top.c"))
    # One of n coordinates of a point that is uniform on the simplex is Beta(1, n - 1); .43 % is the critical distance.
    assert stats.kstest(weights["d"], stats.beta(1, 1).cdf).statistic < 0.0043
    assert stats.kstest(weights["top.b"] / whole, stats.beta(1, 2).cdf).statistic < 0.0043
    assert np.sum(list(weights.values()), axis=0) == pytest.approx(np.ones(100_000), abs=1e-5)


def test_even_weights_are_uniform_over_the_children_that_can_be_filled() -> None:
    weights = even_weights(flat("a", "b", "c", "d", "e"), ("d", "e"), seed=5, samples=100_000)
    assert set(weights) == {"a", "b", "c"}
    assert stats.kstest(weights["b"], stats.beta(1, 2).cdf).statistic < 0.0043


def test_even_weights_are_nobodys_answers_and_skip_what_nothing_can_fill() -> None:
    tree = (node("top", *flat("a", "b")), *flat("d"))
    weights = even_weights(tree, ("top.b",), seed=5, samples=50)
    assert set(weights) == {"top.a", "d"}
    somebodys = draw_weights(split_tree(tree, Preferences(), ("top.b",)), "", 5, 50)
    assert not np.array_equal(weights["d"], somebodys["d"])


def test_central_weights_by_hand() -> None:
    # x leads by 4 on a and y by 4 on b: x comes first where a weighs more than half, on average three quarters.
    weights = even_weights(flat("a", "b"), (), seed=1, samples=100_000)
    exact = {"x": {"a": Value(8, 8, 8), "b": Value(2, 2, 2)}, "y": {"a": Value(4, 4, 4), "b": Value(6, 6, 6)}}
    (scores,) = draw_all_scores(exact, weights, 1, [0.5])
    found = central_weights(["x", "y"], scores, weights)
    assert found["x"].share == pytest.approx(0.5, abs=0.007)
    assert found["x"].weights == pytest.approx({"a": 0.75, "b": 0.25}, abs=0.003)
    assert found["y"].weights == pytest.approx({"a": 0.25, "b": 0.75}, abs=0.003)
    assert found["x"].even == found["y"].even == pytest.approx({"a": 0.5, "b": 0.5}, abs=0.004)


def test_the_dominated_have_no_central_weights() -> None:
    weights = even_weights(flat("a", "b"), (), seed=1, samples=500)
    better, worse = dict.fromkeys(weights, Value(6, 7, 8)), dict.fromkeys(weights, Value(2, 3, 4))
    (scores,) = draw_all_scores({"x": better, "y": worse}, weights, 1, [0.5])
    found = central_weights(["x", "y"], scores, weights)
    assert (found["y"].share, found["y"].weights) == (0, {})
    assert (found["x"].share, found["x"].weights) == (1, pytest.approx(found["x"].even))


@given(score_rows.filter(lambda rows: len(rows[0]) >= 2), st.integers(0, 9))
def test_a_share_is_the_share_of_draws_in_which_it_is_first(rows: list[list[float]], seed: int) -> None:
    repeated = np.tile(np.array(rows, dtype=np.float32), (1, 20))  # so that whoever is first at all is so in 20 draws
    samples = repeated.shape[1]
    weights = even_weights(flat("a", "b", "c"), (), seed, samples)
    names = [f"f{number}" for number in range(len(rows))]
    found = central_weights(names, repeated, weights)
    winners = [max(range(len(rows)), key=lambda row: draw[row]) for draw in repeated.T.tolist()]  # the first of equals
    for row, name in enumerate(names):
        hits = [draw for draw, winner in enumerate(winners) if winner == row]
        assert found[name].share == len(hits) / samples
        expected = {leaf: np.mean(drawn[hits]) for leaf, drawn in weights.items()} if hits else {}
        assert found[name].weights == pytest.approx(expected, rel=1e-5)
    assert sum(each.share for each in found.values()) == pytest.approx(1)


@settings(max_examples=20, deadline=None)
@given(knowledges(least=2), preferences, st.integers(0, 3))
def test_a_recommendations_shares_are_those_of_the_even_weights(
    made: Knowledge, wanted: Preferences, seed: int
) -> None:
    found = decide(made, wanted, None, TODAY, seed=seed, samples=300)
    values = {
        each.framework: leaf_values(made.frameworks[each.framework], made.leaves, {}, {}, TODAY)
        for each in found.ranking
    }
    (scores,) = draw_all_scores(values, even_weights(made.criteria, (), seed, 300), seed, [0.5])
    for row, each in enumerate(found.ranking):
        assert found.central[each.framework].share == np.mean(np.argmax(scores, axis=0) == row)


@settings(max_examples=20, deadline=None)
@given(knowledges(least=2), preferences, preferences)
def test_the_answers_are_left_aside(made: Knowledge, one: Preferences, other: Preferences) -> None:
    shares = [
        {name: each.share for name, each in decide(made, wanted, None, TODAY, seed=0, samples=100).central.items()}
        for wanted in (one, other)
    ]
    assert shares[0] == shares[1]


def test_two_sets_of_weights_are_drawn_as_each_alone() -> None:
    values = {
        "x": {"a": UNKNOWN, "b": Value(1, 2, 9), "c": Value(4, 4, 4)},
        "y": {"a": Value(3, 5, 6), "b": UNKNOWN, "c": Value(2, 2, 2)},
    }
    weights = draw_weights(split_tree(flat("a", "b"), Preferences(), ()), "", 3, 40_001)
    others = even_weights(flat("b", "c"), (), 3, 30_000)  # fewer draws, and not the same leaves
    scores, under_others = draw_twice(values, weights, others, 3)
    assert np.array_equal(scores, draw_all_scores(values, weights, 3))
    assert np.array_equal(under_others, draw_all_scores(values, others, 3, [0.5])[0])


def test_those_knocked_out_have_neither() -> None:
    made = with_frameworks(
        with_criteria(base(), flat("a")), [framework("in", {"a": 3}), framework("out", {"a": 9}, {"os": {}})]
    )
    nobody = Requirement("licence", ("permissive",), Origin.ANSWER)
    assert set(decide(made, Preferences(), None, TODAY, seed=0, samples=50).central) == {"in", "out"}
    gone = decide(made, Preferences(roles=(), requirements=(nobody,)), None, TODAY, seed=0, samples=50)
    assert (gone.acceptability, gone.central, gone.methods, gone.deciding) == ({}, {}, (), ())
