"""Quantities as people read them: the same words in every screen, command and report."""

from math import isnan


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


def brief(number: float) -> str:
    """A large number with three digits and a unit, for narrow columns: "93.2k", "1.25M"."""
    unit, letter = (1e6, "M") if number >= 999_500 else (1e3, "k")
    return f"{number / unit:.3g}{letter}"


def span(seconds: float) -> str:
    """A length of time in its two largest units: "1 h 5 min", "1 min 20 s"; below a minute as `duration`."""
    if seconds < 59.5:
        return duration(seconds)
    if seconds < 3570:
        return f"{round(seconds) // 60} min {round(seconds) % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60} min"


def si_seconds(seconds: float | None) -> str:
    """Seconds in the unit that reads best, with three digits."""
    if seconds is None or isnan(seconds):
        return "-"
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def times(low: float | None, high: float | None) -> str:
    """A range of ratios: "1.28-1.37x"; an open end is left out."""
    ends = [f"{end:.2f}" if end < 9.995 else f"{end:.3g}" for end in (low, high) if end is not None]
    return "-".join(dict.fromkeys(ends)) + "x" if ends else ""
