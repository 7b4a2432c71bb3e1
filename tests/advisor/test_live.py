"""advisor.live: the package index beside the knowledge base, asked over real HTTP, kept, and read without a network."""

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

import knowledge
from advisor import live
from bench.registry import Package, Registry, Release, Settings
from knowledge.faults import BadInput
from knowledge.model import Framework, Status
from tests.bench.package_index import Index, file, serve

ROOT = Path(__file__).parents[2]
DAY = datetime.date(2026, 11, 26)
PYTORCH = "pkg:pypi/torch"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with serve(tmp_path / "index") as served:
        yield served


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, on a machine where nothing is configured, on a fixed day."""
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795651200")  # 2026-11-26
    return tmp_path / "home"


def advisor(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LANG": "C.UTF-8", "COLUMNS": "200", **variables}
    command = [sys.executable, "-m", "advisor", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)


def pytorch() -> Framework:
    return knowledge.load().frameworks["pytorch"]


def newest() -> str:
    return pytorch().lifecycle.releases[0].version


def torch(*releases: Release) -> Registry:
    return Registry(packages={PYTORCH: Package(asked=DAY, releases=releases)})


def problems(framework: Framework, registry: Registry, as_of: datetime.date = DAY) -> tuple[str, ...]:
    found = live.about(framework, registry, as_of)
    assert found is not None
    return found.stale


def test_refreshing_keeps_what_the_index_says_and_shows_it_later_without_a_network(home: Path, index: Index) -> None:
    index.lists(
        "torch",
        file("torch-98.0-py3-none-any.whl", "2026-09-26"),
        file("torch-99.0-py3-none-any.whl", "2026-11-25"),
    )
    refreshed = advisor("knowledge", "refresh", "pytorch", "caffe", UV_DEFAULT_INDEX=index.address)
    assert refreshed.returncode == 0, refreshed.stderr
    assert "latest release 99.0, 2026-11-25" in refreshed.stdout
    assert "2 final releases in 24 months, 60 days apart in the median" in refreshed.stdout
    assert f"look again: 99.0 is newer than {newest()}, the newest listed" in refreshed.stdout
    assert "not asked, since no package of theirs is on PyPI: caffe" in refreshed.stdout
    assert index.address not in (home / "registry.json").read_text(encoding="utf-8")

    shown = advisor("show", "pytorch", UV_DEFAULT_INDEX="http://127.0.0.1:1/simple")
    assert shown.returncode == 0, shown.stderr
    assert "pkg:pypi/torch, as its index said on 2026-11-26" in shown.stdout
    assert "pip install torch" in shown.stdout
    page = json.loads(advisor("show", "pytorch", "--json").stdout)["live"]
    assert (page["latest"]["version"], page["cadence"]["releases"]) == ("99.0", 2)
    assert json.loads(advisor("show", "keras", "--json").stdout)["live"] is None


def test_the_check_warns_in_the_place_that_is_out_of_date_and_fails_for_none_of_it(home: Path, index: Index) -> None:
    index.lists("torch", file("torch-99.0-py3-none-any.whl", "2026-11-25"))
    assert advisor("knowledge", "refresh", "pytorch", UV_DEFAULT_INDEX=index.address).returncode == 0
    checked = advisor("knowledge", "check", "--as-of", "2026-11-26", "--json")
    assert checked.returncode == 0, checked.stderr
    _, places = knowledge.load_with_places()
    place = places.framework("pytorch", "lifecycle", "releases", 0)
    newer = f"99.0 is newer than {newest()}, the newest listed"
    (fault,) = [each["fault"] for each in json.loads(checked.stdout)["findings"] if each["fault"]["problem"] == newer]
    assert (fault["file"], fault["line"], fault["key"]) == (place.file, place.line, place.key)
    assert fault["mend"] == "look again; the index was asked on 2026-11-26"


def test_no_recommendation_changes_by_it(home: Path, index: Index) -> None:
    words = ("recommend", "--answers", str(ROOT / "examples" / "beginner-images.yaml"), "--as-of", "2026-11-26")
    before = advisor(*words, "--json")
    index.lists("torch", file("torch-99.0-py3-none-any.whl", "2026-11-25", yanked=True))
    assert advisor("knowledge", "refresh", "pytorch", UV_DEFAULT_INDEX=index.address).returncode == 0
    assert advisor(*words, "--json").stdout == before.stdout != ""


def test_an_index_that_fails_leaves_what_was_kept_and_is_told(home: Path, index: Index) -> None:
    index.lists("torch", file("torch-99.0-py3-none-any.whl", "2026-11-25"))
    framework = pytorch()
    first = live.refresh([framework], Settings(indexes=(index.address,), seconds=5))
    assert (first.asked, first.kept, first.problem) == (("pytorch",), (), "")
    written = (home / "registry.json").read_bytes()
    index.fails("torch", 502)
    again = live.refresh([framework], Settings(indexes=(index.address,), seconds=5))
    assert (again.asked, again.kept) == ((), ("pytorch",))
    assert again.registry == first.registry
    assert (home / "registry.json").read_bytes() == written
    told = advisor("knowledge", "refresh", "pytorch", UV_DEFAULT_INDEX=index.address)
    assert told.returncode == 1
    assert "the index answered with 502 Bad Gateway; kept as they were, or unknown: pytorch" in told.stderr
    assert "as its index said on 2026-11-26" in told.stdout


def test_what_is_kept_of_others_stays(home: Path, index: Index) -> None:
    base, where = knowledge.load(), Settings(indexes=(index.address,), seconds=5)
    index.lists("torch", file("torch-2.0-py3-none-any.whl"))
    live.refresh([base.frameworks["pytorch"]], where)
    index.lists("keras", file("keras-3.0-py3-none-any.whl"))
    assert set(live.refresh([base.frameworks["keras"]], where).registry.packages) == {PYTORCH, "pkg:pypi/keras"}


def test_a_file_that_holds_no_answers_is_bad_input(home: Path) -> None:
    home.mkdir()
    (home / "registry.json").write_text("{")
    with pytest.raises(BadInput) as caught:
        live.kept()
    (fault,) = caught.value.faults
    assert (fault.file, fault.problem) == (str(home / "registry.json"), "holds no answers of a package index")
    shown = advisor("show", "pytorch")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "remove it; `advisor knowledge refresh` writes it anew" in shown.stderr


def test_nothing_is_known_before_anything_was_asked(home: Path) -> None:
    assert live.kept() == Registry()
    assert live.about(pytorch(), live.kept(), DAY) is None
    assert live.findings(*knowledge.load_with_places(), live.kept(), DAY) == []


# --- what no longer fits ---------------------------------------------------------------------------------------------


def pinned(requirement: str) -> Framework:
    """PyTorch with one recipe, which pins `requirement`."""
    framework = pytorch()
    return structs.replace(framework, recipes=(structs.replace(framework.recipes[0], requirements=(requirement,)),))


def test_a_release_after_the_day_of_judgement_is_not_newer_yet() -> None:
    registry = torch(Release(version="99.0", date=DAY))
    assert problems(pinned("numpy"), registry) == (f"99.0 is newer than {newest()}, the newest listed",)
    assert problems(pinned("numpy"), registry, DAY - datetime.timedelta(days=1)) == ()


def test_what_was_withdrawn_or_never_final_is_not_newer() -> None:
    registry = torch(
        Release(version="99.0rc1", date=DAY, pre=True),
        Release(version="98.0", date=DAY, yanked=True),
        Release(version=newest(), date=DAY),
    )
    assert problems(pinned("numpy"), registry) == ()


def test_a_pinned_version_that_is_gone_or_withdrawn_is_told() -> None:
    registry = torch(Release(version=newest()), Release(version="1.0", yanked=True))
    assert problems(pinned("torch==1.0"), registry) == ("1.0 was withdrawn (yanked)",)
    assert problems(pinned("Torch[extra]==0.9; python_version > '3'"), registry) == ("0.9 is no longer on the index",)
    assert problems(pinned(f"torch=={newest()}.0"), registry) == ()
    for unpinned in ("torch>=1", "torch", "torchvision==1.0"):
        assert problems(pinned(unpinned), registry) == ()


def test_a_package_that_is_gone_is_told_once_and_cannot_be_installed() -> None:
    found = live.about(pytorch(), torch(), DAY)
    assert found is not None
    assert found.stale == ("pkg:pypi/torch is not on the index",)
    assert found.install == ""
    assert "no release can be had" in list(live.lines(found))


def test_a_project_that_its_index_calls_archived_is_told_unless_the_file_says_so() -> None:
    package = Package(asked=DAY, releases=(Release(version=newest()),), status="archived")
    framework = pinned("numpy")
    assert problems(framework, Registry(packages={PYTORCH: package})) == ("its index calls it archived",)
    life = structs.replace(framework.lifecycle, status=Status.ABANDONED)
    assert problems(structs.replace(framework, lifecycle=life), Registry(packages={PYTORCH: package})) == ()


@pytest.mark.parametrize(
    ("release", "told"),
    [
        (
            Release(version="2.0", pythons=("3.11", "3.12")),
            "pip install torch  (for Python 3.11, 3.12 of this machine)",
        ),
        (
            Release(version="2.0", source=True),
            "pip install torch  (only from source: no wheel fits a Python of this machine)",
        ),
        (Release(version="2.0"), "no wheel fits a Python of this machine"),
    ],
)
def test_installing_is_told_for_this_machine(release: Release, told: str) -> None:
    found = live.about(pytorch(), torch(release), DAY)
    assert found is not None
    assert told in list(live.lines(found))
