"""What a schema cannot say about knowledge: ids resolve, claims are sourced, dates make sense, nothing is stale.

Pure: `check` takes records and their places and returns findings. Errors make an answer wrong or impossible and have
to be mended; warnings come with time or are a matter of degree; notes inform.
"""

import datetime
import itertools
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final

from knowledge.facts import FACTS, earliest
from knowledge.faults import Fault
from knowledge.loader import Place, Places, walk
from knowledge.model import (
    Criterion,
    Evidence,
    FactStatement,
    Framework,
    Guide,
    Holds,
    Knowledge,
    Option,
    Record,
    Role,
    Stance,
    Statement,
    Status,
)
from knowledge.reader import Steps, did_you_mean

MAX_UNKNOWN_SHARE: Final = 0.15
"""Largest share of a rated framework's leaves that may be unknown: an answer needs coverage (METHOD.md)."""

REDUNDANT_ABOVE: Final = 0.8
"""|Spearman| above which two leaves are listed as saying much the same (METHOD.md)."""

REDUNDANT_FRAMEWORKS: Final = 7
"""Frameworks that have to be rated on both leaves: the fewest with which a Spearman correlation of .8 is beyond
chance (two-sided 5 % points: .786 for 7, .886 for 6; Zar 1972)."""

EXTREME_LOW: Final = 2
EXTREME_HIGH: Final = 8
"""A score this low or this high rests on supporting claims from INDEPENDENT_PUBLISHERS different publishers."""

INDEPENDENT_PUBLISHERS: Final = 2

RATED_ROLES: Final = frozenset({Role.ENGINE, Role.HIGH_LEVEL})
"""Roles of frameworks one trains with: they are rated on every leaf."""

_DEVICES: Final = ("cpu", "cuda", "mps")
_PLATFORMS: Final = ("linux-x86_64", "linux-aarch64", "macos-arm64", "macos-x86_64")
_VERIFIED: Final = ("trained", "resolved")
_NEEDS: Final = ("compiler", "library")
_PHASES: Final = ("train", "infer")
_SCALES: Final = ("log2_ratio",)
_SHEET_KEYS: Final = ("course", "current")  # what a question can ask for besides questions and requirements
_LAYERS: Final = ("convolution", "recurrent", "attention")
_CLOSED: Final = frozenset({Status.ARCHIVED, Status.ABANDONED})
"""Of a framework that nobody should choose any more only what says why not is rated."""

_ADDRESSES: Final = ("https://", "http://", "pkg:", "project:")  # the last: material kept by this project


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Record, frozen=True):
    """One thing a check has to say."""

    severity: Severity
    fault: Fault


def check(
    knowledge: Knowledge, places: Places, as_of: datetime.date, workloads: Collection[str] | None = None
) -> list[Finding]:
    """Every finding, errors before warnings before notes, each group in order of file and line.

    Args:
        knowledge: what to check.
        places: where it is written, for the findings.
        as_of: the day on which it has to hold; anything dated later is an error.
        workloads: ids that questions may name; None leaves them unchecked.
    """
    findings = [
        *_criteria(knowledge, places),
        *_questions(knowledge, places, workloads),
        *_sources(knowledge, places, as_of),
        *_redundancy(knowledge, places),
    ]
    for framework in knowledge.frameworks.values():
        findings += _sourced(framework, knowledge, places)
        findings += _lifecycle(framework, knowledge, places, as_of)
        findings += _facts(framework, places, as_of)
        findings += _ratings(framework, knowledge, places, as_of)
        findings += _coverage(framework, knowledge, places)
        findings += _running(framework, knowledge, places)
        findings += _sheet(framework, knowledge, places)
    for guide in knowledge.guides.values():
        findings += _guide(guide, knowledge, places, workloads)
    findings += _repeated_claims(knowledge, places)
    return sorted(findings, key=_order)


def errors(findings: Iterable[Finding]) -> list[Fault]:
    """The faults among `findings` that have to be mended."""
    return [finding.fault for finding in findings if finding.severity is Severity.ERROR]


def _order(finding: Finding) -> tuple[int, str, int]:
    return list(Severity).index(finding.severity), finding.fault.file, finding.fault.line or 0


def _error(place: Place, problem: str, mend: str = "") -> Finding:
    return Finding(severity=Severity.ERROR, fault=place.fault(problem, mend))


def _warning(place: Place, problem: str, mend: str = "") -> Finding:
    return Finding(severity=Severity.WARNING, fault=place.fault(problem, mend))


def _unknown(place: Place, what: str, word: str, known: Iterable[str]) -> Finding:
    return _error(place, f"there is no {what} {word!r}", did_you_mean(word, known))


# --- criteria, questions, sources ------------------------------------------------------------------------------------


def _criteria(knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    for path, node in walk(knowledge.criteria):
        place = places.criterion(path)
        if "." in node.id:
            yield _error(place, f"the id {node.id!r} holds a dot", "dots separate the ids of a path")
        if node.children:
            if node.anchors or node.measured or node.fit:
                yield _error(place, "has children and a scale of its own", "only leaves are scored")
        elif node.measured is not None:
            if node.measured.phase not in _PHASES:
                where = places.criterion(path, "measured", "phase")
                yield _unknown(where, "phase", node.measured.phase, _PHASES)
            if node.measured.scale not in _SCALES:
                where = places.criterion(path, "measured", "scale")
                yield _unknown(where, "scale", node.measured.scale, _SCALES)
        elif node.fit is not None:
            if node.fit not in FACTS:
                yield _unknown(places.criterion(path, "fit"), "fact", node.fit, FACTS)
        elif node.anchors is None or node.max_age_days is None:
            yield _error(place, "is rated, but has no anchors or no max_age_days", "say what 0, 5 and 10 mean")


def _questions(knowledge: Knowledge, places: Places, workloads: Collection[str] | None) -> Iterator[Finding]:
    paths = [path for path, _ in walk(knowledge.criteria)]
    fits = {leaf.fit for leaf in knowledge.leaves.values()}
    for id_, question in knowledge.questions.items():
        if question.maybe in knowledge.questions:
            yield _error(places.question(id_, "maybe"), f"{question.maybe!r} is a question's id", "choose another id")
        if question.asks is not None and question.asks != "framework":
            yield _unknown(places.question(id_, "asks"), "kind of answer", question.asks, ("framework",))
        if not question.options and question.asks is None:
            yield _error(places.question(id_), "has no options", "list some")
        for index in _repeated(option.id for option in question.options):
            option_id = question.options[index].id
            yield _error(places.question(id_, "options", index), f"the option {option_id!r} stands here twice")
        for index, option in enumerate(question.options):
            for steps, what, word, known in _option_words(option, knowledge, paths, workloads):
                if word not in known:
                    yield _unknown(places.question(id_, "options", index, *steps), what, word, known)
            for effect, facts in (("require", option.require), ("fit", option.fit)):
                for fact, value in facts.items():
                    place = places.question(id_, "options", index, effect, fact)
                    if fact not in FACTS:
                        yield _unknown(place, "fact", fact, FACTS)
                    elif FACTS[fact].value(value) is None:
                        yield _error(place, f"{fact} is never {value!r}", FACTS[fact].mend(value))
                    elif effect == "fit" and fact not in fits:
                        yield _error(
                            place, f"no leaf of the tree is about the fit of {fact!r}", "add one, or remove it"
                        )


def _option_words(
    option: Option, knowledge: Knowledge, paths: Sequence[str], workloads: Collection[str] | None
) -> Iterator[tuple[Steps, str, str, Collection[str]]]:
    """The ids an option names: where, what it is called, the id, and the ids that exist."""
    derived = [fact for fact, rule in FACTS.items() if rule.derived]
    asked = [*knowledge.questions, *_SHEET_KEYS, *(f"requirements.{fact}" for fact in FACTS)]
    for path in option.multiply:
        yield ("multiply", path), "criterion", path, paths
    for index, word in enumerate(option.asks):
        yield ("asks", index), "question or key", word, asked
    for index, word in enumerate(option.drops):
        yield ("drops", index), "assumption", word, derived
    for index, word in enumerate(option.confirms):
        yield ("confirms", index), "assumption", word, derived
    if option.role is not None:
        yield ("role",), "role", option.role, list(Role)
    if workloads is not None:
        for index, word in enumerate(option.workloads):
            yield ("workloads", index), "workload", word, workloads


def _sources(knowledge: Knowledge, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    used = {claim.source for framework in knowledge.frameworks.values() for _, claim in _claims(framework)}
    used |= {count.source for framework in knowledge.frameworks.values() for count in framework.popularity}
    for guide in knowledge.guides.values():
        used |= {guide.source, *(evidence.source for claim in guide.claims for evidence in claim.evidence)}
    for id_, source in knowledge.sources.items():
        if not source.url.startswith(_ADDRESSES):
            mend = "write https://..., pkg:TYPE/NAME@VERSION or project:PATH"
            yield _error(places.source(id_, "url"), f"{source.url!r} is no address", mend)
        if source.accessed > as_of:
            yield _error(places.source(id_, "accessed"), f"{source.accessed} lies after {as_of}")
        if source.published is not None:
            published = earliest(source.published)
            if published is None:
                mend = "write a year, a month or a day, as in 2026-11; null if it has no date"
                yield _error(places.source(id_, "published"), f"{source.published!r} is not a date", mend)
            elif published > source.accessed:
                yield _error(places.source(id_, "published"), "was published after it was read")
        if id_ not in used:
            yield _warning(places.source(id_), f"the source {id_!r} is not used", "remove it")


# --- frameworks ------------------------------------------------------------------------------------------------------


def _claims(framework: Framework) -> Iterator[tuple[Steps, Evidence]]:
    """Everything a framework's file claims with a source, and where in the file."""
    places: list[tuple[Steps, Sequence[Evidence]]] = [(("lifecycle",), framework.lifecycle.evidence)]
    for fact, facts in framework.facts.items():
        places += ((("facts", fact, index), stated.evidence) for index, stated in enumerate(facts))
    for leaf, ratings in framework.ratings.items():
        places += ((("ratings", leaf, index), rating.evidence) for index, rating in enumerate(ratings))
    places += ((("modes", index), mode.evidence) for index, mode in enumerate(framework.modes))
    if framework.leaving is not None:
        places.append((("leaving",), framework.leaving.evidence))
    if framework.sheet is not None:
        places.append((("sheet",), framework.sheet.evidence))
    for steps, evidence in places:
        for index, claim in enumerate(evidence):
            yield (*steps, "evidence", index), claim


def _sourced(framework: Framework, knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Every source that is named exists; the lifecycle and every fact name one."""
    for steps, claim in _claims(framework):
        if claim.source not in knowledge.sources:
            yield _unknown(places.framework(framework.id, *steps, "source"), "source", claim.source, knowledge.sources)
    if not framework.lifecycle.evidence:
        yield _error(places.framework(framework.id, "lifecycle"), "has no evidence", "name a claim and its source")
    for fact, facts in framework.facts.items():
        for index, stated in enumerate(facts):
            if not stated.evidence:
                place = places.framework(framework.id, "facts", fact, index)
                yield _error(place, "has no evidence", "name a claim and its source")


def _lifecycle(framework: Framework, knowledge: Knowledge, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    life = framework.lifecycle

    def place(*steps: str | int) -> Place:
        return places.framework(framework.id, "lifecycle", *steps)

    begun = earliest(life.first_release)
    if begun is None:
        mend = "write a year, a month or a day, as in 2016-05"
        yield _error(place("first_release"), f"{life.first_release!r} is not a date", mend)
    elif life.releases and life.releases[-1].date < begun:
        yield _error(place("first_release"), f"lies after the release {life.releases[-1].version}")
    for index, release in enumerate(life.releases):
        if release.date > as_of:
            yield _error(place("releases", index), f"{release.date} lies after {as_of}")
        if index and release.date > life.releases[index - 1].date:
            yield _error(place("releases", index), "is newer than the release above it", "put the newest first")
    for index in _repeated(release.version for release in life.releases):
        yield _error(place("releases", index), f"the release {life.releases[index].version} stands here twice")
    if life.archived is not None:
        if life.archived > as_of:
            yield _error(place("archived"), f"{life.archived} lies after {as_of}")
        if life.status is not Status.ARCHIVED:
            yield _error(place("archived"), f"has a date, but the status is {life.status}", "make the two agree")
    elif life.status is Status.ARCHIVED:
        yield _warning(place("status"), "is archived, but not since when", "add the date as 'archived'")
    if life.successor is not None and life.successor not in knowledge.frameworks:
        yield _unknown(place("successor"), "framework", life.successor, knowledge.frameworks)


def _facts(framework: Framework, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    def place(*steps: str | int) -> Place:
        return places.framework(framework.id, "facts", *steps)

    for fact, facts in framework.facts.items():
        rule = FACTS.get(fact)
        if rule is None:
            yield _unknown(place(fact), "fact", fact, FACTS)
            continue
        if rule.derived:
            yield _error(place(fact), "follows from the lifecycle", "remove it")
        stated: dict[str, FactStatement] = {}
        for index, statement in enumerate(facts):
            if statement.as_of > as_of:
                yield _error(place(fact, index, "as_of"), f"{statement.as_of} lies after {as_of}")
            if not statement.values:
                yield _error(place(fact, index), "names no value")
            for number, value in enumerate(statement.values):
                where = place(fact, index, "values", number)
                if rule.value(value) is None:
                    yield _error(where, f"{fact} is never {value!r}", rule.mend(value))
                elif rule.value(value) != value:
                    yield _error(where, f"{value!r} is another name of {rule.value(value)!r}", "use the latter")
                elif value in stated and statement.as_of >= stated[value].as_of:
                    mend = "keep one, or put the newer one first"
                    yield _error(where, f"{value!r} has a statement above that is not newer", mend)
                stated.setdefault(value, statement)
    silent = [fact for fact, rule in FACTS.items() if not rule.derived and fact not in framework.facts]
    if silent and framework.role is not Role.COMPANION:
        yield _warning(place(), f"nothing is said of {', '.join(silent)}", "unknown facts weaken the answer")


def _ratings(framework: Framework, knowledge: Knowledge, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    rated = rated_leaves(knowledge)
    for path, statements in framework.ratings.items():
        if path not in rated:
            place = places.framework(framework.id, "ratings", path)
            if path in knowledge.leaves:
                yield _error(place, "is worked out or measured, not rated", "remove it")
            else:
                yield _unknown(place, "leaf", path, rated)
            continue
        if not statements:
            yield _error(places.framework(framework.id, "ratings", path), "holds no statement")
        for index, statement in enumerate(statements):
            place = places.framework(framework.id, "ratings", path, index)
            for problem, mend in _statement_faults(statement):
                yield _error(place, problem, mend)
            if index == 0 and _one_sided(statement, knowledge):
                problem = f"{statement.score:g} rests on one publisher, {INDEPENDENT_PUBLISHERS} are needed"
                yield _error(place, problem, "add an independent source, or move the score towards the middle")
            dated = places.framework(framework.id, "ratings", path, index, "as_of")
            if statement.as_of > as_of:
                yield _error(dated, f"{statement.as_of} lies after {as_of}")
            if index and statement.as_of > statements[index - 1].as_of:
                yield _error(dated, "is newer than the statement above it", "put the newest first")
        age_days = (as_of - statements[0].as_of).days if statements else 0
        limit_days = rated[path].max_age_days
        if limit_days is not None and age_days > limit_days:
            place = places.framework(framework.id, "ratings", path, 0, "as_of")
            yield _warning(place, f"is {age_days} days old, {limit_days} are allowed", "look again and add a statement")


def _statement_faults(statement: Statement) -> Iterator[tuple[str, str]]:
    """Problems and mends of one rating, taken by itself."""
    if not statement.author.strip():
        yield "names no author", "say who rated"
    if statement.score is None:
        if not statement.reason.strip():
            yield "the score is null without a reason", "say in 'reason' why it is unknown"
        if statement.low is not None or statement.high is not None:
            yield "the score is null, but has a range", "remove low and high"
        return
    if statement.low is None or statement.high is None:
        yield "the score has no range", "add low and high"
    elif not statement.low <= statement.score <= statement.high:
        yield f"the score {statement.score:g} is outside {statement.low:g} to {statement.high:g}", "widen the range"
    if not statement.rationale.strip():
        yield "has no rationale", "say in one sentence why"
    if not any(claim.stance is Stance.SUPPORTS for claim in statement.evidence):
        yield "no evidence supports the score", "add some, or make the score null and give the reason"


def _one_sided(statement: Statement, knowledge: Knowledge) -> bool:
    """Whether an extreme score is borne out by too few publishers."""
    if statement.score is None or EXTREME_LOW < statement.score < EXTREME_HIGH:
        return False
    supporting = [each.source for each in statement.evidence if each.stance is Stance.SUPPORTS]
    known = {knowledge.sources[each].publisher for each in supporting if each in knowledge.sources}
    return len(known) < INDEPENDENT_PUBLISHERS


def _coverage(framework: Framework, knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """A rated framework has a statement on every leaf, and few of them are unknown."""
    rated = rated_leaves(knowledge)
    place = places.framework(framework.id, "ratings")
    if framework.role not in RATED_ROLES or framework.lifecycle.status in _CLOSED:
        return
    if not framework.ratings:
        yield _warning(place, "is not rated yet", "rate it, or it scores as unknown on every leaf")
        return
    missing = [path for path in rated if path not in framework.ratings]
    if missing:
        yield _error(
            place, f"nothing is said on {', '.join(missing)}", "add a statement; null with a reason if unknown"
        )
    newest = [framework.ratings[path][0] for path in rated if framework.ratings.get(path)]
    unknown = [statement for statement in newest if statement.score is None]
    if rated and len(unknown) > MAX_UNKNOWN_SHARE * len(rated):
        problem = f"{len(unknown)} of {len(rated)} leaves are unknown, at most {MAX_UNKNOWN_SHARE:.0%} may be"
        yield _error(place, problem, "find evidence for some")


def _running(framework: Framework, knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Modes, recipes, backends and stack name things that exist."""

    def place(*steps: str | int) -> Place:
        return places.framework(framework.id, *steps)

    modes = [mode.id for mode in framework.modes]
    for index in _repeated(modes):
        yield _error(place("modes", index), f"the mode {modes[index]!r} stands here twice")
    defaults = sum(mode.default for mode in framework.modes)
    if framework.modes and defaults != 1:
        yield _error(place("modes"), f"{defaults} modes are the default, expected one", "set 'default: true' on one")
    for index in _repeated(recipe.id for recipe in framework.recipes):
        yield _error(place("recipes", index), f"the recipe {framework.recipes[index].id!r} stands here twice")
    for index, recipe in enumerate(framework.recipes):
        if recipe.backend is None and framework.backends:
            yield _error(place("recipes", index), "names no backend", f"add one of {', '.join(framework.backends)}")
        if recipe.backend is not None and recipe.backend not in framework.backends:
            yield _unknown(place("recipes", index, "backend"), "backend", recipe.backend, framework.backends)
        if recipe.verified not in _VERIFIED:
            yield _unknown(place("recipes", index, "verified"), "degree", recipe.verified, _VERIFIED)
        for key, words, known in (("devices", recipe.devices, _DEVICES), ("platforms", recipe.platforms, _PLATFORMS)):
            for number, word in enumerate(words):
                if word not in known:
                    yield _unknown(place("recipes", index, key, number), key[:-1], word, known)
        for number, version in enumerate(recipe.python):
            if FACTS["python"].value(version) is None:
                mend = FACTS["python"].mend(version)
                yield _error(place("recipes", index, "python", number), f"{version!r} is no Python version", mend)
        for number, need in enumerate(recipe.needs):
            if need.kind not in _NEEDS:
                yield _unknown(place("recipes", index, "needs", number, "kind"), "kind of need", need.kind, _NEEDS)
            for which, mode in enumerate(need.modes):
                if mode not in modes:
                    yield _unknown(place("recipes", index, "needs", number, "modes", which), "mode", mode, modes)
    named: list[tuple[Steps, str]] = [(("backends", index), id_) for index, id_ in enumerate(framework.backends)]
    for key in ("backend", "export", "run_with"):
        part = getattr(framework.stack, key)
        if part is not None:
            named.append((("stack", key, "framework"), part.framework))
    for steps, id_ in named:
        if id_ not in knowledge.frameworks:
            yield _unknown(place(*steps), "framework", id_, knowledge.frameworks)
    for index, alias in enumerate(framework.aliases):
        for other in knowledge.frameworks.values():
            if alias == other.id or (other.id != framework.id and alias in other.aliases):
                yield _error(
                    place("aliases", index), f"{alias!r} also means {other.id}", "remove it from one of the two"
                )


def _sheet(framework: Framework, knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Attributes, figures of popularity and where to go instead."""

    def place(*steps: str | int) -> Place:
        return places.framework(framework.id, *steps)

    if framework.sheet is None:
        yield _warning(place(), "has no attribute sheet", "add 'sheet'")
    else:
        for index, layer in enumerate(framework.sheet.layers):
            if layer not in _LAYERS:
                yield _unknown(place("sheet", "layers", index), "kind of layer", layer, _LAYERS)
        if not framework.sheet.evidence:
            yield _error(place("sheet"), "has no evidence", "name a claim and its source")
    if not framework.popularity:
        yield _warning(place(), "has no figure of popularity", "add a dated one to 'popularity'")
    for index, count in enumerate(framework.popularity):
        if earliest(count.as_of) is None:
            mend = "write a year, a month or a day, as in 2016-05"
            yield _error(place("popularity", index, "as_of"), f"{count.as_of!r} is not a date", mend)
        if count.source not in knowledge.sources:
            yield _unknown(place("popularity", index, "source"), "source", count.source, knowledge.sources)
    for index, part in enumerate(framework.instead):
        if part.framework not in knowledge.frameworks:
            where = place("instead", index, "framework")
            yield _unknown(where, "framework", part.framework, knowledge.frameworks)
    if framework.lifecycle.status in _CLOSED and not (framework.instead and framework.leaving):
        yield _error(place(), "is retired, but does not say where to go", "add 'instead' and 'leaving'")


# --- guides ----------------------------------------------------------------------------------------------------------


def _guide(guide: Guide, knowledge: Knowledge, places: Places, workloads: Collection[str] | None) -> Iterator[Finding]:
    """Everything a guide's file names exists; what holds or does not is sourced."""

    def place(*steps: str | int) -> Place:
        return places.guide(guide.id, *steps)

    paths = [path for path, _ in walk(knowledge.criteria)]
    named: list[tuple[Steps, str, str, Collection[str]]] = [(("source",), "source", guide.source, knowledge.sources)]
    for index, claim in enumerate(guide.claims):
        start: Steps = ("claims", index)
        for number, id_ in enumerate(claim.frameworks):
            named.append(((*start, "frameworks", number), "framework", id_, knowledge.frameworks))
        if claim.criterion is not None:
            named.append(((*start, "criterion"), "criterion", claim.criterion, paths))
        for number, evidence in enumerate(claim.evidence):
            named.append(((*start, "evidence", number, "source"), "source", evidence.source, knowledge.sources))
        if claim.holds is not Holds.UNTESTABLE and not claim.evidence:
            yield _error(place(*start), f"is {claim.holds.value} without evidence", "name a claim and its source")
    claims = [claim.id for claim in guide.claims]
    for index, charge in enumerate(guide.charges):
        start = ("charges", index)
        named.append(((*start, "framework"), "framework", charge.framework, knowledge.frameworks))
        for key, ids, what, known in (
            ("claims", charge.claims, "claim", claims),
            ("against", charge.against, "framework", knowledge.frameworks),
            ("workloads", charge.workloads, "workload", charge.workloads if workloads is None else workloads),
        ):
            named += (((*start, key, number), what, id_, known) for number, id_ in enumerate(ids))
    for index, winner in enumerate(guide.winners):
        start = ("winners", index)
        named.append(((*start, "criterion"), "criterion", winner.criterion, paths))
        named += (
            ((*start, "among", number), "framework", id_, knowledge.frameworks)
            for number, id_ in enumerate(winner.among)
        )
        for key, ids in (("then", winner.then), ("now", winner.now)):
            named += (((*start, key, number), "framework", id_, winner.among) for number, id_ in enumerate(ids))
    for steps, what, word, known in named:
        if word not in known:
            yield _unknown(place(*steps), what, word, known)


def _repeated_claims(knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Claims are cited by id, so that no two of all guides may share one."""
    stands: set[str] = set()
    for guide in knowledge.guides.values():
        for index, claim in enumerate(guide.claims):
            if claim.id in stands:
                yield _error(places.guide(guide.id, "claims", index), f"the claim {claim.id!r} stands above already")
            stands.add(claim.id)


# --- leaves ----------------------------------------------------------------------------------------------------------


def rated_leaves(knowledge: Knowledge) -> dict[str, Criterion]:
    """The leaves that people rate: not those of the fit, which follow from facts, nor the measured ones."""
    return {path: leaf for path, leaf in knowledge.leaves.items() if leaf.fit is None and leaf.measured is None}


def _redundancy(knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Pairs of leaves that order the frameworks alike: together they count one thing twice."""
    scores: dict[str, dict[str, float]] = {path: {} for path in rated_leaves(knowledge)}
    for framework in knowledge.frameworks.values():
        for path, statements in framework.ratings.items():
            if path in scores and statements and statements[0].score is not None:
                scores[path][framework.id] = statements[0].score
    for (a, scores_a), (b, scores_b) in itertools.combinations(scores.items(), 2):
        both = [id_ for id_ in scores_a if id_ in scores_b]
        if len(both) < REDUNDANT_FRAMEWORKS:
            continue
        rho = spearman([scores_a[id_] for id_ in both], [scores_b[id_] for id_ in both])
        if rho is not None and abs(rho) > REDUNDANT_ABOVE:
            problem = f"{a} orders {len(both)} frameworks much as {b} does (Spearman {rho:.2f})"
            yield Finding(severity=Severity.NOTE, fault=places.criterion(a).fault(problem))


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Spearman's rank correlation, ties at their mean rank; None if all values on one side are equal.

    Spearman, C. (1904), The proof and measurement of association between two things.
    """
    ranks_a, ranks_b = _ranks(a), _ranks(b)
    mean = (len(a) + 1) / 2
    covariance = math.fsum((x - mean) * (y - mean) for x, y in zip(ranks_a, ranks_b, strict=True))
    spread_a = math.fsum((x - mean) ** 2 for x in ranks_a)
    spread_b = math.fsum((y - mean) ** 2 for y in ranks_b)
    return covariance / math.sqrt(spread_a * spread_b) if spread_a and spread_b else None


def _ranks(values: Sequence[float]) -> list[float]:
    counts = Counter(values)
    below, rank = 0, dict[float, float]()
    for value in sorted(counts):
        rank[value] = below + (counts[value] + 1) / 2
        below += counts[value]
    return [rank[value] for value in values]


def _repeated(ids: Iterable[str]) -> list[int]:
    """Indices of ids that have stood before."""
    all_ids = list(ids)
    return [index for index, id_ in enumerate(all_ids) if id_ in all_ids[:index]]
