"""Results as people read them in a terminal."""

from typing import TYPE_CHECKING

from advisor.cli.output import console
from advisor.i18n import _

if TYPE_CHECKING:
    from bench.results import Results, Verdict


def show_results(results: "Results") -> None:
    """A table of runs, then the verdicts, in words."""
    from rich.markup import escape
    from rich.table import Table

    from advisor.words import run_status_in_words

    out = console()
    machine = results.machine
    out.print(f"{results.id}  {machine.cpu}  {results.plan.device}  {results.plan.precision}", markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column(_("candidate"), overflow="fold")  # a name cut short names nothing
    for heading in (_("samples/s"), _("range"), _("import"), _("first step"), _("peak RSS")):
        table.add_column(heading, justify="right")
    workload = ""
    for run in sorted(
        results.runs, key=lambda r: (r.workload, -(r.samples_per_second.median if r.samples_per_second else 0))
    ):
        if run.workload != workload:
            workload = run.workload
            table.add_row(f"[bold]{escape(workload)}[/]")
        if run.samples_per_second is None:
            table.add_row(escape(run.candidate), run_status_in_words(run.status))
            continue
        rate = run.samples_per_second
        table.add_row(
            escape(run.candidate),
            f"{rate.median:,.0f}",
            f"{rate.low:,.0f}-{rate.high:,.0f}",
            f"{run.import_seconds or 0:.1f} s",
            f"{run.first_step_seconds or 0:.2f} s",
            f"{(run.peak_rss_bytes or 0) / 2**20:,.0f} MiB",
        )
    out.print(table)
    for run in results.runs:
        if run.reason:
            status = run_status_in_words(run.status)
            out.print(f"{run.workload} {run.candidate}: {status}: {run.reason}", markup=False)
    for verdict in results.verdicts:
        words = _verdict_words(verdict)
        if words:
            out.print(f"{verdict.workload}: {words}", markup=False)
    gauge = results.contention.gauge
    if gauge is not None:
        out.print(_("CPU granted: {share} (median)").format(share=f"{gauge.median:.0%}"))


def _verdict_words(verdict: "Verdict") -> str:
    if verdict.verdict.value not in ("a", "b"):
        return ""
    faster, slower = (verdict.a, verdict.b) if verdict.verdict.value == "a" else (verdict.b, verdict.a)
    ends = [end for end in (verdict.ratio.low, verdict.ratio.high) if end]
    times = min((end if end >= 1 else 1 / end for end in ends), default=1.0)
    text = _("{faster} is at least {times}x as fast as {slower} ({basis}, {quantity})")
    basis, quantity = verdict.basis.value, verdict.quantity.value.replace("_", " ")
    return text.format(faster=faster, slower=slower, times=f"{times:.2g}", basis=basis, quantity=quantity)
