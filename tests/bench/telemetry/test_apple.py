"""macmon's lines become a load in our units; absence says why.

The form is that of macmon's README (0.8, "JSON example") and of its versions before 0.8 (`gpu_usage`). They were not
recorded: no Mac was at hand.
"""

import time
from pathlib import Path

import pytest

from bench.telemetry.apple import open_apple
from tests.bench.telemetry.programs import install

MACMON = """
import sys, time
if sys.argv[1:] != ["pipe", "-i", "500"]:
    sys.exit(2)
print('{"timestamp": "2025-02-24T20:38:14.427569+00:00", "gpu_active_ratio": 0.01}')
print('{"timestamp": "2025-02-24T20:38:15.427569+00:00", "temp": {"cpu_temp_avg": 43.7, "gpu_temp_avg": 36.95167},'
      ' "memory": {"ram_total": 25769803776, "ram_usage": 20985479168}, "gpu_freq_mhz": 461, GPU, "cpu_power": 0.2,'
      ' "gpu_power": 0.017451683, "all_power": 0.22231553}')
print('{"timestamp": "2025-02-24T20:38:16', end="", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("version", "share"),
    [
        ('"gpu_usage": [461, 0.021497859], "gpu_scaled_ratio": 0.021497859, "gpu_active_ratio": 0.09', 0.09),
        ('"gpu_usage": [461, 0.021497859]', 0.021497859),
    ],
)
def test_the_newest_whole_line_is_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, share: float
) -> None:
    install(tmp_path, "macmon", MACMON.replace("GPU", version), monkeypatch)
    install(tmp_path, "sysctl", "print('Apple M3 Pro')", monkeypatch)
    sampler = open_apple("darwin")
    for _ in range(3000):
        (gpu,) = sampler.sample()
        if gpu.power_watts is not None:
            break
        time.sleep(0.01)
    assert (gpu.vendor, gpu.name, gpu.utilisation) == ("apple", "Apple M3 Pro", share)
    assert (gpu.power_watts, gpu.temperature_celsius) == (0.017451683, 36.95167)
    assert gpu.memory_total_bytes is None
    assert sampler.sample() == (gpu,)
    sampler.close()


def test_a_program_that_ended_leaves_its_quantities_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "macmon", "print('no such option')", monkeypatch)
    sampler = open_apple("darwin")
    time.sleep(0.2)
    (gpu,) = sampler.sample()
    assert (gpu.utilisation, gpu.power_watts, gpu.temperature_celsius) == (None, None, None)
    sampler.close()


def test_without_the_program_the_mend_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "brew install macmon" in (open_apple("darwin").absent_because or "")
    assert open_apple("linux").sample() == ()
