"""NVML answers become loads in our units; what a board does not report stays unknown; absence says why."""

import pynvml
import pytest

from bench.telemetry import Telemetry, open_nvml
from bench.telemetry.base import NoGpu
from tests.bench.telemetry.replayed_nvml import ReplayedNvml


def test_a_sample_is_in_units_of_its_names() -> None:
    sampler = open_nvml(ReplayedNvml())
    sampler.sample()
    board = sampler.sample()[0]
    assert (board.name, board.utilisation, board.power_watts) == ("NVIDIA H200", 0.97, 412.908)
    assert (board.memory_used_bytes, board.temperature_celsius) == (3221225472, 52.0)
    assert sampler.driver == "580.159.04"


def test_what_a_board_does_not_report_is_unknown_not_zero() -> None:
    board = open_nvml(ReplayedNvml()).sample()[1]
    assert board.utilisation is None
    assert board.power_watts is None
    assert board.temperature_celsius == 40.0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "no NVIDIA driver is installed"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "not loaded"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "restart"),
        (pynvml.NVML_ERROR_UNKNOWN, "answered"),
    ],
)
def test_without_a_driver_the_null_object_says_why(error: int, words: str) -> None:
    sampler = open_nvml(ReplayedNvml(init_error=error))
    assert sampler.sample() == ()
    assert words in (sampler.absent_because or "")


def test_a_driver_without_boards_is_let_go_of() -> None:
    library = ReplayedNvml(count=0)
    assert isinstance(open_nvml(library), NoGpu)
    assert not library.open


def test_telemetry_joins_host_and_gpus_and_closes_the_driver() -> None:
    library = ReplayedNvml()
    with Telemetry(gpu=open_nvml(library)) as telemetry:
        load = telemetry.sample()
    assert [gpu.name for gpu in load.gpus] == ["NVIDIA H200", "Quadro K1200"]
    assert load.gpu_absent_because is None
    assert load.memory_total_bytes > 0
    assert not library.open
