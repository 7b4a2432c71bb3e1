"""The candidates of a race, one line each: what each is doing, then how fast it is."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from advisor.i18n import _
from advisor.quantities import brief, clock, duration, rate, size
from advisor.tui.board import Row
from advisor.tui.widgets.bars import fit, interval_bar, right
from bench.results import Status

_NAME, _RATE, _RANGE, _FIRST, _LOSS = 24, 9, 15, 7, 7
_START, _MEMORY = 8, 9
_WIDE = 100
"""From this width on there is room for the time to start and the peak memory."""


class Lanes(Widget):
    """The rows of one workload. `seconds` is the race's time, for how long a stage has lasted; `over`: it has ended."""

    DEFAULT_CSS = """
    Lanes { height: auto; }
    """

    rows: reactive[tuple[Row, ...]] = reactive(())
    seconds: reactive[float] = reactive(0.0, repaint=False)
    over: reactive[bool] = reactive(False)
    pointed: reactive[str] = reactive("")

    def watch_rows(self, before: tuple[Row, ...], after: tuple[Row, ...]) -> None:
        """Every row is one line: only another number of them needs another layout."""
        if len(before) != len(after):
            self.refresh(layout=True)

    def watch_seconds(self) -> None:
        """The time spent in a stage passes while it lasts."""
        if any(row.stage and row.standing is None and row.status is None for row in self.rows):
            self.refresh()

    def render(self) -> Content:
        width = self.content_size.width or 78
        top = max((row.standing.high for row in self.rows if row.standing), default=0.0)
        lines = [_headings(width), *(self._lane(row, top, width) for row in self.rows)]
        return Content("\n").join(lines)

    def _lane(self, row: Row, top: float, width: int) -> Content:
        mark = "›" if row.candidate == self.pointed else " "
        name = (mark + fit(row.candidate, _NAME - 1), "bold reverse" if row.candidate == self.pointed else "bold")
        if row.status in (Status.FAILED, Status.SKIPPED, Status.INCOMPARABLE):
            ended = f"✗ {_status(row.status)}: {row.reason}"
            return Content.assemble(name, (fit(ended, width - _NAME).rstrip(), "$text-error"))
        if row.standing is None:
            return Content.assemble(name, self._doing(row, width - _NAME))
        standing = row.standing
        bars = _bars(width)
        return Content.assemble(
            name,
            (interval_bar(standing.samples_per_second, standing.low, standing.high, top, bars), "$accent"),
            (right(_rate(standing.samples_per_second), _RATE), "bold"),
            (fit(_interval(standing.low, standing.high), _RANGE), "dim"),
            *_wide_columns(row, width),
            right(duration(row.prepared.first_step_seconds) if row.prepared else "", _FIRST),
            right(_loss(row), _LOSS),
        )

    def _doing(self, row: Row, width: int) -> Content:
        if row.stage == "ready" and row.prepared is not None:
            start = row.prepared.import_seconds + row.prepared.build_seconds
            first = duration(row.prepared.first_step_seconds)
            told = _("ready: start {start}, first step {first}, {loss}")
            return Content(fit(told.format(start=duration(start), first=first, loss=_loss(row)), width).rstrip())
        if not row.stage:
            return Content.styled(_("not measured") if self.over else _("waiting"), "dim")
        spent = clock(self.seconds - row.stage_began_seconds)
        told = f"{stage_in_words(row.stage)} {spent}" + (f"  {row.detail}" if row.detail else "")
        return Content.assemble(("▹ ", "$accent"), fit(told, width - 2).rstrip())


def _rate(samples_per_second: float) -> str:
    told = rate(samples_per_second)
    return told if len(told) <= _RATE else brief(samples_per_second) + "/s"


def _interval(low: float, high: float) -> str:
    told = f" [{rate(low)[:-2]}–{rate(high)[:-2]}]"
    return told if len(told) <= _RANGE else f" [{brief(low)}–{brief(high)}]"


def _headings(width: int) -> Content:
    wide = right(_("start"), _START) + right(_("memory"), _MEMORY) if width >= _WIDE else ""
    return Content.styled(
        fit(" " + _("candidate"), _NAME)
        + " " * _bars(width)
        + right(_("samples"), _RATE)
        + fit(" " + _("{share} of rounds").format(share="95%"), _RANGE)
        + wide
        + right(_("1st"), _FIRST)
        + right(_("loss"), _LOSS),
        "dim",
    )


def _bars(width: int) -> int:
    """Cells left for the bars."""
    columns = _NAME + _RATE + _RANGE + _FIRST + _LOSS + (_START + _MEMORY if width >= _WIDE else 0)
    return max(6, width - columns)


def _wide_columns(row: Row, width: int) -> tuple[str, ...]:
    if width < _WIDE:
        return ()
    start, memory = "", ""
    if row.prepared is not None:
        start = duration(row.prepared.import_seconds + row.prepared.build_seconds)
        memory = size(row.prepared.peak_rss_bytes) if row.prepared.peak_rss_bytes is not None else ""
    return right(start, _START), right(memory, _MEMORY)


def _loss(row: Row) -> str:
    if row.prepared is None:
        return ""
    return _("= ref") if row.prepared.parity.passed else _("≠ ref")


def _status(status: Status) -> str:
    return {
        Status.FAILED: _("failed"),
        Status.SKIPPED: _("skipped"),
        Status.INCOMPARABLE: _("not comparable"),
        Status.OK: _("done"),
    }[status]


def stage_in_words(stage: str) -> str:
    """What a candidate is passing through."""
    return {
        "environment": _("making its environment"),
        "data": _("making its data"),
        "start": _("starting"),
        "import": _("importing"),
        "build": _("building the network"),
        "parity": _("checking its losses"),
        "warm-up": _("warming up"),
        "ready": _("ready"),
    }.get(stage, stage)
