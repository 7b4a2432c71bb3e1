"""How long a decision takes, and how long it keeps a key waiting in the terminal app.

All shipped frameworks compete on all leaves: nothing is required, a value is named for each fact of the fit, and a
made-up race measures every measured leaf. Beside it stands what cannot be saved: the plain product of drawn
weights and values of the same shapes.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from advisor.decision import decide
from advisor.questionnaire import Preferences
from advisor.recommendation import Recommendation
from bench.results import Energy, Latency, Results
from knowledge.loader import load
from knowledge.model import Knowledge, Role
from tests.advisor.decision.builders import TODAY, results, run, with_frameworks
from tests.performance.bounds import told
from tests.performance.options import Options

REPEATS = 15
LAUNCHES = 7
TARGETS_SECONDS = {10_000: 0.12, 100_000: 1.5}
WARM_PRODUCTS = 5
"""Of which the quickest counts: the first wakes OpenBLAS's threads."""

PAUSE_SECONDS = 0.3
"""After a matrix product, before a decision: OpenBLAS's threads go on spinning for about a tenth of a second (2^28
cycles) in case another product comes, and hold a core that the decision would have."""

SESSIONS = 8
PRESSES = 30
PRESS_EVERY_SECONDS = 0.12
"""About as fast as somebody who knows the answers: 8 keys a second."""
HEARTBEAT_SECONDS = 0.001
TARGET_STALL_SECONDS = 0.05
SIZE = (120, 40)
"""Columns and lines."""


def race(frameworks: Sequence[str]) -> Results:
    """A race in which every framework took part, each a little slower and larger than the one before."""
    runs = []
    for place, name in enumerate(frameworks):
        slower = 1.2**place
        trained = {
            "gpu_memory_bytes": int(1e9 * slower),
            "energy_joules_per_sample": Energy(value=slower, basis="measured"),
            "peak_rss_bytes": int(1e9 * slower),
        }
        answers = Latency(p50=0.001 * slower, p99=0.002 * slower)
        runs.append(run(f"{name}:m", 0.001 * slower, spread=1.1, provisional=True, **trained))
        runs.append(run(f"{name}:m", 0.001 * slower, phase="infer", latency_seconds=answers))
    return results(*runs)


@cache
def _case() -> tuple[Knowledge, Preferences, Results]:
    named = {"accelerator": ("cpu", "cuda"), "target": ("server", "browser"), "language": ("python",)}
    shipped = load()
    # Runtimes and companions compete as engines, since whoever ranks runtimes trains nothing and counts no training.
    engines = [msgspec.structs.replace(each, role=Role.ENGINE) for each in shipped.frameworks.values()]
    return with_frameworks(shipped, engines), Preferences(fit=named, answered=5), race(sorted(shipped.frameworks))


def decision(samples: int) -> Recommendation:
    """One decision between all shipped frameworks."""
    base, wanted, measured = _case()
    return decide(base, wanted, measured, as_of=TODAY, seed=0, samples=samples, created="")


def seconds(work: Callable[..., object], *given: object) -> float:
    """Wall time of `work`."""
    start = time.perf_counter()
    work(*given)
    return time.perf_counter() - start


def first_decision(samples: int) -> float:
    """Wall time of the first decision of this process, everything imported and read."""
    _case()
    return seconds(decision, samples)


def _first_in_a_new_process(samples: int) -> float:
    program = f"from tests.performance.decision import first_decision; print(first_decision({samples}))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return float(done.stdout)


def deciding(options: Options) -> None:
    """Targets: 0.12 s for 10,000 draws and 1.5 s for 100,000, on two cores."""
    found = decision(10)
    frameworks, leaves = len(found.ranking), sum(weight > 0 for weight in found.weights.values())
    random = np.random.default_rng(0)
    values = random.random((leaves, frameworks), np.float32)
    print(f"one decision between {frameworks} frameworks on {leaves} leaves, wall time on {os.cpu_count()} cores:")
    for samples, target in TARGETS_SECONDS.items():
        weights = random.random((samples, leaves), np.float32)
        warm, plain = [], []
        decision(samples)
        for _repeat in range(REPEATS):
            time.sleep(PAUSE_SECONDS)
            warm.append(seconds(decision, samples))
            plain.append(min(seconds(np.matmul, weights, values) for _product in range(WARM_PRODUCTS)))
        ratios = [ours / bare for ours, bare in zip(warm, plain, strict=True)]
        cold = [_first_in_a_new_process(samples) for _launch in range(LAUNCHES)]
        print(f"  {samples:>7,} draws, target {target} s: {told(warm, unit=' s')}")
        print(f"  {samples:>7,} draws, first in a new process: {told(cold, unit=' s')}")
        print(f"  {samples:>7,} draws / the plain matrix product ({min(plain) * 1e3:.2f} ms): {told(ratios, 0)}")


async def stalls(folder: Path) -> tuple[list[float], int]:
    """How long the app's event loop stood still at most from each key to the next, and how many decisions were made."""
    from advisor.tui import make_app

    os.environ["ADVISOR_HOME"] = str(folder)
    app = make_app()
    longest, decided = 0.0, 0

    def count() -> None:
        nonlocal decided
        decided += 1

    async def heartbeat() -> None:
        nonlocal longest
        before = time.perf_counter()
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            now = time.perf_counter()
            longest = max(longest, now - before - HEARTBEAT_SECONDS)
            before = now

    async with app.run_test(size=SIZE) as pilot:
        app.action_questions(False)
        await app.workers.wait_for_complete()
        await pilot.pause()
        app.watch(app, "recommendation", count, init=False)
        beating = asyncio.create_task(heartbeat())
        measured = []
        for press in range(PRESSES):
            longest = 0.0
            await pilot.press(("space", "down", "space", "enter")[press % 4])
            await asyncio.sleep(PRESS_EVERY_SECONDS)
            measured.append(longest)
        beating.cancel()
    if decided < PRESSES // 4:  # half of the keys change an answer; slow machines decide once for several
        raise RuntimeError(f"only {decided} decisions were made while {PRESSES} keys were typed")
    return measured, decided


def typing(options: Options) -> None:
    """Target: no key waits for more than 50 ms while the ranking is decided anew."""
    sessions, decisions = [], 0
    for _session in range(SESSIONS):
        with TemporaryDirectory() as folder:
            measured, decided = asyncio.run(stalls(Path(folder)))
        sessions.append(measured)
        decisions += decided
    every = [stall for session in sessions for stall in session]
    print(
        f"typing answers, {PRESSES} keys in each of {SESSIONS} sessions, {decisions} decisions meanwhile,"
        f" target {TARGET_STALL_SECONDS * 1e3:.0f} ms:\n"
        f"  longest stall of the event loop after a key: {told(every, 1, 1e3, ' ms')}\n"
        f"  the worst key of a session: {told([max(session) for session in sessions], 1, 1e3, ' ms')}\n"
        f"  the worst key of all: {max(every) * 1e3:.1f} ms"
    )


EXPERIMENTS = {"decision: time": deciding, "decision: typing": typing}
