"""Environments are made by a real uv from a real (tiny) wheel, once per recipe; failures say why and what to do."""

import asyncio
import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bench.environments import Environment, EnvironmentFailure, Environments, interpreters, recipe_for
from bench.machine import platform_tag
from knowledge.model import Framework, Link, Recipe

THIS_PYTHON = max(interpreters(), key=lambda minor: tuple(map(int, minor.split("."))))


def _recipe(**changes: object) -> Recipe:
    fields: dict[str, object] = {
        "id": "cpu",
        "devices": ("cpu",),
        "python": (THIS_PYTHON,),
        "requirements": ("tiny-thing==1.0",),
        "platforms": (platform_tag(),),
        "download_mb": 1.0,
        "disk_mb": 1.0,
        "install_seconds": 1.0,
        "verified": "trained",
    }
    return Recipe(**(fields | changes))  # type: ignore[arg-type]


def _framework(*recipes: Recipe) -> Framework:
    return cast(Framework, SimpleNamespace(id="tiny", name="Tiny", recipes=recipes))


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one wheel, the only place uv may look."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_thing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_thing/__init__.py", "ANSWER = 42\n")
        wheel.writestr("tiny_thing/data-abc.bin", "x")
        wheel.writestr("tiny_thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n")
        wheel.writestr(
            "tiny_thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("tiny_thing-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    return folder


async def _create(environments: Environments, recipe: Recipe) -> tuple[Environment, list[str]]:
    said: list[str] = []
    made = await environments.create(_framework(recipe), recipe, lambda what, _fraction: said.append(what))
    return made, said


async def test_an_environment_holds_what_its_recipe_names_and_nothing_of_ours(wheels: Path, tmp_path: Path) -> None:
    made, said = await _create(Environments(tmp_path / "env"), _recipe(environment={"MODE": "x"}))
    program = "import tiny_thing, importlib.util as u; print(tiny_thing.ANSWER, u.find_spec('textual'))"
    command = [made.python, "-I", "-c", program]
    answer = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "42 None"
    assert made.freeze == {"tiny-thing": "1.0"}
    assert made.variables["MODE"] == "x"
    assert Path(made.variables["HOME"]).is_relative_to(made.path)
    assert said[0] == "finding versions"
    assert list((made.path / "venv").rglob("__pycache__/*.pyc"))


async def test_the_same_recipe_is_made_once_and_another_recipe_apart(wheels: Path, tmp_path: Path) -> None:
    environments = Environments(tmp_path / "env")
    first, _ = await _create(environments, _recipe())
    again, said = await _create(environments, _recipe(notes="only words changed"))
    assert (again.name, said) == (first.name, [])
    other, _ = await _create(environments, _recipe(requirements=("tiny-thing",)))
    assert other.name != first.name
    assert environments.finished() == tuple(sorted((first, other), key=lambda e: e.name))


async def test_links_are_made_and_named_as_stand_ins(wheels: Path, tmp_path: Path) -> None:
    recipe = _recipe(links=(Link(target="tiny_thing/data-*.bin", name="tiny_thing/data.bin"),))
    made, _ = await _create(Environments(tmp_path / "env"), recipe)
    link = next(made.path.rglob("site-packages/tiny_thing/data.bin"))
    assert link.read_text() == "x"
    assert made.stand_ins == ("tiny_thing/data.bin -> tiny_thing/data-*.bin",)


async def test_two_at_once_share_one_environment(wheels: Path, tmp_path: Path) -> None:
    environments = Environments(tmp_path / "env")
    (one, _), (two, _) = await asyncio.gather(_create(environments, _recipe()), _create(environments, _recipe()))
    assert one == two


@pytest.mark.parametrize(
    ("changes", "reason", "mend"),
    [
        ({"requirements": ("tiny-thing==9",)}, "no fitting version", "index settings"),
        ({"disk_mb": 1e12}, "of disk are needed", "ADVISOR_HOME"),
        ({"python": ("3.99",)}, "needs Python 3.99", "install Python 3.99"),
        ({"links": (Link(target="gone-*.so", name="gone.so"),)}, "carries no gone-*.so", "recipe"),
    ],
)
async def test_a_failure_says_why_and_leaves_nothing_behind(
    wheels: Path, tmp_path: Path, changes: dict[str, object], reason: str, mend: str
) -> None:
    environments = Environments(tmp_path / "env")
    with pytest.raises(EnvironmentFailure) as failure:
        await _create(environments, _recipe(**changes))
    assert reason in failure.value.reason
    assert mend in failure.value.mend
    assert environments.finished() == environments.unfinished() == ()


async def test_an_unreachable_index_is_named_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(EnvironmentFailure) as failure:
        await _create(Environments(tmp_path / "env"), _recipe())
    assert "cannot be reached" in failure.value.reason
    assert "127.0.0.1" not in str(failure.value)


async def test_an_interrupted_one_is_unfinished_until_it_is_made_again(wheels: Path, tmp_path: Path) -> None:
    environments = Environments(tmp_path / "env")
    made, _ = await _create(environments, _recipe())
    (made.path / "environment.json").write_text('{"half', encoding="utf-8")
    assert environments.finished() == ()
    assert environments.unfinished() == (made.path,)
    again, _ = await _create(environments, _recipe())
    assert environments.finished() == (again,)


async def test_one_that_is_being_made_is_not_taken_for_unfinished(wheels: Path, tmp_path: Path) -> None:
    environments, seen = Environments(tmp_path / "env"), []

    def look(what: str, _fraction: float | None) -> None:
        seen.append((what, environments.unfinished()))

    await environments.create(_framework(_recipe()), _recipe(), look)
    assert ("making the environment", ()) in seen
    (tmp_path / "env" / "half").mkdir()
    (tmp_path / "env" / "elsewhere").symlink_to(wheels)
    assert environments.unfinished() == (tmp_path / "env" / "half",)


async def test_a_folder_that_cannot_be_written_to_is_named(wheels: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match="could not be written: Not a directory"):
        await _create(Environments(tmp_path / "file" / "env"), _recipe())


async def test_removing_takes_the_folder_and_refuses_other_names(wheels: Path, tmp_path: Path) -> None:
    environments = Environments(tmp_path / "env")
    made, _ = await _create(environments, _recipe())
    with pytest.raises(KeyError):
        environments.remove("../wheels")
    environments.remove(made.name)
    assert not made.path.exists()


def test_a_recipe_is_chosen_by_backend_device_and_platform() -> None:
    ours, cuda = _recipe(), _recipe(id="cuda", devices=("cuda",))
    assert recipe_for(_framework(cuda, ours), None, "cpu") is ours
    assert recipe_for(_framework(cuda, ours), None, "cuda:1") is cuda
    with pytest.raises(EnvironmentFailure, match="no recipe for the device mps"):
        recipe_for(_framework(cuda, ours), None, "mps")
    with pytest.raises(EnvironmentFailure, match="no recipe for " + platform_tag()):
        recipe_for(_framework(_recipe(platforms=("plan9-mips",))), None, "cpu")
