"""What is wrong with an input, where, and how to mend it. Every reader of files reports through these two."""

from collections.abc import Sequence

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with one input.

    Attributes:
        file: the file's name as the user gave it, or a description such as "--answers".
        line: 1-based line, or None when the fault belongs to the whole file.
        key: dotted path of the offending key ("answers.goal"), "" for the document itself.
        problem: what is wrong, without a full stop.
        mend: what to do about it, without a full stop; "" when the problem says it all.
    """

    file: str
    line: int | None
    key: str
    problem: str
    mend: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        key = f" {self.key}:" if self.key else ""
        mend = f" ({self.mend})" if self.mend else ""
        return f"{place}:{key} {self.problem}{mend}"


class BadInput(Exception):
    """Input that cannot be used; carries every fault found, in file order. Commands turn it into exit status 2."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
