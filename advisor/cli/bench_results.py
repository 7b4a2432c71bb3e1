"""The life of a result: listed, shown, compared, carried to another machine, played again. Part of `advisor bench`."""

from pathlib import Path

import click

from advisor.cli.output import console, json_option, print_json, warn
from advisor.i18n import _


@click.command(help=_("List the results that are kept, newest first."))
@json_option
def results(as_json: bool) -> None:
    import msgspec

    from advisor.paths import store_file
    from bench.store import Store, Summary

    kept: tuple[Summary, ...] = ()
    if store_file().exists():  # looking makes nothing
        with Store(store_file()) as store:
            kept = store.summaries()
    if as_json:
        print_json({"schema": "advisor/bench-results/1", "results": msgspec.to_builtins(kept)})
        return
    out = console()
    if not kept:
        out.print(_("Nothing has been measured yet. `advisor bench run` measures."), markup=False)
    for summary in kept:
        state = _("interrupted") if summary.interrupted else ""
        line = f"{summary.id}  {summary.created}  {summary.candidates}  {', '.join(summary.workloads)}  {state}"
        out.print(line, markup=False)


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
    from advisor.paths import store_file
    from bench.store import Store, StoreFailure

    try:
        with Store(store_file()) as store:
            imported = store.import_file(file)
    except StoreFailure as failure:
        warn(f"advisor: {failure}")
        raise click.exceptions.Exit(1) from failure
    console().print(imported.id, markup=False)


COMMANDS = (results, show, export, import_)
