"""The fewest criteria that decide between two frameworks."""

from collections.abc import Mapping
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from advisor.decision.deciding import deciding, smallest_set
from advisor.recommendation import Deciding

LEAVES = ("a", "b", "c", "d", "e", "f")

points = st.fixed_dictionaries(dict.fromkeys(LEAVES, st.integers(0, 8).map(float)))


def test_the_largest_gains_that_outweigh_everything_for_the_rival_are_named() -> None:
    # First gains 3, 2 and 1 on a, b and c; the rival gains 2 and 1.5 on d and e.
    first = {"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.0, "e": 0.0, "f": 2.0}
    rival = {"a": 1.0, "b": 1.0, "c": 1.0, "d": 3.0, "e": 1.5, "f": 2.0}
    found = smallest_set("first", "rival", {"first": first, "rival": rival})
    assert found == Deciding("rival", ("a", "b"), points=5.0, against=3.5)


def test_where_nothing_speaks_for_the_rival_one_criterion_decides() -> None:
    found = smallest_set("x", "y", {"x": {"a": 3.0, "b": 2.0}, "y": {"a": 1.0, "b": 1.0}})
    assert found == Deciding("y", ("a",), points=2.0, against=0.0)


def test_equal_scores_are_decided_by_nothing() -> None:
    contributions = {"x": {"a": 3.0, "b": 1.0}, "y": {"a": 1.0, "b": 3.0}}
    assert smallest_set("x", "y", contributions) == Deciding("y", (), points=0.0, against=2.0)


def test_the_first_is_held_against_everybody_below_it_in_order() -> None:
    contributions = {"x": {"a": 3.0}, "y": {"a": 2.0}, "z": {"a": 1.0}}
    assert [each.rival for each in deciding(["x", "y", "z"], contributions)] == ["y", "z"]
    assert deciding(["x"], contributions) == ()
    assert deciding([], contributions) == ()


def gained(leaves: tuple[str, ...], ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    return sum(ours[leaf] - theirs[leaf] for leaf in leaves)


@given(points, points)
def test_no_smaller_set_decides_and_none_as_small_decides_by_more(
    ours: dict[str, float], theirs: dict[str, float]
) -> None:
    found = smallest_set("x", "y", {"x": ours, "y": theirs})
    against = sum(max(0.0, theirs[leaf] - ours[leaf]) for leaf in LEAVES)
    assert found.against == against
    # Tried out: every set of leaves, by size, of those that gain more than everything that speaks for the rival.
    deciding_sets = {
        size: [each for each in combinations(LEAVES, size) if gained(each, ours, theirs) > against]
        for size in range(1, len(LEAVES) + 1)
    }
    smallest = next((sets for _size, sets in sorted(deciding_sets.items()) if sets), [])
    if not smallest:
        assert sum(ours.values()) <= sum(theirs.values())
        assert found.criteria == ()
        return
    assert len(found.criteria) == len(smallest[0])
    assert found.points == gained(found.criteria, ours, theirs) == max(gained(each, ours, theirs) for each in smallest)
    gains = [ours[leaf] - theirs[leaf] for leaf in found.criteria]
    assert gains == sorted(gains, reverse=True)
