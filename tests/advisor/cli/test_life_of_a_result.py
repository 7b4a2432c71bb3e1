"""Results are listed, shown, compared and replayed: to people in eighty columns, to programs as one JSON document."""

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.results import (
    Contention,
    Dispatch,
    Energy,
    Gauge,
    Latency,
    Outcome,
    Range,
    Ratio,
    Results,
    Run,
    StatedRun,
    StepSeconds,
    Twin,
)
from bench.store import Store
from tests.advisor.cli.test_commands import Run as Command
from tests.advisor.cli.test_commands import advisor  # noqa: F401  # a fixture
from tests.bench.test_comparison import LATER, raced, said, timed
from tests.bench.test_recording import recorded
from tests.bench.test_store import results

ROOT = Path(__file__).parents[3]


def measured(name: str, step_seconds: float, phase: str = "train") -> Run:
    run: Run = timed(
        name,
        step_seconds,
        phase=phase,
        launches=3,
        provisional=False,
        samples_per_second=Range(median=128 / step_seconds, low=120 / step_seconds, high=130 / step_seconds),
        import_seconds=2.1,
        build_seconds=0.2,
        first_step_seconds=0.4 if name == "one" else 0.05,
        peak_rss_bytes=512_000_000,
        cpu_seconds_per_step=step_seconds,
        percent_of_peak=31.2,
        dispatch=Dispatch(a=0.0004, b=0.00007),
        environment_bytes=730_000_000,
        recompilations=1,
        graph_breaks=0,
        energy_joules_per_sample=Energy(value=0.0031, basis="measured", above_idle=0.0021),
        notes=("copy (train) was not measured: the budget was spent",),
    )
    if phase == "infer":
        return replace(run, latency_seconds=Latency(p50=0.0012, p99=0.0031))
    stated = StatedRun(epochs=10, steps=4690, seconds=Range(median=80, low=78, high=85))
    return replace(run, stated_run=stated)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Results, Results]:
    """Two results in the command line's store: the second one slower, by other code, its verdict turned round."""
    plan = replace(results().plan, launches=3, phases=("train", "infer"))
    first = raced(
        results().id,
        measured("one", 0.01),
        measured("two", 0.02),
        measured("one", 0.004, "infer"),
        measured("two", 0.003, "infer"),
        verdicts=(said("one", "two", Outcome.A), replace(said("one", "two", Outcome.TIE), phase="infer")),
        twin=Twin(candidate="one:plain", ratio=Ratio(low=0.97, high=1.02)),
        contention=Contention(gauge=Gauge(median=0.98, low=0.91), flagged_blocks=1, blocks=90, load_average=0.2),
        plan=plan,
        code="0.1.0+aaaaaaaaaaaa",
    )
    slower = StepSeconds(median=0.013, low=0.0125, high=0.0135, blocks=45, steps_per_block=25)
    second = replace(
        first,
        id=LATER,
        created="2026-11-21T10:00:00Z",
        runs=(replace(first.runs[0], step_seconds=slower), *first.runs[1:]),
        verdicts=(said("two", "one", Outcome.A),),
        interrupted=True,
        code="0.1.0+bbbbbbbbbbbb",
    )
    with Store(tmp_path / "home" / "results.sqlite") as store:
        store.save(first)
        store.save(second)
    return first, second


def flat(text: str) -> str:
    """Text without the line breaks that eighty columns made."""
    return " ".join(text.split())


def test_one_result_tells_everything_that_was_measured(advisor: Command, two: object) -> None:  # noqa: F811
    shown = advisor("bench", "show", results().id)
    assert shown.returncode == 0, shown.stderr
    text = flat(shown.stdout)
    for said_ in (
        "measured by 0.1.0+aaaaaaaaaaaa · 3 launches",
        "mnist-cnn · training · batch 128 · cpu · fp32 · 1 thread · data already in memory",
        "10 epochs: 1 min 20 s [1 min 18 s - 1 min 25 s]",
        "400 µs + 70 µs per sample",
        "peak 31.2 %",
        "energy per sample 3.1 mJ (2.1 mJ above idle)",
        "environment 730 MB",
        "recompilations 1; graph breaks 0",
        "copy (train) was not measured: the budget was spent",
        "one:plain is faster than two:plain: 1.10-1.20x",
        "mnist-cnn · inference · batch 128",
        "1.2 ms 3.1 ms",
        "one:plain and two:plain tie: 1.10-1.20x",
        "mnist-cnn: one:plain has caught up with two:plain after 36 steps",
        "the same thing twice (one:plain) differed by 0.97-1.02x",
        "CPU granted: 98% (least 91%), 1 of 90 blocks below 80 %",
    ):
        assert said_ in text
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "provisional" not in text


def test_fewer_than_three_launches_are_called_provisional(advisor: Command, tmp_path: Path) -> None:  # noqa: F811
    with Store(tmp_path / "home" / "results.sqlite") as store:
        store.save(results())
    text = flat(advisor("bench", "show", "latest").stdout)
    assert "1 launch, provisional" in text
    assert "one:plain is faster than two:plain: at least 1.50x (in these processes only" in text


def test_the_history_tells_what_was_raced_what_came_of_it_and_by_which_code(advisor: Command, two: object) -> None:  # noqa: F811
    shown = advisor("bench", "results").stdout
    assert shown.index(LATER) < shown.index(results().id)
    assert "interrupted" in shown.splitlines()[0]
    assert "mnist-cnn train: one:plain; 1 faster, 1 tie, 0 undecided" in flat(shown)
    assert "0.1.0+bbbbbbbbbbbb" in shown
    document = json.loads(advisor("bench", "results", "--json").stdout)
    assert document["results"][1]["fastest"] == {"mnist-cnn train": "one:plain"}
    assert document["results"][0]["interrupted"] is True


def test_a_damaged_document_hides_no_other_line_of_the_history(advisor: Command, two: object, tmp_path: Path) -> None:  # noqa: F811
    import sqlite3

    with sqlite3.connect(tmp_path / "home" / "results.sqlite") as database:
        database.execute("UPDATE races SET document = 'x' WHERE id = ?", (LATER,))
    database.close()
    shown = advisor("bench", "results")
    assert shown.returncode == 0
    assert f"`advisor bench show {LATER}` says why" in flat(shown.stdout)
    assert "1 faster, 1 tie, 0 undecided" in shown.stdout


def test_two_results_are_compared_for_people_and_for_programs(advisor: Command, two: object) -> None:  # noqa: F811
    shown = advisor("bench", "compare", results().id, "latest")
    assert shown.returncode == 0, shown.stderr
    text = flat(shown.stdout)
    assert "one:plain 10 ms 13 ms 1.30 [1.19-1.42x] b is slower" in text
    assert "two:plain 20 ms 20 ms 1.00 [0.91-1.10x] ranges overlap" in text
    assert "0 of 2 verdicts agree" in text
    assert "one:plain faster in a, two:plain faster in b (they contradict each other)" in text
    assert "code: 0.1.0+aaaaaaaaaaaa / 0.1.0+bbbbbbbbbbbb" in text
    assert max(map(len, shown.stdout.splitlines())) <= 80
    document = json.loads(advisor("bench", "compare", results().id, LATER, "--json").stdout)
    assert document["schema"] == "advisor/bench-compare/1"
    assert document["verdicts"][0]["contradict"] is True


def test_a_recommendation_says_what_of_the_results_counted_and_what_not(advisor: Command, tmp_path: Path) -> None:  # noqa: F811
    run, other = (replace(measured(name, 0.01), candidate=name) for name in ("pytorch:eager", "pytorch:compile"))
    run, other = (replace(each, framework="pytorch", mode=each.candidate.partition(":")[2]) for each in (run, other))
    plan = replace(results().plan, candidates=(run.candidate, other.candidate), defaults=(run.candidate,))
    with Store(tmp_path / "home" / "results.sqlite") as store:
        store.save(raced(LATER, run, other, plan=plan))
    sheet = str(ROOT / "examples" / "beginner-images.yaml")
    text = flat(advisor("recommend", "--answers", sheet, "--results", "latest").stdout)
    assert f"Counted in the ranking: {LATER} - pytorch:eager mnist-cnn" in text
    assert f"Not counted in the ranking: {LATER} - pytorch:compile mnist-cnn: not its framework's default mode" in text


def test_other_precisions_are_not_compared(advisor: Command, two: tuple[Results, Results], tmp_path: Path) -> None:  # noqa: F811
    other = replace(
        two[0], id="20261122-100000-cccccc", runs=tuple(replace(run, precision="bf16") for run in two[0].runs)
    )
    with Store(tmp_path / "home" / "results.sqlite") as store:
        store.save(other)
    text = advisor("bench", "compare", results().id, other.id).stdout
    assert "one:plain: not comparable: precision fp32 / bf16" in text
    assert "b is" not in text


def test_without_a_terminal_a_replay_is_what_its_results_show(advisor: Command, tmp_path: Path) -> None:  # noqa: F811
    recorded(tmp_path / "race.jsonl")
    replayed = advisor("bench", "replay", "race.jsonl")
    assert replayed.returncode == 0, replayed.stderr
    assert list((tmp_path / "home").glob("*")) == []  # nothing is kept unless asked
    assert json.loads(advisor("bench", "replay", "race.jsonl", "--json").stdout)["schema"] == "advisor/bench/1"
    assert advisor("bench", "replay", "race.jsonl", "--keep").returncode == 0
    assert advisor("bench", "show", results().id).stdout == replayed.stdout


@pytest.mark.parametrize(
    ("name", "said_"),
    [
        ("cut.jsonl", "cut.jsonl:5: ends before the results"),
        ("absent.jsonl", "absent.jsonl: cannot be read"),
        ("nobody", "there is no recording 'nobody'"),
        ("pipe.jsonl", "is no ordinary file"),
    ],
)
def test_what_cannot_be_replayed_is_named(advisor: Command, tmp_path: Path, name: str, said_: str) -> None:  # noqa: F811
    lines = recorded(tmp_path / "race.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_bytes(b"".join(lines[:-1]))
    os.mkfifo(tmp_path / "pipe.jsonl")
    for more in ([], ["--json"], ["--keep"]):
        refused = advisor("bench", "replay", name, *more)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert said_ in refused.stderr
        assert "Traceback" not in refused.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "fast"])
def test_a_speed_that_is_none_is_refused(advisor: Command, tmp_path: Path, speed: str) -> None:  # noqa: F811
    recorded(tmp_path / "race.jsonl")
    assert advisor("bench", "replay", "race.jsonl", "--speed", speed).returncode == 2


def test_a_recording_is_never_written_over_and_a_race_that_cannot_start_leaves_none(
    advisor: Command,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "race.jsonl").write_text("mine", encoding="utf-8")
    refused = advisor("bench", "run", "-f", "theano", "-w", "mnist-cnn", "--record", "race.jsonl")
    assert refused.returncode == 2
    assert (tmp_path / "race.jsonl").read_text(encoding="utf-8") == "mine"
    assert advisor("bench", "run", "--device", "cuda:7", "--record", "other.jsonl").returncode == 2
    assert not (tmp_path / "other.jsonl").exists()


def _read(terminal: int) -> bytes:
    """What a terminal says next; nothing when the other end is gone."""
    ready, _, _ = select.select([terminal], [], [], 60)
    assert ready, "the terminal has been silent for a minute"
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_on_a_terminal_a_replay_plays_on_the_race_screen(tmp_path: Path) -> None:
    recorded(tmp_path / "race.jsonl")
    parent, child = pty.openpty()
    environment = {**os.environ, "ADVISOR_HOME": str(tmp_path / "home"), "LANG": "C.UTF-8", "TERM": "xterm-256color"}
    player = subprocess.Popen(
        [sys.executable, "-m", "advisor", "bench", "replay", str(tmp_path / "race.jsonl"), "--speed", "64"],
        stdin=child,
        stdout=child,
        stderr=child,
        cwd=ROOT,
        env=environment,
    )
    os.close(child)
    shown = b""
    try:
        while b"without a result" not in shown:
            shown += (said_ := _read(parent))
            assert said_, shown[-2000:]
        os.write(parent, b"\x11")  # ctrl+q
        while _read(parent):
            pass
        assert player.wait(timeout=30) == 0
    finally:
        player.kill()
        player.wait()
        os.close(parent)
    assert not (tmp_path / "home" / "results.sqlite").exists()


_SMALL_DISK = """
import resource, sys
from pathlib import Path
from advisor.cli.race import _recorded
from bench.recording import Recorder
from tests.bench.test_recording import EVENTS
from tests.bench.test_store import results

resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
with Recorder(Path(sys.argv[1])) as recorder:
    told = recorder
    for event in EVENTS:
        told = _recorded(told, event)
    told = _recorded(told, results())
    print("goes on" if told is None else "kept")
"""


def test_a_full_disk_ends_the_recording_and_not_the_race(tmp_path: Path) -> None:
    path = tmp_path / "race.jsonl"
    finished = subprocess.run(
        [sys.executable, "-c", _SMALL_DISK, str(path)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (finished.returncode, finished.stdout) == (0, "goes on\n"), finished.stderr
    assert finished.stderr == "The recording ends here: File too large\n"
    assert not path.exists()  # half a recording is none
