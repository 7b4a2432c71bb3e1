"""Write down what NVML answers while a board idles, is loaded and rests: `python -m tests.bench.telemetry.record_nvml`.

Every call that `bench.telemetry.nvml` makes is made here through it, and others that tell what a board is like. Values
are kept as they are, but for what could name a machine: UUID, serial number and place on the bus become made-up ones of
the same form, process ids are counted. `ReplayedNvml` answers from the file. Needs an NVIDIA board, and PyTorch for
CUDA in this interpreter; half a minute.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pynvml

from bench.telemetry import nvml
from bench.telemetry.energy import READS_PER_SECOND, open_meter

SAMPLES_PER_SECOND = 2  # as `bench.workers.SAMPLE_SECONDS` has it

LOAD = """
import sys, time
import torch
device = torch.device("cuda:0")
matrix = torch.rand(64, 64, device=device)
held = []
print("context", flush=True)
for line in sys.stdin:
    phase = line.strip()
    if phase == "memory":
        for _ in range(6):
            held.append(torch.ones(1 << 28, device=device))  # 1 GiB
            torch.cuda.synchronize()
            time.sleep(0.5)
    elif phase == "load":
        one, other = (torch.rand(8192, 8192, device=device).bfloat16() for _ in range(2))
        end = time.monotonic() + float(sys.argv[1])
        while time.monotonic() < end:
            for _ in range(20):
                one @ other
            torch.cuda.synchronize()
    print(phase, flush=True)
"""

# What a board may be asked besides: the name, and the arguments after the handle. Errors are answers too.
QUESTIONS: tuple[tuple[str, tuple[str | int, ...]], ...] = (
    ("nvmlDeviceGetUUID", ()),
    ("nvmlDeviceGetSerial", ()),
    ("nvmlDeviceGetPciInfo", ()),
    ("nvmlDeviceGetCudaComputeCapability", ()),
    ("nvmlDeviceGetEccMode", ()),
    ("nvmlDeviceGetTotalEccErrors", ("NVML_MEMORY_ERROR_TYPE_UNCORRECTED", "NVML_VOLATILE_ECC")),
    ("nvmlDeviceGetMigMode", ()),
    ("nvmlDeviceGetPersistenceMode", ()),
    ("nvmlDeviceGetComputeMode", ()),
    ("nvmlDeviceGetFanSpeed", ()),
    ("nvmlDeviceGetDisplayMode", ()),
    ("nvmlDeviceGetBoardPartNumber", ()),
    ("nvmlDeviceGetInforomImageVersion", ()),
    ("nvmlDeviceGetVbiosVersion", ()),
    ("nvmlDeviceGetEnforcedPowerLimit", ()),
    ("nvmlDeviceGetPowerManagementLimit", ()),
    ("nvmlDeviceGetPowerManagementLimitConstraints", ()),
    ("nvmlDeviceGetMaxClockInfo", ("NVML_CLOCK_SM",)),
    ("nvmlDeviceGetMaxClockInfo", ("NVML_CLOCK_MEM",)),
    ("nvmlDeviceGetTemperatureThreshold", ("NVML_TEMPERATURE_THRESHOLD_SLOWDOWN",)),
    ("nvmlDeviceGetSupportedClocksThrottleReasons", ()),
    ("nvmlDeviceGetAccountingMode", ()),
    ("nvmlDeviceGetVirtualizationMode", ()),
)
EACH_MOMENT: tuple[tuple[str, tuple[str | int, ...]], ...] = (
    ("nvmlDeviceGetClockInfo", ("NVML_CLOCK_SM",)),
    ("nvmlDeviceGetClockInfo", ("NVML_CLOCK_MEM",)),
    ("nvmlDeviceGetCurrentClocksThrottleReasons", ()),
    ("nvmlDeviceGetPerformanceState", ()),
    ("nvmlDeviceGetTotalEnergyConsumption", ()),
    ("nvmlDeviceGetComputeRunningProcesses", ()),
    ("nvmlDeviceGetPcieThroughput", ("NVML_PCIE_UTIL_TX_BYTES",)),
)
SECRET = ("uuid", "serial", "busid", "partnumber")  # in the name of a call or of a field


class RecordingNvml:
    """`pynvml`, its calls written down as `ReplayedNvml` reads them: when, which, of what, the answer or the error."""

    def __init__(self, library: Any = pynvml) -> None:
        self._library, self._begin = library, time.monotonic()
        self._handles: list[tuple[Any, int]] = []
        self._processes: list[int] = []
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._library, name)
        if not name.startswith("nvml") or not callable(found):
            return found

        def call(*arguments: Any) -> Any:
            told: dict[str, Any] = {"at": round(time.monotonic() - self._begin, 3), "call": name}
            self.calls.append(told | {"of": [self._plain(argument, "") for argument in arguments]})
            try:
                answer = found(*arguments)
            except self._library.NVMLError as error:
                self.calls[-1]["error"] = error.value
                raise
            if name == "nvmlDeviceGetHandleByIndex":
                self._handles.append((answer, arguments[0]))
            self.calls[-1]["answer"] = self._plain(answer, name)
            return answer

        return call

    def note(self, text: str) -> None:
        """Write down what happens meanwhile."""
        self.calls.append({"at": round(time.monotonic() - self._begin, 3), "now": text})

    def _plain(self, value: Any, name: str) -> Any:
        """An answer or an argument as JSON has it; a board is {"board": index}."""
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        if isinstance(value, str):
            return made_up(value) if any(word in name.lower() for word in SECRET) else value
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, list | tuple):
            return [self._plain(each, name) for each in value]
        for handle, index in self._handles:
            if value is handle:
                return {"board": index}
        if fields := getattr(value, "_fields_", None):
            return {field: self._field(value, field, name) for field, *_ in fields}
        return {field: self._field(value, field, name) for field in vars(value)}  # pynvml's own, of a list

    def _field(self, value: Any, field: str, name: str) -> Any:
        found = getattr(value, field)
        if field == "pid":
            if found not in self._processes:
                self._processes.append(found)
            return 1000 + self._processes.index(found)
        if field in ("bus", "device", "domain") and "Pci" in name:
            return 1  # where on the bus
        return self._plain(found, name + field)


def made_up(text: str) -> str:
    """Another text of equal form: every hexadecimal digit is replaced by one that tells nothing of it."""
    digits = iter(hashlib.sha256(b"made up, whatever it was").hexdigest() * 4)

    def other(match: "re.Match[str]") -> str:
        digit = next(digits)
        return str(int(digit, 16) % 10) if match[0].isdigit() else digit.upper() if match[0].isupper() else digit

    head, dash, rest = text.partition("-")
    prefix = head + dash if head in ("GPU", "MIG") else ""
    return prefix + re.sub(r"[0-9a-fA-F]", other, rest if prefix else text)


def ask(library: Any, device: Any, questions: Sequence[tuple[str, tuple[str | int, ...]]]) -> None:
    for name, arguments in questions:
        values = [getattr(pynvml, each) if isinstance(each, str) else each for each in arguments]
        with suppress(pynvml.NVMLError, AttributeError, TypeError):  # written down already, or not in this pynvml
            getattr(library, name)(device, *values)


@contextmanager
def load(seconds: float) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        [sys.executable, "-c", LOAD, str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def record(seconds: float) -> list[dict[str, Any]]:
    """The calls of all phases, each of about `seconds`.

    Raises:
        SystemExit: there is no board.
    """
    library = RecordingNvml()
    sampler = nvml.open_nvml(library)
    if sampler.absent_because is not None:
        raise SystemExit(sampler.absent_because)
    library.nvmlSystemGetNVMLVersion()
    library.nvmlSystemGetCudaDriverVersion()
    device = library.nvmlDeviceGetHandleByIndex(0)
    ask(library, device, QUESTIONS)

    def watch(length: float) -> None:
        end = time.monotonic() + length
        while time.monotonic() < end:
            ask(library, device, EACH_MOMENT)
            sampler.sample()
            time.sleep(1 / SAMPLES_PER_SECOND)

    library.note("idle")
    watch(seconds)
    with load(2 * seconds) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        library.note("context")
        watch(seconds / 2)
        library.note("memory")
        process.stdin.write("memory\n")
        watch(3.5)
        process.stdout.readline()
        library.note("load")
        process.stdin.write("load\n")
        watch(seconds)
        library.note("energy")
        meter = open_meter("cuda:0", nvml=library)
        for _ in range(round(READS_PER_SECOND * seconds / 2)):
            meter.joules()
            time.sleep(1 / READS_PER_SECOND)
        meter.close()
        process.stdout.readline()
    library.note("rest")
    watch(seconds)
    sampler.close()
    return library.calls


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.telemetry.record_nvml")
    parser.add_argument("file", type=Path, metavar="FILE.jsonl")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long a phase lasts")
    options = parser.parse_args(arguments)
    calls = record(options.seconds)
    about = {"about": "recorded by record_nvml.py", "on": time.strftime("%Y-%m-%d", time.gmtime())}
    options.file.write_text("".join(json.dumps(each) + "\n" for each in (about, *calls)), encoding="utf-8")
    print(f"{len(calls)} calls in {calls[-1]['at']:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
