"""The GPUs of all vendors are shown side by side; where there are none, one reason is given."""

from pathlib import Path

from bench.telemetry import AllGpus, NoGpu, Telemetry, open_nvml, open_vendors
from bench.telemetry.amd import open_amd
from tests.bench.telemetry.replayed_nvml import ReplayedNvml
from tests.bench.telemetry.test_amd import Amd


def test_boards_of_two_vendors_are_sampled_together_and_both_let_go_of() -> None:
    nvidia, amd = ReplayedNvml(), Amd(devices=1)
    vendors = {"nvidia": open_nvml(nvidia), "amd": open_amd(Path(), amd), "intel": NoGpu("nothing of Intel's")}
    with Telemetry(gpu=AllGpus(vendors)) as telemetry:
        load = telemetry.sample()
    assert [(gpu.vendor, gpu.index) for gpu in load.gpus] == [("nvidia", 0), ("nvidia", 1), ("amd", 0)]
    assert load.gpu_absent_because is None
    assert not nvidia.open
    assert not amd.open


def test_the_first_vendors_reason_stands_for_all() -> None:
    sampler = AllGpus({"nvidia": NoGpu("no NVIDIA driver"), "amd": NoGpu("no AMD driver")})
    assert sampler.absent_because == "no NVIDIA driver"
    assert sampler.sample() == ()


def test_every_vendor_is_looked_for() -> None:
    vendors = open_vendors()
    assert set(vendors) == {"nvidia", "amd", "intel", "apple"}
    AllGpus(vendors).close()
