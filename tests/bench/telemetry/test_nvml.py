"""NVML answers become loads in our units; what a board does not report stays unknown; absence says why."""

from itertools import pairwise
from pathlib import Path

import pynvml
import pytest

from bench import machine
from bench.telemetry import Telemetry, open_nvml
from bench.telemetry.base import NoGpu
from bench.telemetry.energy import open_meter
from bench.telemetry.nvml import count_nvidia, visible
from tests.bench.telemetry.record_nvml import RecordingNvml, made_up
from tests.bench.telemetry.replayed_nvml import TRACES, ReplayedNvml, answers, boards, calls

COUNTED = [trace for trace in TRACES if any(answers(trace, "nvmlDeviceGetTotalEnergyConsumption", {"board": 0}))]


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.stem)
def test_samples_are_what_the_driver_answered_in_units_of_their_names(trace: Path) -> None:
    sampler = open_nvml(ReplayedNvml(trace))
    assert [sampler.driver] == answers(trace, "nvmlSystemGetDriverVersion")
    moments = len(answers(trace, "nvmlDeviceGetMemoryInfo", {"board": 0}))
    assert moments >= 3
    loads = [sampler.sample() for _ in range(moments)]
    for index, board in enumerate(boards(trace)):
        found = [load[index] for load in loads]
        rates = answers(trace, "nvmlDeviceGetUtilizationRates", board)
        memory = answers(trace, "nvmlDeviceGetMemoryInfo", board)
        watts = answers(trace, "nvmlDeviceGetPowerUsage", board)
        assert [{each.name for each in found}] == [set(answers(trace, "nvmlDeviceGetName", board))]
        assert [each.device for each in found] == [f"cuda:{index}"] * moments
        assert [each.utilisation for each in found] == [rate and rate["gpu"] / 100 for rate in rates]
        assert [each.memory_used_bytes for each in found] == [each["used"] for each in memory]
        assert [each.memory_total_bytes for each in found] == [each["total"] for each in memory]
        assert [each.power_watts for each in found] == [each and pytest.approx(each / 1000) for each in watts]
        assert [each.temperature_celsius for each in found] == answers(trace, "nvmlDeviceGetTemperature", board, 0)


@pytest.mark.parametrize("trace", COUNTED, ids=lambda trace: trace.stem)
def test_energy_is_what_the_board_counted_since(trace: Path) -> None:
    counted = answers(trace, "nvmlDeviceGetTotalEnergyConsumption", {"board": 0})
    meter = open_meter("cuda:0", nvml=ReplayedNvml(trace))
    joules = [meter.joules() for _ in counted[1:]]
    assert joules == pytest.approx([(each - counted[0]) / 1000 for each in counted[1:]])
    assert meter.updates == sum(one != other for one, other in pairwise(counted))
    assert (meter.basis, meter.scope) == ("measured", "board")


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


FIRST, SECOND = "GPU-4e2b7a10-93c5-4d8f-a6e1-0b57c9d2f384", "GPU-4e91"


@pytest.mark.parametrize(
    ("chosen", "boards"),
    [
        (None, (0, 1)),
        ("1", (1,)),
        ("1,0", (1, 0)),
        (f"{SECOND}, {FIRST}", (1, 0)),
        ("1,7,0", (1,)),  # the list ends where there is none
        ("GPU-4e,0", ()),  # could be either
        ("GPU-ffff", ()),
        ("", ()),
        ("-1", ()),
        ("MIG-0c3d91f2-6c6b-5b0e-9a43-f1ab0e6bd2f5", (None,)),
    ],
)
def test_a_program_counts_the_boards_it_is_left(chosen: str | None, boards: tuple[int | None, ...]) -> None:
    environ = {} if chosen is None else {"CUDA_VISIBLE_DEVICES": chosen}
    assert visible(ReplayedNvml(), environ) == boards


def test_devices_loads_and_energy_are_of_the_board_a_program_would_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    library = ReplayedNvml()
    assert count_nvidia(library) == 1
    assert [gpu.device for gpu in open_nvml(library).sample()] == [None, "cuda:0"]
    meter = open_meter("cuda:0", nvml=ReplayedNvml())  # the second board reports neither energy nor power
    assert "neither its energy nor its power" in (meter.absent_because or "")
    assert "no GPU 1" in (open_meter("cuda:1", nvml=library).absent_because or "")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-0c3d91f2-6c6b-5b0e-9a43-f1ab0e6bd2f5")
    assert "part of a board" in (open_meter("cuda:0", nvml=library).absent_because or "")


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.stem)
def test_what_is_recorded_is_what_was_answered_but_for_what_names_a_machine(trace: Path) -> None:
    library = RecordingNvml(ReplayedNvml(trace))
    sampler = open_nvml(library)
    sampler.sample()
    sampler.close()
    board = library.nvmlDeviceGetHandleByIndex(0)
    assert library.nvmlDeviceGetUUID(board) == answers(trace, "nvmlDeviceGetUUID", {"board": 0})[0]
    *sampled, _handle, named = [{**each, "at": None} for each in library.calls]
    left = [{**each, "at": None} for each in calls(trace)]
    assert all(each in left for each in sampled if each["call"] not in ("nvmlInit", "nvmlShutdown"))
    assert named["answer"] == made_up(answers(trace, "nvmlDeviceGetUUID", {"board": 0})[0])


def test_of_several_boards_the_first_stands_for_its_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "count_nvidia", lambda: count_nvidia(ReplayedNvml()))
    monkeypatch.setattr(machine, "platform_tag", lambda: "linux-x86_64")
    assert machine.devices() == ("cpu", "cuda:0", "cuda:1")
    assert machine.device_kinds() == ("cpu", "cuda:0")


def test_made_up_names_keep_their_form_and_nothing_else() -> None:
    for name in ("GPU-4e2b7a10-93c5-4d8f-a6e1-0b57c9d2f384", "00000000:1B:00.0", "1650322071234"):
        other = made_up(name)
        assert len(other) == len(name)
        assert [each.isdigit() or each in "ABCDEFabcdef" for each in other] == [
            each.isdigit() or each in "ABCDEFabcdef" for each in name
        ]
        assert other != name
    assert made_up("GPU-11111111") == made_up("GPU-22222222")
