"""What a path that the user named leads to."""

import stat
from pathlib import Path


def is_special(path: Path) -> bool:
    """Whether `path` leads to a pipe, a device or a socket: reading one may never end, replacing one breaks it.

    False when nothing is there, or nothing can be told: whoever opens it will hear why.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
