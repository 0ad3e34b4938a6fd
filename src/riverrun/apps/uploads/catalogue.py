"""The catalogue of uploads: what must survive a crash besides the bytes, in SQLite.

How many bytes an upload has is not in here: that is the size of its file. All work runs in one
thread, in order, and each change is committed to the disk before its call returns.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import msgspec

from riverrun.apps.uploads.record import Record
from riverrun.errors import HTTPError
from riverrun.http.targets import encode_segment
from riverrun.io.database import open_database
from riverrun.io.threads import in_thread

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
    it raises `HTTPError` 507 when the disk is full, 503 when another program has locked it.
    """

    def __init__(self, path: str) -> None:
        self._database = open_database(
            path, SCHEMA, version=VERSION, what="the catalogue of uploads"
        )
        self._thread = ThreadPoolExecutor(1, "uploads-catalogue")

    def load(self) -> list[Record]:
        """Every record; called once, before anything runs."""
        rows = self._database.execute("SELECT record FROM uploads")
        decode = msgspec.json.Decoder(Record).decode
        records = [decode(row[0]) for row in rows]
        for record in records:
            record.target = tuple(unquote(name, errors="surrogateescape") for name in record.target)
        return records

    async def save(self, record: Record) -> None:
        """Add a record, or put it in the place of an older one of its id."""
        # A name may have bytes that are no UTF-8, which JSON cannot hold.
        written = msgspec.structs.replace(
            record, target=tuple(encode_segment(name) for name in record.target)
        )
        await self._execute(
            "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)",
            (record.id, record.state.value, record.expires, msgspec.json.encode(written)),
        )

    async def remove(self, upload_id: str) -> None:
        """Forget a record, if it is there."""
        await self._execute("DELETE FROM uploads WHERE id = ?", (upload_id,))

    async def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        """One statement is one transaction: it is rolled back if it fails."""
        try:
            await in_thread(lambda: self._database.execute(statement, values), self._thread)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise HTTPError(507, "The disk is full.") from error
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
                raise HTTPError(507, "The disk can only be read.") from error
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                detail = "Another program keeps the catalogue of uploads to itself."
                raise HTTPError(503, detail, headers={"retry-after": "5"}) from error
            raise

    def close(self) -> None:
        """Finish what was begun, and let go of the file."""
        self._thread.shutdown()
        self._database.close()
