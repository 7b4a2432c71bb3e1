"""`advisor frameworks`, `show` and `compare`: what the knowledge base says, without a questionnaire."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.output import console, json_option, print_json
from advisor.i18n import _, language

if TYPE_CHECKING:
    from advisor.attributes import Attributes
    from knowledge.loader import Places
    from knowledge.model import Evidence, FactStatement, Framework, Instead, Knowledge, Leaving, Sheet, Statement


_NAME_WIDTH = 17
"""Columns that the longest value of a fact needs, "  microcontroller"."""

_ID_WIDTH = 19
"""Columns that the longest id needs behind its indent, "  pytorch_lightning"."""

_RELEASE_WIDTH = 25
"""Columns that nearly all releases with their day need, "2.7.post2 (2020-12-09)"."""

_CELL_WIDTH = 14
"""Columns that a rating with its range needs at most, "10.0 [10-10] *"."""

_LEAST_ROOM = 12
"""Columns of nearly all ratings, "6.6 [6-8] *", and of a date in brackets."""


@click.command(help=_("List every framework that is known: role, life, latest release."))
@json_option
def frameworks(as_json: bool) -> None:
    from advisor import known

    base = known.load()
    if as_json:
        print_json({"schema": "advisor/frameworks/1", "frameworks": [_line(f) for f in base.frameworks.values()]})
        return
    from rich.table import Table

    out = console()
    for heading, members in _groups(base):
        out.print(heading, style="bold", markup=False)
        table = Table(box=None, pad_edge=False, show_header=False, width=out.width)
        table.add_column(width=_ID_WIDTH, overflow="fold")
        table.add_column(ratio=1, overflow="fold")
        table.add_column(width=_RELEASE_WIDTH, overflow="fold")
        for framework in members:
            row = _line(framework)
            latest = f"{row['latest_version']} ({row['latest_date']})" if row["latest_version"] else _("unknown")
            table.add_row(f"  {row['id']}", row["name"], latest)
        out.print(table)
    out.print(_("Each with its id, name and latest final release; `advisor show ID` tells the rest."), markup=False)


def _groups(base: "Knowledge") -> "Iterator[tuple[str, list[Framework]]]":
    """Frameworks of one role and stage of life, those one could choose today first, with a heading."""
    from advisor.words import role_in_words, status_in_words
    from knowledge.model import Role, Status

    for role in Role:
        for status in Status:
            found = [f for f in base.frameworks.values() if (f.role, f.lifecycle.status) == (role, status)]
            if found:
                yield f"{role_in_words(role)} · {status_in_words(status)} ({len(found)})", found


@click.command(help=_("Show one framework: facts, ratings and the evidence behind each."))
@click.argument("framework")
@click.option("--history", is_flag=True, help=_("Show superseded ratings too."))
@json_option
def show(framework: str, history: bool, as_json: bool) -> None:
    from advisor import known, live
    from advisor.cli.select import framework_named
    from advisor.clock import today

    base, places = known.load_with_places()
    found = framework_named(base, framework, "FRAMEWORK")
    page = live.about(found, live.kept(), today())
    if as_json:
        print_json({"schema": "advisor/framework-page/1", **_page(base, places, found, history), "live": page})
        return
    out = console()
    for line in _page_lines(base, places, found, history):
        out.print(line)
    if page is not None:
        out.print()
        for told in live.lines(page):
            out.print(told, markup=False)


@click.command(help=_("Compare two or more frameworks: what they are, and leaf by leaf."))
@click.argument("frameworks", nargs=-1, required=True)
@json_option
def compare(frameworks: tuple[str, ...], as_json: bool) -> None:
    from advisor import known
    from advisor.attributes import attributes
    from advisor.cli.select import frameworks_named
    from knowledge.checks import rated_leaves
    from knowledge.faults import BadInput, Fault

    base = known.load()
    leaves = rated_leaves(base)
    found = tuple({f.id: f for f in frameworks_named(base, frameworks, "FRAMEWORK")}.values())
    if len(found) < 2:
        raise BadInput([Fault("compare", None, "", _("one framework is nothing to compare"), _("name two or more"))])
    sheets = {framework.id: attributes(base, framework) for framework in found}
    rows: dict[str, dict[str, Any]] = {
        path: {f.id: _score(f.ratings.get(path)) for f in found} for path in leaves if _rated(found, path)
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
        table.add_row(leaves[path].name.in_language(language()), *(_cell(scores[f.id], best) for f in found))
    out.print(table)
    out.print()
    out.print(_("Ratings: 0 to 10, the range in brackets, * the best, ? not known."))
    if any(sheet.popularity for sheet in sheets.values()):
        out.print(_("Popularity: each figure with its day; `advisor show` names its source."))
    if any(sheet.code_lines for sheet in sheets.values()):
        out.print(_("Lines of code: model and training as the framework's documentation writes them; the median."))


def _attribute_rows(sheets: "list[Attributes]") -> Iterator[tuple[str, list[str]]]:
    """Name and cells of every row about what the frameworks are."""
    from rich.markup import escape

    from advisor.words import fact_in_words, measure_in_words, role_in_words, status_in_words, support_in_words
    from knowledge.model import Measure

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
    if any(sheet.sheet for sheet in sheets):
        yield _("developer"), [escape(sheet.sheet.developer) if sheet.sheet else "?" for sheet in sheets]
        yield _("written in"), [", ".join(sheet.sheet.written_in) if sheet.sheet else "?" for sheet in sheets]
        yield _("execution"), [_execution(sheet.sheet) if sheet.sheet else "?" for sheet in sheets]
        yield _("autodiff"), [_yes_or_no(sheet.sheet.autodiff) if sheet.sheet else "?" for sheet in sheets]
        yield _("layers"), [_layers(sheet.sheet) if sheet.sheet else "?" for sheet in sheets]
    for measure in Measure:
        counts = [sheet.popularity.get(measure) for sheet in sheets]
        if any(counts):
            yield measure_in_words(measure), [f"{each.value:,.0f}\n({each.as_of})" if each else "?" for each in counts]
    yield _("known ratings"), [f"{sheet.known_ratings} / {sheet.ratings}" for sheet in sheets]
    if any(sheet.code_lines for sheet in sheets):
        yield _("lines of code"), [f"{sheet.code_lines.median:g}" if sheet.code_lines else "?" for sheet in sheets]


def _execution(sheet: "Sheet") -> str:
    from advisor.words import execution_in_words

    return ", ".join(map(execution_in_words, sheet.execution))


def _layers(sheet: "Sheet") -> str:
    from advisor.words import layer_in_words

    return ", ".join(map(layer_in_words, sheet.layers)) or _("none")


def _yes_or_no(holds: bool) -> str:
    return _("yes") if holds else _("no")


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


def _page(base: "Knowledge", places: "Places", framework: "Framework", history: bool) -> dict[str, Any]:
    from advisor.attributes import newest_counts

    ratings = {
        path: [
            _with_sources(base, statement) | {"place": str(places.framework(framework.id, "ratings", path, number))}
            for number, statement in enumerate(statements if history else statements[:1])
        ]
        for path, statements in framework.ratings.items()
    }
    return {
        **_line(framework),
        "homepage": framework.homepage,
        "lifecycle": framework.lifecycle,
        "facts": {fact: [_with_sources(base, s) for s in statements] for fact, statements in framework.facts.items()},
        "ratings": ratings,
        "leaving": _with_sources(base, framework.leaving) if framework.leaving is not None else None,
        "instead": [_with_sources(base, part) for part in framework.instead],
        "sheet": framework.sheet,
        "popularity": framework.popularity if history else tuple(newest_counts(framework).values()),
    }


def _with_sources(base: "Knowledge", stated: "FactStatement | Instead | Leaving | Statement") -> dict[str, Any]:
    """Something stated with evidence, and what is known of the sources of that."""
    from msgspec import structs

    return structs.asdict(stated) | {"evidence": evidence_of(base, stated.evidence)}


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


def _page_lines(base: "Knowledge", places: "Places", framework: "Framework", history: bool) -> Iterator[str]:
    from rich.markup import escape

    from advisor.decision.explain import instead_in_words
    from advisor.words import fact_in_words, role_in_words, status_in_words, support_in_words

    life, row = framework.lifecycle, _line(framework)
    kind = f"{role_in_words(framework.role)} · {status_in_words(life.status)}"
    yield f"[bold]{escape(framework.name)}[/]  {kind}  {framework.homepage}"
    yield escape(framework.summary.in_language(language()))
    if row["latest_version"]:
        yield _("latest release {version}, {date}").format(version=row["latest_version"], date=row["latest_date"])
    for number, (sentence, part) in enumerate(
        zip(instead_in_words(framework.id, base), framework.instead, strict=True)
    ):
        yield escape(sentence)
        yield f"  [dim]{escape(str(places.framework(framework.id, 'instead', number)))}[/]"
        yield from _evidence_lines(base, part.evidence)
    if framework.leaving is not None:
        yield escape(_("Leaving it: {cost}").format(cost=framework.leaving.cost))
        yield f"  [dim]{escape(str(places.framework(framework.id, 'leaving')))}[/]"
        yield from _evidence_lines(base, framework.leaving.evidence)
    for line in (*_sheet_lines(framework), *_popularity_lines(base, framework, history)):
        yield escape(f"  {line}")
    for fact, statements in framework.facts.items():
        graded = "; ".join(f"{support_in_words(s.support)}: {', '.join(s.values)}" for s in statements)
        yield escape(f"  {fact_in_words(fact)}: {graded}")
    for path, rated in framework.ratings.items():
        for number, statement in enumerate(rated if history else rated[:1]):
            place = places.framework(framework.id, "ratings", path, number)
            yield from _rating_lines(base, path, statement, str(place), superseded=number > 0)


def _rating_lines(
    base: "Knowledge", path: str, statement: "Statement", place: str, *, superseded: bool
) -> Iterator[str]:
    """One rating: score, reason, where it is written and by whom, and the evidence with its sources."""
    from rich.markup import escape

    from advisor.words import authorship_in_words
    from knowledge.checks import rated_leaves

    name = rated_leaves(base)[path].name.in_language(language())
    score = "?" if statement.score is None else f"{statement.score:g} ({statement.low:g}-{statement.high:g})"
    old = _("superseded, ") if superseded else ""
    yield f"\n[bold]{escape(name)}[/] {path}: {score}  {old}{statement.as_of}"
    yield "  " + escape(statement.rationale or statement.reason)
    by = authorship_in_words(statement.author, statement.affiliation, statement.reviewed_by)
    yield f"  [dim]{escape(f'{place}: {by}')}[/]"
    yield from _evidence_lines(base, statement.evidence)


def _evidence_lines(base: "Knowledge", evidence: "tuple[Evidence, ...]") -> Iterator[str]:
    """Each piece of evidence with its stance, its source, when that was published and whose word it is."""
    from rich.markup import escape

    from advisor.words import independence_in_words, stance_in_words

    for item in evidence:
        source = base.sources[item.source]
        dated = source.published or _("undated, read {date}").format(date=source.accessed)
        whose = independence_in_words(source.independence)
        yield (
            escape(f"  - {stance_in_words(item.stance)}: {item.claim}")
            + f" [dim]({escape(source.title)}, {dated}, {whose})[/]"
        )


def _sheet_lines(framework: "Framework") -> Iterator[str]:
    """Who develops it and how it works, as far as that is written down."""
    sheet = framework.sheet
    if sheet is None:
        return
    yield _("developer") + f": {sheet.developer}"
    yield _("written in") + f": {', '.join(sheet.written_in)}"
    yield _("execution") + f": {_execution(sheet)}"
    yield _("autodiff") + f": {_yes_or_no(sheet.autodiff)}"
    yield _("layers") + f": {_layers(sheet)}"


def _popularity_lines(base: "Knowledge", framework: "Framework", history: bool) -> Iterator[str]:
    """Figures of popularity, each with its day and source: the newest of each kind, or all."""
    from advisor.attributes import newest_counts
    from advisor.words import measure_in_words

    for each in framework.popularity if history else newest_counts(framework).values():
        note = f" {each.note}" if each.note else ""
        source = base.sources[each.source].title
        yield f"{measure_in_words(each.measure)}: {each.value:,.0f} ({each.as_of}, {source}){note}"
