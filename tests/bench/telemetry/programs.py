"""Doubles of vendors' programs: real processes that print what their documentation shows. Nothing here was recorded:
no GPU of these vendors was at hand."""

import os
import sys
from pathlib import Path

import pytest


def install(folder: Path, name: str, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program on the PATH that runs `program`, Python source."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable} -I\n{program}", encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
