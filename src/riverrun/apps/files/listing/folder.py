"""Reading a folder of any size in order, in little memory.

A folder gives its names in no order, so the first of them is known only when all have been seen. To
hold none but a few, the folder is read again and again: each pass keeps the smallest keys behind
the last one that was listed, up to a number of bytes, and forgets the rest. The first pass looks
for a few names only, which are shown meanwhile: a folder of few is read once, one that fits twice,
and 100,000 names take about ten passes. The first keys of a large folder are kept a while.

What stays the same while a folder is read is listed once. What is added or removed meanwhile is
listed or not. What is given another time or size may be missed, or listed again where it then
stands, in a listing by that.

Nothing here knows HTTP. The functions that read run in threads, one at a time.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias, TypeVar

from riverrun.apps.files.listing.beginnings import KEYS, Beginnings, Moment
from riverrun.apps.files.listing.entries import Entry, describe
from riverrun.apps.files.listing.ordering import Ordering

Result = TypeVar("Result")
Resolve: TypeAlias = Callable[[str], os.stat_result | None]
"""The status of what the symbolic link of this name leads to, or None if that is not ours."""

KEYS_SIZE = 1024 * 1024
BEHIND_ALL = "\x80"  # in ASCII
KEY_OVERHEAD = 44  # bytes: the object around a key, and its place in a list
OPEN_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Selection(NamedTuple):
    """Keys in order, and whether there are more behind them."""

    keys: list[bytes]
    more: bool


class Window:
    """The names in ASCII, in lower case, between which a pass still looks for files.

    Most lie outside, and are told apart before a key is made of them; `more` is whether any lay
    behind it.
    """

    __slots__ = ("_ordering", "first", "last", "more")

    def __init__(self, ordering: Ordering, after: bytes) -> None:
        self._ordering = ordering
        self.first = ordering.folded(after) or ""
        self.last = BEHIND_ALL
        self.more = False

    def end_at(self, bound: bytes) -> None:
        """Nothing behind this key is looked for any more."""
        self.last = self._ordering.folded(bound) or BEHIND_ALL


def select(
    keys: Iterable[bytes],
    after: bytes,
    *,
    count: int | None = None,
    size: int = KEYS_SIZE,
    bounded: Callable[[bytes], None] = lambda _: None,
) -> Selection:
    """The smallest keys behind `after`: at most `count`, and those that fit `size` bytes.

    At least one is selected if there is any. Twice as much is held on the way. `bounded` is told
    the last key that may still be among them, whenever that is known or changes.
    """
    held: list[bytes] = []
    held_size = 0
    more = False
    most = 2 * count if count is not None else None
    bound: bytes | None = None
    for key in keys:
        if key <= after:
            continue
        if bound is not None and key > bound:
            more = True
            continue
        held.append(key)
        held_size += len(key) + KEY_OVERHEAD
        if held_size > 2 * size or len(held) == most:
            more = _keep_smallest(held, count, size) or more
            if more:
                bound = held[-1]
                bounded(bound)
            held_size = sum(map(len, held)) + KEY_OVERHEAD * len(held)
    more = _keep_smallest(held, count, size) or more
    return Selection(held, more)


def _keep_smallest(keys: list[bytes], count: int | None, size: int) -> bool:
    """Sort `keys`, drop what is repeated or too much, and tell whether it was too much."""
    keys.sort()
    # A file that is replaced during the pass may be met under its old and its new entry.
    keys[:] = [key for key, _ in groupby(keys)]
    for position, key in enumerate(keys):
        size -= len(key) + KEY_OVERHEAD
        if position == count or (position and size < 0):
            del keys[position:]
            return True
    return False


class Folder:
    """A folder that is being listed; close it in the end, also after a cancel.

    It opens `directory` anew and so has a position of its own. Raises `OSError` when it may not.
    """

    def __init__(
        self,
        directory: int,
        ordering: Ordering,
        *,
        hidden: bool = False,
        resolve: Resolve | None = None,
        beginnings: Beginnings | None = None,
    ) -> None:
        self._beginnings = Beginnings() if beginnings is None else beginnings
        self._links = False  # whether any have been met
        self._ordering = ordering
        self._hidden = hidden
        self._resolve = resolve
        self._closed = False
        self._thread: asyncio.Future[Any] | None = None
        self._descriptor = os.open(".", OPEN_FLAGS, dir_fd=directory)

    def close(self) -> None:
        """Stop reading; a thread that still does finds out at its next entry."""
        if self._closed:
            return
        self._closed = True
        if self._thread is None or self._thread.done():
            os.close(self._descriptor)
        else:
            # Not under the thread: the number may already be another file's.
            self._thread.add_done_callback(lambda _: os.close(self._descriptor))

    async def select(self, after: bytes, count: int | None) -> Selection:
        """Read the folder once, for the entries behind `after`; see `select`.

        Of a folder whose beginning is known only that is selected, without reading it; and where
        all are asked for, by name, the beginning comes first by itself. After a
        cancel nothing has changed, but the thread reads on until the folder is closed.
        """
        if after:
            return await self._read(after, count)
        moment = Moment.of(self._descriptor)
        known = self._beginnings.find(self._ordering, moment, hidden=self._hidden)
        if known:
            return Selection(known[:count], more=True)
        # A few are found in two thirds of the time, which is what the first row waits for; the rest
        # takes one more pass. To ask for every status once more would cost more than that gains.
        few = count is None and not self._ordering.needs_status
        selection = await self._read(after, KEYS if few else count)
        more = selection.more or len(selection.keys) > KEYS
        if more and not self._links and moment == Moment.of(self._descriptor):
            self._beginnings.keep(self._ordering, moment, selection.keys, hidden=self._hidden)
        return selection

    async def _read(self, after: bytes, count: int | None) -> Selection:
        return await self._in_thread(partial(self._pass, after, count))

    def _pass(self, after: bytes, count: int | None) -> Selection:
        window = Window(self._ordering, after)
        keys, more = select(self._keys(window), after, count=count, bounded=window.end_at)
        return Selection(keys, more or window.more)

    async def render(self, keys: list[bytes], rows: Callable[[list[Entry]], bytes]) -> bytes:
        """Look at the entries of these keys and give those that are still there to `rows`."""
        return await self._in_thread(lambda: rows(list(self._entries(keys))))

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        loop = asyncio.get_running_loop()
        self._thread = thread = loop.run_in_executor(None, work)
        return await asyncio.shield(thread)

    def _keys(self, window: Window) -> Iterator[bytes]:
        key = self._ordering.key
        needs_status, hidden = self._ordering.needs_status, self._hidden
        with os.scandir(self._descriptor) as entries:
            for entry in entries:
                if self._closed:
                    return
                name = entry.name
                if not hidden and name[0] == ".":
                    continue
                if not needs_status and entry.is_file(follow_symlinks=False):
                    if name.isascii():
                        folded = name.lower()
                        if folded < window.first:
                            continue
                        if folded > window.last:
                            window.more = True
                            continue
                    yield key(name, None, is_folder=False)
                    continue
                is_link = entry.is_symlink()
                self._links |= is_link
                if needs_status or is_link:
                    status = self._look(name)
                    if status is not None:
                        is_folder = stat.S_ISDIR(status.st_mode)
                        yield key(name, status if needs_status else None, is_folder=is_folder)
                else:
                    yield key(name, None, is_folder=entry.is_dir(follow_symlinks=False))

    def _entries(self, keys: Iterable[bytes]) -> Iterator[Entry]:
        for name in map(self._ordering.name, keys):
            if self._closed:
                return
            status = self._look(name)
            if status is not None:
                yield describe(name, status)

    def _look(self, name: str) -> os.stat_result | None:
        """The status of what this name stands for, None if it is gone or not ours."""
        try:
            status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                return None if self._resolve is None else self._resolve(name)
        except (FileNotFoundError, PermissionError):
            return None
        return status
