"""Bars, ranges and measures as text. Lengths are terminal cells; nothing here depends on colour to be read."""

from rich.cells import cell_len, set_cell_size

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
TOP_SCORE = 10.0


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` cells: padded, or cut with an ellipsis. Chinese characters take two cells."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, max(0, width - 1)).rstrip() + "…", width)


def right(text: str, width: int) -> str:
    """`text` at the right edge of `width` cells."""
    return " " * max(0, width - cell_len(text)) + text


def bar(fraction: float, width: int) -> str:
    """A bar of `fraction` (0-1) of `width` cells, to an eighth of a cell, padded to `width`."""
    eighths = round(min(max(fraction, 0.0), 1.0) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)


def interval_bar(value: float, low: float, high: float, top: float, width: int) -> str:
    """A bar on 0-`top` whose end is uncertain: solid up to `low`, shaded to `value`, light to `high`."""

    def cells(quantity: float) -> int:
        return round(min(max(quantity / top, 0.0), 1.0) * width) if top > 0 else 0

    first, middle, last = cells(low), cells(value), cells(high)
    middle, last = max(first, middle), max(first, middle, last)
    return ("█" * first + "▓" * (middle - first) + "░" * (last - middle)).ljust(width)


def range_mark(score: float | None, low: float, high: float, width: int) -> str:
    """A score and its range on the 0-10 scale: dots, a line for the range, a disc for the score."""

    def cell(quantity: float) -> int:
        return min(width - 1, max(0, round(quantity / TOP_SCORE * (width - 1))))

    line = ["·"] * width
    for index in range(cell(low), cell(high) + 1):
        line[index] = "━"
    if score is not None:
        line[cell(score)] = "●"
    return "".join(line)


def level(fraction: float) -> str:
    """One character whose height is `fraction` (0-1)."""
    return _LEVELS[min(len(_LEVELS) - 1, int(min(max(fraction, 0.0), 1.0) * len(_LEVELS)))]


def percent(fraction: float) -> str:
    """A probability in per cent; neither 0 nor 100 unless it is exact to three digits."""
    if 0.0005 <= fraction < 0.01:
        return "<1%"
    if 0.99 < fraction < 0.9995:
        return ">99%"
    return f"{fraction * 100:.0f}%"


def size(count: float) -> str:
    """Bytes in the decimal units that disks and downloads are sold in."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB"


def clock(seconds: float) -> str:
    """A length of time as minutes and seconds, "1:05"."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def duration(seconds: float) -> str:
    """A length of time to be read, with two digits at most below a minute: "40 ms", "6.1 s", "3 min", "1.5 h"."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.2g} ms"
    if seconds < 99.5:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def rate(samples_per_second: float) -> str:
    """Throughput with three digits: "4,210/s", "31.4/s"."""
    if samples_per_second >= 100:
        return f"{float(f'{samples_per_second:.3g}'):,.0f}/s"
    return f"{samples_per_second:.3g}/s"
