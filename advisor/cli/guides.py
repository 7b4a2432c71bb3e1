"""`advisor guides`: what the old guides claimed, and what of it holds today and on this machine."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.output import console, json_option, print_json
from advisor.i18n import _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.guides import Topic
    from advisor.trial import Trial
    from bench.results import Results
    from knowledge.model import Claim, Guide, Knowledge, Winner


@click.command(help=_("What the old guides said, and what holds today; with --run, on this machine."))
@click.argument("guide", required=False)
@click.option("--framework", help=_("Only what they said of this framework."))
@click.option("--criterion", help=_("Only what bears on this criterion, or on one below it."))
@click.option("--run", "run_", is_flag=True, help=_("Try the guide's charges by a race on this machine."))
@click.option("--replay", is_flag=True, help=_("Show a recorded trial; nothing needs to be installed."))
@click.option("--results", "kept", help=_("Try the charges by results that are kept: latest, ID or FILE."))
@click.option("--budget", type=float, help=_("Seconds of measuring in a race; default: 180 for each workload."))
@click.option(
    "--record",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help=_("Write the races down, a file for each device."),
)
@click.option("--yes", is_flag=True, help=_("Consent to downloads over 500 MB."))
@json_option
def guides(
    guide: str | None,
    framework: str | None,
    criterion: str | None,
    run_: bool,
    replay: bool,
    kept: str | None,
    budget: float | None,
    record: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    from advisor import known
    from advisor.cli.select import framework_named
    from advisor.guides import topics
    from knowledge.loader import walk

    base = known.load()
    racing = {"--budget": budget is not None, "--record": record is not None, "--yes": yes}
    _check_options(guide, run_, replay, kept, [name for name, given in racing.items() if given])
    if guide is not None:
        _known("GUIDE", guide, list(base.guides), _("there is no such guide"), _("`advisor guides` lists them"))
    if criterion is not None:
        paths = [path for path, _node in walk(base.criteria)]
        _known("--criterion", criterion, paths, _("there is no such criterion"), _("its dotted path, as in `show`"))
    chosen = [each for each in base.guides.values() if guide in (None, each.id)]
    about = framework_named(base, framework, "--framework").id if framework is not None else None
    status = 0
    trials: dict[str, Trial] = {}
    if run_:
        trials, status = _run(chosen, base, budget, record, yes)
    elif replay:
        trials = _replayed(chosen, base, guide)
    elif kept is not None:
        from advisor.cli.inputs import named_results

        trials = _tried(chosen, base, {each.id: [named_results("--results", kept)] for each in chosen})
    found = topics(base, guide, about, criterion)
    if as_json:
        print_json(_document(base, chosen, trials, found))
    else:
        filtered = about is not None or criterion is not None
        _print(base, chosen, trials, found, guide is not None, filtered)
    if status:
        raise click.exceptions.Exit(status)


def _check_options(guide: str | None, run_: bool, replay: bool, kept: str | None, racing: list[str]) -> None:
    """At most one way of trying, and a race for one guide only: the user should know what is raced."""
    from knowledge.faults import BadInput, Fault

    ways = [name for name, given in (("--run", run_), ("--replay", replay), ("--results", kept is not None)) if given]
    if len(ways) > 1:
        raise BadInput([Fault(ways[0], None, "", _("cannot go with {other}").format(other=ways[1]), _("give one"))])
    if run_ and guide is None:
        raise BadInput([Fault("--run", None, "", _("needs a guide to try"), _("`advisor guides` lists them"))])
    if racing and not run_:
        raise BadInput([Fault(name, None, "", _("says how to race, and nothing is raced"), "--run") for name in racing])


def _known(place: str, name: str, known: list[str], problem: str, mend: str) -> None:
    from knowledge.faults import BadInput, Fault

    if name not in known:
        close = get_close_matches(name, known, 1)
        mend = _("did you mean {name}?").format(name=close[0]) if close else mend
        raise BadInput([Fault(place, None, name, problem, mend)])


# --- trials ----------------------------------------------------------------------------------------------------------


def _tried(guides: "Iterable[Guide]", base: "Knowledge", results: "dict[str, list[Results]]") -> "dict[str, Trial]":
    """Guide id -> its trial by the results of that id."""
    from advisor.trial import counted_lines, try_guide

    return {each.id: try_guide(each, base, results.get(each.id, []), counted_lines(each)) for each in guides}


def _run(
    chosen: "list[Guide]", base: "Knowledge", budget: float | None, record: Path | None, yes: bool
) -> "tuple[dict[str, Trial], int]":
    """Race for the charges of one guide, on each device they ask for; its trial and the exit status."""
    from msgspec.structs import replace

    from advisor.cli import race
    from advisor.paths import own_workloads, store_file
    from advisor.trial import races
    from bench import machine
    from bench.planning import informed_plan
    from bench.workload import load_workloads

    (guide,), known, devices = chosen, load_workloads(own_workloads()), machine.devices()
    found: list[Results] = []
    for wishes in races(guide, base, devices, budget):
        data = {known[name].data: "made" for name in wishes.workloads if name in known}
        plan = informed_plan(replace(wishes, data=data), base, tuple(known), devices, store_file())
        file = record / f"{plan.device.replace(':', '-')}.jsonl" if record is not None else None
        found.append(race.hold(plan, base, known, {}, record=file, yes=yes))
        if found[-1].interrupted:
            break
    return _tried(chosen, base, {guide.id: found}), max(map(race.status_of, found), default=0)


def _replayed(chosen: "list[Guide]", base: "Knowledge", named: str | None) -> "dict[str, Trial]":
    """The trials by recorded races, a guide's own ones first; those that the recordings say something of."""
    from advisor.trial import is_raced
    from bench import recording
    from knowledge.faults import BadInput, Fault

    own, others = recording.trials(), recording.shipped().values()
    results = {path: recording.read(path).results for path in (*(p for paths in own.values() for p in paths), *others)}
    found = _tried(
        chosen, base, {each.id: [results[path] for path in (*own.get(each.id, ()), *others)] for each in chosen}
    )
    shown = {
        each.id: found[each.id] for each in chosen if found[each.id].venues or not any(map(is_raced, each.charges))
    }
    if named is not None and not shown:
        raise BadInput([Fault("--replay", None, named, _("no trial of it is recorded"), _("--run makes one here"))])
    return shown


# --- for people ------------------------------------------------------------------------------------------------------


def _print(
    base: "Knowledge",
    chosen: "list[Guide]",
    trials: "dict[str, Trial]",
    topics: "Iterable[Topic]",
    named: bool,
    filtered: bool,
) -> None:
    from advisor import shown_guides

    out = console()
    if trials:
        for each in (each for each in chosen if each.id in trials):
            for part in (*shown_guides.heading(each, base), *shown_guides.of_trial(trials[each.id], each, base)):
                out.print(part)
        return
    if named:
        for part in shown_guides.of_guide(chosen[0], base):
            out.print(part)
    elif not filtered:
        for part in shown_guides.of_guides(base):
            out.print(part)
    if named or filtered:
        for part in shown_guides.of_topics(topics, base):
            out.print(part)


# --- for programs ----------------------------------------------------------------------------------------------------


def _document(
    base: "Knowledge", chosen: "list[Guide]", trials: "dict[str, Trial]", topics: "Iterable[Topic]"
) -> dict[str, Any]:
    from advisor.guides import holding
    from advisor.trial import is_raced

    told = []
    for each in chosen:
        charges = [{**_fields(charge), "needs_race": is_raced(charge)} for charge in each.charges]
        told.append(
            {
                **_fields(each),
                "source": base.sources[each.source],
                "holds": holding(each),
                "claims": [_claim(base, claim) for claim in each.claims],
                "charges": charges,
                "winners": [_winner(base, winner) for winner in each.winners],
                "trial": trials.get(each.id),
            }
        )
    side_by_side = [
        {
            "framework": topic.framework,
            "criterion": topic.criterion,
            "said": [
                {"guide": said.guide.id, "published": said.guide.published, **_claim(base, said.claim)}
                for said in topic.said
            ],
        }
        for topic in topics
    ]
    return {"schema": "advisor/guides/1", "guides": told, "topics": side_by_side}


def _claim(base: "Knowledge", claim: "Claim") -> dict[str, Any]:
    from advisor.cli.frameworks import evidence_of

    return {**_fields(claim), "evidence": evidence_of(base, claim.evidence)}


def _winner(base: "Knowledge", winner: "Winner") -> dict[str, Any]:
    from advisor.guides import today

    found = today(base, winner)
    return {**_fields(winner), "scores": found.scores, "rated_best": found.now}


def _fields(record: Any) -> dict[str, Any]:
    """Every field of a record, defaults included."""
    from msgspec.structs import asdict

    return asdict(record)
