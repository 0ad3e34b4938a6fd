"""Logs on a disk: their bytes in files, what must change together in one SQLite transaction.

Appends of many logs share one commit. A small one is in the commit itself, bytes and all, so that
one fsync makes it last; its bytes also lie in the log's file, where readers find them, and leave
the catalogue once that file was synced. What is large is synced in a file of its own, which then
becomes a part of the log. Whatever lies in files and is not in the catalogue does not count.
"""

from riverrun.logs.disk.retention import Retention
from riverrun.logs.disk.store import DiskLogStore

__all__ = ["DiskLogStore", "Retention"]
