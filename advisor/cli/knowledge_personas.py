"""What golden personas are told, and what a change of knowledge changed for them. Part of `advisor knowledge`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from advisor.cli.output import console, json_option, print_json
from advisor.i18n import _, language

if TYPE_CHECKING:
    from advisor.personas import Change, Outcome, Told
    from knowledge.model import Knowledge


@click.command(
    help=_("Show what golden personas are told, and whether an expert would agree. Exits with 1 if not, unexplained.")
)
@click.argument("persona", nargs=-1)
@json_option
def personas(persona: tuple[str, ...], as_json: bool) -> None:
    import msgspec

    from advisor.personas import tell_all
    from knowledge import load_with_places

    base, places = load_with_places()
    told = tell_all(_only(base, persona), places, base.date)
    if as_json:
        shown = [
            {**msgspec.to_builtins(each), "expected": msgspec.structs.asdict(base.personas[each.persona].expected)}
            for each in told
        ]
        print_json({"schema": "advisor/personas/1", "as_of": base.date, "personas": shown})
    else:
        _show(told, base)
    if any(bool(each.missed) != bool(base.personas[each.persona].dissent) for each in told):
        raise click.exceptions.Exit(1)


@click.command(help=_("Show which personas are told something else than at a git revision, and what."))
@click.argument("revision", metavar="REV")
@json_option
def diff(revision: str, as_json: bool) -> None:
    from advisor.personas import changes
    from advisor.revisions import knowledge_at
    from knowledge import load_with_places

    base, places = load_with_places()
    before = knowledge_at(revision)
    found = changes(before.knowledge, base, places, base.date)
    if as_json:
        print_json(
            {
                "schema": "advisor/knowledge-diff/1",
                "revision": revision,
                "commit": before.commit,
                "as_of": base.date,
                "personas": len(base.personas),
                "changed": found,
            }
        )
        return
    _show_changes(found, base, revision)


COMMANDS = (personas, diff)


def _only(base: "Knowledge", wanted: Sequence[str]) -> "Knowledge":
    """The knowledge with the personas that are `wanted`, or with all where none is named."""
    from msgspec.structs import replace

    from knowledge.faults import BadInput, Fault
    from knowledge.reader import did_you_mean

    problem = _("there is no such persona")
    faults = [
        Fault("PERSONA", None, word, problem, did_you_mean(word, base.personas))
        for word in wanted
        if word not in base.personas
    ]
    if faults:
        raise BadInput(faults)
    return replace(base, personas={id_: base.personas[id_] for id_ in wanted or base.personas})


def _show(told: "Sequence[Told]", base: "Knowledge") -> None:
    out = console()
    for each in told:
        persona = base.personas[each.persona]
        mark = _("not as expected") if each.missed else _("as expected")
        out.print(f"{each.persona}: {persona.name.in_language(language())} - {mark}", style="bold", markup=False)
        out.print(f"  {_outcome(each.outcome)}", markup=False)
        expected = " | ".join(persona.expected.first) or _("nobody")
        out.print(
            "  " + _("expected: {names}. {because}").format(names=expected, because=persona.because), markup=False
        )
        for line in each.missed:
            out.print(f"  ! {line}", markup=False)
        if persona.dissent:
            out.print("  " + _("why it is told all the same: {why}").format(why=persona.dissent), markup=False)
    held = sum(not each.missed for each in told)
    out.print(_("{held} of {all} personas hold").format(held=held, all=len(told)), markup=False)


def _show_changes(found: "Sequence[Change]", base: "Knowledge", revision: str) -> None:
    out = console()
    for each in found:
        out.print(f"{each.persona}: {base.personas[each.persona].name.in_language(language())}", style="bold")
        out.print(f"  - {_outcome(each.before)}", markup=False)
        out.print(f"  + {_outcome(each.after)}", markup=False)
        if each.why:
            out.print(f"  ! {each.why}", markup=False)
    line = _("{changed} of {all} personas are told something else than at {revision}")
    out.print(line.format(changed=len(found), all=len(base.personas), revision=revision), markup=False)


def _outcome(outcome: "Outcome | None") -> str:
    """One line: the verdict and the first three with score and probability of being first."""
    if outcome is None:
        return _("cannot be answered")
    top = ", ".join(f"{each.framework} {each.score:.2f} ({each.first_probability:.2f})" for each in outcome.top)
    return f"{outcome.verdict.value}: {top}" if top else outcome.verdict.value
