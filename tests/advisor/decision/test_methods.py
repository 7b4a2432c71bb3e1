"""TOPSIS and PROMETHEE II by hand and by what holds for any values; `test_oracles` holds them against other code."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from advisor.decision import decide
from advisor.decision.methods import Matrix, methods, promethee, topsis
from advisor.questionnaire import Preferences
from knowledge.model import Knowledge
from tests.advisor.decision.builders import TODAY
from tests.advisor.decision.test_properties import knowledges, preferences

tenths = st.integers(0, 100).map(lambda tenth: tenth / 10)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Matrix, Matrix]:
    rows, columns = draw(st.integers(2, 5)), draw(st.integers(1, 5))
    matrix = np.array([[draw(tenths) for _column in range(columns)] for _row in range(rows)])
    weights = np.array([float(draw(st.integers(1, 9))) for _column in range(columns)])
    return matrix, weights / weights.sum()


def test_topsis_by_hand() -> None:
    # Columns (3, 4) and (8, 6) have length 5 and 10; weighted they are (.3, .4) and (.4, .3): equally far from ideal.
    assert topsis(np.array([[3.0, 8.0], [4.0, 6.0]]), np.array([0.5, 0.5])) == pytest.approx([0.5, 0.5])
    # The middle of three is as far from the best as from the worst in the one column there is.
    assert topsis(np.array([[2.0], [4.0], [6.0]]), np.array([1.0])) == pytest.approx([0, 0.5, 1])


def test_promethee_by_hand() -> None:
    # Leads of 1 and of 2 or more are worth (1 - .5) / 1.5 and 1; one of .5 is worth nothing.
    values, one = np.array([[5.0], [6.0], [8.0]]), np.array([1.0])
    third = 1 / 3
    assert promethee(values, one) == pytest.approx([(-third - 1) / 2, (third - 1) / 2, 1])
    assert promethee(np.array([[5.0], [5.5]]), one) == pytest.approx([0, 0])


def test_nobody_and_one_alone() -> None:
    assert methods([], {}, {"a": 1.0}) == ()
    alone = methods(["x"], {"x": {"a": 4.0}}, {"a": 1.0})
    assert [(each.name, each.ranking, each.scores) for each in alone] == [
        ("TOPSIS", ("x",), {"x": 1.0}),
        ("PROMETHEE II", ("x",), {"x": 0.0}),
    ]


def test_equals_keep_the_order_of_their_ranks_and_leaves_without_weight_count_for_nothing() -> None:
    values = {"y": {"a": 4.0, "b": 1.0}, "x": {"a": 4.0, "b": 9.0}, "z": {"a": 7.0, "b": 0.0}}
    for method in methods(["y", "x", "z"], values, {"a": 1.0, "b": 0.0}):
        assert method.ranking == ("z", "y", "x")
        assert method.scores["x"] == method.scores["y"]


@given(problems(), st.integers(0, 4), st.floats(0.01, 100))
def test_the_unit_of_a_column_and_the_scale_of_weights_are_nothing_to_topsis(
    problem: tuple[Matrix, Matrix], column: int, factor: float
) -> None:
    matrix, weights = problem
    scaled = matrix.copy()
    scaled[:, column % matrix.shape[1]] *= factor
    assert topsis(scaled, weights) == pytest.approx(topsis(matrix, weights), abs=1e-9)
    assert topsis(matrix, weights * factor) == pytest.approx(topsis(matrix, weights), abs=1e-9)


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_columns_and_rows_is_nothing_to_either(problem: tuple[Matrix, Matrix], random: object) -> None:
    matrix, weights = problem
    rows, columns = list(range(matrix.shape[0])), list(range(matrix.shape[1]))
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(columns)  # type: ignore[attr-defined]
    for method in (topsis, promethee):
        shuffled = method(matrix[np.ix_(rows, columns)], weights[columns])
        assert shuffled == pytest.approx(method(matrix, weights)[rows], abs=1e-9)


@given(problems())
def test_closeness_is_a_share_and_flows_cancel_out(problem: tuple[Matrix, Matrix]) -> None:
    close, flow = topsis(*problem), promethee(*problem)
    assert ((close >= 0) & (close <= 1 + 1e-12)).all()
    assert (np.abs(flow) <= 1 + 1e-12).all()
    assert flow.sum() == pytest.approx(0, abs=1e-9)


@given(problems(), st.data())
def test_raising_a_value_never_lowers_the_net_flow(problem: tuple[Matrix, Matrix], data: st.DataObject) -> None:
    matrix, weights = problem
    row, column = (data.draw(st.integers(0, size - 1)) for size in matrix.shape)
    raised = matrix.copy()
    raised[row, column] = data.draw(st.floats(matrix[row, column], 10))
    before, after = promethee(matrix, weights), promethee(raised, weights)
    assert after[row] >= before[row] - 1e-12
    assert (np.delete(after, row) <= np.delete(before, row) + 1e-12).all()


@given(problems())
def test_who_is_better_everywhere_is_nowhere_behind(problem: tuple[Matrix, Matrix]) -> None:
    matrix, weights = problem
    assume((matrix[0] >= matrix[1]).all())
    for scores in (topsis(matrix, weights), promethee(matrix, weights)):
        assert scores[0] >= scores[1] - 1e-12


@settings(max_examples=30, deadline=None)
@given(knowledges(), preferences)
def test_a_recommendation_ranks_the_same_frameworks_by_each(made: Knowledge, wanted: Preferences) -> None:
    found = decide(made, wanted, None, TODAY, seed=0, samples=20)
    assert [method.name for method in found.methods] == ["TOPSIS", "PROMETHEE II"]
    for method in found.methods:
        assert set(method.ranking) == {each.framework for each in found.ranking} == set(method.scores)
        scores = [method.scores[each] for each in method.ranking]
        assert scores == sorted(scores, reverse=True)
