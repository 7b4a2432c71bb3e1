"""Pipes and devices are told from files, whatever the name."""

import os
from pathlib import Path

import pytest

from bench.files import is_special


def test_only_what_is_neither_file_nor_folder_is_special(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    special = {name for name in ("file", "link", "loop", "pipe", "nothing", "") if is_special(tmp_path / name)}
    assert special == {"link", "pipe"}
    assert is_special(Path(os.devnull))


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_not_special(tmp_path: Path, name: str) -> None:
    assert not is_special(tmp_path / name)
