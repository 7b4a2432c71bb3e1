"""What goes wrong on the command line ends in one clear message and the right status, with nothing half-written."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bench.store import Store
from tests.advisor.cli.test_commands import Run, advisor  # noqa: F401  # a fixture
from tests.bench.test_store import results

ROOT = Path(__file__).parents[3]
SHEET = str(ROOT / "examples" / "beginner-images.yaml")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The store of the command line's home, with one result in it."""
    path = tmp_path / "home" / "results.sqlite"
    with Store(path) as kept:
        kept.save(results())
    return path


def failed(finished: subprocess.CompletedProcess[str], status: int, said: str) -> None:
    assert finished.returncode == status, finished.stderr
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["recommend", "--answers", "pipe"],
        ["recommend", "--answers", SHEET, "--results", "pipe.json"],
        ["bench", "import", "pipe.json"],
        ["bench", "run", "--data", "pm25=pipe"],
        ["bench", "run", "--data", "mnist=pipe"],
    ],
    ids=" ".join,
)
def test_a_pipe_is_refused_instead_of_waited_for(advisor: Run, tmp_path: Path, words: list[str]) -> None:  # noqa: F811
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.json")
    failed(advisor(*words), 2, "is no ordinary file")


@pytest.mark.parametrize(
    "words",
    [
        ["report", "--answers", SHEET, "--format", "md", "--output"],
        ["bench", "export", "latest", "-o"],
        ["doctor", "--bundle"],
    ],
    ids=" ".join,
)
def test_only_files_are_written_over(advisor: Run, tmp_path: Path, store: Path, words: list[str]) -> None:  # noqa: F811
    os.mkfifo(tmp_path / "pipe")
    failed(advisor(*words, str(tmp_path / "pipe")), 2, "is no ordinary file")
    assert (tmp_path / "pipe").is_fifo()
    failed(advisor(*words, str(tmp_path / "nowhere" / "file")), 2, "nowhere/file: ")


def test_results_are_found_by_name_wherever_one_is_asked_for(advisor: Run, tmp_path: Path, store: Path) -> None:  # noqa: F811
    failed(advisor("bench", "show", "none"), 2, "there are no results 'none'")
    assert advisor("bench", "export", "latest", "-o", "kept.json").returncode == 0
    assert advisor("bench", "show", "kept.json").stdout == advisor("bench", "show", "latest").stdout


def test_looking_for_results_makes_no_store(advisor: Run, tmp_path: Path) -> None:  # noqa: F811
    nothing = advisor("bench", "results")
    assert (nothing.returncode, nothing.stderr) == (0, "")
    assert "Nothing has been measured yet" in nothing.stdout
    failed(advisor("bench", "export", "latest", "-o", "kept.json"), 2, "nothing has been measured on this machine yet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE blocks; DROP TABLE races", "this is not a usable store: no such table: races"),
        ("UPDATE races SET document = 'x'", "JSON is malformed"),
    ],
)
def test_a_damaged_store_is_named(advisor: Run, store: Path, change: str, said: str) -> None:  # noqa: F811
    with sqlite3.connect(store) as database:
        database.executescript(change)
    database.close()
    failed(advisor("bench", "show", "latest"), 2, said)


def test_candidate_names_are_whole_in_eighty_columns(advisor: Run, store: Path) -> None:  # noqa: F811
    shown = advisor("bench", "show", "latest").stdout
    assert "one:plain" in shown
    assert "two:plain" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("words", [["frameworks"], ["knowledge", "schema"]], ids=" ".join)
def test_output_that_cannot_be_written_is_told_and_a_reader_that_has_gone_is_not(words: list[str]) -> None:
    def run(stdout: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "advisor", *words]
        return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)

    reading, writing = os.pipe()
    os.close(reading)
    gone = run(writing)
    os.close(writing)
    assert (gone.returncode, gone.stderr) == (0, "")
    full = os.open("/dev/full", os.O_WRONLY)
    failed(run(full), 1, "No space left on device")
    os.close(full)


@pytest.mark.parametrize("word", [",", "pytorch,", ",pytorch"])
def test_a_list_with_a_gap_is_not_everything(advisor: Run, word: str) -> None:  # noqa: F811
    failed(advisor("bench", "run", "-f", word), 2, "a name is missing before or after a comma")


def test_an_environment_that_has_no_place_is_a_failure(advisor: Run, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "file").write_text("")
    made = advisor("env", "create", "mxnet", "--yes", ADVISOR_HOME=str(tmp_path / "file"))
    failed(made, 1, "the environment could not be written: Not a directory")


@pytest.mark.parametrize(("word", "said"), [("pytorch@jax", "PyTorch has no such backend"), ("keras@", "choose ")])
def test_an_environment_of_no_backend_is_refused(advisor: Run, word: str, said: str) -> None:  # noqa: F811
    failed(advisor("env", "create", word, "--yes"), 2, said)


def test_a_terminal_that_knows_only_ascii_gets_question_marks(advisor: Run) -> None:  # noqa: F811
    shown = advisor("--lang", "zh", "recommend", "--answers", SHEET, PYTHONIOENCODING="ascii")
    assert shown.returncode == 0, shown.stderr
    assert "??" in shown.stdout
