"""The console script `advisor`, also `python -m advisor`."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from advisor.i18n import LANGUAGES, default_language, set_language


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; without a command, the terminal app. Ends the process with INTERFACE.md's exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # The language is needed before the commands are imported: their help is text like any other.
    set_language(_requested_language(words) or default_language())
    missing = [room for room in ("knowledge", "bench") if find_spec(room) is None or not _beside_us(room)]
    if missing:
        sys.exit(
            f"advisor: the package {' and '.join(missing)} beside it belongs to something else; "
            "install framework-advisor in an environment of its own (venv, pipx or uv tool)"
        )
    from advisor.cli import run

    sys.exit(run(words))


def _beside_us(room: str) -> bool:
    ours, theirs = find_spec("advisor"), find_spec(room)
    if ours is None or theirs is None or ours.origin is None or theirs.origin is None:
        return False
    return ours.origin.rsplit("advisor", 1)[0] == theirs.origin.rsplit(room, 1)[0]


def _requested_language(words: Sequence[str]) -> str | None:
    for index, word in enumerate(words):
        value = word.partition("=")[2] if word.startswith("--lang=") else None
        if word == "--lang" and index + 1 < len(words):
            value = words[index + 1]
        if value in LANGUAGES:
            return value
    return None


if __name__ == "__main__":
    main()
