"""Several people who decide together."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from advisor.decision import decide
from advisor.decision.people import agreement, draw_in_turn, mean_weights, together
from advisor.decision.smaa import draw_weights
from advisor.decision.weights import split_tree
from advisor.questionnaire import Origin, Preferences, Requirement
from advisor.recommendation import Person, Recommendation, Verdict
from knowledge.faults import BadInput
from knowledge.model import Knowledge, Role, Support
from tests.advisor.decision.builders import TODAY, base, flat, framework, node, with_criteria, with_frameworks
from tests.advisor.decision.test_properties import knowledges, preferences

TREE = (node("ease", *flat("a", "b")), node("docs", *flat("c", "d")))
CPU = Requirement("accelerator", ("cpu",), Origin.ANSWER)
MAINTAINED = Requirement("maintained", ("true",), Origin.ASSUMED)

several = settings(max_examples=25, deadline=None)


def person(name: str, **given: object) -> Preferences:
    return Preferences(respondent=name, answered=5, **given)  # type: ignore[arg-type]


EASY = person("ann", effects={"ease": 8.0}, concentrations={"": 200.0})
DOCUMENTED = person("bob", effects={"docs": 8.0}, concentrations={"": 200.0})


def two_frameworks() -> Knowledge:
    """One that is easy and one that is well documented, on a tree of two nodes with two leaves each."""
    easy = framework("easy", {"ease.a": (8, 9, 10), "ease.b": 8, "docs.c": (2, 3, 4), "docs.d": 2})
    documented = framework("known", {"ease.a": 2, "ease.b": (2, 3, 4), "docs.c": 8, "docs.d": (8, 9, 10)})
    return with_frameworks(with_criteria(base(), TREE), [easy, documented])


def decided(
    people: Sequence[Preferences], made: Knowledge | None = None, samples: int = 2_000, seed: int = 0
) -> Recommendation:
    return decide(made or two_frameworks(), people, None, TODAY, seed=seed, samples=samples)


def named(found: Recommendation) -> dict[str, Person]:
    return {each.respondent: each for each in found.people}


# --- one alone -------------------------------------------------------------------------------------------------------


@several
@given(knowledges(), preferences)
def test_one_person_alone_gets_the_same_bytes_as_a_single_sheet(made: Knowledge, wanted: Preferences) -> None:
    single = decide(made, wanted, None, TODAY, seed=2, samples=200)
    alone = decide(made, [wanted], None, TODAY, seed=2, samples=200)
    assert msgspec.json.encode(alone) == msgspec.json.encode(single)
    assert (alone.people, alone.agreement) == ((), None)


def test_what_one_wants_is_wanted_as_it_is() -> None:
    assert together([EASY]) is EASY


# --- weights ---------------------------------------------------------------------------------------------------------


def test_the_centre_is_the_mean_of_the_weights() -> None:
    found = decided([EASY, DOCUMENTED])
    assert found.people[0].weights != pytest.approx(found.people[1].weights)
    # They want the opposite of each other, and the frameworks are each other's opposites.
    assert found.weights == pytest.approx(dict.fromkeys(found.weights, 0.25))
    assert [each.score for each in found.ranking] == pytest.approx([5.5, 5.5])
    assert (found.people[0].first, found.people[1].first) == ("easy", "known")


@several
@given(knowledges(), st.lists(preferences, min_size=2, max_size=4))
def test_weights_and_scores_are_means_over_the_people(made: Knowledge, wanted: list[Preferences]) -> None:
    people = [msgspec.structs.replace(each, respondent=f"p{number}") for number, each in enumerate(wanted)]
    found, alone = decided(people, made, 50), [decided([each], made, 50) for each in people]
    assert found.weights == pytest.approx(mean_weights([each.weights for each in alone]), abs=1e-12)
    for ranked in found.ranking:
        scores = [next(each.score for each in one.ranking if each.framework == ranked.framework) for one in alone]
        assert ranked.score == pytest.approx(np.mean(scores), abs=1e-9)
    assert sum(found.weights.values()) == pytest.approx(1)
    for own, one in zip(found.people, alone, strict=True):
        assert own.weights == one.weights
        assert own.scores == {each.framework: each.score for each in one.ranking}
        assert own.ranking == tuple(own.scores)
        assert own.first_probabilities == {each.framework: each.first_probability for each in one.ranking}
        assert own.verdict is one.verdict


@several
@given(knowledges(least=2), st.lists(preferences, min_size=2, max_size=3), st.randoms(use_true_random=False))
def test_neither_the_order_of_people_nor_their_names_move_a_score(
    made: Knowledge, wanted: list[Preferences], random: object
) -> None:
    names = ["ann", "bob", "cyd"][: len(wanted)]
    people = [msgspec.structs.replace(each, respondent=name) for each, name in zip(wanted, names, strict=True)]
    shuffled = list(people)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    renamed = [
        msgspec.structs.replace(each, respondent=name) for each, name in zip(people, reversed(names), strict=True)
    ]
    first = decided(people, made, 50)
    for other in (decided(shuffled, made, 50), decided(renamed, made, 50)):
        assert [(each.framework, each.score, each.contributions) for each in other.ranking] == [
            (each.framework, each.score, each.contributions) for each in first.ranking
        ]
        assert other.weights == first.weights
        assert other.flips == first.flips
        assert other.deciding == first.deciding
        assert other.agreement == pytest.approx(first.agreement)
    assert named(decided(shuffled, made, 50)) == named(first)


def test_people_who_answer_alike_agree_and_pull_nowhere() -> None:
    found = decided([EASY, msgspec.structs.replace(EASY, respondent="bob")])
    assert found.agreement == 1
    assert [each.pulls for each in found.people] == [(), ()]
    assert found.weights == decided([EASY]).weights
    assert [each.score for each in found.ranking] == [each.score for each in decided([EASY]).ranking]


def test_every_draw_takes_the_weights_of_one_person_in_turn() -> None:
    splits = [split_tree(TREE, each, unfilled) for each, unfilled in ((EASY, ()), (DOCUMENTED, ("ease.a", "ease.b")))]
    drawn = draw_in_turn(["ann", "bob"], splits, seed=4, samples=11)
    ann, bob = (draw_weights(each, name, 4, 11) for each, name in zip(splits, ("ann", "bob"), strict=True))
    assert set(drawn) == set(ann) == {*bob, "ease.a", "ease.b"}
    for leaf, weights in drawn.items():
        assert weights[::2].tolist() == ann[leaf][::2].tolist()
        assert weights[1::2].tolist() == (bob[leaf][1::2].tolist() if leaf in bob else [0.0] * 5)
    assert np.sum(list(drawn.values()), axis=0) == pytest.approx(np.ones(11), abs=1e-5)


def test_people_who_want_opposite_things_leave_more_doubt_than_one_in_between() -> None:
    doubtful = decided([EASY, DOCUMENTED], samples=20_000)
    sure = decided([person("cyd", concentrations={"": 200.0})], samples=20_000)
    for apart, between in zip(doubtful.ranking, sure.ranking, strict=True):
        assert apart.score == pytest.approx(between.score)
        assert apart.low < between.low < between.high < apart.high
    # Each of the two is sure of another one, so that half of the draws put each first.
    assert doubtful.ranking[0].first_probability == pytest.approx(0.5, abs=0.02)
    assert named(doubtful)["ann"].first_probabilities["easy"] > 0.95
    assert named(doubtful)["bob"].first_probabilities["known"] > 0.95


# --- vetoes ----------------------------------------------------------------------------------------------------------


def with_one_without_cpu() -> Knowledge:
    facts = {"accelerator": {"cpu": Support.NONE}}
    out = framework("out", dict.fromkeys(("ease.a", "ease.b", "docs.c", "docs.d"), 9), facts)
    kept = framework(
        "kept", dict.fromkeys(("ease.a", "ease.b", "docs.c", "docs.d"), 5), {"accelerator": {"cpu": Support.NATIVE}}
    )
    return with_frameworks(with_criteria(base(), TREE), [out, kept])


def test_a_veto_knocks_out_for_all_and_names_its_owner() -> None:
    strict = msgspec.structs.replace(DOCUMENTED, requirements=(CPU,))
    found = decided([EASY, strict], with_one_without_cpu())
    assert [each.framework for each in found.ranking] == ["kept"]
    (excluded,) = found.excluded
    assert [(each.requirement, each.owners) for each in excluded.failed] == [("accelerator: cpu", ("bob",))]
    assert named(found)["ann"].first == "out"  # alone she would have had it
    assert named(found)["ann"].pulls == ()  # no weight of hers explains it
    assert named(found)["bob"].first == "kept"


def test_a_veto_of_several_names_them_all_and_a_single_sheet_names_nobody() -> None:
    both = [msgspec.structs.replace(each, requirements=(CPU,)) for each in (EASY, DOCUMENTED)]
    (excluded,) = decided(both, with_one_without_cpu()).excluded
    assert excluded.failed[0].owners == ("ann", "bob")
    (excluded,) = decided(both[:1], with_one_without_cpu()).excluded
    assert excluded.failed[0].owners == ()


def test_what_somebody_asked_for_outranks_what_was_assumed_of_another() -> None:
    asked = Requirement("maintained", ("true",), Origin.ANSWER)
    (joint,) = together([person("ann", requirements=(MAINTAINED,)), person("bob", requirements=(asked,))]).requirements
    assert (joint.origin, joint.owners) == (Origin.ANSWER, ("ann", "bob"))


def test_together_nobody_may_qualify() -> None:
    impossible = msgspec.structs.replace(
        DOCUMENTED, requirements=(Requirement("licence", ("permissive",), Origin.ANSWER), CPU)
    )
    facts = {"accelerator": {"cpu": Support.NONE}}
    made = with_frameworks(with_criteria(base(), TREE), [framework("only", {"ease.a": 5}, facts)])
    found = decided([EASY, impossible], made)
    assert (found.verdict, found.ranking, found.agreement) == (Verdict.NONE_QUALIFIES, (), None)
    assert [(each.respondent, each.first) for each in found.people] == [("ann", "only"), ("bob", None)]


# --- what is wanted in common ----------------------------------------------------------------------------------------


def test_everything_that_anybody_named_is_wanted() -> None:
    ann = person(
        "ann",
        fit={"accelerator": ("cuda",), "language": ("python",)},
        devices=("cuda",),
        workloads=("mnist-cnn",),
        run_length_seconds=600.0,
        targets=("server",),
        deploys=False,
        assumptions=("run-length",),
    )
    bob = msgspec.structs.replace(
        person("bob"),
        roles=(Role.RUNTIME,),
        fit={"accelerator": ("cpu", "cuda")},
        devices=("cpu",),
        run_length_seconds=1400.0,
        targets=("browser", "server"),
        current="pytorch",
        course="keras",
        answered=2,
    )
    joint = together([ann, bob])
    assert joint.respondent == "ann, bob"
    assert joint.roles == (Role.ENGINE, Role.HIGH_LEVEL, Role.RUNTIME)
    assert joint.fit == {"accelerator": ("cuda", "cpu"), "language": ("python",)}
    assert joint.devices == ("cuda", "cpu")
    assert joint.workloads is None  # bob did not say, which stands for all
    assert joint.run_length_seconds == 1000
    assert (joint.targets, joint.deploys) == (("server", "browser"), True)
    assert (joint.current, joint.course) == ("pytorch", "keras")
    assert joint.assumptions == ("run-length",)
    assert joint.answered == 2
    assert (joint.effects, joint.fixed, joint.concentrations) == ({}, {}, {})


def test_what_anybody_uses_is_placed_among_all_once() -> None:
    uses = {"ann": "known", "bob": "easy", "cyd": "known", "dot": None}
    found = decided([msgspec.structs.replace(EASY, respondent=name, current=each) for name, each in uses.items()])
    ranks = {each.framework: each.rank for each in found.ranking}
    assert [(each.framework, each.rank) for each in found.currents] == [
        (each, ranks[each]) for each in ("known", "easy")
    ]
    assert found.current == found.currents[0]
    assert [each.current.framework if each.current else None for each in found.people] == list(uses.values())


def test_weights_that_leave_nothing_are_bad_input_of_the_one_who_gave_them() -> None:
    nothing = person("bob", fixed={"ease": 0.0, "docs": 0.0})
    with pytest.raises(BadInput) as bad:
        decided([EASY, nothing])
    assert [fault.file for fault in bad.value.faults] == ["bob"]


# --- agreement and pulls ---------------------------------------------------------------------------------------------


def test_kendalls_w_by_hand() -> None:
    same = [{"x": 3.0, "y": 2.0, "z": 1.0}] * 3
    assert agreement(same) == 1
    assert agreement([same[0], {"x": 1.0, "y": 2.0, "z": 3.0}]) == 0
    # Kendall & Babington Smith: rank sums 4, 6, 8 of three judges, S = 8, W = 12 x 8 / (9 x 24).
    three = [{"x": 3, "y": 2, "z": 1}, {"x": 3, "y": 1, "z": 2}, {"x": 2, "y": 3, "z": 1}]
    sums = {name: sum(1 + sum(other > judge[name] for other in judge.values()) for judge in three) for name in "xyz"}
    assert sums == {"x": 4, "y": 6, "z": 8}
    assert agreement(three) == pytest.approx(12 * 8 / (9 * 24))


def test_there_is_no_agreement_of_one_person_or_about_one_framework() -> None:
    assert agreement([]) is None
    assert agreement([{"x": 1.0, "y": 2.0}]) is None
    assert agreement([{"x": 1.0, "y": 2.0}, {"x": 1.0}]) is None  # only x is in both
    assert agreement([{"x": 1.0, "y": 1.0}, {"x": 2.0, "y": 2.0}]) is None  # nobody prefers anything


@given(st.integers(3, 5), st.integers(3, 6), st.data())
def test_kendalls_w_is_friedmans_statistic(judges: int, count: int, data: st.DataObject) -> None:
    rows = [{f"f{number}": float(data.draw(st.integers(0, 4))) for number in range(count)} for _judge in range(judges)]
    assume(any(len(set(row.values())) > 1 for row in rows))
    statistic = stats.friedmanchisquare(*([row[f"f{number}"] for row in rows] for number in range(count))).statistic
    found = agreement(rows)
    assert found == pytest.approx(statistic / (judges * (count - 1)))
    assert found is not None
    assert -1e-12 <= found <= 1 + 1e-12


def test_what_counts_for_nothing_to_somebody_pulls_them_too() -> None:
    """Easy leads on ease, of which Bob wants to hear nothing: that is what parts him from the others."""
    found = decided([EASY, msgspec.structs.replace(EASY, respondent="cyd"), person("bob", fixed={"ease": 0.0})])
    assert (found.ranking[0].framework, named(found)["bob"].first) == ("easy", "known")
    pulled = {pull.criterion: pull for pull in named(found)["bob"].pulls}
    assert any(path.startswith("ease.") for path in pulled)
    assert all(pull.weight == 0 < pull.mean_weight for path, pull in pulled.items() if path.startswith("ease."))


def test_what_pulls_somebody_away_is_named_with_its_points() -> None:
    found = decided([EASY, msgspec.structs.replace(EASY, respondent="cyd"), DOCUMENTED])
    assert found.ranking[0].framework == "easy"
    assert [(each.respondent, each.first, bool(each.pulls)) for each in found.people] == [
        ("ann", "easy", False),
        ("cyd", "easy", False),
        ("bob", "known", True),
    ]
    # Bob weighs documentation 80 % and the others 20 %, which is 40 % on average; a leaf has half of its node's weight.
    # Known leads by 5 on docs.c and by 7 on docs.d, and lags by 7 on ease.a and by 5 on ease.b.
    lead = {"docs.c": 5, "docs.d": 7, "ease.a": 7, "ease.b": 5}
    for pull in named(found)["bob"].pulls:
        assert pull.weight == pytest.approx(0.4 if pull.criterion.startswith("docs") else 0.1, abs=0.01)
        assert abs(pull.weight - pull.mean_weight) == pytest.approx(0.2, abs=0.01)
        assert pull.points == pytest.approx(lead[pull.criterion] * 0.2, abs=0.02)
    assert len(named(found)["bob"].pulls) == 3


@several
@given(knowledges(least=2), st.lists(preferences, min_size=2, max_size=3))
def test_pulls_are_the_strongest_parts_of_what_somebodys_own_first_gains(
    made: Knowledge, wanted: list[Preferences]
) -> None:
    people = [msgspec.structs.replace(each, respondent=f"p{number}") for number, each in enumerate(wanted)]
    found = decided(people, made, 50)
    everybodys = found.ranking[0].framework
    for own in found.people:
        if own.first == everybodys:
            assert own.pulls == ()
            continue
        joint = {each.framework: each.contributions for each in found.ranking}
        lead = {
            leaf: (joint[own.first][leaf] - joint[everybodys][leaf]) / weight  # type: ignore[index]
            for leaf, weight in found.weights.items()
            if weight
        }
        gains = {leaf: (own.weights[leaf] - found.weights[leaf]) * value for leaf, value in lead.items()}
        # The difference of weights explains the whole way from everybody's order to this person's.
        gap = own.scores[own.first] - own.scores[everybodys]  # type: ignore[index]
        behind = sum(joint[everybodys].values()) - sum(joint[own.first].values())  # type: ignore[index]
        assert sum(gains.values()) == pytest.approx(gap + behind, abs=1e-9)
        expected = sorted((points for points in gains.values() if points > 1e-12), reverse=True)[:3]
        assert [pull.points for pull in own.pulls if pull.points > 1e-12] == pytest.approx(expected, abs=1e-9)
