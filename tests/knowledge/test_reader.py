"""knowledge.reader: what is accepted, what is refused, in which words and where."""

import datetime
import os
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import reader
from knowledge.faults import BadInput, Fault
from knowledge.model import Anchors, Criterion, Source
from knowledge.reader import Plain, convert, did_you_mean, dotted, parse, read

_PARSERS = [yaml.SafeLoader] + ([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])


@pytest.fixture(params=_PARSERS, ids=lambda loader: loader.__name__)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers: the wheel brings libyaml, other builds may not."""
    monkeypatch.setattr(reader, "_LOADER", request.param)


def faults_of(text: bytes) -> tuple[Fault, ...]:
    with pytest.raises(BadInput) as caught:
        parse(text, "sheet.yaml")
    return caught.value.faults


# --- what is accepted ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("off", "off"),
        ("12", 12),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("010", "010"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e5", 1e5),
        ("2.", 2.0),
        ("1.2.3", "1.2.3"),
        ("2026-11-20", "2026-11-20"),
        ("9223372036854775807", 2**63 - 1),
        ("'1'", "1"),
        ('"null"', "null"),
        ("'.inf'", ".inf"),
        ("-", [None]),
        ("[1, a, {b: 2}]", [1, "a", {"b": 2}]),
        ("|\n  one\n  two\n", "one\ntwo\n"),
        (">\n  one\n  two\n", "one two\n"),
        ("中文", "中文"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: Plain) -> None:
    document = parse(f"key:\n  {text}\n".encode(), "x")
    assert document.value == {"key": value}
    assert isinstance(document.value, dict)
    assert type(document.value["key"]) is type(value)


def test_keys_are_text_as_written() -> None:
    document = parse(b"{1: a, true: b, null: c, 1.50: d, 2026-11-20: e, '<<': f}", "x")
    assert document.value == {"1": "a", "true": "b", "null": "c", "1.50": "d", "2026-11-20": "e", "<<": "f"}


def test_a_utf8_byte_order_mark_is_tolerated() -> None:
    assert parse(b"\xef\xbb\xbfa: 1", "x").value == {"a": 1}


def test_an_explicit_document_start_and_end_are_tolerated() -> None:
    assert parse(b"---\na: 1\n...\n", "x").value == {"a": 1}


def test_another_top_level_than_a_mapping_needs_the_callers_consent() -> None:
    assert parse(b"- 1", "x", mapping=False).value == [1]
    assert faults_of(b"- 1")[0].problem == "expected a mapping, found a list"


@pytest.mark.usefixtures("parser")
def test_every_value_knows_its_line() -> None:
    document = parse(b"# head\na:\n  - 1\n  - b: 2\n    c: [3,\n      4]\n'd': |\n  text\n", "x")
    assert document.line() == 2
    assert document.line(("a",)) == 2
    assert document.line(("a", 0)) == 3
    assert document.line(("a", 1)) == 4
    assert document.line(("a", 1, "c")) == 5
    assert document.line(("a", 1, "c", 1)) == 6
    assert document.line(("d",)) == 7


def test_the_line_of_what_is_not_there_is_that_of_what_is_around_it() -> None:
    document = parse(b"a:\n  b: {c: 1}\n", "x")
    assert document.line(("a", "b", "missing", "deeper")) == 2
    assert document.line(("a", "b", "c", 0)) == 2


# --- what is refused -------------------------------------------------------------------------------------------------

_HOSTILE = {
    "a tag": (b"a: !!str 1\nb: 2", 1, "a", "the tag"),
    "a local tag": (b"a: 1\nb: !mine [1]", 2, "b", "the tag '!mine'"),
    "a tag that makes objects": (b"a: !!python/object/apply:os.system [ls]", 1, "a", "the tag"),
    "a key with a tag": (b"!!str a: 1", 1, "", "the tag"),
    "an anchor": (b"a: &x 1", 1, "a", "the anchor &x"),
    "a merge key": (b"a:\n  <<: {b: 1}", 2, "a.<<", "merge keys"),
    "a duplicate key": (b"a: 1\nb: 2\na: 3", 3, "a", "stands here twice, first on line 1"),
    "a duplicate key inside": (b"a:\n  - {b: 1, b: 2}", 2, "a[0].b", "stands here twice"),
    "a duplicate key in quotes": (b"a: 1\n'a': 3", 2, "a", "stands here twice"),
    "a second document": (b"a: 1\n---\nb: 2", 2, "", "a second document"),
    "a directive": (b"%YAML 1.1\n---\na: 1", 1, "", "directives"),
    "a key that is a list": (b"? [a]\n: 1", 1, "", "a mapping key has to be text"),
    "not a number": (b"a: .nan", 1, "a", "not a finite number"),
    "infinity": (b"a: [1, -.inf]", 1, "a[1]", "not a finite number"),
    "a float that overflows": (b"a: 1e999", 1, "a", "too large"),
    "an integer that overflows": (b"a: 9223372036854775808", 1, "a", "too large"),
    "an integer of 5,000 digits": (b"a: " + b"9" * 5000, 1, "a", "too large"),
    "a NUL": (b"a: 1\nb: \0", 2, "", "U+0000"),
    "an escape character": (b"a: \x1b[2J", 1, "", "U+001B"),
    "an escaped escape character": (b'a: "\\e[2J"', 1, "a", "U+001B"),
    "a mark that reverses text": ("a: x\u202ey".encode(), 1, "", "U+202E"),
    "a tab as indentation": (b"a:\n\tb: 1", 2, "", "not valid YAML"),
    "a bracket left open": (b"a: [1, 2", 1, "", "not valid YAML"),
    "a quote left open": (b"a: 'x", 1, "", "not valid YAML"),
    "a colon in plain text": (b"a: b: c", 1, "", "not valid YAML"),
    "nothing": (b"", None, "", "is empty"),
    "a comment only": (b"# a\n", None, "", "is empty"),
    "null only": (b"~", None, "", "is empty"),
    "text only": (b"hello", 1, "", "expected a mapping, found the text 'hello'"),
    "UTF-16": ("a: 1".encode("utf-16"), None, "", "is UTF-16, expected UTF-8"),
    "UTF-16 without a mark, little end": ("a: 1".encode("utf-16-le"), None, "", "looks like UTF-16"),
    "UTF-16 without a mark, big end": ("a: 1".encode("utf-16-be"), None, "", "looks like UTF-16"),
    "UTF-32": ("a: 1".encode("utf-32"), None, "", "is UTF-32, expected UTF-8"),
    "latin-1": (b"a: 1\nb: caf\xe9", 2, "", "is not UTF-8: byte 0xe9"),
    "5,000 levels in block style": (b"- " * 5000, 1, "", "nested more than 32 levels"),
    "5,000 levels of keys": (b"".join(b" " * i + b"a:\n" for i in range(2000)), 33, "", "nested more than"),
    "5,000 levels in flow style": (b"[" * 5000, 1, "", "nested more than 32 levels"),
    "5,000 levels of flow mappings": (b"{a: " * 5000, 1, "", "nested more than 32 levels"),
    "a huge text": (b"x" * (reader.MAX_BYTES + 1), None, "", "is larger than 4 MiB"),
    "a huge list": (b"a: [" + b"1," * reader.MAX_NODES + b"]", 1, "", "more than 200,000 values"),
}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(("text", "line", "key", "problem"), _HOSTILE.values(), ids=_HOSTILE.keys())
def test_hostile_text_gets_one_fault_that_names_the_place(
    text: bytes, line: int | None, key: str, problem: str
) -> None:
    faults = faults_of(text)
    assert len(faults) == 1
    assert faults[0].file == "sheet.yaml"
    assert faults[0].key == key
    assert problem in faults[0].problem
    # The two parsers place the end of unfinished text on the last line or behind it.
    assert faults[0].line == line or (problem == "not valid YAML" and line is not None and faults[0].line == line + 1)


@pytest.mark.usefixtures("parser")
def test_an_alias_bomb_is_refused_unexpanded() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 1000))
    faults = faults_of(bomb.encode())
    assert [fault.problem for fault in faults[:3]] == [
        "the anchor &a0 is not used here",
        "the anchor &a1 is not used here",
        "the alias *a0 is not used here",
    ]
    assert len(faults) == reader.MAX_FAULTS + 1
    assert faults[-1].problem == "too many faults, the rest was not read"


def test_an_alias_as_a_key_is_refused() -> None:
    assert [fault.key for fault in faults_of(b"a: &x b\n*x : 1")] == ["a", ""]


@pytest.mark.usefixtures("parser")
def test_all_faults_are_collected_where_reading_can_go_on() -> None:
    faults = faults_of(b"a: 1\na: 2\nb: .inf\nc: !x {d: 1, d: 2}\n")
    assert [(fault.line, fault.key) for fault in faults] == [(2, "a"), (3, "b"), (4, "c"), (4, "c.d")]
    assert all(fault.mend for fault in faults)


@pytest.mark.parametrize(
    "text", [text for text, *_ in _HOSTILE.values()], ids=[f"{case} in a file" for case in _HOSTILE]
)
def test_a_hostile_file_is_refused_as_its_text_is(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "sheet.yaml"
    path.write_bytes(text)
    with pytest.raises(BadInput) as caught:
        read(path, name="sheet.yaml")
    assert caught.value.faults == faults_of(text)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"there is no such file \(check the name and the folder\)"):
        read(tmp_path / "missing.yaml")


def test_a_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder, not a file"):
        read(tmp_path)


def test_a_name_that_cannot_be_a_file_says_so() -> None:
    with pytest.raises(BadInput) as caught:
        read(Path("a\0b.yaml"))
    assert len(caught.value.faults) == 1


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sheet.yaml"
    path.write_bytes(b"a: 1")
    if sys.platform != "win32" and os.geteuid() != 0:
        path.chmod(0)
    else:  # root may read everything

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadInput, match="may not be read"):
        read(path)


# --- properties ------------------------------------------------------------------------------------------------------


@settings(deadline=None)  # other work on the machine is no fault
@given(st.binary(max_size=300))
def test_bytes_become_a_document_or_bad_input_and_nothing_else(text: bytes) -> None:
    with suppress(BadInput):
        parse(text, "x")


@settings(deadline=None)  # other work on the machine is no fault
@given(st.lists(st.sampled_from([*"[]{}:,-?&*!|>'\"%@`#~<\n\t ab01.", "- ", ": ", "<<", "&a ", "*a", "---\n"])))
def test_yaml_like_text_becomes_a_document_or_bad_input_and_nothing_else(pieces: list[str]) -> None:
    with suppress(BadInput):
        parse("".join(pieces).encode(), "x")


# Visible characters; text that reads as a float in YAML 1.2 only, such as 1e5, is what PyYAML (1.1) leaves unquoted.
_TEXT = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])).filter(
    lambda text: not reader.FLOAT.fullmatch(text)
)
_PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)  # other work on the machine is no fault
@given(st.dictionaries(_TEXT, _PLAIN))
def test_what_pyyaml_writes_is_read_back_equal(value: dict[str, Any]) -> None:
    assert parse(yaml.safe_dump(value).encode(), "x").value == value


# --- records ---------------------------------------------------------------------------------------------------------


def misfits(text: str, type_: type) -> list[tuple[int | None, str, str, str]]:
    with pytest.raises(BadInput) as caught:
        convert(parse(text.encode(), "x"), type_)
    return [(fault.line, fault.key, fault.problem, fault.mend) for fault in caught.value.faults]


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    size: Annotated[float, msgspec.Meta(gt=0, le=10)]
    on: bool = False


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    colour: Colour
    day: datetime.date | None = None
    inner: Inner | None = None
    listed: tuple[Inner, ...] = ()
    mapped: dict[str, tuple[int, ...]] = {}
    word: Literal["a", "b"] = "a"
    either: str | tuple[Inner, ...] = ""


class Interval(msgspec.Struct):
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("The interval is empty")


def test_a_fitting_document_becomes_the_record() -> None:
    text = (
        "name: x\ncolour: red\nday: 2026-11-20\ninner: {size: 3}\nlisted: [{size: 1.5, on: true}]\nmapped: {k: [1]}\n"
    )
    assert convert(parse(text.encode(), "x"), Outer) == Outer(
        name="x",
        colour=Colour.RED,
        day=datetime.date(2026, 11, 20),
        inner=Inner(size=3),
        listed=(Inner(size=1.5, on=True),),
        mapped={"k": (1,)},
    )


def test_renamed_fields_are_read_by_their_names_in_the_file() -> None:
    text = '{"0": {en: a, zh: b}, "5": {en: c, zh: d}, "10": {en: e, zh: f}}'
    assert convert(parse(text.encode(), "x"), Anchors).best.en == "e"
    assert misfits('{"0": {en: a, zh: b}, "5": {en: c, zh: d}}', Anchors) == [
        (1, "10", "is missing", "add it: a mapping")
    ]


_GOOD = "name: x\ncolour: red\n"
_MISFITS = {
    "a number for text": (
        "name: 3.1\ncolour: red",
        1,
        "name",
        "expected text, found the number 3.1",
        "put it into quotes",
    ),
    "true for text": ("name: true\ncolour: red", 1, "name", "expected text, found true", "put it into quotes"),
    "null for text": ("name: null\ncolour: red", 1, "name", "expected text, found nothing", ""),
    "an unknown word": ("name: x\ncolour: gren", 2, "colour", "'gren' is not known here", "did you mean 'green'?"),
    "a number for a word": ("name: x\ncolour: 1", 2, "colour", "expected one of red, green, found the number 1", ""),
    "an unknown literal": (_GOOD + "word: c", 3, "word", "'c' is not known here", "known: a, b"),
    "an impossible date": (_GOOD + "day: 2026-02-30", 3, "day", "'2026-02-30' is not a date", "write it as 2026-11-20"),
    "a number for a date": (_GOOD + "day: 2026", 3, "day", "expected a date, found the number 2026", ""),
    "a list for a mapping": (_GOOD + "inner: [1]", 3, "inner", "expected a mapping, found a list", ""),
    "a mapping for a list": (_GOOD + "listed: {a: 1}", 3, "listed", "expected a list, found a mapping", ""),
    "text for a number": (_GOOD + "inner: {size: big}", 3, "inner.size", "expected a number, found the text 'big'", ""),
    "true for a number": (_GOOD + "inner: {size: true}", 3, "inner.size", "expected a number, found true", ""),
    "one for true": (
        _GOOD + "inner: {size: 1, on: 1}",
        3,
        "inner.on",
        "expected true or false, found the number 1",
        "",
    ),
    "a number too large": (_GOOD + "inner: {size: 11}", 3, "inner.size", "11 is out of range", "write a number <= 10"),
    "a number too small": (_GOOD + "inner: {size: 0}", 3, "inner.size", "0 is out of range", "write a number > 0"),
    "a fraction for a count": (
        _GOOD + "mapped:\n  k:\n    - 1\n    - 1.5",
        6,
        "mapped.k[1]",
        "expected a whole number, found the number 1.5",
        "",
    ),
    "an unknown key": (
        "name: x\ncolour: red\nlisted:\n  - {sise: 1, size: 1}",
        4,
        "listed[0].sise",
        "unknown key",
        "known: on",
    ),
    "a misspelt key": (_GOOD + "maped: {}", 3, "maped", "unknown key", "did you mean 'mapped'?"),
    "a missing key": ("colour: red", 1, "name", "is missing", "add it: text"),
    "a misfit in one kind of two": (
        _GOOD + "either: [{size: 1}, {size: 0}]",
        3,
        "either[1].size",
        "0 is out of range",
        "write a number > 0",
    ),
    "neither kind of two": (_GOOD + "either: 3", 3, "either", "expected text or a list, found the number 3", ""),
}


@pytest.mark.parametrize(("text", "line", "key", "problem", "mend"), _MISFITS.values(), ids=_MISFITS.keys())
def test_a_misfit_names_place_problem_and_mend(text: str, line: int, key: str, problem: str, mend: str) -> None:
    assert misfits(text, Outer) == [(line, key, problem, mend)]


def test_all_misfits_are_collected_in_order_of_line() -> None:
    text = "colour: blue\ninner:\n  size: -1\n  of: 1\nlisted:\n  - {size: 1}\n  - 3\n  - {size: x, on: y}\n"
    assert [(line, key) for line, key, _, _ in misfits(text, Outer)] == [
        (1, "colour"),
        (1, "name"),
        (3, "inner.size"),
        (4, "inner.of"),
        (7, "listed[1]"),
        (8, "listed[2].size"),
        (8, "listed[2].on"),
    ]


def test_misfits_are_found_at_any_depth_of_a_recursive_record() -> None:
    node = "id: x\nname: {en: a, zh: b}\nquestion: {en: a, zh: b}\n"
    assert [key for _, key, _, _ in misfits(node + "children: [{id: 1, children: [{id: 2}]}]", Criterion)] == [
        "children[0].id",
        "children[0].children[0].id",
        "children[0].children[0].name",
        "children[0].children[0].question",
        "children[0].name",
        "children[0].question",
    ]


def test_what_a_record_itself_refuses_is_reported_in_its_words() -> None:
    assert misfits("low: 2\nhigh: 1", Interval) == [(1, "", "the interval is empty", "")]


def test_very_many_misfits_are_counted_not_listed() -> None:
    text = _GOOD + "listed: [" + "0, " * 1000 + "]"
    faults = misfits(text, Outer)
    assert len(faults) == reader.MAX_FAULTS + 1
    assert faults[-1][2] == f"and {1000 - reader.MAX_FAULTS} faults more"


def test_an_altered_part_of_a_document_keeps_its_lines() -> None:
    document = parse(b"a: 1\nsources:\n  - title: 1\n", "x")
    with pytest.raises(BadInput) as caught:
        convert(document, Source, {"title": 1, "id": "x"}, path=("sources", 0))
    assert {(fault.line, fault.key.rpartition(".")[0]) for fault in caught.value.faults} == {(3, "sources[0]")}


# --- words -----------------------------------------------------------------------------------------------------------


def test_paths_are_written_as_people_read_them() -> None:
    assert dotted(("answers", "build", 0, "x")) == "answers.build[0].x"
    assert dotted((0, "a")) == "[0].a"
    assert dotted(()) == ""


def test_suggestions_name_the_closest_or_else_a_few_or_else_nothing() -> None:
    assert did_you_mean("pytroch", ["pytorch", "keras"]) == "did you mean 'pytorch'?"
    assert did_you_mean("x", ["pytorch", "keras"]) == "known: pytorch, keras"
    assert did_you_mean("x", [f"framework-{number}" for number in range(50)]) == ""
    assert did_you_mean("x", []) == ""
