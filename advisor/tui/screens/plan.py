"""What to measure: candidates and workloads, what they download, how long it takes, and whether it counts."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import ClassVar

from rich.text import Text as Cell
from textual import work
from textual.binding import Binding
from textual.containers import ItemGrid, Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Checkbox, DataTable, Static

from advisor.findings import phase_in_words
from advisor.i18n import N_, _, language, ngettext
from advisor.quantities import duration, size
from advisor.tui.screens.base import AdvisorScreen
from advisor.tui.screens.dialogs import Confirm
from advisor.tui.services import CONSENT_BYTES, Choice, Offer
from bench.plan import Candidate, Goal, Plan, untwinned
from bench.planning import Wishes
from bench.race import MIN_LAUNCHES
from bench.readiness import State
from knowledge.faults import BadInput

BUDGETS_SECONDS = (60, 120, 180, 300, 600, 900, 1800, 3600)
_DEFAULT_BUDGET = 2
"""Three minutes decide six candidates on a quiet machine (METHOD.md, "Race")."""


PHASES: tuple[tuple[str, ...], ...] = (("train",), ("infer",), ("train", "infer"))
LAUNCHES = (None, 1, 3, 5, 8)
"""None: what the budget pays for. Verdicts are looked for after 3, 5 and 8 (METHOD.md, "Race")."""
GOALS = (Goal.WINNER, Goal.ORDER)


class Tick(Checkbox):
    """A checkbox whose state can be read without colour."""

    BUTTON_LEFT, BUTTON_INNER, BUTTON_RIGHT = "", "[ ]", ""

    def watch_value(self) -> None:
        self.BUTTON_INNER = "[x]" if self.value else "[ ]"
        super().watch_value()


class CandidateTable(DataTable[Cell]):
    """The candidates; space marks one, enter starts."""

    BINDINGS: ClassVar = [
        Binding("space", "select_cursor", N_("mark"), key_display="space"),
        Binding("enter", "screen.go", N_("go"), key_display="⏎"),
    ]


class PlanScreen(AdvisorScreen):
    """Offers in a table, costs below, one key to start."""

    CSS_PATH = "plan.tcss"
    BINDINGS: ClassVar = [
        Binding("a", "all", N_("all / none")),
        Binding("d", "app.replay", N_("replay instead")),
        Binding("v", "device", show=False),  # these are named beside what they set
        Binding("p", "phases", show=False),
        Binding("l", "launches", show=False),
        Binding("g", "goal", show=False),
        Binding("plus,equals_sign", "budget(1)", show=False),
        Binding("minus", "budget(-1)", show=False),
        Binding("escape", "leave", N_("back"), key_display="esc"),
    ]

    def __init__(self, wishes: Wishes | None = None) -> None:
        """With wishes, those are marked and set; without, what counts for the answers is."""
        super().__init__()
        self._wishes = wishes
        self._offers: tuple[Offer, ...] | None = None
        self._fault = ""
        self._chosen: set[str] = set()
        self._workloads: set[str] = set()
        self._devices: tuple[str, ...] = ("cpu",)
        self._device = "cpu"
        self._budget = _DEFAULT_BUDGET
        self._phases = self._launches = self._goal = 0  # places in PHASES, LAUNCHES, GOALS
        if wishes is not None:
            self._device = wishes.device
            self._goal = GOALS.index(wishes.goal)
            enough = [number for number, budget in enumerate(BUDGETS_SECONDS) if budget >= wishes.budget_seconds]
            self._budget = enough[0] if enough else len(BUDGETS_SECONDS) - 1
        self._plan: Plan | None = None  # what would be run; None while that is worked out, or when it cannot be
        self._free_disk = self._free_memory = 0

    # -- what it shows ------------------------------------------------------------------------------------------------

    def heading(self) -> str:
        return _("What to measure")

    def compose_body(self) -> Iterable[Widget]:
        with Vertical():
            with ItemGrid(id="workloads", min_column_width=25):
                for identifier in self.advisor.services.workloads():  # ids are short and never cut to the same
                    yield Tick(identifier, identifier in self._workloads, id=identifier, compact=True)
            yield Static(id="settings", markup=False)
            yield CandidateTable(cursor_type="row", id="candidates")
            yield Static(id="detail", markup=False)
            yield Static(id="cost", markup=False)

    def on_mount(self) -> None:
        services = self.advisor.services
        asked = self._wishes.workloads if self._wishes is not None else ()
        self._workloads = set(asked or services.wanted_workloads(self.advisor.sheets)) & services.workloads().keys()
        for checkbox in self.query(Checkbox):
            with checkbox.prevent(Checkbox.Changed):
                checkbox.value = checkbox.id in self._workloads
        super().on_mount()
        self.load()

    @work(exclusive=True, group="offers")
    async def load(self) -> None:
        """Look at what is there; the screen can be read and left meanwhile."""
        if not self.stays:
            return
        services, sheets, device = self.advisor.services, self.advisor.sheets, self._device
        table = self.query_one(CandidateTable)
        table.loading = True
        try:
            self._devices = await asyncio.to_thread(services.devices)
            self._offers = await asyncio.to_thread(services.offers, sheets, device)
            self._free_disk = await asyncio.to_thread(services.free_disk_bytes)
            self._free_memory = await asyncio.to_thread(services.free_memory_bytes)
            self._fault = ""
        except (BadInput, OSError) as error:
            self._offers, self._fault = (), str(error)
        if not self.stays:
            return
        table.loading = False
        table.focus()  # a widget that loads lets go of the focus
        possible = [offer for offer in self._offers if offer.readiness.state is not State.IMPOSSIBLE]
        usual = [offer for offer in possible if offer.readiness.default]
        if self._wishes is not None:
            frameworks = self._wishes.frameworks
            chosen = [o for o in usual if Candidate.parse(o.readiness.candidate).framework in frameworks]
        else:
            chosen = [offer for offer in possible if offer.why_not_counted is None] or usual
        self._chosen = {offer.readiness.candidate for offer in chosen}
        self._replan()

    def fill(self) -> None:
        self._fill_table()
        self._fill_costs()

    def _fill_table(self) -> None:
        table = self.query_one(CandidateTable)
        row = table.cursor_row
        table.clear(columns=True)
        headings = (" ", _("candidate"), _("download"), _("disk"), _("ready in"), _("counts for you?"))
        for key, heading in zip("mcdrtw", headings, strict=True):
            table.add_column(Cell(heading), key=key)
        for offer in self._offers or ():
            table.add_row(*self._cells(offer), key=offer.readiness.candidate)
        table.move_cursor(row=row)

    def _cells(self, offer: Offer) -> tuple[Cell, ...]:
        ready = offer.readiness
        counts = Cell(_("yes")) if offer.why_not_counted is None else _no(offer.why_not_counted)
        if (why := self._left_out(offer)) is not None:
            counts = Cell(_("left out: {why}").format(why=why), style="dim")
        if ready.state is State.IMPOSSIBLE:
            gone = _no(_("cannot run here: {why}").format(why=ready.why))
            return Cell("[-]"), Cell(ready.candidate, style="dim"), Cell(""), Cell(""), Cell(""), gone
        mark = "[x]" if ready.candidate in self._chosen else "[ ]"
        if ready.state is State.READY:
            when, download, disk = _("now"), "", ""
        else:
            when, download, disk = duration(ready.install_seconds), size(ready.download_bytes), size(ready.disk_bytes)
        return (
            Cell(mark, style="bold"),
            Cell(ready.candidate, style="bold" if ready.candidate in self._chosen else ""),
            Cell(download, justify="right"),
            Cell(disk, justify="right"),
            Cell(when, justify="right"),
            counts,
        )

    def _left_out(self, offer: Offer) -> str | None:
        """Why a marked candidate would not be raced within the budget; None when it would."""
        candidate = offer.readiness.candidate
        return self._plan.left_out.get(candidate) if self._plan and candidate in self._chosen else None

    def _fill_costs(self) -> None:
        self.query_one("#settings", Static).update(self._settings())
        cost = self.query_one("#cost", Static)
        if self._offers is None:
            cost.update(Content.styled(_("Looking at what is there…"), "dim"))
        elif self._fault:
            cost.update(Content.styled(self._fault, "$text-error"))
        elif not self._offers:
            cost.update(_("No framework can be measured on this machine.") + "\n" + _("d plays a recorded race."))
        else:
            cost.update(self._costs())
        self._see_detail()

    def _settings(self) -> Content:
        """What can be set, each with its key."""
        wish = LAUNCHES[self._launches]
        launches = ngettext("{n} launch", "{n} launches", wish).format(n=wish) if wish else _("launches by budget")
        settings = [
            ("v", self._device),
            ("p", " + ".join(map(phase_in_words, PHASES[self._phases]))),
            ("l", launches),
            ("g", _("goal: winner") if GOALS[self._goal] is Goal.WINNER else _("goal: order")),
            ("+-", _("{budget} of measuring").format(budget=duration(BUDGETS_SECONDS[self._budget]))),
        ]
        parts = [Content.assemble((key, "bold $text-accent"), f" {value}") for key, value in settings]
        return Content("  ").join(parts)

    def _costs(self) -> Content:
        download, disk, seconds = self._totals()
        told = _("download {download} · disk {disk} of {free} free") if download else _("nothing to download")
        told = told.format(download=size(download), disk=size(disk), free=size(self._free_disk))
        free = told + " · " + _("{memory} of memory free").format(memory=size(self._free_memory))
        time = _("about {time} in all").format(time=duration(seconds))
        parts: list[str | tuple[str, str]] = [free, "\n", time]
        if self._plan is not None:
            parts.append("".join(f" · {told}" for told in self._planned(self._plan)))
        if disk > self._free_disk:
            parts.append(("  " + _("There is not enough disk for this."), "bold $text-error"))
        elif not self._chosen or not self._workloads:
            parts.append(("  " + _("Mark a candidate and a workload."), "$text-warning"))
        if all(offer.readiness.state is not State.READY for offer in self._offers or ()):
            parts.append(("\n" + _("Nothing is installed yet: d plays a recorded race."), "dim"))
        return Content.assemble(*parts)

    def _planned(self, plan: Plan) -> Iterator[str]:
        """What the budget buys."""
        yield ngettext("{n} launch", "{n} launches", plan.launches).format(n=plan.launches)
        if plan.launches < MIN_LAUNCHES:
            yield _("provisional")
        for twin in plan.twins:
            yield _("{candidate} runs twice").format(candidate=untwinned(twin))
        if plan.left_out:
            yield ngettext("{n} left out", "{n} left out", len(plan.left_out)).format(n=len(plan.left_out))

    def _totals(self) -> tuple[int, int, float]:
        """Bytes to download, bytes of disk, seconds; candidates of one environment share its cost.

        Every launch starts everybody anew, and twins beside them.
        """
        chosen = [o.readiness for o in self._offers or () if o.readiness.candidate in self._chosen]
        environments = {ready.environment: ready for ready in chosen}.values()
        return (
            sum(ready.download_bytes for ready in environments),
            sum(ready.disk_bytes for ready in environments),
            sum(ready.install_seconds for ready in environments)
            + sum(ready.prepare_seconds * self._starts(ready.candidate) for ready in chosen) * len(self._workloads)
            + BUDGETS_SECONDS[self._budget],
        )

    def _starts(self, candidate: str) -> int:
        """How often workers of a candidate are started for one workload."""
        plan = self._plan
        if plan is None:
            return LAUNCHES[self._launches] or 1
        if candidate in plan.left_out:
            return 0
        return plan.launches * (1 + sum(untwinned(twin) == candidate for twin in plan.twins))

    def _see_detail(self) -> None:
        offer = self._under_cursor()
        told: list[str | tuple[str, str]] = []
        if offer is not None:
            ready = offer.readiness
            told = [(ready.candidate, "bold"), "  "]
            if ready.state is State.IMPOSSIBLE:
                told += [f"{ready.why}. ", (ready.mend or "", "dim")]
            elif (why := self._left_out(offer)) is not None:
                told.append(_("left out: {why}").format(why=why))
            elif offer.why_not_counted is not None:
                told.append(_("shown, not counted: {why}").format(why=offer.why_not_counted))
            else:
                told.append(_("its result enters the advice"))
        self.query_one("#detail", Static).update(Content.assemble(*told))

    def _under_cursor(self) -> Offer | None:
        table = self.query_one(CandidateTable)
        offers = self._offers or ()
        return offers[table.cursor_row] if 0 <= table.cursor_row < len(offers) else None

    # -- what is done to it -------------------------------------------------------------------------------------------

    def on_descendant_focus(self, focused: DescendantFocus) -> None:
        """Say in full what a workload is while the cursor is on it."""
        identifier = focused.widget.id or ""
        name = self.advisor.services.workloads().get(identifier) if isinstance(focused.widget, Tick) else None
        if name is None:
            self._see_detail()
        else:
            told = Content.assemble((identifier, "bold"), "  ", name.in_language(language()))
            self.query_one("#detail", Static).update(told)

    def on_data_table_row_highlighted(self) -> None:
        self._see_detail()

    def on_data_table_row_selected(self) -> None:
        offer = self._under_cursor()
        if offer is None:
            return
        ready = offer.readiness
        if ready.state is State.IMPOSSIBLE:
            self.notify(f"{ready.why}. {ready.mend or ''}", severity="warning", markup=False)
            return
        self._chosen ^= {ready.candidate}
        self._replan()

    def on_checkbox_changed(self, changed: Checkbox.Changed) -> None:
        identifier = changed.checkbox.id or ""
        self._workloads = self._workloads | {identifier} if changed.value else self._workloads - {identifier}
        self._replan()

    def action_all(self) -> None:
        """Mark every candidate that can run, or none."""
        possible = {o.readiness.candidate for o in self._offers or () if o.readiness.state is not State.IMPOSSIBLE}
        self._chosen = set() if possible <= self._chosen else possible
        self._replan()

    def action_device(self) -> None:
        """Measure on the next device of this machine."""
        if len(self._devices) < 2:
            self.notify(_("This machine has no other device: {device}.").format(device=self._device), markup=False)
            return
        self._device = self._devices[(self._devices.index(self._device) + 1) % len(self._devices)]
        self.load()

    def action_budget(self, steps: int) -> None:
        """Measure longer or shorter."""
        self._budget = min(max(self._budget + steps, 0), len(BUDGETS_SECONDS) - 1)
        self._replan()

    def action_phases(self) -> None:
        """Training, inference, or both."""
        self._phases = (self._phases + 1) % len(PHASES)
        self._replan()

    def action_launches(self) -> None:
        """How often all workers are started anew."""
        self._launches = (self._launches + 1) % len(LAUNCHES)
        self._replan()

    def action_goal(self) -> None:
        """Go on until the fastest is sure, or the whole order."""
        self._goal = (self._goal + 1) % len(GOALS)
        self._replan()

    def _replan(self) -> None:
        """Show what is chosen, and work out what the budget buys of it."""
        self._plan = None
        self.fill()
        self.work_out()

    @work(exclusive=True, group="plan")
    async def work_out(self) -> None:
        """Ask for the plan of what is chosen; what forbids one is said when it is asked to start."""
        if not self._chosen or not self._workloads:
            return
        with suppress(BadInput):
            self._plan = await asyncio.to_thread(self.advisor.services.plan, self._choice())
            self.fill()

    def _choice(self) -> Choice:
        return Choice(
            candidates=tuple(
                o.readiness.candidate for o in self._offers or () if o.readiness.candidate in self._chosen
            ),
            workloads=tuple(w for w in self.advisor.services.workloads() if w in self._workloads),
            device=self._device,
            budget_seconds=BUDGETS_SECONDS[self._budget],
            phases=PHASES[self._phases],
            goal=GOALS[self._goal],
            launches=LAUNCHES[self._launches],
        )

    @work(exclusive=True, group="go")
    async def action_go(self) -> None:
        """Start, after a yes where much is downloaded."""
        download, disk, _seconds = self._totals()
        if not self._chosen or not self._workloads or disk > self._free_disk:
            self.notify(_("Not yet: see the last line."), severity="warning")
            return
        if download > CONSENT_BYTES:
            text = _("{download} will be downloaded and {disk} of disk used. Go on?")
            text = text.format(download=size(download), disk=size(disk))
            if not await self.app.push_screen_wait(Confirm(_("Download"), text, _("Download"), _("Cancel"))):
                return
        try:
            plan = await asyncio.to_thread(self.advisor.services.plan, self._choice())
        except BadInput as bad:
            self.notify("\n".join(str(fault) for fault in bad.faults), severity="error", markup=False)
            return
        self.advisor.open_race(plan)


def _no(why: str) -> Cell:
    return Cell(_("no: {why}").format(why=why), style="dim")
