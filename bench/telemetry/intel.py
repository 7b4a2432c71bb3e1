"""Intel GPUs through the program `xpu-smi`: `discovery -j` names them, `dump` prints lines of CSV once a second.

Units as Intel's user guide gives them: utilisation in per cent, power in watts, temperature in degrees Celsius, memory
in mebibytes. A quantity the board does not report reads "N/A" and is None here.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from bench.events import GpuLoad
from bench.telemetry.base import GpuSampler, NoGpu
from bench.telemetry.commands import Stream, ask

VENDOR = "intel"

METRICS = {0: "utilisation", 1: "power", 3: "temperature", 18: "memory"}
"""Number of a metric in `xpu-smi dump -m` -> what it is here. The columns come in the order they are asked for."""

_MEBI = 1 << 20


def open_intel() -> GpuSampler:
    """The Intel sampler, or the null object saying why there is none."""
    program = shutil.which("xpu-smi")
    if program is None:
        return NoGpu("the program xpu-smi, which tells of Intel's GPUs, is not installed")
    devices = _document(ask((program, "discovery", "-j"))).get("device_list", [])
    if not devices:
        return NoGpu("xpu-smi is here, but it lists no GPU (is this user in the group render?)")
    details = [_document(ask((program, "discovery", "-d", str(each["device_id"]), "-j"))) for each in devices]
    command = (program, "dump", "-d", "-1", "-m", ",".join(map(str, METRICS)), "-i", "1")
    try:
        return XpuSmiGpus(devices, details, Stream(command))
    except OSError as error:
        return NoGpu(f"xpu-smi cannot be run: {error.strerror}")


class XpuSmiGpus:
    """Every Intel GPU of this machine, as xpu-smi told last."""

    absent_because: str | None = None

    def __init__(
        self, devices: Sequence[Mapping[str, Any]], details: Sequence[Mapping[str, Any]], dump: Stream
    ) -> None:
        self._names = {int(each["device_id"]): str(each.get("device_name") or "Intel GPU") for each in devices}
        self._total = {
            int(each["device_id"]): _integer(more.get("memory_physical_size_byte"))
            for each, more in zip(devices, details, strict=True)
        }
        self.driver: str | None = next(
            (str(each["driver_version"]) for each in details if "driver_version" in each), None
        )
        self._dump = dump
        self._rows: dict[int, dict[str, float | None]] = {}

    def sample(self) -> tuple[GpuLoad, ...]:
        """Utilisation, memory, power and temperature of each GPU in the last second it told of."""
        for line in self._dump.lines():
            if (row := _row(line)) is not None:
                self._rows[row[0]] = row[1]
        return tuple(self._one(index, self._rows.get(index, {})) for index in self._names)

    def _one(self, index: int, row: Mapping[str, float | None]) -> GpuLoad:
        percent, mebibytes = row.get("utilisation"), row.get("memory")
        return GpuLoad(
            index=index,
            vendor=VENDOR,
            name=self._names[index],
            utilisation=None if percent is None else percent / 100,
            memory_used_bytes=None if mebibytes is None else int(mebibytes * _MEBI),
            memory_total_bytes=self._total[index],
            power_watts=row.get("power"),
            temperature_celsius=row.get("temperature"),
        )

    def close(self) -> None:
        """End xpu-smi."""
        self._dump.close()


def _document(answer: str | None) -> dict[str, Any]:
    try:
        document = json.loads(answer or "")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _row(line: str) -> tuple[int, dict[str, float | None]] | None:
    """(device, quantities) of a line "time, device, value, value ..."; None for the heading and what is no row."""
    _, *fields = (field.strip() for field in line.split(","))
    if len(fields) != 1 + len(METRICS) or not fields[0].isdigit():
        return None
    return int(fields[0]), dict(zip(METRICS.values(), map(_number, fields[1:]), strict=True))


def _number(field: str) -> float | None:
    try:
        return float(field)
    except ValueError:
        return None


def _integer(value: object) -> int | None:
    return int(value) if isinstance(value, str | int) and str(value).isdigit() else None
