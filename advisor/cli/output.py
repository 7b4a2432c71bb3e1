"""How commands speak: people read Rich on stdout, programs one JSON document; progress and warnings go to stderr."""

import sys
from typing import Any

import click
import msgspec

from advisor.i18n import _

json_option = click.option("--json", "as_json", is_flag=True, help=_("Print one JSON document and nothing else."))


def print_json(document: Any) -> None:
    """One JSON document on stdout, UTF-8, indented."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def console(stderr: bool = False) -> Any:
    """A Rich console for people; plain when the output is no terminal or NO_COLOR is set."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def warn(message: str) -> None:
    """A warning on stderr."""
    click.echo(message, err=True)
