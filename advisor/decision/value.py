"""What a framework is worth on each leaf: a range on 0-10 from its rating, its fit, or its measurements."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import fsum

import msgspec

from advisor.decision.statements import fact_in_force, in_force
from knowledge.model import Criterion, Framework, Statement, Support

SUPPORT_VALUES = {Support.NATIVE: 10.0, Support.OFFICIAL_PLUGIN: 7.0, Support.COMMUNITY: 4.0, Support.NONE: 0.0}
"""What a degree of support is worth in the fit (QUESTIONS.md)."""


class Value(msgspec.Struct, frozen=True):
    """A value on 0-10 that is not known exactly.

    Attributes:
        low, mode, high: of a triangular distribution.
        known: share of the value that is known, 0-1; at 0 the value is uniform between low and high.
    """

    low: float
    mode: float
    high: float
    known: float = 1.0

    @property
    def expected(self) -> float:
        """Mean of the distribution."""
        return (self.low + self.mode + self.high) / 3

    @property
    def is_certain(self) -> bool:
        """Whether there is nothing to draw."""
        return self.low == self.high


UNKNOWN = Value(0.0, 5.0, 10.0, known=0.0)
"""Uniform(0, 10): nothing is known, which is neither good nor bad."""


def average(values: Sequence[Value]) -> Value:
    """The mean of several values with equal weight. Its range is the mean of the ranges: the parts move together."""
    count = len(values)
    return Value(
        low=fsum(value.low for value in values) / count,
        mode=fsum(value.mode for value in values) / count,
        high=fsum(value.high for value in values) / count,
        known=fsum(value.known for value in values) / count,
    )


def leaf_values(
    framework: Framework,
    leaves: Mapping[str, Criterion],
    fit: Mapping[str, Sequence[str]],
    measured: Mapping[str, Mapping[str, Value]],
    as_of: date,
) -> dict[str, Value]:
    """One framework's value on every leaf.

    Args:
        framework: whose.
        leaves: dotted path -> leaf.
        fit: fact -> values that the answers name.
        measured: leaf -> framework id -> value, as from `measured.count`.
        as_of: day whose statements hold.
    """
    values = {}
    for path, leaf in leaves.items():
        if leaf.measured is not None:
            values[path] = measured.get(path, {}).get(framework.id, UNKNOWN)
        elif leaf.fit is not None:
            values[path] = fit_value(framework, leaf.fit, fit.get(leaf.fit, ()), as_of)
        else:
            values[path] = rating_value(framework.ratings.get(rated_as(path, leaf, framework, fit), ()), as_of)
    return values


def rated_as(path: str, leaf: Criterion, framework: Framework, fit: Mapping[str, Sequence[str]]) -> str:
    """Where the rating stands that counts for a leaf: at the special case that the answers make, else at the leaf.

    A framework that is not rated on the special case counts as it is in general.
    """
    for case in leaf.special:
        special = f"{path}.{case.id}"
        if special in framework.ratings and any(value in fit.get(fact, ()) for fact, value in case.when.items()):
            return special
    return path


def rating_value(statements: Sequence[Statement], as_of: date) -> Value:
    """The rating that holds on `as_of`; a bound that is not given is the score itself."""
    statement = in_force(statements, as_of)
    if statement is None or statement.score is None:
        return UNKNOWN
    low = statement.score if statement.low is None else statement.low
    high = statement.score if statement.high is None else statement.high
    return Value(low, statement.score, high)


def fit_value(framework: Framework, fact: str, named: Sequence[str], as_of: date) -> Value:
    """How well the `named` values of a fact are supported, each with equal weight; unknown ones stay unknown."""
    if not named:
        return UNKNOWN
    values = []
    for name in named:
        statement = fact_in_force(framework, fact, name, as_of)
        if statement is None:
            values.append(UNKNOWN)
        else:
            grade = SUPPORT_VALUES[statement.support]
            values.append(Value(grade, grade, grade))
    return average(values)
