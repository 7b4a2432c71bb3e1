"""Waves: a field that does not fit into memory at once races in parts, which two references tie together.

The references' workers live through all waves of a launch, so what is shared by the readings of one wave - the
machine's mood at that time - is taken out by relating them to the same two processes. A pure function of readings,
as `bench.race` is, which goes on from what is made here: one launch out of several waves.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean, median

from bench.race import Launch

REFERENCES = 2
"""Candidates that run in every wave: one alone could not show that it changed (METHOD, "Fair blocks")."""

AGREEMENT = 1.05
"""Most that the references' ratio may differ between waves; beyond, readings of two waves are not compared."""

ALONE_TOLERANCE = 1.03
"""Most that CPU seconds per step may grow once the others are resident; beyond, the waves are made smaller."""


def split(
    field: Sequence[str],
    needed_bytes: Mapping[str, int],
    free_bytes: int,
    references: Sequence[str],
    most: int | None = None,
) -> tuple[tuple[str, ...], ...]:
    """The waves of one launch, each in the order of `field`; a single one when all fit.

    Args:
        field: everybody who runs.
        needed_bytes: memory of each one's worker.
        free_bytes: memory that workers may take together.
        references: of the field, in every wave; fixed before the race.
        most: workers in one wave at most, where fewer fit than memory has room for.

    A wave holds the references and at least one other, also where that does not fit: whoever then finds no memory is
    skipped by itself.
    """
    most = max(most or len(field), len(references) + 1)
    fits = len(field) <= most and sum(needed_bytes[each] for each in field) <= free_bytes
    if fits or len(field) <= len(references):
        return (tuple(field),) if field else ()
    room = free_bytes - sum(needed_bytes[each] for each in references)
    waves: list[list[str]] = []
    left = 0
    for each in field:
        if each in references:
            continue
        if not waves or needed_bytes[each] > left or len(waves[-1]) + len(references) >= most:
            waves.append([])
            left = room
        waves[-1].append(each)
        left -= needed_bytes[each]
    return tuple(tuple(each for each in field if each in wave or each in references) for wave in waves)


def merged(waves: Sequence[Launch], references: Sequence[str]) -> Launch:
    """One launch made of the rounds of its waves: the i-th rounds of all waves together are the i-th round.

    Readings are taken relative to the mean of the references in their own round; to all of them is then added the
    references' median, so that they stay log seconds per step. A reference's own reading is its mean over the waves.
    A reference that a wave lacks serves nowhere; without any, the first wave is all there is.
    """
    if len(waves) <= 1:
        return waves[0] if waves else ()
    shared = _shared(waves, references)
    if not shared:
        return waves[0]
    usable = [[x for x in wave if all(each in x for each in shared)] for wave in waves]
    centres = [[fmean(x[each] for each in shared) for x in wave] for wave in usable]
    level = median(centre for of_wave in centres for centre in of_wave)
    launch = []
    for number in range(min(map(len, usable))):
        readings: dict[str, list[float]] = {}
        for wave, of_wave in zip(usable, centres, strict=True):
            for candidate, x in wave[number].items():
                readings.setdefault(candidate, []).append(x - of_wave[number] + level)
        launch.append({candidate: fmean(values) for candidate, values in readings.items()})
    return launch


def disagreement(waves: Sequence[Launch], references: Sequence[str]) -> float:
    """The factor by which the references' ratio differs between the waves of one launch; infinite when unknown."""
    if len(waves) <= 1:
        return 1.0
    shared = _shared(waves, references)
    if len(shared) < REFERENCES:
        return math.inf
    a, b = shared[:REFERENCES]
    ratios = [median(x[b] - x[a] for x in wave if a in x and b in x) for wave in waves]
    return math.exp(max(ratios) - min(ratios))


def incomparable(waves: Sequence[Launch], references: Sequence[str]) -> frozenset[frozenset[str]]:
    """The pairs that never met in a wave, when the references do not agree between the waves."""
    if disagreement(waves, references) <= AGREEMENT:
        return frozenset()
    members = [set().union(*wave) for wave in waves]
    pairs = combinations(sorted(set().union(*members)), 2)
    return frozenset(frozenset(pair) for pair in pairs if not any(set(pair) <= wave for wave in members))


def _shared(waves: Sequence[Launch], references: Sequence[str]) -> list[str]:
    """The references that have readings in every wave, together in at least one round of each."""
    shared = [each for each in references if all(any(each in x for x in wave) for wave in waves)]
    together = all(any(all(each in x for each in shared) for x in wave) for wave in waves)
    return shared if together else shared[:1]
