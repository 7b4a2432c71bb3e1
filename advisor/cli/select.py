"""Turning words of the command line into frameworks and recipes, with one clear fault per word that names none."""

import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import click

from advisor.i18n import _
from bench.planning import CONSENT_BYTES
from knowledge.faults import BadInput, Fault
from knowledge.model import Framework, Knowledge, Recipe


def framework_named(base: Knowledge, name: str, place: str) -> Framework:
    """The framework of that id or alias.

    Raises:
        BadInput: there is none; the mend names the closest.
    """
    for framework in base.frameworks.values():
        if name == framework.id or name in framework.aliases:
            return framework
    raise BadInput([_unknown(base, name, place)])


def frameworks_named(base: Knowledge, names: Iterable[str], place: str) -> tuple[Framework, ...]:
    """The frameworks of those ids or aliases, every unknown one reported at once."""
    found: list[Framework] = []
    faults: list[Fault] = []
    for name in names:
        try:
            found.append(framework_named(base, name, place))
        except BadInput as bad:
            faults += bad.faults
    if faults:
        raise BadInput(faults)
    return tuple(found)


def recipes_of(words: Sequence[str], device: str) -> list[tuple[Framework, Recipe]]:
    """The recipes of `framework` (all its backends) or `framework@backend` for a device on this machine."""
    from advisor import known
    from bench.environments import EnvironmentFailure, recipe_for

    base = known.load()
    frameworks = frameworks_named(base, (word.partition("@")[0] for word in words), "FRAMEWORK")
    wanted: list[tuple[Framework, Recipe]] = []
    faults: list[Fault] = []
    for word, framework in zip(words, frameworks, strict=True):
        _name, at, backend = word.partition("@")
        if at and backend not in framework.backends:
            problem = _("{name} has no such backend").format(name=framework.name)
            mend = _("choose {names}").format(names=", ".join(framework.backends)) if framework.backends else ""
            faults.append(Fault("FRAMEWORK", None, word, problem, mend))
            continue
        for each in [backend] if backend else framework.backends or [None]:
            try:
                wanted.append((framework, recipe_for(framework, each, device)))
            except EnvironmentFailure as failure:
                faults.append(Fault("FRAMEWORK", None, word, failure.reason, failure.mend))
    if faults:
        raise BadInput(faults)
    return wanted


def ask_consent(download_bytes: int, yes: bool) -> None:
    """Ask before a download over 500 MB, unless --yes was given.

    Raises:
        BadInput: there is nobody to ask.
        click.Abort: the answer was no.
    """
    if download_bytes <= CONSENT_BYTES or yes:
        return
    size = f"{download_bytes / 1e9:.1f} GB"
    if not sys.stdin.isatty():
        problem = _("this downloads about {size}, and nobody is here to consent").format(size=size)
        raise BadInput([Fault("--yes", None, "", problem, _("give --yes"))])
    click.confirm(_("This downloads about {size}. Go on?").format(size=size), abort=True, err=True)


def _unknown(base: Knowledge, name: str, place: str) -> Fault:
    close = get_close_matches(name, base.frameworks, 1)
    mend = _("did you mean {name}?").format(name=close[0]) if close else _("`advisor frameworks` lists them")
    return Fault(place, None, name, _("there is no such framework"), mend)
