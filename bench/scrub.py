"""Texts that leave the machine: they name nobody's folders, and hold nothing that a terminal would obey."""

import re
from pathlib import Path

HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters and marks that reorder text."""

_PATH = re.compile(r"(?<![\w:/])(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\'\"]+[/\\])+([^\s/\\'\"]*)")
"""A path of at least two folders; its last part is kept."""


def scrubbed(text: str) -> str:
    """`text` with the user's home folder as "~", of every other path the last part, a space for what is hidden."""
    try:
        home = str(Path.home())
    except RuntimeError:  # nobody's home: there is none to name
        home = ""
    if len(home) > 1:
        text = text.replace(home, "~")
    return HIDDEN.sub(" ", _PATH.sub(r"\1", text))
