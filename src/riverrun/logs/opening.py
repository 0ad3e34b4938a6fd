"""Opening logs: the folder that keeps them, and one of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from riverrun.logs.contracts import NEVER, Expiry, Log, LogStore
from riverrun.logs.errors import LogNotFoundError

if TYPE_CHECKING:
    from riverrun.logs.disk import DiskLogStore, Retention


def open_logs(path: str | os.PathLike[str], *, retention: Retention | None = None) -> DiskLogStore:
    r"""Open the folder `path`, made if need be, as a store of logs; close it, or use it ``with``.

    `retention` is how much of every log is kept; without it, everything. Blocking. Raises `OSError`
    and `sqlite3.Error` when the folder cannot be used, `BlockingIOError` when another process does.
    For example::

        async with riverrun.open_logs("logs") as logs:
            log = await riverrun.open_log(logs, "chat", content_type="text/plain")
            await log.append(b"hello\n")
            async for chunk in log.read():
                ...
    """
    from riverrun.logs.disk import DiskLogStore, Retention  # noqa: PLC0415 - brings SQLite

    return DiskLogStore(path, retention=retention or Retention())


async def open_log(
    logs: LogStore,
    name: str,
    *,
    content_type: str = "application/octet-stream",
    expiry: Expiry = NEVER,
) -> Log:
    """The log `name` in `logs` as it is, begun with these properties if it is not there.

    Raises what `LogStore.find` and `LogStore.create` raise.
    """
    try:
        return await logs.find(name)
    except LogNotFoundError:
        return (await logs.create(name, content_type=content_type, expiry=expiry)).log
