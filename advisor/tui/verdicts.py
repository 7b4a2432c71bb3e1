"""What old guides said and what became of it, as lines of a page: claims, charges with their trial, winners."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from textual.content import Content

from advisor import trial_findings
from advisor.findings import verdict_sentence
from advisor.guides import Said, Today, Topic
from advisor.i18n import _, language
from advisor.recommendation import Recommendation
from advisor.trial import ChargeTrial, Ruling, Venue
from advisor.tui.lines import Part, evidence_lines, heading
from advisor.tui.widgets.bars import TOP_SCORE, bar, fit, right
from advisor.words import ruling_in_words
from bench.plan import Candidate
from bench.results import Results
from knowledge.model import Charge, Framework, Holds, Knowledge, Statement, Test

HOLDS: Final = {
    Holds.CONFIRMED: ("✓", "$text-success"),
    Holds.PARTLY: ("±", "$text-warning"),
    Holds.REFUTED: ("✗", "$text-error"),
    Holds.UNTESTABLE: ("?", "dim"),
}
"""The mark of each judgement on a claim, which can be read without colour."""

RULINGS: Final = {
    Ruling.CONFIRMED: ("✓", "$text-success"),
    Ruling.PARTLY: ("±", "$text-warning"),
    Ruling.REFUTED: ("✗", "$text-error"),
    Ruling.UNDECIDED: ("≈", ""),
    Ruling.UNTESTABLE: ("?", "dim"),
}
"""The mark of each outcome of a trial."""

_YEAR = 5
_MEASURED = "performance"
"""The node whose leaves are measured: claims on it are held against races on this machine."""


def framework_name(knowledge: Knowledge, framework: str | None) -> str:
    """A framework's name; what is none is called by what it is."""
    if framework is None:
        return _("not a framework")
    known = knowledge.frameworks.get(framework)
    return known.name if known is not None else framework


def criterion_name(knowledge: Knowledge, criterion: str | None) -> str:
    """The name of a leaf or node; what the tree does not have is called so."""
    if criterion is None:
        return _("no criterion")
    nodes, name = knowledge.criteria, criterion
    for step in criterion.split("."):
        found = next((node for node in nodes if node.id == step), None)
        if found is None:
            return criterion
        nodes, name = found.children, found.name.in_language(language())
    return name


# --- one topic: then and now -----------------------------------------------------------------------------------------


def topic_lines(
    topic: Topic, knowledge: Knowledge, recommendation: Recommendation | None, results: Results | None, history: bool
) -> Iterator[Part]:
    """All that was said of one framework on one criterion, by date; what is so now; what the answer makes of it.

    Args:
        topic: what was said.
        knowledge: for names, ratings and sources.
        recommendation: the decision in force, for knock-outs.
        results: the measurements in force.
        history: whether ratings that were superseded are shown.
    """
    for said in topic.said:
        mark, style = HOLDS[said.claim.holds]
        yield Content.assemble((fit(said.guide.published[:4], _YEAR), "bold"), said.claim.said)
        yield Content.assemble(
            " " * _YEAR,
            (f"{mark} {ruling_in_words(said.claim.holds)}", style),
            (f"  {said.guide.title.in_language(language())}, {_line(said)}", "dim"),
        )
    for now, told in _by_now(topic.said):
        yield ""
        yield Content.assemble((fit(_("now"), _YEAR), "bold $text-accent"), now)
        for said in told[:1]:
            yield from evidence_lines(said.claim.evidence, knowledge)
    framework = knowledge.frameworks.get(topic.framework or "")
    if framework is not None:
        yield from _rated(framework, topic.criterion, history)
        yield from _knocked_out(framework.id, recommendation)
        if topic.criterion is not None and topic.criterion.partition(".")[0] == _MEASURED:
            yield from _measured_here(framework.id, recommendation, results)


def _line(said: Said) -> str:
    return _("line {n}").format(n=said.claim.line)


def _by_now(told: Sequence[Said]) -> Iterator[tuple[str, list[Said]]]:
    """What is so now, each sentence once, with the claims that it answers."""
    for now in dict.fromkeys(said.claim.now for said in told):
        yield now, [said for said in told if said.claim.now == now]


def _rated(framework: Framework, criterion: str | None, history: bool) -> Iterator[Part]:
    """The rating in force, and those before it."""
    statements = framework.ratings.get(criterion or "", ())
    if not statements:
        return
    yield ""
    for statement in statements if history else statements[:1]:
        yield _rating(statement)
    if not history and len(statements) > 1:
        yield (_("h shows earlier ratings"), "dim")


def _rating(statement: Statement) -> Part:
    score = "?" if statement.score is None else f"{statement.score:g}"
    return Content.assemble(
        (_("rated {score}").format(score=score), "bold"),
        (f"  {statement.as_of}  ", "dim"),
        statement.rationale or statement.reason,
    )


def _knocked_out(framework: str, recommendation: Recommendation | None) -> Iterator[Part]:
    excluded = recommendation.excluded if recommendation is not None else ()
    for failure in next((each.failed for each in excluded if each.framework == framework), ()):
        yield Content.assemble((_("knocked out") + "  ", "bold $text-error"), failure.because)


def _measured_here(framework: str, recommendation: Recommendation | None, results: Results | None) -> Iterator[Part]:
    """What races on this machine said of a framework, and whether it counts."""
    if results is None:
        yield (_("here  nothing measured yet"), "dim")
        return
    measured = recommendation.measured if recommendation is not None else None
    counted = {told.partition(" ")[0] for told in measured.counted} if measured is not None else set()
    for verdict in results.verdicts:
        own = [each for each in (verdict.a, verdict.b) if _framework_of(each) == framework]
        if own:
            counts = _("counted") if set(own) <= counted else _("not counted")
            yield Content.assemble(
                (fit(_("here"), _YEAR), "bold"),
                f"{verdict.workload}: {verdict_sentence(verdict)}",
                (f"  {results.id}, {counts}", "dim"),
            )


def _framework_of(candidate: str) -> str:
    try:
        return Candidate.parse(candidate).framework
    except ValueError:  # a twin, "pytorch:eager#2"
        return ""


# --- charges ---------------------------------------------------------------------------------------------------------


def charge_lines(
    charge: Charge, tried: ChargeTrial | None, venues: Sequence[Venue], knowledge: Knowledge
) -> Iterator[Part]:
    """What a guide concluded, how it is tried, and what came of it; `tried` is None while that is worked out."""
    yield (charge.text.in_language(language()), "bold")
    yield ""
    if tried is not None:
        for said in tried.said:
            yield (f"“{said}”", "italic")
        yield ""
    yield (how_tried(charge, knowledge), "dim")
    yield ""
    if tried is None:
        yield (_("Working it out…"), "dim")
        return
    mark, style = RULINGS[tried.ruling]
    yield (f"{mark} {trial_findings.ruling_sentence(tried)}", f"bold {style}")
    for venue in venues:
        if venue.results in tried.results:
            yield (trial_findings.venue_sentence(venue), "dim")
    for hearing in tried.hearings:
        mark, style = RULINGS[hearing.ruling]
        yield ""
        yield Content.assemble(
            (f"{mark} ", style), (hearing.workload, "bold $text-accent"), f": {ruling_in_words(hearing.ruling)}"
        )
        yield from (f"  {line}" for line in trial_findings.hearing_lines(charge, hearing, knowledge))


def how_tried(charge: Charge, knowledge: Knowledge) -> str:
    """What would confirm a charge, in one sentence."""
    test = {
        Test.FASTEST: _("Tried by a race on {device}: less time per training step than {rivals} on {workloads}."),
        Test.SLOWEST: _("Tried by a race on {device}: more time per training step than {rivals} on {workloads}."),
        Test.LEAST_MEMORY: _("Tried by a race on {device}: a smaller peak of memory than {rivals} on {workloads}."),
        Test.FEWEST_LINES: _("Tried by counting: fewer lines of model and training than {rivals} on {workloads}."),
        Test.FEWEST_TRAINING_LINES: _("Tried by counting: fewer lines of training than {rivals} on {workloads}."),
        Test.DYNAMIC_SHAPE: _(
            "Tried by a race on {device}: lengths that change slow it down less than {rivals} on {workloads}."
        ),
    }[charge.test]
    rivals = _(", ").join(framework_name(knowledge, each) for each in charge.against)
    told = test.format(device=charge.device, rivals=rivals, workloads=_(", ").join(charge.workloads))
    if charge.factor > 1:
        told += " " + _("It names a factor: {factor:g} times.").format(factor=charge.factor)
    return told


# --- winners ---------------------------------------------------------------------------------------------------------


def winner_lines(found: Today, published: str, knowledge: Knowledge) -> Iterator[Part]:
    """Whom a guide preferred on one dimension, and how the same frameworks are rated today."""

    def names(frameworks: Iterable[str]) -> str:
        return _(", ").join(framework_name(knowledge, each) for each in frameworks) or _("nobody")

    yield Content.assemble((fit(published[:4], _YEAR), "bold"), names(found.winner.then))
    yield Content.assemble((fit(_("now"), _YEAR), "bold $text-accent"), names(found.now))
    yield ""
    criterion = criterion_name(knowledge, found.winner.criterion)
    yield heading(_("Rated today on: {criterion}").format(criterion=criterion))
    yield from _scores(found.scores, found.now, knowledge)


def _scores(scores: Mapping[str, float | None], best: Sequence[str], knowledge: Knowledge) -> Iterator[Part]:
    known = sorted(scores.items(), key=lambda each: (each[1] is None, -(each[1] or 0.0)))
    for framework, score in known:
        yield Content.assemble(
            (fit(framework_name(knowledge, framework), 14), "bold" if framework in best else ""),
            (bar((score or 0.0) / TOP_SCORE, 15), "$accent"),
            right("?" if score is None else f"{score:g}", 5),
        )
