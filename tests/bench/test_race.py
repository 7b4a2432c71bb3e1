"""The mathematics of a race: exact values, properties, and simulations with known truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from bench import race, studentised_range
from bench.plan import Goal
from bench.race import Launch, Reading, Signs
from bench.results import Basis, Outcome
from tests.bench import simulate_races

COUNTS = st.tuples(st.integers(0, 200), st.integers(0, 200)).map(lambda pair: (min(pair), max(pair)))
NAMES = ("a", "b", "c", "d", "e", "f")


# --- evidence within a launch ----------------------------------------------------------------------------------------


@given(COUNTS)
def test_evidence_is_the_stated_beta_function(counts: tuple[int, int]) -> None:
    h, n = counts
    expected = n * math.log(2) + special.betaln(h + 0.5, n - h + 0.5) - math.log(math.pi)
    assert Signs(positive=h, total=n).log_evidence == pytest.approx(expected, abs=1e-9)


def test_no_rounds_are_no_evidence() -> None:
    assert Signs(positive=0, total=0).log_evidence == pytest.approx(0, abs=1e-12)


@given(COUNTS)
def test_evidence_is_a_fair_bet_against_a_coin(counts: tuple[int, int]) -> None:
    """A martingale: the mean over the next toss of a fair coin is what one has."""
    h, n = counts
    now = Signs(positive=h, total=n).log_evidence
    next_one = [math.exp(Signs(positive=h + more, total=n + 1).log_evidence - now) for more in (0, 1)]
    assert sum(next_one) / 2 == pytest.approx(1, rel=1e-9)


@given(st.integers(1, 200))
def test_evidence_grows_with_every_round_that_agrees_in_the_majority(n: int) -> None:
    values = [Signs(positive=h, total=n).log_evidence for h in range(math.ceil(n / 2), n + 1)]
    assert values == sorted(values)
    assert Signs(positive=n + 1, total=n + 1).log_evidence > Signs(positive=n, total=n).log_evidence


def test_faster_in_every_round_is_not_certified_as_slower() -> None:
    assert Signs(positive=20, total=20).certify(15, 0.05)
    assert not Signs(positive=0, total=20).certify(15, 0.05)


def test_more_planned_pairs_and_smaller_alpha_ask_for_more() -> None:
    signs = Signs(positive=15, total=15)  # E = 4733.7
    assert signs.certify(66, 0.025)
    assert not signs.certify(120, 0.025)


def test_the_chance_of_ever_certifying_a_fair_coin_stays_below_alpha() -> None:
    """Ville's inequality, looking after every one of 200 tosses."""
    tosses = np.random.default_rng(1).integers(0, 2, (4000, 200))
    certified = 0
    for row in tosses.cumsum(axis=1):
        certified += any(Signs(positive=int(h), total=n).certify(1, 0.05) for n, h in enumerate(row, start=1))
    assert certified / len(tosses) <= 0.05


# --- the studentised range -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [2, 20])
@pytest.mark.parametrize("freedom", [6, 133])
@pytest.mark.parametrize("level", [0.95, 0.98, 0.99925])
def test_quantiles_agree_with_scipy(groups: int, freedom: int, level: float) -> None:
    q = studentised_range.quantile(level, groups, freedom)
    assert 1 - stats.studentized_range.cdf(q, groups, freedom) == pytest.approx(1 - level, rel=1e-5)


@pytest.mark.parametrize("arguments", [(0, 3, 6), (1, 3, 6), (0.95, 1, 6), (0.95, 3, 1)])
def test_a_studentised_range_that_is_not_defined_is_refused(arguments: tuple[float, int, int]) -> None:
    with pytest.raises(ValueError, match="no studentised range"):
        studentised_range.quantile(*arguments)


# --- verdicts --------------------------------------------------------------------------------------------------------


def launch(seconds: dict[str, float], rounds: int = 15, noise: float = 0.0, seed: int = 0) -> Launch:
    random = np.random.default_rng(seed)
    return [{k: math.log(s) + noise * float(random.normal()) for k, s in seconds.items()} for _ in range(rounds)]


def judge(launches: list[Launch], names: tuple[str, ...], **changes: object) -> dict[frozenset[str], race.PairVerdict]:
    k = len(names)
    settings = {"K": k, "M": k * (k - 1) // 2, "alpha": 0.05, "basis": Basis.WALL, **changes}
    found = race.verdicts(launches, names, **settings)  # type: ignore[arg-type]
    assert len(found) == k * (k - 1) // 2
    return {frozenset((each.a, each.b)): each for each in found}


def test_one_launch_says_at_least_half_as_much_again_and_no_more() -> None:
    found = judge([launch({"a": 1.0, "b": 1.6, "c": 1.45})], ("a", "b", "c"))
    slow = found[frozenset("ab")]
    assert (slow.a, slow.b, slow.outcome, slow.basis) == ("a", "b", Outcome.A, Basis.ONE_LAUNCH)
    assert (slow.ratio.low, slow.ratio.high) == (1.5, None)
    for pair in ("ac", "bc"):
        verdict = found[frozenset(pair)]
        assert verdict.outcome is Outcome.UNDECIDED
        assert verdict.ratio.low is verdict.ratio.high is None


def test_fewer_rounds_than_a_launch_has_decide_nothing() -> None:
    found = judge([launch({"a": 1.0, "b": 9.0}, rounds=14)], ("a", "b"))
    assert found[frozenset("ab")].outcome is Outcome.UNDECIDED


def test_both_of_two_launches_have_to_agree() -> None:
    apart, equal = launch({"a": 1.0, "b": 2.0}), launch({"a": 1.0, "b": 1.0}, noise=0.1)
    assert judge([apart, apart], ("a", "b"))[frozenset("ab")].outcome is Outcome.A
    assert judge([apart, equal], ("a", "b"))[frozenset("ab")].outcome is Outcome.UNDECIDED


def test_verdicts_use_the_planned_pairs_whoever_is_left() -> None:
    rounds = launch({"a": 1.0, "b": 2.0})
    assert judge([rounds], ("a", "b"), M=1)[frozenset("ab")].outcome is Outcome.A
    assert judge([rounds], ("a", "b"), M=300)[frozenset("ab")].outcome is Outcome.UNDECIDED


def test_a_pair_that_never_met_is_undecided() -> None:
    found = judge([[{"a": 0.0, "b": 0.0}] * 15], ("a", "b", "gone"))
    assert found[frozenset(("a", "gone"))].outcome is Outcome.UNDECIDED


def test_three_launches_tell_winners_ties_and_their_ratios() -> None:
    truth = {"a": 1.0, "b": 1.005, "c": 1.3, "d": 2.0}
    random = np.random.default_rng(3)
    launches = [
        launch({k: s * math.exp(0.005 * random.normal()) for k, s in truth.items()}, noise=0.03, seed=seed)
        for seed in range(3)
    ]
    found = judge(launches, tuple(truth))
    assert found[frozenset("ab")].outcome is Outcome.TIE
    for faster, slower in (("a", "c"), ("b", "d"), ("c", "d")):
        verdict = found[frozenset((faster, slower))]
        assert (verdict.a, verdict.outcome, verdict.basis) == (faster, Outcome.A, Basis.WALL)
        assert verdict.ratio.low is not None
        assert verdict.ratio.high is not None
        assert verdict.ratio.low <= truth[slower] / truth[faster] <= verdict.ratio.high


def test_a_launch_that_points_the_other_way_forbids_a_winner() -> None:
    steady = {"b": 1.0, "c": 1.0, "d": 1.0}
    launches = [launch({"a": a, **steady}) for a in (1.5, 1.5, 0.999)]
    intervals = {frozenset((each.a, each.b)): each for each in race.intervals(launches, 4, 0.02)}
    assert intervals[frozenset("ab")].outcome is Outcome.UNDECIDED


def test_fewer_than_four_that_stayed_give_no_interval() -> None:
    assert race.intervals([launch({"a": 1.0, "b": 2.0, "c": 3.0})] * 3, 6, 0.02) == ()


def test_only_rounds_and_candidates_of_all_launches_enter() -> None:
    full = launch(dict.fromkeys("abcd", 1.0) | {"dropped": 9.0})
    later = launch(dict.fromkeys("abcd", 1.0))
    names = {name for each in race.intervals([full, full, later], 5, 0.02) for name in (each.a, each.b)}
    assert names == set("abcd")


def test_whoever_is_lost_within_a_launch_takes_no_rounds_from_the_others() -> None:
    """All rounds of launch 3 point the same way, but the few before the loss."""
    steady = {"a": 1.0, "b": 1.2, "c": 1.5, "d": 2.0}
    whole = [launch({**steady, "lost": 1.0}, noise=0.01, seed=seed) for seed in range(2)]
    early, late = launch({**steady, "b": 0.9, "lost": 1.0}, rounds=2), launch(steady, noise=0.01, rounds=15, seed=2)
    launches = [*whole, [*early, *late]]
    assert race.present(launches) == set("abcd")
    found = judge(launches, ("a", "b", "c", "d"))
    assert found[frozenset("ab")].outcome is Outcome.A
    assert found[frozenset("ab")].a == "a"
    never_together = [launch({k: steady[k] for k in k3}, rounds=1) for k3 in ("abc", "abd")]
    few = [*launch(steady, rounds=14), *never_together[0], *never_together[1]]
    assert race.present([few]) == set("abcd")
    assert race.intervals([*whole, few], 5, 0.02) == ()  # 14 rounds in common


def test_a_launch_is_full_for_those_that_are_spoken_of() -> None:
    rounds = [*launch({"a": 1.0, "b": 2.0}, rounds=5), *launch({"a": 1.0, "other": 1.0}, rounds=15)]
    assert race.is_full(rounds, "a")
    assert not race.is_full(rounds, "ab")
    assert race.is_full(rounds, ("a", "other"))


def test_a_launch_under_way_decides_nothing_between_launches() -> None:
    rounds = launch({"a": 1.0, "b": 1.2, "c": 1.6, "d": 2.0})
    found = judge([rounds] * 3, ("a", "b", "c", "d"), over=2)
    assert {each.basis for each in found.values()} == {Basis.ONE_LAUNCH}
    assert found[frozenset("ab")].outcome is Outcome.UNDECIDED
    assert found[frozenset("ac")].outcome is Outcome.A
    four = judge([rounds] * 4, ("a", "b", "c", "d"), over=3)
    assert (four[frozenset("ab")].outcome, four[frozenset("ab")].launches) == (Outcome.A, 3)


def test_whoever_is_lost_does_not_count_among_the_four_that_stay() -> None:
    rounds = launch({"a": 1.0, "b": 1.1, "c": 3.0, "d": 9.0, "e": 5.0, "f": 30.0}, rounds=20)
    lost_b = ("a", "c", "d", "e", "f")
    assert race.next_field([rounds] * 3, lost_b, 15, 0.05) == ("a", "c", "d", "e")
    without_c = [{k: x for k, x in each.items() if k != "c"} for each in rounds]
    assert race.next_field([rounds, without_c, rounds], lost_b, 15, 0.05) == ("a", "d", "e", "f")


def test_flags_need_twice_the_time_of_a_live_rival() -> None:
    rounds = launch({"a": 1.0, "b": 1.9, "c": 2.2}, rounds=20)
    assert race.flagged(rounds, "abc", 3, 0.05) == {"c"}
    assert race.flagged([], "abc", 3, 0.05) == set()


# --- simulated races -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("launches", [1, 3])
@pytest.mark.parametrize("launch_sd", [0.0, 0.08])
@pytest.mark.parametrize("drift_noise", [simulate_races.QUIET, simulate_races.LOADED])
def test_equal_candidates_seldom_get_a_winner(
    launches: int, launch_sd: float, drift_noise: tuple[float, float]
) -> None:
    """A/A races; 4.5 % is the contract (R1), so 100 races may name at most 11 (P < .005 at exactly 4.5 %)."""
    random = np.random.default_rng([launches, int(launch_sd * 100), drift_noise == simulate_races.QUIET])
    false = 0
    for _ in range(100):
        *_, readings = simulate_races.simulate_race(random, [1.0] * 6, [launch_sd] * 6, drift_noise, launches=launches)
        false += bool(simulate_races.named(simulate_races.judge(readings)))
    assert false <= 11


@pytest.mark.parametrize("k", [2, 3])
def test_few_candidates_are_filled_up_with_twins_at_no_cost_in_errors(k: int) -> None:
    """A reduced `simulate_races FEW`: errors as above, and a gap of a fifth is found."""
    counts = simulate_races.equal_field(np.random.default_rng([k, 5]), 100, sd=0.05, k=k)
    assert counts["false"] <= 11
    found = simulate_races.gap(np.random.default_rng([k, 20]), 30, ratio=1.2, sd=0.03, k=k)
    assert found["wrong"] == 0
    assert found["right"] >= 27


def test_dropping_the_flagged_at_once_costs_no_errors_either() -> None:
    """In a field of which three are flagged, and where one equal worker is: a reduced `simulate_races EARLY`."""
    found = simulate_races.gap(np.random.default_rng(12), 50, ratio=1.2, sd=0.03, early=True)
    assert found["dropped"] == 50
    assert found["wrong"] == 0
    assert found["right"] >= 45
    unlucky = simulate_races.unlucky_worker(np.random.default_rng(13), 50, dropped=True)
    assert unlucky["dropped"] >= 40
    assert unlucky["any with that worker"] == 0


def test_the_twin_of_a_plan_costs_no_errors() -> None:
    """Seven present for K = 6: a reduced `simulate_races TWIN`."""
    assert simulate_races.twins_for(6, always=True) == ("a#2",)
    counts = simulate_races.equal_field(np.random.default_rng(14), 100, sd=0.05, twinned=True)
    assert counts["false"] <= 11
    *_, launches = simulate_races.simulate_race(
        np.random.default_rng(1), [1.0] * 6, [0.0] * 6, launches=1, twinned=True
    )
    assert len(launches[0][0]) == 7


def test_a_crash_costs_the_others_no_errors_and_no_verdict() -> None:
    """A reduced `simulate_races CRASH`: the last candidate is lost in launch 3."""
    random = np.random.default_rng(15)
    *_, launches = simulate_races.simulate_race(random, [1.0] * 6, [0.0] * 6, launches=4, crash=simulate_races.CRASH)
    assert [sum("f" in x for x in each) for each in launches] == [15, 15, simulate_races.CRASH_ROUNDS, 0]
    counts = simulate_races.equal_field(random, 100, sd=0.05, crash=simulate_races.CRASH)
    assert counts["false"] <= 11
    found = simulate_races.gap(random, 40, ratio=1.2, sd=0.03, crash=simulate_races.CRASH)
    assert found["wrong"] == 0
    assert found["right"] >= 36


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--goal", "winner"], "--goal makes no difference to"),
        (["R1", "FEW", "--goal", "winner"], "--goal makes no difference to FEW"),
        (["R1", "--candidates", "2"], "--candidates makes no difference to R1"),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["simulate_races", *arguments])
    with pytest.raises(SystemExit):
        simulate_races.main()
    assert said in capsys.readouterr().err


def test_the_two_of_three_rule_fails_the_same_test() -> None:
    random = np.random.default_rng(9)
    false = 0
    for _ in range(50):
        *_, readings = simulate_races.simulate_race(random, [1.0] * 6, [0.05] * 6, launches=3)
        false += simulate_races.two_of_three(readings)
    assert false >= 10  # 49 % and more expected


def test_a_clear_gap_is_found_by_one_launch_and_a_small_one_by_three() -> None:
    random = np.random.default_rng(7)
    truth = [1.0, 1.25, 2.0, 3.2, 5.0, 10.0]
    one = three = wrong = 0
    for _ in range(40):
        *_, readings = simulate_races.simulate_race(random, truth, [0.03] * 6, launches=3)
        single, whole = simulate_races.judge(readings[:1]), simulate_races.judge(readings)
        one += single[frozenset("ac")].outcome is Outcome.A
        three += whole[frozenset("ab")].outcome is Outcome.A and whole[frozenset("ab")].a == "a"
        wrong += any(each.a > each.b for found in (single, whole) for each in simulate_races.named(found))
    assert one == 40
    assert three >= 36
    assert wrong == 0


def test_the_flagged_run_three_launches_and_four_always_stay() -> None:
    rounds = launch({"a": 1.0, "b": 1.1, "c": 3.0, "d": 9.0, "e": 5.0, "f": 30.0}, rounds=20)
    assert race.next_field([rounds] * 2, NAMES, 15, 0.05) == NAMES
    assert race.next_field([rounds] * 3, NAMES, 15, 0.05) == ("a", "b", "c", "e")
    assert race.next_field([rounds], NAMES, 15, 0.05, early=True) == ("a", "b", "c", "e")
    assert race.next_field([], NAMES, 15, 0.05, early=True) == NAMES


def test_a_winner_is_somebody_settled_against_everybody_and_an_order_is_every_pair() -> None:
    tied = {"a": 1.0, "b": 1.3, "c": 1.3, "d": 1.3}
    noise = np.random.default_rng(1)
    # b and c differ from launch to launch by so much that neither a gap nor a tie between them can be shown.
    launches = [
        launch(tied | {"b": 1.3 * math.exp(x), "c": 1.3 * math.exp(-x)}, noise=0.01, seed=seed)
        for seed, x in enumerate(0.04 * noise.choice([-1, 1], 3))
    ]
    assert race.decided(launches, "abcd", 4, 0.05, Goal.WINNER)
    assert not race.decided(launches, "abcd", 4, 0.05, Goal.ORDER)
    assert not race.decided(launches, "bcd", 4, 0.05, Goal.WINNER)
    assert not race.decided(launches[:2], "abcd", 4, 0.05, Goal.WINNER)
    assert race.decided([], "a", 1, 0.05, Goal.WINNER)


def test_the_same_thing_twice_is_told_by_launches_then_by_rounds() -> None:
    seconds = {"a": 1.0, "a#2": 1.02, "b": 1.5, "c": 2.0}
    launches = [launch(seconds, noise=0.01, seed=seed) for seed in range(3)]
    between = race.same_twice(launches, "a", "a#2", 3, 0.05)
    assert between is not None
    assert between.low is not None
    assert between.high is not None
    assert between.low < 1.02 < between.high < 1.1
    within = race.same_twice(launches[:1], "a", "a#2", 3, 0.05)
    assert within is not None
    assert within.low is not None
    assert 1.0 < within.low < 1.03
    assert race.same_twice([], "a", "a#2", 3, 0.05) is None


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_the_range_of_fifteen_rounds_is_their_fourth_and_twelfth() -> None:
    values = [float(value) for value in range(15, 0, -1)]
    found = race.median_range(values)
    assert (found.low, found.median, found.high) == (4.0, 8.0, 12.0)


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=60))
def test_the_range_holds_the_median_with_the_stated_coverage(values: list[float]) -> None:
    found = race.median_range(values)
    assert found.low <= found.median <= found.high
    n = len(values)
    if n >= 6:
        rank = sorted(values).index(found.low) + 1
        assert 2 * stats.binom.cdf(rank - 1, n, 0.5) <= 1 - race.RANGE_COVERAGE
    else:
        assert (found.low, found.high) == (min(values), max(values))


def test_the_range_covers_the_true_median_of_skewed_rounds() -> None:
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(1000):
        found = race.median_range(random.lognormal(0, 0.5, 15).tolist())
        covered += found.low <= 1.0 <= found.high
    assert covered >= 940  # 96.5 % expected


def test_no_values_have_no_median() -> None:
    with pytest.raises(ValueError, match="no values"):
        race.median_range([])


def test_standings_are_by_time_and_then_by_name() -> None:
    places = race.standings([launch({"b": 2.0, "c": 1.0, "a": 2.0})])
    assert [place.candidate for place in places] == ["c", "a", "b"]
    assert places[0].step_seconds.median == pytest.approx(1.0)


def test_paired_ratios_are_medians_of_rounds() -> None:
    rounds = [{"a": 0.0, "b": math.log(ratio)} for ratio in (2.0, 3.0, 10.0)]
    assert race.paired_ratio(rounds, "a", "b") == pytest.approx(3.0)
    assert race.paired_ratio(rounds, "a", "c") is None


def test_readings_are_per_step_and_gauged_by_threads() -> None:
    reading = Reading(wall_seconds=2.0, cpu_seconds=3.0, steps=4)
    assert (reading.step_seconds, reading.cpu_step_seconds) == (0.5, 0.75)
    assert (reading.gauge(1), reading.gauge(2)) == (1.5, 0.75)


# --- the course of a race --------------------------------------------------------------------------------------------


@given(st.sets(st.text(min_size=1, max_size=5), min_size=1, max_size=12), st.integers(0, 99))
def test_an_order_is_a_permutation_that_its_seed_decides(names: set[str], seed: int) -> None:
    order = race.round_order(names, seed, "mnist-cnn", 1)
    assert sorted(order) == sorted(names)
    assert order == race.round_order(sorted(names, reverse=True), seed, "mnist-cnn", 1)


def test_every_candidate_comes_first_about_equally_often() -> None:
    firsts = [race.round_order("abc", 0, number)[0] for number in range(3000)]
    assert stats.chisquare([firsts.count(name) for name in "abc"]).pvalue > 0.001


@pytest.mark.parametrize(
    ("budget", "round_seconds", "rounds"), [(10, 1, 15), (20, 1, 20), (1000, 1, 25), (5, 0, 25), (0.1, 60, 15)]
)
def test_the_budget_buys_rounds_within_bounds(budget: float, round_seconds: float, rounds: int) -> None:
    assert race.rounds_within(budget, round_seconds) == rounds


def block_of(step: float, call: float) -> int:
    """The block of a worker whose calls take exactly call + steps x step, asked for as the engine does."""
    steps = 2
    while (wanted := race.steps_per_block([call + 1.5 * step, call + step], [call + steps * step], steps)) > steps:
        steps = wanted
    return wanted


@pytest.mark.parametrize(
    ("step", "call", "steps"),
    [
        (0.001, 0.0, 250),  # length decides
        (0.00001, 0.0, 25_000),
        (0.003, 0.02, 327),  # 2 % overhead decides: 49 x 20 / 3
        (0.1, 0.03, 15),  # a handful for 100 ms steps
        (0.5, 0.1, 3),  # the longest block decides
        (5.0, 0.1, 1),
    ],
)
def test_blocks_are_long_enough_and_calls_a_small_part_of_them(step: float, call: float, steps: int) -> None:
    assert block_of(step, call) == pytest.approx(steps, rel=0.02, abs=1)


def test_noise_in_two_short_timings_does_not_make_an_endless_block() -> None:
    assert race.steps_per_block([0.2], [0.19], 2) <= 2 * race.MOST_GROWTH


@given(st.floats(0, 0.5), st.floats(1e-4, 0.5))
def test_calling_takes_more_than_its_share_only_of_the_longest_block(call: float, step: float) -> None:
    steps = 2
    timings = [call + step], [call + steps * step]
    while (wanted := race.steps_per_block(*timings, steps)) > steps:
        steps = wanted
        timings = [call + step], [call + steps * step]
    share = race.overhead_share(*timings, steps, wanted)
    true = call / (call + wanted * step)
    assert share == pytest.approx(true, abs=1e-6)
    if share > race.CALL_OVERHEAD + 1e-6:
        assert call + (wanted + 1) * step > race.LONGEST_BLOCK_SECONDS - step


@given(st.floats(0, 10), st.floats(0, 10), st.integers(2, 64))
def test_any_timings_give_a_block_of_bounded_growth(single: float, longer: float, several: int) -> None:
    assert 1 <= race.steps_per_block([single], [longer], several) <= several * race.MOST_GROWTH
