"""One race per machine at a time: two at once would measure each other."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from knowledge.faults import BadInput, Fault


def default_lock() -> Path:
    """The file all users of this machine lock; nothing is ever written to it."""
    return Path(tempfile.gettempdir()) / "framework-advisor-race.lock"


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock; the kernel lets go of it when this process ends, however it ends.

    Raises:
        BadInput: another race holds it, or the file cannot be opened.
    """
    try:
        descriptor = _open(path)
    except OSError as error:
        problem = f"cannot be locked: {error.strerror}"
        raise BadInput([Fault(str(path), None, "", problem, "remove the file")]) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            problem = "another race is running on this machine"
            raise BadInput([Fault("bench run", None, "", problem, "wait until it has ended")]) from error
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """The file opened for reading, which is enough to lock another user's; O_CREAT on that can be forbidden."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        return os.open(path, flags | os.O_CREAT, 0o644)
