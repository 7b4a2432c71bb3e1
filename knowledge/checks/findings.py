"""One thing a check has to say, and the few ways of saying it."""

from collections.abc import Iterable
from enum import StrEnum

from knowledge.faults import Fault
from knowledge.loader import Place
from knowledge.model import Record
from knowledge.reader import did_you_mean


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Record, frozen=True):
    """One thing a check has to say.

    Attributes:
        dangling: an id that leads nowhere: whoever follows it would fall.
    """

    severity: Severity
    fault: Fault
    dangling: bool = False


def error(place: Place, problem: str, mend: str = "") -> Finding:
    return Finding(severity=Severity.ERROR, fault=place.fault(problem, mend))


def warning(place: Place, problem: str, mend: str = "") -> Finding:
    return Finding(severity=Severity.WARNING, fault=place.fault(problem, mend))


def note(place: Place, problem: str, mend: str = "") -> Finding:
    return Finding(severity=Severity.NOTE, fault=place.fault(problem, mend))


def unknown(place: Place, what: str, word: str, known: Iterable[str]) -> Finding:
    """An error: `word` is none of the `known` ids of that kind."""
    fault = place.fault(f"there is no {what} {word!r}", did_you_mean(word, known))
    return Finding(severity=Severity.ERROR, fault=fault, dangling=True)


def repeated(ids: Iterable[str]) -> list[int]:
    """Indices of ids that have stood before."""
    all_ids = list(ids)
    return [index for index, id_ in enumerate(all_ids) if id_ in all_ids[:index]]
