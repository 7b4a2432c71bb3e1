"""The store on real SQLite files, and results as files."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from bench import exchange
from bench.race import Reading
from bench.results import Basis, Contention, Machine, Outcome, Range, Ratio, Results, Run, Status, StepSeconds, Verdict
from bench.store import MIGRATIONS, Block, Store, StoreFailure
from knowledge.faults import BadInput
from tests.bench import pretend

MACHINE = Machine(
    system="Linux 6",
    architecture="x86_64",
    cpu="some CPU",
    cores_logical=2,
    cores_physical=2,
    memory_bytes=1 << 34,
    gpus=(),
    gpu_driver=None,
    python="3.11.7",
)


def run(name: str) -> Run:
    return Run(
        candidate=f"{name}:plain",
        framework=name,
        backend=None,
        mode="plain",
        workload=pretend.WORKLOAD,
        phase="train",
        device="cpu",
        precision="fp32",
        threads=1,
        launches=1,
        provisional=True,
        status=Status.OK,
        reason=None,
        step_seconds=StepSeconds(median=0.01, low=0.009, high=0.012, blocks=15, steps_per_block=25),
        samples_per_second=Range(median=12_800, low=10_000, high=14_000),
    )


def results(identity: str = "20261120-100000-aaaaaa", created: str = "2026-11-20T10:00:00Z") -> Results:
    verdict = Verdict(
        workload=pretend.WORKLOAD,
        phase="train",
        a="one:plain",
        b="two:plain",
        verdict=Outcome.A,
        ratio=Ratio(low=1.5, high=None),
        basis=Basis.ONE_LAUNCH,
    )
    return Results(
        id=identity,
        created=created,
        machine=MACHINE,
        plan=pretend.plan("one", "two"),
        runs=(run("one"), run("two")),
        verdicts=(verdict,),
        twin=None,
        contention=Contention(gauge=None, flagged_blocks=0, blocks=0, load_average=None),
    )


def blocks(number: int) -> list[Block]:
    return [
        Block(
            workload=pretend.WORKLOAD,
            phase="train",
            launch=1,
            round=number,
            position=position,
            candidate=candidate,
            reading=Reading(wall_seconds=0.25, cpu_seconds=0.24, steps=25),
            complete=True,
        )
        for position, candidate in enumerate(("two:plain", "one:plain"))
    ]


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    with Store(tmp_path / "deep" / "results.sqlite") as store:
        store.save(results(), blocks(1))
        store.save(results(), blocks(2))
    with Store(tmp_path / "deep" / "results.sqlite") as store:
        assert store.latest() == results()
        assert store.blocks(results().id) == (*blocks(1), *blocks(2))


def test_an_empty_store_has_no_latest(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite") as store:
        assert store.latest() is None
        assert store.summaries() == ()
        with pytest.raises(BadInput, match=r"there are no results 'x'.*none yet"):
            store.get("x")


def test_results_are_listed_newest_first_and_found_by_the_beginning_of_their_id(tmp_path: Path) -> None:
    older, newer = results("aa-1", "2026-01-01T00:00:00Z"), results("aa-12", "2026-02-01T00:00:00Z")
    with Store(tmp_path / "results.sqlite") as store:
        store.save(newer)
        store.save(older)
        assert [each.id for each in store.summaries()] == ["aa-12", "aa-1"]
        assert store.latest() == newer
        assert store.get("aa-12") == newer
        assert store.get("aa-1") == older  # exact, though another begins so
        for ambiguous in ("aa", "aa-", ""):
            with pytest.raises(BadInput, match="several results begin"):
                store.get(ambiguous)
        with pytest.raises(BadInput, match="the newest are: aa-12, aa-1"):
            store.get("b")
        with pytest.raises(BadInput, match="no results '%'"):
            store.get("%")


def test_deleting_takes_the_blocks_along(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite") as store:
        store.save(results(), blocks(1))
        store.delete(results().id)
        assert store.summaries() == ()
        assert store.blocks(results().id) == ()


def test_a_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()
    before = path.read_bytes()
    with pytest.raises(BadInput, match=r"written by a newer version \(store 2, this one reads 1\).*upgrade the app"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database" * 100, b"SQLite format 3\0"])
def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.sqlite"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="not a usable store"):
        Store(path)
    assert path.read_bytes() == content


def test_a_store_without_its_tables_is_named(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    database.close()
    with Store(tmp_path / "results.sqlite") as store:
        with pytest.raises(
            BadInput, match=r"results\.sqlite: this is not a usable store: no such table.*move the file"
        ):
            store.latest()
        with pytest.raises(StoreFailure, match="no such table"):
            store.save(results())


def test_a_damaged_document_is_named(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite") as store:
        store.save(results())
        store._database.execute("UPDATE races SET document = 'text'")
        with pytest.raises(BadInput, match="JSON is malformed"):
            store.latest()


def test_a_store_that_another_program_has_locked_is_a_failure_with_a_mend(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite") as store, Store(tmp_path / "results.sqlite") as other:
        store._database.execute("PRAGMA busy_timeout = 1")
        with other._transaction(), pytest.raises(StoreFailure, match="another program has locked it"):
            store.save(results())


def test_results_that_an_older_version_wrote_are_the_same_results(tmp_path: Path) -> None:
    exchange.write_export(results(), tmp_path / "results.json")
    with Store(tmp_path / "results.sqlite") as store:
        store.save(results())
        older = msgspec.json.decode(exchange.encode(results()))
        del older["code"]
        store._database.execute("UPDATE races SET document = ?", (msgspec.json.encode(older),))
        assert store.import_file(tmp_path / "results.json") == results()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be opened"):
        Store(tmp_path / "file" / "results.sqlite")


def test_a_round_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite") as store:
        store.save(results(), blocks(1))
        doubled = [*blocks(2), blocks(2)[0]]
        with pytest.raises(sqlite3.IntegrityError):
            store.save(msgspec.structs.replace(results(), interrupted=True), doubled)
        assert store.blocks(results().id) == tuple(blocks(1))
        assert store.latest() == results()


def test_a_full_disk_is_a_failure_with_a_mend(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite") as store:
        store._database.execute("PRAGMA max_page_count = 1")
        many = [block for number in range(2000) for block in blocks(number)]
        with pytest.raises(StoreFailure, match="full") as caught:
            store.save(results(), many)
        assert "disk space" in caught.value.mend


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with Store(path) as writer, Store(path) as reader:
        writer.save(results())
        with writer._transaction() as database:
            database.execute("DELETE FROM races")
            assert reader.latest() == results()
        assert reader.latest() is None


def test_writers_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"

    def write(name: str) -> None:
        with Store(path) as store:
            for number in range(20):
                store.save(results(f"{name}-{number}"), blocks(1))

    threads = [threading.Thread(target=write, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store(path) as store:
        assert len(store.summaries()) == 60


def test_stores_are_opened_for_the_first_time_all_at_once(tmp_path: Path) -> None:
    """SQLite's busy timeout does not cover the switch to WAL; without waiting about one folder in twenty fails."""
    faults: list[Exception] = []

    def open_store(path: Path, together: threading.Barrier) -> None:
        together.wait()
        try:
            with Store(path):
                pass
        except BadInput as fault:
            faults.append(fault)

    for number in range(100):
        together = threading.Barrier(4)
        path = tmp_path / str(number) / "results.sqlite"
        threads = [threading.Thread(target=open_store, args=(path, together)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert faults == []


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from bench.store import Store
from tests.bench.test_store import blocks, results
store = Store(Path(sys.argv[1]))
store.save(results(), blocks(1))
store._database.execute("BEGIN IMMEDIATE")
store._database.execute("DELETE FROM blocks")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_the_last_commit(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", KILLED, str(path), root], check=False)
    with Store(path) as store:
        assert store.latest() == results()
        assert store.blocks(results().id) == tuple(blocks(1))
        assert store._rows("PRAGMA integrity_check") == [("ok",)]


# --- files -----------------------------------------------------------------------------------------------------------


def test_export_and_import_keep_everything_and_equal_results_give_equal_bytes(tmp_path: Path) -> None:
    with Store(tmp_path / "one.sqlite") as one, Store(tmp_path / "two.sqlite") as two:
        one.save(results())
        one.export("2026", tmp_path / "first.json")
        assert two.import_file(tmp_path / "first.json") == results()
        assert two.import_file(tmp_path / "first.json") == results()  # again is no harm
        two.export(results().id, tmp_path / "second.json")
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["first.json", "second.json"]
    assert not list(tmp_path.glob(".*.part"))


def test_another_result_of_the_same_id_is_not_overwritten(tmp_path: Path) -> None:
    exchange.write_export(results(), tmp_path / "results.json")
    with Store(tmp_path / "one.sqlite") as store:
        store.save(msgspec.structs.replace(results(), interrupted=True))
        with pytest.raises(BadInput, match="other results are kept under the id"):
            store.import_file(tmp_path / "results.json")
        assert store.get(results().id).interrupted


def changed(**changes: object) -> bytes:
    document = msgspec.json.decode(exchange.encode(results()))
    document.update(changes)
    return msgspec.json.encode(document)


RUN = msgspec.to_builtins(run("one"))
VERDICT = msgspec.to_builtins(results().verdicts[0])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "input data was truncated"),
        (b"\x00\x01", "malformed"),
        (b"[]", "expected `object`"),
        (b"{}", "missing required field `schema`"),
        (changed(schema="advisor/bench/2"), "schema: holds 'advisor/bench/2', this version reads 'advisor/bench/1'"),
        (changed(schema="advisor/recommendation/1"), "advisor/recommendation/1"),
        (changed(runs=3), "runs: expected `array`, got `int`"),
        (changed(surprise=1), "unknown field `surprise`"),
        (changed(runs=[{**RUN, "threads": "many"}]), r"runs[0].threads: expected `int`, got `str`"),
        (changed(runs=[{**RUN, "candidate": "one"}], verdicts=[]), "runs[0].candidate: 'one' is not a candidate"),
        (changed(runs=[{**RUN, "mode": "other"}], verdicts=[]), "runs[0].candidate: differs from framework"),
        (
            changed(runs=[{**RUN, "samples_per_second": {"median": 5, "low": 6, "high": 7}}], verdicts=[]),
            "runs[0].samples_per_second: is not 0 < low <= median <= high",
        ),
        (changed(runs=[{**RUN, "import_seconds": -1}], verdicts=[]), "runs[0].import_seconds: -1.0 is no duration"),
        (changed(runs=[{**RUN, "graph_breaks": -1}], verdicts=[]), "runs[0].graph_breaks: -1 is negative"),
        (changed(runs=[{**RUN, "percent_of_peak": 130}], verdicts=[]), "runs[0].percent_of_peak: 130.0 is no percent"),
        (
            changed(runs=[{**RUN, "latency_seconds": {"p50": 0.2, "p99": 0.1}}], verdicts=[]),
            "runs[0].latency_seconds: is not 0 < p50 <= p99",
        ),
        (
            changed(
                runs=[{**RUN, "stated_run": {"epochs": 0, "steps": 1, "seconds": {"median": 1, "low": 1, "high": 1}}}],
                verdicts=[],
            ),
            "runs[0].stated_run: is not",
        ),
        (changed(twin={"candidate": "one:plain", "ratio": {"low": 1.1, "high": 0.9}}), "twin.ratio: is not 0 < low"),
        (changed(id="../x"), "id: '../x' cannot be an id"),
        (changed(id="latest"), "id: 'latest' cannot be an id"),
        (changed(created="yesterday"), "created: 'yesterday' is no time such as"),
        (changed(runs=[RUN, RUN], verdicts=[]), "runs[1]: one:plain mnist-cnn train stands here twice"),
        (changed(runs=[{**RUN, "peak_rss_bytes": -1}], verdicts=[]), "runs[0].peak_rss_bytes: -1 is negative"),
        (changed(verdicts=[{**VERDICT, "b": "one:plain"}]), "verdicts[0]: 'one:plain' is compared with itself"),
        (changed(verdicts=[{**VERDICT, "ratio": {"low": 2, "high": 1}}]), "verdicts[0].ratio: is not 0 < low <= high"),
        (changed(verdicts=[{**VERDICT, "ratio": {"low": 0, "high": None}}]), "verdicts[0].ratio: is not 0 <"),
        (
            changed(runs=[{**RUN, "reason": "\x1b[2J"}], verdicts=[]),
            "runs[0].reason: holds the hidden character U+001B",
        ),
        (changed(runs=[{**RUN, "versions": {"\u202ex": "1"}}], verdicts=[]), "hidden character U+202E"),
        (b'{"schema": "advisor/bench/1", "x": ' + b"[" * 100_000, "is nested too deeply"),
        (b"no JSON", "JSON is malformed"),
        (changed(runs=[]), "verdicts[0].a: 'one:plain' is not among the runs"),
        (b'{\n"schema": "advisor/bench/1",\n"id": NaN}', "results.json:3:"),
        ('{"schema": "\udcff"}'.encode("utf-8", "surrogateescape"), "results.json"),
    ],
)
def test_a_file_that_is_not_results_is_refused_with_the_place(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        exchange.read_export(path)
    assert said in str(caught.value)
    with Store(tmp_path / "results.sqlite") as store:
        with pytest.raises(BadInput):
            store.import_file(path)
        assert store.summaries() == ()


@pytest.mark.parametrize("name", ["missing.json", ""])
def test_a_path_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="cannot be read: "):
        exchange.read_export(tmp_path / name)


def test_an_export_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        exchange.write_export(results(), tmp_path / "nowhere" / "results.json")
    (tmp_path / "taken").mkdir()
    with pytest.raises(BadInput, match="cannot be written"):
        exchange.write_export(results(), tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
