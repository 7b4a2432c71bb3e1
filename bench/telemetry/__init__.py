"""The machine's load while a race runs: a protocol, one file per vendor, null objects; absent is a designed state.

`Telemetry` joins a host sampler (CPU and memory) with a GPU sampler. A vendor's library is imported only when asked for
and only inside its own file; without hardware or driver its null object says why, in words a person can act on.
"""

from bench.telemetry.base import GpuSampler, HostSample, HostSampler, NoGpu
from bench.telemetry.energy import EnergyMeter, NoEnergy, open_meter
from bench.telemetry.host import PsutilHost, proc_or_psutil
from bench.telemetry.nvml import count_nvidia, open_nvml
from bench.telemetry.sampler import AllGpus, Telemetry, gpus, open_vendors

__all__ = [
    "AllGpus",
    "EnergyMeter",
    "GpuSampler",
    "HostSample",
    "HostSampler",
    "NoEnergy",
    "NoGpu",
    "PsutilHost",
    "Telemetry",
    "count_nvidia",
    "gpus",
    "open_meter",
    "open_nvml",
    "open_vendors",
    "proc_or_psutil",
]
