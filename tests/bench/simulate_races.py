"""The simulations that a race has to survive (METHOD, "Acceptance", R1-R4), rerun by one command:

    python -m tests.bench.simulate_races [R1 R2 R3 R4] [--races N]

K = 6, one planned race. Readings have a launch effect per candidate and launch, AR(1) drift per slot (phi .9) shared
by all candidates, and noise per slot. Races look after 3, 5 and 8 launches and drop whom launch 1 flagged.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from bench import race
from bench.race import Launch, PairVerdict
from bench.results import Basis, Outcome

NAMES = ("a", "b", "c", "d", "e", "f")
ALPHA = 0.05
PHI = 0.9
QUIET, LOADED = (0.03, 0.03), (0.15, 0.08)  # stationary sd of the drift, sd of the noise
MOST_LAUNCHES = race.LOOKS[-1][0]


def simulate_launch(
    random: np.random.Generator,
    centre: np.ndarray,
    rounds: int,
    drift: float,
    noise: float,
    heavy: bool = False,
) -> np.ndarray:
    """Readings of one launch, (rounds, candidates), around `centre` (log seconds per step, launch effects included)."""
    k = len(centre)
    shocks = random.normal(0, drift * math.sqrt(1 - PHI**2), rounds * k)
    shared, level = np.empty(rounds * k), random.normal(0, drift)
    for slot, shock in enumerate(shocks):
        level = PHI * level + shock
        shared[slot] = level
    own = random.standard_t(3, (rounds, k)) / math.sqrt(3) if heavy else random.normal(size=(rounds, k))
    x = np.empty((rounds, k))
    np.put_along_axis(x, random.permuted(np.tile(np.arange(k), (rounds, 1)), axis=1), shared.reshape(rounds, k), axis=1)
    x += noise * own + centre
    return x


def simulate_race(
    random: np.random.Generator,
    truth: Sequence[float],
    launch_sd: Sequence[float],
    drift_noise: tuple[float, float] = QUIET,
    *,
    heavy: bool = False,
    launches: int = MOST_LAUNCHES,
    unlucky: tuple[int, int, float] | None = None,
) -> Iterator[list[Launch]]:
    """One race; yields all its launches so far after each.

    Args:
        truth: seconds per step of each candidate.
        launch_sd: standard deviation of each candidate's launch effects.
        unlucky: (launch, candidate, log slowdown) of one worker in one launch.
    """
    drift, noise = drift_noise
    rounds = race.MIN_ROUNDS if drift_noise == QUIET else race.MAX_ROUNDS
    names = NAMES[: len(truth)]
    pairs = len(names) * (len(names) - 1) // 2
    done: list[Launch] = []
    for number in range(launches):
        field = race.next_field(done, names, pairs, ALPHA)
        places = [names.index(name) for name in field]
        centre = np.log(np.array(truth)) + random.normal(size=len(names)) * np.array(launch_sd)
        if unlucky is not None and unlucky[0] == number:
            centre[unlucky[1]] += unlucky[2]
        x = simulate_launch(random, centre[places], rounds, drift, noise, heavy)
        done.append([dict(zip(field, row, strict=True)) for row in x.tolist()])
        yield done


def judge(launches: Sequence[Launch], k: int = len(NAMES)) -> dict[frozenset[str], PairVerdict]:
    """The verdict on every pair."""
    found = race.verdicts(launches, NAMES[:k], K=k, M=k * (k - 1) // 2, alpha=ALPHA, basis=Basis.WALL)
    return {frozenset((each.a, each.b)): each for each in found}


def named(found: dict[frozenset[str], PairVerdict]) -> list[PairVerdict]:
    """The verdicts that name a winner."""
    return [each for each in found.values() if each.outcome in (Outcome.A, Outcome.B)]


def two_of_three(launches: Sequence[Launch]) -> bool:
    """The rule that METHOD warns of: a winner is whoever two of the first three launches certify, each by itself."""
    for i, j in combinations(NAMES, 2):
        for slow, fast in ((i, j), (j, i)):
            agree = [race.slower(launch, slow, fast).certify(15, ALPHA) for launch in launches[:3]]
            contradict = [race.slower(launch, fast, slow).certify(15, ALPHA) for launch in launches[:3]]
            if sum(agree) >= 2 and not any(contradict):
                return True
    return False


def r1(races: int) -> None:
    """A/A races by cell: how many name any winner, at any launch count, and under the 2-of-3 rule."""
    for drift_noise in (QUIET, LOADED):
        for heavy in (False, True):
            for sd in (0.0, 0.03, 0.05, 0.08):
                random = np.random.default_rng([1, int(sd * 100), heavy, drift_noise == QUIET])
                false = two = 0
                for _ in range(races):
                    wrong = False
                    for launches in simulate_race(random, [1.0] * 6, [sd] * 6, drift_noise, heavy=heavy):
                        if len(launches) == 1:
                            wrong |= bool(named(judge(launches)))
                        if len(launches) == 3:
                            two += two_of_three(launches)
                    false += wrong or bool(named(judge(launches)))
                load = "quiet" if drift_noise == QUIET else "loaded"
                tail = "t3" if heavy else "normal"
                print(
                    f"R1 {load:6} {tail:6} sd {sd:4.0%}: false {false / races:6.2%}   2-of-3 {two / races:6.2%}",
                    flush=True,
                )


def r2(races: int) -> None:
    """One candidate with launch effects of 12 %, the others of 3 %."""
    random = np.random.default_rng(2)
    false = 0
    for _ in range(races):
        *_, launches = simulate_race(random, [1.0] * 6, [0.12, *[0.03] * 5])
        false += bool(named(judge(launches)))
    print(f"R2 one candidate at 12 %: false {false / races:.2%}", flush=True)


def r3(races: int) -> None:
    """A field with one gap: how often it is found, and how often anything is wrong."""
    for gap, sd in ((0.2, 0.05), (0.2, 0.08), (0.5, 0.05)):
        random = np.random.default_rng([3, int(gap * 100), int(sd * 100)])
        truth = [1.0, 1 + gap, 1.6, 2.5, 5.0, 10.0]
        right = wrong = 0
        for _ in range(races):
            *_, launches = simulate_race(random, truth, [sd] * 6)
            found = judge(launches)
            right += found[frozenset("ab")].outcome is Outcome.A and found[frozenset("ab")].a == "a"
            wrong += any(each.a > each.b for each in named(found))
        print(f"R3 gap {gap:.0%} sd {sd:.0%}: right {right / races:.2%} wrong {wrong / races:.2%}", flush=True)
    random = np.random.default_rng(33)
    ties = 0
    for _ in range(races):
        *_, launches = simulate_race(random, [1.0, 1.0, 1.6, 2.5, 5.0, 10.0], [0.03] * 6)
        ties += judge(launches)[frozenset("ab")].outcome is Outcome.TIE
    print(f"R3 equal, sd 3%: tie {ties / races:.2%}", flush=True)


def r4(races: int) -> None:
    """One worker 30 % slower in one launch, all candidates equal."""
    for sd in (0.0, 0.03, 0.05, 0.08):
        random = np.random.default_rng([4, int(sd * 100)])
        pair = with_worker = 0
        for _ in range(races):
            unlucky = (int(random.integers(3)), 0, math.log(1.3))
            *_, launches = simulate_race(random, [1.0] * 6, [sd] * 6, unlucky=unlucky)
            touched = [each for each in named(judge(launches)) if "a" in (each.a, each.b)]
            pair += any({each.a, each.b} == {"a", "b"} for each in touched)
            with_worker += bool(touched)
        print(
            f"R4 sd {sd:.0%}: that pair {pair / races:.2%} any with that worker {with_worker / races:.2%}", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="*", default=["R1", "R2", "R3", "R4"])
    parser.add_argument("--races", type=int, default=2000)
    arguments = parser.parse_args()
    for name in arguments.which:
        {"R1": r1, "R2": r2, "R3": r3, "R4": r4}[name](arguments.races)


if __name__ == "__main__":
    main()
