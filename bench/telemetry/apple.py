"""Apple's GPU through `macmon pipe`, which prints a line of JSON each half second, without asking for root.

Units as macmon's README gives them: ratios from 0 to 1, watts, degrees Celsius. The GPU shares the machine's memory and
has none of its own to show.
"""

import json
import shutil
import sys
from typing import Any

from bench.events import GpuLoad
from bench.telemetry.base import GpuSampler, NoGpu
from bench.telemetry.commands import Stream, ask

VENDOR = "apple"

MILLISECONDS = 500
"""Between two lines: macmon measures over the whole of it."""


def open_apple(platform: str = sys.platform) -> GpuSampler:
    """Apple's sampler, or the null object saying why there is none."""
    if platform != "darwin":
        return NoGpu("this is no Mac")
    program = shutil.which("macmon")
    if program is None:
        return NoGpu("the program macmon, which tells of Apple's GPU, is not installed (brew install macmon)")
    name = (ask(("sysctl", "-n", "machdep.cpu.brand_string")) or "").strip()
    try:
        return MacmonGpu(name or "Apple GPU", Stream((program, "pipe", "-i", str(MILLISECONDS))))
    except OSError as error:
        return NoGpu(f"macmon cannot be run: {error.strerror}")


class MacmonGpu:
    """The one GPU of an Apple processor, as macmon told last."""

    absent_because: str | None = None
    driver: str | None = None

    def __init__(self, name: str, pipe: Stream) -> None:
        self._name, self._pipe = name, pipe
        self._newest: dict[str, Any] = {}

    def sample(self) -> tuple[GpuLoad, ...]:
        """Utilisation, power and temperature in the last interval it told of."""
        for line in self._pipe.lines():
            try:
                document = json.loads(line)
            except ValueError:
                continue
            self._newest = document if isinstance(document, dict) else self._newest
        temperatures = self._newest.get("temp")
        return (
            GpuLoad(
                index=0,
                vendor=VENDOR,
                name=self._name,
                utilisation=_number(_active(self._newest)),
                memory_used_bytes=None,
                memory_total_bytes=None,
                power_watts=_number(self._newest.get("gpu_power")),
                temperature_celsius=_number(temperatures.get("gpu_temp_avg"))
                if isinstance(temperatures, dict)
                else None,
            ),
        )

    def close(self) -> None:
        """End macmon."""
        self._pipe.close()


def _active(document: dict[str, Any]) -> object:
    """The share of time in which the GPU worked; macmon before 0.8 only has the pair (MHz, share of its full speed)."""
    pair = document.get("gpu_usage")
    return document.get("gpu_active_ratio", pair[1] if isinstance(pair, list) and len(pair) == 2 else None)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
