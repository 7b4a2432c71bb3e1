"""Golden personas: each is told what an expert would tell, and no single answer would do for most (METHOD.md, D7)."""

import typing
from collections import Counter
from datetime import date

import pytest
from msgspec.structs import replace

import knowledge
from advisor.answers import Answers, parse_answers
from advisor.personas import Change, Told, changes, differing, missed, recommended, sheets, tell_all
from advisor.recommendation import Verdict
from knowledge.faults import BadInput
from knowledge.loader import Places
from knowledge.model import Expected, Knowledge, Persona

BASE, PLACES = knowledge.load_with_places()
DAY = BASE.date
TWINS = [persona for persona in BASE.personas.values() if persona.twin is not None]


@pytest.fixture(scope="module")
def told() -> dict[str, Told]:
    """What all personas are told, worked out once."""
    return {each.persona: each for each in tell_all(BASE, PLACES, DAY)}


def first(told: Told) -> str | None:
    return told.outcome.top[0].framework if told.outcome.top else None


def only(*ids: str, base: Knowledge = BASE) -> Knowledge:
    return replace(base, personas={id_: base.personas[id_] for id_ in ids})


# --- the shipped ones ------------------------------------------------------------------------------------------------


def test_there_are_enough_of_them() -> None:
    assert len(BASE.personas) >= 28


@pytest.mark.parametrize("persona", BASE.personas)
def test_everybody_is_told_what_an_expert_would_tell_or_why_not(told: dict[str, Told], persona: str) -> None:
    assert bool(told[persona].missed) == bool(BASE.personas[persona].dissent), told[persona].missed


def test_most_are_told_what_an_expert_would_tell() -> None:
    assert sum(not persona.dissent for persona in BASE.personas.values()) >= 0.9 * len(BASE.personas)


def test_d7_the_commonest_winner_is_wrong_for_at_least_half(told: dict[str, Told]) -> None:
    ((commonest, _times),) = Counter(first(each) for each in told.values()).most_common(1)
    right = [persona for persona in BASE.personas.values() if commonest in persona.expected.first]
    assert 2 * len(right) <= len(BASE.personas)


def test_d7_no_answer_at_all_is_right_for_more_than_half() -> None:
    for framework in BASE.frameworks:
        right = [persona for persona in BASE.personas.values() if framework in persona.expected.first]
        assert 2 * len(right) <= len(BASE.personas), framework


def test_d7_a_dozen_pairs_differ_in_one_answer() -> None:
    assert len(TWINS) >= 12


@pytest.mark.parametrize("persona", TWINS, ids=lambda persona: persona.id)
def test_d7_twins_differ_in_one_answer_and_in_the_winner(told: dict[str, Told], persona: Persona) -> None:
    answers = sheets(only(persona.id, str(persona.twin)), PLACES)
    differences = differing(*answers.values())
    assert len(differences) == 1, differences
    assert first(told[persona.id]) != first(told[str(persona.twin)])


def test_d7_a_dozen_pairs_have_each_a_winner_and_not_the_same_one(told: dict[str, Told]) -> None:
    winners = [(told[each.id].outcome.winner, told[str(each.twin)].outcome.winner) for each in TWINS]
    assert sum(None not in pair and pair[0] != pair[1] for pair in winners) >= 12


def test_the_expected_verdicts_are_the_ones_there_are() -> None:
    (of_tuple, _ellipsis) = typing.get_args(typing.get_type_hints(Expected)["verdict"])
    assert set(typing.get_args(of_tuple)) == {verdict.value for verdict in Verdict}


# --- what does not hold is said --------------------------------------------------------------------------------------

TEACHER = sheets(only("teacher"), PLACES)["teacher"]

_WRONG = {
    "another first": (Expected(first=("jax",)), "pytorch comes first, expected jax"),
    "nobody": (Expected(first=(), verdict=("leaning", "clear")), "pytorch comes first, expected nobody"),
    "another verdict": (Expected(first=("pytorch",), verdict=("none-qualifies",)), "expected none-qualifies"),
    "not knocked out": (Expected(first=("pytorch",), excluded={"keras": "language"}), "keras is not knocked out by"),
    "out by another fact": (
        Expected(first=("pytorch",), excluded={"mxnet": "language"}),
        "mxnet is not knocked out by",
    ),
    "knocked out": (Expected(first=("pytorch",), ranked=("mxnet",)), "mxnet is knocked out by maintained"),
}


@pytest.mark.parametrize(("expected", "said"), _WRONG.values(), ids=_WRONG.keys())
def test_each_expectation_that_fails_is_named(expected: Expected, said: str) -> None:
    (sentence,) = missed(expected, recommended(BASE, TEACHER, DAY, samples=500))
    assert said in sentence


def test_nobody_left_is_named_too() -> None:
    answers = sheets(only("lua-product"), PLACES)["lua-product"]
    (sentence,) = missed(Expected(first=("torch7",)), recommended(BASE, answers, DAY, samples=500))
    assert sentence == "nobody qualifies, expected torch7"


def test_a_sheet_nobody_can_read_is_bad_input_with_the_line_of_the_file() -> None:
    without_goal = replace(BASE, questions={id_: each for id_, each in BASE.questions.items() if id_ != "goal"})
    with pytest.raises(BadInput) as caught:
        sheets(only("teacher", "lua-product", base=without_goal), PLACES)
    places = [(fault.file, fault.key) for fault in caught.value.faults]
    assert places == [
        ("knowledge/personas/teacher.yaml", "sheet.answers.goal"),
        ("knowledge/personas/lua-product.yaml", "sheet.answers.goal"),
    ]
    assert all(fault.line for fault in caught.value.faults)


# --- what a change of knowledge changes ------------------------------------------------------------------------------


def archived(base: Knowledge, framework: str, since: date) -> Knowledge:
    """The knowledge with one framework archived."""
    record = base.frameworks[framework]
    dead = replace(record, lifecycle=replace(record.lifecycle, archived=since))
    return replace(base, frameworks={**base.frameworks, framework: dead})


def test_nothing_changes_between_equal_knowledge() -> None:
    assert changes(BASE, only("teacher", "lua-product"), PLACES, DAY) == ()


def test_who_is_told_something_else_is_shown_with_both_sides() -> None:
    after = archived(only("teacher", "beginner-images", "lua-product"), "keras", DAY)
    found = {change.persona: change for change in changes(BASE, after, PLACES, DAY)}
    assert list(found) == ["teacher", "beginner-images"]
    beginner = found["beginner-images"]
    assert beginner.before is not None
    assert beginner.after is not None
    assert beginner.before.top[0].framework == "keras"
    assert "keras" not in [each.framework for each in beginner.after.top]


def test_a_change_of_scores_alone_is_none() -> None:
    (_before,) = (each.outcome for each in tell_all(only("teacher"), PLACES, DAY))
    moved = replace(_before, top=tuple(replace(each, score=each.score - 0.1) for each in _before.top))
    assert not moved.differs(_before)
    assert replace(_before, top=_before.top[::-1]).differs(_before)
    assert replace(_before, winner=None).differs(_before)
    assert replace(_before, verdict=Verdict.TOO_CLOSE).differs(_before)


def test_a_sheet_that_could_not_be_answered_before_is_a_change() -> None:
    before = replace(BASE, frameworks={id_: each for id_, each in BASE.frameworks.items() if id_ != "mxnet"})
    (change,) = changes(before, only("mxnet-product"), PLACES, DAY)
    assert isinstance(change, Change)
    assert (change.persona, change.before) == ("mxnet-product", None)
    assert change.after is not None
    assert change.why == "there is no framework 'mxnet'"


# --- in what two sheets differ ---------------------------------------------------------------------------------------


def answers(text: str) -> Answers:
    return parse_answers(f"schema: advisor/answers/1\n{text}".encode(), "sheet.yaml", BASE)


@pytest.mark.parametrize(
    ("a", "b", "keys"),
    [
        ("answers: {goal: learn}", "answers: {goal: learn}", ()),
        ("answers: {goal: learn}", "answers: {goal: teach, build: text}", ("answers.goal", "answers.build")),
        ("answers: {goal: learn}", "answers: {goal: {value: learn, sure: low}}", ("answers.goal",)),
        ("answers: {train_on: cpu}", "answers: {train_on: cpu, train_on_maybe: tpu}", ("answers.train_on_maybe",)),
        ("weights: {ease: 40}", "weights: {ease: 30}", ("weights.ease",)),
        ("requirements: {os: linux}", "current: jax", ("requirements.os", "current")),
        ("course: jax", "course: keras", ("course",)),
    ],
)
def test_every_difference_counts(a: str, b: str, keys: tuple[str, ...]) -> None:
    assert differing(answers(a), answers(b)) == keys


def test_sheets_of_records_that_were_not_read_have_no_place() -> None:
    with pytest.raises(KeyError):
        Places().sheet("teacher")
