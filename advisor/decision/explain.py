"""The decision in sentences, in the language in force: why rank 1, why not the others, what would change it.

Sentences say only what the numbers of the recommendation say; nothing is computed here that is not shown elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from advisor.decision.screen import Check
from advisor.decision.verdict import CLEAR_PROBABILITY, FEWEST_ANSWERS, LEANING_PROBABILITY
from advisor.i18n import _, language, ngettext
from advisor.questionnaire import DEFAULT_RUN_LENGTH_SECONDS, MAINTAINED, Origin, Preferences
from advisor.recommendation import (
    Assumption,
    Current,
    EvidenceLine,
    Excluded,
    Failure,
    Flip,
    Person,
    Ranked,
    Reasoning,
    Recommendation,
    Record,
    Verdict,
)
from advisor.words import requirement_in_words, role_in_words
from knowledge.model import Criterion, Evidence, Framework, Knowledge

EXPLANATION_SCHEMA = "advisor/explanation/1"
NO_REASONING = Reasoning("", (), {}, ())

_REASONS = 3
"""Criteria named in one sentence: more are not remembered."""

_SUPPORTABLE = ("os", "accelerator", "language", "target", "python", "distributed")
"""Facts whose values are things that can be supported; of any other fact the whole requirement is named."""

_LEAST_POINTS = 0.02
"""Differences below this are not named: they vanish in the rounding of shown scores."""

_LEAST_MORE = 0.005
"""Weight above what everybody has on average that is named: less is the noise of some thousand draws."""

_TIE = 1e-9
"""Points that are rounding: scores are sums of some 50 products on 0-10 in double precision."""


class Explanation(Record, frozen=True):
    """One framework's place in a recommendation, in sentences."""

    schema: str
    framework: str
    name: str
    headline: str
    lines: tuple[str, ...]


class InUse(Record, frozen=True):
    """A framework that is in use today, whether it competes or not.

    Attributes:
        who: the respondents who use it; empty for a single sheet.
        place: where it stands, in a sentence.
    """

    current: Current
    who: tuple[str, ...]
    place: str


def reasoning(recommendation: Recommendation, knowledge: Knowledge, *, answered: int, provisional: bool) -> Reasoning:
    """All sentences about a recommendation.

    Args:
        recommendation: complete but for its reasoning.
        knowledge: for the names of criteria and frameworks.
        answered: number of questions answered.
        provisional: whether a provisional measurement counted.
    """
    others = {each.framework: _why_not(each, recommendation, knowledge) for each in recommendation.ranking[1:]}
    excluded = {each.framework: _why_excluded(each) for each in recommendation.excluded}
    return Reasoning(
        headline=_headline(recommendation),
        why=tuple(_why(recommendation, knowledge)),
        why_not={**others, **excluded},
        what_would_change=tuple(_what_would_change(recommendation, knowledge)),
        caveats=tuple(_caveats(recommendation, knowledge, answered, provisional)),
    )


def explain_one(recommendation: Recommendation, knowledge: Knowledge, framework: str) -> Explanation:
    """One framework's place: what speaks for and against it, and what would change it."""
    name = knowledge.frameworks[framework].name
    ranked = next((each for each in recommendation.ranking if each.framework == framework), None)
    knocked_out = next((each for each in recommendation.excluded if each.framework == framework), None)
    if ranked is not None:
        headline = _("{name} ranks {rank} of {count} with {score:.1f} of 10 points.").format(
            name=name, rank=ranked.rank, count=len(recommendation.ranking), score=ranked.score
        )
        lines = _about_ranked(ranked, recommendation, knowledge)
    elif knocked_out is not None:
        headline = _("{name} is ruled out.").format(name=name)
        lines = [*_about_excluded(knocked_out), *instead_in_words(framework, knowledge)]
    else:
        headline = _("{name} does not compete here.").format(name=name)
        lines = [_no_competitor(knowledge.frameworks[framework])]
    lines.extend(_for_each(framework, recommendation))
    current = next((each for each in recommendation.currents if each.framework == framework), None)
    if current is not None:
        justified = current.what_would_justify  # repeats what would put it first
        lines = [*(line for line in lines if line not in justified), justified]
        if current.leaving_cost:
            lines.append(_("Leaving it: {cost}").format(cost=current.leaving_cost))
    return Explanation(EXPLANATION_SCHEMA, framework, name, headline, tuple(lines))


def failure(check: Check, framework: Framework, knowledge: Knowledge, as_of: date) -> Failure:
    """Why a framework fails one requirement, with the evidence."""
    fact, origin = check.requirement.fact, check.requirement.origin.value
    if fact == MAINTAINED:
        because, evidence = _not_maintained(framework, as_of), framework.lifecycle.evidence
    else:
        notes = dict.fromkeys(statement.note for statement in check.statements if statement.note)
        stated = _("{name} does not support {values}.").format(
            name=framework.name, values=_either(check.requirement.values)
        )
        if fact not in _SUPPORTABLE:
            stated = _("{name} does not meet: {requirement}.").format(
                name=framework.name, requirement=requirement_in_words(str(check.requirement))
            )
        because = " ".join((stated, *notes))
        evidence = tuple(dict.fromkeys(each for statement in check.statements for each in statement.evidence))
    return Failure(
        str(check.requirement),
        origin,
        fact,
        because,
        _evidence_lines(evidence, knowledge),
        owners=check.requirement.owners,
    )


def assumptions(preferences: Preferences, *, counts_speed: bool) -> tuple[Assumption, ...]:
    """What skipped questions made us assume. The length of a run is one only where measured speed may count."""
    hours = DEFAULT_RUN_LENGTH_SECONDS / 3600
    texts = {
        MAINTAINED: Assumption(
            id=MAINTAINED,
            what=_("Only frameworks that are still maintained are wanted."),
            knocks_out=True,
            removable_by="requirements.maintained: false",
        ),
        "python-in-fit": Assumption(
            id="python-in-fit",
            what=_("You write Python, so support for it counts in the fit."),
            knocks_out=False,
            removable_by="answers.language",
        ),
        "run-length": Assumption(
            id="run-length",
            what=_("One training run takes {hours:g} hours.").format(hours=hours),
            knocks_out=False,
            removable_by="answers.rhythm",
        ),
    }
    return tuple(texts[each] for each in preferences.assumptions if counts_speed or each != "run-length")


def what_would_justify(framework: Framework, recommendation: Recommendation, knowledge: Knowledge) -> str:
    """What would justify leaving, or staying with, the framework in use today."""
    name = framework.name
    ranked = next((each for each in recommendation.ranking if each.framework == framework.id), None)
    if ranked is None:
        knocked_out = next((each for each in recommendation.excluded if each.framework == framework.id), None)
        if knocked_out is None:
            return _no_competitor(framework)
        return _("Staying with {name} means giving up: {requirements}.").format(
            name=name, requirements=_and(_conditions(knocked_out))
        )
    if ranked.rank == 1:
        return _("Nothing in your answers argues for leaving {name}.").format(name=name)
    first = recommendation.ranking[0]
    above = recommendation.pairwise[first.framework][framework.id]
    if above >= CLEAR_PROBABILITY:
        said = _("{first} scores above {name} in {above} of the draws; only the cost of leaving speaks for staying.")
    else:
        said = _("{first} scores above {name} in {above} of the draws; leaving would be justified from {enough} on.")
    sentences = [said.format(first=first.name, name=name, above=per_cent(above), enough=per_cent(CLEAR_PROBABILITY))]
    flip = next((each for each in recommendation.flips if each.framework == framework.id), None)
    if flip is not None and flip.criterion is not None:
        sentences.append(_flip_sentence(flip, name, knowledge))
    return " ".join(sentences)


def closest_rival(recommendation: Recommendation) -> Ranked | None:
    """The rival that rank 1 is least sure to beat."""
    if not recommendation.ranking:
        return None
    first, *rivals = recommendation.ranking
    above = recommendation.pairwise[first.framework]
    return min(rivals, key=lambda rival: above[rival.framework], default=None)


# --- the parts of a reasoning ----------------------------------------------------------------------------------------


def _headline(recommendation: Recommendation) -> str:
    if recommendation.verdict is Verdict.NONE_QUALIFIES:
        return _("No framework meets all your requirements.")
    first = recommendation.ranking[0]
    if recommendation.verdict is Verdict.CLEAR:
        return _("{name} is the clear choice.").format(name=first.name)
    if recommendation.verdict is Verdict.LEANING:
        conditions = [
            requirement_in_words(each.requirement)
            for each in recommendation.unknown
            if each.framework == first.framework
        ]
        if conditions:
            return _("{name} leads, if {conditions} holds.").format(name=first.name, conditions=_and(conditions))
        return _("{name} leads, but not beyond doubt.").format(name=first.name)
    rival = closest_rival(recommendation)
    # Ahead of every rival, yet not leaning: what is missing is coverage.
    if rival is None or recommendation.pairwise[first.framework][rival.framework] >= LEANING_PROBABILITY:
        return _("Too little is known to recommend {name}.").format(name=first.name)
    return _("{name} and {rival} are too close to call.").format(name=first.name, rival=rival.name)


def _why(recommendation: Recommendation, knowledge: Knowledge) -> Iterable[str]:
    if not recommendation.ranking:
        for drop in recommendation.minimal_drops:
            yield _("Giving up {requirements} would let somebody qualify.").format(
                requirements=_and(map(requirement_in_words, drop))
            )
        return
    first = recommendation.ranking[0]
    most = sorted(first.contributions, key=first.contributions.__getitem__, reverse=True)[:_REASONS]
    points = [
        f"{_criterion(knowledge, leaf)} {first.contributions[leaf]:.2f}"
        for leaf in most
        if recommendation.weights[leaf] > 0
    ]
    yield _("{name} scores {score:.1f} of 10; most of it comes from: {points}.").format(
        name=first.name, score=first.score, points=_(", ").join(points)
    )
    rival = closest_rival(recommendation)
    if rival is None:
        yield _("No other framework meets your requirements.")
        return
    above = recommendation.pairwise[first.framework][rival.framework]
    yield _("It scores above {rival}, the closest rival, in {above} of the draws.").format(
        rival=rival.name, above=per_cent(above)
    )
    yield from _settled(recommendation, rival, knowledge)
    losses = _gains(rival.contributions, first.contributions, knowledge)
    if losses:
        yield _("Against {rival} it loses most on {losses}.").format(rival=rival.name, losses=_and(losses))


def _settled(recommendation: Recommendation, rival: Ranked, knowledge: Knowledge) -> Iterable[str]:
    """The fewest criteria that decide for rank 1 against `rival`; nothing is said where the scores are equal."""
    found = next((each for each in recommendation.deciding if each.rival == rival.framework), None)
    if found is None or not found.criteria or found.points < _LEAST_POINTS:
        return
    criteria = _some([_criterion(knowledge, leaf) for leaf in found.criteria])
    first = recommendation.ranking[0]
    if found.against < _LEAST_POINTS:
        said = ngettext(
            "{criteria} alone decides against {rival}: {first} gains {points} points there, and hardly anything speaks "
            "for {rival}.",
            "{criteria} alone decide against {rival}: {first} gains {points} points there, and hardly anything speaks "
            "for {rival}.",
            len(found.criteria),
        )
    else:
        said = ngettext(
            "{criteria} alone decides against {rival}: {first} gains {points} points there, {rival} {against} on all "
            "that speaks for it.",
            "{criteria} alone decide against {rival}: {first} gains {points} points there, {rival} {against} on all "
            "that speaks for it.",
            len(found.criteria),
        )
    points, against = _apart(found.points, found.against)
    yield said.format(criteria=criteria, rival=rival.name, first=first.name, points=points, against=against)


def _apart(more: float, less: float) -> tuple[str, str]:
    """Two numbers of points with as many digits, two or more, as it takes to see which is the greater."""
    digits = next((each for each in (2, 3, 4) if f"{more:.{each}f}" != f"{less:.{each}f}"), 5)
    return f"{more:.{digits}f}", f"{less:.{digits}f}"


def cared_for(framework: str, recommendation: Recommendation, knowledge: Knowledge) -> Iterable[str]:
    """What one would have to care about for a framework to come first."""
    central = recommendation.central.get(framework)
    if central is None:
        return
    name, share = _name(knowledge, framework), per_cent(central.share, 1)
    if central.share == 0:
        yield _("Your answers left aside, no weights were found with which {name} comes first.").format(name=name)
        return
    if not central.weights:
        yield _(
            "Your answers left aside, {name} comes first with {share} of all weights a person could have: too few to "
            "say with which."
        ).format(name=name, share=share)
        return
    more = {leaf: weight - central.even[leaf] for leaf, weight in central.weights.items()}
    most = [leaf for leaf in sorted(more, key=more.__getitem__, reverse=True)[:_REASONS] if more[leaf] >= _LEAST_MORE]
    if not most:  # it comes first whatever a person cares about
        yield _("Your answers left aside, {name} comes first with {share} of all weights a person could have.").format(
            name=name, share=share
        )
        return
    criteria = [
        _("{criterion} ({weight}, {even} on average)").format(
            criterion=_criterion(knowledge, leaf),
            weight=per_cent(central.weights[leaf], 1),
            even=per_cent(central.even[leaf], 1),
        )
        for leaf in most
    ]
    yield _(
        "Your answers left aside, {name} comes first with {share} of all weights a person could have; those put more "
        "on {criteria}."
    ).format(name=name, share=share, criteria=_and(criteria))


def _why_not(ranked: Ranked, recommendation: Recommendation, knowledge: Knowledge) -> str:
    first = recommendation.ranking[0]
    gap = first.score - ranked.score
    losses = _gains(first.contributions, ranked.contributions, knowledge)
    if not losses:
        return _("{name} is {gap:.2f} points behind {first}.").format(name=ranked.name, gap=gap, first=first.name)
    return _("{name} is {gap:.2f} points behind {first}; it loses most on {losses}.").format(
        name=ranked.name, gap=gap, first=first.name, losses=_and(losses)
    )


def _why_excluded(excluded: Excluded) -> str:
    requirements = _and(_conditions(excluded))
    because = " ".join(each.because for each in excluded.failed)
    return _("{name} is ruled out by {requirements}: {because}").format(
        name=excluded.name, requirements=requirements, because=because
    )


def _what_would_change(recommendation: Recommendation, knowledge: Knowledge) -> Iterable[str]:
    names = {each.framework: each.name for each in recommendation.ranking}
    found = [flip for flip in recommendation.flips if flip.criterion is not None]
    for flip in sorted(found, key=_change)[:_REASONS]:
        yield _flip_sentence(flip, names[flip.framework], knowledge)
    if recommendation.flips and not found and not _ties(recommendation.ranking[1], recommendation):
        yield _("No change of a single weight puts another framework first.")
    for excluded in recommendation.excluded:
        if recommendation.ranking and excluded.would_rank == 1:
            yield _("Without {requirements}, {name} would come first.").format(
                requirements=_and(_conditions(excluded)), name=excluded.name
            )


def _caveats(recommendation: Recommendation, knowledge: Knowledge, answered: int, provisional: bool) -> Iterable[str]:
    if recommendation.ranking:
        first = recommendation.ranking[0]
        if answered < FEWEST_ANSWERS:
            yield _("Fewer than {count} questions are answered, so nothing can be clear yet.").format(
                count=FEWEST_ANSWERS
            )
        for unknown in recommendation.unknown:
            if unknown.framework == first.framework:
                yield _("It is not known whether {name} meets {requirement}; check it first.").format(
                    name=first.name, requirement=requirement_in_words(unknown.requirement)
                )
        if first.coverage < 0.995:  # anything less shows as less than 100 %
            yield _("{coverage} of the weight of {name} rests on known values; the rest is unknown.").format(
                coverage=per_cent(first.coverage), name=first.name
            )
    if provisional:
        yield _("The measurements are provisional (a single launch), so their ranges are widened.")
    if recommendation.measured is None:
        yield _("Nothing was measured: speed and memory do not count.")
    elif not recommendation.measured.counted:
        yield _("No measurement fits your answers: speed and memory do not count.")


# --- one framework ---------------------------------------------------------------------------------------------------


def _about_ranked(ranked: Ranked, recommendation: Recommendation, knowledge: Knowledge) -> list[str]:
    lines = [
        _(
            "Its score lies between {low:.1f} and {high:.1f} in nine of ten draws, and is the best in {first} of them."
        ).format(low=ranked.low, high=ranked.high, first=per_cent(ranked.first_probability))
    ]
    if ranked.rank == 1:
        lines.extend(_why(recommendation, knowledge))
    else:
        first = recommendation.ranking[0]
        lines.append(_why_not(ranked, recommendation, knowledge))
        gains = _gains(ranked.contributions, first.contributions, knowledge)
        if gains:
            lines.append(_("Against {first} it gains most on {gains}.").format(first=first.name, gains=_and(gains)))
        flip = next(each for each in recommendation.flips if each.framework == ranked.framework)
        if flip.criterion is not None:
            lines.append(_flip_sentence(flip, ranked.name, knowledge))
        elif not _ties(ranked, recommendation):
            lines.append(_("No change of a single weight puts it first."))
        lines.extend(_settled(recommendation, ranked, knowledge))
    lines.extend(cared_for(ranked.framework, recommendation, knowledge))
    for unknown in recommendation.unknown:
        if unknown.framework == ranked.framework:
            requirement = requirement_in_words(unknown.requirement)
            lines.append(_("It is not known whether it meets {requirement}.").format(requirement=requirement))
    return lines


def _for_each(framework: str, recommendation: Recommendation) -> Iterable[str]:
    """Where one framework stands for each of several people alone."""
    for person in recommendation.people:
        if framework in person.scores:
            yield _("{person} alone: it ranks {rank} of {count} with {score:.1f} points.").format(
                person=person.respondent,
                rank=person.ranking.index(framework) + 1,
                count=len(person.ranking),
                score=person.scores[framework],
            )
        else:
            yield _("{person} alone: it does not qualify.").format(person=person.respondent)


def _about_excluded(excluded: Excluded) -> list[str]:
    lines = [
        _("{requirement}: {because}").format(requirement=_whose(each), because=each.because) for each in excluded.failed
    ]
    if excluded.would_rank is not None:
        lines.append(_("It would rank {rank} otherwise.").format(rank=excluded.would_rank))
    return lines


def _no_competitor(framework: Framework) -> str:
    return _("{name} is not one of the frameworks compared here, since its role is another: {role}.").format(
        name=framework.name, role=role_in_words(framework.role)
    )


def _not_maintained(framework: Framework, as_of: date) -> str:
    life = framework.lifecycle
    if life.archived is not None and life.archived <= as_of:
        return _("{name} was archived on {day}.").format(name=framework.name, day=life.archived.isoformat())
    released = max((each for each in life.releases if each.date <= as_of), key=lambda each: each.date, default=None)
    if released is None:
        return _("{name} has no final release.").format(name=framework.name)
    return _("The last final release of {name} is {version} of {day}.").format(
        name=framework.name, version=released.version, day=released.date.isoformat()
    )


# --- wording ---------------------------------------------------------------------------------------------------------


def _ties(ranked: Ranked, recommendation: Recommendation) -> bool:
    """Whether the score is that of rank 1, which is first by id alone; no change is then the smallest that turns it."""
    return recommendation.ranking[0].score - ranked.score < _TIE


def _gains(ours: Mapping[str, float], theirs: Mapping[str, float], knowledge: Knowledge) -> list[str]:
    """The leaves on which `ours` is furthest ahead of `theirs`, with the points."""
    ahead = {leaf: ours[leaf] - theirs[leaf] for leaf in ours}
    most = sorted(ahead, key=ahead.__getitem__, reverse=True)[:_REASONS]
    return [
        _("{criterion} ({points:.2f})").format(criterion=_criterion(knowledge, leaf), points=ahead[leaf])
        for leaf in most
        if ahead[leaf] >= _LEAST_POINTS
    ]


def _flip_sentence(flip: Flip, name: str, knowledge: Knowledge) -> str:
    assert flip.criterion is not None
    assert flip.start is not None
    assert flip.to is not None
    return _("{name} would come first if {criterion} weighed {to} instead of {start}.").format(
        name=name,
        criterion=_criterion(knowledge, flip.criterion),
        to=per_cent(flip.to, 1),
        start=per_cent(flip.start, 1),
    )


def _change(flip: Flip) -> float:
    return abs((flip.to or 0.0) - (flip.start or 0.0))


def _criterion(knowledge: Knowledge, leaf: str) -> str:
    found: Criterion = knowledge.leaves[leaf]
    return found.name.in_language(language())


def per_cent(share: float, decimals: int = 0) -> str:
    """`share` in per cent, never rounded to a certainty it is not."""
    smallest = 10.0**-decimals
    if 0 < share < smallest / 100 / 2:
        return f"< {smallest:g} %"
    if 1 - smallest / 100 / 2 < share < 1:
        return f"> {100 - smallest:g} %"
    return f"{share * 100:.{decimals}f} %"


def instead_in_words(framework: str, knowledge: Knowledge) -> list[str]:
    """Where to go from a framework that nobody should choose any more, best first."""
    return [
        _("Instead of {name}, {other}: {because}").format(
            name=knowledge.frameworks[framework].name, other=_name(knowledge, each.framework), because=each.because
        )
        for each in knowledge.frameworks[framework].instead
    ]


def in_use(recommendation: Recommendation) -> list[InUse]:
    """Every framework that somebody uses today, once, with its place for all."""
    owners: dict[str, list[str]] = {}
    for person in recommendation.people:
        if person.current is not None:
            owners.setdefault(person.current.framework, []).append(person.respondent)
    would_rank = {each.framework: each.would_rank for each in recommendation.excluded}
    return [
        InUse(
            current,
            tuple(owners.get(current.framework, ())),
            _place(current, len(recommendation.ranking), would_rank.get(current.framework)),
        )
        for current in recommendation.currents
    ]


def _place(current: Current, count: int, would_rank: int | None) -> str:
    """Where the framework in use stands among `count` that are ranked."""
    if current.rank is None or current.gap is None:
        if would_rank is None:
            return _("It is not in the ranking.")
        return _("It is knocked out; otherwise it would rank {rank}.").format(rank=would_rank)
    if current.rank == 1:
        return _("It ranks 1 of {count}.").format(count=count)
    return _("It ranks {rank} of {count}, {gap:.2f} points behind the first.").format(
        rank=current.rank, count=count, gap=current.gap
    )


def methods_in_words(recommendation: Recommendation, knowledge: Knowledge) -> str:
    """Whether other ways of ranking put the same framework first; empty where nobody is ranked."""
    if not recommendation.ranking:
        return ""
    firsts = {_("score"): recommendation.ranking[0].framework}
    firsts |= {each.name: each.ranking[0] for each in recommendation.methods}
    by_first: dict[str, list[str]] = {}
    for method, first in firsts.items():
        by_first.setdefault(first, []).append(method)
    most = max(by_first.values(), key=len)
    named = [
        _("{name} comes first by {methods}").format(name=_name(knowledge, first), methods=_and(methods))
        for first, methods in by_first.items()
    ]
    if len(most) == 1:
        return _("The {all} methods disagree: {firsts}.").format(all=len(firsts), firsts=_("; ").join(named))
    return _("{n} of {all} methods agree: {firsts}.").format(n=len(most), all=len(firsts), firsts=_("; ").join(named))


def people_in_words(recommendation: Recommendation, knowledge: Knowledge) -> list[str]:
    """How far several people agree, what pulls each elsewhere, and whose conditions bind all; empty for one sheet."""
    if not recommendation.people:
        return []
    lines = []
    if recommendation.agreement is not None:
        lines.append(
            _(
                "Their rankings agree to {agreement:.2f} (Kendall's W: 1 is the same order for all, 0 no agreement)."
            ).format(agreement=recommendation.agreement)
        )
    lines.extend(_person_in_words(person, recommendation, knowledge) for person in recommendation.people)
    lines.extend(_vetoes_in_words(recommendation))
    return lines


def _person_in_words(person: Person, recommendation: Recommendation, knowledge: Knowledge) -> str:
    """Whom one of several people would choose alone, and why that is not what all are told."""
    if person.first is None:
        return _("{person} alone: no framework qualifies.").format(person=person.respondent)
    name = _name(knowledge, person.first)
    everybody = recommendation.ranking[0] if recommendation.ranking else None
    if everybody is not None and person.first == everybody.framework:
        return _("{person} alone: {name} too.").format(person=person.respondent, name=name)
    knocked_out = next((each for each in recommendation.excluded if each.framework == person.first), None)
    if knocked_out is not None:
        return _("{person} alone: {name}, which is ruled out for all by {conditions}.").format(
            person=person.respondent, name=name, conditions=_and(map(_whose, knocked_out.failed))
        )
    if everybody is None or not person.pulls:
        return _("{person} alone: {name}.").format(person=person.respondent, name=name)
    pulls = [
        _("{criterion} (weighs {weight}, on average {mean})").format(
            criterion=_criterion(knowledge, pull.criterion),
            weight=per_cent(pull.weight, 1),
            mean=per_cent(pull.mean_weight, 1),
        )
        for pull in person.pulls
    ]
    return _("{person} alone: {name}. What pulls away from {first}: {pulls}.").format(
        person=person.respondent, name=name, first=everybody.name, pulls=_and(pulls)
    )


def _whose(failure: Failure) -> str:
    """A requirement, and whose it is where several people decide."""
    requirement = requirement_in_words(failure.requirement)
    if not failure.owners:
        return requirement
    return _("{requirement} ({people})").format(requirement=requirement, people=_and(failure.owners))


def _conditions(excluded: Excluded) -> list[str]:
    """What a framework that is knocked out does not meet."""
    return [requirement_in_words(each.requirement) for each in excluded.failed]


def _vetoes_in_words(recommendation: Recommendation) -> Iterable[str]:
    """The conditions that not all share, whose they are, and whom they rule out."""
    barred: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for excluded in recommendation.excluded:
        for each in excluded.failed:
            if len(each.owners) < len(recommendation.people):
                barred.setdefault((each.requirement, each.origin, each.owners), []).append(excluded.name)
    for (requirement, origin, owners), names in barred.items():
        said = _("{requirement}, asked for by {people} only, rules out {frameworks} for all.")
        if origin == Origin.ASSUMED:
            said = _("{requirement}, assumed for {people} only, rules out {frameworks} for all.")
        yield said.format(requirement=requirement_in_words(requirement), people=_and(owners), frameworks=_some(names))


def _name(knowledge: Knowledge, framework: str) -> str:
    """A framework's name; what is none of the frameworks keeps its id."""
    found = knowledge.frameworks.get(framework)
    return found.name if found else framework


def _and(words: Iterable[str]) -> str:
    *most, last = words
    return _("{list} and {last}").format(list=_(", ").join(most), last=last) if most else last


def _some(words: Sequence[str]) -> str:
    """All of them, or the first few and how many more there are."""
    more = len(words) - _REASONS
    if more <= 0:
        return _and(words)
    return _("{list} and {more} more").format(list=_(", ").join(words[:_REASONS]), more=more)


def _either(words: Sequence[str]) -> str:
    *most, last = words
    return _("{list} or {last}").format(list=_(", ").join(most), last=last) if most else last


def _evidence_lines(evidence: Iterable[Evidence], knowledge: Knowledge) -> tuple[EvidenceLine, ...]:
    lines = []
    for each in evidence:
        source = knowledge.sources.get(each.source)
        lines.append(
            EvidenceLine(
                claim=each.claim,
                stance=each.stance.value,
                source=each.source,
                title=source.title if source else each.source,
                url=source.url if source else "",
                published=source.published if source else None,
                independence=source.independence.value if source else "",
            )
        )
    return tuple(lines)
