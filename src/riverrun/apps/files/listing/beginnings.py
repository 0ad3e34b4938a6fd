"""The first keys of large folders, kept for whoever comes back or asks in another form.

To find them takes a look at every name, which is what the first row of a large folder waits for. A
folder that has not been changed since begins as it did; its time of change tells that only once it
lies back a little, since the clock of a file system has coarse ticks. What a symbolic link leads to
can change without its folder: where there are any, nothing is kept.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from riverrun.apps.files.listing.ordering import Ordering

FOLDERS = 8
KEYS = 250  # of each: what a page shows of it
SETTLED = 2_000_000_000  # nanoseconds


class Moment(NamedTuple):
    """A folder as it was when it was looked at."""

    device: int
    inode: int
    modified: int
    changed: int

    @classmethod
    def of(cls, descriptor: int) -> Moment:
        """Of an open folder, now."""
        status = os.fstat(descriptor)
        return cls(status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


class Beginnings:
    """Those of the folders that were listed last, by name: an order that a folder's time covers.

    `now` is the time since 1970, in nanoseconds.
    """

    def __init__(self, now: Callable[[], int] = time.time_ns) -> None:
        self._now = now
        self._kept: OrderedDict[tuple[Ordering, bool, Moment], list[bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, ordering: Ordering, moment: Moment, *, hidden: bool) -> list[bytes]:
        """The first keys of the folder, behind which there are more; none if they are not known."""
        kept = self._kept.get((ordering, hidden, moment), [])
        if kept:
            self._kept.move_to_end((ordering, hidden, moment))
        return kept

    def keep(self, ordering: Ordering, moment: Moment, keys: list[bytes], *, hidden: bool) -> None:
        """Keep the first of `keys`, behind which there are more, for a folder that has settled."""
        settled = max(moment.modified, moment.changed) + SETTLED < self._now()
        if ordering.needs_status or not settled or len(keys) < KEYS:
            return
        self._kept[ordering, hidden, moment] = keys[:KEYS]
        while len(self._kept) > FOLDERS:
            self._kept.popitem(last=False)
