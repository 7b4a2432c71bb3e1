"""Strict YAML: bytes -> plain values with their positions -> typed records, every fault collected.

Every YAML file of the project (knowledge, answer sheets, workloads) comes in through here: `read` or `parse` makes a
`Document`, `convert` makes a record of it. What is accepted is a small, unsurprising part of YAML 1.2: mappings with
text keys, sequences, and the scalars of the core schema without its octal and hexadecimal integers. `yes` and `on`
are text, `2026-11-20` is text, `010` is text. Tags, anchors, aliases, merge keys, duplicate keys, directives, second
documents, infinities and control characters are refused.

The text is read as a stream of events and put together without recursion, so that neither nesting nor aliases nor
size can exhaust memory or the stack; the limits below stop a hostile file early.
"""

import datetime
import difflib
import enum
import math
import re
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml

from knowledge.faults import BadInput, Fault

MAX_BYTES: Final = 4 * 1024 * 1024
"""Largest file: some 30 times the largest one of the project."""

MAX_DEPTH: Final = 32
"""Deepest nesting: over three times what any record needs."""

MAX_NODES: Final = 200_000
"""Most values in one file: some 30 times what the largest one of the project holds."""

MAX_FAULTS: Final = 25
"""Most faults reported of one text: more than anybody mends in one go."""

_MAX_INTEGER: Final = 2**63 - 1
"""Largest magnitude of an integer: what JSON readers and databases agree on."""

_MAX_LISTED: Final = 20
"""Most ids a mend lists in full."""

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""What YAML text becomes: the values JSON knows."""

Steps = tuple[str | int, ...]
"""Way to a value: mapping keys and sequence indices from the top."""

T = TypeVar("T")


# --- what is handed out ----------------------------------------------------------------------------------------------


class _Place(msgspec.Struct):
    """Line of one value, and the places of what it contains (keyed as the value itself is)."""

    line: int
    inside: "dict[str, _Place] | list[_Place] | None" = None


class Document:
    """One YAML text: its plain value and where each part of it stands.

    Attributes:
        name: the file's name as faults are to show it.
        value: the top-level value.
    """

    __slots__ = ("_above", "_place", "name", "value")

    def __init__(self, name: str, value: Plain, place: _Place, above: Steps = ()) -> None:
        self.name = name
        self.value = value
        self._place = place
        self._above = above

    def part(self, path: Steps) -> "Document":
        """The value at `path` as a document of its own; its lines and keys stay those of the file.

        Raises:
            LookupError: there is no such value.
        """
        value, place = self.value, self._place
        for step in path:
            value, place = value[step], place.inside[step]  # type: ignore[index]
        return Document(self.name, value, place, (*self._above, *path))

    def line(self, path: Steps = ()) -> int:
        """The 1-based line of the value at `path` (of its key, in a mapping), or of the closest value around it."""
        place = self._place
        for step in path:
            try:
                place = place.inside[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):  # no such part: this is as close as one gets
                break
        return place.line

    def fault(self, path: Steps, problem: str, mend: str = "") -> Fault:
        """A fault of the value at `path`."""
        return Fault(self.name, self.line(path), dotted((*self._above, *path)), problem, mend)


def dotted(path: Iterable[str | int]) -> str:
    """`path` as people read it: ("answers", "build", 0) is "answers.build[0]"."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def did_you_mean(word: str, known: Iterable[str], *, listed: bool = True) -> str:
    """The mend for an unknown `word`: the most similar of the `known` ones, or else, if `listed` and few, all."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(known)}" if listed and 0 < len(known) <= _MAX_LISTED else ""


# --- files and text --------------------------------------------------------------------------------------------------


def read(path: Path, *, name: str | None = None, mapping: bool = True) -> Document:
    """Read one YAML file.

    Args:
        path: the file.
        name: what faults call it; the path as given when None.
        mapping: whether the top-level value has to be a mapping.

    Raises:
        BadInput: the file cannot be read, or `parse` refuses its text.
    """
    name = str(path) if name is None else name
    try:
        if path.is_dir():
            raise BadInput([Fault(name, None, "", "is a folder, not a file", "name a YAML file inside it")])
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BadInput([Fault(name, None, "", "there is no such file", "check the name and the folder")]) from None
    except PermissionError:
        raise BadInput([Fault(name, None, "", "may not be read", "give yourself the right to read it")]) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInput([Fault(name, None, "", f"cannot be read: {reason}")]) from None
    return parse(text, name, mapping=mapping)


def parse(text: bytes, name: str, *, mapping: bool = True) -> Document:
    """Read YAML text.

    Args:
        text: UTF-8, with or without a byte order mark.
        name: what faults call it.
        mapping: whether the top-level value has to be a mapping.

    Raises:
        BadInput: anything this module refuses, with every fault up to the one that made going on impossible.
    """
    builder = _Builder(name)
    try:
        _put_together(_decode(text, builder), builder)
    except _Unreadable:
        raise BadInput(builder.faults) from None
    document = Document(name, builder.value, builder.place)
    if mapping and not isinstance(document.value, dict) and not builder.faults:
        found = describe(document.value)
        builder.faults.append(
            document.fault((), f"expected a mapping, found {found}", "start with lines such as 'key: value'")
        )
    if builder.faults:
        raise BadInput(builder.faults)
    return document


class _Unreadable(Exception):
    """Reading cannot go on; the reason is among the faults."""


# Everything but tab, line breaks and characters that show as themselves: other control characters, surrogates and
# the marks that reorder text, which could make a terminal or an editor show something else than what is written.
_HIDDEN = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff"
_HIDDEN_IN_TEXT: Final = re.compile(f"[{_HIDDEN}]")
_HIDDEN_IN_VALUE: Final = re.compile(f"[{_HIDDEN}\r\x85]")

_WIDE_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_SAVE_AS_UTF8: Final = "save it as UTF-8"


def _decode(data: bytes, builder: "_Builder") -> str:
    """The text in `data`, its byte order mark removed."""
    if len(data) > MAX_BYTES:
        builder.stop(None, f"is larger than {MAX_BYTES // 1024**2} MiB", "split it, or name another file")
    for mark, encoding in _WIDE_MARKS:
        if data.startswith(mark):
            builder.stop(None, f"is {encoding}, expected UTF-8", _SAVE_AS_UTF8)
    if len(data) >= 2 and len(data) % 2 == 0 and 0 in data[:2] and data[:2] != b"\0\0":
        # ASCII in two bytes has a zero in every pair; no YAML text begins with a NUL.
        builder.stop(None, "looks like UTF-16 without a byte order mark, expected UTF-8", _SAVE_AS_UTF8)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_at(data[: error.start].decode("utf-8", "replace"))
        builder.stop(line, f"is not UTF-8: byte 0x{data[error.start]:02x}", _SAVE_AS_UTF8)
    for hidden in _HIDDEN_IN_TEXT.finditer(text):
        builder.blame_hidden(_line_at(text[: hidden.start()]), hidden.group())
    if builder.faults:
        raise _Unreadable
    return text


def _line_at(before: str) -> int:
    """The 1-based line a character stands on, given the text before it."""
    return len(re.findall("\r\n|\r|\n", before)) + 1


# --- events -> values ------------------------------------------------------------------------------------------------

# libyaml's parser where PyYAML was built with it (four times as fast), else the one in Python; same events.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))")
"""Unquoted text that is read as a number with a point or an exponent."""

_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_STARTS: Final = frozenset("+-.0123456789")

# The commonest slips, by a piece of the parser's own message.
_SYNTAX_MENDS: Final = (
    ("cannot start any token", "indent with spaces, not tabs, and quote text that starts with @, ` or %"),
    ("mapping values are not allowed", "put text that holds ': ' into quotes, and check the indentation"),
    ("while parsing a block", "check the indentation, and quote text that starts with a special character"),
    ("while parsing a flow", "close every [ and {, and put commas between entries"),
    ("while scanning a quoted", "close the quotes, and double a backslash"),
    ("could not find expected ':'", "write 'key: value', with a space after the colon"),
)


class _Open(msgspec.Struct):
    """A collection whose end has not been read yet."""

    value: dict[str, Plain] | list[Plain]
    place: _Place
    step: str | int | None  # from the collection around it; None at the top
    key: str | None = None  # of the entry being read, in a mapping
    key_line: int = 0


class _Builder(msgspec.Struct):
    """Puts a document together from the inside of one event loop."""

    name: str
    faults: list[Fault] = msgspec.field(default_factory=list)
    open: list[_Open] = msgspec.field(default_factory=list)
    value: Plain = None
    place: _Place = msgspec.field(default_factory=lambda: _Place(1))

    def blame(self, line: int | None, problem: str, mend: str = "", key: str | None = None) -> None:
        """Note a fault at the value being read and go on."""
        steps = [*(opened.step for opened in self.open), self.step() if key is None else key]
        path = dotted(step for step in steps if step is not None)
        self.faults.append(Fault(self.name, line, path, problem, mend))
        if len(self.faults) == MAX_FAULTS:
            self.stop(line, "too many faults, the rest was not read")

    def step(self) -> str | int | None:
        """The step to the value being read from the collection around it."""
        if not self.open:
            return None
        around = self.open[-1]
        return len(around.value) if isinstance(around.value, list) else around.key

    def stop(self, line: int | None, problem: str, mend: str = "") -> typing.NoReturn:
        """Note a fault and give up."""
        self.faults.append(Fault(self.name, line, "", problem, mend))
        raise _Unreadable

    def blame_hidden(self, line: int, character: str) -> None:
        self.blame(line, f"holds the hidden character U+{ord(character):04X}", "remove it")

    def add(self, value: Plain, place: _Place) -> None:
        """Put a finished value, or a collection that is about to be filled, where it belongs."""
        if not self.open:
            self.value, self.place = value, place
            return
        around = self.open[-1]
        if isinstance(around.value, list):
            around.value.append(value)
            typing.cast("list[_Place]", around.place.inside).append(place)
        else:
            key = typing.cast(str, around.key)
            place.line = around.key_line
            around.value[key] = value
            typing.cast("dict[str, _Place]", around.place.inside)[key] = place
            around.key = None

    def add_key(self, key: str, line: int) -> None:
        around = self.open[-1]
        places = typing.cast("dict[str, _Place]", around.place.inside)
        if key in around.value:
            first = places[key].line
            self.blame(line, f"the key stands here twice, first on line {first}", "keep one of them", key=key)
        around.key, around.key_line = key, line

    def expects_key(self) -> bool:
        return bool(self.open) and self.open[-1].key is None and isinstance(self.open[-1].value, dict)


def _put_together(text: str, builder: _Builder) -> None:
    """Read `text` into `builder`."""
    documents = nodes = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.NodeEvent):
                nodes += 1
                if nodes > MAX_NODES:
                    builder.stop(line, f"holds more than {MAX_NODES:,} values", "split it, or name another file")
                _add_node(event, line, builder)
            elif isinstance(event, yaml.CollectionEndEvent):
                builder.open.pop()
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    builder.stop(line, "a second document starts here", "keep one document in a file")
                if event.version or event.tags:
                    builder.blame(line, "directives (%YAML, %TAG) are not used here", "remove the directive")
    except yaml.YAMLError as error:
        _blame_syntax(error, builder)
    if not documents or (builder.value is None and not builder.faults):
        builder.stop(None, "is empty", "write at least one line such as 'key: value'")


def _add_node(event: yaml.NodeEvent, line: int, builder: _Builder) -> None:
    """Take in one scalar, alias, or start of a collection."""
    if event.anchor is not None:
        what = f"the alias *{event.anchor}" if isinstance(event, yaml.AliasEvent) else f"the anchor &{event.anchor}"
        builder.blame(line, f"{what} is not used here", "write the value out, or quote the text")
    if isinstance(event, yaml.AliasEvent):
        if builder.expects_key():
            builder.add_key(f"*{event.anchor}", line)
        else:
            builder.add(None, _Place(line))
        return
    assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)  # there is no other kind of node
    if event.tag is not None:
        builder.blame(line, f"the tag {event.tag!r} is not used here", "remove it, or quote the text")
    if isinstance(event, yaml.ScalarEvent):
        if event.style == '"' and (hidden := _HIDDEN_IN_VALUE.search(event.value)):
            builder.blame_hidden(line, hidden.group())
        if builder.expects_key():
            if event.implicit[0] and event.value == "<<":
                builder.blame(line, "merge keys (<<) are not used here", "write the entries out", key="<<")
            builder.add_key(event.value, line)
        else:
            value: Plain = event.value
            if event.implicit[0]:
                value = _resolve(event.value, line, builder)
            builder.add(value, _Place(line))
        return
    if builder.expects_key():
        builder.stop(line, "a mapping key has to be text", "write 'key: value', and quote { and [ in text")
    if len(builder.open) == MAX_DEPTH:
        _stop_too_deep(line, builder)
    if isinstance(event, yaml.MappingStartEvent):
        opened = _Open({}, _Place(line, {}), builder.step())
    else:
        opened = _Open([], _Place(line, []), builder.step())
    builder.add(opened.value, opened.place)
    builder.open.append(opened)


def _resolve(text: str, line: int, builder: _Builder) -> Plain:
    """The value of an unquoted scalar (YAML 1.2.2, section 10.3.2, without 0o and 0x)."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        # A magnitude of up to 19 digits is cheap to read; Python itself refuses thousands of them.
        if len(text) <= 20 and abs(number := int(text)) <= _MAX_INTEGER:
            return number
        builder.blame(line, f"the number {_shortened(text)} is too large")
    elif FLOAT.fullmatch(text):
        if math.isfinite(value := float(text)):
            return value
        builder.blame(line, f"the number {_shortened(text)} is too large")
    elif _NOT_FINITE.fullmatch(text):
        builder.blame(line, f"{text} is not a finite number", "write a number, or quote the text")
    else:
        return text
    return None


def _blame_syntax(error: yaml.YAMLError, builder: _Builder) -> typing.NoReturn:
    """Say in one line what the parser found."""
    line, said = None, str(error)
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        said = ", ".join(part for part in (error.context, error.problem) if part)
    elif isinstance(error, yaml.reader.ReaderError):
        said = error.reason
    if "maximum nesting depth" in said:  # newer libyaml has a limit of its own, and counts before there are events
        _stop_too_deep(line, builder)
    mend = next((mend for piece, mend in _SYNTAX_MENDS if piece in said), "check the line and the one above it")
    builder.stop(line, f"is not valid YAML: {said}", mend)


def _stop_too_deep(line: int | None, builder: _Builder) -> typing.NoReturn:
    builder.stop(line, f"is nested more than {MAX_DEPTH} levels deep", "write it flatter")


def _shortened(text: str, longest: int = 40) -> str:
    return text if len(text) <= longest else text[:longest] + "..."


# --- values -> records -----------------------------------------------------------------------------------------------


def convert(document: Document, type_: type[T], value: Plain | object = msgspec.UNSET, path: Steps = ()) -> T:
    """Make a typed record of a document.

    msgspec decides what fits: nothing is coerced but whole numbers to floats and ISO text to dates. As it stops at
    the first fault, a value that does not fit is then walked to find them all.

    Args:
        document: what was read; lends its lines.
        type_: the record, or any other type msgspec knows.
        value: what to convert instead of the whole document, an altered copy for instance.
        path: where in the document `value` stands.

    Raises:
        BadInput: with every fault.
    """
    if value is msgspec.UNSET:
        value = document.value
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        misfits = _misfits(value, type_)
        faults = [document.fault((*path, *inner), problem, mend) for inner, problem, mend in misfits]
        faults.sort(key=lambda fault: fault.line or 0)
        if len(faults) > MAX_FAULTS:
            faults[MAX_FAULTS:] = [document.fault((), f"and {len(faults) - MAX_FAULTS} faults more")]
        raise BadInput(faults) from None


_Misfit = tuple[Steps, str, str]  # where, problem, mend


def _misfits(value: object, type_: Any) -> list[_Misfit]:
    """What keeps `value` from being a `type_`: everything wrong with its parts, or else what is wrong with itself."""
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        said = str(error).split(" - at `")[0]
    else:
        return []
    kind = _kind(type_, value)
    origin, arguments = typing.get_origin(kind) or kind, typing.get_args(kind)
    misfits: list[_Misfit] = []
    if isinstance(value, dict) and isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        fields = {field.encode_name: field for field in msgspec.structs.fields(origin)}
        for key, part in value.items():
            if key in fields:
                misfits += _within(key, _misfits(part, fields[key].type))
            else:
                misfits.append(((key,), "unknown key", did_you_mean(key, fields.keys() - value.keys())))
        for key, wanted in fields.items():
            if wanted.required and key not in value:
                misfits.append(((key,), "is missing", f"add it: {_expected(wanted.type)}"))
    elif isinstance(value, dict) and origin is dict and len(arguments) == 2:
        for key, part in value.items():
            misfits += _within(key, _misfits(part, arguments[1]))
    elif isinstance(value, list) and origin in (list, tuple) and arguments:
        for index, part in enumerate(value):
            misfits += _within(index, _misfits(part, arguments[0]))
    return misfits or [((), *_in_words(value, kind, said))]


def _within(step: str | int, misfits: list[_Misfit]) -> list[_Misfit]:
    return [((step, *path), problem, mend) for path, problem, mend in misfits]


def _kind(type_: Any, value: object) -> Any:
    """`type_` without its constraints; of a union, the one member that could take `value`, if one alone could."""
    if typing.get_origin(type_) is typing.Annotated:
        return _kind(typing.get_args(type_)[0], value)
    if typing.get_origin(type_) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(type_) if member is not types.NoneType]
        kinds = [_kind(member, value) for member in members]
        fitting = [kind for kind in kinds if _expected(kind) == _NAMES.get(type(value))]
        return fitting[0] if len(fitting) == 1 else kinds[0] if len(kinds) == 1 else type_
    return type_


_NAMES: Final[dict[object, str]] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    datetime.date: "a date",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
    types.NoneType: "nothing",
}


def _expected(type_: Any) -> str:
    """What a value of `type_` is called."""
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if origin is typing.Annotated:
        return _expected(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_expected(member) for member in arguments)
    if choices := _choices(type_):
        return f"one of {', '.join(choices)}"
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return _NAMES[dict]
    return _NAMES.get(origin or type_, str(type_))


def _choices(type_: Any) -> list[str]:
    """The words a `type_` is chosen from, if it is."""
    if typing.get_origin(type_) is typing.Literal:
        return [str(choice) for choice in typing.get_args(type_)]
    if isinstance(type_, type) and issubclass(type_, enum.Enum):
        return [str(choice.value) for choice in type_]
    return []


def describe(value: object) -> str:
    """What a plain value is called: "the number 3.1", "a list"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {_shortened(value)!r}"
    return _NAMES.get(type(value), str(value))


_BOUND: Final = re.compile(r"Expected `(?:int|float)` ([<>]=?) (.+)")


def _in_words(value: object, kind: Any, said: str) -> tuple[str, str]:
    """The problem with one value and its mend; `said` is how msgspec put it."""
    if isinstance(value, str) and (choices := _choices(kind)):
        return f"{_shortened(value)!r} is not known here", did_you_mean(value, choices)
    if isinstance(value, str) and kind is datetime.date:
        return f"{_shortened(value)!r} is not a date", "write it as 2026-11-20"
    if bound := _BOUND.fullmatch(said):
        return f"{value} is out of range", f"write a number {bound[1]} {float(bound[2]):g}"
    if said.startswith("Expected"):
        unquoted = kind is str and isinstance(value, bool | int | float)
        return (
            f"expected {_expected(kind)}, found {describe(value)}",
            "put it into quotes" if unquoted else "",
        )
    return said[:1].lower() + said[1:], ""
