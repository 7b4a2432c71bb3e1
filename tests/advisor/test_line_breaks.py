"""Lines break where Chinese is broken, and English as ever."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text
from textual.content import Content

from advisor.line_breaks import WORD, break_like_chinese


@pytest.fixture(autouse=True)
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    import rich._wrap

    monkeypatch.setattr(rich._wrap, "re_word", rich._wrap.re_word)  # as it was, afterwards
    break_like_chinese()


def _lines(text: str, width: int) -> list[str]:
    return [line.plain.rstrip() for line in Text(text).wrap(Console(width=width), width)]


def test_chinese_fills_its_lines_and_marks_stay_with_what_they_close_or_open() -> None:
    told = "PyTorch 落后 Keras 0.41 分，主要失分项：样板代码少（0.64）、上手速度（0.15）。"
    assert _lines(told, 30) == [
        "PyTorch 落后 Keras 0.41 分，主",
        "要失分项：样板代码少（0.64）、",
        "上手速度（0.15）。",
    ]
    for width in range(10, 60):
        for line in _lines(told, width):
            assert not line.startswith(("，", "。", "、", "：", "）"))
            assert not line.endswith("（")


def test_a_number_keeps_its_per_cent_sign() -> None:
    assert _lines("weighed 16.5 % instead", 14) == ["weighed 16.5 %", "instead"]
    assert _lines("weighed 16.5 % instead", 13) == ["weighed", "16.5 %", "instead"]


def test_textual_breaks_alike() -> None:
    told = "它在 11 个中排第 5，落后第一名 1.15 分。"
    wrapped = [line.plain.rstrip() for line in Content(told).wrap(20)]
    assert wrapped == _lines(told, 20)
    assert wrapped == ["它在 11 个中排第 5，", "落后第一名 1.15 分。"]


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=60))
def test_english_breaks_as_ever(text: str) -> None:
    if not re.search(r"\d %", text):
        assert WORD.findall(text) == re.findall(r"\s*\S+\s*", text)


@given(st.text("“（，。汉字ab 1%\n", max_size=40))
def test_nothing_is_left_out(text: str) -> None:
    assert "".join(WORD.findall(text)) == (text if text.strip() else "")
