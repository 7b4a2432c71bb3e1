"""The house keeps its rooms: data and imports flow one way, and what must be light is light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("knowledge", "bench", "advisor")
# What each place may not import: rooms above it, and screens where only decisions are made.
FORBIDDEN = {
    "knowledge": {"bench", "advisor", "textual", "rich"},
    "bench": {"advisor", "textual", "rich"},
    "advisor/decision": {"textual", "rich", "click"},
    "bench/worker": {"knowledge", "advisor", "bench", "textual", "rich", "msgspec", "yaml", "psutil"},
}
# Modules only POSIX systems have; advice must work on Windows too.
POSIX_ONLY = {"fcntl", "resource", "termios", "pwd", "grp", "pty", "tty"}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def _files(place: str) -> list[Path]:
    return sorted((ROOT / place).rglob("*.py"))


@pytest.mark.parametrize("place", FORBIDDEN)
def test_a_room_imports_nothing_from_above_it(place: str) -> None:
    assert _files(place), f"{place} has no files"
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in _files(place)
        for name in _imports(path)
        if name.partition(".")[0] in FORBIDDEN[place]
    ]
    assert wrong == []


@pytest.mark.parametrize("place", ["knowledge", "advisor"])
def test_advice_needs_no_posix_only_module(place: str) -> None:
    wrong = [path.name for path in _files(place) for name in _imports(path) if name in POSIX_ONLY]
    assert wrong == []


def _modules_after(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(finished.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_neither_textual_nor_numpy(option: str) -> None:
    loaded = _modules_after(f"from advisor.cli import run\nassert run(['{option}']) == 0")
    assert not loaded & {"textual", "numpy", "rich", "jinja2"}


def test_the_decision_loads_without_a_screen() -> None:
    loaded = _modules_after("import advisor.decision, advisor.questionnaire, bench.engine, knowledge.checks")
    assert not loaded & {"textual", "rich", "click"}
