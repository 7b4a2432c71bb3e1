"""Sentences about a decision: each number in them is one of the recommendation, and nothing is said that it is not."""

from collections.abc import Sequence

import msgspec
import pytest

from advisor import i18n
from advisor.decision import decide
from advisor.decision.explain import explain_one, methods_in_words, people_in_words, per_cent
from advisor.questionnaire import Origin, Preferences, Requirement
from advisor.recommendation import Central, Deciding, Recommendation
from knowledge.model import Framework, Instead, Knowledge, Support
from tests.advisor.decision.builders import TODAY, base, framework, with_frameworks
from tests.advisor.decision.test_decide import ENOUGH, RATED, level

EASE = [path for path in RATED if path.startswith("ease.")]
DEPLOYMENT = [path for path in RATED if path.startswith("deployment.")]
EASY = framework("easy", dict.fromkeys(RATED, 5) | dict.fromkeys(EASE, 9))
SOLID = framework("solid", dict.fromkeys(RATED, 5) | dict.fromkeys(DEPLOYMENT, 8.5))


def person(respondent: str, **given: object) -> Preferences:
    return Preferences(respondent=respondent, answered=5, **given)  # type: ignore[arg-type]


EASE_LOVER = person("Anna", effects={"ease": 4.0})
SHIPPER = person("Ben", effects={"deployment": 4.0})


def decided(
    frameworks: Sequence[Framework], wanted: Preferences | Sequence[Preferences] = ENOUGH
) -> tuple[Recommendation, Knowledge]:
    everyone = with_frameworks(base(), frameworks)
    return decide(everyone, wanted, None, TODAY, seed=0, samples=2_000), everyone


def name(leaf: str) -> str:
    return base().leaves[leaf].name.en


# --- the fewest criteria that decide ---------------------------------------------------------------------------------


def test_the_criteria_that_decide_are_named_with_what_they_gain_and_what_speaks_against_them() -> None:
    found, everyone = decided([EASY, SOLID], EASE_LOVER)
    (decisive,) = found.deciding
    assert decisive.against > 0.02
    (said,) = [line for line in found.reasoning.why if "decide" in line]
    shown = [name(leaf) for leaf in decisive.criteria]
    assert all(leaf in said for leaf in shown[:3])
    assert all(leaf not in said for leaf in shown[3:])
    assert f"gains {decisive.points:.2f} points there, Solid {decisive.against:.2f} on all that speaks for it" in said
    assert said in explain_one(found, everyone, "solid").lines


def with_deciding(criteria: tuple[str, ...], points: float, against: float) -> list[str]:
    found, everyone = decided([EASY, SOLID], EASE_LOVER)
    decisive = Deciding(rival="solid", criteria=criteria, points=points, against=against)
    changed = msgspec.structs.replace(found, deciding=(decisive,))
    return [line for line in explain_one(changed, everyone, "solid").lines if "decide" in line]


@pytest.mark.parametrize(
    ("criteria", "against", "said"),
    [
        (
            ("ease.install",),
            0.25,
            "{0} alone decides against Solid: Easy gains 0.75 points there, Solid 0.25 on all that speaks for it.",
        ),
        (
            ("ease.install", "ease.debugging"),
            0.01,
            "{0} and {1} alone decide against Solid: Easy gains 0.75 points there, and hardly anything speaks for "
            "Solid.",
        ),
        (
            tuple(EASE[:5]),
            0.25,
            "{0}, {1}, {2} and 2 more alone decide against Solid: Easy gains 0.75 points there, Solid 0.25 on all that "
            "speaks for it.",
        ),
        (
            ("ease.install",),
            0.7482,
            "{0} alone decides against Solid: Easy gains 0.750 points there, Solid 0.748 on all that speaks for it.",
        ),
    ],
)
def test_one_two_and_many_criteria_read_well(criteria: tuple[str, ...], against: float, said: str) -> None:
    assert with_deciding(criteria, 0.75, against) == [said.format(*map(name, criteria))]


def test_equal_scores_are_decided_by_nothing() -> None:
    found, everyone = decided([level("alpha", (5, 6, 7)), level("beta", (5, 6, 7))])
    assert found.deciding == (Deciding(rival="beta", criteria=(), points=0, against=0),)
    assert not [line for line in (*found.reasoning.why, *explain_one(found, everyone, "beta").lines) if "alone" in line]


# --- what one would have to care about -------------------------------------------------------------------------------


def test_what_one_would_have_to_care_about_is_told_in_the_recommendation_s_weights() -> None:
    found, everyone = decided([EASY, SOLID], EASE_LOVER)
    central = found.central["solid"]
    assert 0 < central.share < 1
    (said,) = [line for line in explain_one(found, everyone, "solid").lines if "left aside" in line]
    assert f"comes first with {per_cent(central.share, 1)} of all weights" in said
    most = sorted(central.weights, key=lambda leaf: central.even[leaf] - central.weights[leaf])[:3]
    assert all(leaf in DEPLOYMENT for leaf in most)
    for leaf in most:
        told = f"{name(leaf)} ({per_cent(central.weights[leaf], 1)}, {per_cent(central.even[leaf], 1)} on average)"
        assert told in said


@pytest.mark.parametrize(
    ("central", "said"),
    [
        (Central(0.0, {}, {}), "Your answers left aside, no weights were found with which Solid comes first."),
        (Central(0.0012, {}, {}), "Solid comes first with 0.1 % of all weights a person could have: too few to say"),
        (
            Central(0.7, {"ease.install": 0.031}, {"ease.install": 0.03}),
            "Your answers left aside, Solid comes first with 70.0 % of all weights a person could have.",
        ),
    ],
)
def test_too_few_weights_and_none_in_particular_are_told_apart(central: Central, said: str) -> None:
    found, everyone = decided([EASY, SOLID], EASE_LOVER)
    changed = msgspec.structs.replace(found, central=found.central | {"solid": central})
    (line,) = [line for line in explain_one(changed, everyone, "solid").lines if "left aside" in line]
    assert said in line


# --- other methods ---------------------------------------------------------------------------------------------------


def with_methods(*firsts: str) -> str:
    """The sentence where these come first by the other methods, and Easy by score."""
    found, everyone = decided([EASY, SOLID, level("third", 3)], EASE_LOVER)
    changed = tuple(
        msgspec.structs.replace(method, ranking=(first,)) for method, first in zip(found.methods, firsts, strict=True)
    )
    return methods_in_words(msgspec.structs.replace(found, methods=changed), everyone)


def test_methods_agree_or_each_says_what_it_says() -> None:
    assert with_methods("easy", "easy") == "3 of 3 methods agree: Easy comes first by score, TOPSIS and PROMETHEE II."
    assert with_methods("easy", "solid") == (
        "2 of 3 methods agree: Easy comes first by score and TOPSIS; Solid comes first by PROMETHEE II."
    )
    assert with_methods("solid", "third") == (
        "The 3 methods disagree: Easy comes first by score; Solid comes first by TOPSIS; Third comes first by "
        "PROMETHEE II."
    )


def test_without_a_ranking_no_method_says_anything() -> None:
    nothing = Requirement("accelerator", ("tpu",), Origin.ANSWER)
    barred = framework("barred", {"ease.install": 5}, facts={"accelerator": {"tpu": Support.NONE}})
    found, everyone = decided([barred], Preferences(answered=5, requirements=(nothing,)))
    assert methods_in_words(found, everyone) == ""


# --- several people --------------------------------------------------------------------------------------------------


def test_a_single_sheet_has_no_people() -> None:
    assert people_in_words(*decided([EASY, SOLID], EASE_LOVER)) == []


def test_people_are_told_how_far_they_agree_and_what_pulls_them_apart() -> None:
    found, everyone = decided([EASY, SOLID], [EASE_LOVER, SHIPPER])
    agreement, anna, ben = people_in_words(found, everyone)
    assert found.agreement == 0
    assert agreement == "Their rankings agree to 0.00 (Kendall's W: 1 is the same order for all, 0 no agreement)."
    assert found.ranking[0].framework == "easy"
    assert anna == "Anna alone: Easy too."
    assert ben.startswith("Ben alone: Solid. What pulls away from Easy: ")
    pulls = found.people[1].pulls
    assert pulls
    for pull in pulls:
        weights = f"(weighs {per_cent(pull.weight, 1)}, on average {per_cent(pull.mean_weight, 1)})"
        assert f"{name(pull.criterion)} {weights}" in ben


CPU = Requirement("accelerator", ("cpu",), Origin.ANSWER)
NO_CPU = {"accelerator": {"cpu": Support.NONE}}


def test_a_condition_that_not_all_share_names_its_owner_and_whom_it_rules_out() -> None:
    barred = framework("barred", dict.fromkeys(RATED, 9.5), facts=NO_CPU)
    wanted = [person("Anna"), person("Ben", requirements=(CPU,))]
    lines = people_in_words(*decided([EASY, barred], wanted))
    assert "Anna alone: Barred, which is ruled out for all by accelerators: cpu (Ben)." in lines
    assert lines[-1] == "accelerators: cpu, asked for by Ben only, rules out Barred for all."


def test_explaining_who_is_ruled_out_names_whose_condition_that_is() -> None:
    barred = framework("barred", dict.fromkeys(RATED, 9.5), facts=NO_CPU)
    found, everyone = decided([EASY, barred], [person("Anna"), person("Ben", requirements=(CPU,))])
    assert explain_one(found, everyone, "barred").lines[0] == ("accelerators: cpu (Ben): Barred does not support cpu.")


def test_a_condition_of_all_is_nobody_s_veto() -> None:
    barred = framework("barred", dict.fromkeys(RATED, 9.5), facts=NO_CPU)
    wanted = [person("Anna", requirements=(CPU,)), person("Ben", requirements=(CPU,))]
    assert not [line for line in people_in_words(*decided([EASY, barred], wanted)) if "rules out" in line]


def test_what_was_only_assumed_of_somebody_is_told_as_that_and_the_list_stays_short() -> None:
    assumed = msgspec.structs.replace(CPU, origin=Origin.ASSUMED)
    barred = [framework(f"barred{number}", {"ease.install": 5}, facts=NO_CPU) for number in range(5)]
    wanted = [person("Anna"), person("Ben", requirements=(assumed,))]
    said = people_in_words(*decided([EASY, *barred], wanted))[-1]
    assert said.startswith("accelerators: cpu, assumed for Ben only, rules out Barred0, Barred1, ")
    assert said.endswith(" and 2 more for all.")


def test_explaining_one_framework_says_where_it_stands_for_each_person() -> None:
    barred = framework("barred", dict.fromkeys(RATED, 9.5), facts=NO_CPU)
    found, everyone = decided(
        [EASY, SOLID, barred], [EASE_LOVER, msgspec.structs.replace(SHIPPER, requirements=(CPU,))]
    )
    anna, ben = found.people
    assert (
        f"Anna alone: it ranks 3 of 3 with {anna.scores['solid']:.1f} points."
        in explain_one(found, everyone, "solid").lines
    )
    assert (
        f"Ben alone: it ranks 1 of 2 with {ben.scores['solid']:.1f} points."
        in explain_one(found, everyone, "solid").lines
    )
    assert "Ben alone: it does not qualify." in explain_one(found, everyone, "barred").lines


def test_nobody_left_for_one_person_is_told() -> None:
    barred = framework("barred", dict.fromkeys(RATED, 9.5), facts=NO_CPU)
    lines = people_in_words(*decided([barred], [person("Anna"), person("Ben", requirements=(CPU,))]))
    assert "Ben alone: no framework qualifies." in lines


# --- where to go instead ---------------------------------------------------------------------------------------------


def test_who_is_ruled_out_says_where_to_go_instead() -> None:
    out = framework("out", {"ease.install": 5}, facts=NO_CPU)
    out = msgspec.structs.replace(out, instead=(Instead(framework="easy", because="it is alive"),))
    found, everyone = decided([EASY, out], Preferences(answered=5, requirements=(CPU,)))
    assert explain_one(found, everyone, "out").lines[-1] == "Instead of Out, Easy: it is alive"


def test_the_sentences_are_in_the_language_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    found, everyone = decided([EASY, SOLID], [EASE_LOVER, SHIPPER])
    monkeypatch.setattr(i18n, "_language", "zh")
    pulls = [base().leaves[pull.criterion].name.zh for pull in found.people[1].pulls]
    assert all(pull in people_in_words(found, everyone)[2] for pull in pulls)
