"""Files that one program at a time may use: those that a later run goes on from.

The lock is the kernel's (flock), so that it ends with the program, however that ends. Blocking
functions; nothing here waits for a lock.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from riverrun.errors import BusyError

FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


def open_locked(path: Path, mode: int = 0o666) -> int:
    """Open `path`, made if it is not there, and lock it; return a descriptor.

    Raises `BusyError` when another program has it locked, `OSError` when it cannot be opened.
    """
    while True:
        descriptor = os.open(path, FLAGS, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who had it locked a moment ago may have renamed or removed it meanwhile.
            if is_at(path, descriptor):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise BusyError(f"another program is at work on {path}") from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that has this name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def write_whole(descriptor: int, content: bytes) -> None:
    """Make `content` all that is in the file, and make that survive a power cut."""
    os.pwrite(descriptor, content, 0)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)
