"""What holds for any knowledge and any preferences."""

from typing import TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from advisor.answers import Answer, Answers, Sure
from advisor.decision import decide
from advisor.decision.sensitivity import flips
from advisor.decision.value import Value, leaf_values
from advisor.questionnaire import Preferences
from advisor.questionnaire import preferences as read
from advisor.recommendation import Flip, Recommendation
from knowledge.loader import load
from knowledge.model import Framework, Knowledge, Role
from tests.advisor.decision.builders import TODAY, base, flat, framework, node, rating, with_criteria, with_frameworks

T = TypeVar("T")

TREE = (node("ease", *flat("a", "b")), node("docs", *flat("c"), node("deep", *flat("d", "e"))), *flat("f"))
EMPTY = with_criteria(base(), TREE)
LEAVES = tuple(EMPTY.leaves)
PATHS = (*LEAVES, "ease", "docs", "docs.deep")

scores = st.integers(0, 20).map(lambda half: half / 2)
ranges = st.none() | st.lists(scores, min_size=3, max_size=3).map(lambda three: tuple(sorted(three)))
preferences = st.builds(
    Preferences,
    effects=st.dictionaries(st.sampled_from(PATHS), st.sampled_from([0.3, 0.5, 1.5, 2.0, 4.0])),
    fixed=st.dictionaries(st.sampled_from(["ease", "docs.c", "f"]), st.integers(0, 45).map(float)),
    concentrations=st.dictionaries(st.sampled_from(["", "ease", "docs"]), st.sampled_from([20.0, 60.0, 200.0])),
    answered=st.integers(0, 9),
)
SHIPPED = load()
RATED = [path for path, leaf in SHIPPED.leaves.items() if leaf.fit is None and leaf.measured is None]
tops = st.dictionaries(st.sampled_from([node.id for node in SHIPPED.criteria]), st.sampled_from([0.3, 0.5, 2.0, 4.0]))
preferences_shipped = st.lists(tops, min_size=1, max_size=2).map(
    lambda several: [
        Preferences(respondent=f"p{number}", roles=tuple(Role), effects=effects)
        for number, effects in enumerate(several)
    ]
)
"""One person or two who weigh the top level of the shipped tree, with every role competing and nothing required."""

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def knowledges(draw: st.DrawFn, least: int = 1) -> Knowledge:
    count = draw(st.integers(least, 5))
    frameworks = [framework(f"f{number}", {leaf: draw(ranges) for leaf in LEAVES}) for number in range(count)]
    return with_frameworks(EMPTY, frameworks)


def decided(knowledge: Knowledge, wanted: Preferences) -> Recommendation:
    return decide(knowledge, wanted, None, TODAY, seed=0, samples=200)


def ranks(recommendation: Recommendation) -> dict[str, int]:
    return {each.framework: each.rank for each in recommendation.ranking}


def rated(given: Framework, leaf: str, score: float) -> Framework:
    return msgspec.structs.replace(given, ratings=given.ratings | {leaf: (rating(score),)})


@quick
@given(knowledges(), preferences, st.data())
def test_raising_a_rating_never_lowers_the_rank(knowledge: Knowledge, wanted: Preferences, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(knowledge.frameworks)))
    leaf = data.draw(st.sampled_from(LEAVES))
    low, high = sorted((data.draw(scores), data.draw(scores)))
    places = []
    for score in (low, high):
        raised = rated(knowledge.frameworks[name], leaf, score)
        others = [raised if each.id == name else each for each in knowledge.frameworks.values()]
        places.append(ranks(decided(with_frameworks(knowledge, others), wanted))[name])
    assert places[1] <= places[0]


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(sorted(SHIPPED.frameworks)), st.sampled_from(RATED), preferences_shipped, st.data())
def test_raising_a_rating_of_a_shipped_framework_never_lowers_its_rank(
    name: str, leaf: str, wanted: list[Preferences], data: st.DataObject
) -> None:
    low, high = sorted((data.draw(scores), data.draw(scores)))
    places = []
    for score in (low, high):
        raised = SHIPPED.frameworks | {name: rated(SHIPPED.frameworks[name], leaf, score)}
        found = decide(with_frameworks(SHIPPED, list(raised.values())), wanted, None, TODAY, seed=0, samples=20)
        places.append(ranks(found)[name])
    assert places[1] <= places[0]


@quick
@given(knowledges(least=2), preferences, st.randoms(use_true_random=False))
def test_the_order_of_frameworks_changes_nothing(knowledge: Knowledge, wanted: Preferences, random: object) -> None:
    frameworks = list(knowledge.frameworks.values())
    random.shuffle(frameworks)  # type: ignore[attr-defined]
    permuted = with_frameworks(knowledge, frameworks)
    assert msgspec.json.encode(decided(permuted, wanted)) == msgspec.json.encode(decided(knowledge, wanted))


@quick
@given(knowledges(least=2), preferences, st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_scaling_the_weights_of_all_siblings_changes_nothing(
    knowledge: Knowledge, wanted: Preferences, factor: float
) -> None:
    top = {node.id for node in knowledge.criteria}
    effects = {path: wanted.effects.get(path, 1.0) * (factor if path in top else 1.0) for path in PATHS}
    scaled = msgspec.structs.replace(wanted, effects=effects)
    assert msgspec.json.encode(decided(knowledge, scaled)) == msgspec.json.encode(decided(knowledge, wanted))


@quick
@given(
    knowledges(least=2),
    st.fixed_dictionaries({leaf: st.integers(1, 40).map(float) for leaf in ("ease", "docs", "f")}),
    st.sampled_from([0.25, 0.5, 2.0, 8.0]),
)
def test_scaling_all_per_cents_of_a_node_changes_nothing(
    knowledge: Knowledge, per_cents: dict[str, float], factor: float
) -> None:
    scaled = {path: per_cent * factor for path, per_cent in per_cents.items()}
    assert msgspec.json.encode(decided(knowledge, Preferences(fixed=scaled))) == msgspec.json.encode(
        decided(knowledge, Preferences(fixed=per_cents))
    )


@st.composite
def answered(draw: st.DrawFn) -> Answers:
    """Answers to some of the shipped questions, one option each."""
    replies = {}
    for question in SHIPPED.questions.values():
        if question.options and draw(st.booleans()):
            option = draw(st.sampled_from(question.options))
            replies[question.id] = Answer((option.id,), draw(st.sampled_from(Sure)))
    return Answers(answers=replies)


@settings(max_examples=25, deadline=None)
@given(answered(), st.randoms(use_true_random=False))
def test_the_order_of_questions_and_answers_changes_nothing(answers: Answers, random: object) -> None:
    def shuffled(given: dict[str, T]) -> dict[str, T]:
        keys = list(given)
        random.shuffle(keys)  # type: ignore[attr-defined]
        return {key: given[key] for key in keys}

    asked_otherwise = msgspec.structs.replace(SHIPPED, questions=shuffled(SHIPPED.questions))
    answered_otherwise = msgspec.structs.replace(answers, answers=shuffled(answers.answers))
    before = decided(SHIPPED, read(answers, SHIPPED))
    after = decided(asked_otherwise, read(answered_otherwise, asked_otherwise))
    assert [each.framework for each in after.ranking] == [each.framework for each in before.ranking]
    assert [each.score for each in after.ranking] == pytest.approx([each.score for each in before.ranking], abs=1e-12)
    assert after.weights == pytest.approx(before.weights, abs=1e-12)
    assert (after.verdict, after.winner) == (before.verdict, before.winner)
    assert {each.framework for each in after.excluded} == {each.framework for each in before.excluded}


@quick
@given(knowledges(least=2), preferences)
def test_the_order_of_criteria_changes_no_score(knowledge: Knowledge, wanted: Preferences) -> None:
    reversed_ = with_criteria(knowledge, knowledge.criteria[::-1])
    assert [(each.framework, each.score) for each in decided(reversed_, wanted).ranking] == [
        (each.framework, each.score) for each in decided(knowledge, wanted).ranking
    ]


@quick
@given(knowledges(least=2), preferences, st.data())
def test_hiding_a_framework_changes_no_other(knowledge: Knowledge, wanted: Preferences, data: st.DataObject) -> None:
    hidden = data.draw(st.sampled_from(sorted(knowledge.frameworks)))
    left = with_frameworks(knowledge, [each for each in knowledge.frameworks.values() if each.id != hidden])
    before, after = decided(knowledge, wanted), decided(left, wanted)
    kept = {each.framework: each for each in before.ranking if each.framework != hidden}
    for each in after.ranking:
        same = kept[each.framework]
        assert (each.score, each.low, each.high, each.coverage) == (same.score, same.low, same.high, same.coverage)
        assert after.pairwise[each.framework] == {
            rival: p for rival, p in before.pairwise[each.framework].items() if rival != hidden
        }


@quick
@given(knowledges(least=3), preferences)
def test_hiding_all_but_the_closest_rival_keeps_the_verdict(knowledge: Knowledge, wanted: Preferences) -> None:
    whole = decided(knowledge, wanted)
    first = whole.ranking[0].framework
    rivals = [each.framework for each in whole.ranking[1:]]
    closest = min(rivals, key=whole.pairwise[first].__getitem__)
    left = decided(with_frameworks(knowledge, [knowledge.frameworks[name] for name in (first, closest)]), wanted)
    assert (left.verdict, left.winner) == (whole.verdict, whole.winner)


@quick
@given(knowledges(least=2), preferences)
def test_a_flip_is_where_the_first_rank_changes(knowledge: Knowledge, wanted: Preferences) -> None:
    recommendation = decided(knowledge, wanted)
    values = {
        name: {leaf: value.expected for leaf, value in leaf_values(each, knowledge.leaves, {}, {}, TODAY).items()}
        for name, each in knowledge.frameworks.items()
    }

    def leads(flip: Flip, criterion: str, x: float) -> bool:
        rescale = (1 - x) / (1 - recommendation.weights[criterion])
        weights = {leaf: weight * rescale for leaf, weight in recommendation.weights.items()} | {criterion: x}
        scored = {each: sum(weights[leaf] * v for leaf, v in leaves.items()) for each, leaves in values.items()}
        return all(scored[flip.framework] > score for each, score in scored.items() if each != flip.framework)

    for flip in recommendation.flips:
        if flip.criterion is not None and flip.to is not None:
            assert flip.start == recommendation.weights[flip.criterion]
            below, above = (leads(flip, flip.criterion, flip.to * side) for side in (1 - 1e-6, 1 + 1e-6))
            assert below != above


@quick
@given(knowledges(), preferences)
def test_shares_and_probabilities_add_up(knowledge: Knowledge, wanted: Preferences) -> None:
    recommendation = decided(knowledge, wanted)
    assert abs(sum(recommendation.weights.values()) - 1) < 1e-12
    assert abs(sum(each.first_probability for each in recommendation.ranking) - 1) < 1e-6
    for at_correlation in recommendation.robustness.values():
        assert abs(sum(at_correlation.values()) - 1) < 1e-6
    for each in recommendation.ranking:
        assert abs(sum(each.contributions.values()) - each.score) < 1e-9
        assert 0 <= each.coverage <= 1 + 1e-12
    assert [each.rank for each in recommendation.ranking] == list(range(1, len(recommendation.ranking) + 1))


@given(st.integers(2, 4), st.data())
def test_a_dominated_framework_has_no_flip(count: int, data: st.DataObject) -> None:
    best = {leaf: data.draw(st.floats(5, 10)) for leaf in LEAVES}
    worse = [{leaf: value - data.draw(st.floats(0, 5)) for leaf, value in best.items()} for _rival in range(count)]
    assume(best not in worse)
    values = {"best": best} | {f"f{number}": leaves for number, leaves in enumerate(worse)}
    exact = {name: {leaf: Value(v, v, v) for leaf, v in leaves.items()} for name, leaves in values.items()}
    found = flips(list(values), exact, dict.fromkeys(LEAVES, 1 / len(LEAVES)))
    assert [flip.criterion for flip in found] == [None] * count
