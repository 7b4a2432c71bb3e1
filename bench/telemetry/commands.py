"""Vendors' programs as sources of samples: asked once, run again and again, or left running; never waited for.

A sampler must not cost what it measures. A program that prints for ever is read without blocking; one that prints once
is started, and its answer is taken at a later sample.
"""

import os
import subprocess
import time
from collections.abc import Callable, Sequence

ANSWER_SECONDS = 20.0
"""How long a program may take the first time it is asked: drivers wake up, and rocm-smi is a large Python program."""

_CHUNK = 1 << 16


def ask(command: Sequence[str]) -> str | None:
    """What `command` prints; None when it cannot be run, fails, or takes longer than `ANSWER_SECONDS`."""
    try:
        finished = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return finished.stdout.decode(errors="replace") if finished.returncode == 0 else None


class Stream:
    """A program that prints a line now and then for as long as it runs; used from one thread.

    It is started in a session of its own, so that Ctrl-C leaves it alone; when this process dies, its next line finds
    no reader, which ends it.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        self._rest = b""

    def lines(self) -> list[str]:
        """The whole lines printed since the last call, oldest first."""
        while chunk := self._output.read(_CHUNK):  # None: nothing there yet; empty: the program ended
            self._rest += chunk
        *lines, self._rest = self._rest.split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        self._output.close()


class Repeated:
    """A program that answers once each time it is run: run anew every `seconds`; used from one thread."""

    def __init__(
        self, command: Sequence[str], seconds: float, first: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`first` is its answer from a moment ago."""
        self._command, self._seconds, self._answer, self._clock = command, seconds, first, clock
        self._running: subprocess.Popen[bytes] | None = None
        self._asked_at = clock()

    def answer(self) -> str:
        """Its newest answer."""
        if self._running is not None and self._running.poll() is not None:
            assert self._running.stdout is not None
            with self._running.stdout as output:
                printed = output.read()
            if self._running.returncode == 0:
                self._answer = printed.decode(errors="replace")
            self._running = None
        if self._running is None and self._clock() - self._asked_at >= self._seconds:
            self._asked_at = self._clock()
            self._running = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        return self._answer

    def close(self) -> None:
        """End a run under way."""
        if self._running is not None:
            self._running.kill()
            self._running.communicate()
            self._running = None
