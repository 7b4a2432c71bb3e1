"""xpu-smi's lines become loads in our units; what a board does not report stays unknown; absence says why.

The forms are those of Intel's "XPU System Management Interface User Guide" (xpumanager, doc/smi_user_guide.md:
`discovery -j`, `dump -m`), with the memory size as text, as `discovery -d 0 -j` prints it. They were not recorded: no
Intel GPU was at hand.
"""

import time
from pathlib import Path

import pytest

from bench.telemetry.base import GpuSampler
from bench.telemetry.intel import open_intel
from tests.bench.telemetry.programs import install

XPU_SMI = """
import json, sys, time
device = {"device_id": 0, "device_name": "Intel(R) Data Center GPU Max 1550", "device_type": "GPU",
          "pci_bdf_address": "0000:4d:00.0", "vendor_name": "Intel(R) Corporation"}
other = dict(device, device_id=1)
if sys.argv[1:] == ["discovery", "-j"]:
    print(json.dumps({"device_list": DEVICES}, indent=4))
elif sys.argv[1] == "discovery":
    print(json.dumps(dict(device, driver_version="16929133", memory_physical_size_byte="51522830336")))
elif sys.argv[1:] == ["dump", "-d", "-1", "-m", "0,1,3,18", "-i", "1"]:
    print("Timestamp, DeviceId, GPU Utilization (%), GPU Power (W), GPU Core Temperature (Celsius Degree),"
          " GPU Memory Used (MiB)")
    print("06:14:46.000,    0, 0.00, 14.61,  N/A, 27.99")
    print("06:14:46.000,    1, N/A, N/A, N/A, N/A")
    print("06:14:47.000,    0, 99.55, 118.87, 49.00, 2048.50", flush=True)
    time.sleep(600)
else:
    sys.exit(1)
"""


def first_rows(sampler: GpuSampler) -> None:
    """Wait until the program has printed."""
    for _ in range(3000):
        if sampler.sample()[0].power_watts is not None:
            return
        time.sleep(0.01)
    raise AssertionError("xpu-smi printed nothing within 30 s")


def test_the_newest_line_of_each_device_is_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "xpu-smi", XPU_SMI.replace("DEVICES", "[device, other]"), monkeypatch)
    sampler = open_intel()
    assert sampler.absent_because is None
    first_rows(sampler)
    board, silent = sampler.sample()
    assert (board.vendor, board.name) == ("intel", "Intel(R) Data Center GPU Max 1550")
    assert board.utilisation == pytest.approx(0.9955)
    assert (board.power_watts, board.temperature_celsius) == (118.87, 49.0)
    assert (board.memory_used_bytes, board.memory_total_bytes) == (int(2048.5 * (1 << 20)), 51522830336)
    assert (silent.index, silent.utilisation, silent.memory_used_bytes) == (1, None, None)
    assert sampler.driver == "16929133"
    sampler.close()


def test_a_program_that_lists_no_device_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "xpu-smi", XPU_SMI.replace("DEVICES", "[]"), monkeypatch)
    assert "lists no GPU" in (open_intel().absent_because or "")


def test_another_vendors_program_of_that_name_is_no_intel_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "xpu-smi", "print('XPU-SMI 5.0  Driver Version: 5.0')", monkeypatch)
    assert "lists no GPU" in (open_intel().absent_because or "")


def test_without_the_program_the_null_object_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "xpu-smi" in (open_intel().absent_because or "")
