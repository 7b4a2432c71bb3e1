"""Starting the app, reading the knowledge base, sampling: each beside something it can be held against."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import yaml

import knowledge
from bench.telemetry import PsutilHost, proc_or_psutil
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


def sampling(options: Options) -> None:
    host, slow_host = proc_or_psutil(), PsutilHost()
    compare("sampling CPU and memory / with psutil", repeat(200, host.sample), repeat(200, slow_host.sample))


EXPERIMENTS = {
    "starting the app": starting,
    "reading the knowledge base": reading,
    "sampling CPU and memory": sampling,
}
