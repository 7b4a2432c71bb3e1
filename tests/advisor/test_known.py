"""advisor.known: the user's own frameworks are known wherever knowledge is used, and lead somewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import knowledge
from advisor import known
from knowledge.faults import BadInput

ROOT = Path(__file__).parents[2]
ANSWERS = str(ROOT / "examples" / "beginner-images.yaml")

_OWN = """\
schema: advisor/framework/1
name: Gamma
role: high-level
summary: {en: My own., zh: 我自己的。}
homepage: https://example.org
lifecycle:
  status: active
  first_release: "2024"
  releases: [{version: "1.0", date: 2026-10-01}]
  evidence: [{claim: I released it., source: my-notes}]
facts:
  accelerator: [{values: [cpu], support: native, as_of: 2026-11-20, evidence: [{claim: So., source: my-notes}]}]
  target: [{values: [server], support: native, as_of: 2026-11-20, evidence: [{claim: So., source: my-notes}]}]
ratings: {}
"""
_SOURCES = """\
schema: advisor/sources/1
sources:
  - id: my-notes
    title: My notes
    url: https://example.org/notes
    publisher: Me
    published: null
    accessed: 2026-11-20
    kind: documentation
    independence: vendor
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one framework of the user's own."""
    folder = tmp_path / "home"
    (folder / "frameworks").mkdir(parents=True)
    (folder / "frameworks" / "gamma.yaml").write_text(_OWN, encoding="utf-8")
    (folder / "sources.yaml").write_text(_SOURCES, encoding="utf-8")
    monkeypatch.setenv("ADVISOR_HOME", str(folder))
    return folder


def advisor(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LANG": "C.UTF-8", "COLUMNS": "120"}
    command = [sys.executable, "-m", "advisor", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)


def test_without_files_of_ones_own_the_shipped_base_is_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    assert known.load() is knowledge.load()


def test_a_framework_of_ones_own_is_ranked_and_reported(home: Path, tmp_path: Path) -> None:
    ranked = advisor("recommend", "--answers", ANSWERS, "--as-of", "2026-11-26", "--json")
    assert ranked.returncode == 0, ranked.stderr
    assert "gamma" in [each["framework"] for each in json.loads(ranked.stdout)["ranking"]]
    report = tmp_path / "report.json"
    written = advisor("report", "--answers", ANSWERS, "--as-of", "2026-11-26", "--output", str(report))
    assert written.returncode == 0, written.stderr
    assert '"gamma"' in report.read_text(encoding="utf-8")
    assert advisor("show", "gamma").stdout.startswith("Gamma")
    assert "gamma" in advisor("frameworks").stdout


def test_the_app_opens_with_a_framework_of_ones_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from advisor.tui import run_app
    from advisor.tui.app import AdvisorApp

    opened: list[AdvisorApp] = []
    monkeypatch.setattr(AdvisorApp, "run", lambda app: opened.append(app))
    run_app()
    (app,) = opened
    assert "gamma" in app.knowledge.frameworks
    assert app.services.place("gamma").file == str(home / "frameworks" / "gamma.yaml")


def test_an_id_of_ones_own_that_leads_nowhere_is_refused_in_its_place(home: Path) -> None:
    own = home / "frameworks" / "gamma.yaml"
    text = own.read_text(encoding="utf-8")
    own.write_text(text.replace("evidence: [{claim: I released it., source: my-notes}]\nfacts", "evidence: []\nfacts"))
    assert "gamma" in known.load().frameworks  # unsourced is for `knowledge check` to say
    own.write_text(text.replace("source: my-notes}]\nfacts", "source: my-note}]\nfacts"))
    with pytest.raises(BadInput) as caught:
        known.load()
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.problem) == (str(own), 10, "there is no source 'my-note'")
    assert "my-notes" in fault.mend
    refused = advisor("recommend", "--answers", ANSWERS)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{own}:10: lifecycle.evidence[0].source: there is no source 'my-note'" in refused.stderr


def test_the_check_speaks_of_ones_own_files(home: Path) -> None:
    said = advisor("knowledge", "check", "--as-of", "2026-11-26", "--json")
    assert said.returncode == 0, said.stderr
    own = [each for each in json.loads(said.stdout)["findings"] if each["fault"]["file"].startswith(str(home))]
    assert "is not rated yet" in [each["fault"]["problem"] for each in own]
