"""Results as files: one JSON document per race, written whole or not at all, read with every fault named."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.plan import Candidate
from bench.results import SCHEMA, Results
from knowledge.faults import BadInput, Fault

LARGEST_FILE = 64 << 20
"""Bytes of the largest results file that is read; a race of 20 candidates takes about 100 kB."""


def encode(results: Results) -> bytes:
    """The JSON document of `results`, indented, ending in a line feed; equal results give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n"


def decode(document: bytes, name: str) -> Results:
    """The results in a JSON document.

    Args:
        document: UTF-8 JSON.
        name: what to call it in faults.

    Raises:
        BadInput: it is not a results document of this schema, or holds values that no race gives.
    """
    try:
        head = msgspec.json.decode(document, type=_Head)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput([_fault(name, document, error)]) from error
    if head.schema != SCHEMA:
        problem = f"holds {head.schema!r}, this version reads {SCHEMA!r}"
        raise BadInput([Fault(name, None, "schema", problem, "export it again with the same version of the app")])
    try:
        results = msgspec.json.decode(document, type=Results)
    except msgspec.MsgspecError as error:
        raise BadInput([_fault(name, document, error)]) from error
    if faults := [Fault(name, None, key, problem) for key, problem in _impossible(results)]:
        raise BadInput(faults)
    return results


def read_export(path: Path) -> Results:
    """The results in the file `path`.

    Raises:
        BadInput: the file cannot be read or is not a results document.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadInput([Fault(str(path), None, "", "is too large for results", "name an exported file")])
        document = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise BadInput([Fault(str(path), None, "", problem, "check the path")]) from error
    return decode(document, str(path))


def write_export(results: Results, path: Path) -> None:
    """Write `results` to `path`, by way of a file beside it so that an interruption leaves the old one.

    Raises:
        BadInput: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(encode(results))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        problem = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise BadInput([Fault(str(path), None, "", problem, "choose another place")]) from error


class _Head(msgspec.Struct):
    schema: str


def _fault(name: str, document: bytes, error: Exception) -> Fault:
    """msgspec's complaint with its path as key; syntax errors with the line of their byte position."""
    text = str(error)
    problem, _, path = text.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    line = None
    if "(byte " in text:
        position = int(text.rpartition("(byte ")[2].rstrip(")"))
        line = document.count(b"\n", 0, position) + 1
    return Fault(name, line, key, problem[:1].lower() + problem[1:], "name a file written by `advisor bench export`")


def _impossible(results: Results) -> Iterator[tuple[str, str]]:
    """(key, problem) of values that have the right type and cannot be."""
    for index, run in enumerate(results.runs):
        place = f"runs[{index}]"
        try:
            if Candidate.parse(run.candidate) != Candidate(framework=run.framework, backend=run.backend, mode=run.mode):
                yield f"{place}.candidate", "differs from framework, backend and mode"
        except ValueError as error:
            yield f"{place}.candidate", str(error)
        for field in ("step_seconds", "samples_per_second"):
            if (value := getattr(run, field)) is not None and not 0 < value.low <= value.median <= value.high:
                yield f"{place}.{field}", "is not 0 < low <= median <= high"
        for field in ("import_seconds", "build_seconds", "first_step_seconds", "cpu_seconds_per_step"):
            if (seconds := getattr(run, field)) is not None and not (seconds >= 0 and math.isfinite(seconds)):
                yield f"{place}.{field}", f"{seconds} is no duration"
    raced = {(run.candidate, run.workload, run.phase) for run in results.runs}
    for index, verdict in enumerate(results.verdicts):
        for name in ("a", "b"):
            if (getattr(verdict, name), verdict.workload, verdict.phase) not in raced:
                yield f"verdicts[{index}].{name}", f"{getattr(verdict, name)!r} is not among the runs"
