"""Bars and ranges as text. Lengths are terminal cells; nothing here depends on colour to be read."""

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
