"""Options that several commands share, and turning them into what a decision is made from."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from advisor.i18n import _

if TYPE_CHECKING:
    from advisor.questionnaire import Answers, Preferences
    from advisor.recommendation import Recommendation
    from bench.results import Results
    from knowledge.faults import Fault
    from knowledge.loader import Places
    from knowledge.model import Knowledge

QUICK_SAMPLES = 10_000
REPORT_SAMPLES = 100_000

_Command = TypeVar("_Command", bound=Callable[..., Any])


def decision_options(command: _Command) -> _Command:
    """--answers, --results, --seed and --as-of."""
    for option in (
        click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help=_("Judge ages on this day; default today.")),
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help=_("Seed of the draws.")),
        click.option(
            "--results", default="none", show_default=True, help=_("Count measurements: none, latest, ID or FILE.")
        ),
        click.option(
            "--answers",
            required=True,
            multiple=True,
            type=click.Path(path_type=Path),
            help=_("The answer sheet (YAML). Given several times: people who decide together, or scenarios."),
        ),
    ):
        command = option(command)
    return command


class Decision:
    """One decision and what it was made from."""

    def __init__(self, sheets: tuple[Path, ...], results: str, seed: int, as_of: object, samples: int) -> None:
        from advisor import clock, known
        from advisor.decision import decide
        from advisor.questionnaire import preferences, read_answers
        from advisor.respondents import distinct, named
        from knowledge.faults import BadInput, Fault

        self.knowledge: Knowledge
        self.places: Places
        self.knowledge, self.places = known.load_with_places()
        faults: list[Fault]
        files, faults = distinct([str(sheet) for sheet in sheets])
        read: dict[str, Answers] = {}
        for file in files:
            try:
                read[file] = read_answers(Path(file), self.knowledge)
            except BadInput as bad:
                faults.extend(bad.faults)
        answers, alike = named(read)
        if faults or alike:
            raise BadInput([*faults, *alike])
        self.answers: tuple[Answers, ...] = answers
        self.preferences: tuple[Preferences, ...] = tuple(preferences(each, self.knowledge) for each in self.answers)
        self.results: Results | None = find_results(results)
        day: date = as_of.date() if isinstance(as_of, datetime) else clock.today()
        try:
            self.recommendation: Recommendation = decide(
                self.knowledge,
                self.preferences,
                self.results,
                as_of=day,
                seed=seed,
                samples=samples,
                created=clock.timestamp(),
            )
        except BadInput as bad:  # the decision knows no files, only names of people
            raise BadInput([_in_file(fault, self.answers, sheets) for fault in bad.faults]) from None


def _in_file(fault: "Fault", answers: "tuple[Answers, ...]", sheets: tuple[Path, ...]) -> "Fault":
    from msgspec.structs import replace

    names = {each.respondent: str(sheet) for each, sheet in zip(answers, sheets, strict=True)}
    return replace(fault, file=names.get(fault.file, str(sheets[0])))


def find_results(name: str) -> "Results | None":
    """The results that `--results` names: none, latest, an id (or its beginning) or an exported file.

    Raises:
        BadInput: there are none of that name, or the file cannot be used.
    """
    return None if name == "none" else named_results("--results", name)


def named_results(place: str, name: str) -> "Results":
    """The results of a name: latest, an id (or its beginning) or an exported file; `place` is where it was given.

    Raises:
        BadInput: there are none of that name, or the file cannot be used.
    """
    from advisor.paths import store_file
    from bench.exchange import read_export
    from bench.files import is_special
    from bench.store import Store
    from knowledge.faults import BadInput, Fault

    if Path(name).suffix == ".json" or is_special(Path(name)) or _is_file(name):
        return read_export(Path(name))
    if store_file().exists():
        with Store(store_file()) as store:
            if (found := store.latest() if name == "latest" else store.get(name)) is not None:
                return found
    mend = _("`advisor bench run` measures")
    raise BadInput([Fault(place, None, name, _("nothing has been measured on this machine yet"), mend)])


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # no file can have such a name, or nobody may look
        return False
