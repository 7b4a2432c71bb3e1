"""A framework's file, but for its ratings: what it names exists, what it states is sourced and dated."""

import datetime
import re
from collections.abc import Iterator, Sequence
from typing import Final

from knowledge.checks.criteria import CLOSED
from knowledge.checks.findings import Finding, error, repeated, unknown, warning
from knowledge.checks.sources import claims
from knowledge.facts import FACTS, earliest
from knowledge.loader import Place, Places
from knowledge.model import FactStatement, Framework, Knowledge, Measure, Role, Status
from knowledge.reader import Steps

_DEVICES: Final = ("cpu", "cuda", "mps")
_PLATFORMS: Final = ("linux-x86_64", "linux-aarch64", "macos-arm64", "macos-x86_64")
_VERIFIED: Final = ("trained", "resolved")
_NEEDS: Final = ("compiler", "library")
_PACKAGE: Final = re.compile(r"pkg:[a-z]+/[^@\s]+")
_LAYERS: Final = ("convolution", "recurrent", "attention")


def check(framework: Framework, knowledge: Knowledge, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    yield from _sourced(framework, knowledge, places)
    yield from _lifecycle(framework, knowledge, places, as_of)
    yield from _facts(framework, places, as_of)
    yield from _running(framework, knowledge, places)
    yield from _sheet(framework, places)
    yield from _popularity(framework, knowledge, places, as_of)
    yield from _instead(framework, knowledge, places)


def _sourced(framework: Framework, knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Every source that is named exists; the lifecycle and every fact name one."""
    for steps, claim in claims(framework):
        if claim.source not in knowledge.sources:
            yield unknown(places.framework(framework.id, *steps, "source"), "source", claim.source, knowledge.sources)
    if not framework.lifecycle.evidence:
        yield error(places.framework(framework.id, "lifecycle"), "has no evidence", "name a claim and its source")
    for fact, facts in framework.facts.items():
        for index, stated in enumerate(facts):
            if not stated.evidence:
                place = places.framework(framework.id, "facts", fact, index)
                yield error(place, "has no evidence", "name a claim and its source")


def _lifecycle(framework: Framework, knowledge: Knowledge, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    life = framework.lifecycle

    def place(*steps: str | int) -> Place:
        return places.framework(framework.id, "lifecycle", *steps)

    begun = earliest(life.first_release)
    if begun is None:
        mend = "write a year, a month or a day, as in 2016-05"
        yield error(place("first_release"), f"{life.first_release!r} is not a date", mend)
    elif life.releases and life.releases[-1].date < begun:
        yield error(place("first_release"), f"lies after the release {life.releases[-1].version}")
    for index, release in enumerate(life.releases):
        if release.date > as_of:
            yield error(place("releases", index), f"{release.date} lies after {as_of}")
        if index and release.date > life.releases[index - 1].date:
            yield error(place("releases", index), "is newer than the release above it", "put the newest first")
    for index in repeated(release.version for release in life.releases):
        yield error(place("releases", index), f"the release {life.releases[index].version} stands here twice")
    if life.archived is not None:
        if life.archived > as_of:
            yield error(place("archived"), f"{life.archived} lies after {as_of}")
        if life.status is not Status.ARCHIVED:
            yield error(place("archived"), f"has a date, but the status is {life.status}", "make the two agree")
    elif life.status is Status.ARCHIVED:
        yield warning(place("status"), "is archived, but not since when", "add the date as 'archived'")
    if life.successor is not None and life.successor not in knowledge.frameworks:
        yield unknown(place("successor"), "framework", life.successor, knowledge.frameworks)


def _facts(framework: Framework, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    def place(*steps: str | int) -> Place:
        return places.framework(framework.id, "facts", *steps)

    for fact, facts in framework.facts.items():
        rule = FACTS.get(fact)
        if rule is None:
            yield unknown(place(fact), "fact", fact, FACTS)
            continue
        if rule.derived:
            yield error(place(fact), "follows from the lifecycle", "remove it")
        stated: dict[str, FactStatement] = {}
        for index, statement in enumerate(facts):
            if statement.as_of > as_of:
                yield error(place(fact, index, "as_of"), f"{statement.as_of} lies after {as_of}")
            if not statement.values:
                yield error(place(fact, index), "names no value")
            for number, value in enumerate(statement.values):
                where = place(fact, index, "values", number)
                if rule.value(value) is None:
                    yield error(where, f"{fact} is never {value!r}", rule.mend(value))
                elif rule.value(value) != value:
                    yield error(where, f"{value!r} is another name of {rule.value(value)!r}", "use the latter")
                elif value in stated and statement.as_of >= stated[value].as_of:
                    mend = "keep one, or put the newer one first"
                    yield error(where, f"{value!r} has a statement above that is not newer", mend)
                stated.setdefault(value, statement)
    silent = [fact for fact, rule in FACTS.items() if not rule.derived and fact not in framework.facts]
    if silent and framework.role is not Role.COMPANION:
        yield warning(place(), f"nothing is said of {', '.join(silent)}", "unknown facts weaken the answer")


def _running(framework: Framework, knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """Modes, recipes, backends and stack name things that exist."""

    def place(*steps: str | int) -> Place:
        return places.framework(framework.id, *steps)

    if framework.package is not None and not _PACKAGE.fullmatch(framework.package):
        mend = "write pkg:TYPE/NAME without a version"
        yield error(place("package"), f"{framework.package!r} is no package URL", mend)
    modes = [mode.id for mode in framework.modes]
    for index in repeated(modes):
        yield error(place("modes", index), f"the mode {modes[index]!r} stands here twice")
    defaults = sum(mode.default for mode in framework.modes)
    if framework.modes and defaults != 1:
        yield error(place("modes"), f"{defaults} modes are the default, expected one", "set 'default: true' on one")
    for index in repeated(recipe.id for recipe in framework.recipes):
        yield error(place("recipes", index), f"the recipe {framework.recipes[index].id!r} stands here twice")
    for index, recipe in enumerate(framework.recipes):
        if recipe.backend is None and framework.backends:
            yield error(place("recipes", index), "names no backend", f"add one of {', '.join(framework.backends)}")
        if recipe.backend is not None and recipe.backend not in framework.backends:
            yield unknown(place("recipes", index, "backend"), "backend", recipe.backend, framework.backends)
        if recipe.verified not in _VERIFIED:
            yield unknown(place("recipes", index, "verified"), "degree", recipe.verified, _VERIFIED)
        for key, words, known in (("devices", recipe.devices, _DEVICES), ("platforms", recipe.platforms, _PLATFORMS)):
            for number, word in enumerate(words):
                if word not in known:
                    yield unknown(place("recipes", index, key, number), key[:-1], word, known)
        for number, version in enumerate(recipe.python):
            if FACTS["python"].value(version) is None:
                mend = FACTS["python"].mend(version)
                yield error(place("recipes", index, "python", number), f"{version!r} is no Python version", mend)
        for number, need in enumerate(recipe.needs):
            if need.kind not in _NEEDS:
                yield unknown(place("recipes", index, "needs", number, "kind"), "kind of need", need.kind, _NEEDS)
            for which, mode in enumerate(need.modes):
                if mode not in modes:
                    yield unknown(place("recipes", index, "needs", number, "modes", which), "mode", mode, modes)
    named: list[tuple[Steps, str]] = [(("backends", index), id_) for index, id_ in enumerate(framework.backends)]
    for key in ("backend", "export", "run_with"):
        part = getattr(framework.stack, key)
        if part is not None:
            named.append((("stack", key, "framework"), part.framework))
    for target, part in framework.stack.run_on.items():
        named.append((("stack", "run_on", target, "framework"), part.framework))
        if target not in FACTS["target"].values:
            yield unknown(place("stack", "run_on", target), "target", target, FACTS["target"].values)
    for steps, id_ in named:
        if id_ not in knowledge.frameworks:
            yield unknown(place(*steps), "framework", id_, knowledge.frameworks)
    for index, alias in enumerate(framework.aliases):
        for other in knowledge.frameworks.values():
            if alias == other.id or (other.id != framework.id and alias in other.aliases):
                yield error(
                    place("aliases", index), f"{alias!r} also means {other.id}", "remove it from one of the two"
                )


def _sheet(framework: Framework, places: Places) -> Iterator[Finding]:
    """The attribute sheet is filled in, names languages and layers that exist, and its sources."""

    def place(*steps: str | int) -> Place:
        return places.framework(framework.id, *steps)

    sheet = framework.sheet
    if sheet is None:
        yield warning(place(), "has no attribute sheet", "add 'sheet'")
        return
    named: tuple[tuple[str, str, Sequence[str], Sequence[str]], ...] = (
        ("written_in", "language", sheet.written_in, FACTS["language"].values),
        ("layers", "kind of layer", sheet.layers, _LAYERS),
    )
    for key, what, words, known in named:
        for index, word in enumerate(words):
            if word not in known:
                yield unknown(place("sheet", key, index), what, word, known)
    filled = {"developer": sheet.developer.strip(), "written_in": sheet.written_in, "execution": sheet.execution}
    for key, given in filled.items():
        if not given:
            yield error(place("sheet", key), "is empty", "say it, or leave the sheet out")
    if not sheet.evidence:
        yield error(place("sheet"), "has no evidence", "name a claim and its source")


def _popularity(framework: Framework, knowledge: Knowledge, places: Places, as_of: datetime.date) -> Iterator[Finding]:
    """Figures are dated, newest first within one measure, and sourced."""

    def place(*steps: str | int) -> Place:
        return places.framework(framework.id, "popularity", *steps)

    if not framework.popularity:
        yield warning(places.framework(framework.id), "has no figure of popularity", "add a dated one to 'popularity'")
    above: dict[Measure, str] = {}
    for index, count in enumerate(framework.popularity):
        if count.source not in knowledge.sources:
            yield unknown(place(index, "source"), "source", count.source, knowledge.sources)
        dated = earliest(count.as_of)
        if dated is None:
            mend = "write a year, a month or a day, as in 2016-05"
            yield error(place(index, "as_of"), f"{count.as_of!r} is not a date", mend)
            continue
        before = above.get(count.measure, count.as_of)
        if dated > as_of:
            yield error(place(index, "as_of"), f"{count.as_of} lies after {as_of}")
        elif count.as_of > before and not count.as_of.startswith(before):  # "2026" may be later than "2026-02"
            problem = f"is newer than the {count.measure.value} above it"
            yield error(place(index, "as_of"), problem, "put the newest first")
        above[count.measure] = count.as_of


def _instead(framework: Framework, knowledge: Knowledge, places: Places) -> Iterator[Finding]:
    """A retired framework says where to go, and nobody is sent to one that is retired itself."""
    for index, part in enumerate(framework.instead):
        place = places.framework(framework.id, "instead", index, "framework")
        if part.framework not in knowledge.frameworks:
            yield unknown(place, "framework", part.framework, knowledge.frameworks)
        elif knowledge.frameworks[part.framework].lifecycle.status in CLOSED:
            yield error(place, f"{part.framework} is retired itself", "name one that goes on")
    if framework.lifecycle.status in CLOSED and not (framework.instead and framework.leaving):
        mend = "add 'instead' and 'leaving'"
        yield error(places.framework(framework.id), "is retired, but does not say where to go", mend)
