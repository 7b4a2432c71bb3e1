"""Swing weighting: points for whole swings become the sheet's weights."""

from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.answers import Answers, FixedWeight, dump_answers, parse_answers
from advisor.decision import decide
from advisor.questionnaire import preferences
from advisor.recommendation import Recommendation
from advisor.swing import Swing, swings, unweighed, weighed, weights
from knowledge.model import Knowledge
from tests.advisor.decision.builders import TODAY, base, flat, framework, node, with_criteria, with_frameworks


def _swing(name: str, worst: float, best: float) -> Swing:
    return Swing(node=name, worst=worst, best=best, worst_of=("a",), best_of=("b",), weight=0.5)


def _decided(knowledge: Knowledge, answers: Answers) -> Recommendation:
    return decide(knowledge, preferences(answers, knowledge), None, as_of=TODAY, seed=0, samples=100)


@pytest.fixture
def world() -> Knowledge:
    """Ease from 2 to 8, docs from 4 to 6 (of two leaves), and nobody differs on fit."""
    tree = (node("ease", *flat("one")), node("docs", *flat("one", "two")), node("same", *flat("one")))
    ratings = {
        "plain": {"ease.one": 2.0, "docs.one": 8.0, "docs.two": 4.0, "same.one": 5.0},
        "swift": {"ease.one": 8.0, "docs.one": 2.0, "docs.two": 6.0, "same.one": 5.0},
        "vague": {"ease.one": 5.0, "docs.one": 5.0, "docs.two": 5.0, "same.one": 5.0},
    }
    return with_frameworks(with_criteria(base(), tree), [framework(name, given) for name, given in ratings.items()])


def test_equal_points_weigh_a_narrow_range_more() -> None:
    found = (_swing("wide", 2, 8), _swing("narrow", 4, 6))
    assert weights(found, {"wide": 100, "narrow": 100}) == {"wide": 25.0, "narrow": 75.0}


def test_half_the_points_are_half_the_weight_over_equal_ranges() -> None:
    found = (_swing("a", 1, 5), _swing("b", 3, 7))
    assert weights(found, {"a": 100, "b": 50}) == {"a": 66.67, "b": 33.33}


def test_a_node_on_which_nobody_differs_gets_none() -> None:
    found = (_swing("a", 1, 5), _swing("b", 3, 3 + 1e-12))
    assert weights(found, {"a": 60, "b": 100}) == {"a": 100.0, "b": 0.0}


def test_a_node_left_out_is_worth_nothing() -> None:
    assert weights((_swing("a", 1, 5), _swing("b", 3, 7)), {"a": 100}) == {"a": 100.0, "b": 0.0}


@pytest.mark.parametrize("points", [{}, {"a": 0}, {"same": 100}], ids=["nothing", "zero", "no range"])
def test_points_that_weigh_nothing_are_refused(points: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no swing is worth anything"):
        weights((_swing("a", 1, 5), _swing("same", 3, 3)), points)


@pytest.mark.parametrize("points", [-1, 101])
def test_points_outside_the_scale_are_refused(points: float) -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        weights((_swing("a", 1, 5),), {"a": points})


@given(
    st.lists(
        st.tuples(st.floats(0, 5), st.floats(0.5, 5), st.integers(0, 100)), min_size=1, max_size=7
    ).filter(lambda each: any(points for _worst, _range, points in each))
)  # fmt: skip
def test_they_sum_to_a_hundred_and_whole_swings_gain_as_their_points_say(
    given: list[tuple[float, float, int]],
) -> None:
    found = [_swing(str(number), worst, worst + width) for number, (worst, width, _points) in enumerate(given)]
    points = {str(number): each[2] for number, each in enumerate(given)}
    per_cents = weights(found, points)
    assert fsum(per_cents.values()) == pytest.approx(100, abs=1e-9)
    gains = {swing.node: per_cents[swing.node] * swing.range for swing in found}
    per_point = fsum(gains.values()) / sum(points.values())
    for name, gain in gains.items():  # 0.005 per cent of rounding over a range of 5 at most, here and in the mean
        assert gain == pytest.approx(per_point * points[name], abs=0.01 * 5 * (1 + len(found)))


def test_worst_and_best_are_those_of_the_frameworks_that_qualify(world: Knowledge) -> None:
    ease, docs, same = swings(_decided(world, Answers()), world.criteria)
    assert (ease.node, ease.worst, ease.best) == ("ease", pytest.approx(2), pytest.approx(8))
    assert (ease.worst_of, ease.best_of) == (("plain",), ("swift",))
    assert (docs.node, docs.worst, docs.best) == ("docs", pytest.approx(4), pytest.approx(6))
    assert (docs.worst_of, docs.best_of) == (("swift",), ("plain",))
    assert same.range == 0
    assert set(same.worst_of) == set(same.best_of) == {"plain", "swift", "vague"}


def test_who_is_knocked_out_widens_no_range(world: Knowledge) -> None:
    late = with_frameworks(
        world, [*world.frameworks.values(), framework("ended", {"ease.one": 0.0}, released=TODAY.replace(year=2020))]
    )
    assert swings(_decided(late, Answers()), late.criteria)[0].worst == pytest.approx(2)


def test_nobody_who_qualifies_leaves_no_swing(world: Knowledge) -> None:
    ended = [framework("ended", {"ease.one": 0.0}, released=TODAY.replace(year=2020))]
    knowledge = with_frameworks(world, ended)
    assert swings(_decided(knowledge, Answers()), knowledge.criteria) == ()


def test_the_decision_gains_by_whole_swings_as_the_points_said(world: Knowledge) -> None:
    found = swings(_decided(world, Answers()), world.criteria)
    sheet = weighed(Answers(), world.criteria, weights(found, {"ease": 100, "docs": 40}))
    ranked = {each.framework: each for each in _decided(world, sheet).ranking}
    ease = ranked["swift"].contributions["ease.one"] - ranked["plain"].contributions["ease.one"]
    docs = fsum(
        ranked["plain"].contributions[leaf] - ranked["swift"].contributions[leaf] for leaf in ("docs.one", "docs.two")
    )
    assert docs / ease == pytest.approx(0.4, abs=1e-3)


def test_a_sheet_keeps_them_and_weights_further_down_stay(world: Knowledge) -> None:
    before = Answers(weights={"docs": FixedWeight(10), "docs.one": FixedWeight(30)})
    sheet = weighed(before, world.criteria, {"ease": 66.67, "docs": 33.33, "same": 0})
    assert {path: fixed.per_cent for path, fixed in sheet.weights.items()} == {
        "ease": 66.67, "docs": 33.33, "same": 0, "docs.one": 30,
    }  # fmt: skip
    assert parse_answers(dump_answers(sheet).encode(), "answers.yaml", world) == sheet
    assert unweighed(sheet, world.criteria).weights == {"docs.one": FixedWeight(30)}
