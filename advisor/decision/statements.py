"""Which of several dated statements holds on a given day. Ratings and facts are both kept newest first."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol, TypeVar

from knowledge.model import FactStatement, Framework


class Dated(Protocol):
    """Anything that says since when it holds."""

    @property
    def as_of(self) -> date: ...


S = TypeVar("S", bound=Dated)


def in_force(statements: Sequence[S], as_of: date) -> S | None:
    """The newest statement made by `as_of`; where all are later, the oldest; None where there is none.

    The oldest stands in because a knowledge base that is younger than the day asked for still knows more about that
    day than nothing. Of several statements of one day the first in the file holds.
    """
    made = [statement for statement in statements if statement.as_of <= as_of]
    if made:
        return max(made, key=lambda statement: statement.as_of)
    return min(statements, key=lambda statement: statement.as_of, default=None)


def fact_in_force(framework: Framework, fact: str, value: str, as_of: date) -> FactStatement | None:
    """The statement on one value of one fact that holds on `as_of`; None means unknown, which is not "no"."""
    statements = [each for each in framework.facts.get(fact, ()) if value in each.values]
    return in_force(statements, as_of)
