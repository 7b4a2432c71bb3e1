"""Texts that leave the machine name nobody's folders."""

from pathlib import Path

import pytest

from bench.scrub import scrubbed


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("cannot open /home/somebody/cache/model.bin", "cannot open model.bin"),
        (r"cannot open C:\Users\somebody\model.bin", "cannot open model.bin"),
        ("see https://example.org/docs/page", "see https://example.org/docs/page"),
        ("\x1b[31mred\nline\u202e", " [31mred line "),
        ("3/4 of pytorch:eager", "3/4 of pytorch:eager"),
    ],
)
def test_of_a_path_its_last_part_is_kept_and_of_control_characters_nothing(text: str, left: str) -> None:
    assert scrubbed(text) == left


def test_a_home_folder_itself_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/somebody"))
    assert scrubbed("no space left in /home/somebody") == "no space left in ~"
    assert scrubbed("/home/somebody/a/b.txt is gone") == "b.txt is gone"
