"""What only the system can provide is looked for by the name it is asked for."""

from pathlib import Path

import pytest

from bench.machine import missing_need
from knowledge.model import Need


def _compiler(name: str) -> Need:
    return Need(kind="compiler", name=name, mend="install it")


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is all of the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    return tmp_path


def _program(folder: Path, name: str) -> None:
    program = folder / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)


@pytest.mark.parametrize("program", ["c++", "g++", "clang++"])
def test_any_cxx_compiler_serves_where_cxx_is_needed(only: Path, program: str) -> None:
    assert missing_need(_compiler("c++")) == "no c++ compiler is on the PATH"
    _program(only, program)
    assert missing_need(_compiler("c++")) is None


def test_the_compiler_that_the_environment_names_serves_for_cxx_alone(
    only: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(only, "icpx")
    monkeypatch.setenv("CXX", "icpx")
    assert missing_need(_compiler("c++")) is None
    assert missing_need(_compiler("clang")) == "no clang compiler is on the PATH"


def test_a_compiler_that_is_named_is_looked_for_by_that_name(only: Path) -> None:
    for other in ("c++", "g++", "clang++"):
        _program(only, other)
    assert missing_need(_compiler("clang")) == "no clang compiler is on the PATH"
    _program(only, "clang")
    assert missing_need(_compiler("clang")) is None
