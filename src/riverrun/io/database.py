"""Opening the SQLite files in which catalogues lie: what is committed survives a power cut."""

from __future__ import annotations

import sqlite3


def open_database(path: str, schema: str, *, version: int, what: str) -> sqlite3.Connection:
    """Open the database `path`, made with `schema` if it is new; every statement commits itself.

    It may be used in any thread, in one at a time. `what` names it in messages. Raises
    `sqlite3.Error` when it cannot be opened, or was written by a newer version.
    """
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        (found,) = database.execute("PRAGMA user_version").fetchone()
        if found > version:
            raise sqlite3.DatabaseError(f"{what} has version {found}")
        database.executescript(schema)
        database.execute(f"PRAGMA user_version = {version}")
    except BaseException:
        database.close()
        raise
    return database
