"""`advisor knowledge`: is the knowledge base sound and up to date, how much is in it, and what may be written there."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli import knowledge_personas
from advisor.cli.output import console, json_option, print_json, warn
from advisor.files import write_atomically
from advisor.i18n import _

if TYPE_CHECKING:
    from knowledge.counts import Counts


@click.group(help=_("Check, count and refresh the knowledge base; print the schema of its files."))
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

    from advisor import live
    from advisor.clock import today
    from advisor.paths import own_knowledge
    from knowledge import load_with_places
    from knowledge.checks import Severity, check, errors

    day = as_of.date() if isinstance(as_of, datetime) else today()
    base, places = load_with_places(folder, own_knowledge() if folder is None else ())
    findings = check(base, places, day)
    if folder is None:
        findings += live.findings(base, places, live.kept(), day)
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


@knowledge.command(help=_("Ask the package index for releases, and keep what it says. No rating is changed."))
@click.argument("frameworks", nargs=-1)
@json_option
def refresh(frameworks: tuple[str, ...], as_json: bool) -> None:
    from advisor import known, live
    from advisor.cli.select import frameworks_named
    from advisor.clock import today

    base = known.load()
    chosen = frameworks_named(base, frameworks, "FRAMEWORK") if frameworks else tuple(base.frameworks.values())
    done = live.refresh(chosen)
    pages = {each.id: live.about(each, done.registry, today()) for each in chosen}
    if as_json:
        fields = {name: getattr(done, name) for name in ("asked", "kept", "unasked", "problem")}
        print_json({"schema": "advisor/knowledge-refresh/1", **fields, "frameworks": pages})
    else:
        out = console()
        for framework in chosen:
            page = pages[framework.id]
            if page is not None:
                out.print(f"{framework.name}:", markup=False)
                for line in live.lines(page):
                    out.print(f"  {line}", markup=False)
        unasked = ", ".join(done.unasked)
        if unasked:
            out.print(
                _("not asked, since no package of theirs is on PyPI: {names}").format(names=unasked), markup=False
            )
    if done.problem:
        kept = ", ".join(done.kept)
        warn(_("{problem}; kept as they were, or unknown: {names}").format(problem=done.problem, names=kept))
        raise click.exceptions.Exit(1)


@knowledge.command(help=_("Count what is known: frameworks, ratings and their evidence, sources, guides."))
@click.option("--folder", type=click.Path(path_type=Path), help=_("Another knowledge folder than the shipped one."))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help=_("Judge ages on this day; the default is today."))
@json_option
def counts(folder: Path | None, as_of: object, as_json: bool) -> None:
    from datetime import datetime

    import msgspec

    from advisor.clock import today
    from advisor.paths import own_knowledge
    from knowledge import load
    from knowledge.counts import count

    day = as_of.date() if isinstance(as_of, datetime) else today()
    found = count(load(folder, own_knowledge() if folder is None else ()), day)
    if as_json:
        print_json({"schema": "advisor/knowledge-counts/1", **msgspec.to_builtins(found)})
        return
    for line in _count_lines(found):
        console().print(line, markup=False)


def _count_lines(found: "Counts") -> Iterator[str]:
    from advisor.words import holds_in_words, independence_in_words, role_in_words, status_in_words

    def tally(numbers: Mapping[str, int], in_words: Callable[[str], str] = str) -> str:
        return ", ".join(f"{in_words(kind)} {number}" for kind, number in numbers.items() if number)

    frameworks, ratings, sources, guides = found.frameworks, found.ratings, found.sources, found.guides
    yield _("as of {date}").format(date=found.as_of)
    yield _("frameworks: {n} ({roles}; {states})").format(
        n=frameworks.total,
        roles=tally(frameworks.by_role, role_in_words),
        states=tally(frameworks.by_status, status_in_words),
    )
    yield _("ratings: {n} on {leaves} leaves, {scored} with a score; {all} statements with the superseded ones").format(
        n=ratings.ratings, leaves=ratings.leaves, scored=ratings.with_score, all=ratings.statements
    )
    for reason, number in ratings.unknown_by_reason.items():
        yield "  " + _("unknown, {n}: {reason}").format(n=number, reason=reason)
    yield _("evidence: {n} claims, {mean:.1f} a rating, at least {least}; against {against} ratings too").format(
        n=ratings.evidence, mean=ratings.evidence_mean, least=ratings.evidence_least, against=ratings.contradicted
    )
    yield _("borne out by two houses or more: {two:.0%}; by others than the vendor: {others:.0%}").format(
        two=ratings.two_houses, others=ratings.not_the_vendor_alone
    )
    yield _("newest evidence within 12 months: {one:.0%}, within 24: {two:.0%}; reviewed: {n}").format(
        one=ratings.within_12_months, two=ratings.within_24_months, n=ratings.reviewed
    )
    yield _("sources: {n} of {houses} houses ({kinds}); within 12 months: {one:.0%}, within 24: {two:.0%}").format(
        n=sources.total,
        houses=sources.houses,
        kinds=tally(sources.by_independence, independence_in_words),
        one=sources.within_12_months,
        two=sources.within_24_months,
    )
    yield _("guides: {n} with {claims} claims ({verdicts}), {charges} charges, {winners} winners").format(
        n=guides.total,
        claims=guides.claims,
        verdicts=tally(guides.by_verdict, holds_in_words),
        charges=guides.charges,
        winners=guides.winners,
    )
    yield _("ids that lead nowhere: {n}").format(n=found.broken_ids)
