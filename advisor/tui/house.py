"""The rooms of the house as the screens use them: this machine, the shipped knowledge, the store of results."""

import gc
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from advisor import clock, paths
from advisor.answers import Answers, read_answers
from advisor.attributes import Attributes, attributes
from advisor.decision import DEFAULT_SAMPLES, decide
from advisor.decision.measured import count
from advisor.decision.people import together
from advisor.i18n import _
from advisor.questionnaire import Preferences, preferences
from advisor.recommendation import Recommendation
from advisor.trial import Trial, counted_lines, is_raced, races, try_guide
from advisor.tui.services import Choice, Offer, Race
from bench import machine, recording
from bench.comparison import Comparison, compare
from bench.environments import Environments
from bench.plan import Candidate, Plan
from bench.planning import Wishes, informed_plan, make_plan
from bench.readiness import candidates_of, readiness
from bench.recording import Recording
from bench.results import Contention, Machine, Results, Run, Status
from bench.store import Store, Summary
from bench.workload import Workload, load_workloads
from knowledge.faults import BadInput, Fault
from knowledge.loader import Place, Places
from knowledge.model import Knowledge, Text

_SEED: Final = 0
_REPORT_SAMPLES: Final = 100_000
"""Draws in a report (INTERFACE.md); screens use 10,000, so that the ranking can follow the keys."""


class House:
    """The services on a real machine."""

    def __init__(self, knowledge: Knowledge, places: Places) -> None:
        self._knowledge, self._places = knowledge, places
        self._environments = Environments(paths.environments_folder())

    @cached_property
    def _workloads(self) -> dict[str, Workload]:
        return load_workloads(paths.own_workloads())

    # -- advice -------------------------------------------------------------------------------------------------------

    def decide(self, sheets: Sequence[Answers], results: Results | None) -> Recommendation:
        """The recommendation for one sheet, or for several people's together, by today's date."""
        # Painting leaves garbage in cycles. Taken out here, between two keys, it is not taken out while one is painted.
        gc.collect()
        return self._decide(sheets, results, DEFAULT_SAMPLES)

    def _preferences(self, sheets: Sequence[Answers]) -> tuple[Preferences, ...]:
        return tuple(preferences(sheet, self._knowledge) for sheet in sheets)

    def _decide(self, sheets: Sequence[Answers], results: Results | None, samples: int) -> Recommendation:
        return decide(
            self._knowledge,
            self._preferences(sheets),
            results,
            as_of=clock.today(),
            seed=_SEED,
            samples=samples,
            created=clock.timestamp(),
        )

    def read_answers(self, path: Path) -> Answers:
        """The sheet in an answers file."""
        return read_answers(path, self._knowledge)

    def report(self, sheets: Sequence[Answers], results: Results | None, form: str) -> bytes:
        """The report, decided anew with as many draws as a report has."""
        from advisor.report import FORMATS, build

        wanted = together(self._preferences(sheets))
        recommendation = self._decide(sheets, results, _REPORT_SAMPLES)
        return FORMATS[form](build(recommendation, self._knowledge, self._places, sheets, wanted, results))

    def report_form(self, path: Path) -> str | None:
        """The form that a file's suffix asks for."""
        from advisor.report import format_of

        return format_of(path)

    def place(self, framework: str, *steps: str | int) -> Place:
        """Where something about a framework is written."""
        return self._places.framework(framework, *steps)

    def live(self, framework: str) -> tuple[str, ...]:
        """What a package index said of a framework."""
        from advisor import live

        page = live.about(self._knowledge.frameworks[framework], live.kept(), clock.today())
        return () if page is None else tuple(live.lines(page))

    def guide_place(self, guide: str, *steps: str | int) -> Place:
        """Where something about an old guide is written."""
        return self._places.guide(guide, *steps)

    def source_place(self, source: str) -> Place:
        """Where a source is written."""
        return self._places.source(source)

    def attributes(self, framework: str) -> Attributes:
        """The sheet of one framework; its programs are read and counted."""
        return attributes(self._knowledge, self._knowledge.frameworks[framework])

    # -- the machine --------------------------------------------------------------------------------------------------

    def machine(self) -> Machine:
        """What this machine is."""
        return machine.describe()

    def devices(self) -> tuple[str, ...]:
        """What can be trained on here."""
        return machine.devices()

    def free_memory_bytes(self) -> int:
        """Memory that is free now."""
        return machine.free_memory_bytes()

    def free_disk_bytes(self) -> int:
        """Disk that is free where environments are kept."""
        return self._environments.free_disk_bytes()

    # -- measuring ----------------------------------------------------------------------------------------------------

    def workloads(self) -> dict[str, Text]:
        """Workload id -> name."""
        return {identifier: workload.name for identifier, workload in self._workloads.items()}

    def wanted_workloads(self, sheets: Sequence[Answers]) -> tuple[str, ...]:
        """The workloads there are that the answers map to; the usual ones when none is."""
        wanted = together(self._preferences(sheets)).workloads or ()
        usual = tuple(name for name, workload in self._workloads.items() if workload.usual)
        return tuple(name for name in self._workloads if name in wanted) or usual

    def offers(self, sheets: Sequence[Answers], device: str) -> tuple[Offer, ...]:
        """Every candidate, with what it needs and why its result would not count."""
        candidates = [c for framework in self._knowledge.frameworks.values() for c in candidates_of(framework)]
        why = self._why_not_counted(sheets, device, candidates)
        return tuple(
            Offer(
                readiness=readiness(self._knowledge, candidate, device, self._environments),
                why_not_counted=why.get(str(candidate)),
            )
            for candidate in candidates
        )

    def _why_not_counted(self, sheets: Sequence[Answers], device: str, candidates: list[Candidate]) -> dict[str, str]:
        """Candidate -> why: asked of the decision itself, with a race of that plan in which all went well."""
        wanted = together(self._preferences(sheets))
        chosen = self.wanted_workloads(sheets)
        plan = make_plan(Wishes(modes=("all",), device=device), self._knowledge, chosen, self.devices())
        runs = [
            Run(
                candidate=str(candidate),
                framework=candidate.framework,
                backend=candidate.backend,
                mode=candidate.mode,
                workload=chosen[0],
                phase="train",
                device=plan.device,
                precision=plan.precision,
                threads=plan.threads,
                launches=plan.launches,
                provisional=True,
                status=Status.OK,
                reason=None,
            )
            for candidate in candidates
        ]
        imagined = Results(
            id="",
            created="",
            machine=machine.describe(),
            plan=plan,
            runs=tuple(runs),
            verdicts=(),
            twin=None,
            contention=Contention(gauge=None, flagged_blocks=0, blocks=0, load_average=None),
        )
        summary = count(imagined, self._knowledge.leaves, wanted).summary
        why = {entry.candidate: entry.why for entry in summary.not_counted} if summary is not None else {}
        out = {entry.framework for entry in self._decide(sheets, None, 1).excluded}
        for candidate in candidates:
            if candidate.framework in out:
                why[str(candidate)] = _("knocked out, so only shown")
        return why

    def plan(self, choice: Choice) -> Plan:
        """The plan for exactly the candidates chosen."""
        wishes = Wishes(
            candidates=choice.candidates,
            workloads=choice.workloads,
            device=choice.device,
            budget_seconds=choice.budget_seconds,
            phases=choice.phases,
            goal=choice.goal,
            launches=choice.launches,
        )
        return informed_plan(wishes, self._knowledge, tuple(self._workloads), self.devices(), paths.store_file())

    @asynccontextmanager
    async def race(self, plan: Plan) -> AsyncIterator[Race]:
        """A race on this machine; its results are in the store when it is over."""
        if sys.platform == "win32":
            problem = _("benchmarks run on Linux and macOS")
            raise BadInput([Fault("bench run", None, "", problem, _("on Windows, start the app inside WSL2"))])
        from bench.data import prepare
        from bench.engine import start

        folder = Path(mkdtemp(prefix="advisor-race-"))
        try:
            with Store(paths.store_file()) as store:
                async with start(
                    plan,
                    self._knowledge,
                    self._environments,
                    store,
                    folder=folder,
                    workloads=self._workloads,
                    adapters=paths.own_adapters(),
                    prepare=prepare,
                ) as race:
                    yield race
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def latest_results(self) -> Results | None:
        """The newest stored results; none when there is no store yet."""
        if not paths.store_file().exists():
            return None
        with Store(paths.store_file()) as store:
            return store.latest()

    def history(self) -> tuple[Summary, ...]:
        """Every race kept; none when there is no store yet."""
        if not paths.store_file().exists():
            return ()
        with Store(paths.store_file()) as store:
            return store.summaries()

    def stored_results(self, identity: str) -> Results:
        """The results of one race kept."""
        with Store(paths.store_file()) as store:
            return store.get(identity)

    def comparison(self, earlier: Results, later: Results) -> Comparison:
        """Two results held against each other, by the data sets that the workloads read."""
        return compare(earlier, later, {name: workload.data for name, workload in self._workloads.items()})

    def recordings(self) -> dict[str, Path]:
        """The recorded races that come with the app."""
        return recording.shipped()

    def recording(self, path: Path) -> Recording:
        """One recorded race."""
        return recording.read(path)

    # -- old guides ---------------------------------------------------------------------------------------------------

    def trial(self, guide: str, results: Sequence[Results]) -> Trial:
        """What results and lines of code say of a guide's charges."""
        tried = self._knowledge.guides[guide]
        return try_guide(tried, self._knowledge, results, counted_lines(tried))

    def trial_races(self, guide: str) -> tuple[Wishes, ...]:
        """The races that try a guide's charges here."""
        return races(self._knowledge.guides[guide], self._knowledge, self.devices())

    def trial_recordings(self, guide: str) -> dict[str, Path]:
        """The recorded trials of a guide; then other recorded races over workloads that a charge of it is tried on."""
        own = {_("its trial on {device}").format(device=path.stem): path for path in recording.trials().get(guide, ())}
        tried = {w for charge in self._knowledge.guides[guide].charges if is_raced(charge) for w in charge.workloads}
        others = {
            name: path
            for name, path in recording.shipped().items()
            if tried & set(recording.read(path).results.plan.workloads)
        }
        return {**own, **others}
