"""Knock-outs, and the statements that hold on a day."""

from datetime import date

import msgspec
import pytest

from advisor.decision.screen import Outcome, check, minimal_drops
from advisor.decision.statements import in_force
from advisor.decision.value import UNKNOWN, Value, average, fit_value, rating_value
from advisor.questionnaire import Origin, Requirement
from knowledge.model import FactStatement, Support
from tests.advisor.decision.builders import TODAY, framework, rating

GRADED = framework(
    "alder",
    facts={
        "accelerator": {
            "cpu": Support.NATIVE,
            "cuda": Support.OFFICIAL_PLUGIN,
            "rocm": Support.COMMUNITY,
            "metal": Support.NONE,
        }
    },
)


def outcome(*values: str) -> Outcome:
    return check(GRADED, Requirement("accelerator", values, Origin.ANSWER), TODAY).outcome


@pytest.mark.parametrize("value", ["cpu", "cuda", "rocm"])
def test_any_support_passes(value: str) -> None:
    assert outcome(value) is Outcome.PASS


def test_a_known_no_fails_and_no_statement_is_unknown() -> None:
    assert outcome("metal") is Outcome.FAIL
    assert outcome("tpu") is Outcome.UNKNOWN


def test_a_licence_that_is_not_named_is_a_known_no() -> None:
    named = framework("elm", facts={"licence": {"MIT": Support.NATIVE}})
    other = Requirement("licence", ("GPL-3.0-only",), Origin.REQUIREMENTS)
    found = check(named, other, TODAY)
    assert (found.outcome, found.statements) == (Outcome.FAIL, named.facts["licence"])
    assert check(named, Requirement("licence", ("MIT",), Origin.REQUIREMENTS), TODAY).outcome is Outcome.PASS
    assert check(framework("ash"), other, TODAY).outcome is Outcome.UNKNOWN


def test_one_of_several_is_enough_and_an_unknown_one_leaves_hope() -> None:
    assert outcome("metal", "cpu") is Outcome.PASS
    assert outcome("tpu", "cpu") is Outcome.PASS
    assert outcome("metal", "tpu") is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("released", "wanted", "found"),
    [
        (date(2026, 6, 1), "true", Outcome.PASS),
        (date(2024, 6, 1), "true", Outcome.FAIL),
        (date(2026, 12, 1), "true", Outcome.UNKNOWN),  # no release is listed up to the day asked for
    ],
)
def test_maintained_is_worked_out_from_releases(released: date, wanted: str, found: Outcome) -> None:
    requirement = Requirement("maintained", (wanted,), Origin.ASSUMED)
    assert check(framework("x", released=released), requirement, TODAY).outcome is found


def test_support_grades_are_worth_10_7_4_and_0_in_the_fit() -> None:
    graded = {value: fit_value(GRADED, "accelerator", [value], TODAY) for value in ("cpu", "cuda", "rocm", "metal")}
    assert [value.expected for value in graded.values()] == [10, 7, 4, 0]
    assert fit_value(GRADED, "accelerator", ["tpu"], TODAY) == UNKNOWN
    assert fit_value(GRADED, "accelerator", [], TODAY) == UNKNOWN
    both = fit_value(GRADED, "accelerator", ["cpu", "tpu"], TODAY)
    assert (both.low, both.expected, both.high, both.known) == (5, 7.5, 10, 0.5)


def test_a_rating_without_a_range_is_certain_and_one_without_a_score_unknown() -> None:
    assert rating_value([rating((2, 3, 7))], TODAY) == Value(2, 3, 7)
    assert rating_value([rating((2, 3, 7))], TODAY).expected == 4
    bare = msgspec.structs.replace(rating(6), low=None, high=None)
    assert rating_value([bare], TODAY) == Value(6, 6, 6)
    assert rating_value([rating(None)], TODAY) == UNKNOWN
    assert rating_value([], TODAY) == UNKNOWN


def test_the_average_has_the_mean_of_the_expected_values() -> None:
    values = [Value(1, 2, 6), Value(5, 5, 5), UNKNOWN]
    assert average(values).expected == pytest.approx(sum(value.expected for value in values) / 3)
    assert average([UNKNOWN, UNKNOWN]) == UNKNOWN


@pytest.mark.parametrize(
    ("day", "score"),
    [(date(2027, 1, 1), 9), (date(2026, 1, 1), 9), (date(2025, 12, 31), 5), (date(2019, 1, 1), 2)],
)
def test_the_newest_statement_of_a_day_holds_and_before_all_the_oldest(day: date, score: float) -> None:
    statements = [rating(9, date(2026, 1, 1)), rating(5, date(2023, 1, 1)), rating(2, date(2020, 1, 1))]
    held = in_force(statements, day)
    assert held is not None
    assert held.score == score


def test_a_newer_statement_on_one_value_supersedes_only_that_value() -> None:
    old = FactStatement(values=("cpu", "cuda"), support=Support.NATIVE, as_of=date(2020, 1, 1), evidence=())
    new = FactStatement(values=("cuda",), support=Support.NONE, as_of=date(2025, 1, 1), evidence=())
    changed = msgspec.structs.replace(GRADED, facts={"accelerator": (new, old)})

    def at(day: date, value: str) -> Outcome:
        return check(changed, Requirement("accelerator", (value,), Origin.ANSWER), day).outcome

    assert at(date(2024, 1, 1), "cuda") is Outcome.PASS
    assert at(TODAY, "cuda") is Outcome.FAIL
    assert at(TODAY, "cpu") is Outcome.PASS


def test_the_smallest_sets_to_drop() -> None:
    failed = [frozenset("ab"), frozenset("c"), frozenset("cd"), frozenset("b"), frozenset("c")]
    assert minimal_drops(failed) == (("b",), ("c",))
    assert minimal_drops([]) == ()
