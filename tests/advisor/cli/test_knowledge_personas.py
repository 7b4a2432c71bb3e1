"""`advisor knowledge personas` and `advisor knowledge diff`, on a copy of the project with a history of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
KEPT = ("teacher", "beginner-images", "lua-product")
KERAS_ARCHIVED = ("status: active\n", "status: archived\n  archived: 2026-01-01\n")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The three packages with few personas, committed once."""
    place = tmp_path / "project"
    for package in ("advisor", "bench", "knowledge"):
        shutil.copytree(ROOT / package, place / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (place / "knowledge" / "personas").glob("*.yaml"):
        if path.stem not in KEPT:
            path.unlink()
    git(place, "init", "-q")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "one")
    return place


def git(place: Path, *words: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(place), *who, *words], check=True)


@pytest.fixture
def advisor(checkout: Path) -> Run:
    """Runs the command line of the copy."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(checkout), "LANG": "C.UTF-8", "COLUMNS": "80"}
        return subprocess.run(
            [sys.executable, "-m", "advisor", "knowledge", *words],
            capture_output=True,
            text=True,
            cwd=checkout,
            env=environment,
            check=False,
        )

    return run


def archive_keras(checkout: Path) -> None:
    path = checkout / "knowledge" / "frameworks" / "keras.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(KERAS_ARCHIVED[0]) == 1
    path.write_text(text.replace(*KERAS_ARCHIVED), encoding="utf-8")


def test_everybody_is_listed_with_what_they_are_told(advisor: Run) -> None:
    shown = advisor("personas", "--json")
    assert shown.returncode == 0, shown.stderr
    document = json.loads(shown.stdout)
    assert document["schema"] == "advisor/personas/1"
    personas = {each["persona"]: each for each in document["personas"]}
    assert sorted(personas) == sorted(KEPT)
    assert personas["teacher"]["outcome"]["top"][0]["framework"] == "pytorch"
    assert personas["teacher"]["expected"]["first"] == ["pytorch"]
    assert personas["lua-product"]["outcome"]["top"] == []
    assert all(each["missed"] == [] for each in personas.values())
    people = advisor("personas", "teacher")
    assert people.returncode == 0
    assert "1 of 1 personas hold" in people.stdout
    assert max(map(len, people.stdout.splitlines())) <= 80


def test_an_expectation_that_fails_is_status_one_and_said(checkout: Path, advisor: Run) -> None:
    archive_keras(checkout)
    shown = advisor("personas", "beginner-images")
    assert shown.returncode == 1
    assert "! pytorch comes first, expected keras" in shown.stdout
    assert "0 of 1 personas hold" in shown.stdout


def test_an_unknown_persona_is_bad_input(advisor: Run) -> None:
    refused = advisor("personas", "techer")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "techer: there is no such persona (did you mean 'teacher'?)" in refused.stderr


def test_a_change_of_knowledge_shows_who_is_told_something_else(checkout: Path, advisor: Run) -> None:
    same = advisor("diff", "HEAD")
    assert (same.returncode, same.stdout) == (0, "0 of 3 personas are told something else than at HEAD\n")
    archive_keras(checkout)
    shown = advisor("diff", "HEAD", "--json")
    assert shown.returncode == 0, shown.stderr
    document = json.loads(shown.stdout)
    assert document["schema"] == "advisor/knowledge-diff/1"
    changed = {each["persona"]: each for each in document["changed"]}
    assert sorted(changed) == ["beginner-images", "teacher"]
    before, after = (changed["beginner-images"][side] for side in ("before", "after"))
    assert before["top"][0]["framework"] == "keras"
    assert after["top"][0]["framework"] == "pytorch"
    people = advisor("diff", "HEAD")
    assert people.returncode == 0
    assert "2 of 3 personas are told something else than at HEAD" in people.stdout


@pytest.mark.parametrize("words", [("diff", "nosuch"), ("diff", "nosuch", "--json"), ("diff", "HEAD~1")])
def test_an_unknown_revision_is_bad_input(advisor: Run, words: tuple[str, ...]) -> None:
    refused = advisor(*words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{words[1]}: git knows no such revision" in refused.stderr
