"""Texts that leave the machine: they name nobody's folders."""

import re
from pathlib import Path

_PATH = re.compile(r"(?<![\w:/])(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\'\"]+[/\\])+([^\s/\\'\"]*)")
"""A path of at least two folders; its last part is kept."""


def scrubbed(text: str) -> str:
    """`text` with the user's home folder as "~", and only the last part of every other path."""
    try:
        home = str(Path.home())
    except RuntimeError:  # nobody's home: there is none to name
        home = ""
    if len(home) > 1:
        text = text.replace(home, "~")
    return _PATH.sub(r"\1", text)
