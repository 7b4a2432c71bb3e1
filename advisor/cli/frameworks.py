"""`advisor frameworks`, `show` and `compare`: what the knowledge base says, without a questionnaire."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.output import console, json_option, print_json
from advisor.i18n import _, language

if TYPE_CHECKING:
    from advisor.attributes import Attributes
    from knowledge.model import Evidence, FactStatement, Framework, Knowledge, Statement


_NAME_WIDTH = 17
"""Columns that the longest value of a fact needs, "  microcontroller"."""

_CELL_WIDTH = 14
"""Columns that a rating with its range needs at most, "10.0 [10-10] *"."""

_LEAST_ROOM = 12
"""Columns of nearly all ratings, "6.6 [6-8] *", and of a date in brackets."""


@click.command(help=_("List every framework that is known: role, life, latest release."))
@json_option
def frameworks(as_json: bool) -> None:
    import knowledge

    base = knowledge.load()
    if as_json:
        print_json({"schema": "advisor/frameworks/1", "frameworks": [_line(f) for f in base.frameworks.values()]})
        return
    from rich.table import Table

    from advisor.words import role_in_words, status_in_words

    table = Table(box=None, pad_edge=False)
    for heading in (_("id"), _("name"), _("role"), _("status"), _("latest release")):
        table.add_column(heading)
    for framework in base.frameworks.values():
        row = _line(framework)
        latest = f"{row['latest_version']} ({row['latest_date']})" if row["latest_version"] else _("unknown")
        role, status = role_in_words(row["role"]), status_in_words(row["status"])
        table.add_row(row["id"], row["name"], role, status, latest)
    console().print(table)


@click.command(help=_("Show one framework: facts, ratings and the evidence behind each."))
@click.argument("framework")
@click.option("--history", is_flag=True, help=_("Show superseded ratings too."))
@json_option
def show(framework: str, history: bool, as_json: bool) -> None:
    import knowledge
    from advisor.cli.select import framework_named

    base = knowledge.load()
    found = framework_named(base, framework, "FRAMEWORK")
    if as_json:
        print_json({"schema": "advisor/framework-page/1", **_page(base, found, history)})
        return
    out = console()
    for line in _page_lines(base, found, history):
        out.print(line)


@click.command(help=_("Compare two or more frameworks: what they are, and leaf by leaf."))
@click.argument("frameworks", nargs=-1, required=True)
@json_option
def compare(frameworks: tuple[str, ...], as_json: bool) -> None:
    import knowledge
    from advisor.attributes import attributes
    from advisor.cli.select import frameworks_named
    from knowledge.faults import BadInput, Fault

    base = knowledge.load()
    found = tuple({f.id: f for f in frameworks_named(base, frameworks, "FRAMEWORK")}.values())
    if len(found) < 2:
        raise BadInput([Fault("compare", None, "", _("one framework is nothing to compare"), _("name two or more"))])
    sheets = {framework.id: attributes(base, framework) for framework in found}
    rows: dict[str, dict[str, Any]] = {
        path: {f.id: _score(f.ratings.get(path)) for f in found} for path in base.leaves if _rated(found, path)
    }
    if as_json:
        document = {"frameworks": [f.id for f in found], "attributes": sheets, "leaves": rows}
        print_json({"schema": "advisor/comparison/1", **document})
        return
    from rich.table import Table

    out = console()
    table = Table(box=None, pad_edge=False)
    room = (out.width - _NAME_WIDTH) // len(found) - 2  # between two columns are two blanks
    least = _NAME_WIDTH if room >= _LEAST_ROOM else None  # beside many frameworks every column folds
    table.add_column("", min_width=least, overflow="fold")
    for each in found:
        table.add_column(each.name, justify="right", max_width=max(room, _CELL_WIDTH), overflow="fold")
    for name, cells in _attribute_rows(list(sheets.values())):
        table.add_row(name, *cells)
    table.add_row()
    for path, scores in rows.items():
        best = max((s["score"] for s in scores.values() if s["score"] is not None), default=None)
        table.add_row(base.leaves[path].name.in_language(language()), *(_cell(scores[f.id], best) for f in found))
    out.print(table)
    out.print()
    out.print(_("Ratings: 0 to 10, the range in brackets, * the best, ? not known."))
    if any(sheet.code_lines for sheet in sheets.values()):
        out.print(_("Lines of code: model and training as the framework's documentation writes them; the median."))


def _attribute_rows(sheets: "list[Attributes]") -> Iterator[tuple[str, list[str]]]:
    """Name and cells of every row about what the frameworks are."""
    from rich.markup import escape

    from advisor.words import fact_in_words, role_in_words, status_in_words, support_in_words

    yield _("role"), [role_in_words(sheet.role) for sheet in sheets]
    yield _("status"), [status_in_words(sheet.status) for sheet in sheets]
    yield _("first release"), [escape(sheet.first_release) for sheet in sheets]
    yield _("latest release"), [_latest(sheet) for sheet in sheets]
    for fact, values in sheets[0].facts.items():
        yield fact_in_words(fact), []
        for value in values:
            grades = [sheet.facts[fact][value] for sheet in sheets]
            if any(grades):
                yield f"  {value}", [support_in_words(grade) if grade else "?" for grade in grades]
    yield _("known ratings"), [f"{sheet.known_ratings} / {sheet.ratings}" for sheet in sheets]
    if any(sheet.code_lines for sheet in sheets):
        yield _("lines of code"), [f"{sheet.code_lines.median:g}" if sheet.code_lines else "?" for sheet in sheets]


def _latest(sheet: "Attributes") -> str:
    return f"{sheet.latest_version}\n({sheet.latest_date})" if sheet.latest_version else _("unknown")


def _rated(frameworks: "tuple[Framework, ...]", path: str) -> bool:
    return any(framework.ratings.get(path) for framework in frameworks)


def _cell(score: dict[str, Any], best: float | None) -> str:
    if score["score"] is None:
        return "?"
    mark = " *" if score["score"] == best else "  "
    return f"{score['score']:.1f} [{score['low']:.0f}-{score['high']:.0f}]".replace("[", r"\[") + mark


def _score(statements: "tuple[Statement, ...] | None") -> dict[str, Any]:
    newest = statements[0] if statements else None
    names = ("score", "low", "high", "as_of")
    return {name: getattr(newest, name) if newest else None for name in names}


def _line(framework: "Framework") -> dict[str, Any]:
    latest = framework.lifecycle.releases[0] if framework.lifecycle.releases else None
    return {
        "id": framework.id,
        "name": framework.name,
        "role": framework.role.value,
        "status": framework.lifecycle.status.value,
        "latest_version": latest.version if latest else None,
        "latest_date": latest.date.isoformat() if latest else None,
        "modes": [mode.id for mode in framework.modes],
        "backends": list(framework.backends),
        "summary": framework.summary.in_language(language()),
    }


def _page(base: "Knowledge", framework: "Framework", history: bool) -> dict[str, Any]:
    ratings = {
        path: [_statement(base, s) for s in (statements if history else statements[:1])]
        for path, statements in framework.ratings.items()
    }
    return {
        **_line(framework),
        "homepage": framework.homepage,
        "lifecycle": framework.lifecycle,
        "facts": {fact: [_fact(base, s) for s in statements] for fact, statements in framework.facts.items()},
        "ratings": ratings,
        "leaving": framework.leaving,
    }


def _statement(base: "Knowledge", statement: "Statement") -> dict[str, Any]:
    from msgspec import structs

    return structs.asdict(statement) | {"evidence": evidence_of(base, statement.evidence)}


def _fact(base: "Knowledge", statement: "FactStatement") -> dict[str, Any]:
    from msgspec import structs

    return structs.asdict(statement) | {"evidence": evidence_of(base, statement.evidence)}


def evidence_of(base: "Knowledge", evidence: "tuple[Evidence, ...]") -> list[dict[str, Any]]:
    """Pieces of evidence with what is known of their sources, for programs."""
    lines = []
    for item in evidence:
        source = base.sources[item.source]
        lines.append(
            {
                "claim": item.claim,
                "stance": item.stance.value,
                "source": source.id,
                "title": source.title,
                "url": source.url,
                "published": source.published,
                "accessed": source.accessed,
                "independence": source.independence.value,
            }
        )
    return lines


def _page_lines(base: "Knowledge", framework: "Framework", history: bool) -> Iterator[str]:
    from rich.markup import escape

    from advisor.words import fact_in_words, role_in_words, stance_in_words, status_in_words, support_in_words

    life, row = framework.lifecycle, _line(framework)
    kind = f"{role_in_words(framework.role)} · {status_in_words(life.status)}"
    yield f"[bold]{escape(framework.name)}[/]  {kind}  {framework.homepage}"
    yield escape(framework.summary.in_language(language()))
    if row["latest_version"]:
        yield _("latest release {version}, {date}").format(version=row["latest_version"], date=row["latest_date"])
    for fact, statements in framework.facts.items():
        graded = "; ".join(f"{support_in_words(s.support)}: {', '.join(s.values)}" for s in statements)
        yield escape(f"  {fact_in_words(fact)}: {graded}")
    for path, rated in framework.ratings.items():
        name = base.leaves[path].name.in_language(language())
        for index, statement in enumerate(rated if history else rated[:1]):
            score = "?" if statement.score is None else f"{statement.score:g} ({statement.low:g}-{statement.high:g})"
            old = _("superseded, ") if index else ""
            yield f"\n[bold]{escape(name)}[/] {path}: {score}  {old}{statement.as_of}"
            yield "  " + escape(statement.rationale or statement.reason)
            for item in statement.evidence:
                source = base.sources[item.source]
                dated = source.published or _("undated, read {date}").format(date=source.accessed)
                yield (
                    escape(f"  - {stance_in_words(item.stance)}: {item.claim}")
                    + f" [dim]({escape(source.title)}, {dated})[/]"
                )
