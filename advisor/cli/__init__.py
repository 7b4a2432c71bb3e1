"""The command line: one file per command group, each importing what it needs only when it runs.

Importing this package costs click and nothing more, so that `--help` and `--version` answer at once.
"""

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

import click

from advisor.i18n import LANGUAGES, _, set_language
from knowledge.faults import BadInput

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

# command -> module below advisor.cli that defines it under the same name
_COMMANDS = {
    "recommend": "recommend",
    "explain": "recommend",
    "frameworks": "frameworks",
    "show": "frameworks",
    "compare": "frameworks",
    "guides": "guides",
    "bench": "bench",
    "env": "env",
    "report": "report",
    "knowledge": "knowledge",
    "doctor": "doctor",
}


def language_option(command: click.Command) -> click.Command:
    """Give a command the option --lang."""
    command.params.append(
        click.Option(
            ["--lang"],
            type=click.Choice(LANGUAGES),
            is_eager=True,
            expose_value=False,
            callback=lambda _context, _parameter, value: set_language(value) if value else None,
            help=_("Language of all text; the default follows the locale."),
        )
    )
    return command


class _ReaderGone(Exception):
    """Nobody reads our output any more, as after `| head`. Not an OSError: click would exit with status 1."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for; every command has --lang."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name not in self.commands:
            command: click.Command = getattr(import_module(f"advisor.cli.{_COMMANDS[cmd_name]}"), cmd_name)
            for part in [command, *getattr(command, "commands", {}).values()]:
                language_option(part)
            self.add_command(command, cmd_name)
        return self.commands[cmd_name]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGone from error


@click.command(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("framework-advisor"), prog_name="advisor")
@click.pass_context
def app(context: click.Context) -> None:
    # The docstring of a click command is its help, hence the text below.
    if context.invoked_subcommand is None:
        from advisor.tui import run_app

        run_app()


app.help = _("Which deep-learning framework for your needs, on your machine. Without a command: the terminal app.")
language_option(app)


def run(words: Sequence[str]) -> int:
    """Run the command line and return the exit status: 0, 1, 2 or 130 (INTERFACE.md)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no Chinese and no bars shows question marks
    try:
        status = app.main(args=list(words), prog_name="advisor", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a full disk or a reader that has gone is still told from success
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except BadInput as bad:
        for fault in bad.faults:
            click.echo(f"advisor: {fault}", err=True)
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo(_("Interrupted."), err=True)
        return INTERRUPTED
    except (_ReaderGone, BrokenPipeError):
        _drop_output()  # nothing is left to say to it
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        click.echo(f"advisor: {place}{error.strerror or error}", err=True)
        _drop_output()
        return FAILED
    return status if isinstance(status, int) else 0


def _drop_output() -> None:
    """Let what is still buffered for stdout and stderr go nowhere, so that the interpreter ends without complaint."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
