"""What a report says, before any markup: the recommendation with every number's source beside it.

A rating's number cites the sources of its statement, a fit value those of the facts, a measured value the results it
was measured in; each says in which file and line it is stated. Citations are numbered in the order they are first used.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from math import inf

import msgspec

from advisor import findings
from advisor.answers import Answers
from advisor.decision.explain import (
    Explanation,
    InUse,
    cared_for,
    explain_one,
    in_use,
    instead_in_words,
    methods_in_words,
    people_in_words,
)
from advisor.decision.measured import count
from advisor.decision.statements import fact_in_force, in_force
from advisor.decision.value import Value, rated_as
from advisor.i18n import _, language
from advisor.questionnaire import MAINTAINED, Preferences
from advisor.recommendation import Current, Excluded, Ranked, Recommendation
from advisor.report.bias import bias_note
from advisor.words import support_in_words
from bench.results import Results, Run
from knowledge.loader import Places
from knowledge.model import Evidence, Framework, Knowledge, Stance


class Citation(msgspec.Struct, frozen=True):
    """One numbered source."""

    number: int
    id: str
    title: str
    url: str
    publisher: str
    published: str | None
    accessed: str
    independence: str


class Cited(msgspec.Struct, frozen=True):
    """A piece of evidence: what it says, how that bears on the matter, whose word it is, and its source's number."""

    claim: str
    stance: str
    independence: str
    number: int


class Stated(msgspec.Struct, frozen=True):
    """A statement that a value rests on: where it is written, and by whom. A fact has no author of its own."""

    place: str  # file and line
    as_of: str
    author: str
    affiliation: str
    reviewed_by: str  # empty where nobody has


class Line(msgspec.Struct, frozen=True):
    """One leaf of one framework: weight x value = points, on which basis, from which sources.

    `basis` is "rating", "facts", "measured" or "unknown"; `citations` are numbers of sources, `results` an id.
    """

    leaf: str
    name: str
    weight: float
    value: float
    low: float | None
    high: float | None
    points: float
    basis: str
    as_of: str | None
    because: str
    citations: tuple[int, ...]
    results: str | None
    stated: tuple[Stated, ...]
    evidence: tuple[Cited, ...]


class Contrary(msgspec.Struct, frozen=True):
    """Evidence that speaks against a rating which stands all the same."""

    leaf: str
    name: str
    evidence: Cited


class Sheet(msgspec.Struct, frozen=True):
    """One ranked framework with its lines, heaviest first, and what speaks against them."""

    ranked: Ranked
    lines: tuple[Line, ...]
    contrary: tuple[Contrary, ...]


class Barred(msgspec.Struct, frozen=True):
    """A framework that is knocked out: what it fails, where each fact is written, and where to go instead."""

    excluded: Excluded
    places: tuple[str, ...]  # one for each of `excluded.failed`
    evidence: tuple[tuple[Cited, ...], ...]  # likewise
    instead: tuple[str, ...]
    instead_evidence: tuple[tuple[Cited, ...], ...]  # one for each of `instead`


class Staying(msgspec.Struct, frozen=True):
    """The framework in use today, whether it competes or not: where it stands, what leaving costs, where one would go.

    `who` are the respondents who use it; empty for a single sheet.
    """

    current: Current
    who: tuple[str, ...]
    place: str
    evidence: tuple[Cited, ...]
    instead: tuple[str, ...]
    instead_evidence: tuple[tuple[Cited, ...], ...]  # one for each of `instead`


class Said(msgspec.Struct, frozen=True):
    """One answered question in words."""

    who: str  # the respondent; empty where nobody is named
    question: str
    answer: str
    sure: str


class Fact(msgspec.Struct, frozen=True):
    """Something measured of one run beside its speed, with its unit."""

    id: str
    name: str
    value: str


class MeasuredRun(msgspec.Struct, frozen=True):
    """One run and what was measured besides; `notes` say what was not, and why."""

    run: Run
    facts: tuple[Fact, ...]
    notes: tuple[str, ...]


class MeasuredRace(msgspec.Struct, frozen=True):
    """Everybody on one workload in one phase, fastest first, and the verdicts between those that stand in."""

    workload: str
    phase: str
    about: str
    runs: tuple[MeasuredRun, ...]
    verdicts: tuple[str, ...]


class Measured(msgspec.Struct, frozen=True):
    """What was measured: by how many launches, what came of each race, and what holds for all of it."""

    launches: str
    races: tuple[MeasuredRace, ...]
    closing: tuple[str, ...]
    scope: str  # what every verdict is about, and what it says nothing of


class Content(msgspec.Struct, frozen=True):
    """Everything a report says."""

    language: str
    recommendation: Recommendation
    said: tuple[Said, ...]
    leaf_names: dict[str, str]
    framework_names: dict[str, str]
    sheets: tuple[Sheet, ...]
    results: Results | None
    runs: tuple[Run, ...]
    measured: Measured | None
    citations: tuple[Citation, ...]
    why: tuple[str, ...]  # the reasons for the first, and with which weights it is first whatever was answered
    why_not: tuple[Explanation, ...]  # of everybody ranked below the first
    barred: tuple[Barred, ...]
    staying: tuple[Staying, ...]
    people: tuple[str, ...]  # sentences; none for a single sheet
    methods: str  # whether other ways of ranking agree; empty where nobody is ranked
    bias: tuple[str, ...]


class _Citations:
    """Numbers sources as they are cited."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._numbers: dict[str, int] = {}

    def cite(self, sources: Iterable[str]) -> tuple[int, ...]:
        numbers = [self._numbers.setdefault(source, len(self._numbers) + 1) for source in sources]
        return tuple(dict.fromkeys(numbers))

    def evidence(self, evidence: Iterable[Evidence]) -> tuple[Cited, ...]:
        """The evidence with its numbers."""
        return tuple(
            Cited(
                claim=each.claim,
                stance=each.stance.value,
                independence=self._knowledge.sources[each.source].independence.value,
                number=self.cite([each.source])[0],
            )
            for each in evidence
        )

    def listed(self) -> tuple[Citation, ...]:
        return tuple(self._citation(number, source) for source, number in self._numbers.items())

    def _citation(self, number: int, source_id: str) -> Citation:
        source = self._knowledge.sources[source_id]
        return Citation(
            number=number,
            id=source.id,
            title=source.title,
            url=source.url,
            publisher=source.publisher,
            published=source.published,
            accessed=source.accessed.isoformat(),
            independence=source.independence.value,
        )


def build(
    recommendation: Recommendation,
    knowledge: Knowledge,
    places: Places,
    answers: Sequence[Answers],
    preferences: Preferences,
    results: Results | None,
) -> Content:
    """The report on one recommendation, in the language in force.

    Args:
        recommendation: what was decided.
        knowledge: the knowledge it was decided from.
        places: where that is written.
        answers: the sheets it was decided for, one per person.
        preferences: what they ask for, together.
        results: the measurements that were given to the decision, if any.
    """
    citations = _Citations(knowledge)
    as_of = date.fromisoformat(recommendation.provenance.as_of)
    counted = count(results, knowledge.leaves, preferences).values
    runs = results.runs if results else ()
    sheets = []
    for ranked in recommendation.ranking:
        framework = knowledge.frameworks[ranked.framework]
        lines = [
            _line(
                recommendation, knowledge, places, preferences, counted, runs, framework, leaf, points, as_of, citations
            )
            for leaf, points in ranked.contributions.items()
            if recommendation.weights[leaf] > 0
        ]
        lines.sort(key=lambda line: (-line.weight, line.leaf))
        contrary = [
            Contrary(line.leaf, line.name, each)
            for line in lines
            for each in line.evidence
            if each.stance == Stance.CONTRADICTS
        ]
        sheets.append(Sheet(ranked, tuple(lines), tuple(contrary)))
    barred = tuple(_barred(each, knowledge, places, citations) for each in recommendation.excluded)
    staying = tuple(_staying(each, knowledge, citations) for each in in_use(recommendation))
    ratings = [line.stated[0] for sheet in sheets for line in sheet.lines if line.basis == "rating"]
    return Content(
        language=language(),
        recommendation=recommendation,
        said=tuple(said for each in answers for said in _said(each, knowledge)),
        leaf_names={path: leaf.name.in_language(language()) for path, leaf in knowledge.leaves.items()},
        framework_names={each.id: each.name for each in knowledge.frameworks.values()},
        sheets=tuple(sheets),
        results=results,
        runs=runs,
        measured=_measured(results) if results else None,
        citations=citations.listed(),
        why=(
            *recommendation.reasoning.why,
            *(
                each
                for first in recommendation.ranking[:1]
                for each in cared_for(first.framework, recommendation, knowledge)
            ),
        ),
        why_not=tuple(explain_one(recommendation, knowledge, each.framework) for each in recommendation.ranking[1:]),
        barred=barred,
        staying=staying,
        people=tuple(people_in_words(recommendation, knowledge)),
        methods=methods_in_words(recommendation, knowledge),
        bias=bias_note(len(ratings), sum(bool(each.reviewed_by) for each in ratings)),
    )


def _barred(excluded: Excluded, knowledge: Knowledge, places: Places, citations: _Citations) -> Barred:
    written, evidence = [], []
    for failure in excluded.failed:
        steps = ("lifecycle",) if failure.fact == MAINTAINED else ("facts", failure.fact)
        written.append(str(places.framework(excluded.framework, *steps)))
        evidence.append(
            tuple(
                Cited(each.claim, each.stance, each.independence, citations.cite([each.source])[0])
                for each in failure.evidence
            )
        )
    return Barred(
        excluded=excluded,
        places=tuple(written),
        evidence=tuple(evidence),
        instead=tuple(instead_in_words(excluded.framework, knowledge)),
        instead_evidence=_instead_evidence(excluded.framework, knowledge, citations),
    )


def _instead_evidence(framework: str, knowledge: Knowledge, citations: _Citations) -> tuple[tuple[Cited, ...], ...]:
    return tuple(citations.evidence(each.evidence) for each in knowledge.frameworks[framework].instead)


def _staying(use: InUse, knowledge: Knowledge, citations: _Citations) -> Staying:
    leaving = knowledge.frameworks[use.current.framework].leaving
    return Staying(
        current=use.current,
        who=use.who,
        place=use.place,
        evidence=citations.evidence(leaving.evidence if leaving else ()),
        instead=tuple(instead_in_words(use.current.framework, knowledge)),
        instead_evidence=_instead_evidence(use.current.framework, knowledge, citations),
    )


def _line(
    recommendation: Recommendation,
    knowledge: Knowledge,
    places: Places,
    preferences: Preferences,
    counted: dict[str, dict[str, Value]],
    runs: Sequence[Run],
    framework: Framework,
    leaf: str,
    points: float,
    as_of: date,
    citations: _Citations,
) -> Line:
    criterion, weight = knowledge.leaves[leaf], recommendation.weights[leaf]
    rated = rated_as(leaf, criterion, framework, preferences.fit)
    case = next((each for each in criterion.special if rated == f"{leaf}.{each.id}"), criterion)
    measured = recommendation.measured
    basis, low, high, dated, because, results = "unknown", None, None, None, "", None
    evidence: tuple[Evidence, ...] = ()
    stated: list[Stated] = []
    if criterion.fit is not None:
        facts = list(
            dict.fromkeys(
                statement
                for value in preferences.fit.get(criterion.fit, ())
                if (statement := fact_in_force(framework, criterion.fit, value, as_of)) is not None
            )
        )
        if facts:
            basis, dated = "facts", max(fact.as_of for fact in facts).isoformat()
            evidence = tuple(item for fact in facts for item in fact.evidence)
            because = "; ".join(f"{', '.join(fact.values)}: {support_in_words(fact.support)}" for fact in facts)
            for number, fact in enumerate(framework.facts[criterion.fit]):
                if fact in facts:
                    place = places.framework(framework.id, "facts", criterion.fit, number)
                    stated.append(Stated(str(place), fact.as_of.isoformat(), "", "", ""))
    elif criterion.measured is not None:
        if measured is not None and (value := counted.get(leaf, {}).get(framework.id)) is not None:
            basis, low, high, results = "measured", value.low, value.high, measured.results
            own = (run for run in runs if (run.framework, run.phase) == (framework.id, criterion.measured.phase))
            named = dict.fromkeys(f"{run.candidate} {run.workload}" for run in own)
            because = _("; ").join(each for each in named if each in measured.counted)
    elif (rating := in_force(framework.ratings.get(rated, ()), as_of)) is not None:
        dated, because, evidence = rating.as_of.isoformat(), rating.rationale or rating.reason, rating.evidence
        number = next(index for index, each in enumerate(framework.ratings[rated]) if each is rating)
        place = places.framework(framework.id, "ratings", rated, number)
        stated.append(Stated(str(place), dated, rating.author, rating.affiliation, rating.reviewed_by))
        if rating.score is not None:
            basis, low, high = "rating", rating.low, rating.high
    if basis == "unknown":
        because = because or _("nothing is known")
    return Line(
        leaf=leaf,
        name=case.name.in_language(language()),
        weight=weight,
        value=points / weight,
        low=low,
        high=high,
        points=points,
        basis=basis,
        as_of=dated,
        because=because,
        citations=citations.cite(item.source for item in evidence),
        results=results,
        stated=tuple(stated),
        evidence=citations.evidence(dict.fromkeys(evidence)),
    )


def _measured(results: Results) -> Measured:
    scope = _(
        "Every figure and verdict is about the network, phase, batch, device, precision, threads and mode named with "
        "it, with data already in memory: reading and preparing data is not part of it."
    )
    return Measured(
        launches=findings.launches_in_words(results),
        races=tuple(_race(results, *race) for race in findings.races(results)),
        closing=tuple(findings.closing_sentences(results)),
        scope=scope,
    )


def _race(results: Results, workload: str, phase: str) -> MeasuredRace:
    runs = [run for run in results.runs if (run.workload, run.phase) == (workload, phase)]
    runs.sort(key=lambda run: run.step_seconds.median if run.step_seconds is not None else inf)
    verdicts = findings.verdicts_of(results, workload, phase, results.plan.defaults)
    return MeasuredRace(
        workload=workload,
        phase=phase,
        about=findings.about(results, workload, phase),
        runs=tuple(MeasuredRun(run, tuple(Fact(*fact) for fact in findings.besides(run)), run.notes) for run in runs),
        verdicts=tuple(map(findings.verdict_sentence, verdicts)),
    )


def _said(answers: Answers, knowledge: Knowledge) -> Iterable[Said]:
    """The answered questions, in the order of the questionnaire."""
    for question in knowledge.questions.values():
        for key, heading in ((question.id, question.text), (question.maybe, question.maybe_text or question.text)):
            answer = answers.answers.get(key) if key else None
            if answer is None:
                continue
            texts = {option.id: option.text.in_language(language()) for option in question.options}
            words = _(", ").join(texts.get(value, value) for value in answer.values)
            yield Said(answers.respondent, heading.in_language(language()), words, answer.sure.value)
