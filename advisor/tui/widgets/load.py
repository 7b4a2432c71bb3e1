"""The machine's load while a race runs: every core, memory, and each GPU or why there is none."""

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from advisor.i18n import _
from advisor.quantities import percent
from advisor.tui.widgets.bars import bar, fit, level
from bench.events import GpuLoad, Load

_GIB = 2**30


class LoadPanel(Widget):
    """One line each for CPU and memory, one per GPU. `history` holds mean CPU shares, oldest first."""

    DEFAULT_CSS = """
    LoadPanel { height: auto; }
    """

    load: reactive[Load | None] = reactive(None)
    history: reactive[tuple[float, ...]] = reactive(())

    def watch_load(self, before: Load | None, after: Load | None) -> None:
        """Every GPU is one line: only another number of them, or another reason for none, needs another layout."""
        if before is None or after is None or _lines(before) != _lines(after):
            self.refresh(layout=True)

    def render(self) -> Content:
        load = self.load
        if load is None:
            return Content.styled(_("No load measured yet."), "dim")
        width = self.content_size.width or 76
        lines = [self._cpu(load, width), self._memory(load, width)]
        lines += [self._gpu(gpu, width) for gpu in load.gpus]
        if not load.gpus:
            reason = load.gpu_absent_because or _("none found")
            lines.append(Content.assemble(("GPU  ", "dim"), _("none: {why}").format(why=reason)))
        return Content("\n").join(lines)

    def _cpu(self, load: Load, width: int) -> Content:
        mean = sum(load.cpu) / len(load.cpu) if load.cpu else 0.0
        cells = max(1, width // 2 - 12)
        cores = "".join(level(share) for share in _at_most(load.cpu, cells))
        course = "".join(level(share) for share in self.history[-max(1, width - len(cores) - 16) :])
        return Content.assemble(("CPU  ", "dim"), (cores, "$accent"), f" {percent(mean)}  ", (course, "dim"))

    def _memory(self, load: Load, width: int) -> Content:
        used, total = load.memory_used_bytes, load.memory_total_bytes
        drawn = bar(used / total if total else 0.0, min(20, max(6, width // 4)))
        return Content.assemble(("RAM  ", "dim"), (drawn, "$accent"), f" {used / _GIB:.1f}/{total / _GIB:.0f} GiB")

    def _gpu(self, gpu: GpuLoad, width: int) -> Content:
        unknown = _("n/a")
        utilisation = unknown if gpu.utilisation is None else percent(gpu.utilisation)
        drawn = bar(gpu.utilisation or 0.0, 8 if width < 100 else 16)
        memory = unknown
        if gpu.memory_used_bytes is not None and gpu.memory_total_bytes:
            memory = f"{gpu.memory_used_bytes / _GIB:.1f}/{gpu.memory_total_bytes / _GIB:.0f} GiB"
        power = unknown if gpu.power_watts is None else f"{gpu.power_watts:.0f} W"
        heat = unknown if gpu.temperature_celsius is None else f"{gpu.temperature_celsius:.0f} °C"
        name = fit(gpu.name, max(8, min(28, width - 52))).rstrip()
        return Content.assemble(
            (f"GPU{gpu.index} ", "dim"),
            (drawn, "$accent"),
            f" {utilisation:>4} · {memory} · {power} · {heat}  ",
            (name, "dim"),
        )


def _lines(load: Load) -> tuple[int, str | None]:
    """What the height of the panel follows from."""
    return len(load.gpus), load.gpu_absent_because


def _at_most(shares: Sequence[float], count: int) -> list[float]:
    """As many shares as fit; more cores than cells are shown as the busiest of each group."""
    if len(shares) <= count:
        return list(shares)
    group = -(-len(shares) // count)
    return [max(shares[start : start + group]) for start in range(0, len(shares), group)]
