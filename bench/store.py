"""What was measured, kept: one SQLite file with every race, its results as one document and its blocks as rows.

A round is committed in one transaction together with the results so far, so whatever ends the process, the last
complete round can be read. Readers in other processes never wait for a race (write-ahead log).
"""

import contextlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from bench import exchange
from bench.race import Reading
from bench.records import Record
from bench.results import Outcome, Results, fastest
from knowledge.faults import BadInput, Fault

BUSY_MILLISECONDS = 5_000
"""How long a writer waits for another one. Transactions here take milliseconds."""

MIGRATIONS = (
    """
    CREATE TABLE races (
        id TEXT PRIMARY KEY,
        created TEXT NOT NULL,
        candidates INTEGER NOT NULL,
        workloads TEXT NOT NULL,
        interrupted INTEGER NOT NULL,
        document BLOB NOT NULL
    );
    CREATE TABLE blocks (
        race TEXT NOT NULL REFERENCES races (id) ON DELETE CASCADE,
        workload TEXT NOT NULL,
        phase TEXT NOT NULL,
        launch INTEGER NOT NULL,
        round INTEGER NOT NULL,
        position INTEGER NOT NULL,
        candidate TEXT NOT NULL,
        wall_seconds REAL NOT NULL,
        cpu_seconds REAL NOT NULL,
        steps INTEGER NOT NULL,
        complete INTEGER NOT NULL,
        PRIMARY KEY (race, workload, phase, launch, round, position)
    ) WITHOUT ROWID;
    """,
)
"""One script per version of the store; `PRAGMA user_version` counts those that ran. Never edited, only added to."""


class StoreFailure(Exception):
    """The store could not be written or read: why, and what the user can do about it."""

    def __init__(self, reason: str, mend: str) -> None:
        self.reason, self.mend = reason, mend
        super().__init__(f"{reason} ({mend})")


class Summary(Record, frozen=True):
    """One line of the history.

    Attributes:
        candidates: how many were raced; `raced` names them.
        fastest: "workload phase" -> the candidate that was decided to be faster than every other one.
        faster, ties, undecided: how many verdicts said so.
        code: version and source hash of what measured it.
        readable: whether the document could be read; what comes from it is empty when not.
    """

    id: str
    created: str
    candidates: int
    workloads: tuple[str, ...]
    interrupted: bool
    raced: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    device: str = ""
    precision: str = ""
    fastest: dict[str, str] = {}
    faster: int = 0
    ties: int = 0
    undecided: int = 0
    code: str = ""
    readable: bool = True


class Block(Record, frozen=True):
    """One block as it was run.

    Attributes:
        round: from 1, within its workload, phase and launch; voided rounds count.
        position: from 0, the candidate's place in the round's random order.
        complete: whether its round was complete and so entered the race.
    """

    workload: str
    phase: str
    launch: int
    round: int
    position: int
    candidate: str
    reading: Reading
    complete: bool


class Store:
    """The results kept in one file; a context manager, usable from any thread."""

    def __init__(self, path: Path) -> None:
        """Open the store, making or migrating it as needed.

        Raises:
            BadInput: the file is no store, was written by a newer version, or cannot be opened.
        """
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                path, timeout=BUSY_MILLISECONDS / 1000, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise BadInput([self._fault(f"the store cannot be opened: {reason}", _MEND_PLACE)]) from error
        try:
            self._migrate()
        except sqlite3.Error as error:
            self._database.close()
            raise BadInput([self._fault(*_why(error))]) from error
        except StoreFailure as failure:
            self._database.close()
            raise BadInput([self._fault(failure.reason, failure.mend)]) from failure
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    # -- writing ------------------------------------------------------------------------------------------------------

    def save(self, results: Results, blocks: Sequence[Block] = ()) -> None:
        """Keep `results` in place of what is stored under its id, and add `blocks`, in one transaction.

        Raises:
            StoreFailure: the file cannot be written.
        """
        plan = results.plan
        race = (
            results.id,
            results.created,
            len(plan.candidates),
            "\n".join(plan.workloads),
            results.interrupted,
            exchange.encode(results),
        )
        rows = [
            (
                results.id,
                block.workload,
                block.phase,
                block.launch,
                block.round,
                block.position,
                block.candidate,
                block.reading.wall_seconds,
                block.reading.cpu_seconds,
                block.reading.steps,
                block.complete,
            )
            for block in blocks
        ]
        with self._transaction() as database:
            database.execute(
                "INSERT INTO races VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                " interrupted = excluded.interrupted, document = excluded.document",
                race,
            )
            database.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def delete(self, identity: str) -> None:
        """Forget one race and its blocks.

        Raises:
            BadInput: no race has this id, or several begin with it.
            StoreFailure: the file cannot be written.
        """
        found = self.get(identity).id
        with self._transaction() as database:
            database.execute("DELETE FROM races WHERE id = ?", (found,))

    # -- reading ------------------------------------------------------------------------------------------------------

    def summaries(self) -> tuple[Summary, ...]:
        """Every race kept, newest first."""
        rows = self._rows(
            "SELECT id, created, candidates, workloads, interrupted, document FROM races ORDER BY created DESC, id DESC"
        )
        return tuple(
            Summary(
                id=identity,
                created=created,
                candidates=candidates,
                workloads=tuple(workloads.splitlines()),
                interrupted=bool(interrupted),
                **_summed_up(_bytes(document), identity),
            )
            for identity, created, candidates, workloads, interrupted, document in rows
        )

    def latest(self) -> Results | None:
        """The newest race's results, None when there is none."""
        races = self.summaries()
        return self.get(races[0].id) if races else None

    def get(self, identity: str) -> Results:
        """The results of the race whose id is or begins with `identity`.

        Raises:
            BadInput: there is none, or several begin so.
        """
        rows = self._rows(
            "SELECT id, document FROM races WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id", (identity,)
        )
        exact = [row for row in rows if row[0] == identity] or rows
        if len(exact) != 1 or not identity:
            known = ", ".join(summary.id for summary in self.summaries()[:5]) or "none yet"
            problem = f"several results begin with {identity!r}" if rows else f"there are no results {identity!r}"
            raise BadInput([Fault("results", None, "", problem, f"the newest are: {known}")])
        return exchange.decode(_bytes(exact[0][1]), f"results {exact[0][0]}")

    def blocks(self, identity: str) -> tuple[Block, ...]:
        """The blocks of one race (its whole id), in the order they ran within each workload, phase and launch."""
        rows = self._rows(
            "SELECT workload, phase, launch, round, position, candidate, wall_seconds, cpu_seconds, steps, complete"
            " FROM blocks WHERE race = ? ORDER BY workload, phase, launch, round, position",
            (identity,),
        )
        return tuple(
            Block(
                workload=workload,
                phase=phase,
                launch=launch,
                round=number,
                position=position,
                candidate=candidate,
                reading=Reading(wall_seconds=wall, cpu_seconds=cpu, steps=steps),
                complete=bool(complete),
            )
            for workload, phase, launch, number, position, candidate, wall, cpu, steps, complete in rows
        )

    # -- files --------------------------------------------------------------------------------------------------------

    def export(self, identity: str, path: Path) -> Results:
        """Write one race's results to `path`.

        Raises:
            BadInput: there are no such results, or the file cannot be written.
        """
        results = self.get(identity)
        exchange.write_export(results, path)
        return results

    def import_file(self, path: Path) -> Results:
        """Keep the results in the file `path`, its blocks excepted: files carry none.

        Raises:
            BadInput: the file is no results document, or other results have its id.
            StoreFailure: the store cannot be written.
        """
        results = exchange.read_export(path)
        self.add(results, str(path))
        return results

    def add(self, results: Results, name: str) -> None:
        """Keep results that were measured elsewhere; `name` is what they came in.

        Raises:
            BadInput: other results have their id.
            StoreFailure: the store cannot be written.
        """
        for row in self._rows("SELECT document FROM races WHERE id = ?", (results.id,)):
            if exchange.decode(_bytes(row[0]), f"results {results.id}") != results:
                problem = f"other results are kept under the id {results.id!r}"
                raise BadInput([Fault(name, None, "id", problem, "compare the two before deleting one")])
        self.save(results)

    # -- SQLite -------------------------------------------------------------------------------------------------------

    def _migrate(self) -> None:
        self._database.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        if self._version() > len(MIGRATIONS):
            problem = f"was written by a newer version (store {self._version()}, this one reads {len(MIGRATIONS)})"
            raise BadInput([self._fault(problem, "upgrade the app, or set ADVISOR_HOME to another folder")])
        self._write_ahead()
        self._database.execute("PRAGMA synchronous = NORMAL")  # survives the process; a power cut may cost a round
        self._database.execute("PRAGMA foreign_keys = ON")
        if self._version() == len(MIGRATIONS):
            return
        with self._transaction() as database:  # the version is read again: another process may have been faster
            for number, script in enumerate(MIGRATIONS[self._version() :], start=self._version() + 1):
                for statement in script.split(";"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {number}")

    def _write_ahead(self) -> None:
        """Have SQLite log ahead. Its busy timeout does not cover this switch, so that waiting is done here."""
        deadline = time.monotonic() + BUSY_MILLISECONDS / 1000
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def _version(self) -> int:
        return int(self._database.execute("PRAGMA user_version").fetchone()[0])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                try:
                    yield self._database
                    self._database.execute("COMMIT")
                except BaseException:
                    if self._database.in_transaction:
                        self._database.execute("ROLLBACK")
                    raise
            except sqlite3.IntegrityError:
                raise  # what was to be written is wrong, not the file
            except sqlite3.DatabaseError as error:
                reason, mend = _why(error)
                raise StoreFailure(f"the store {self.path.name} cannot be written: {reason}", mend) from error

    def _rows(self, query: str, parameters: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        """What a query finds.

        Raises:
            BadInput: the file cannot be read: it is damaged, or no store at all.
        """
        with self._lock:
            try:
                return self._database.execute(query, parameters).fetchall()
            except sqlite3.DatabaseError as error:
                raise BadInput([self._fault(*_why(error))]) from error

    def _fault(self, problem: str, mend: str) -> Fault:
        return Fault(str(self.path), None, "", problem, mend)


_MEND_PLACE = "check the rights of its folder, or set ADVISOR_HOME to another one"
_REASONS = {  # SQLite's primary result code -> what it means here, and the mend
    sqlite3.SQLITE_BUSY: ("another program has locked it", "end the other program that uses it"),
    sqlite3.SQLITE_FULL: ("the disk is full", "free some disk space"),
    sqlite3.SQLITE_READONLY: ("it may not be written to", _MEND_PLACE),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", _MEND_PLACE),
    sqlite3.SQLITE_IOERR: ("the disk does not answer as it should", "check the disk, and how full it is"),
}


def _why(error: sqlite3.Error) -> tuple[str, str]:
    """What SQLite's complaint means for the user, and the mend."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the rest of an extended code is detail
    return _REASONS.get(code, (f"this is not a usable store: {error}", "move the file away; a new one is made"))


def _summed_up(document: bytes, identity: str) -> dict[str, Any]:
    """What a line of the history says beyond its row; a damaged document hides no other line."""
    try:
        results = exchange.decode(document, f"results {identity}")
    except BadInput:
        return {"readable": False}
    outcomes = Counter(verdict.verdict for verdict in results.verdicts)
    return {
        "raced": results.plan.candidates,
        "phases": results.plan.phases,
        "device": results.plan.device,
        "precision": results.plan.precision,
        "fastest": fastest(results),
        "faster": outcomes[Outcome.A] + outcomes[Outcome.B],
        "ties": outcomes[Outcome.TIE],
        "undecided": outcomes[Outcome.UNDECIDED],
        "code": results.code,
    }


def _bytes(document: object) -> bytes:
    """A stored document; SQLite keeps whatever type somebody else put there."""
    return document if isinstance(document, bytes) else str(document).encode()
