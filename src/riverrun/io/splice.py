"""What a socket receives moved into a file within the kernel: splice(2), where there is one.

Reading a fast sender through Python copies every byte twice, and stops and starts its socket for
each buffer that fills. A thread that splices copies once, and is asked once in several megabytes.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic, sleep

from riverrun.io.partial_file import NO_COPY, PartialFile

MOVE_SIZE = 16 * 1024 * 1024
"""At most so much is moved at a time: then others have their turn, and whoever steers his say."""

MOVE_TIME = 0.05
"""At most so many seconds."""

PIPE_SIZE = 1024 * 1024
PATIENCE = 0.005
"""Seconds for which a socket may have nothing to give before it is left to the event loop.

What comes meanwhile is moved together: to ask at once would cost as much for much less.
"""


class Splice:
    """Moves bytes from a socket to the end of `file`.

    `taken` is how many have left the socket so far, after an error too; some of them are not in the
    file then. `possible` is False once the kernel has refused.
    """

    __slots__ = ("_file", "possible", "taken")

    def __init__(self, file: PartialFile) -> None:
        self._file = file
        self.taken = 0
        self.possible = hasattr(os, "splice")

    def move(
        self, first: Sequence[bytes], source: int, most: int, wanted: Callable[[], bool]
    ) -> None:
        """Write `first`, and up to `most` bytes of the socket `source`, which does not block.

        To be called in a thread. Ends early when the socket has nothing to give for a moment, and
        once it is not `wanted`. Raises `OSError` as `PartialFile.write`.
        """
        self._file.write_now(first)
        try:
            reading, writing = os.pipe()
        except OSError:  # too many files are open
            return
        try:
            with suppress(
                PermissionError
            ):  # its user has enough large ones; small ones take more calls
                fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
            self._move(source, reading, writing, most, wanted)
        finally:
            os.close(reading)
            os.close(writing)

    def _move(
        self, source: int, reading: int, writing: int, most: int, wanted: Callable[[], bool]
    ) -> None:
        over = monotonic() + MOVE_TIME
        waited = False
        while most and wanted() and monotonic() < over:
            try:
                count = os.splice(source, writing, most, flags=os.SPLICE_F_NONBLOCK)
            except BlockingIOError:
                if waited:
                    return
                sleep(PATIENCE)
                waited = True
                continue
            except OSError as error:
                if error.errno in NO_COPY:
                    self.possible = False
                return  # whatever else is wrong with it, its reader will see
            if not count:
                return
            waited = False
            self.taken += count
            most -= count
            self._file.drain(reading, count)
