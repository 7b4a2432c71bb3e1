"""What old guides said, then and now: of one framework, of one criterion, or in one guide with its charges on trial."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual import work
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from advisor.guides import Today, Topic, holding, today, topics
from advisor.i18n import N_, _, language
from advisor.trial import ChargeTrial, Trial, Venue
from advisor.tui.lines import Part, heading, objection_to_claims, objection_to_fact, page, source_lines, written
from advisor.tui.screens.base import EVIDENCE_KEYS, AdvisorScreen
from advisor.tui.screens.dialogs import Pick, Reading
from advisor.tui.verdicts import (
    HOLDS,
    RULINGS,
    charge_lines,
    criterion_name,
    framework_name,
    topic_lines,
    winner_lines,
)
from advisor.tui.widgets.bars import bar, fit, right
from advisor.tui.widgets.title import Title
from advisor.words import ruling_in_words
from bench.planning import Wishes
from bench.results import Results
from knowledge.faults import BadInput
from knowledge.loader import Place
from knowledge.model import Charge, Guide, Winner

_TOPIC, _CHARGE, _WINNER, _CONCLUSION = "topic:", "charge:", "winner:", "conclusion"
_COUNTS = 10
"""Cells of the bar of claims that hold."""


class ClaimsScreen(AdvisorScreen):
    """Topics on the left, each a framework and a criterion; on the right what was said of it, and what is so now."""

    CSS_PATH = "claims.tcss"
    BINDINGS: ClassVar = EVIDENCE_KEYS

    def __init__(self, guide: str | None = None, framework: str | None = None, criterion: str | None = None) -> None:
        super().__init__()
        self._of = (guide, framework, criterion)
        self._topics: tuple[Topic, ...] = ()
        self._offered = False  # whether the line of keys offers it
        self._history = False

    def heading(self) -> str:
        _guide, framework, criterion = self._of
        knowledge = self.advisor.knowledge
        of = framework_name(knowledge, framework) if framework else criterion_name(knowledge, criterion)
        return _("Then and now: {of}").format(of=of)

    def compose_body(self) -> Iterable[Widget]:
        with Horizontal():
            yield OptionList(id="entries", compact=True, markup=False)
            with VerticalScroll(id="page", classes="panel"):
                yield Static(id="detail", markup=False)

    def on_mount(self) -> None:
        guide, framework, criterion = self._of
        self._topics = topics(self.advisor.knowledge, guide, framework, criterion)
        super().on_mount()
        self.follow("recommendation", self._see_detail)
        self.query_one("#entries").focus()

    def on_resize(self) -> None:
        self.call_after_refresh(lambda: self.fill() if self.stays else None)

    def fill(self) -> None:
        entries = self.query_one("#entries", OptionList)
        kept = entries.highlighted or 0
        options = [*self._entries(entries.scrollable_content_region.width or 36)]
        entries.set_options(options)
        kept = min(kept, len(options) - 1)
        while 0 <= kept < len(options) - 1 and options[kept].disabled:
            kept += 1
        entries.highlighted = kept if options else None
        self._see_detail()

    # -- the list -----------------------------------------------------------------------------------------------------

    def _entries(self, width: int) -> Iterator[Option]:
        knowledge, before = self.advisor.knowledge, ""
        for number, topic in enumerate(self._topics):
            of = framework_name(knowledge, topic.framework)
            if of != before:
                yield _title(of)
                before = of
            guide = self._of[0]
            said = [each.claim.holds for each in topic.said if guide in (None, each.guide.id)]
            marks = [HOLDS[holds] for holds in said]
            name = fit(criterion_name(knowledge, topic.criterion), max(8, width - len(marks) - 2))
            yield Option(Content.assemble(f" {name} ", *marks), id=f"{_TOPIC}{number}")

    def on_option_list_option_highlighted(self) -> None:
        self._see_detail()
        self.query_one("#page", VerticalScroll).scroll_home(animate=False)

    def action_scroll(self, pages: int) -> None:
        """Scroll the page on the right."""
        scrolled = self.query_one("#page", VerticalScroll)
        scrolled.scroll_relative(y=pages * max(1, scrolled.size.height - 2), animate=False)

    # -- the page -----------------------------------------------------------------------------------------------------

    def _pointed(self) -> str:
        option = self.query_one("#entries", OptionList).highlighted_option
        return option.id or "" if option is not None else ""

    def _topic(self) -> Topic | None:
        identifier = self._pointed()
        return self._topics[int(identifier.removeprefix(_TOPIC))] if identifier.startswith(_TOPIC) else None

    def _see_detail(self) -> None:
        title, lines = self._page()
        self.query_one("#page").border_title = title
        self.query_one("#detail", Static).update(page(lines))
        if self._has_history() is not self._offered:  # drawing the line of keys anew costs as much as the page
            self._offered = self._has_history()
            self.refresh_bindings()

    def _page(self) -> tuple[str, Iterable[Part]]:
        topic, advisor = self._topic(), self.advisor
        if topic is None:
            return "", [_("The guides say nothing of this.")]
        knowledge = advisor.knowledge
        of = f"{framework_name(knowledge, topic.framework)}, {criterion_name(knowledge, topic.criterion)}"
        lines = topic_lines(topic, knowledge, advisor.recommendation, advisor.results, self._history)
        return of, [*lines, "", *(written(place) for place in self._places())]

    def _places(self) -> list[Place]:
        """Where the entry under the cursor is written."""
        topic, services = self._topic(), self.advisor.services
        said = topic.said if topic is not None else ()
        return [services.guide_place(each.guide.id, "claims", each.guide.claims.index(each.claim)) for each in said]

    def _cited(self) -> Iterable[str]:
        """The sources of the entry under the cursor: the guides themselves, then the evidence of today."""
        said = topic.said if (topic := self._topic()) is not None else ()
        return [*(each.guide.source for each in said), *(e.source for each in said for e in each.claim.evidence)]

    # -- what is done to it -------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """History is offered where there are earlier ratings."""
        return self._has_history() if action == "history" and self.is_mounted else True

    def _has_history(self) -> bool:
        """Whether the entry under the cursor has a rating with others before it."""
        topic = self._topic()
        framework = self.advisor.knowledge.frameworks.get(topic.framework or "") if topic is not None else None
        if topic is None or framework is None:
            return False
        return len(framework.ratings.get(topic.criterion or "", ())) > 1

    def action_history(self) -> None:
        """Show earlier ratings, or hide them again."""
        self._history = not self._history
        self._see_detail()

    def action_sources(self) -> None:
        """Show in full what the entry under the cursor rests on."""
        knowledge, services = self.advisor.knowledge, self.advisor.services
        lines: list[Part] = []
        for identifier in dict.fromkeys(self._cited()):
            if (source := knowledge.sources.get(identifier)) is not None:
                lines += [*source_lines(source, services.source_place(identifier)), ""]
        self.app.push_screen(Reading(_("Sources"), page(lines or [_("Nothing is cited here.")])))

    def action_dispute(self) -> None:
        """Say where this is written and how to object to it."""
        places = self._places()
        if places:
            self.app.push_screen(Reading(_("Dispute"), objection_to_claims(places)))


class GuideScreen(ClaimsScreen):
    """One guide: its conclusion, its charges on trial, whom it preferred then and who is rated best now, its claims."""

    BINDINGS: ClassVar = [
        Binding("r", "run", N_("try it here")),
        Binding("p", "replay", N_("replay")),
    ]

    def __init__(self, guide: Guide) -> None:
        super().__init__(guide=guide.id)
        self._guide = guide
        self._recorded: tuple[Results, ...] = ()  # of the recording that was played last, then of the others
        self._trial: Trial | None = None

    def heading(self) -> str:
        return _("Guide on trial")

    def on_mount(self) -> None:
        super().on_mount()
        self.follow("results", self._tried_anew)
        self.work_out()

    def _tried_anew(self) -> None:
        """What was just measured is what is told, in place of a recording."""
        self._recorded = ()
        self.work_out()

    @work(exclusive=True, group="trial")
    async def work_out(self) -> None:
        """Work out what is said of the charges: by the recordings once one was played, else by what was measured."""
        if not self.stays:
            return
        services = self.advisor.services
        recorded, here = self._recorded, self.advisor.results
        try:
            if not recorded and here is None:
                here = await asyncio.to_thread(services.latest_results)
            known = recorded or ((here,) if here is not None else ())
            self._trial = await asyncio.to_thread(services.trial, self._guide.id, known)
        except BadInput as bad:
            self.notify("\n".join(str(fault) for fault in bad.faults), severity="error", markup=False)
        if self.stays:
            told = _("recorded {day}").format(day=recorded[0].created[:10]) if recorded else ""
            self.query_one(Title).progress = told
            self.fill()

    # -- the list and the page ----------------------------------------------------------------------------------------

    def _entries(self, width: int) -> Iterator[Option]:
        guide = self._guide
        yield Option(Content(_("Conclusion")), id=_CONCLUSION)
        if guide.charges:
            yield _title(_("Charges"))
        for number, charge in enumerate(guide.charges):
            tried = self._tried(number)
            mark, style = RULINGS[tried.ruling] if tried is not None else ("…", "dim")
            told = fit(charge.text.in_language(language()), width - 3)
            yield Option(Content.assemble((f"{mark} ", style), told), id=f"{_CHARGE}{number}")
        if guide.winners:
            yield _title(_("Preferred then, rated best now"))
        for number, winner in enumerate(guide.winners):
            yield Option(Content(fit(" " + self._changed(winner), width)), id=f"{_WINNER}{number}")
        yield from super()._entries(width)

    def _changed(self, winner: Winner) -> str:
        knowledge = self.advisor.knowledge
        then, now = (
            _(", ").join(framework_name(knowledge, each) for each in names)
            for names in (winner.then, self._today(winner).now)
        )
        return f"{winner.dimension.in_language(language())}: {then} → {now}"

    def _today(self, winner: Winner) -> Today:
        return today(self.advisor.knowledge, winner)

    def _tried(self, number: int) -> ChargeTrial | None:
        return self._trial.charges[number] if self._trial is not None else None

    def _venues(self) -> tuple[Venue, ...]:
        return self._trial.venues if self._trial is not None else ()

    def _charge(self) -> int | None:
        identifier = self._pointed()
        return int(identifier.removeprefix(_CHARGE)) if identifier.startswith(_CHARGE) else None

    def _winner(self) -> int | None:
        identifier = self._pointed()
        return int(identifier.removeprefix(_WINNER)) if identifier.startswith(_WINNER) else None

    def _page(self) -> tuple[str, Iterable[Part]]:
        guide, knowledge = self._guide, self.advisor.knowledge
        if self._pointed() == _CONCLUSION:
            return guide.title.in_language(language()), [*self._conclusion(), "", *map(written, self._places())]
        if (number := self._charge()) is not None:
            lines = charge_lines(guide.charges[number], self._tried(number), self._venues(), knowledge)
            return _("Charge"), [*lines, "", *map(written, self._places())]
        if (number := self._winner()) is not None:
            found = self._today(guide.winners[number])
            lines = winner_lines(found, guide.published, knowledge)
            return guide.winners[number].dimension.in_language(language()), [*lines, "", *map(written, self._places())]
        return super()._page()

    def _conclusion(self) -> Iterator[Part]:
        guide = self._guide
        yield _("{date}, {n} claims").format(date=guide.published, n=len(guide.claims))
        yield ""
        yield (f"“{guide.conclusion.in_language(language())}”", "italic")
        yield ""
        yield heading(_("Its claims today"))
        for holds, count in holding(guide).items():
            mark, style = HOLDS[holds]
            drawn = bar(count / max(1, len(guide.claims)), _COUNTS)
            named = fit(ruling_in_words(holds), 17)
            yield Content.assemble((f"{mark} ", style), named, (right(str(count), 4) + " ", "bold"), (drawn, style))
        if guide.charges:
            yield ""
            yield heading(_("Its charges on trial"))
        for number, charge in enumerate(guide.charges):
            yield self._ruled(charge, self._tried(number))
        if guide.charges and self._trial is not None and not any(tried.results for tried in self._trial.charges):
            yield (_("No race yet: r runs one on this machine, p plays a recorded one."), "dim")

    def _ruled(self, charge: Charge, tried: ChargeTrial | None) -> Part:
        told = charge.text.in_language(language())
        if tried is None:
            return ("… " + told, "dim")
        mark, style = RULINGS[tried.ruling]
        return Content.assemble((f"{mark} ", style), f"{told} ", (ruling_in_words(tried.ruling), f"bold {style}"))

    def _places(self) -> list[Place]:
        place = self.advisor.services.guide_place
        if self._pointed() == _CONCLUSION:
            return [place(self._guide.id, "conclusion")]
        if (number := self._charge()) is not None:
            return [place(self._guide.id, "charges", number)]
        if (number := self._winner()) is not None:
            return [place(self._guide.id, "winners", number)]
        return super()._places()

    def _cited(self) -> Iterable[str]:
        return super()._cited() if self._topic() is not None else [self._guide.source]

    # -- what is done to it -------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("run", "replay"):
            return bool(self._guide.charges)
        return super().check_action(action, parameters)

    def action_dispute(self) -> None:
        """Of a claim how to object to its judgement; of anything else where it is written."""
        if self._topic() is not None:
            super().action_dispute()
        else:
            (place,) = self._places()
            self.app.push_screen(Reading(_("Dispute"), objection_to_fact(place)))

    @work(exclusive=True, group="keep")
    async def action_run(self) -> None:
        """Plan the race that tries the charges on this machine; where several devices are asked for, on one of them."""
        found = await asyncio.to_thread(self.advisor.services.trial_races, self._guide.id)
        if not found:
            self.notify(_("No race on this machine can try these charges; p plays a recorded one."))
            return
        wishes: Wishes | None = found[0]
        if len(found) > 1:
            devices = [(each.device, each.device) for each in found]
            device = await self.app.push_screen_wait(Pick(_("Try it on"), devices))
            wishes = next((each for each in found if each.device == device), None)
        if wishes is not None:
            self._recorded = ()
            self.advisor.open_plan(wishes)

    @work(exclusive=True, group="keep")
    async def action_replay(self) -> None:
        """Play a recorded race that tries the charges; what it says of them is shown afterwards."""
        services = self.advisor.services
        try:
            shipped = await asyncio.to_thread(services.trial_recordings, self._guide.id)
            if not shipped:
                self.notify(_("No race that tries these charges was recorded."))
                return
            name: str | None = next(iter(shipped))
            if len(shipped) > 1:
                title = _("Play a recorded race")
                name = await self.app.push_screen_wait(Pick(title, [(each, each) for each in shipped]))
            if name is None:
                return
            recordings = {each: await asyncio.to_thread(services.recording, path) for each, path in shipped.items()}
        except BadInput as bad:
            self.notify("\n".join(str(fault) for fault in bad.faults), severity="error", markup=False)
            return
        played = recordings.pop(name)
        self._recorded = (played.results, *(each.results for each in recordings.values()))
        self.work_out()
        self.advisor.open_replay(played)


def _title(text: str) -> Option:
    return Option(Content.styled(text, "bold $text-accent"), disabled=True)
