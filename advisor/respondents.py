"""Names for those who decide together: each sheet's respondent, else its file, no two alike."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from advisor.answers import Answers
from advisor.i18n import _
from knowledge.faults import Fault


def distinct(files: Sequence[str]) -> tuple[list[str], list[Fault]]:
    """The files without repetition, and a fault for each that is given again, be it by another name."""
    first: dict[str, str] = {}
    faults = []
    for file in files:
        place = os.path.realpath(file)
        if place in first:
            alias = "" if first[place] == file else f" ({first[place]})"
            faults.append(Fault(file, None, "", _("is given twice") + alias, _("give each sheet once")))
        first.setdefault(place, file)
    return list(first.values()), faults


def named(sheets: Mapping[str, Answers]) -> tuple[tuple[Answers, ...], list[Fault]]:
    """The sheets, each with a respondent, and a fault for each whose respondent is another's too.

    A sheet without a respondent is called after its file. A single sheet stays as it is.

    Args:
        sheets: file -> what it says, in the order given.
    """
    if len(sheets) == 1:
        return tuple(sheets.values()), []
    seen: dict[str, str] = {}
    faults, result = [], []
    for file, sheet in sheets.items():
        name = sheet.respondent or Path(file).stem
        if name in seen:
            problem = _("{name!r} is the respondent of {other} too").format(name=name, other=seen[name])
            faults.append(Fault(file, None, "respondent", problem, _("give each sheet a respondent of its own")))
        seen.setdefault(name, file)
        result.append(msgspec.structs.replace(sheet, respondent=name))
    return tuple(result), faults
