"""One race from the command line: announced, consented to, run with its progress on stderr, and kept."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from advisor.cli.output import warn
from advisor.cli.select import ask_consent
from advisor.i18n import _
from advisor.paths import environments_folder, own_adapters, store_file
from bench import events
from bench.engine import start
from bench.environments import Environments
from bench.events import AnyEvent
from bench.plan import Plan
from bench.planning import Announcement, announce
from bench.recording import Recorder
from bench.results import Results, Status
from bench.store import Store, StoreFailure
from bench.workload import Workload
from knowledge.model import Knowledge

_GB, _MB = 1e9, 1e6


def hold(
    plan: Plan,
    base: Knowledge,
    workloads: dict[str, Workload],
    data: Mapping[str, Path] = {},
    record: Path | None = None,
    yes: bool = False,
) -> Results:
    """Run a race to its end, or to Ctrl-C; what was measured is in the store afterwards.

    Args:
        workloads: all there are, by id.
        data: data set -> the user's own files.
        record: where to write the race down.
        yes: consent to large downloads.

    Raises:
        BadInput: nobody is here to consent; the recording cannot be written; the race cannot start.
        click.Abort: consent was refused, or the race was interrupted before there was anything to keep.
        click.exceptions.Exit: the store failed, which has been told.
    """
    environments = Environments(environments_folder())
    announcement = announce(plan, base, environments)
    _announce(announcement)
    for candidate, why in plan.left_out.items():
        warn(f"{candidate}: {why}")
    ask_consent(announcement.download_bytes, yes)
    try:
        race_folder = TemporaryDirectory(prefix="advisor-race-", ignore_cleanup_errors=True)
        recording = Recorder(record) if record is not None else nullcontext()
        with Store(store_file()) as store, race_folder as folder, recording as recorder:
            results = asyncio.run(_race(plan, base, environments, store, Path(folder), workloads, dict(data), recorder))
    except StoreFailure as failure:
        warn(f"advisor: {failure}")
        warn(_("Rounds that were stored before are kept: `advisor bench results` lists them."))
        raise click.exceptions.Exit(1) from failure
    if results is None:  # interrupted before there was anything to keep
        raise click.Abort
    return results


def status_of(results: Results) -> int:
    """The exit status that a race leads to: 0 done, 1 something failed or was incomparable, 130 interrupted."""
    if results.interrupted:
        return 130
    return int(any(run.status in (Status.FAILED, Status.INCOMPARABLE) for run in results.runs))


async def _race(
    plan: Plan,
    base: Knowledge,
    environments: Environments,
    store: Store,
    folder: Path,
    workloads: dict[str, Workload],
    data: dict[str, Path],
    recorder: Recorder | None,
) -> Results | None:
    """Run the race to its end, or to Ctrl-C, telling its progress on stderr; None when it ended before it began."""
    race_started = start(
        plan,
        base,
        environments,
        store,
        folder=folder,
        workloads=workloads,
        data=data,
        adapters=own_adapters(),
    )
    async with race_started as race:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, race.cancel)
        async for event in race.events():
            if (line := _told(event)) is not None:
                warn(line)
            recorder = _recorded(recorder, event)
    if recorder is not None and race.results is not None:
        _recorded(recorder, race.results)
    return race.results


def _recorded(recorder: Recorder | None, line: AnyEvent | Results) -> Recorder | None:
    """Write one line of the recording; the race goes on without one when that is not possible."""
    try:
        if recorder is not None:
            recorder.finish(line) if isinstance(line, Results) else recorder.take(line)
    except OSError as error:
        warn(_("The recording ends here: {why}").format(why=error.strerror or error))
        return None
    return recorder


def _announce(announcement: Announcement) -> None:
    for each in announcement.candidates:
        if each.why:
            warn(f"{each.candidate}: {each.why} ({each.mend})")
    text = _("download {download}, disk {disk}, making environments {install}, starting {start}, measuring {measure}")
    warn(
        text.format(
            download=f"{announcement.download_bytes / _MB:,.0f} MB",
            disk=f"{announcement.disk_bytes / _GB:.1f} GB",
            install=f"{announcement.install_seconds:.0f} s",
            start=f"~{announcement.prepare_seconds:.0f} s",
            measure=f"{announcement.measure_seconds:.0f} s",
        )
    )


def _told(event: AnyEvent) -> str | None:
    """One line for stderr about an event worth a line."""
    match event:
        case events.Preparing(candidate=candidate, workload=workload, stage=stage, detail=detail):
            return f"{candidate} {workload or ''} {stage} {detail}".rstrip()
        case events.CandidateEnded(candidate=candidate, workload=workload, status=status, reason=reason) if reason:
            return f"{candidate} {workload or ''} {status.value}: {reason}"
        case events.RoundDone(workload=workload, phase=phase, standings=standings) if standings:
            best, left = standings[0], event.remaining_seconds or 0
            where = f"{workload} {phase} {event.launch}/{event.launches} {event.round}/{event.rounds}"
            return f"{where}  {best.candidate} {best.samples_per_second:,.0f}/s  ~{left:.0f} s"
        case events.Looked(workload=workload, phase=phase, launch=launch, verdicts=verdicts) if verdicts:
            settled = sum(verdict.verdict.value != "undecided" for verdict in verdicts)
            told = _("{n} of {all} pairs settled").format(n=settled, all=len(verdicts))
            return f"{workload} {phase} {launch}  {told}"
        case events.Measuring(candidate=candidate, workload=workload, phase=phase, quantity=quantity):
            return f"{workload} {phase}  {candidate} {quantity}"
    return None
