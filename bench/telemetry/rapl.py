"""CPU packages through RAPL, as Linux shows it below /sys/class/powercap (Intel, and AMD since Linux 5.8).

Units as the kernel's powercap documentation gives them: `energy_uj` and `max_energy_range_uj` in microjoules. The
counter starts over at its range; at 250 W a common range of 262 kJ lasts 17 minutes: it is read more often than that.
"""

from pathlib import Path

from bench.telemetry.base import EnergyMeter, NoEnergy

POWERCAP = Path("/sys/class/powercap")

_MICRO = 1e-6
_PACKAGES = "intel-rapl:[0-9]*"
"""Top-level domains. `intel-rapl-mmio:0` is package 0 once more, by another register, and would count it twice."""


def open_rapl(powercap: Path = POWERCAP) -> EnergyMeter:
    """The meter of all CPU packages together, or the null object saying why there is none."""
    domains = [zone for zone in sorted(powercap.glob(_PACKAGES)) if _is_package(zone)]
    if not domains:
        return NoEnergy(
            "this system shows no CPU energy counters (RAPL)",
            "on a PC load the kernel module intel_rapl_msr; virtual machines and other processors have none",
        )
    try:
        return RaplPackages(domains)
    except PermissionError:
        return NoEnergy(
            "the CPU's energy counters can be read by root only",
            "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj (until the next start)",
        )
    except (OSError, ValueError) as error:
        return NoEnergy(f"the CPU's energy counters cannot be read: {_reason(error)}", "")


def _is_package(zone: Path) -> bool:
    """Whether a domain is a whole CPU package: not one of its parts, not the platform ("psys")."""
    try:
        return zone.name.count(":") == 1 and (zone / "name").read_text(encoding="ascii").startswith("package")
    except OSError:
        return False


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "they hold no number"


class RaplPackages:
    """The energy of every package since this was made; used from one thread.

    Raises:
        OSError, ValueError: a counter cannot be read.
    """

    absent_because: str | None = None
    mend = ""
    scope = "package"
    basis = "measured"

    def __init__(self, domains: list[Path]) -> None:
        self._counters = [domain / "energy_uj" for domain in domains]
        self._ranges = [_number(domain / "max_energy_range_uj") for domain in domains]
        self._last = [_number(counter) for counter in self._counters]
        self._microjoules = 0
        self.updates = 0

    def joules(self) -> float:
        """Joules since this was made.

        Raises:
            OSError, ValueError: a counter cannot be read any more.
        """
        now = [_number(counter) for counter in self._counters]
        grown = sum(
            new - old if new >= old else new - old + full
            for new, old, full in zip(now, self._last, self._ranges, strict=True)
        )
        self._last = now
        self._microjoules += grown
        self.updates += grown > 0
        return self._microjoules * _MICRO

    def close(self) -> None:
        """Nothing to let go of."""


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))
