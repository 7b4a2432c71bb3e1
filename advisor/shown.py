"""Results, the history and comparisons as Rich renderables: what a terminal prints and the screens show is the same."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from advisor import findings
from advisor.i18n import _, ngettext
from advisor.quantities import si_seconds, size, times
from advisor.words import outcome_in_words, run_status_in_words
from bench.comparison import Comparison, Row, Verdicts
from bench.results import Results, Run
from bench.store import Summary


def of_results(results: Results) -> Iterator[RenderableType]:
    """One result: a table of each race, then what else was measured, then the verdicts, in words."""
    yield Text(f"{results.id}  {results.created}  {results.machine.cpu}")
    code = _("measured by {code}").format(code=results.code or "?")
    yield Text(f"{code} · {findings.launches_in_words(results)}")
    for workload, phase in findings.races(results):
        yield Text()
        yield Text(findings.about(results, workload, phase), style="bold")
        runs = [run for run in results.runs if (run.workload, run.phase) == (workload, phase)]
        measured = sorted((run for run in runs if run.samples_per_second is not None), key=_slowness)
        if measured:
            yield _speeds(measured, phase)
            yield _besides(measured, phase)
        for run in runs:
            if run.reason:
                yield Text(f"{run.candidate}: {run_status_in_words(run.status)}: {run.reason}")
        for verdict in findings.verdicts_of(results, workload, phase):
            yield Text(findings.verdict_sentence(verdict))
    yield Text()
    for sentence in findings.closing_sentences(results):
        yield Text(sentence)


def _slowness(run: Run) -> float:
    return run.step_seconds.median if run.step_seconds is not None else 0.0


def _speeds(runs: Sequence[Run], phase: str) -> Table:
    """Speed and its range; then latency for inference, start and memory for training."""
    infer = phase == "infer"
    headings = (_("latency p50"), _("p99")) if infer else (_("import"), _("first step"))
    table = _table(_("samples/s"), _("range"), *headings, _("peak RSS"))
    for run in runs:
        rate, latency = run.samples_per_second, run.latency_seconds
        assert rate is not None
        own = [run.import_seconds, run.first_step_seconds]
        if infer:
            own = [latency.p50, latency.p99] if latency is not None else [None, None]
        table.add_row(
            Text(run.candidate),
            f"{rate.median:,.0f}",
            f"{rate.low:,.0f}-{rate.high:,.0f}",
            *map(si_seconds, own),
            size(run.peak_rss_bytes) if run.peak_rss_bytes is not None else "-",
        )
    return table


def _besides(runs: Sequence[Run], phase: str) -> Table:
    """What else was measured, one line a candidate, as far as it is not in the table above."""
    above = {"peak_rss", *(("latency_p50", "latency_p99") if phase == "infer" else ("start", "first_step"))}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for run in runs:
        told = "; ".join(f"{name} {value}" for key, name, value in findings.besides(run) if key not in above)
        told = "; ".join(part for part in (told, *run.notes) if part)
        if told:
            table.add_row(Text(run.candidate), Text(told))
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(_("candidate"), overflow="fold")  # a name cut short names nothing
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


# --- the history -----------------------------------------------------------------------------------------------------


def of_history(kept: Iterable[Summary]) -> Iterator[RenderableType]:
    """Every race kept: when, what was raced on what, what came of it, and which code measured it."""
    empty = True
    for summary in kept:
        empty = False
        heading = f"{summary.id}  {summary.created}"
        if summary.interrupted:
            heading += "  " + _("interrupted")
        yield Text(heading, style="bold")
        for line in findings.history_lines(summary):
            yield Text(f"  {line}")
    if empty:
        yield Text(_("Nothing has been measured yet. `advisor bench run` measures."))


# --- two results side by side ----------------------------------------------------------------------------------------


def of_comparison(found: Comparison) -> Iterator[RenderableType]:
    """Ratios of step times, verdicts that changed, and what else differs."""
    for name, identity, created, code in (
        ("a", found.a, found.created[0], found.code[0]),
        ("b", found.b, found.created[1], found.code[1]),
    ):
        yield Text(f"{name}  {identity}  {created}  {code}")
    for race in dict.fromkeys((row.workload, row.phase, row.precision) for row in found.rows):
        yield Text()
        workload, phase, precision = race
        yield Text(f"{workload} · {findings.phase_in_words(phase)} · {precision or '?'}", style="bold")
        rows = [row for row in found.rows if (row.workload, row.phase, row.precision) == race]
        if any(row.ratio is not None for row in rows):
            table = _table(_("step a"), _("step b"), _("seconds b / a"), "")
            for row in rows:
                if row.ratio is not None:
                    table.add_row(*_compared(row))
            yield table
        for row in rows:
            if row.why_not is not None:
                why = _("not comparable: {reason}").format(reason=row.why_not)
                yield Text(f"{row.candidate}: {why}")
    yield Text()
    agreed, of_all = sum(verdict.agree for verdict in found.verdicts), len(found.verdicts)
    told = ngettext("{n} of {all} verdict agrees", "{n} of {all} verdicts agree", of_all)
    yield Text(told.format(n=agreed, all=of_all))
    for verdict in found.verdicts:
        if not verdict.agree and verdict.why_not is None:
            yield Text(_changed(verdict))
    for difference in found.differences:
        yield Text(f"{difference.what}: {difference.a or '-'} / {difference.b or '-'}")


def _compared(row: Row) -> tuple[RenderableType, ...]:
    ratio, first, second = row.ratio, row.a, row.b
    assert ratio is not None
    assert first is not None
    assert second is not None
    if row.overlap:
        told = _("ranges overlap")
    else:
        told = _("b is slower") if ratio.median > 1 else _("b is faster")
    spread = f"{ratio.median:.2f} [{times(ratio.low, ratio.high)}]"
    return Text(row.candidate), si_seconds(first.median), si_seconds(second.median), Text(spread), told


def _changed(verdict: Verdicts) -> str:
    """A verdict that is not the same in both."""
    told = _("{first} and {second} ({workload}, {phase}): {a} in a, {b} in b")
    told = told.format(
        first=verdict.first,
        second=verdict.second,
        workload=verdict.workload,
        phase=findings.phase_in_words(verdict.phase),
        a=outcome_in_words(verdict.a, verdict.first, verdict.second),
        b=outcome_in_words(verdict.b, verdict.first, verdict.second),
    )
    return told + " " + _("(they contradict each other)") if verdict.contradict else told
