"""Who is faster, and how sure that is: a pure function of readings.

It sits between the blocks that workers time and the verdicts that people read. A *reading* is x = log(seconds / step)
of one block; a *round* holds one reading of every candidate that was live; a *launch* is the list of complete rounds
that one set of processes ran. Nothing here reads a clock, a file or a random source it was not given.

Sources: Ville 1939 (a non-negative martingale rarely gets large); Krichevsky & Trofimov 1981 (the mixture over
unknown probabilities); Kalibera & Jones 2013 and Georges et al. 2007 (repeat launches, not only iterations); Tukey
1953 (simultaneous intervals by the studentised range); Conover 1999 (order-statistic intervals).
"""

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from statistics import median
from typing import TypeAlias

import numpy as np

from bench import studentised_range
from bench.plan import Goal
from bench.records import Record
from bench.results import Basis, Outcome, Range, Ratio

MIN_ROUNDS = 15
"""Complete rounds that make a launch; enough where launch effects rule (METHOD, "Race")."""

MAX_ROUNDS = 25
"""Complete rounds of a launch on a loaded machine; more do not help where launch effects rule."""

MIN_LAUNCHES = 3
"""Fewer launches cannot tell a candidate from the luck of its processes (2 of 3 names false winners in 49-91 %)."""

LOOKS = ((3, 0.4), (5, 0.3), (8, 0.3))
"""Launches after which verdicts are looked for, and the share of alpha spent there."""

MIN_PRESENT = 4
"""Candidates present in all launches that the pooled variance needs."""

ONE_LAUNCH_RATIO = 1.5
"""The only slowdown that one launch may claim: real launch effects of 3-8 % cannot make up half as much again."""

FLAG_RATIO = 2.0
"""Slowdown at which a candidate is flagged in launch 1, and dropped after launch 3."""

LEAST_RATIO = 1.05
"""Differences below 5 % are not worth a winner: they need 394 rounds in the median, and nobody feels them."""

TIE_RATIO = 1.1
"""An interval inside 1 / 1.1 to 1.1 is a tie."""

QUIET_GAUGE = 0.8
"""CPU seconds / (wall x threads) below which wall time measures the neighbours."""

FAIR_GAUGE = 1.05
"""CPU seconds / (wall x threads) above which a candidate uses more threads than it was given."""

RANGE_COVERAGE = 0.95

DISSENT_FROM = 5
"""Launches from which one may point the other way."""

BLOCK_SECONDS = 0.25
"""The least length of a block: time stamps and scheduling slices vanish in it."""

LONGEST_BLOCK_SECONDS = 2.0
"""The most, single steps aside: rounds have to follow one another faster than the machine drifts."""

CALL_OVERHEAD = 0.02
"""Share of a block that calling into the framework may take, so that steps are compared and not calls."""

MOST_GROWTH = 8
"""How many times longer a call may be than the one its length was worked out from."""

_UNKNOWN = Ratio(low=None, high=None)

Round: TypeAlias = Mapping[str, float]
"""Candidate -> x = log(seconds per step), for every candidate live in one complete round."""

Launch: TypeAlias = Sequence[Round]


class Reading(Record, frozen=True):
    """What one block of one candidate took.

    Attributes:
        wall_seconds: from its first timed step to the synchronisation after its last.
        cpu_seconds: CPU time of the worker's process over the same span, all threads.
        steps: steps in the block.
    """

    wall_seconds: float
    cpu_seconds: float
    steps: int

    @property
    def step_seconds(self) -> float:
        """Wall seconds per step."""
        return self.wall_seconds / self.steps

    @property
    def cpu_step_seconds(self) -> float:
        """CPU seconds per step."""
        return self.cpu_seconds / self.steps

    def gauge(self, threads: int) -> float:
        """CPU seconds over (wall x threads): 1 when the machine granted all that was asked for."""
        return self.cpu_seconds / (self.wall_seconds * threads)


class Signs(Record, frozen=True):
    """Of `total` rounds, in how many one candidate took longer than another by more than a margin."""

    positive: int
    total: int

    @property
    def log_evidence(self) -> float:
        """log E against "no more often than not", E = 2^n B(h + 1/2, n - h + 1/2) / pi.

        E is the likelihood ratio of the Krichevsky-Trofimov mixture to a fair coin, so under any fair (or adverse)
        sequence P(E ever reaches 1 / alpha) <= alpha (Ville 1939): looking after every round is safe.
        """
        h, n = self.positive, self.total
        log_beta = math.lgamma(h + 0.5) + math.lgamma(n - h + 0.5) - math.lgamma(n + 1)
        return n * math.log(2) + log_beta - math.log(math.pi)

    def certify(self, pairs: int, alpha: float) -> bool:
        """True when E >= pairs / alpha and most rounds agree (Bonferroni over the *planned* pairs)."""
        return self.positive > self.total / 2 and self.log_evidence >= math.log(max(pairs, 1) / alpha)


class PairVerdict(Record, frozen=True):
    """One pair, `a` being the one that took less time; `ratio` is seconds of b over seconds of a.

    `launches` is how many it rests on, the first ones: later ones changed nothing.
    """

    a: str
    b: str
    outcome: Outcome
    ratio: Ratio
    basis: Basis
    launches: int


class Interval(Record, frozen=True):
    """A simultaneous interval for mu_b - mu_a (log seconds, a being the faster), and that difference by launch."""

    a: str
    b: str
    difference: float
    half_width: float
    by_launch: tuple[float, ...]

    @property
    def outcome(self) -> Outcome:
        """The verdict that this interval supports, after METHOD's "Verdict"; never B, since a is the faster."""
        dissenting = sum(value <= 0 for value in self.by_launch)
        dissent_allowed = 1 if len(self.by_launch) >= DISSENT_FROM else 0
        large = self.difference >= math.log(LEAST_RATIO)
        if self.difference > self.half_width and large and dissenting <= dissent_allowed:
            return Outcome.A
        if self.difference + self.half_width <= math.log(TIE_RATIO):
            return Outcome.TIE
        return Outcome.UNDECIDED


# --- one launch ------------------------------------------------------------------------------------------------------


def slower(launch: Launch, candidate: str, rival: str, ratio: float = 1.0) -> Signs:
    """Rounds of one launch in which `candidate` took more than `ratio` times as long as `rival`."""
    margin = math.log(ratio)
    signs = [x[candidate] - x[rival] - margin > 0 for x in launch if candidate in x and rival in x]
    return Signs(positive=sum(signs), total=len(signs))


def flagged(launch: Launch, candidates: Iterable[str], pairs: int, alpha: float) -> set[str]:
    """Candidates that launch 1 shows to be slower than a candidate live in its last round by more than FLAG_RATIO."""
    if not launch:
        return set()
    live = launch[-1].keys()
    return {
        candidate
        for candidate in candidates
        if any(
            slower(launch, candidate, rival, FLAG_RATIO).certify(pairs, alpha) for rival in live if rival != candidate
        )
    }


def one_launch_certifies(launches: Sequence[Launch], fast: str, slow: str, pairs: int, alpha: float) -> bool:
    """Whether fewer than three launches may say that `slow` takes more than ONE_LAUNCH_RATIO times as long.

    E restarts at each launch; with two launches both have to certify, which can only lower the error rate.
    """
    return bool(launches) and all(
        slower(launch, slow, fast, ONE_LAUNCH_RATIO).certify(pairs, alpha) for launch in launches
    )


def next_field(
    launches: Sequence[Launch], candidates: Sequence[str], pairs: int, alpha: float, early: bool = False
) -> tuple[str, ...]:
    """Who runs in the next launch: all until launch 3, then those that launch 1 did not flag.

    At least MIN_PRESENT stay, whose variances are pooled: of the flagged the least slow ones that were present in
    every launch are kept for that.

    Args:
        candidates: those that can still run; whoever was lost is no longer one of MIN_PRESENT.
        early: drop the flagged after launch 1 already, which leaves their pairs undecided; for the goal `winner` where
            the budget does not pay for three launches of all.
    """
    if len(launches) < (1 if early else MIN_LAUNCHES):
        return tuple(candidates)
    out = flagged(launches[0], candidates, pairs, alpha)
    here = present(launches)
    by_time = [place.candidate for place in standings(launches[:1]) if place.candidate in out & here]
    stay = len(candidates) - len(out)
    out -= set(by_time[: max(0, MIN_PRESENT - stay)])
    return tuple(candidate for candidate in candidates if candidate not in out)


def decided(
    launches: Sequence[Launch], candidates: Sequence[str], K: int, alpha: float, goal: Goal = Goal.ORDER
) -> bool:
    """Whether the goal is reached among `candidates`, so that another launch would add nothing.

    `order`: every pair is settled. `winner`: somebody is settled against every other and loses to none.
    """
    found = settled(launches, K, alpha)
    if goal is Goal.ORDER:
        return all(frozenset(pair) in found for pair in combinations(candidates, 2))
    return any(
        all(
            (interval := found.get(frozenset((best, other)))) is not None
            and (interval.outcome is Outcome.TIE or interval.a == best)
            for other in candidates
            if other != best
        )
        for best in candidates
    )


# --- between launches ------------------------------------------------------------------------------------------------


def is_full(launch: Launch, candidates: Iterable[str]) -> bool:
    """Whether rounds make a launch for `candidates`: MIN_ROUNDS of them with a pair of these, one where it is alone."""
    wanted = set(candidates)
    return sum(len(wanted & x.keys()) >= min(2, len(wanted)) for x in launch) >= MIN_ROUNDS


def present(launches: Sequence[Launch]) -> set[str]:
    """Who was present in every launch, which takes MIN_ROUNDS rounds of each: not whoever was lost in one."""
    return set.intersection(
        *(
            {k for k, rounds in Counter(k for x in launch for k in x).items() if rounds >= MIN_ROUNDS}
            for launch in launches
        )
    )


def intervals(launches: Sequence[Launch], planned: int, alpha: float) -> tuple[Interval, ...]:
    """Simultaneous intervals for all pairs of candidates that were present in every launch.

    z_kl = median over rounds of (x_k - round mean), centred per launch; own_k = K'/(K'-1) sum_l (z_kl - mu_k)^2 /
    (L-1); s2_ij = max(mean own, (own_i + own_j) / 2); half width = q(1 - alpha; K, (K'-1)(L-1)) sqrt(s2_ij / L).
    The maximum guards against one candidate whose launches differ more than the others' (METHOD, R2). Twins count as
    present, in K' and in q: with q(...; K, ...) three candidates and a twin get a false winner in 4.6 %, so in 2.4 %.

    Args:
        launches: at least two, each with rounds of x; those count that all who were present have in common.
        planned: K, the number of candidates planned, whatever became of them.
        alpha: error rate of this look.

    Returns:
        Empty when fewer than MIN_PRESENT candidates were present throughout, or had fewer than MIN_ROUNDS rounds
        of a launch in common.
    """
    here = sorted(present(launches))
    count, number = len(here), len(launches)
    tables = [np.array([[x[k] for k in here] for x in launch if all(k in x for k in here)]) for launch in launches]
    if count < MIN_PRESENT or number < 2 or any(len(table) < MIN_ROUNDS for table in tables):
        return ()
    z = np.array([np.median(table - table.mean(axis=1, keepdims=True), axis=0) for table in tables])
    z -= z.mean(axis=1, keepdims=True)
    mu = z.mean(axis=0)
    own = count / (count - 1) * ((z - mu) ** 2).sum(axis=0) / (number - 1)
    q = studentised_range.quantile(1 - alpha, max(planned, count), (count - 1) * (number - 1))
    found = []
    for i, j in combinations(range(count), 2):
        a, b = (i, j) if mu[i] <= mu[j] else (j, i)
        variance = max(own.mean(), (own[a] + own[b]) / 2)
        found.append(
            Interval(
                a=here[a],
                b=here[b],
                difference=float(mu[b] - mu[a]),
                half_width=float(q * math.sqrt(variance / number)),
                by_launch=tuple((z[:, b] - z[:, a]).tolist()),
            )
        )
    return tuple(found)


def settled(launches: Sequence[Launch], planned: int, alpha: float) -> dict[frozenset[str], Interval]:
    """Pairs that a look at 3, 5 or 8 launches settled, with the interval that did; the first verdict stands."""
    found: dict[frozenset[str], Interval] = {}
    for number, share in LOOKS:
        if number <= len(launches):
            for interval in intervals(launches[:number], planned, alpha * share):
                if interval.outcome is not Outcome.UNDECIDED:
                    found.setdefault(frozenset((interval.a, interval.b)), interval)
    return found


def same_twice(launches: Sequence[Launch], own: str, twin: str, planned: int, alpha: float) -> Ratio | None:
    """How far the same thing twice differed: seconds of `twin` over seconds of `own`; None when they never met.

    From MIN_LAUNCHES on the interval of the last look that could be had, else the range over rounds of the newest
    launch.
    """
    for number, share in reversed(LOOKS):
        if number <= len(launches):
            for found in intervals(launches[:number], planned, alpha * share):
                if {found.a, found.b} == {own, twin}:
                    middle = found.difference if found.a == own else -found.difference
                    return Ratio(low=math.exp(middle - found.half_width), high=math.exp(middle + found.half_width))
    ratios = [math.exp(x[twin] - x[own]) for x in (launches[-1] if launches else ()) if twin in x and own in x]
    if not ratios:
        return None
    found_range = median_range(ratios)
    return Ratio(low=found_range.low, high=found_range.high)


# --- verdicts --------------------------------------------------------------------------------------------------------


def verdicts(
    launches: Sequence[Launch],
    candidates: Sequence[str],
    *,
    K: int,
    M: int,
    alpha: float,
    basis: Basis,
    over: int | None = None,
) -> tuple[PairVerdict, ...]:
    """A verdict on every pair of `candidates`, the faster one of a pair named first.

    A launch that is not full for `candidates` is none. With fewer than MIN_LAUNCHES launches the only verdict is "at
    least 1.5 times", of these processes; its upper end stays open.

    Args:
        launches: complete rounds per launch, in order.
        over: how many of the launches are over, all where None. One under way is looked at within launches only,
            where that may be done after every round, but between launches not before it is over.
        candidates: those to speak of; a pair that never met in a round is undecided.
        K, M, alpha: as planned, whatever became of the candidates (METHOD, R6).
        basis: what x is made of, WALL or CPU_SECONDS; verdicts of fewer than three launches say ONE_LAUNCH.
    """
    full = [launch for launch in launches if is_full(launch, candidates)]
    finished = [launch for launch in launches[:over] if is_full(launch, candidates)]
    typical = {k: median(x) for k in candidates if (x := [r[k] for launch in launches for r in launch if k in r])}
    ordered = sorted(candidates, key=lambda k: (typical.get(k, math.inf), k))
    if len(finished) < MIN_LAUNCHES:
        return tuple(_one_launch(full, a, b, M, alpha) for a, b in combinations(ordered, 2))
    intervals, number = settled(finished, K, alpha), len(finished)
    return tuple(_between(intervals.get(frozenset((a, b))), a, b, basis, number) for a, b in combinations(ordered, 2))


def _one_launch(launches: Sequence[Launch], a: str, b: str, pairs: int, alpha: float) -> PairVerdict:
    for fast, slow in ((a, b), (b, a)):
        if one_launch_certifies(launches, fast, slow, pairs, alpha):
            ratio = Ratio(low=ONE_LAUNCH_RATIO, high=None)
            return PairVerdict(fast, slow, Outcome.A, ratio, Basis.ONE_LAUNCH, len(launches))
    return PairVerdict(a, b, Outcome.UNDECIDED, _UNKNOWN, Basis.ONE_LAUNCH, len(launches))


def _between(interval: Interval | None, a: str, b: str, basis: Basis, launches: int) -> PairVerdict:
    if interval is None:
        return PairVerdict(a, b, Outcome.UNDECIDED, _UNKNOWN, basis, launches)
    ratio = Ratio(
        low=math.exp(interval.difference - interval.half_width),
        high=math.exp(interval.difference + interval.half_width),
    )
    return PairVerdict(interval.a, interval.b, interval.outcome, ratio, basis, len(interval.by_launch))


# --- what is shown ---------------------------------------------------------------------------------------------------


def median_range(values: Sequence[float], coverage: float = RANGE_COVERAGE) -> Range:
    """The median of `values` and the order statistics that hold it with at least `coverage`, whatever they follow.

    The number of values below the median is Binomial(n, 1/2), so the r-th smallest and r-th largest enclose it with
    probability 1 - 2 P(Binomial < r) (Conover 1999, section 3.2); the greatest such r is taken. This speaks of the
    median, which is what ranks and ratios use, and narrows as rounds are added, where percentiles of the rounds
    would only follow their outliers. Up to five values no r reaches 95 %: the range is then their least and greatest.

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("no values to take a median of")
    ordered = sorted(values)
    n = len(ordered)
    rank, below = 0, 0.0
    while below + math.comb(n, rank) / 2**n <= (1 - coverage) / 2:
        below += math.comb(n, rank) / 2**n
        rank += 1
    rank = max(rank, 1)
    return Range(median=median(ordered), low=ordered[rank - 1], high=ordered[n - rank])


class Place(Record, frozen=True):
    """One candidate's place: seconds per step and its range over rounds."""

    candidate: str
    step_seconds: Range


def standings(launches: Sequence[Launch]) -> tuple[Place, ...]:
    """Every candidate with a complete round, fastest first."""
    x: dict[str, list[float]] = {}
    for launch in launches:
        for complete in launch:
            for candidate, value in complete.items():
                x.setdefault(candidate, []).append(math.exp(value))
    places = [Place(candidate=candidate, step_seconds=median_range(values)) for candidate, values in x.items()]
    return tuple(sorted(places, key=lambda place: (place.step_seconds.median, place.candidate)))


def paired_ratio(launch: Launch, a: str, b: str) -> float | None:
    """Median over the rounds of `launch` of seconds of b over seconds of a; None when they never met."""
    differences = [x[b] - x[a] for x in launch if a in x and b in x]
    return math.exp(median(differences)) if differences else None


# --- the course of a race --------------------------------------------------------------------------------------------


def round_order(candidates: Iterable[str], *seed: int | str) -> tuple[str, ...]:
    """A random order of `candidates`, the same for equal `seed` parts on every machine and Python."""
    order = sorted(candidates)
    random.Random("/".join(str(part) for part in seed)).shuffle(order)
    return tuple(order)


def rounds_within(budget_seconds: float, round_seconds: float, most: int = MAX_ROUNDS) -> int:
    """Rounds of one launch that a budget pays for: at least MIN_ROUNDS, without which there is no verdict."""
    affordable = math.floor(budget_seconds / round_seconds) if round_seconds > 0 else most
    return max(MIN_ROUNDS, min(most, affordable))


def steps_per_block(single_seconds: Sequence[float], several_seconds: Sequence[float], several: int) -> int:
    """Steps that make a block: at least BLOCK_SECONDS long, per-call overhead at most CALL_OVERHEAD of it.

    A call of n steps takes c + b n. The least of several timings is used on both sides: interference only adds. Since
    the difference of two timings can be all noise, b is not believed to be less than half the time per step of the
    longer call, nor the answer to be more than MOST_GROWTH times as many steps as were timed: time that many, and ask
    again. An answer of at most `several` is final.

    Args:
        single_seconds: wall seconds of calls of one step.
        several_seconds: wall seconds of calls of `several` steps.
        several: > 1.
    """
    one, many = max(min(single_seconds), 1e-9), max(min(several_seconds), 1e-9)
    step = max((many - one) / (several - 1), many / several / 2)
    overhead = max(one - step, 0.0)
    for_length = math.ceil(BLOCK_SECONDS / many * several)
    for_overhead = math.ceil(overhead / step * (1 / CALL_OVERHEAD - 1))
    affordable = math.floor(LONGEST_BLOCK_SECONDS / many * several)
    return max(1, min(max(for_length, for_overhead), affordable, MOST_GROWTH * several))


def overhead_share(
    single_seconds: Sequence[float], several_seconds: Sequence[float], several: int, steps: int
) -> float:
    """Share of a block of `steps` that calling takes, from the timings that `steps_per_block` had.

    Above CALL_OVERHEAD where such a block would have to be longer than LONGEST_BLOCK_SECONDS.
    """
    one, many = max(min(single_seconds), 1e-9), max(min(several_seconds), 1e-9)
    step = max((many - one) / (several - 1), many / several / 2)
    overhead = max(one - step, 0.0)
    return overhead / (overhead + steps * step)
