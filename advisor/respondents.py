"""Names for those who decide together: each sheet's respondent, else its file, no two alike."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from advisor.answers import Answers
from advisor.i18n import _
from knowledge.faults import BadInput, Fault


def named(sheets: Sequence[Answers], files: Sequence[str]) -> tuple[Answers, ...]:
    """The sheets, each with a respondent: a sheet without one is called after its file. A single sheet stays as it is.

    Raises:
        BadInput: two sheets are one person's.
    """
    if len(sheets) == 1:
        return tuple(sheets)
    seen: dict[str, str] = {}
    faults, result = [], []
    for sheet, file in zip(sheets, files, strict=True):
        name = sheet.respondent or Path(file).stem
        if name in seen:
            problem = _("{name!r} is the respondent of {other} too").format(name=name, other=seen[name])
            faults.append(Fault(file, None, "respondent", problem, _("give each sheet a respondent of its own")))
        seen.setdefault(name, file)
        result.append(msgspec.structs.replace(sheet, respondent=name))
    if faults:
        raise BadInput(faults)
    return tuple(result)
