"""Starting the app, reading the knowledge base, deciding, sampling: each beside something it can be held against."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from statistics import median

import msgspec
import numpy as np
import yaml

import knowledge
from advisor.answers import Answers
from advisor.decision import decide
from advisor.questionnaire import preferences
from bench.telemetry import PsutilHost, proc_or_psutil
from knowledge.model import Knowledge
from tests.performance import clocks
from tests.performance.bounds import lower, upper
from tests.performance.options import Options

PAIRS = 15

Work = Callable[[], object]


def compare(name: str, thing: Work, baseline: Work) -> None:
    """Print how many times the CPU seconds of `baseline` `thing` takes."""
    thing(), baseline()
    ratios = [max(clocks.own(thing), 1e-9) / max(clocks.own(baseline), 1e-9) for _ in range(PAIRS)]
    low, high = lower(ratios, 0.975), upper(ratios, 0.975)
    print(f"{name:<58} {median(ratios):6.2f}  [95 %: {low:.2f}-{high:.2f}]")


def python(program: str) -> Work:
    """A new interpreter that runs `program`."""
    return lambda: subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def repeat(times: int, work: Work) -> Work:
    """`work`, so many times: CPU times count in hundredths of a second."""
    return lambda: [work() for _ in range(times)]


@cache
def _large() -> Knowledge:
    """The shipped knowledge with its engines repeated under other names until there are 31 frameworks."""
    base = knowledge.load()
    engines = [each for each in base.frameworks.values() if each.role.value in ("engine", "high-level")]
    repeated = {f"f{i}": msgspec.structs.replace(engines[i % len(engines)], id=f"f{i}", aliases=()) for i in range(31)}
    return msgspec.structs.replace(base, frameworks=repeated)


def _decision(samples: int) -> Work:
    # MXNet and Theano are among the repeated: nothing is knocked out, so that all 31 are compared.
    wanted = msgspec.structs.replace(preferences(Answers(), knowledge.load()), requirements=())
    large, day = _large(), date(2026, 11, 20)
    return lambda: decide(large, wanted, None, as_of=day, seed=0, samples=samples, created="")


def starting(options: Options) -> None:
    version = python("from advisor.__main__ import main; main(['--version'])")
    compare("advisor --version / importing click", version, python("import click"))
    compare("first import of the app / of Textual", python("import advisor.tui.app"), python("import textual.app"))


def reading(options: Options) -> None:
    folder = Path(knowledge.__file__).parent
    texts = [path.read_bytes() for path in (*folder.glob("*.yaml"), *(folder / "frameworks").glob("*.yaml"))]
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    compare(
        "reading the knowledge base, checked / plain YAML",
        repeat(5, lambda: knowledge.load(folder)),
        repeat(5, lambda: [yaml.load(text, loader) for text in texts]),
    )


def deciding(options: Options) -> None:
    random = np.random.default_rng(0)
    weights, values = random.random((100_000, 45), np.float32), random.random((45, 31), np.float32)
    for samples, words in ((10_000, "10k"), (100_000, "100k")):
        products = repeat(10, lambda samples=samples: weights[:samples] @ values)  # type: ignore[misc]
        compare(f"deciding, 31 x 45, {words} samples / 10 matrix products", _decision(samples), products)
    for samples in (10_000, 100_000):
        work, started = _decision(samples), time.perf_counter()
        work()
        print(f"one decision of {samples} samples took {time.perf_counter() - started:.3f} s of wall time")


def sampling(options: Options) -> None:
    host, slow_host = proc_or_psutil(), PsutilHost()
    compare("sampling CPU and memory / with psutil", repeat(200, host.sample), repeat(200, slow_host.sample))


EXPERIMENTS = {
    "starting the app": starting,
    "reading the knowledge base": reading,
    "deciding": deciding,
    "sampling CPU and memory": sampling,
}
