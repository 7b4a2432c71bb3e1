"""Results as files: one JSON document per race, written whole or not at all, read with every fault named."""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.files import is_special
from bench.plan import Candidate
from bench.results import SCHEMA, Ratio, Results
from bench.scrub import HIDDEN
from knowledge.faults import BadInput, Fault

LARGEST_FILE = 64 << 20
"""Bytes of the largest results file that is read; a race of 20 candidates takes about 100 kB."""

_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RESERVED = ("none", "latest")  # `--results` understands them already
_COUNTS = (
    "peak_rss_bytes",
    "gpu_memory_bytes",
    "threads_seen",
    "recompilations",
    "graph_breaks",
    "environment_bytes",
)
_CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


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
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
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
        BadInput: the file cannot be read, is not a results document, or hides something in its text.
    """
    results = decode(read_file(path, "name an exported file"), str(path))
    if faults := hidden(results, str(path)):
        raise BadInput(faults)
    return results


def read_file(path: Path, mend: str) -> bytes:
    """What is in a file that the user named; `mend` says which one would do.

    Raises:
        BadInput: it cannot be read, is no ordinary file, or is too large.
    """
    try:
        if is_special(path):  # a pipe would be waited for without end
            raise BadInput([Fault(str(path), None, "", "is no ordinary file", mend)])
        if path.stat().st_size > LARGEST_FILE:
            raise BadInput([Fault(str(path), None, "", "is too large for results", mend)])
        return path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise BadInput([Fault(str(path), None, "", problem, "check the path")]) from error


def hidden(record: object, name: str, line: int | None = None) -> list[Fault]:
    """What a record hides in its texts: characters that a terminal would obey."""
    found = ((key, HIDDEN.search(text)) for key, text in _texts(msgspec.to_builtins(record)))
    return [
        Fault(name, line, key, f"holds the hidden character U+{ord(each.group()):04X}", "remove it")
        for key, each in found
        if each is not None
    ]


def complaint(error: Exception) -> tuple[str, str]:
    """msgspec's complaint and the key that it is about."""
    problem, _, path = str(error).partition(" - at `$")
    if not problem.startswith("JSON"):
        problem = problem[:1].lower() + problem[1:]
    return problem, path.rstrip("`").lstrip(".")


def write_export(results: Results, path: Path) -> None:
    """Write `results` to `path`, by way of a file beside it so that an interruption leaves the old one.

    Raises:
        BadInput: the file cannot be written.
    """
    if is_special(path):  # replacing it would remove a device such as /dev/null
        raise BadInput(
            [Fault(str(path), None, "", "cannot be written: it is no ordinary file", "choose another place")]
        )
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
    mend = "name a file written by `advisor bench export`"
    if isinstance(error, RecursionError):
        return Fault(name, None, "", "is nested too deeply", mend)
    text = str(error)
    problem, key = complaint(error)
    line = None
    if "(byte " in text:
        position = int(text.rpartition("(byte ")[2].rstrip(")"))
        line = document.count(b"\n", 0, position) + 1
    return Fault(name, line, key, problem, mend)


def _texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """(key, text) of every text in a plain value, keys of mappings among them."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield key, name
            yield from _texts(part, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _texts(part, f"{key}[{index}]")


def _impossible(results: Results) -> Iterator[tuple[str, str]]:
    """(key, problem) of values that have the right type and cannot be."""
    if not _IDENTITY.fullmatch(results.id) or results.id in _RESERVED:
        yield "id", f"{results.id!r} cannot be an id"
    if not _CREATED.fullmatch(results.created):
        yield "created", f"{results.created!r} is no time such as 2026-11-20T21:55:00Z"
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
        for field in _COUNTS:
            if (count := getattr(run, field)) is not None and count < 0:
                yield f"{place}.{field}", f"{count} is negative"
        if run.latency_seconds is not None and not 0 < run.latency_seconds.p50 <= run.latency_seconds.p99:
            yield f"{place}.latency_seconds", "is not 0 < p50 <= p99"
        if run.percent_of_peak is not None and not 0 <= run.percent_of_peak <= 100:
            yield f"{place}.percent_of_peak", f"{run.percent_of_peak} is no percentage"
        if (stated := run.stated_run) is not None:
            seconds = stated.seconds
            if not 0 < seconds.low <= seconds.median <= seconds.high or min(stated.epochs, stated.steps) < 1:
                yield f"{place}.stated_run", "is not 0 < low <= median <= high, of one epoch and one step or more"
    yield from _impossible_verdicts(results)


def _impossible_verdicts(results: Results) -> Iterator[tuple[str, str]]:
    """(key, problem) of runs that stand here twice, verdicts on nobody, and ratios that cannot be."""
    raced = [(run.candidate, run.workload, run.phase) for run in results.runs]
    for index, each in enumerate(raced):
        if each in raced[:index]:
            yield f"runs[{index}]", f"{' '.join(each)} stands here twice"
    for index, verdict in enumerate(results.verdicts):
        for name in ("a", "b"):
            if (getattr(verdict, name), verdict.workload, verdict.phase) not in raced:
                yield f"verdicts[{index}].{name}", f"{getattr(verdict, name)!r} is not among the runs"
        if verdict.a == verdict.b:
            yield f"verdicts[{index}]", f"{verdict.a!r} is compared with itself"
        if not _possible(verdict.ratio):
            yield f"verdicts[{index}].ratio", "is not 0 < low <= high"
    if results.twin is not None and not _possible(results.twin.ratio):
        yield "twin.ratio", "is not 0 < low <= high"


def _possible(ratio: Ratio) -> bool:
    ends = [end for end in (ratio.low, ratio.high) if end is not None]
    return ends == sorted(ends) and all(end > 0 for end in ends)
