"""Parent and screen together: the share of a core that the app uses while a race of six is on a real terminal.

Workers are fake and take real time without using the CPU, so nothing but the app itself is measured: engine, store,
sampler, screen. The terminal is a pseudo-terminal whose output is read and thrown away.
"""

import json
import os
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.performance.bounds import told
from tests.performance.options import Options

ROUNDS = 15
WORKERS = 6
SIZE = (45, 140)
"""Lines and columns."""


def _terminal() -> tuple[int, int]:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    return ours, theirs


def _drain(terminal: int) -> None:
    """Read until the other side is closed."""
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:  # Linux says the end with EIO
        pass


def watch(rounds: int = ROUNDS, workers: int = WORKERS) -> list[float]:
    """The app's share of a core in each round."""
    ours, theirs = _terminal()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "marks.json"
        command = [sys.executable, "-m", "tests.performance.screen_app", str(file), str(rounds), str(workers)]
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "ADVISOR_HOME": folder}
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as app:
            os.close(theirs)
            reader = threading.Thread(target=_drain, args=(ours,), daemon=True)
            reader.start()
            status = app.wait()
        reader.join()
        os.close(ours)
        if status != 0 or not file.exists():
            raise RuntimeError(f"the app ended with status {status}")
        marks = json.loads(file.read_text())
    if len(marks) < rounds:
        raise RuntimeError(f"only {len(marks)} of {rounds} rounds came to their end")
    return [(cpu1 - cpu0) / (wall1 - wall0) for (wall0, cpu0), (wall1, cpu1) in pairwise(marks)]


def screen(options: Options) -> None:
    """Target: <= 2 % of a core."""
    shares = watch()
    print(
        f"engine and screen during a race of {WORKERS} on a terminal of {SIZE[1]} x {SIZE[0]};"
        f" target 2 % of a core: {told(shares, 2, 100, ' %')}"
    )


EXPERIMENTS = {"parent and screen": screen}
