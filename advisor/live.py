"""What the package index says of a framework today, beside what the knowledge base says of it.

`refresh` asks the index and keeps the answers in the app's data folder; everything else reads what is kept, so that it
works without a network and says from when it is. No rating is changed by any of it: a finding says where to look again.
"""

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from advisor.files import write_atomically
from advisor.i18n import _
from advisor.paths import home
from bench.registry import (
    CADENCE_MONTHS,
    PYPI,
    Cadence,
    Package,
    Registry,
    Release,
    Settings,
    ask,
    cadence,
    decoded,
    encoded,
    settings,
)
from knowledge.checks import Finding, Severity
from knowledge.checks.criteria import CLOSED
from knowledge.faults import BadInput, Fault
from knowledge.loader import Places
from knowledge.model import Framework, Knowledge

if TYPE_CHECKING:
    from packaging.version import Version


class Refreshed(msgspec.Struct, frozen=True):
    """What asking the index came to.

    Attributes:
        registry: everything that is kept now.
        asked: ids of frameworks whose packages the index answered for.
        kept: ids of those that stayed as they were kept, or unknown, because the asking ended early.
        unasked: ids of frameworks with a package of another kind of registry, or with none.
        problem: why the asking ended early; "" if it did not.
    """

    registry: Registry
    asked: tuple[str, ...]
    kept: tuple[str, ...]
    unasked: tuple[str, ...]
    problem: str


class Live(msgspec.Struct, frozen=True):
    """What is kept of one framework's package.

    Attributes:
        asked: the day the index said so.
        latest: the newest final release that was not withdrawn; None where there is none.
        cadence: None where the index gives no dates.
        install: what to type; "" where nothing can be installed on this machine.
        stale: what the knowledge base says that no longer fits, in words.
    """

    package: str
    asked: datetime.date
    latest: Release | None
    cadence: Cadence | None
    install: str
    stale: tuple[str, ...]


def kept_file() -> Path:
    """Where the answers are kept."""
    return home() / "registry.json"


def kept() -> Registry:
    """The answers that are kept; empty where nothing was ever asked.

    Raises:
        BadInput: the file cannot be used.
    """
    file = kept_file()
    try:
        return decoded(file.read_bytes())
    except FileNotFoundError:
        return Registry()
    except (OSError, ValueError) as error:
        mend = _("remove it; `advisor knowledge refresh` writes it anew")
        raise BadInput([Fault(str(file), None, "", _("holds no answers of a package index"), mend)]) from error


def refresh(frameworks: Sequence[Framework], where: Settings | None = None) -> Refreshed:
    """Ask the index for the packages of frameworks, and keep what it says.

    Args:
        where: the indexes; those that pip and uv are configured for when None.

    Raises:
        BadInput: what is kept cannot be used, or the file cannot be written.
        OSError: the data folder cannot be made.
    """
    from advisor.clock import today
    from bench.environments import interpreters

    before = kept()
    wanted = {each.id: each.package for each in frameworks if each.package and each.package.startswith(PYPI)}
    unasked = tuple(each.id for each in frameworks if each.id not in wanted)
    found, problem = ask(tuple(wanted.values()), settings() if where is None else where, interpreters(), today())
    registry = Registry(packages=dict(sorted({**before.packages, **found}.items())))
    if found:
        home().mkdir(parents=True, exist_ok=True)
        write_atomically(kept_file(), encoded(registry))
    return Refreshed(
        registry=registry,
        asked=tuple(id_ for id_, package in wanted.items() if package in found),
        kept=tuple(id_ for id_, package in wanted.items() if package not in found),
        unasked=unasked,
        problem=problem,
    )


def about(framework: Framework, registry: Registry, as_of: datetime.date) -> Live | None:
    """What is kept of a framework; None where nothing is."""
    package = registry.packages.get(framework.package or "")
    if package is None or framework.package is None:
        return None
    name, latest = framework.package.removeprefix(PYPI), package.latest
    return Live(
        package=framework.package,
        asked=package.asked,
        latest=latest,
        cadence=cadence(package, as_of),
        install=f"pip install {name}" if latest is not None and (latest.pythons or latest.source) else "",
        stale=tuple(problem for _steps, problem in _stale(framework, package, as_of)),
    )


def lines(live: Live) -> Iterator[str]:
    """What is kept of a framework in words: releases, installing, and what in the knowledge base no longer fits."""
    yield _("{package}, as its index said on {date}").format(package=live.package, date=live.asked)
    if live.latest is None:
        yield _("no release can be had")
    else:
        dated = f", {live.latest.date}" if live.latest.date else ""
        yield _("latest release {version}{dated}").format(version=live.latest.version, dated=dated)
    if live.cadence is not None:
        told = _("{n} final releases in {months} months").format(n=live.cadence.releases, months=CADENCE_MONTHS)
        if live.cadence.median_gap_days is not None:
            told += _(", {days:g} days apart in the median").format(days=live.cadence.median_gap_days)
        yield told
    if live.latest is not None:
        if live.latest.pythons:
            here = _("for Python {versions} of this machine").format(versions=", ".join(live.latest.pythons))
        elif live.latest.source:
            here = _("only from source: no wheel fits a Python of this machine")
        else:
            here = _("no wheel fits a Python of this machine")
        yield f"{live.install}  ({here})" if live.install else here
    for problem in live.stale:
        yield _("look again: {problem}").format(problem=problem)


def findings(base: Knowledge, places: Places, registry: Registry, as_of: datetime.date) -> list[Finding]:
    """A warning for everything in the knowledge base that the index contradicts, in its place."""
    found: list[Finding] = []
    for framework in base.frameworks.values():
        package = registry.packages.get(framework.package or "")
        if package is None:
            continue
        for steps, problem in _stale(framework, package, as_of):
            mend = _("look again; the index was asked on {date}").format(date=package.asked)
            fault = places.framework(framework.id, *steps).fault(problem, mend)
            found.append(Finding(severity=Severity.WARNING, fault=fault))
    return found


def _stale(framework: Framework, package: Package, as_of: datetime.date) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where in a framework's file something no longer fits what the index says, and what."""
    from packaging.version import InvalidVersion, Version

    listed = framework.lifecycle.releases
    known = {Version(release.version): release for release in package.releases}
    latest = package.latest
    if not package.releases:
        yield ("package",), _("{package} is not on the index").format(package=framework.package)
        return
    if package.status and framework.lifecycle.status not in CLOSED:
        yield ("lifecycle", "status"), _("its index calls it {status}").format(status=package.status)
    if latest is not None and (latest.date is None or latest.date <= as_of) and listed:
        try:
            newer = Version(latest.version) > Version(listed[0].version)
        except InvalidVersion:  # a release of something else than this package
            newer = False
        if newer:
            told = _("{version} is newer than {listed}, the newest listed")
            yield ("lifecycle", "releases", 0), told.format(version=latest.version, listed=listed[0].version)
    for index, recipe in enumerate(framework.recipes):
        for number, requirement in enumerate(recipe.requirements):
            version = _pinned(requirement, framework.package or "")
            if version is None:
                continue
            release = known.get(version)
            place = ("recipes", index, "requirements", number)
            if release is None:
                yield place, _("{version} is no longer on the index").format(version=version)
            elif release.yanked:
                yield place, _("{version} was withdrawn (yanked)").format(version=version)


def _pinned(requirement: str, package: str) -> "Version | None":
    """The version to which a requirement pins the package; None where it is about another or pins nothing."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name
    from packaging.version import InvalidVersion, Version

    try:
        parsed = Requirement(requirement)
    except InvalidRequirement:
        return None
    if canonicalize_name(parsed.name) != canonicalize_name(package.removeprefix(PYPI)):
        return None
    pins = [each.version for each in parsed.specifier if each.operator == "=="]
    try:
        return Version(pins[0]) if pins else None
    except InvalidVersion:
        return None
