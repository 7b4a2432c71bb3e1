"""advisor.revisions: the knowledge of any revision git has, or one message that says why not."""

import subprocess
from pathlib import Path

import pytest

from advisor.revisions import knowledge_at
from knowledge.faults import BadInput, Fault
from tests.knowledge.conftest import Base


def git(place: Path, *words: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    finished = subprocess.run(["git", "-C", str(place), *who, *words], capture_output=True, text=True, check=True)
    return finished.stdout.strip()


def commit(place: Path) -> str:
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "change")
    return git(place, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path: Path) -> Base:
    """A small knowledge base below the top of a repository, committed once."""
    base = Base(tmp_path / "project" / "knowledge")
    git(tmp_path, "init", "-q", "-b", "main", "project")
    commit(base.folder.parent)
    return base


def fault_at(revision: str, folder: Path) -> Fault:
    with pytest.raises(BadInput) as caught:
        knowledge_at(revision, folder)
    (fault,) = caught.value.faults
    return fault


def test_an_older_revision_is_read_as_it_was(project: Base) -> None:
    first = git(project.folder, "rev-parse", "HEAD")
    project.spoil("frameworks/alpha.yaml", "score: 7", "score: 6")
    second = commit(project.folder.parent)
    project.spoil("frameworks/alpha.yaml", "score: 6", "score: 8")  # never committed
    for revision, hash_, score in (
        ("HEAD", second, 6),
        ("HEAD~1", first, 7),
        (first[:12], first, 7),
        ("main", second, 6),
    ):
        found = knowledge_at(revision, project.folder)
        assert found.commit == hash_
        assert found.knowledge.frameworks["alpha"].ratings["ease.ramp_up"][0].score == score


def test_the_top_of_a_repository_may_be_the_knowledge(tmp_path: Path) -> None:
    base = Base(tmp_path / "alone")
    git(base.folder, "init", "-q")
    commit(base.folder)
    assert list(knowledge_at("HEAD", base.folder).knowledge.guides) == ["old"]


@pytest.mark.parametrize("revision", ["nosuch", "HEAD~9", "--help", "", "HEAD:knowledge"])
def test_an_unknown_revision_is_bad_input(project: Base, revision: str) -> None:
    fault = fault_at(revision, project.folder)
    assert (fault.key, fault.problem) == (revision, "git knows no such revision")
    assert fault.mend == "name a commit, a tag or a branch"


def test_a_shallow_clone_says_that_it_is_one(project: Base, tmp_path: Path) -> None:
    project.spoil("frameworks/alpha.yaml", "score: 7", "score: 6")
    commit(project.folder.parent)
    git(tmp_path, "clone", "-q", "--depth", "1", project.folder.parent.as_uri(), "shallow")
    fault = fault_at("HEAD~1", tmp_path / "shallow" / "knowledge")
    assert fault.problem == "git knows no such revision"
    assert "shallow" in fault.mend


def test_knowledge_outside_of_a_checkout_has_no_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    base = Base(tmp_path / "base")
    assert "does not lie in a git checkout" in fault_at("HEAD", base.folder).problem


def test_knowledge_in_an_environment_within_a_checkout_has_no_history_either(project: Base) -> None:
    installed = Base(project.folder.parent / ".venv" / "knowledge")
    assert "does not lie in a git checkout" in fault_at("HEAD", installed.folder).problem


def test_a_revision_from_before_the_knowledge_says_so(project: Base) -> None:
    top = project.folder.parent
    git(top, "checkout", "-q", "--orphan", "early")
    git(top, "rm", "-rq", "--cached", ".")
    (top / "README").write_text("early")
    git(top, "add", "README")
    git(top, "commit", "-q", "-m", "early")
    git(top, "checkout", "-qf", "main")
    assert fault_at("early", project.folder).problem == "it holds no knowledge in this place"


def test_knowledge_that_cannot_be_read_today_is_named_by_its_revision(project: Base) -> None:
    project.spoil("frameworks/alpha.yaml", "role: engine", "role: motor")
    commit(project.folder.parent)
    fault = fault_at("HEAD", project.folder)
    assert fault.file == "HEAD:knowledge/frameworks/alpha.yaml"
    assert (fault.line, fault.key) == (project.line("frameworks/alpha.yaml", "role:"), "role")


def test_without_git_it_says_so(project: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert fault_at("HEAD", project.folder).problem == "git is not installed"
