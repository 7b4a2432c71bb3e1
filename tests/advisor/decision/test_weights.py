"""The weights of the criteria tree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.decision.smaa import draw_weights
from advisor.decision.weights import Split, leaf_weights, split_tree
from advisor.questionnaire import Preferences
from knowledge.faults import BadInput
from tests.advisor.decision.builders import base, flat, node

TREE = (
    node("ease", *flat("a", "b", "c")),
    node("docs", *flat("d"), node("deep", *flat("e", "f"))),
    node("speed", *flat("g", "h")),
)
LEAVES = ("ease.a", "ease.b", "ease.c", "docs.d", "docs.deep.e", "docs.deep.f", "speed.g", "speed.h")


NEUTRAL = Preferences()


def weights(preferences: Preferences = NEUTRAL, unfilled: tuple[str, ...] = ()) -> dict[str, float]:
    return leaf_weights(split_tree(TREE, preferences, unfilled), LEAVES)


def shares(preferences: Preferences, unfilled: tuple[str, ...] = ()) -> dict[str, float]:
    """The shares of the top level."""
    return split_tree(TREE, preferences, unfilled)[0].shares


def test_siblings_weigh_the_same_to_begin_with() -> None:
    assert weights() == pytest.approx(
        dict(zip(LEAVES, [1 / 9, 1 / 9, 1 / 9, 1 / 6, 1 / 12, 1 / 12, 1 / 6, 1 / 6], strict=True))
    )


def test_effects_multiply_and_are_normalised_among_siblings() -> None:
    assert weights(Preferences(effects={"ease.a": 4, "docs.deep": 0.5})) == pytest.approx(
        dict(zip(LEAVES, [4 / 18, 1 / 18, 1 / 18, 2 / 9, 1 / 18, 1 / 18, 1 / 6, 1 / 6], strict=True))
    )


def test_top_level_weights_are_kept_between_5_and_45_per_cent_and_normalised() -> None:
    kept = shares(Preferences(effects={"ease": 100, "speed": 0.01}))
    total = 0.45 + 0.05 + 0.05
    assert kept == pytest.approx({"ease": 0.45 / total, "docs": 0.05 / total, "speed": 0.05 / total})


def test_a_fixed_weight_is_not_clamped_and_the_others_share_the_rest_in_proportion() -> None:
    fixed = shares(Preferences(effects={"docs": 2}, fixed={"ease": 91}))
    assert fixed["ease"] == pytest.approx(0.91)
    assert fixed["docs"] / fixed["speed"] == pytest.approx(0.45 / 0.25)  # what they are without the fixed one


def test_fixed_weights_of_all_siblings_count_as_proportions() -> None:
    assert shares(Preferences(fixed={"ease": 10, "docs": 20, "speed": 20})) == pytest.approx(
        {"ease": 0.2, "docs": 0.4, "speed": 0.4}
    )


def test_a_weight_of_zero_stays_zero() -> None:
    zero = Preferences(fixed={"ease": 0, "docs.deep": 0})
    assert "ease" not in shares(zero)
    assert [leaf for leaf, weight in weights(zero).items() if weight] == ["docs.d", "speed.g", "speed.h"]
    drawn = draw_weights(split_tree(TREE, zero, ()), "", 0, 100)
    assert set(drawn) == {"docs.d", "speed.g", "speed.h"}


def test_what_nothing_can_fill_weighs_nothing_and_takes_its_empty_node_along() -> None:
    assert weights(unfilled=("speed.g",))["speed.h"] == pytest.approx(1 / 3)
    assert shares(Preferences(), ("speed.g", "speed.h")) == {"ease": 0.5, "docs": 0.5}
    # A fixed weight cannot keep it either, and gives its share back.
    assert shares(Preferences(fixed={"speed": 60}), ("speed.g", "speed.h")) == {"ease": 0.5, "docs": 0.5}


def test_a_node_whose_filled_leaves_are_fixed_at_zero_weighs_nothing() -> None:
    assert "speed" not in shares(Preferences(fixed={"speed.h": 0}), ("speed.g",))


def test_nothing_left_to_weigh_is_bad_input() -> None:
    with pytest.raises(BadInput, match="nothing is left to weigh"):
        shares(Preferences(fixed={"ease": 0, "docs": 0}), ("speed.g", "speed.h"))


def test_concentration_is_that_of_the_answers_or_the_number_of_children() -> None:
    splits = split_tree(TREE, Preferences(concentrations={"": 60, "docs.deep": 20}), ())
    assert {split.parent: split.concentration for split in splits} == {
        "": 60,
        "ease": 3,
        "docs": 2,
        "docs.deep": 20,
        "speed": 2,
    }


@given(
    st.dictionaries(st.sampled_from([*LEAVES, "ease", "docs", "speed"]), st.floats(0.01, 100)),
    st.dictionaries(st.sampled_from(["ease", "docs.d", "speed.g"]), st.floats(0.1, 30)),
    st.sets(st.sampled_from(["speed.g", "speed.h", "ease.a"])),
)
def test_weights_sum_to_one_whatever_is_asked(
    effects: dict[str, float], fixed: dict[str, float], unfilled: set[str]
) -> None:
    found = weights(Preferences(effects=effects, fixed=fixed), tuple(unfilled))
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)
    assert all(found[leaf] == 0 for leaf in unfilled)


@given(st.floats(0.01, 100))
def test_scaling_all_effects_changes_nothing(factor: float) -> None:
    effects = {"ease": 3.0, "docs": 0.5, "speed": 1.0}
    scaled = {path: effect * factor for path, effect in effects.items()}
    assert weights(Preferences(effects=scaled)) == pytest.approx(weights(Preferences(effects=effects)), rel=1e-12)


@given(st.floats(0.1, 2))
def test_scaling_all_fixed_weights_changes_nothing(factor: float) -> None:
    fixed = {"ease": 25.0, "docs": 10.0, "speed": 15.0}
    scaled = {path: per_cent * factor for path, per_cent in fixed.items()}
    assert weights(Preferences(fixed=scaled)) == pytest.approx(weights(Preferences(fixed=fixed)), rel=1e-12)


@pytest.mark.parametrize("concentration", [3.0, 20.0, 60.0, 200.0])
def test_drawn_weights_are_dirichlet_with_the_central_weight_as_their_mean(concentration: float) -> None:
    splits = [Split("", {"a": 0.6, "b": 0.3, "c": 0.1}, concentration)]
    drawn = draw_weights(splits, "somebody", 5, 100_000)
    assert np.allclose(sum(drawn.values()), 1, atol=1e-5)
    for leaf, share in splits[0].shares.items():
        variance = share * (1 - share) / (concentration + 1)
        assert np.mean(drawn[leaf]) == pytest.approx(share, abs=4 * (variance / 100_000) ** 0.5)
        assert np.var(drawn[leaf]) == pytest.approx(variance, rel=0.03)


def test_drawn_weights_multiply_down_the_shipped_tree() -> None:
    splits = split_tree(base().criteria, Preferences(), [])
    central = leaf_weights(splits, base().leaves)
    drawn = draw_weights(splits, "", 0, 20_000)
    assert set(drawn) == set(central)
    for leaf, weight in central.items():
        assert np.mean(drawn[leaf]) == pytest.approx(weight, abs=5 * float(np.std(drawn[leaf])) / 20_000**0.5)


def test_every_person_and_seed_draws_other_weights() -> None:
    splits = split_tree(TREE, Preferences(), ())
    first, again, other, reseeded = (
        draw_weights(splits, person, seed, 5)["ease.a"] for person, seed in (("x", 0), ("x", 0), ("y", 0), ("x", 1))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, reseeded)
