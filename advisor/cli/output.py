"""How commands speak: people read Rich on stdout, programs one JSON document; progress and warnings go to stderr."""

import sys
from contextlib import suppress
from typing import Any, NoReturn

import click
import msgspec

from advisor.i18n import _

json_option = click.option("--json", "as_json", is_flag=True, help=_("Print one JSON document and nothing else."))


def print_json(document: Any) -> None:
    """One JSON document on stdout, UTF-8, indented."""
    if sys.stdout is not None:  # None: it was closed before we started
        sys.stdout.buffer.write(json_bytes(document))


def json_bytes(document: Any) -> bytes:
    """A JSON document, UTF-8, indented, ending in a line feed."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def console(stderr: bool = False) -> Any:
    """A Rich console for people; plain when the output is no terminal or NO_COLOR is set."""
    from rich.console import Console

    from advisor.line_breaks import break_like_chinese

    break_like_chinese()

    class Plain(Console):
        def on_broken_pipe(self) -> NoReturn:
            raise BrokenPipeError  # `advisor.cli.run` knows what it means; Rich would exit with status 1

    return Plain(stderr=stderr, highlight=False, soft_wrap=False)


def warn(message: str) -> None:
    """A warning on stderr; when nobody reads it any more, what it is about goes on all the same."""
    with suppress(BrokenPipeError):
        click.echo(message, err=True)
