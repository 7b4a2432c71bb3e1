"""Waves: who runs when, how their readings are put together, and when they are not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import race, waves
from bench.race import Launch
from bench.results import Outcome
from tests.bench import simulate_races

GB = 10**9


def rounds(seconds: dict[str, float], mood: float = 1.0, number: int = 15, seed: int = 0) -> Launch:
    """Rounds whose readings are noisy by 1 % and all `mood` times as long."""
    random = np.random.default_rng(seed)
    return [{k: math.log(s * mood) + 0.01 * float(random.normal()) for k, s in seconds.items()} for _ in range(number)]


def test_what_fits_runs_at_once() -> None:
    assert waves.split("abcd", dict.fromkeys("abcd", GB), 4 * GB, "ab") == (("a", "b", "c", "d"),)
    assert waves.split((), {}, 0, ()) == ()


def test_what_does_not_fit_runs_in_waves_that_share_the_references() -> None:
    needed = dict.fromkeys("abcdef", GB) | {"e": 2 * GB}
    assert waves.split("abcdef", needed, 4 * GB, "ab") == (("a", "b", "c", "d"), ("a", "b", "e"), ("a", "b", "f"))


def test_waves_can_be_bounded_in_number_where_memory_is_plenty() -> None:
    split = waves.split("abcdef", dict.fromkeys("abcdef", 1), GB, "ab", most=4)
    assert split == (("a", "b", "c", "d"), ("a", "b", "e", "f"))


def test_somebody_too_large_gets_a_wave_and_two_get_one() -> None:
    assert waves.split("abc", dict.fromkeys("abc", GB), 0, "ab") == (("a", "b", "c"),)
    assert waves.split("ab", dict.fromkeys("ab", GB), 0, "ab") == (("a", "b"),)


@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9))
def test_everybody_runs_in_one_wave_and_references_in_all(count: int, free: int, most: int) -> None:
    field = "abcdefghi"[:count]
    split = waves.split(field, dict.fromkeys(field, 1), free, field[:2], most or None)
    for name in field:
        times = sum(name in wave for wave in split)
        assert times == (len(split) if name in field[:2] else 1)


def test_the_machines_mood_between_waves_cancels() -> None:
    truth = {"a": 1.0, "b": 1.2, "c": 1.1, "e": 1.32}
    first = rounds({k: truth[k] for k in "abc"}, seed=1)
    second = rounds({k: truth[k] for k in "abe"}, mood=1.7, seed=2)
    launch = waves.merged([first, second], "ab")
    assert len(launch) == 15
    assert set(launch[0]) == set("abce")
    for name, seconds in truth.items():
        assert race.paired_ratio(launch, "a", name) == pytest.approx(seconds, rel=0.02)
    assert waves.disagreement([first, second], "ab") < 1.02
    assert waves.incomparable([first, second], "ab") == frozenset()


def test_references_that_do_not_agree_make_pairs_across_waves_incomparable() -> None:
    first, second = rounds({"a": 1.0, "b": 1.0, "c": 1.0}), rounds({"a": 1.0, "b": 1.08, "e": 1.0}, seed=3)
    assert waves.disagreement([first, second], "ab") == pytest.approx(1.08, rel=0.01)
    assert waves.incomparable([first, second], "ab") == {frozenset("ce")}


def test_a_lost_reference_leaves_readings_but_no_comparison_across() -> None:
    first, second = rounds({"a": 1.0, "b": 1.0, "c": 1.0}), rounds({"a": 1.0, "e": 2.0})
    assert set(waves.merged([first, second], "ab")[0]) == set("abce")
    assert waves.incomparable([first, second], "ab") == {frozenset("be"), frozenset("ce")}
    assert waves.merged([first, rounds({"e": 2.0})], "ab") == first


def test_one_wave_is_the_launch_itself() -> None:
    launch = rounds({"a": 1.0, "b": 2.0})
    assert waves.merged([launch], ()) is launch
    assert waves.merged([], ()) == ()
    assert waves.incomparable([launch], ()) == frozenset()


def test_races_in_waves_name_no_more_false_winners_and_still_find_a_gap() -> None:
    """A reduced `simulate_races WAVES`; 4.5 % would be 4.5 of 100 races, 12 has P < .002 then."""
    split = (("a", "b", "c", "d"), ("a", "b", "e", "f"))
    equal = simulate_races.equal_field(np.random.default_rng(5), 100, sd=0.05, split=split)
    assert equal["false"] <= 11
    random = np.random.default_rng(6)
    found = 0
    for _ in range(20):  # a and f never meet
        truth = [1.0, 1.3, 1.6, 2.5, 5.0, 1.3]
        *_, launches = simulate_races.simulate_race(random, truth, [0.03] * 6, split=split)
        pair = simulate_races.judge(launches)[frozenset("af")]
        found += pair.outcome is Outcome.A and pair.a == "a"
    assert found >= 18
