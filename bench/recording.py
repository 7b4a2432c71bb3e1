"""A race as a file that can be played again: one JSON line per event, written while it runs, the results at the end.

The first line says what the file is and which code ran; whatever ends the process, the lines before are whole. Nothing
in it names a host, a user or a folder. A recording is read whole or refused, with the line that is wrong.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import msgspec

from bench import exchange, fingerprint
from bench.events import AnyEvent, RaceFinished, RaceStarted
from bench.files import is_special
from bench.records import Record
from bench.results import Machine, Results
from bench.scrub import scrubbed
from knowledge.faults import BadInput, Fault

SCHEMA = "advisor/recording/1"
SUFFIX = ".jsonl"
SHIPPED = Path(__file__).parent / "recordings"
"""The recordings that come with the app, one file each; the file's name without its suffix is the recording's."""

TRIALS = SHIPPED / "trials"
"""The recorded trials of old guides that come with the app: a folder for each guide, in it a recording per device."""

_MEND = "name a file written by `advisor bench run --record`"


class Header(Record, frozen=True):
    """The first line: what the file is, and which version and code recorded it."""

    schema: str
    app: str
    code: str


class Recording(Record, frozen=True):
    """One race from its start to its results."""

    header: Header
    events: tuple[AnyEvent, ...]
    results: Results

    @property
    def machine(self) -> Machine:
        """The machine it was recorded on."""
        return self.results.machine

    @property
    def seconds(self) -> float:
        """How long the race took."""
        return self.events[-1].at_seconds


def shipped() -> dict[str, Path]:
    """Name -> file of the recordings that come with the app; empty when none do."""
    return {path.stem: path for path in sorted(SHIPPED.glob(f"*{SUFFIX}"))}


def trials() -> dict[str, tuple[Path, ...]]:
    """Guide id -> files of its recorded trial, for the guides that have one."""
    found: dict[str, tuple[Path, ...]] = {}
    for path in sorted(TRIALS.glob(f"*/*{SUFFIX}")):
        found[path.parent.name] = (*found.get(path.parent.name, ()), path)
    return found


# --- writing ---------------------------------------------------------------------------------------------------------


class Recorder:
    """Writes one recording, line by line; a context manager.

    `take` and `finish` may raise OSError: a full disk ends the recording, and need not end the race. A recording that
    never came to its results is removed, unless something broke or killed the process: then the lines so far stay.
    """

    def __init__(self, path: Path) -> None:
        """Begin the file `path`.

        Raises:
            BadInput: something is there already, or nothing can be written there.
        """
        self.path = path
        self._whole = False
        code = fingerprint.code()
        if is_special(path):  # a pipe would be waited for without end
            raise BadInput([Fault(str(path), None, "", "is no ordinary file", "choose another place")])
        try:
            self._file: IO[str] = path.open("x", encoding="utf-8", buffering=1, newline="\n")
            self._write(Header(schema=SCHEMA, app=code.partition("+")[0], code=code))
        except FileExistsError as error:  # an earlier race must not be lost to one that may never start
            raise BadInput([Fault(str(path), None, "", "is there already", "choose another name")]) from error
        except OSError as error:
            problem = f"cannot be written: {(error.strerror or str(error)).lower()}"
            raise BadInput([Fault(str(path), None, "", problem, "choose another place")]) from error

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what a full disk did not take has been told already
            self._file.close()
        if not self._whole and (error is None or isinstance(error, BadInput)):  # there was no race to speak of
            self.path.unlink(missing_ok=True)

    def take(self, event: AnyEvent) -> None:
        """Write one event."""
        self._write(event)

    def finish(self, results: Results) -> None:
        """Write the results, without which the recording is not whole."""
        self._write(results)
        self._whole = True

    def _write(self, line: object) -> None:
        self._file.write(msgspec.json.encode(_scrubbed(msgspec.to_builtins(line))).decode() + "\n")


def _scrubbed(value: Any) -> Any:
    """A plain value whose texts name nobody's folders and hide nothing: it will be shown on other machines."""
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, dict):
        return {key: _scrubbed(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(part) for part in value]
    return value


# --- reading ---------------------------------------------------------------------------------------------------------


def find(name: str, among: Mapping[str, Path] | None = None) -> Path:
    """The file that `name` is, or the shipped recording of that name.

    Raises:
        BadInput: there is neither.
    """
    known = shipped() if among is None else among
    path = Path(name)
    if path.suffix == SUFFIX or name not in known:
        if path.suffix != SUFFIX and not path.exists():
            mend = f"there are: {', '.join(known)}" if known else "name a file"
            raise BadInput([Fault("bench replay", None, "", f"there is no recording {name!r}", mend)])
        return path
    return known[name]


def read(path: Path) -> Recording:
    """The recording in the file `path`.

    Raises:
        BadInput: it cannot be read, is no recording, is damaged, or ends before the race's results: which line.
    """
    name = str(path)
    lines = exchange.read_file(path, _MEND).split(b"\n")
    if lines[-1]:
        raise BadInput([Fault(name, len(lines), "", "ends in the middle of a line", "the recording was cut short")])
    lines.pop()
    header = _header(lines[0] if lines else b"", name)
    events: list[AnyEvent] = []
    results: Results | None = None
    for number, line in enumerate(lines[1:], start=2):
        if results is not None:
            raise BadInput([Fault(name, number, "", "stands after the results, which end a recording", _MEND)])
        if isinstance(found := _line(line, number, name), Results):
            results = found
        else:
            _check_place(found, events, number, name)
            events.append(found)
    if results is None:
        mend = "the race was ended before it was over; `advisor bench results` lists what was kept of it"
        raise BadInput([Fault(name, len(lines), "", "ends before the results", mend)])
    first, last = (events[0], events[-1]) if events else (None, None)
    if not isinstance(first, RaceStarted) or not isinstance(last, RaceFinished):
        raise BadInput([Fault(name, len(lines), "", "is not a whole race from its start to its end", _MEND)])
    if (first.id, last.id) != (results.id, results.id):
        raise BadInput([Fault(name, len(lines), "id", f"{results.id!r} is not the race that was recorded", _MEND)])
    return Recording(header=header, events=tuple(events), results=results)


class _Kind(msgspec.Struct):
    """What tells the lines apart."""

    schema: str = ""
    event: str = ""


def _header(line: bytes, name: str) -> Header:
    try:
        kind = msgspec.json.decode(line, type=_Kind)
        if kind.schema != SCHEMA:
            same, _, version = kind.schema.rpartition("/")
            newer = same == SCHEMA.rpartition("/")[0] and version.isdigit()
            problem = f"is of the schema {kind.schema!r}, not {SCHEMA!r}" if kind.schema else "is no recording"
            raise BadInput([Fault(name, 1, "", problem, "upgrade the app" if newer else _MEND)])
        return msgspec.json.decode(line, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput([Fault(name, 1, "", "is no recording", _MEND)]) from error


def _line(line: bytes, number: int, name: str) -> AnyEvent | Results:
    """An event, or the results, on one line."""
    try:
        kind = msgspec.json.decode(line, type=_Kind)
        found: AnyEvent | Results
        if kind.event:
            found = msgspec.json.decode(line, type=AnyEvent)
        else:
            found = exchange.decode(line, name)
    except BadInput as bad:
        raise BadInput([msgspec.structs.replace(fault, line=number) for fault in bad.faults]) from bad
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        problem, key = exchange.complaint(error)
        raise BadInput([Fault(name, number, key, problem, "the recording is damaged")]) from error
    if faults := exchange.hidden(found, name, number):
        raise BadInput(faults)
    return found


def _check_place(event: AnyEvent, before: list[AnyEvent], number: int, name: str) -> None:
    """That an event follows the ones before: none is missing, and time does not run backwards."""
    if event.sequence != len(before):
        problem = f"is event {event.sequence} where event {len(before)} should be"
        raise BadInput([Fault(name, number, "sequence", problem, "lines are missing or out of order")])
    least = before[-1].at_seconds if before else 0.0
    if not (math.isfinite(event.at_seconds) and event.at_seconds >= least):
        problem = f"{event.at_seconds} is earlier than the line before"
        raise BadInput([Fault(name, number, "at_seconds", problem, "the recording is damaged")])
