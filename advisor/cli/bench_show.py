"""Results, histories and comparisons as people read them in a terminal of 80 columns."""

from typing import TYPE_CHECKING

from advisor import findings
from advisor.cli.output import console
from advisor.i18n import _, ngettext
from advisor.quantities import si_seconds, size, times
from advisor.words import outcome_in_words, run_status_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from bench.comparison import Comparison, Row, Verdicts
    from bench.results import Results, Run
    from bench.store import Summary


def show_results(results: "Results") -> None:
    """One result: a table of each race, then what else was measured, then the verdicts, in words."""
    out = console()
    out.print(f"{results.id}  {results.created}  {results.machine.cpu}", markup=False)
    code = _("measured by {code}").format(code=results.code or "?")
    out.print(f"{code} · {findings.launches_in_words(results)}", markup=False)
    for workload, phase in findings.races(results):
        out.print()
        out.print(findings.about(results, workload, phase), markup=False, style="bold")
        runs = [run for run in results.runs if (run.workload, run.phase) == (workload, phase)]
        measured = sorted((run for run in runs if run.samples_per_second is not None), key=_slowness)
        if measured:
            out.print(_speeds(measured, phase))
            out.print(_besides(measured, phase))
        for run in runs:
            if run.reason:
                out.print(f"{run.candidate}: {run_status_in_words(run.status)}: {run.reason}", markup=False)
        for verdict in findings.verdicts_of(results, workload, phase):
            out.print(findings.verdict_sentence(verdict), markup=False)
    out.print()
    for sentence in (
        *findings.break_even_sentences(results),
        *(each for each in (findings.twin_sentence(results), findings.contention_sentence(results)) if each),
        *((_("The race was interrupted."),) if results.interrupted else ()),
    ):
        out.print(sentence, markup=False)


def _slowness(run: "Run") -> float:
    return run.step_seconds.median if run.step_seconds is not None else 0.0


def _speeds(runs: "Sequence[Run]", phase: str) -> "Any":
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
            _plain(run.candidate),
            f"{rate.median:,.0f}",
            f"{rate.low:,.0f}-{rate.high:,.0f}",
            *map(si_seconds, own),
            size(run.peak_rss_bytes) if run.peak_rss_bytes is not None else "-",
        )
    return table


def _besides(runs: "Sequence[Run]", phase: str) -> "Any":
    """What else was measured, one line a candidate, as far as it is not in the table above."""
    from rich.table import Table

    above = {"peak_rss", *(("latency_p50", "latency_p99") if phase == "infer" else ("start", "first_step"))}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for run in runs:
        told = "; ".join(f"{name} {value}" for key, name, value in findings.besides(run) if key not in above)
        told = "; ".join(part for part in (told, *run.notes) if part)
        if told:
            table.add_row(_plain(run.candidate), _plain(told))
    return table


def _table(*headings: str) -> "Any":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(_("candidate"), overflow="fold")  # a name cut short names nothing
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _plain(text: str) -> "Any":
    from rich.text import Text

    return Text(text)


# --- the history -----------------------------------------------------------------------------------------------------


def show_history(kept: "Iterable[Summary]") -> None:
    """Every race kept: when, what was raced on what, what came of it, and which code measured it."""
    out = console()
    empty = True
    for summary in kept:
        empty = False
        heading = f"{summary.id}  {summary.created}"
        if summary.interrupted:
            heading += "  " + _("interrupted")
        out.print(heading, markup=False, style="bold")
        for line in findings.history_lines(summary):
            out.print(f"  {line}", markup=False)
    if empty:
        out.print(_("Nothing has been measured yet. `advisor bench run` measures."), markup=False)


# --- two results side by side ----------------------------------------------------------------------------------------


def show_comparison(found: "Comparison") -> None:
    """Ratios of step times, verdicts that changed, and what else differs."""
    out = console()
    for name, identity, created, code in (
        ("a", found.a, found.created[0], found.code[0]),
        ("b", found.b, found.created[1], found.code[1]),
    ):
        out.print(f"{name}  {identity}  {created}  {code}", markup=False)
    for race in dict.fromkeys((row.workload, row.phase, row.precision) for row in found.rows):
        out.print()
        workload, phase, precision = race
        title = f"{workload} · {findings.phase_in_words(phase)} · {precision or '?'}"
        out.print(title, markup=False, style="bold")
        rows = [row for row in found.rows if (row.workload, row.phase, row.precision) == race]
        if any(row.ratio is not None for row in rows):
            table = _table(_("step a"), _("step b"), _("seconds b / a"), "")
            for row in rows:
                if row.ratio is not None:
                    table.add_row(*_compared(row))
            out.print(table)
        for row in rows:
            if row.why_not is not None:
                why = _("not comparable: {reason}").format(reason=row.why_not)
                out.print(f"{row.candidate}: {why}", markup=False)
    out.print()
    agreed = sum(verdict.agree for verdict in found.verdicts)
    out.print(
        ngettext("{n} of {all} verdict agrees", "{n} of {all} verdicts agree", len(found.verdicts)).format(
            n=agreed, all=len(found.verdicts)
        )
    )
    for verdict in found.verdicts:
        if not verdict.agree and verdict.why_not is None:
            out.print(_changed(verdict), markup=False)
    for difference in found.differences:
        out.print(f"{difference.what}: {difference.a or '-'} / {difference.b or '-'}", markup=False)


def _compared(row: "Row") -> "Iterable[Any]":
    ratio, first, second = row.ratio, row.a, row.b
    assert ratio is not None
    assert first is not None
    assert second is not None
    if row.overlap:
        told = _("ranges overlap")
    else:
        told = _("b is slower") if ratio.median > 1 else _("b is faster")
    spread = f"{ratio.median:.2f} [{times(ratio.low, ratio.high)}]"
    return _plain(row.candidate), si_seconds(first.median), si_seconds(second.median), spread, told


def _changed(verdict: "Verdicts") -> str:
    """A verdict that is not the same in both."""
    told = _("{first} and {second} ({workload}, {phase}): {a} in a, {b} in b")
    told = told.format(
        first=verdict.first,
        second=verdict.second,
        workload=verdict.workload,
        phase=findings.phase_in_words(verdict.phase),
        a=outcome_in_words(verdict.a and verdict.a.value, verdict.first, verdict.second),
        b=outcome_in_words(verdict.b and verdict.b.value, verdict.first, verdict.second),
    )
    return told + " " + _("(they contradict each other)") if verdict.contradict else told
