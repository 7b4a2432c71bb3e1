"""`advisor knowledge`: is the knowledge base sound, and what may be written in it."""

from pathlib import Path

import click

from advisor.cli.output import console, json_option, print_json
from advisor.i18n import _


@click.group(help=_("Check the knowledge base; print the schema of its files."))
def knowledge() -> None:
    pass


@knowledge.command(help=_("Find every fault: ids, sources, dates, staleness, gaps. Exit status 1 when there are any."))
@click.option("--folder", type=click.Path(path_type=Path), help=_("Another knowledge folder than the shipped one."))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help=_("Judge ages on this day; the default is today."))
@json_option
def check(folder: Path | None, as_of: object, as_json: bool) -> None:
    from datetime import datetime

    from advisor.clock import today
    from knowledge import checks

    day = as_of.date() if isinstance(as_of, datetime) else today()
    report = checks.run(folder, day)
    if as_json:
        print_json({"schema": "advisor/knowledge-check/1", "as_of": day, **checks.summary(report)})
    else:
        out = console()
        for finding in report.findings:
            out.print(f"{finding.severity.value}: {finding.fault}", markup=False)
        for line in checks.counts(report):
            out.print(line, markup=False)
    if report.errors:
        raise click.exceptions.Exit(1)


@knowledge.command(help=_("Print the JSON Schemas of the knowledge files, or write them into a folder."))
@click.option("--write", type=click.Path(path_type=Path, file_okay=False), help=_("Write one file per schema here."))
def schema(write: Path | None) -> None:
    import msgspec

    from knowledge.schema import schemas

    if write is None:
        print_json(schemas())
        return
    write.mkdir(parents=True, exist_ok=True)
    for name, document in schemas().items():
        (write / f"{name}.schema.json").write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
        console().print(f"{name}.schema.json")
