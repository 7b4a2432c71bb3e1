"""What to use beside rank 1: the backend beneath it, the way out of it, and what runs the model where it must run."""

from collections.abc import Iterator, Sequence
from datetime import date

from advisor.decision.statements import fact_in_force
from advisor.i18n import _
from advisor.questionnaire import Preferences
from advisor.recommendation import StackEntry
from knowledge.model import Framework, Knowledge, Role, StackPart, Support


def stack(framework: Framework, knowledge: Knowledge, preferences: Preferences, as_of: date) -> tuple[StackEntry, ...]:
    """The stack around `framework`; export and run-with only where the model leaves the place it is trained in."""
    if framework.role is Role.RUNTIME:
        return (StackEntry("run-with", framework.id, _("It ranks first for your answers.")),)
    entries = [StackEntry("write-in", framework.id, _("It ranks first for your answers."))]
    parts = framework.stack
    backend = parts.backend
    if backend is None and framework.backends:
        backend = StackPart(framework=framework.backends[0], because=_("It is the default backend."))
    if backend is not None:
        entries.append(StackEntry("backend", backend.framework, backend.because))
    if preferences.deploys:
        entries += _ways_out(framework, knowledge, preferences.targets, as_of)
    return tuple(entries)


def _ways_out(framework: Framework, knowledge: Knowledge, targets: Sequence[str], as_of: date) -> Iterator[StackEntry]:
    """The common export and runtime, unless every target has one of its own; then those."""
    parts = framework.stack
    apart = [parts.run_on[target] for target in targets if target in parts.run_on]
    common = [target for target in targets if target not in parts.run_on]
    if common or not apart:
        if parts.export is not None:
            yield StackEntry("export", parts.export.framework, parts.export.because)
        if parts.run_with is not None:
            elsewhere = _reached_otherwise(framework, parts.run_with.framework, knowledge, common, as_of)
            yield StackEntry("run-with", parts.run_with.framework, " ".join((parts.run_with.because, *elsewhere)))
    for part in dict.fromkeys(apart):
        yield StackEntry("run-with", part.framework, part.because)


def _reached_otherwise(
    framework: Framework, runtime: str, knowledge: Knowledge, targets: Sequence[str], as_of: date
) -> list[str]:
    """For each target the runtime is not known to serve: how the framework itself is said to get there."""
    sentences = []
    for target in targets:
        served = runtime in knowledge.frameworks and fact_in_force(
            knowledge.frameworks[runtime], "target", target, as_of
        )
        if served and served.support is not Support.NONE:
            continue
        own = fact_in_force(framework, "target", target, as_of)
        if own is not None and own.support is not Support.NONE and own.evidence:
            sentences.append(_("For {target}: {claim}").format(target=target, claim=own.evidence[0].claim))
    return sentences
