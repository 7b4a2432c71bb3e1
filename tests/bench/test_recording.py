"""A race written line by line, and read back whole or refused with the line that is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import recording
from bench.events import AnyEvent, CandidateEnded, Load, RaceFinished, RaceStarted
from bench.recording import Recorder, Recording
from bench.results import Status
from bench.store import StoreFailure
from knowledge.faults import BadInput
from tests.bench.test_engine import racing
from tests.bench.test_store import MACHINE, results

PLAN = results().plan
EVENTS: tuple[AnyEvent, ...] = (
    RaceStarted(id=results().id, plan=PLAN, machine=MACHINE, sequence=0, at_seconds=0.0),
    Load(
        cpu=(0.25, 1.0),
        memory_used_bytes=1,
        memory_total_bytes=2,
        gpus=(),
        gpu_absent_because=None,
        sequence=1,
        at_seconds=0.5,
    ),
    CandidateEnded(
        candidate="one:plain", workload="mnist-cnn", status=Status.OK, reason=None, sequence=2, at_seconds=3.0
    ),
    RaceFinished(id=results().id, interrupted=False, sequence=3, at_seconds=3.5),
)


def recorded(path: Path, events: tuple[AnyEvent, ...] = EVENTS) -> Path:
    with Recorder(path) as recorder:
        for event in events:
            recorder.take(event)
        recorder.finish(results())
    return path


def test_what_was_recorded_comes_back(tmp_path: Path) -> None:
    found = recording.read(recorded(tmp_path / "race.jsonl"))
    assert (found.events, found.results) == (EVENTS, results())
    assert found.header.schema == "advisor/recording/1"
    assert found.header.code.startswith(found.header.app + "+")
    assert (found.seconds, found.machine) == (3.5, MACHINE)


async def test_a_race_between_real_workers_is_recorded_as_it_was(tmp_path: Path) -> None:
    settings = {"quick": {"step_seconds": 0.002}, "lost": {"faults": {"block": {"after": 2, "do": "exit-with-path"}}}}
    seen = []
    with Recorder(tmp_path / "race.jsonl") as recorder:
        async with racing(tmp_path, settings) as race:
            async for event in race.events():
                recorder.take(event)
                seen.append(event)
        assert race.results is not None
        recorder.finish(race.results)
    text = (tmp_path / "race.jsonl").read_text(encoding="utf-8")
    assert "/home/somebody" not in text
    assert str(tmp_path) not in text
    assert len(text) < 1_000_000
    found = recording.read(tmp_path / "race.jsonl")
    assert [type(event) for event in found.events] == [type(event) for event in seen]
    assert [event.at_seconds for event in found.events] == [event.at_seconds for event in seen]
    assert found.results == race.results


def test_lines_are_whole_whatever_comes_after_them(tmp_path: Path) -> None:
    path = tmp_path / "race.jsonl"
    recorder = Recorder(path)  # and never closed: the process is killed here
    for event in EVENTS[:2]:
        recorder.take(event)
    assert [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    assert path.read_bytes().count(b"\n") == 3
    with pytest.raises(BadInput, match=r"race\.jsonl:3: ends before the results"):
        recording.read(path)
    recorder.__exit__(None, None, None)


def test_nothing_recorded_is_shown_to_a_terminal_that_would_obey_it(tmp_path: Path) -> None:
    loud = CandidateEnded(
        candidate="one:plain", workload=None, status=Status.FAILED, reason="\x1b[31mred\nline", sequence=1
    )
    path = tmp_path / "race.jsonl"
    with Recorder(path) as recorder:
        recorder.take(EVENTS[0])
        recorder.take(loud)
        recorder.take(RaceFinished(id=results().id, interrupted=False, sequence=2))
        recorder.finish(results())
    (ended,) = [event for event in recording.read(path).events if isinstance(event, CandidateEnded)]
    assert ended.reason == " [31mred line"


def test_an_earlier_recording_is_never_lost(tmp_path: Path) -> None:
    path = recorded(tmp_path / "race.jsonl")
    before = path.read_bytes()
    with pytest.raises(BadInput, match="is there already"):
        Recorder(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("error", [None, BadInput([])])
def test_a_race_that_came_to_nothing_leaves_no_recording(tmp_path: Path, error: BadInput | None) -> None:
    recorder = Recorder(tmp_path / "race.jsonl")
    recorder.take(EVENTS[0])
    recorder.__exit__(error and type(error), error, None)
    assert list(tmp_path.iterdir()) == []


def test_a_race_that_broke_leaves_what_was_recorded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "race.jsonl")
    recorder.take(EVENTS[0])
    failure = StoreFailure("the disk is full", "free some")
    recorder.__exit__(StoreFailure, failure, None)
    assert (tmp_path / "race.jsonl").exists()


@pytest.mark.parametrize("name", ["nowhere/race.jsonl", "folder"])
def test_where_nothing_can_be_written_nothing_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput, match=r"cannot be written|is there already"):
        Recorder(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def _without(number: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: lines[: number - 1] + lines[number:]


def _with(number: int, old: bytes, new: bytes) -> Callable[[list[bytes]], list[bytes]]:
    def change(lines: list[bytes]) -> list[bytes]:
        assert old in lines[number - 1]
        return [*lines[: number - 1], lines[number - 1].replace(old, new), *lines[number:]]

    return change


DAMAGES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "another schema": (_with(1, b"advisor/recording/1", b"advisor/bench/1"), r":1: is of the schema 'advisor/bench/1'"),
    "a later schema": (_with(1, b"recording/1", b"recording/2"), r":1: .*upgrade the app"),
    "no header": (_without(1), r":1: is of the schema 'advisor/event/1'"),
    "an event lost": (_without(3), r":3: sequence: is event 2 where event 1 should be"),
    "no results": (_without(6), r":5: ends before the results"),
    "no end": (lambda lines: [*lines[:4], lines[5]], r":5: is not a whole race"),
    "no start": (lambda lines: [lines[0], lines[5]], r":2: is not a whole race"),
    "half a line": (lambda lines: [*lines[:3], lines[3][:20]], r":4: ends in the middle of a line"),
    "garbage": (_with(3, b'"cpu":[', b'"cpu":['[:-1]), r":3: JSON is malformed"),
    "a wrong type": (_with(3, b'"memory_used_bytes":1', b'"memory_used_bytes":"much"'), r":3: memory_used_bytes: "),
    "an unknown event": (_with(3, b'"event":"load"', b'"event":"lunch"'), r":3: .*[Ii]nvalid value 'lunch'"),
    "time backwards": (_with(4, b'"at_seconds":3.0', b'"at_seconds":0.1'), r":4: at_seconds: "),
    "other results": (_with(6, results().id.encode(), b"20270101-000000-bbbbbb"), r":6: id: "),
    "impossible results": (_with(6, b'"low":0.009', b'"low":0.9'), r":6: runs\[0\]\.step_seconds: "),
    "a hidden character": (_with(4, b'"one:plain"', b'"one\\u001b:plain"'), r":4: .*U\+001B"),
    "more after the end": (lambda lines: [*lines, lines[1]], r":7: stands after the results"),
    "nothing": (lambda lines: [], r":1: is no recording"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_foreign_file_is_refused_by_its_line(tmp_path: Path, damage: str) -> None:
    change, said = DAMAGES[damage]
    lines = recorded(tmp_path / "whole.jsonl").read_bytes().splitlines()
    assert len(lines) == 6
    path = tmp_path / "race.jsonl"
    changed = change(lines)
    ended = b"" if damage == "half a line" or not changed else b"\n"
    path.write_bytes(b"\n".join(changed) + ended)
    with pytest.raises(BadInput, match=said):
        recording.read(path)


def test_a_name_is_a_shipped_recording_or_a_file(tmp_path: Path) -> None:
    shipped = {"mnist-cnn": tmp_path / "shipped" / "mnist-cnn.jsonl"}
    assert recording.find("mnist-cnn", shipped) == shipped["mnist-cnn"]
    assert recording.find("mine.jsonl", shipped) == Path("mine.jsonl")
    with pytest.raises(BadInput, match=r"there is no recording 'mnist' \(there are: mnist-cnn\)"):
        recording.find("mnist", shipped)
    with pytest.raises(BadInput, match="cannot be read"):
        recording.read(tmp_path / "absent.jsonl")


def test_a_file_dropped_among_the_recordings_is_known_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "SHIPPED", tmp_path / "recordings")
    assert recording.shipped() == {}
    (tmp_path / "recordings").mkdir()
    path = recorded(tmp_path / "recordings" / "mnist-cnn.jsonl")
    assert recording.shipped() == {"mnist-cnn": path}
    assert recording.read(recording.find("mnist-cnn")).results == results()


@pytest.mark.parametrize("name", recording.shipped())
def test_a_shipped_recording_is_whole_small_and_called_what_it_is_of(name: str) -> None:
    path = recording.shipped()[name]
    found: Recording = recording.read(path)
    assert path.stat().st_size < 1_000_000
    (workload,) = found.results.plan.workloads
    assert name.startswith(workload)
    assert not found.results.interrupted


def test_recordings_of_several_launches_are_shipped_and_one_of_a_race_on_a_gpu() -> None:
    found = {name: recording.read(path) for name, path in recording.shipped().items()}
    assert {name for name, each in found.items() if each.results.plan.launches >= 3} == {"mnist-cnn", "pm25-lstm"}
    raced = found["pm25-lstm-on-h100"]
    assert raced.results.plan.device == "cuda:0"
    gpus = [event.gpus[0] for event in raced.events if isinstance(event, Load)]
    assert max(each.utilisation or 0 for each in gpus) > 0.1
    assert max(each.power_watts or 0 for each in gpus) > min(each.power_watts or 0 for each in gpus) > 50
    assert all(each.memory_used_bytes for each in gpus)
