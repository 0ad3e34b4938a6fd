"""The catalogue of uploads: what must survive a crash besides the bytes, in SQLite.

How many bytes an upload has is not in here: that is the size of its file. All work runs in one
thread, in order, and each change is committed to the disk before its call returns.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from riverrun.apps.uploads.record import Record
from riverrun.errors import HTTPError

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    expires REAL NOT NULL,
    record BLOB NOT NULL
) WITHOUT ROWID
"""
VERSION = 1


class Catalogue:
    """The records of one store, in the SQLite file `path`.

    Raises `sqlite3.Error` when that cannot be opened, or was written by a newer version; changing
    it raises `HTTPError` 507 when the disk is full.
    """

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            self._database.close()
            raise sqlite3.DatabaseError(f"the catalogue of uploads has version {version}")
        self._database.execute(SCHEMA)
        self._database.execute(f"PRAGMA user_version = {VERSION}")
        self._thread = ThreadPoolExecutor(1, "uploads-catalogue")

    def load(self) -> list[Record]:
        """Every record; called once, before anything runs."""
        rows = self._database.execute("SELECT record FROM uploads")
        decode = msgspec.json.Decoder(Record).decode
        return [decode(row[0]) for row in rows]

    async def save(self, record: Record) -> None:
        """Add a record, or put it in the place of an older one of its id."""
        row = (record.id, record.state.value, record.expires, msgspec.json.encode(record))
        await self._run(
            lambda: self._database.execute(
                "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)", row
            )
        )

    async def remove(self, *ids: str) -> None:
        """Forget records, if they are there."""
        rows = [(upload_id,) for upload_id in ids]

        def work() -> None:
            self._database.execute("BEGIN")
            self._database.executemany("DELETE FROM uploads WHERE id = ?", rows)
            self._database.execute("COMMIT")

        await self._run(work)

    async def _run(self, work: Callable[[], T]) -> T:
        running = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(running)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise HTTPError(507, "The disk is full.") from error
            raise

    def close(self) -> None:
        """Finish what was begun, and let go of the file."""
        self._thread.shutdown()
        self._database.close()
