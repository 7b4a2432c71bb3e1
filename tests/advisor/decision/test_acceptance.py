"""METHOD.md, "Acceptance", D1-D6: what a wrong decision engine fails."""

from collections.abc import Mapping

import msgspec
import numpy as np
import pytest

from advisor.decision import decide
from advisor.decision.measured import count
from advisor.decision.smaa import draw_all_scores, draw_weights, first_probabilities
from advisor.decision.value import Value, leaf_values
from advisor.decision.weights import Split, leaf_weights, split_tree
from advisor.questionnaire import Origin, Preferences, Requirement
from advisor.recommendation import Recommendation
from bench.results import Results
from knowledge.loader import load
from knowledge.model import Knowledge, Role
from tests.advisor.decision.builders import (
    TODAY,
    base,
    flat,
    framework,
    node,
    results,
    run,
    with_criteria,
    with_frameworks,
)
from tests.advisor.decision.conftest import NAMES

PREFERENCES = Preferences(
    effects={"ease": 2.0, "flexibility": 0.5, "docs.tutorials": 3.0},
    fixed={"community": 30.0},
    concentrations={"": 20.0, "docs": 200.0},
    fit={"accelerator": ("cpu", "rocm"), "language": ("python",)},
    answered=4,
)


def race() -> Results:
    """A race in which birch is fastest, cedar was not measured, and a stranger took part."""
    return results(
        run("alder:eager", 0.003, spread=1.1, provisional=True),
        run("birch:eager", 0.001, spread=1.2, provisional=True),
        run("dogwood:eager", 0.02, spread=1.1, provisional=True),
        run("elm:eager", 0.004, spread=1.1, provisional=True),
        run("stranger:eager", 0.002),
    )


def decided(knowledge: Knowledge, preferences: Preferences = PREFERENCES, samples: int = 2_000) -> Recommendation:
    return decide(knowledge, preferences, race(), TODAY, seed=3, samples=samples)


def without(knowledge: Knowledge, *hidden: str) -> Knowledge:
    return with_frameworks(knowledge, [each for each in knowledge.frameworks.values() if each.id not in hidden])


def test_d1_score_is_the_mean_of_the_simulated_scores(small: Knowledge) -> None:
    samples = 100_000
    measured = decided(small, samples=10)
    splits = split_tree(small.criteria, PREFERENCES, [leaf for leaf, weight in measured.weights.items() if not weight])
    counted = count(race(), small.leaves, PREFERENCES).values
    values = {
        name: leaf_values(small.frameworks[name], small.leaves, PREFERENCES.fit, counted, TODAY) for name in NAMES
    }
    assert any(value.known == 0 for value in values["alder"].values())
    for seed in range(3):
        weights = draw_weights(splits, "", seed, samples)
        scores = draw_all_scores(values, weights, seed)[0]
        for name, draws in zip(NAMES, scores, strict=True):
            score = next(each.score for each in measured.ranking if each.framework == name)
            error = float(np.std(draws, dtype=np.float64)) / samples**0.5
            assert abs(float(np.mean(draws, dtype=np.float64)) - score) <= 4 * error


def test_d1_contributions_sum_to_the_score_and_weights_to_one(small: Knowledge) -> None:
    recommendation = decided(small)
    assert sum(recommendation.weights.values()) == pytest.approx(1, abs=1e-12)
    for ranked in recommendation.ranking:
        assert sum(ranked.contributions.values()) == pytest.approx(ranked.score, abs=1e-12)
        assert ranked.low < ranked.score < ranked.high


def numbers_of(recommendation: Recommendation, visible: set[str]) -> Mapping[str, object]:
    """What no other framework may change: scores, ranges, coverage, contributions, pairwise indices."""
    return {
        each.framework: (
            each.score,
            each.low,
            each.high,
            each.coverage,
            each.contributions,
            {b: p for b, p in recommendation.pairwise[each.framework].items() if b in visible},
        )
        for each in recommendation.ranking
        if each.framework in visible
    }


@pytest.mark.parametrize("hidden", NAMES)
def test_d2_hiding_a_framework_changes_nobody_else(small: Knowledge, hidden: str) -> None:
    visible = set(NAMES) - {hidden}
    before = numbers_of(decided(small), visible)
    after = numbers_of(decided(without(small, hidden)), visible)
    assert msgspec.json.encode(before, order="sorted") == msgspec.json.encode(after, order="sorted")


def test_d2_permuting_frameworks_changes_nothing(small: Knowledge) -> None:
    permuted = with_frameworks(small, list(small.frameworks.values())[::-1])
    assert msgspec.json.encode(decided(permuted)) == msgspec.json.encode(decided(small))


def test_d3_hiding_any_but_the_closest_rival_keeps_the_verdict(small: Knowledge) -> None:
    recommendation = decided(small)
    first = recommendation.ranking[0].framework
    above = recommendation.pairwise[first]
    closest = min(above, key=above.__getitem__)
    for hidden in set(NAMES) - {first, closest}:
        after = decided(without(small, hidden))
        assert (after.verdict, after.winner) == (recommendation.verdict, recommendation.winner)


EVERYBODY = msgspec.structs.replace(PREFERENCES, roles=tuple(Role))
"""Nothing is required and every role competes, so that all shipped frameworks are ranked."""


@pytest.fixture(scope="module")
def shipped() -> tuple[Knowledge, Recommendation]:
    whole = load()
    recommendation = decide(whole, EVERYBODY, None, TODAY, seed=3, samples=1_000)
    assert len(recommendation.ranking) == len(whole.frameworks) >= 31
    return whole, recommendation


def test_d2_holds_for_every_shipped_framework(shipped: tuple[Knowledge, Recommendation]) -> None:
    whole, recommendation = shipped
    for hidden in whole.frameworks:
        visible = set(whole.frameworks) - {hidden}
        left = decide(without(whole, hidden), EVERYBODY, None, TODAY, seed=3, samples=1_000)
        before, after = numbers_of(recommendation, visible), numbers_of(left, visible)
        assert msgspec.json.encode(before, order="sorted") == msgspec.json.encode(after, order="sorted"), hidden


def test_d2_permuting_the_shipped_frameworks_changes_nothing(shipped: tuple[Knowledge, Recommendation]) -> None:
    whole, recommendation = shipped
    permuted = with_frameworks(whole, list(whole.frameworks.values())[::-1])
    again = decide(permuted, EVERYBODY, None, TODAY, seed=3, samples=1_000)
    assert msgspec.json.encode(again) == msgspec.json.encode(recommendation)


def test_d3_holds_for_every_shipped_framework(shipped: tuple[Knowledge, Recommendation]) -> None:
    whole, recommendation = shipped
    first = recommendation.ranking[0].framework
    above = recommendation.pairwise[first]
    closest = min(above, key=above.__getitem__)
    for hidden in set(whole.frameworks) - {first, closest}:
        left = decide(without(whole, hidden), EVERYBODY, None, TODAY, seed=3, samples=1_000)
        assert (left.verdict, left.winner) == (recommendation.verdict, recommendation.winner), hidden
    alone = without(whole, *(set(whole.frameworks) - {first, closest}))
    left = decide(alone, EVERYBODY, None, TODAY, seed=3, samples=1_000)
    assert (left.verdict, left.winner) == (recommendation.verdict, recommendation.winner)


def test_d4_flips_bracket_rank_one(small: Knowledge) -> None:
    recommendation = decided(small)
    values = {each.framework: dict.fromkeys(recommendation.weights, 0.0) for each in recommendation.ranking}
    for each in recommendation.ranking:
        for leaf, weight in recommendation.weights.items():
            if weight:
                values[each.framework][leaf] = each.contributions[leaf] / weight

    def first_at(criterion: str, x: float) -> str:
        rescale = (1 - x) / (1 - recommendation.weights[criterion])
        weights = {leaf: weight * rescale for leaf, weight in recommendation.weights.items()} | {criterion: x}
        scores = {name: sum(weights[leaf] * v for leaf, v in leaves.items()) for name, leaves in values.items()}
        return max(scores, key=scores.__getitem__)

    flips = [flip for flip in recommendation.flips if flip.criterion is not None]
    assert len(flips) >= 2
    for flip in flips:
        assert flip.criterion is not None
        assert flip.to is not None
        sides = {first_at(flip.criterion, flip.to * (1 - 1e-6)), first_at(flip.criterion, flip.to * (1 + 1e-6))}
        assert flip.framework in sides
        assert len(sides) == 2
        # No smaller change of any other weight does it: tried on a grid.
        smallest = abs(flip.to - recommendation.weights[flip.criterion])
        for leaf, weight in recommendation.weights.items():
            nearer = np.linspace(max(0, weight - smallest), min(1, weight + smallest), 23)[1:-1]
            assert all(first_at(leaf, float(x)) != flip.framework for x in nearer)


def d5(correlation: float) -> float:
    leaves = [f"leaf{number}" for number in range(26)]
    splits = [Split("", dict.fromkeys(leaves, 1 / 26), concentration=1e7)]
    values = {
        "a": dict.fromkeys(leaves, Value(3, 5, 7)),
        "b": dict.fromkeys(leaves, Value(3.5, 5.5, 7.5)),
    }
    weights = {leaf: np.full(100_000, 1 / 26, dtype=np.float32) for leaf in leaf_weights(splits, leaves)}
    return first_probabilities(draw_all_scores(values, weights, 0, [correlation])[0])[1]


def test_d5_correlated_ratings_leave_room_for_doubt() -> None:
    assert d5(0.5) == pytest.approx(0.72, abs=0.01)


def test_d5_independent_ratings_would_not() -> None:
    assert d5(0.0) == pytest.approx(0.986, abs=0.003)


def test_d6_splitting_a_leaf_in_two_equal_halves_changes_no_score() -> None:
    whole = with_criteria(base(), [node("top", *flat("a", "b", "c")), *flat("d")])
    halves = with_criteria(base(), [node("top", *flat("a"), node("b", *flat("b1", "b2")), *flat("c")), *flat("d")])
    ranges = {"alder": ((1.0, 3.0, 4.0), 7.0), "birch": ((2.0, 6.0, 7.0), 5.0)}
    preferences = Preferences(effects={"top": 1.7, "top.b": 3.0})
    scores = []
    for knowledge, names in ((whole, ["top.b"]), (halves, ["top.b.b1", "top.b.b2"])):
        frameworks = [
            framework(each, {"top.a": 4.1, "top.c": 6.3, "d": other, **dict.fromkeys(names, split)})
            for each, (split, other) in ranges.items()
        ]
        found = decide(with_frameworks(knowledge, frameworks), preferences, None, TODAY, seed=0, samples=10)
        scores.append({each.framework: each.score for each in found.ranking})
    assert scores[0] == scores[1]


def test_equal_inputs_give_equal_bytes(small: Knowledge) -> None:
    metal = Requirement("accelerator", ("metal",), Origin.ANSWER)
    wants = msgspec.structs.replace(PREFERENCES, requirements=(metal,))
    for preferences in (PREFERENCES, wants):
        first, second = (
            decide(small, preferences, race(), TODAY, seed=1, samples=500, created="2026-11-20T00:00:00Z")
            for _repeat in range(2)
        )
        assert msgspec.json.encode(first) == msgspec.json.encode(second)
    other = decide(small, PREFERENCES, race(), TODAY, seed=2, samples=500, created="2026-11-20T00:00:00Z")
    assert other.pairwise != decide(small, PREFERENCES, race(), TODAY, seed=1, samples=500).pairwise
