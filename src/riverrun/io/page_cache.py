"""Asking whether a file's bytes are in memory, so that the event loop never waits for a disk.

Asking is `preadv2` with `RWF_NOWAIT`; where a platform lacks it, everything counts as resident.
A page that is there is refused now and then, about once in some hundred times, so a refusal is
asked again before it is believed.
"""

from __future__ import annotations

import os

READ_WITHOUT_WAITING = getattr(os, "RWF_NOWAIT", None)
ATTEMPTS = 3


def is_resident(descriptor: int, offset: int) -> bool:
    """Whether the byte at `offset` can be read without waiting for a disk, as far as is known."""
    if READ_WITHOUT_WAITING is None:
        return True
    for _ in range(ATTEMPTS):
        try:
            os.preadv(descriptor, [bytearray(1)], offset, READ_WITHOUT_WAITING)
        except BlockingIOError:
            continue
        except OSError:  # a file system that cannot be asked
            pass
        return True
    return False


def read_resident(descriptor: int, chunk: bytearray, offset: int) -> bytes:
    """Fill `chunk` from the page cache, as far as it is there, and return what was read."""
    for _ in range(ATTEMPTS):
        try:
            size = os.preadv(descriptor, [chunk], offset, READ_WITHOUT_WAITING or 0)
        except BlockingIOError:
            continue
        except OSError:
            break
        return bytes(chunk[:size])
    return b""
