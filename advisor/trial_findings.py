"""What a trial found, in sentences: the same ones in the terminal and on the screens. Nothing is decided here."""

from collections.abc import Iterator

from advisor import findings
from advisor.i18n import _
from advisor.quantities import si_seconds, size, times
from advisor.trial import ChargeTrial, Exhibit, Hearing, Pair, Ruling, Trial, Venue
from advisor.words import ruling_in_words
from knowledge.model import Charge, Knowledge, Test


def tally(trial: Trial) -> str:
    """How many charges came to what: "2 confirmed, 1 refuted, 4 untestable"."""
    rulings = [charge.ruling for charge in trial.charges]
    return ", ".join(f"{rulings.count(each)} {ruling_in_words(each)}" for each in Ruling if each in rulings)


def venue_sentence(venue: Venue) -> str:
    """When, on what and by which code a race was held."""
    told = _("raced {created} on {device}: {cpu}, {code}, results {id}").format(
        created=venue.created,
        device=venue.device,
        cpu=", ".join((venue.machine.cpu, *venue.machine.gpus)),
        code=venue.code or "?",
        id=venue.results,
    )
    return f"{told}; {_('The race was interrupted.')}" if venue.interrupted else told


def ruling_sentence(tried: ChargeTrial) -> str:
    """What a charge's trial came to, and on what it rests."""
    told = ruling_in_words(tried.ruling)
    if tried.why:
        return f"{told}: {tried.why}"
    if tried.device is None:
        return told + ", " + _("counted in the programs that come with the app")
    told += ", " + _("on {device}").format(device=tried.device)
    return told + ", " + _("provisional: fewer than three launches") if tried.provisional else told


def hearing_lines(charge: Charge, hearing: Hearing, knowledge: Knowledge) -> Iterator[str]:
    """The figures of every framework on one workload, then each rival's sentence."""
    yield from dict.fromkeys(exhibit_sentence(charge, exhibit, knowledge) for exhibit in hearing.exhibits)
    missing = {exhibit.framework for exhibit in hearing.exhibits if exhibit.why_not is not None}  # as has been told
    for pair in hearing.pairs:
        if not missing & {charge.framework, pair.against}:
            yield pair_sentence(charge, pair, knowledge)


def exhibit_sentence(charge: Charge, exhibit: Exhibit, knowledge: Knowledge) -> str:
    """One framework's figures, and the versions they belong to; or why there are none."""
    if exhibit.why_not is not None:
        return exhibit.why_not
    parts = []
    if (step := exhibit.step_seconds) is not None:
        told = _("{median} a step [{low} - {high}]")
        parts.append(told.format(median=si_seconds(step.median), low=si_seconds(step.low), high=si_seconds(step.high)))
    if exhibit.slowdown is not None and exhibit.constant_step_seconds is not None:
        told = _("{ratio} the {constant} of constant lengths")
        constant = si_seconds(exhibit.constant_step_seconds.median)
        parts.append(told.format(ratio=times(exhibit.slowdown, None), constant=constant))
    if exhibit.recompilations is not None:
        parts.append(_("recompilations") + f" {exhibit.recompilations}")
    if exhibit.peak_rss_bytes is not None:
        parts.append(_("peak RSS") + f" {size(exhibit.peak_rss_bytes)}")
    if (lines := exhibit.lines) is not None:
        told = _("{model} lines of model, {training} of training")
        parts.append(told.format(model=lines.model, training=lines.training))
    if exhibit.versions:
        parts.append(", ".join(f"{package} {version}" for package, version in exhibit.versions.items()))
    name = exhibit.candidate or knowledge.frameworks[exhibit.framework].name
    return f"{name}: {'; '.join(parts)}"


def pair_sentence(charge: Charge, pair: Pair, knowledge: Knowledge) -> str:
    """How a framework did against one rival: the race's own verdict on speed, else the ratio that was worked out."""
    if pair.verdicts and charge.test in (Test.FASTEST, Test.SLOWEST):
        return findings.verdict_sentence(pair.verdicts[0])
    rival, own = (knowledge.frameworks[name].name for name in (pair.against, charge.framework))
    ratio = times(pair.ratio.low, pair.ratio.high) if pair.ratio else ""
    told = {
        Test.LEAST_MEMORY: _("{rival} took {ratio} the memory of {own}"),
        Test.FEWEST_LINES: _("{rival} takes {ratio} the lines of {own}"),
        Test.FEWEST_TRAINING_LINES: _("{rival} takes {ratio} the lines of {own}, for training alone"),
        Test.DYNAMIC_SHAPE: _("{rival} slowed down {ratio} as much as {own}"),
    }.get(charge.test)
    if told is None or not ratio:
        said = _("{a} and {b}: undecided").format(a=own, b=rival)
        return f"{said}: {pair.why}" if pair.why else said
    return f"{told.format(rival=rival, own=own, ratio=ratio)}: {ruling_in_words(pair.ruling)}"
