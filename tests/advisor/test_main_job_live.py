"""The main job with real frameworks: measure four of them, let the measurements count, write the report.

Live: makes environments (a few gigabytes) and trains in them; minutes.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.advisor.live import advisor

ROOT = Path(__file__).parents[2]
DEFAULTS = {"pytorch:eager", "tensorflow:function", "keras@tensorflow:fit", "mxnet:hybrid"}
WORKLOADS = {"mnist-cnn", "pm25-lstm"}

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, environments_folder: Path) -> Path:
    """A home of its own for results; environments are shared with the other live tests."""
    folder = tmp_path_factory.mktemp("main-job")
    (folder / "environments").symlink_to(environments_folder)
    return folder


@pytest.fixture(scope="module")
def results(home: Path) -> dict[str, Any]:
    words = "bench run -f pytorch,tensorflow,keras,mxnet -m default -w mnist-cnn,pm25-lstm --budget 40 --yes --json"
    finished = advisor(home, *words.split(), "--record", str(home / "race.jsonl"))
    assert finished.returncode == 0, finished.stderr[-3000:]
    document: dict[str, Any] = json.loads(finished.stdout)
    return document


def test_every_candidate_is_measured_and_computes_what_the_reference_computes(results: dict[str, Any]) -> None:
    assert results["schema"] == "advisor/bench/1"
    assert {(run["candidate"], run["workload"]) for run in results["runs"]} == {
        (candidate, workload) for candidate in DEFAULTS for workload in WORKLOADS
    }
    for run in results["runs"]:
        assert (run["status"], run["reason"]) == ("ok", None), run["candidate"]
        assert run["parity"]["passed"]
        assert run["provisional"]
        assert run["launches"] == 1
        for field in ("import_seconds", "build_seconds", "first_step_seconds", "peak_rss_bytes"):
            assert run[field] > 0, (run["candidate"], field)
        assert run["samples_per_second"]["low"] <= run["samples_per_second"]["median"]
        assert run["step_seconds"]["blocks"] >= 15
        assert run["versions"]


def test_verdicts_of_one_launch_say_so_and_claim_only_what_is_far_apart(results: dict[str, Any]) -> None:
    assert len(results["verdicts"]) == len(WORKLOADS) * 6
    for verdict in results["verdicts"]:
        assert verdict["verdict"] in ("a", "b", "undecided")
        if verdict["verdict"] != "undecided":
            assert verdict["basis"] == "one-launch"
            ends = [end for end in verdict["ratio"].values() if end is not None]
            assert len(ends) == 1
            assert max(ends[0], 1 / ends[0]) == pytest.approx(1.5)


def test_measurements_enter_the_ranking_and_the_report(home: Path, results: dict[str, Any], tmp_path: Path) -> None:
    sheet = str(ROOT / "examples" / "beginner-images.yaml")
    without = json.loads(advisor(home, "recommend", "--answers", sheet, "--json").stdout)
    with_results = json.loads(advisor(home, "recommend", "--answers", sheet, "--results", "latest", "--json").stdout)
    assert without["measured"] is None
    assert without["weights"]["performance.time_to_finish"] == 0
    measured = with_results["measured"]
    assert measured["results"] == results["id"]
    assert {name.split()[0] for name in measured["counted"]} <= DEFAULTS
    assert with_results["weights"]["performance.time_to_finish"] > 0
    report = tmp_path / "report.md"
    assert advisor(home, "report", "--answers", sheet, "--results", "latest", "--output", str(report)).returncode == 0
    text = report.read_text(encoding="utf-8")
    assert results["id"] in text
    assert "pytorch:eager" in text


def test_results_survive_export_and_import(home: Path, results: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    assert advisor(home, "bench", "export", results["id"], "-o", str(file)).returncode == 0
    assert json.loads(file.read_text(encoding="utf-8")) == results
    elsewhere = tmp_path / "elsewhere"
    assert advisor(elsewhere, "bench", "import", str(file)).returncode == 0
    assert json.loads(advisor(elsewhere, "bench", "show", "latest", "--json").stdout) == results


def test_the_recording_ends_in_the_results_and_names_nothing_of_this_machine(
    home: Path, results: dict[str, Any], tmp_path: Path
) -> None:
    file = home / "race.jsonl"
    text = file.read_text(encoding="utf-8")
    assert str(Path.home()) not in text
    assert str(home) not in text
    assert os.uname().nodename not in text
    assert len(text) < 1_000_000
    elsewhere = tmp_path / "elsewhere"
    assert json.loads(advisor(elsewhere, "bench", "replay", str(file), "--json").stdout) == results
    assert not elsewhere.exists()
    itself = json.loads(advisor(home, "bench", "compare", results["id"], "latest", "--json").stdout)
    assert itself["differences"] == []
    assert all(verdict["agree"] for verdict in itself["verdicts"])
