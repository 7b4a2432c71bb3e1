"""What a schema cannot say about knowledge: ids resolve, claims are sourced, dates make sense, nothing is stale.

Pure: `check` takes records and their places and returns findings. Errors make an answer wrong or impossible and have
to be mended; warnings come with time or are a matter of degree; notes inform.

    findings    severities, and how a finding is made
    criteria    the tree and the questionnaire; every criterion and every fact is documented and used
    sources     every source once, dated, used; which of them speak for one house
    frameworks  lifecycle, facts, modes and recipes, attribute sheet, popularity, where to go instead
    ratings     scores and their evidence, staleness, gaps
    guides      the old guides on trial
    personas    people whose right advice is known
    redundancy  leaves that order the frameworks alike
"""

import datetime
from collections.abc import Collection, Iterable

from knowledge.checks import criteria, frameworks, guides, personas, ratings, redundancy, sources
from knowledge.checks.criteria import rated_leaves
from knowledge.checks.findings import Finding, Severity
from knowledge.faults import Fault
from knowledge.loader import Places
from knowledge.model import Framework, Knowledge

__all__ = ["Finding", "Severity", "check", "check_framework", "dangling", "errors", "rated_leaves"]


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
        *criteria.check(knowledge, places, workloads),
        *sources.check(knowledge, places, as_of),
        *redundancy.check(knowledge, places),
    ]
    for framework in knowledge.frameworks.values():
        findings += check_framework(framework, knowledge, places, as_of)
    findings += guides.check(knowledge, places, workloads)
    findings += personas.check(knowledge, places)
    return sorted(findings, key=_order)


def check_framework(framework: Framework, knowledge: Knowledge, places: Places, as_of: datetime.date) -> list[Finding]:
    """The findings in one framework's file alone, in no order."""
    return [
        *frameworks.check(framework, knowledge, places, as_of),
        *ratings.check(framework, knowledge, places, as_of),
    ]


def errors(findings: Iterable[Finding]) -> list[Fault]:
    """The faults among `findings` that have to be mended."""
    return [finding.fault for finding in findings if finding.severity is Severity.ERROR]


def dangling(findings: Iterable[Finding]) -> list[Fault]:
    """The faults among `findings` that leave an id leading nowhere, so that no answer can be made at all."""
    return [finding.fault for finding in findings if finding.dangling]


def _order(finding: Finding) -> tuple[int, str, int]:
    return list(Severity).index(finding.severity), finding.fault.file, finding.fault.line or 0
