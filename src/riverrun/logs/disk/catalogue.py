"""What is known of every log, in SQLite. Used by one thread at a time; see `Committer`.

A log is a row; its bytes are its segments, each in a file. A fork has its parent's bytes before
the fork offset. The journal holds bytes whose files are not known to be durable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from riverrun.io.database import open_database
from riverrun.logs.contracts import Expiry, LogInfo, Origin
from riverrun.logs.producing import Last

VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    content_type TEXT NOT NULL,
    created REAL NOT NULL,
    written REAL NOT NULL,
    start INTEGER NOT NULL,
    tail INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    ttl INTEGER,
    expires_at REAL,
    expires REAL,
    last_order TEXT,
    closed_by TEXT,
    parent INTEGER,
    origin TEXT,
    fork_offset INTEGER
);
CREATE INDEX IF NOT EXISTS logs_expires ON logs (expires) WHERE expires IS NOT NULL;
CREATE INDEX IF NOT EXISTS logs_parent ON logs (parent) WHERE parent IS NOT NULL;
CREATE TABLE IF NOT EXISTS segments (
    log INTEGER NOT NULL,
    start INTEGER NOT NULL,
    file TEXT NOT NULL UNIQUE,
    created REAL NOT NULL,
    PRIMARY KEY (log, start)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS segments_created ON segments (created);
CREATE TABLE IF NOT EXISTS producers (
    log INTEGER NOT NULL,
    id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (log, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file TEXT NOT NULL,
    position INTEGER NOT NULL,
    data BLOB NOT NULL
);
"""


@dataclass(slots=True)
class Row:
    """A log as it is in the catalogue; `expires` is when it goes, if nobody uses it."""

    id: int
    name: str
    content_type: str
    created: float
    written: float
    start: int = 0
    tail: int = 0
    closed: bool = False
    deleted: bool = False
    ttl: int | None = None
    expires_at: float | None = None
    expires: float | None = None
    last_order: str | None = None
    closed_by: str | None = None
    parent: int | None = None
    origin: str | None = None
    fork_offset: int | None = None

    @property
    def expiry(self) -> Expiry:
        """When it goes, as it was asked for."""
        return Expiry(ttl=self.ttl, at=self.expires_at)

    def used(self, now: float) -> None:
        """Let a sliding expiry begin anew."""
        if self.ttl is not None:
            self.expires = now + self.ttl

    def info(self) -> LogInfo:
        """What others may know of it."""
        origin = None
        if self.origin is not None and self.fork_offset is not None:
            origin = Origin(self.origin, self.fork_offset)
        return LogInfo(
            name=self.name,
            id=self.id,
            content_type=self.content_type,
            created=self.created,
            start=self.start,
            tail=self.tail,
            closed=bool(self.closed),
            expiry=self.expiry,
            origin=origin,
        )


class Segment(NamedTuple):
    """A part of a log that lies in a file; its first byte has offset `start`."""

    start: int
    file: str
    created: float


class JournalEntry(NamedTuple):
    """Bytes that belong into a file."""

    id: int
    file: str
    position: int
    data: bytes


NAMES = tuple(field.name for field in fields(Row))
COLUMNS = ", ".join(NAMES)
INSERT = f"INSERT INTO logs ({COLUMNS}) VALUES ({', '.join('?' * len(NAMES))})"  # noqa: S608
CHANGING = ("written", "start", "tail", "closed", "deleted", "expires", "last_order", "closed_by")
UPDATE = f"UPDATE logs SET {', '.join(f'{name} = ?' for name in CHANGING)} WHERE id = ?"  # noqa: S608
SELECT = f"SELECT {COLUMNS} FROM logs"  # noqa: S608


class Catalogue:
    """The SQLite file `path`; raises `sqlite3.Error` when it cannot be opened."""

    def __init__(self, path: str) -> None:
        self._database = open_database(path, SCHEMA, version=VERSION, what="the catalogue of logs")
        self.execute = self._database.execute

    @property
    def in_transaction(self) -> bool:
        """Whether a commit or a rollback is due."""
        return self._database.in_transaction

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def rows(self, condition: str, *values: object) -> list[Row]:
        """The logs for which a condition holds."""
        return [Row(*found) for found in self.execute(f"{SELECT} WHERE {condition}", values)]

    def row(self, log: int) -> Row | None:
        """The log of this id."""
        return next(iter(self.rows("id = ?", log)), None)

    def insert(self, row: Row) -> None:
        """Add a log, and give it its id."""
        values = [None if name == "id" else getattr(row, name) for name in NAMES]
        row.id = self.execute(INSERT, values).lastrowid or 0

    def update(self, row: Row) -> None:
        """Store what can change."""
        self.execute(UPDATE, (*(getattr(row, name) for name in CHANGING), row.id))

    def remove(self, log: int) -> list[str]:
        """Forget a log; return the files that nobody needs any more."""
        files = [
            file for (file,) in self.execute("SELECT file FROM segments WHERE log = ?", (log,))
        ]
        for table in ("segments", "producers"):
            self.execute(f"DELETE FROM {table} WHERE log = ?", (log,))  # noqa: S608
        self.execute("DELETE FROM logs WHERE id = ?", (log,))
        return files

    def extend(self, expires: Mapping[int, float]) -> None:
        """Let logs with a sliding expiry have time until then at least; in one transaction."""
        if not expires:
            return
        statement = "UPDATE logs SET expires = max(expires, ?) WHERE id = ? AND ttl IS NOT NULL"
        with self._database:  # commits, or rolls back
            self.execute("BEGIN IMMEDIATE")
            self._database.executemany(statement, [(time, log) for log, time in expires.items()])

    def has_forks(self, log: int) -> bool:
        """Whether others have bytes of this log."""
        found = self.execute("SELECT 1 FROM logs WHERE parent = ? LIMIT 1", (log,))
        return found.fetchone() is not None

    def add_segment(self, log: int, segment: Segment) -> None:
        """Let a log go on in a file."""
        self.execute("INSERT INTO segments VALUES (?, ?, ?, ?)", (log, *segment))

    def segments(self, log: int) -> Iterator[Segment]:
        """The segments of a log, in order."""
        found = self.execute(
            "SELECT start, file, created FROM segments WHERE log = ? ORDER BY start", (log,)
        )
        return (Segment(*values) for values in found.fetchall())

    def segment_at(self, log: int, offset: int) -> tuple[Segment | None, int | None]:
        """The segment that begins at or before `offset`, and where the next one begins."""
        found = self.execute(
            "SELECT start, file, created FROM segments WHERE log = ? AND start <= ?"
            " ORDER BY start DESC LIMIT 1",
            (log, offset),
        ).fetchone()
        following = self.execute(
            "SELECT min(start) FROM segments WHERE log = ? AND start > ?", (log, offset)
        ).fetchone()
        return (None if found is None else Segment(*found)), following[0]

    def remove_segments_before(self, log: int, start: int) -> list[str]:
        """Forget the segments that begin before `start`; return their files."""
        condition = "FROM segments WHERE log = ? AND start < ?"
        found = self.execute(f"SELECT file {condition}", (log, start)).fetchall()
        self.execute(f"DELETE {condition}", (log, start))
        return [file for (file,) in found]

    def knows_file(self, file: str) -> bool:
        """Whether a file is part of a log."""
        found = self.execute("SELECT 1 FROM segments WHERE file = ?", (file,))
        return found.fetchone() is not None

    def producer(self, log: int, producer: str) -> Last | None:
        """The last append of a producer."""
        found = self.execute(
            "SELECT epoch, sequence FROM producers WHERE log = ? AND id = ?", (log, producer)
        ).fetchone()
        return None if found is None else Last(*found)

    def save_producer(self, log: int, producer: str, epoch: int, sequence: int) -> None:
        """Store what was appended last."""
        self.execute(
            "INSERT OR REPLACE INTO producers VALUES (?, ?, ?, ?)", (log, producer, epoch, sequence)
        )

    def add_to_journal(self, file: str, position: int, data: bytes) -> int:
        """Keep bytes until their file is durable; return up to where the journal goes now."""
        cursor = self.execute(
            "INSERT INTO journal (file, position, data) VALUES (?, ?, ?)", (file, position, data)
        )
        return cursor.lastrowid or 0

    def journal(self) -> Iterator[JournalEntry]:
        """What has to be written again, in order."""
        found = self.execute("SELECT id, file, position, data FROM journal ORDER BY id")
        return (JournalEntry(*values) for values in found)

    def clear_journal(self, last: int) -> None:
        """Forget entries up to `last`: their files are durable."""
        self.execute("DELETE FROM journal WHERE id <= ?", (last,))

    def expired(self, now: float, after: int, count: int) -> list[int]:
        """Some of the logs whose time is over, in the order of their ids, behind `after`."""
        found = self.execute(
            "SELECT id FROM logs WHERE expires <= ? AND NOT deleted AND id > ? ORDER BY id LIMIT ?",
            (now, after, count),
        )
        return [log for (log,) in found]

    def old(self, created: float, after: int, count: int) -> list[int]:
        """Some of the logs that have segments which are so old, as `expired`."""
        found = self.execute(
            "SELECT DISTINCT log FROM segments JOIN logs ON id = log"
            " WHERE segments.created <= ? AND NOT deleted AND id > ? ORDER BY id LIMIT ?",
            (created, after, count),
        )
        return [log for (log,) in found]

    def page(self, after: str, prefix: str, count: int) -> Sequence[Row]:
        """Some of the logs whose names begin with `prefix`, in order, behind the name `after`."""
        low, high = max(after, prefix), prefix + chr(0x10FFFF)
        return self.rows(
            "name > ? AND name >= ? AND name < ? AND NOT deleted ORDER BY name LIMIT ?",
            after, low, high, count,
        )  # fmt: skip
