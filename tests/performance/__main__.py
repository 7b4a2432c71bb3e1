"""Prints ratios: each thing and its baseline run in turn, A B A B, so that a drifting machine moves both.

A ratio is given with a distribution-free 95 % interval of its median over pairs (order statistics).
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from math import sqrt
from pathlib import Path

import msgspec
import numpy as np
import yaml

import knowledge
from advisor.answers import Answers
from advisor.decision import decide
from advisor.questionnaire import preferences
from bench.telemetry import PsutilHost, proc_or_psutil
from knowledge.model import Knowledge

PAIRS = 15


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process and its children that `work` takes."""
    before = _cpu()
    work()
    return _cpu() - before


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def compare(name: str, thing: Callable[[], object], baseline: Callable[[], object], pairs: int = PAIRS) -> None:
    """Print how many times the CPU seconds of `baseline` `thing` takes."""
    thing(), baseline()
    ratios = sorted(max(seconds(thing), 1e-9) / max(seconds(baseline), 1e-9) for _ in range(pairs))
    reach = 1.96 * sqrt(pairs) / 2
    low, high = ratios[max(0, int(pairs / 2 - reach))], ratios[min(pairs - 1, int(pairs / 2 + reach))]
    print(f"{name:<58} {ratios[pairs // 2]:6.2f}  [{low:.2f}-{high:.2f}]")


def python(program: str) -> Callable[[], object]:
    """A new interpreter that runs `program`."""
    return lambda: subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def many(base: Knowledge, frameworks: int) -> Knowledge:
    """`base` with its engines repeated under other names until there are so many."""
    engines = [each for each in base.frameworks.values() if each.role.value in ("engine", "high-level")]
    repeated = {
        f"f{i}": msgspec.structs.replace(engines[i % len(engines)], id=f"f{i}", aliases=()) for i in range(frameworks)
    }
    return msgspec.structs.replace(base, frameworks=repeated)


def repeat(times: int, work: Callable[[], object]) -> Callable[[], object]:
    """`work`, so many times: CPU times count in hundredths of a second."""
    return lambda: [work() for _ in range(times)]


def main(words: Sequence[str]) -> None:
    """Print every ratio whose name contains one of `words`, or all."""
    base = knowledge.load()
    folder = Path(knowledge.__file__).parent
    texts = [path.read_bytes() for path in (*folder.glob("*.yaml"), *(folder / "frameworks").glob("*.yaml"))]
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    large = many(base, 31)
    # MXNet and Theano are among the repeated: nothing is knocked out, so that all 31 are compared.
    wanted = msgspec.structs.replace(preferences(Answers(), base), requirements=())
    random = np.random.default_rng(0)
    weights, values = random.random((100_000, 45), np.float32), random.random((45, 31), np.float32)

    def decision(samples: int) -> Callable[[], object]:
        day = date(2026, 11, 20)
        return lambda: decide(large, wanted, None, as_of=day, seed=0, samples=samples, created="")

    host, slow_host = proc_or_psutil(), PsutilHost()
    comparisons: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        (
            "advisor --version / importing click",
            python("from advisor.__main__ import main; main(['--version'])"),
            python("import click"),
        ),
        ("first import of the app / of Textual", python("import advisor.tui.app"), python("import textual.app")),
        (
            "reading the knowledge base, checked / plain YAML",
            repeat(5, lambda: knowledge.load(folder)),
            repeat(5, lambda: [yaml.load(text, loader) for text in texts]),
        ),
        (
            "deciding, 31 x 45, 10k samples / 10 matrix products",
            decision(10_000),
            repeat(10, lambda: weights[:10_000] @ values),
        ),
        (
            "deciding, 31 x 45, 100k samples / 10 matrix products",
            decision(100_000),
            repeat(10, lambda: weights @ values),
        ),
        ("sampling CPU and memory / with psutil", repeat(200, host.sample), repeat(200, slow_host.sample)),
    ]
    print(f"CPU seconds of the first over those of the second, median of {PAIRS} pairs [95 %]")
    for name, thing, baseline in comparisons:
        if not words or any(word in name for word in words):
            compare(name, thing, baseline)
    for samples in (10_000, 100_000):
        work, started = decision(samples), time.perf_counter()
        work()
        print(f"one decision of {samples} samples took {time.perf_counter() - started:.3f} s of wall time")


if __name__ == "__main__":
    main(sys.argv[1:])
