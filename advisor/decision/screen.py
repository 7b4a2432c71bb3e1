"""Knock-outs: which requirements a framework passes, fails, or is not known to meet. Facts alone decide."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

import msgspec

from advisor.decision.statements import fact_in_force
from advisor.questionnaire import MAINTAINED, Requirement
from knowledge.facts import maintained
from knowledge.model import FactStatement, Framework, Support

_NAMED_IN_FULL = frozenset({"licence"})
"""Facts whose statements name every value there is: a licence that is not named is not granted."""


class Outcome(StrEnum):
    """How a framework stands to one requirement. Unknown knocks nothing out; it limits the verdict."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Check(msgspec.Struct, frozen=True):
    """One framework against one requirement; `statements` are what is known about its values."""

    requirement: Requirement
    outcome: Outcome
    statements: tuple[FactStatement, ...] = ()


def check(framework: Framework, requirement: Requirement, as_of: date) -> Check:
    """Whether `framework` supports, at least by its community, one of the values the requirement names."""
    if requirement.fact == MAINTAINED:
        is_maintained = maintained(framework, as_of)
        if is_maintained is None:
            return Check(requirement, Outcome.UNKNOWN)
        wanted = "true" if is_maintained else "false"
        return Check(requirement, Outcome.PASS if wanted in requirement.values else Outcome.FAIL)
    found = [fact_in_force(framework, requirement.fact, value, as_of) for value in requirement.values]
    statements = tuple(statement for statement in found if statement is not None)
    if any(statement.support is not Support.NONE for statement in statements):
        return Check(requirement, Outcome.PASS, statements)
    stated = framework.facts.get(requirement.fact, ()) if requirement.fact in _NAMED_IN_FULL else ()
    outcome = Outcome.UNKNOWN if None in found and not stated else Outcome.FAIL
    return Check(requirement, outcome, statements or stated)


def check_all(framework: Framework, requirements: Iterable[Requirement], as_of: date) -> tuple[Check, ...]:
    """`framework` against every requirement, in their order."""
    return tuple(check(framework, requirement, as_of) for requirement in requirements)


def minimal_drops(failed: Iterable[frozenset[str]]) -> tuple[tuple[str, ...], ...]:
    """The smallest sets of requirements to give up so that somebody qualifies.

    A framework qualifies once everything it fails is given up, so the sets of least size among `failed` (one per
    framework) are all the answers there are.
    """
    sets = set(failed)
    least = min(map(len, sets), default=0)
    return tuple(sorted(tuple(sorted(each)) for each in sets if len(each) == least))
