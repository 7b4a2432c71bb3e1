"""`advisor knowledge`: is the knowledge base sound, and what may be written in it."""

from pathlib import Path

import click

from advisor.cli import knowledge_personas
from advisor.cli.output import console, json_option, print_json
from advisor.files import write_atomically
from advisor.i18n import _


@click.group(help=_("Check the knowledge base; print the schema of its files."))
def knowledge() -> None:
    pass


for _command in knowledge_personas.COMMANDS:
    knowledge.add_command(_command)


@knowledge.command(help=_("Find every fault: ids, sources, dates, staleness, gaps. Exit status 1 when there are any."))
@click.option("--folder", type=click.Path(path_type=Path), help=_("Another knowledge folder than the shipped one."))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help=_("Judge ages on this day; the default is today."))
@click.option("--notes", is_flag=True, help=_("List notes too, such as leaves that measure nearly the same."))
@json_option
def check(folder: Path | None, as_of: object, notes: bool, as_json: bool) -> None:
    from collections import Counter
    from datetime import datetime

    import msgspec

    from advisor.clock import today
    from knowledge import load_with_places
    from knowledge.checks import Severity, check, errors

    day = as_of.date() if isinstance(as_of, datetime) else today()
    base, places = load_with_places(folder)
    findings = check(base, places, day)
    counts = {
        "frameworks": len(base.frameworks),
        "sources": len(base.sources),
        "statements": sum(len(each) for f in base.frameworks.values() for each in f.ratings.values()),
        "unknown": sum(each[0].score is None for f in base.frameworks.values() for each in f.ratings.values() if each),
    }
    if as_json:
        found = msgspec.to_builtins(findings)
        print_json({"schema": "advisor/knowledge-check/1", "as_of": day, "counts": counts, "findings": found})
    else:
        out = console()
        for finding in findings:
            if notes or finding.severity is not Severity.NOTE:
                out.print(f"{finding.severity.value}: {finding.fault}", markup=False)
        tally = Counter(finding.severity.value for finding in findings)
        line = {**counts, **{severity.value: tally[severity.value] for severity in Severity}}
        out.print(", ".join(f"{name}: {count}" for name, count in line.items()), markup=False)
    if errors(findings):
        raise click.exceptions.Exit(1)


@knowledge.command(help=_("Print the JSON Schemas of the knowledge files, or write them into a folder."))
@click.option("--write", type=click.Path(path_type=Path, file_okay=False), help=_("Write one file per schema here."))
def schema(write: Path | None) -> None:
    from knowledge.schema import schemas, text

    if write is None:
        print_json(schemas())
        return
    write.mkdir(parents=True, exist_ok=True)
    for name, document in schemas().items():
        write_atomically(write / f"{name}.schema.json", text(document).encode())
        console().print(f"{name}.schema.json")
