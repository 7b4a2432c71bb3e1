"""What a leaf comes down to for people in a special case, and that it stays one leaf."""

from datetime import date

import msgspec

from advisor.decision.value import leaf_values, rated_as
from knowledge.loader import load
from tests.advisor.decision.builders import framework, with_frameworks

EDGE, SPECIAL = "deployment.edge", "deployment.edge.microcontroller"
ON = date(2026, 11, 26)
BASE = load()
BOTH = framework("both", {EDGE: 8.0, SPECIAL: 2.0})
GENERAL = framework("general", {EDGE: 8.0})


def edge(fit: dict[str, tuple[str, ...]], of: str = "both") -> float:
    made = with_frameworks(BASE, [BOTH, GENERAL])
    return leaf_values(made.frameworks[of], made.leaves, fit, {}, ON)[EDGE].mode


def test_the_special_case_counts_where_the_answers_make_it_and_nowhere_else() -> None:
    assert edge({}) == edge({"target": ("mobile",)}) == edge({"target": ("server", "browser")}) == 8.0
    assert edge({"target": ("microcontroller",)}) == edge({"target": ("mobile", "microcontroller")}) == 2.0


def test_who_is_not_rated_on_the_special_case_counts_as_in_general() -> None:
    assert edge({"target": ("microcontroller",)}, of="general") == 8.0


def test_it_is_a_rating_and_no_leaf() -> None:
    assert EDGE in BASE.leaves
    assert SPECIAL not in BASE.leaves
    leaf = BASE.leaves[EDGE]
    assert rated_as(EDGE, leaf, BOTH, {"target": ("microcontroller",)}) == SPECIAL
    assert rated_as(EDGE, msgspec.structs.replace(leaf, special=()), BOTH, {"target": ("microcontroller",)}) == EDGE
