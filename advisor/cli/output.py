"""How commands speak: people read Rich on stdout, programs one JSON document; progress and warnings go to stderr."""

import sys
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from advisor.i18n import _
from knowledge.faults import BadInput, Fault

json_option = click.option("--json", "as_json", is_flag=True, help=_("Print one JSON document and nothing else."))


def print_json(document: Any) -> None:
    """One JSON document on stdout, UTF-8, indented."""
    if sys.stdout is not None:  # None: it was closed before we started
        sys.stdout.buffer.write(json_bytes(document))


def json_bytes(document: Any) -> bytes:
    """A JSON document, UTF-8, indented, ending in a line feed."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def write_file(path: Path, content: bytes) -> None:
    """Write a file that the user named, whole or not at all.

    Raises:
        BadInput: it cannot be written there, or something else than a file is there; that stays untouched.
    """
    from advisor.report.files import write_atomically

    if path.exists() and not path.is_file():  # replacing it would remove a device such as /dev/null
        raise BadInput([Fault(str(path), None, "", _("is no ordinary file"), _("choose another place"))])
    write_atomically(path, content)


def console(stderr: bool = False) -> Any:
    """A Rich console for people; plain when the output is no terminal or NO_COLOR is set."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> NoReturn:
            raise BrokenPipeError  # `advisor.cli.run` knows what it means; Rich would exit with status 1

    return Plain(stderr=stderr, highlight=False, soft_wrap=False)


def warn(message: str) -> None:
    """A warning on stderr."""
    click.echo(message, err=True)
