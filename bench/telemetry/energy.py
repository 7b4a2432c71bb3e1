"""Energy: a meter whose reading only grows, one per device; the null object where there is none, saying why.

METHOD, "Fair blocks": energy is measured in a phase of its own that lasts at least 10 s and sees at least 100 updates
of the counter, gross and minus idle, for the whole package or board. A meter counts the updates it has seen, and sees
one only when it is read: read it `READS_PER_SECOND` times a second meanwhile.
"""

from pathlib import Path
from typing import Any

from bench.telemetry.base import EnergyMeter, NoEnergy
from bench.telemetry.nvml import open_nvml_energy
from bench.telemetry.rapl import POWERCAP, open_rapl

__all__ = ["READS_PER_SECOND", "EnergyMeter", "NoEnergy", "open_meter"]

READS_PER_SECOND = 20
"""NVML renews its readings 10 to 50 times a second, depending on the board (Yang, Adamek & Armour 2024), RAPL's
counters move on a thousand times. At 20 reads a second, 10 s show 100 updates even of the slowest."""


def open_meter(device: str, powercap: Path = POWERCAP, nvml: Any = None) -> EnergyMeter:
    """The meter of a device as plans name it: the CPU's packages, one NVIDIA board, or the null object saying why.

    Args:
        device: "cpu", "cuda:N" or "mps".
        powercap, nvml: other sources for tests.
    """
    if device == "cpu":
        return open_rapl(powercap)
    kind, _, index = device.partition(":")
    if kind == "cuda":
        return open_nvml_energy(int(index or 0), nvml)
    return NoEnergy(f"there is no energy counter that can be read for {device}", "")
