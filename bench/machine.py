"""This machine: what a result says it ran on, and what is there to run on. Nothing here names its user or host."""

import ctypes.util
import os
import platform
import shutil
import sys
from functools import cache
from pathlib import Path

import psutil

from bench.results import Machine
from bench.telemetry import count_nvidia, gpus
from knowledge.model import Need

_CXX_COMPILERS = ("c++", "g++", "clang++")
"""Programs any of which serves where C++ has to be compiled; another compiler is asked for by its own name."""


def platform_tag() -> str:
    """The platform as recipes write it: "linux-x86_64", "linux-aarch64", "macos-arm64", "windows-x86_64"."""
    system = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    architecture = {"AMD64": "x86_64", "arm64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{system}-{architecture}"


def usable_cores() -> tuple[int, ...]:
    """The logical cores this process may run on, in order; every worker gets this same affinity mask."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


@cache
def describe() -> Machine:
    """The machine as results record it."""
    devices, driver = gpus()
    return Machine(
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        architecture=platform.machine(),
        cpu=_cpu_name(),
        cores_logical=len(usable_cores()),
        cores_physical=psutil.cpu_count(logical=False),
        memory_bytes=psutil.virtual_memory().total,
        gpus=tuple(gpu.name for gpu in devices),
        gpu_driver=driver,
        python=platform.python_version(),
    )


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux: platform knows the name, if less of it
    return platform.processor() or platform.machine()


def devices() -> tuple[str, ...]:
    """What can be asked for with --device: "cpu", one "cuda:N" per NVIDIA GPU, "mps" on Apple silicon."""
    found = ["cpu", *(f"cuda:{index}" for index in range(count_nvidia()))]
    if platform_tag() == "macos-arm64":
        found.append("mps")
    return tuple(found)


def device_kinds() -> tuple[str, ...]:
    """The first device of each family: what a framework needs is the same for all of one."""
    return tuple({device.partition(":")[0]: device for device in reversed(devices())}.values())[::-1]


def free_memory_bytes() -> int:
    """Memory that new processes can take without swapping, within the container's limit where there is one."""
    available = psutil.virtual_memory().available
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    try:
        return min(available, int(limit.read_text()) - int(used.read_text()))
    except (OSError, ValueError):  # no such limit here, or it reads "max"
        return available


def missing_need(need: Need) -> str | None:
    """What of `need` this machine lacks, in words; None when it is there."""
    if need.kind == "compiler":
        programs = (os.environ.get("CXX", ""), *_CXX_COMPILERS) if need.name == "c++" else (need.name,)
        if any(shutil.which(program) for program in programs if program):
            return None
        return f"no {need.name} compiler is on the PATH"
    if need.kind == "library":
        stem = need.name.removeprefix("lib").split(".so")[0]
        return None if ctypes.util.find_library(stem) else f"the system library {need.name} is missing"
    return None
