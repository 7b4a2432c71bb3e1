"""The crash experiment in small: a few random moments of races of fake workers (`python -m tests.bench.crashes`)."""

import asyncio
import random
import signal
from pathlib import Path

import pytest

from bench.store import Store
from tests.bench import crashes


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_workers_struck_at_random_moments_lose_nothing_and_are_named(tmp_path: Path, sent: signal.Signals) -> None:
    for folder in ("undisturbed", "struck"):
        (tmp_path / folder).mkdir()
    life = asyncio.run(crashes.lives(True, tmp_path / "undisturbed"))
    outcome = crashes.strike_workers(True, tmp_path / "struck", sent, 2, random.Random(1), life)
    assert outcome.violations == []
    assert outcome.moments == 2


def test_parents_killed_at_random_moments_lose_nothing_and_leave_nothing_behind(tmp_path: Path) -> None:
    outcome = crashes.kill_parents(True, tmp_path, 2, random.Random(3))
    assert outcome.violations == []
    assert outcome.moments == 2


def test_a_lost_round_and_an_end_told_late_or_wrongly_are_violations(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite"):
        pass
    assert list(crashes.lost_rounds(tmp_path, set())) == []
    (lost,) = crashes.lost_rounds(tmp_path, {("w", "train", 1, 7)})
    assert "7" in lost
    killed = crashes.Strike("a1:plain", signal.SIGKILL, "rounds", named_seconds=0.1, reason="it was killed by SIGKILL")
    assert list(crashes.faults_of(killed)) == []
    killed.named_seconds = 2.5
    assert "2.5 s" in next(crashes.faults_of(killed))
    killed.named_seconds, killed.reason = 0.1, "it was ended"
    assert "it was ended" in next(crashes.faults_of(killed))
    killed.named_seconds = None
    assert "never told" in next(crashes.faults_of(killed))
