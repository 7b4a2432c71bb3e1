"""Golden personas: people whose right advice was written down before it was worked out, and what they are told.

They are how a change of knowledge, of the questionnaire or of the engine shows what it does to people: the decision
is run for each, compared with what an expert expects, and with what it was at another revision.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

import msgspec

from advisor.answers import Answers, answers_in
from advisor.decision import DEFAULT_SAMPLES, decide
from advisor.i18n import _
from advisor.questionnaire import preferences
from advisor.recommendation import Recommendation, Verdict
from knowledge.faults import BadInput, Fault
from knowledge.loader import Places
from knowledge.model import Expected, Knowledge

SHOWN_RANKS: Final = 3
"""Ranks that are shown of a persona, and whose change is reported: beyond them nobody chooses."""

SEED: Final = 0


class Standing(msgspec.Struct, frozen=True):
    """One framework in the ranking a persona is given."""

    framework: str
    score: float  # 0-10
    first_probability: float  # 0-1


class Outcome(msgspec.Struct, frozen=True):
    """What a persona is told, as far as a change of it matters."""

    verdict: Verdict
    winner: str | None
    top: tuple[Standing, ...]

    def differs(self, other: "Outcome") -> bool:
        """Whether the winner, the verdict or the first three, in their order, are others. Scores may move."""
        return (self.verdict, self.winner, self._order()) != (other.verdict, other.winner, other._order())

    def _order(self) -> tuple[str, ...]:
        return tuple(each.framework for each in self.top)


class Told(msgspec.Struct, frozen=True):
    """One persona's outcome and what of the expectations does not hold, in sentences; none where all hold."""

    persona: str
    outcome: Outcome
    missed: tuple[str, ...]


class Change(msgspec.Struct, frozen=True):
    """A persona who is told something else. A side is None where that knowledge cannot answer the sheet, and why."""

    persona: str
    before: Outcome | None
    after: Outcome | None
    why: str = ""


def sheets(knowledge: Knowledge, places: Places) -> dict[str, Answers]:
    """Persona id -> its answers.

    Raises:
        BadInput: with every fault of every sheet.
    """
    read: dict[str, Answers] = {}
    faults: list[Fault] = []
    for persona in knowledge.personas:
        try:
            read[persona] = answers_in(places.sheet(persona), knowledge)
        except BadInput as bad:
            faults.extend(bad.faults)
    if faults:
        raise BadInput(faults)
    return read


def recommended(knowledge: Knowledge, answers: Answers, as_of: date, samples: int = DEFAULT_SAMPLES) -> Recommendation:
    """What somebody with these answers is told on `as_of`, with nothing measured."""
    return decide(knowledge, preferences(answers, knowledge), None, as_of, SEED, samples)


def outcome(recommendation: Recommendation) -> Outcome:
    top = recommendation.ranking[:SHOWN_RANKS]
    return Outcome(
        verdict=recommendation.verdict,
        winner=recommendation.winner,
        top=tuple(Standing(each.framework, each.score, each.first_probability) for each in top),
    )


def missed(expected: Expected, recommendation: Recommendation) -> Iterator[str]:
    """What an expert expects and the recommendation does not say, in sentences."""
    first = recommendation.ranking[0].framework if recommendation.ranking else None
    if first is not None and first not in expected.first:
        names = ", ".join(expected.first) or _("nobody")
        yield _("{first} comes first, expected {names}").format(first=first, names=names)
    if first is None and expected.first:
        yield _("nobody qualifies, expected {names}").format(names=", ".join(expected.first))
    if expected.verdict and recommendation.verdict.value not in expected.verdict:
        names = ", ".join(expected.verdict)
        yield _("the verdict is {verdict}, expected {names}").format(verdict=recommendation.verdict.value, names=names)
    failed = {each.framework: {failure.fact for failure in each.failed} for each in recommendation.excluded}
    for framework, fact in expected.excluded.items():
        if fact not in failed.get(framework, ()):
            yield _("{framework} is not knocked out by {fact}").format(framework=framework, fact=fact)
    for framework in expected.ranked:
        if framework in failed:
            names = ", ".join(sorted(failed[framework]))
            yield _("{framework} is knocked out by {fact}").format(framework=framework, fact=names)


def tell_all(knowledge: Knowledge, places: Places, as_of: date) -> tuple[Told, ...]:
    """Every persona's outcome beside what is expected.

    Raises:
        BadInput: a sheet cannot be read.
    """
    told = []
    for id_, answers in sheets(knowledge, places).items():
        recommendation = recommended(knowledge, answers, as_of)
        told.append(Told(id_, outcome(recommendation), tuple(missed(knowledge.personas[id_].expected, recommendation))))
    return tuple(told)


def changes(before: Knowledge, after: Knowledge, places: Places, as_of: date) -> tuple[Change, ...]:
    """The personas of `after` who are told something else than they would be from what was known `before`.

    Both sides answer today's sheets with today's engine on one day, so that nothing but knowledge differs. A sheet
    that names what one side does not know cannot be answered there, which is a change as well.

    Args:
        before: what was known.
        after: what is known, with the personas.
        places: where the sheets of `after` are written.
        as_of: the day.
    """
    found = []
    for id_ in after.personas:
        old, refused = _answered(before, places, id_, as_of)
        new, refused_now = _answered(after, places, id_, as_of)
        if old is None or new is None or new.differs(old):
            found.append(Change(id_, old, new, refused_now or refused))
    return tuple(found)


def _answered(knowledge: Knowledge, places: Places, persona: str, as_of: date) -> tuple[Outcome | None, str]:
    """One side's outcome, or None and the reason."""
    try:
        return outcome(recommended(knowledge, answers_in(places.sheet(persona), knowledge), as_of)), ""
    except BadInput as bad:
        return None, "; ".join(fault.problem for fault in bad.faults)


def differing(a: Answers, b: Answers) -> tuple[str, ...]:
    """The keys on which two sheets differ: questions (their "perhaps" too), fixed weights, requirements, frameworks."""
    pairs: tuple[tuple[str, Mapping[str, object], Mapping[str, object]], ...] = (
        ("answers", a.answers, b.answers),
        ("weights", a.weights, b.weights),
        ("requirements", a.requirements, b.requirements),
    )
    keys = [
        f"{part}.{key}"
        for part, ours, theirs in pairs
        for key in dict.fromkeys((*ours, *theirs))
        if ours.get(key) != theirs.get(key)
    ]
    keys += [key for key in ("current", "course") if getattr(a, key) != getattr(b, key)]
    return tuple(keys)
