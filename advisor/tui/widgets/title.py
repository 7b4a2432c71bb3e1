"""The line above every screen: where one is on the left, the machine on the right."""

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from advisor.i18n import _, ngettext
from advisor.tui.widgets.bars import fit
from bench.results import Machine


def machine_in_brief(machine: Machine) -> str:
    """Cores, memory and GPU in a few words: "2 CPU · 24 GB · no GPU"."""
    cores = ngettext("{n} CPU core", "{n} CPU cores", machine.cores_logical).format(n=machine.cores_logical)
    gpu = machine.gpus[0] if machine.gpus else _("no GPU")
    return f"{cores} · {machine.memory_bytes / 2**30:.0f} GiB · {gpu}"


class Title(Widget):
    """Heading and machine in one row."""

    DEFAULT_CSS = """
    Title { height: 1; dock: top; background: $panel; color: $foreground; padding: 0 1; }
    """

    heading: reactive[str] = reactive("")
    progress: reactive[str] = reactive("")
    machine: reactive[Machine | None] = reactive(None)
    recorded: reactive[Machine | None] = reactive(None)
    """The machine of a recording, which is then told instead of this one."""

    def __init__(self, heading: str) -> None:
        super().__init__()
        self.set_reactive(Title.heading, heading)

    def on_mount(self) -> None:
        self.watch(self.app, "machine", self._see_machine)

    def _see_machine(self, machine: Machine | None) -> None:
        self.machine = machine

    def render(self) -> Content:
        width = self.content_size.width
        left = f"{self.heading}  {self.progress}".rstrip()
        machine = self.recorded or self.machine
        here = machine_in_brief(machine) if machine else _("looking at this machine…")
        room = width - cell_len(left) - 2
        shown = here if cell_len(here) <= room else fit(here, room).rstrip() if room > 8 else ""
        gap = " " * max(1, width - cell_len(left) - cell_len(shown))
        return Content.assemble((self.heading, "bold $text-accent"), left[len(self.heading) :], gap, (shown, "dim"))
