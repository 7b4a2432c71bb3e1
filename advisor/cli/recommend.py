"""`advisor recommend` and `advisor explain`: the decision on the command line."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli.inputs import QUICK_SAMPLES, Decision, decision_options
from advisor.cli.output import console, json_option, print_json
from advisor.i18n import _

if TYPE_CHECKING:
    from advisor.decision.explain import InUse
    from advisor.recommendation import Recommendation
    from knowledge.model import Knowledge

_BAR = 20  # characters for a score of 10


@click.command(help=_("Recommend a framework for an answer sheet, and say how sure that is and why."))
@decision_options
@json_option
def recommend(answers: tuple[Path, ...], results: str, seed: int, as_of: object, as_json: bool) -> None:
    decision = Decision(answers, results, seed, as_of, QUICK_SAMPLES)
    if as_json:
        print_json(decision.recommendation)
    else:
        _show(decision.recommendation, decision.knowledge)


@click.command(help=_("Explain one framework's place: what speaks for and against it, and what would change it."))
@click.argument("framework")
@decision_options
@json_option
def explain(framework: str, answers: tuple[Path, ...], results: str, seed: int, as_of: object, as_json: bool) -> None:
    from advisor.cli.select import framework_named
    from advisor.decision.explain import explain_one

    decision = Decision(answers, results, seed, as_of, QUICK_SAMPLES)
    found = framework_named(decision.knowledge, framework, "FRAMEWORK")
    explanation = explain_one(decision.recommendation, decision.knowledge, found.id)
    if as_json:
        print_json(explanation)
        return
    out = console()
    out.print(explanation.headline, style="bold", markup=False)
    for line in explanation.lines:
        out.print(line, markup=False)


def _show_people(recommendation: "Recommendation", base: "Knowledge") -> None:
    """Everybody's own scores beside those of all."""
    if not recommendation.people:
        return
    from rich.table import Table
    from rich.text import Text

    from advisor.decision.explain import people_in_words

    out = console()
    table = Table(box=None, pad_edge=False)
    table.add_column(_("alone"), overflow="fold")
    for person in recommendation.people:
        table.add_column(Text(person.respondent), justify="right", overflow="fold")
    table.add_column(_("together"), justify="right")
    for ranked in recommendation.ranking:
        scores = [person.scores.get(ranked.framework) for person in recommendation.people]
        best = [person.first == ranked.framework for person in recommendation.people]
        cells = [
            "-" if score is None else f"{score:.1f}{' *' if first else '  '}"
            for score, first in zip(scores, best, strict=True)
        ]
        table.add_row(ranked.name, *cells, f"{ranked.score:.1f}")
    out.print()
    out.print(table)
    for line in people_in_words(recommendation, base):
        out.print(f"- {line}", markup=False)


def _staying(use: "InUse", base: "Knowledge") -> Iterator[str]:
    """Where the framework in use stands, what leaving costs and what would justify it."""
    from advisor.decision.explain import instead_in_words

    if use.who:
        yield _("In use by {people}.").format(people=_(", ").join(use.who))
    yield use.place
    cost = use.current.leaving_cost or _("What leaving costs is not known.")
    yield _("Leaving it: {cost}").format(cost=cost)
    yield use.current.what_would_justify
    yield from instead_in_words(use.current.framework, base)


def _show(recommendation: "Recommendation", base: "Knowledge") -> None:
    from rich.table import Table

    from advisor.decision.explain import in_use
    from advisor.quantities import percent
    from advisor.words import need_in_words

    out, reasoning = console(), recommendation.reasoning
    out.print(reasoning.headline, style="bold", markup=False)
    table = Table(box=None, pad_edge=False)
    for heading, justify in (
        (_("framework"), "left"),
        ("", "left"),
        (_("score"), "right"),
        (_("comes first"), "right"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for ranked in recommendation.ranking:
        bar = "█" * round(ranked.score / 10 * _BAR)
        score = rf"{ranked.score:.1f} \[{ranked.low:.1f}-{ranked.high:.1f}]"
        table.add_row(ranked.name, bar, score, percent(ranked.first_probability))
    out.print(table)
    for entry in recommendation.stack:
        known = base.frameworks.get(entry.framework)
        name = known.name if known else entry.framework
        told = _("{need}: {name}. {because}")
        out.print(told.format(need=need_in_words(entry.need), name=name, because=entry.because), markup=False)
    _show_people(recommendation, base)
    sections = [(_("Why"), reasoning.why), (_("Mind"), reasoning.caveats)]
    for use in in_use(recommendation):
        heading = _("Stay with {name} or switch").format(name=use.current.name)
        sections.append((heading, tuple(_staying(use, base))))
    sections.append((_("What would change it"), reasoning.what_would_change))
    sections.append((_("Why not the others"), tuple(reasoning.why_not.values())))
    if (measured := recommendation.measured) is not None:
        not_counted = tuple(f"{each.candidate} {each.workload}: {each.why}" for each in measured.not_counted)
        sections.append((_("Counted in the ranking:") + f" {measured.results}", measured.counted))
        sections.append((_("Not counted in the ranking:") + f" {measured.results}", not_counted))
    otherwise = _("the sheet can say otherwise:")
    assumed = tuple(f"{each.what} ({otherwise} {each.removable_by})" for each in recommendation.assumptions)
    sections.append((_("Assumed"), assumed))
    for heading, lines in sections:
        if lines:
            out.print(f"\n{heading}", style="bold")
        for line in lines:
            out.print(f"- {line}", markup=False)
