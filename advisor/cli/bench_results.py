"""The life of a result: listed, shown, compared, carried to another machine, played again. Part of `advisor bench`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli.output import console, json_option, print_json, warn
from advisor.i18n import _

if TYPE_CHECKING:
    from bench.results import Results


@click.command(help=_("List the results that are kept, newest first."))
@json_option
def results(as_json: bool) -> None:
    import msgspec

    from advisor.cli.bench_show import show_history
    from advisor.paths import store_file
    from bench.store import Store, Summary

    kept: tuple[Summary, ...] = ()
    if store_file().exists():  # looking makes nothing
        with Store(store_file()) as store:
            kept = store.summaries()
    if as_json:
        print_json({"schema": "advisor/bench-results/1", "results": msgspec.to_builtins(kept)})
        return
    show_history(kept)


@click.command(help=_("Show one result (an id, its beginning, or latest)."))
@click.argument("result")
@json_option
def show(result: str, as_json: bool) -> None:
    from advisor.cli.bench_show import show_results
    from advisor.cli.inputs import named_results

    found = named_results("bench show", result)
    if as_json:
        print_json(found)
    else:
        show_results(found)


@click.command(help=_("Hold two results against each other (ids, their beginnings, latest, or files)."))
@click.argument("earlier")
@click.argument("later")
@json_option
def compare(earlier: str, later: str, as_json: bool) -> None:
    from advisor.cli.bench_show import show_comparison
    from advisor.cli.inputs import named_results
    from advisor.paths import own_workloads
    from bench.comparison import compare as held_against
    from bench.workload import load_workloads

    datasets = {name: workload.data for name, workload in load_workloads(own_workloads()).items()}
    first, second = (named_results("bench compare", name) for name in (earlier, later))
    found = held_against(first, second, datasets)
    if as_json:
        print_json(found)
    else:
        show_comparison(found)


@click.command(help=_("Write one result (an id, its beginning, or latest) into a JSON file."))
@click.argument("result")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False))
def export(result: str, output: Path) -> None:
    from advisor.cli.inputs import named_results
    from bench.exchange import write_export

    write_export(named_results("bench export", result), output)


@click.command("import", help=_("Keep the result in a file that `bench export` wrote."))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_(file: Path) -> None:
    from bench.exchange import read_export

    imported = read_export(file)
    _keep(imported, str(file))
    console().print(imported.id, markup=False)


@click.command(help=_("Play a recorded race: a file, or one that comes with the app by its name."))
@click.argument("recording", metavar="FILE.jsonl")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help=_("Times as fast as it was."),
)
@click.option("--keep", is_flag=True, help=_("Keep its results, as `bench import` does."))
@json_option
def replay(recording: str, speed: float, keep: bool, as_json: bool) -> None:
    import sys
    from math import isfinite

    from advisor.cli.bench_show import show_results
    from bench import recording as recordings
    from knowledge.faults import BadInput, Fault

    if not isfinite(speed):
        problem, mend = _("{speed} is no speed").format(speed=speed), _("1 is as it was")
        raise BadInput([Fault("--speed", None, "", problem, mend)])
    path = recordings.find(recording)
    found = recordings.read(path)
    if keep:
        _keep(found.results, str(path))
    if as_json:
        print_json(found.results)
    elif sys.stdin.isatty() and sys.stdout.isatty():
        from advisor.tui import run_app

        run_app(found, speed)
    else:
        show_results(found.results)


def _keep(results: "Results", name: str) -> None:
    """Put results from elsewhere into the store."""
    from advisor.paths import store_file
    from bench.store import Store, StoreFailure

    try:
        with Store(store_file()) as store:
            store.add(results, name)
    except StoreFailure as failure:
        warn(f"advisor: {failure}")
        raise click.exceptions.Exit(1) from failure


COMMANDS = (results, show, compare, export, import_, replay)
