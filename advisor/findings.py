"""What a race found, in sentences: the same ones in the terminal, on the screens and in every report.

Nothing is computed here but what a sentence needs; a verdict always says what it is about (METHOD.md, "Fair blocks").
"""

from collections.abc import Iterable, Iterator

from advisor.decision.measured import break_evens
from advisor.i18n import _, ngettext
from advisor.quantities import percent, si_seconds, size, span, times
from bench.results import Basis, Outcome, Quantity, Results, Run, Verdict
from bench.store import Summary

_MILLI = 1000.0


def races(results: Results) -> list[tuple[str, str]]:
    """(workload, phase) of everything raced, in the order of the plan."""
    return list(dict.fromkeys((run.workload, run.phase) for run in results.runs))


def phase_in_words(phase: str) -> str:
    """A phase."""
    return {"train": _("training"), "infer": _("inference")}.get(phase, phase)


def about(results: Results, workload: str, phase: str) -> str:
    """What every figure and verdict of one race is about: network, phase, batch, device, precision, threads, data.

    The mode is part of each candidate's name.
    """
    runs = [run for run in results.runs if (run.workload, run.phase) == (workload, phase)]
    parts = [workload, phase_in_words(phase)]
    if batches := sorted({run.batch for run in runs if run.batch is not None}):
        parts.append(_("batch {n}").format(n=", ".join(map(str, batches))))
    parts += dict.fromkeys(run.device for run in runs) or [results.plan.device]
    parts += dict.fromkeys(run.precision for run in runs) or [results.plan.precision]
    threads = results.plan.threads
    parts.append(ngettext("{n} thread", "{n} threads", threads).format(n=threads))
    parts.append(_("data already in memory"))
    return " · ".join(parts)


def verdict_sentence(verdict: Verdict, rests_on: bool = True) -> str:
    """One verdict: faster, tie or undecided, with the range of the ratio, and (`rests_on`) on what it rests."""
    low, high = verdict.ratio.low, verdict.ratio.high
    a, b = verdict.a, verdict.b
    if verdict.verdict is Outcome.B:
        a, b = b, a
        low, high = (1 / end if end is not None else None for end in (high, low))
    ratio = times(low, high)
    match verdict.verdict:
        case Outcome.TIE:
            said = _("{a} and {b} tie: {ratio}").format(a=a, b=b, ratio=ratio)
        case Outcome.UNDECIDED:
            said = _("{a} and {b}: undecided").format(a=a, b=b) + (f" ({ratio})" if ratio else "")
            return f"{said}: {verdict.why}" if verdict.why else said
        case _ if high is None:
            said = _("{a} is faster than {b}: at least {ratio}").format(a=a, b=b, ratio=ratio)
        case _:
            said = _("{a} is faster than {b}: {ratio}").format(a=a, b=b, ratio=ratio)
    basis = basis_sentence(verdict) if rests_on else None
    return f"{said} ({basis})" if basis else said


def basis_sentence(verdict: Verdict) -> str | None:
    """On what a verdict rests, where that is not wall time of several launches."""
    if verdict.verdict is Outcome.UNDECIDED:
        return None
    told = []
    if verdict.basis is Basis.ONE_LAUNCH:
        told.append(_("in these processes only: fewer than three launches"))
    if verdict.quantity is Quantity.CPU_SECONDS:
        told.append(_("in CPU seconds: the machine was busy"))
    return "; ".join(told) or None


def launches_in_words(results: Results) -> str:
    """How many launches there were, and whether that makes the results provisional."""
    done = max((run.launches for run in results.runs), default=0)
    told = ngettext("{n} launch", "{n} launches", done).format(n=done)
    if any(run.provisional for run in results.runs if run.step_seconds is not None):
        return told + ", " + _("provisional: three launches and more tell a candidate from the luck of its processes")
    return told


def twin_sentence(results: Results) -> str | None:
    """How far the same thing twice differed; None when nothing ran twice."""
    if results.twin is None:
        return None
    ratio = times(results.twin.ratio.low, results.twin.ratio.high)
    told = _("the same thing twice ({candidate}) differed by {ratio}")
    return told.format(candidate=results.twin.candidate, ratio=ratio or "?")


def contention_sentence(results: Results) -> str | None:
    """How much of the CPU time asked for was granted; None where that says nothing."""
    found = results.contention
    if found.gauge is None:
        return None
    told = _("CPU granted: {median} (least {low}), {flagged} of {blocks} blocks below 80 %")
    return told.format(
        median=percent(found.gauge.median),
        low=percent(found.gauge.low),
        flagged=found.flagged_blocks,
        blocks=found.blocks,
    )


def stated_run(run: Run) -> str | None:
    """The time that the workload's stated run takes: "10 epochs: 1 min 20 s [1 min 18 s - 1 min 25 s]"."""
    if run.stated_run is None:
        return None
    seconds, epochs = run.stated_run.seconds, run.stated_run.epochs
    told = ngettext("{n} epoch: {time}", "{n} epochs: {time}", epochs).format(n=epochs, time=span(seconds.median))
    return f"{told} [{span(seconds.low)} - {span(seconds.high)}]"


def closing_sentences(results: Results) -> list[str]:
    """What holds for all of the results: break-even, twin, contention, and whether the race was cut short."""
    sentences = break_even_sentences(results)
    sentences += [told for told in (twin_sentence(results), contention_sentence(results)) if told is not None]
    if results.interrupted:
        sentences.append(_("The race was interrupted."))
    return sentences


def break_even_sentences(results: Results) -> list[str]:
    """From which step on a candidate that starts later, and is faster, has caught up."""
    told = _("{workload}: {faster} has caught up with {slower} after {steps:,.0f} steps ({time})")
    runs = [run for run in results.runs if run.status.value == "ok"]
    return [
        told.format(workload=b.workload, faster=b.faster, slower=b.slower, steps=b.steps, time=span(b.seconds))
        for b in break_evens(runs, results)
    ]


def besides(run: Run) -> Iterator[tuple[str, str, str]]:
    """(id, name, value) of all that was measured of one run beside its speed, with units; the unknown is left out."""
    yield from _times(run)
    yield from _use(run)
    yield from _compilation(run)


def _times(run: Run) -> Iterator[tuple[str, str, str]]:
    if run.import_seconds is not None and run.build_seconds is not None:
        yield "start", _("start"), si_seconds(run.import_seconds + run.build_seconds)
    if run.first_step_seconds is not None:
        yield "first_step", _("first step"), si_seconds(run.first_step_seconds)
    if (stated := stated_run(run)) is not None:
        yield "stated_run", _("stated run"), stated
    if run.latency_seconds is not None:
        yield "latency_p50", _("latency p50"), si_seconds(run.latency_seconds.p50)
        yield "latency_p99", _("latency p99"), si_seconds(run.latency_seconds.p99)
    if run.dispatch is not None:
        told = _("{a} + {b} per sample").format(a=si_seconds(run.dispatch.a), b=si_seconds(run.dispatch.b))
        yield "dispatch", _("dispatch"), told
    elif run.dispatch_points:
        points = ", ".join(f"{point.batch}: {si_seconds(point.seconds)}" for point in run.dispatch_points)
        yield "dispatch_points", _("step by batch"), points
    if run.host_to_device is not None and run.host_to_device.seconds is not None:
        included = _("included") if run.host_to_device.included else _("not included")
        yield "copy", _("copy to the device"), f"{si_seconds(run.host_to_device.seconds)} ({included})"
    if run.cpu_seconds_per_step is not None:
        yield "cpu_step", _("CPU time per step"), si_seconds(run.cpu_seconds_per_step)


def _use(run: Run) -> Iterator[tuple[str, str, str]]:
    if run.percent_of_peak is not None:
        yield "peak", _("of this machine's peak"), f"{run.percent_of_peak:.3g} %"
    if run.peak_rss_bytes is not None:
        yield "peak_rss", _("peak RSS"), size(run.peak_rss_bytes)
    if run.gpu_memory_bytes is not None:
        yield "gpu_memory", _("GPU memory"), size(run.gpu_memory_bytes)
    if (gpu := run.gpu_utilisation) is not None:
        told = _("mean {mean}, p50 {p50}, p95 {p95}")
        yield "gpu_use", _("GPU use"), told.format(mean=percent(gpu.mean), p50=percent(gpu.p50), p95=percent(gpu.p95))
    if (energy := run.energy_joules_per_sample) is not None and energy.value is not None:
        told = f"{energy.value * _MILLI:.3g} mJ"
        if energy.above_idle is not None:
            told += " " + _("({above} above idle)").format(above=f"{energy.above_idle * _MILLI:.3g} mJ")
        if energy.basis == "estimated":
            told += " " + _("(estimated)")
        yield "energy", _("energy per sample"), told
    if run.environment_bytes is not None:
        yield "environment", _("environment"), size(run.environment_bytes)


def _compilation(run: Run) -> Iterator[tuple[str, str, str]]:
    if run.recompilations is not None:
        yield "recompilations", _("recompilations"), str(run.recompilations)
    if run.graph_breaks is not None:
        yield "graph_breaks", _("graph breaks"), str(run.graph_breaks)
    if run.kernel_share is not None and run.page_faults_per_step is not None:
        told = _("{share} of the CPU time, {faults:.0f} page faults a step")
        yield (
            "kernel",
            _("in the kernel"),
            told.format(share=percent(run.kernel_share), faults=run.page_faults_per_step),
        )
    if (parity := run.parity) is not None:
        told = _("losses within {d} of the reference").format(d=f"{parity.max_relative_difference:.0e}")
        if parity.output_difference is not None:
            told += ", " + _("outputs within {d}").format(d=f"{parity.output_difference:.0e}")
        yield "parity", _("parity"), told if parity.passed else _("differs from the reference")
    if run.stand_ins:
        yield "stand_ins", _("stand-ins"), ", ".join(run.stand_ins)


def verdicts_of(results: Results, workload: str, phase: str, names: Iterable[str] | None = None) -> list[Verdict]:
    """The verdicts of one race, decided ones first; between the candidates `names`, or all."""
    among = None if names is None else set(names)
    found = [
        verdict
        for verdict in results.verdicts
        if (verdict.workload, verdict.phase) == (workload, phase)
        if among is None or {verdict.a, verdict.b} <= among
    ]
    order = {Outcome.A: 0, Outcome.B: 0, Outcome.TIE: 1, Outcome.UNDECIDED: 2}
    return sorted(found, key=lambda verdict: order[verdict.verdict])


def history_lines(summary: Summary) -> list[str]:
    """What the history says of one race: who ran on what, who was fastest, how many verdicts there are, which code."""
    if not summary.readable:
        return [_("its document cannot be read: `advisor bench show {id}` says why").format(id=summary.id)]
    phases = ", ".join(phase_in_words(phase) for phase in summary.phases)
    lines = [
        ", ".join(summary.raced),
        f"{', '.join(summary.workloads)} · {phases} · {summary.device} · {summary.precision} · {summary.code or '?'}",
    ]
    verdicts = _("{faster} faster, {ties} tie, {undecided} undecided").format(
        faster=summary.faster, ties=summary.ties, undecided=summary.undecided
    )
    return [*lines, "; ".join([*(f"{race}: {name}" for race, name in summary.fastest.items()), verdicts])]
