"""The simulations that a race has to survive (METHOD, "Acceptance", R1-R4), rerun by one command:

    python -m tests.bench.simulate_races [R1 R2 R3 R4 ...] [--races N] [--jobs N] [--candidates K] [--goal GOAL]

Prints every figure beside its bound and exits with 1 when one is missed. K = 6, one planned race. Readings have a
launch effect per candidate and launch, AR(1) drift per slot (phi .9) shared by all candidates, and noise per slot.
Races look after 3, 5 and 8 launches and drop whom launch 1 flagged. Further experiments belong to this project: FEW
(R1's races with 2 and 3 candidates, filled up with twins; --candidates picks one), WAVES (R1's and R3's with a field
that races in two waves), TWIN (R1's and R3's with the twin that plans have, so 7 present for K = 6), EARLY (R3's and
R4's where the flagged leave after launch 1) and CRASH (R1's and R3's with a candidate lost in launch 3).
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from scipy.signal import lfilter  # type: ignore[import-untyped]

from bench import planning, race, waves
from bench.plan import Goal
from bench.race import Launch, PairVerdict
from bench.results import Basis, Outcome

NAMES = ("a", "b", "c", "d", "e", "f")
ALPHA = 0.05
PHI = 0.9
QUIET, LOADED = (0.03, 0.03), (0.15, 0.08)  # stationary sd of the drift, sd of the noise
MOST_LAUNCHES = race.LOOKS[-1][0]
SPREADS = (0.0, 0.03, 0.05, 0.08)
CHUNK = 50
"""Races that share a random generator: the figures do not depend on how many processes share the work."""

CRASH = (2, 5)
"""Launch (from 0) and candidate of the crash: the last one, in launch 3."""

CRASH_ROUNDS = 7
"""Complete rounds that the crashing candidate still has in its last launch."""

TAKE_GOALS, TAKE_CANDIDATES = ("R1", "R2"), ("FEW",)
"""Experiments that --goal and --candidates make a difference to."""

FALSE_WINNERS = 0.045
"""Most A/A races that may name a winner (R1)."""

Counts = dict[str, int]


# --- one race --------------------------------------------------------------------------------------------------------


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
    start = random.normal(0, drift)
    shared, _ = lfilter([1.0], [1.0, -PHI], shocks, zi=[PHI * start])
    own = random.standard_t(3, (rounds, k)) / math.sqrt(3) if heavy else random.normal(size=(rounds, k))
    x = np.empty((rounds, k))
    np.put_along_axis(x, random.permuted(np.tile(np.arange(k), (rounds, 1)), axis=1), shared.reshape(rounds, k), axis=1)
    x += noise * own + centre
    return x


def twins_for(k: int, always: bool = False) -> tuple[str, ...]:
    """The twins that a plan has for `k` candidates; only where they fill up to the number pooled, unless `always`."""
    return planning.twins_for(NAMES[:k]) if always or k < race.MIN_PRESENT else ()


def simulate_race(
    random: np.random.Generator,
    truth: Sequence[float],
    launch_sd: Sequence[float],
    drift_noise: tuple[float, float] = QUIET,
    *,
    heavy: bool = False,
    launches: int = MOST_LAUNCHES,
    unlucky: tuple[int, int, float] | None = None,
    early: bool = False,
    split: Sequence[Sequence[str]] = (),
    twinned: bool = False,
    crash: tuple[int, int] | None = None,
) -> Iterator[list[Launch]]:
    """One race; yields all its launches so far after each. Fewer than 4 candidates are filled up with twins.

    Args:
        truth: seconds per step of each candidate.
        launch_sd: standard deviation of each candidate's launch effects.
        unlucky: (launch, candidate, log slowdown) of one worker in one launch.
        early: drop the flagged after launch 1.
        split: waves, the first two candidates of each being the references; none: all race at once.
        twinned: race the twin that plans have, not only where there are few candidates.
        crash: (launch, candidate) of a worker lost after CRASH_ROUNDS rounds, and not made anew.
    """
    drift, noise = drift_noise
    rounds = race.MIN_ROUNDS if drift_noise == QUIET else race.MAX_ROUNDS
    candidates = NAMES[: len(truth)]
    names = candidates + twins_for(len(truth), twinned)
    of = np.array([candidates.index(name[0]) for name in names])
    means, spreads = np.log(np.array(truth))[of], np.array(launch_sd)[of]
    pairs = len(candidates) * (len(candidates) - 1) // 2
    done: list[Launch] = []
    for number in range(launches):
        field = race.next_field(done, names, pairs, ALPHA, early)
        if crash is not None and number > crash[0]:
            field = tuple(name for name in field if name != names[crash[1]])
        centre = means + random.normal(size=len(names)) * spreads
        if unlucky is not None and unlucky[0] == number:
            centre[unlucky[1]] += unlucky[2]
        parts = []
        for wave in split or (field,):
            running = [name for name in wave if name in field]
            places = [names.index(name) for name in running]
            x = simulate_launch(random, centre[places], rounds, drift, noise, heavy)
            parts.append([dict(zip(running, row, strict=True)) for row in x.tolist()])
            if crash is not None and number == crash[0]:
                for x_of in parts[-1][CRASH_ROUNDS:]:
                    x_of.pop(names[crash[1]], None)
        done.append(waves.merged(parts, split[0][:2]) if split else parts[0])
        yield done


def judge(
    launches: Sequence[Launch], k: int = len(NAMES), lost: int | None = None
) -> dict[frozenset[str], PairVerdict]:
    """The verdict on every pair of the first `k` names, without the one that was `lost`."""
    names = [name for place, name in enumerate(NAMES[:k]) if place != lost]
    found = race.verdicts(launches, names, K=k, M=k * (k - 1) // 2, alpha=ALPHA, basis=Basis.WALL)
    return {frozenset((each.a, each.b)): each for each in found}


def named(found: Mapping[frozenset[str], PairVerdict]) -> list[PairVerdict]:
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


def whole_race(random: np.random.Generator, k: int, goal: Goal | None, **settings: object) -> tuple[bool, bool, int]:
    """One A/A race: whether it named a winner, whether the 2-of-3 rule would have, and its launches.

    Without a goal it goes on to the last look whatever it finds, which gives an error every chance.
    """
    wrong = two = False
    names = NAMES[:k]
    crash = settings.get("crash")
    lost = crash[1] if isinstance(crash, tuple) else None
    launches: list[Launch] = []
    for launches in simulate_race(random, [1.0] * k, **settings):  # type: ignore[arg-type]
        if len(launches) == 1:
            wrong = bool(named(judge(launches, k)))
        if len(launches) == 3 and k == len(NAMES):
            two = two_of_three(launches)
        if goal is not None and len(launches) >= 3 and race.decided(launches, names, k, ALPHA, goal):
            break
    return wrong or bool(named(judge(launches, k, lost))), two, len(launches)


# --- experiments -----------------------------------------------------------------------------------------------------


def equal_field(
    random: np.random.Generator,
    races: int,
    sd: float = 0.0,
    drift_noise: tuple[float, float] = QUIET,
    heavy: bool = False,
    k: int = 6,
    goal: Goal | None = None,
    outlier: float | None = None,
    split: Sequence[Sequence[str]] = (),
    twinned: bool = False,
    crash: tuple[int, int] | None = None,
) -> Counts:
    """A/A races: how many name any winner, at any launch count, and under the 2-of-3 rule."""
    spreads = [outlier or sd, *[sd] * (k - 1)]
    counts = {"false": 0, "2-of-3": 0}
    for _ in range(races):
        wrong, two, _launches = whole_race(
            random,
            k,
            goal,
            launch_sd=spreads,
            drift_noise=drift_noise,
            heavy=heavy,
            early=goal is Goal.WINNER,
            split=split,
            twinned=twinned,
            crash=crash,
        )
        counts["false"] += wrong
        counts["2-of-3"] += two
    return counts


def gap(
    random: np.random.Generator,
    races: int,
    ratio: float = 1.2,
    sd: float = 0.05,
    k: int = 6,
    split: Sequence[Sequence[str]] = (),
    early: bool = False,
    twinned: bool = False,
    crash: tuple[int, int] | None = None,
) -> Counts:
    """A field with one gap: how often it is found, a tie given, anything wrong; how often launch 2 lacked somebody."""
    truth = [1.0, ratio, 1.6, 2.5, 5.0, 10.0][:k]
    counts = {"right": 0, "wrong": 0, "tie": 0}
    if early:
        counts["dropped"] = 0
    for _ in range(races):
        *_, launches = simulate_race(random, truth, [sd] * k, split=split, early=early, twinned=twinned, crash=crash)
        found = judge(launches, k, crash[1] if crash else None)
        if early:
            counts["dropped"] += len(launches[1][0]) < len(launches[0][0])
        pair = found[frozenset("ab")]
        counts["right"] += pair.outcome is Outcome.A and pair.a == "a"
        counts["tie"] += pair.outcome is Outcome.TIE
        counts["wrong"] += any(truth[NAMES.index(each.a)] > truth[NAMES.index(each.b)] for each in named(found))
    return counts


def unlucky_worker(random: np.random.Generator, races: int, sd: float = 0.0, dropped: bool = False) -> Counts:
    """One worker 30 % slower in one launch, all candidates equal: who is named.

    Args:
        dropped: 2.4 times slower in launch 1, for which it is flagged and leaves at once.
    """
    counts = {"that pair": 0, "any with that worker": 0}
    if dropped:
        counts["dropped"] = 0
    for _ in range(races):
        unlucky = (0, 0, math.log(2.4)) if dropped else (int(random.integers(3)), 0, math.log(1.3))
        *_, launches = simulate_race(random, [1.0] * 6, [sd] * 6, unlucky=unlucky, early=dropped)
        if dropped:
            counts["dropped"] += "a" not in launches[1][0]
        touched = [each for each in named(judge(launches)) if "a" in (each.a, each.b)]
        counts["that pair"] += any({each.a, each.b} == {"a", "b"} for each in touched)
        counts["any with that worker"] += bool(touched)
    return counts


@dataclass(frozen=True)
class Cell:
    """One line of the table: `run` gives counts of so many races; `bounds` is what -> (least share, greatest share)."""

    name: str
    seed: tuple[int, ...]
    run: Callable[[np.random.Generator, int], Counts]
    bounds: Mapping[str, tuple[float, float]]
    times: int = 1  # as many races as the others


def r1(goal: Goal | None = None) -> Iterator[Cell]:
    """A/A races: nobody may be named; the 2-of-3 rule has to fail where it is quiet."""
    for drift_noise in (QUIET, LOADED):
        for heavy in (False, True):
            for sd in SPREADS:
                load, tail = "quiet" if drift_noise == QUIET else "loaded", "t3" if heavy else "normal"
                bounds = {"false": (0.0, FALSE_WINNERS)}
                if drift_noise == QUIET and sd >= 0.03:
                    bounds["2-of-3"] = (0.06, 1.0)
                yield Cell(
                    f"R1 {load:6} {tail:6} sd {sd:.0%}",
                    (1, int(sd * 100), heavy, drift_noise == QUIET),
                    partial(equal_field, sd=sd, drift_noise=drift_noise, heavy=heavy, goal=goal),
                    bounds,
                )


def r2(goal: Goal | None = None) -> Iterator[Cell]:
    """One candidate has launch effects of 12 %, the others of 3 %; ten times as many races."""
    run = partial(equal_field, sd=0.03, outlier=0.12, goal=goal)
    yield Cell("R2 one candidate at 12 %", (2,), run, {"false": (0.0, 0.09)}, times=10)


def r3() -> Iterator[Cell]:
    """A field with one gap has to be told, a gap of nothing called a tie."""
    for ratio, sd, least in ((1.2, 0.05, 0.95), (1.2, 0.08, 0.70), (1.5, 0.05, 0.99)):
        bounds = {"right": (least, 1.0), "wrong": (0.0, 0.01)}
        seed = (3, round(ratio * 100), int(sd * 100))
        yield Cell(f"R3 gap {ratio - 1:.0%} sd {sd:.0%}", seed, partial(gap, ratio=ratio, sd=sd), bounds)
    yield Cell("R3 equal sd 3%", (33,), partial(gap, ratio=1.0, sd=0.03), {"tie": (0.90, 1.0)})


def r4() -> Iterator[Cell]:
    """One worker slow in one launch must not cost its candidate the race."""
    for sd in SPREADS:
        bounds = {"that pair": (0.0, 0.01), "any with that worker": (0.0, 0.025)}
        if sd == 0:
            bounds = dict.fromkeys(bounds, (0.0, 0.0))
        yield Cell(f"R4 sd {sd:.0%}", (4, int(sd * 100)), partial(unlucky_worker, sd=sd), bounds)


def few(k: int) -> Iterator[Cell]:
    """R1's races with fewer than 4 candidates, filled up with twins; and what they find."""
    for drift_noise in (QUIET, LOADED):
        for sd in SPREADS:
            load = "quiet" if drift_noise == QUIET else "loaded"
            run = partial(equal_field, sd=sd, drift_noise=drift_noise, k=k)
            seed = (5, k, int(sd * 100), drift_noise == QUIET)
            yield Cell(f"FEW {k} candidates {load:6} sd {sd:.0%}", seed, run, {"false": (0.0, FALSE_WINNERS)})
    # One candidate, and so its twin if it has one, less steady than the other.
    run = partial(equal_field, sd=0.03, outlier=0.12, k=k)
    yield Cell(f"FEW {k} candidates, one at 12 %", (6, k), run, {"false": (0.0, 0.09)})
    for ratio, sd in ((1.2, 0.03), (1.2, 0.05), (1.5, 0.05)):
        seed = (7, k, round(ratio * 100), int(sd * 100))
        bounds = {"right": (0.0, 1.0), "wrong": (0.0, 0.01)}
        yield Cell(
            f"FEW {k} candidates gap {ratio - 1:.0%} sd {sd:.0%}", seed, partial(gap, ratio=ratio, sd=sd, k=k), bounds
        )


def in_waves() -> Iterator[Cell]:
    """A field in two waves that share a and b: no more false winners, and the pairs across are still told."""
    split = (("a", "b", "c", "d"), ("a", "b", "e", "f"))
    for drift_noise in (QUIET, LOADED):
        for sd in SPREADS:
            load = "quiet" if drift_noise == QUIET else "loaded"
            run = partial(equal_field, sd=sd, drift_noise=drift_noise, split=split)
            seed = (8, int(sd * 100), drift_noise == QUIET)
            yield Cell(f"WAVES {load:6} sd {sd:.0%}", seed, run, {"false": (0.0, FALSE_WINNERS)})
    bounds = {"right": (0.95, 1.0), "wrong": (0.0, 0.01)}
    yield Cell("WAVES gap 20% sd 5%", (9,), partial(gap, ratio=1.2, sd=0.05, split=split), bounds)


def with_twin() -> Iterator[Cell]:
    """The field as plans make it: six candidates and a twin."""
    for drift_noise in (QUIET, LOADED):
        for sd in SPREADS:
            load = "quiet" if drift_noise == QUIET else "loaded"
            run = partial(equal_field, sd=sd, drift_noise=drift_noise, twinned=True)
            seed = (10, int(sd * 100), drift_noise == QUIET)
            yield Cell(f"TWIN {load:6} sd {sd:.0%}", seed, run, {"false": (0.0, FALSE_WINNERS)})
    # The candidate that runs twice is the one whose launches differ most, and is pooled twice.
    run = partial(equal_field, sd=0.03, outlier=0.12, twinned=True)
    yield Cell("TWIN its candidate at 12 %", (11,), run, {"false": (0.0, 0.09)})
    bounds = {"right": (0.95, 1.0), "wrong": (0.0, 0.01)}
    yield Cell("TWIN gap 20% sd 5%", (12,), partial(gap, twinned=True), bounds)


def early() -> Iterator[Cell]:
    """The flagged leave after launch 1: those that stay are told as well, and nobody is named for bad luck."""
    for ratio, sd, least in ((1.2, 0.05, 0.95), (1.5, 0.05, 0.99)):
        bounds = {"right": (least, 1.0), "wrong": (0.0, 0.01), "dropped": (0.99, 1.0)}
        run = partial(gap, ratio=ratio, sd=sd, early=True)
        yield Cell(f"EARLY gap {ratio - 1:.0%} sd {sd:.0%}", (13, round(ratio * 100)), run, bounds)
    for sd in SPREADS:
        bounds = {"that pair": (0.0, 0.01), "any with that worker": (0.0, 0.025), "dropped": (0.95, 1.0)}
        run = partial(unlucky_worker, sd=sd, dropped=True)
        yield Cell(f"EARLY unlucky sd {sd:.0%}", (14, int(sd * 100)), run, bounds)


def crashing() -> Iterator[Cell]:
    """A candidate is lost in launch 3: the numbers stay as planned, the others are told by what all of them ran."""
    for drift_noise in (QUIET, LOADED):
        for sd in SPREADS:
            load = "quiet" if drift_noise == QUIET else "loaded"
            run = partial(equal_field, sd=sd, drift_noise=drift_noise, crash=CRASH)
            seed = (15, int(sd * 100), drift_noise == QUIET)
            yield Cell(f"CRASH {load:6} sd {sd:.0%}", seed, run, {"false": (0.0, FALSE_WINNERS)})
    bounds = {"right": (0.95, 1.0), "wrong": (0.0, 0.01)}
    yield Cell("CRASH gap 20% sd 5%", (16,), partial(gap, crash=CRASH), bounds)


def _chunk(cell: Cell, number: int, races: int) -> Counts:
    return cell.run(np.random.default_rng([*cell.seed, number]), races)


def total(cell: Cell, races: int, pool: ProcessPoolExecutor | None = None) -> Counts:
    """The counts of `races` races of one cell, over the processes of `pool`."""
    sizes = [min(CHUNK, races - start) for start in range(0, races, CHUNK)]
    work = partial(_chunk, cell)
    parts = pool.map(work, range(len(sizes)), sizes) if pool else map(work, range(len(sizes)), sizes)
    counts: Counts = {}
    for part in parts:
        for what, count in part.items():
            counts[what] = counts.get(what, 0) + count
    return counts


def cells(names: Sequence[str], candidates: int | None, goal: Goal | None) -> Iterator[Cell]:
    """The cells of the experiments named."""
    for name in names:
        match name:
            case "R1":
                yield from r1(goal)
            case "R2":
                yield from r2(goal)
            case "R3":
                yield from r3()
            case "R4":
                yield from r4()
            case "FEW":
                for k in (candidates,) if candidates else (2, 3):
                    yield from few(k)
            case "WAVES":
                yield from in_waves()
            case "TWIN":
                yield from with_twin()
            case "EARLY":
                yield from early()
            case "CRASH":
                yield from crashing()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    experiments = ("R1", "R2", "R3", "R4", "FEW", "WAVES", "TWIN", "EARLY", "CRASH")
    parser.add_argument("which", nargs="*", metavar="EXPERIMENT", help=", ".join(experiments) + "; default: all")
    parser.add_argument("--races", type=int, default=2000, help="per cell; R2 runs ten times as many")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--candidates", type=int, choices=(2, 3), help="of FEW")
    parser.add_argument("--goal", type=Goal, choices=list(Goal), help="stop as such a race would; default: never")
    arguments = parser.parse_args()
    names = arguments.which or experiments
    if unknown := set(names) - set(experiments):
        parser.error(f"there is no experiment {', '.join(sorted(unknown))}")
    for option, given, take in (
        ("--goal", arguments.goal, TAKE_GOALS),
        ("--candidates", arguments.candidates, TAKE_CANDIDATES),
    ):
        if given is not None and (others := sorted(set(names) - set(take))):
            parser.error(f"{option} makes no difference to {', '.join(others)}; name {' or '.join(take)}")
    missed = 0
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for cell in cells(names, arguments.candidates, arguments.goal):
            races = arguments.races * cell.times
            counts = total(cell, races, pool if arguments.jobs > 1 else None)
            told = []
            for what, count in counts.items():
                share = count / races
                least, most = cell.bounds.get(what, (0.0, 1.0))
                holds = least <= share <= most
                missed += not holds
                bound = f" ({least:.1%} to {most:.1%}: {'holds' if holds else 'MISSED'})" if what in cell.bounds else ""
                told.append(f"{what} {share:.2%}{bound}")
            print(f"{cell.name:32} {races} races: {'   '.join(told)}", flush=True)
    print(f"{missed} bounds missed" if missed else "all bounds hold")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
