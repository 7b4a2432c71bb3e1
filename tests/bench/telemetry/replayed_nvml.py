"""A double of `pynvml` that answers from what was recorded: a GPU is the one thing that cannot be had on every machine.

A trace holds one call a line, as `record_nvml.py` writes them. A call is answered as the same one was the first time,
then as the second time, and so on; when there are no more, as the last time.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml

TRACES = tuple(sorted(Path(__file__).parent.glob("nvml_*.jsonl")))
TWO_BOARDS = Path(__file__).with_name("nvml_two_boards.jsonl")


def calls(trace: Path) -> list[dict[str, Any]]:
    """What was asked and answered: "call", "of" (the arguments), and "answer" or "error"."""
    lines = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if "call" in line]


def answers(trace: Path, call: str, *arguments: Any) -> list[Any]:
    """All answers to one call, errors as None."""
    return [each.get("answer") for each in calls(trace) if (each["call"], each["of"]) == (call, list(arguments))]


@dataclass(frozen=True)
class Handle:
    """A board's."""

    index: int


class ReplayedNvml:
    """Answers the calls of a trace."""

    NVMLError = pynvml.NVMLError

    def __init__(self, trace: Path = TWO_BOARDS, init_error: int | None = None, count: int | None = None) -> None:
        self._trace = trace
        self._left: dict[str, list[dict[str, Any]]] = {}
        for each in calls(trace):
            self._left.setdefault(_key(each["call"], [_object(value) for value in each["of"]]), []).append(each)
        self._init_error, self._count = init_error, count
        self.open = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("NVML_"):
            return getattr(pynvml, name)
        if name.startswith("nvml"):
            return self._answering(name)
        raise AttributeError(name)

    def _answering(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            left = self._left[_key(name, arguments)]
            told = left.pop(0) if len(left) > 1 else left[0]
            if "error" in told:
                raise pynvml.NVMLError(told["error"])
            return _object(told["answer"])

        return call

    def nvmlInit(self) -> None:
        if self._init_error is not None:
            raise pynvml.NVMLError(self._init_error)
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        return int(self._answering("nvmlDeviceGetCount")() if self._count is None else self._count)


def _key(name: str, arguments: Any) -> str:
    return f"{name}{list(arguments)}"


def _object(value: Any) -> Any:
    """An answer as pynvml gives it: structures have attributes."""
    if isinstance(value, list):
        return [_object(each) for each in value]
    if not isinstance(value, dict):
        return value
    return Handle(value["board"]) if set(value) == {"board"} else SimpleNamespace(**value)


def boards(trace: Path) -> Iterator[dict[str, int]]:
    """The handles of a trace as they are written there."""
    for index in range(answers(trace, "nvmlDeviceGetCount")[0]):
        yield {"board": index}
