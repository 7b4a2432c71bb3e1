"""A guide tried for real: PyTorch and TensorFlow race with lengths that change, and the trial is told from the race.

Live: makes environments where there are none (a gigabyte), and trains in them; minutes.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.advisor.live import advisor

GUIDE = "pytorch-or-tensorflow-2017"

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, environments_folder: Path) -> Path:
    """A home of its own for results; environments are shared with the other live tests."""
    folder = tmp_path_factory.mktemp("trial")
    (folder / "environments").symlink_to(environments_folder)
    return folder


@pytest.fixture(scope="module")
def guide(home: Path) -> dict[str, Any]:
    words = f"guides {GUIDE} --run --budget 10 --yes --json --record"
    finished = advisor(home, *words.split(), str(home))
    assert finished.returncode == 0, finished.stderr[-3000:]
    (document,) = json.loads(finished.stdout)["guides"]
    found: dict[str, Any] = document
    return found


def test_the_race_gives_a_ruling_with_figures_versions_and_device(guide: dict[str, Any]) -> None:
    loop, lines = guide["trial"]["charges"]
    assert (loop["charge"], loop["device"]) == ("dynamic-length", "cpu")
    assert loop["ruling"] in ("confirmed", "refuted", "undecided")
    (hearing,) = loop["hearings"]
    for exhibit in hearing["exhibits"]:
        assert exhibit["why_not"] is None
        assert exhibit["step_seconds"]["median"] > 0
        assert exhibit["constant_step_seconds"]["median"] > 0
        assert exhibit["versions"]
    assert len(hearing["pairs"][0]["verdicts"]) == 2
    assert (lines["ruling"], lines["results"]) == ("confirmed", [])


def test_the_race_is_kept_and_recorded_and_either_gives_the_same_trial(home: Path, guide: dict[str, Any]) -> None:
    again = json.loads(advisor(home, "guides", GUIDE, "--results", "latest", "--json").stdout)
    assert again["guides"] == [guide]
    assert advisor(home / "elsewhere", "bench", "replay", str(home / "cpu.jsonl"), "--keep").returncode == 0
    elsewhere = json.loads(advisor(home / "elsewhere", "guides", GUIDE, "--results", "latest", "--json").stdout)
    assert elsewhere["guides"] == [guide]
