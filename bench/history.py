"""What earlier runs on this machine took: the best guess at what the next one will take."""

from bench.plan import Plan
from bench.records import Record
from bench.results import Results, Status
from bench.store import Store
from knowledge.faults import BadInput

NEWEST = 10
"""Results that are looked through, newest first; older ones speak of older versions."""


class Expectations(Record, frozen=True):
    """Seconds and bytes by candidate; what was never measured is not in them.

    Attributes:
        block_seconds: (candidate, workload, phase) -> wall seconds of one block.
        start_seconds: (candidate, workload) -> seconds from start to ready, without the warm-up.
        bytes: candidate -> peak memory of its worker.
    """

    block_seconds: dict[tuple[str, str, str], float] = {}
    start_seconds: dict[tuple[str, str], float] = {}
    bytes: dict[str, int] = {}


def expectations(store: Store, plan: Plan) -> Expectations:
    """What the newest results of the same device, precision, threads and batch say of the plan's candidates."""
    blocks: dict[tuple[str, str, str], float] = {}
    starts: dict[tuple[str, str], float] = {}
    memory: dict[str, int] = {}
    for results in _newest(store):
        same = (plan.device, plan.precision, plan.threads, plan.batch)
        if (results.plan.device, results.plan.precision, results.plan.threads, results.plan.batch) != same:
            continue
        for run in results.runs:
            if run.status is not Status.OK or run.step_seconds is None:
                continue
            steps = run.step_seconds.steps_per_block + 1  # and the re-warm step
            blocks.setdefault((run.candidate, run.workload, run.phase), steps * run.step_seconds.median)
            if None not in (run.import_seconds, run.build_seconds, run.first_step_seconds):
                seconds = (run.import_seconds or 0) + (run.build_seconds or 0) + (run.first_step_seconds or 0)
                starts.setdefault((run.candidate, run.workload), seconds)
            if run.peak_rss_bytes is not None:
                memory.setdefault(run.candidate, run.peak_rss_bytes)
    return Expectations(block_seconds=blocks, start_seconds=starts, bytes=memory)


def _newest(store: Store) -> list[Results]:
    """The newest results that can be read."""
    found = []
    for summary in store.summaries()[:NEWEST]:
        try:
            found.append(store.get(summary.id))
        except BadInput:
            continue  # of another version, or damaged: `bench results` says so
    return found
