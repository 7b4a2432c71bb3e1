"""The weighted sum, TOPSIS and PROMETHEE II against other people's implementations of them, to 1e-9.

Oracles: scikit-criteria (Cabral, Luczywo & Zanazzi 2016, 45 JAIIO) for the weighted sum and TOPSIS, pyrepo-mcda
(Watrobski, Baczkiewicz & Salabun 2022, SoftwareX) for PROMETHEE II. Neither shares code with us.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrepo_mcda.mcda_methods import PROMETHEE_II
from skcriteria import mkdm
from skcriteria.agg.simple import WeightedSumModel
from skcriteria.agg.topsis import TOPSIS
from skcriteria.preprocessing.scalers import VectorScaler

import knowledge
from advisor.decision import decide
from advisor.decision.methods import INDIFFERENCE, PREFERENCE, Matrix, promethee, topsis
from advisor.questionnaire import Preferences
from advisor.recommendation import Recommendation
from tests.advisor.decision.builders import TODAY, framework, with_frameworks
from tests.advisor.decision.test_properties import EMPTY, LEAVES, knowledges, preferences

EXACT = 1e-9


def weighted_sum_elsewhere(matrix: Matrix, weights: Matrix) -> Matrix:
    problem = mkdm(matrix, [max] * len(weights), weights=weights)
    return np.asarray(WeightedSumModel().evaluate(problem).e_.score)


def topsis_elsewhere(matrix: Matrix, weights: Matrix) -> Matrix:
    problem = VectorScaler(target="matrix").transform(mkdm(matrix, [max] * len(weights), weights=weights))
    return np.asarray(TOPSIS().evaluate(problem).e_.similarity)


def promethee_elsewhere(matrix: Matrix, weights: Matrix) -> Matrix:
    method, columns = PROMETHEE_II(), len(weights)
    return np.asarray(
        method(
            matrix,
            weights,
            np.ones(columns),
            preference_functions=[method._linear_function] * columns,
            p=np.full(columns, PREFERENCE),
            q=np.full(columns, INDIFFERENCE),
        )
    )


@st.composite
def problems(draw: st.DrawFn) -> tuple[Matrix, Matrix]:
    """Values on 0-10 in tenths, no column of zeros (what scikit-criteria divides by), and weights that sum to 1."""
    rows, columns = draw(st.integers(2, 6)), draw(st.integers(2, 6))
    values = st.lists(st.integers(0, 100), min_size=rows, max_size=rows).filter(any)
    matrix = np.array([draw(values) for _column in range(columns)], dtype=np.float64).T / 10
    weights = np.array([draw(st.integers(1, 50)) for _column in range(columns)], dtype=np.float64)
    return matrix, weights / weights.sum()


@settings(max_examples=60, deadline=None)
@given(problems())
def test_topsis_is_that_of_scikit_criteria(problem: tuple[Matrix, Matrix]) -> None:
    matrix, weights = problem
    if len(np.unique(matrix, axis=0)) > 1:  # with all rows equal there is nothing to be close to, here 1 and there nan
        assert topsis(matrix, weights) == pytest.approx(topsis_elsewhere(matrix, weights), abs=EXACT)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_promethee_is_that_of_pyrepo_mcda(problem: tuple[Matrix, Matrix]) -> None:
    matrix, weights = problem
    assert promethee(matrix, weights) == pytest.approx(promethee_elsewhere(matrix, weights), abs=EXACT)


@settings(max_examples=20, deadline=None)
@given(knowledges(least=2), preferences)
def test_the_score_is_the_weighted_sum_of_scikit_criteria(made: knowledge.Knowledge, wanted: Preferences) -> None:
    found = decide(made, wanted, None, TODAY, seed=0, samples=10)
    values = {
        name: [
            5.0 if each.score is None else (each.low + each.score + each.high) / 3  # type: ignore[operator]
            for each in (one.ratings[leaf][0] for leaf in LEAVES)
        ]
        for name, one in made.frameworks.items()
    }
    matrix = np.array([values[each.framework] for each in found.ranking])
    weights = np.array([found.weights[leaf] for leaf in LEAVES])
    expected = weighted_sum_elsewhere(matrix, weights)
    assert [each.score for each in found.ranking] == pytest.approx(expected, abs=EXACT)


def values_of(found: Recommendation) -> tuple[Matrix, Matrix]:
    """Expected values of a recommendation's ranking and the weights, of the leaves that weigh something."""
    leaves = [leaf for leaf, weight in found.weights.items() if weight > 0]
    weights = np.array([found.weights[leaf] for leaf in leaves])
    points = np.array([[each.contributions[leaf] for leaf in leaves] for each in found.ranking])
    return points / weights, weights


def test_all_three_agree_with_the_oracles_on_the_shipped_knowledge() -> None:
    everybody = Preferences(fit={"accelerator": ("cuda", "cpu")}, effects={"ease": 3.0, "docs": 2.0}, answered=5)
    found = decide(knowledge.load(), everybody, None, TODAY, seed=0, samples=10)
    assert len(found.ranking) >= 20
    matrix, weights = values_of(found)
    assert [each.score for each in found.ranking] == pytest.approx(weighted_sum_elsewhere(matrix, weights), abs=EXACT)
    for method, elsewhere in zip(found.methods, (topsis_elsewhere, promethee_elsewhere), strict=True):
        scores = [method.scores[each.framework] for each in found.ranking]
        assert scores == pytest.approx(elsewhere(matrix, weights), abs=EXACT), method.name


def test_a_column_of_zeros_is_no_fault() -> None:
    rated = {"alder": dict.fromkeys(LEAVES, 6.0) | {"f": 0.0}, "birch": dict.fromkeys(LEAVES, 4.0) | {"f": 0.0}}
    made = with_frameworks(EMPTY, [framework(name, ratings) for name, ratings in rated.items()])
    found = decide(made, Preferences(), None, TODAY, seed=0, samples=10)
    assert found.methods[0].scores == {"alder": 1.0, "birch": 0.0}
