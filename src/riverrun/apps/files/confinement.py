"""Opening files below a folder, and nowhere else.

Names are resolved by the kernel, from the folder's descriptor, and never compared as strings: what
a link, a rename or a race does to a path between check and use cannot matter when there is no
check. ``openat2`` with ``RESOLVE_BENEATH`` follows links that stay below the folder and refuses
those that leave it; where the kernel has no ``openat2``, no link is followed. A link may not lead
into the store either: only where there was one on the way is it looked where that has ended.

What is missing, what is elsewhere and what may not be read all raise `FileNotFoundError`, so that
nobody outside can tell one from another.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial

STORE_FOLDER = ".riverrun"
"""What riverrun itself keeps in a folder that it serves; nobody else gets to it."""

OPENAT2 = 437  # the same number on every architecture that has it
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RACES_RETRIED = 8
NOT_DOWN = ("", ".", "..")

OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK  # a FIFO must not block
OUR_OWN_TROUBLE = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO))


class Root:
    """A folder that is served, held open so that it may be moved meanwhile.

    Raises `OSError` when `path` is no folder that can be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._descriptor = os.open(path, OPEN_FLAGS | os.O_DIRECTORY)
        self._open_beneath: Callable[[str], int] = self._open_first

    def open(self, segments: tuple[str, ...]) -> int:
        """Open what lies at `segments` and return its descriptor, which is then the caller's.

        Each segment is one name; one that is none (``..``, a path) leads nowhere. Raises
        `FileNotFoundError` if there is nothing there to be had, `OSError` if the process is out of
        descriptors or the disk fails.
        """
        try:
            if len(segments) == 1:
                (name,) = segments
                if "/" not in name and name not in NOT_DOWN:
                    try:
                        return os.open(name, OPEN_FLAGS | os.O_NOFOLLOW, dir_fd=self._descriptor)
                    except OSError as error:
                        if error.errno != errno.ELOOP:
                            raise
            if any("/" in name or name in NOT_DOWN for name in segments):
                raise ValueError("the kernel would go where they lead")
            return self._open_beneath("/".join(segments) or ".")
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in OUR_OWN_TROUBLE:
                raise
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None

    def opener(self, segments: tuple[str, ...]) -> Callable[[], int]:
        """What opens what lies at `segments`, again and again; see `open`.

        For one name it is the system's own call and nothing around it, since that is what many
        requests come to: its errors are the system's, and it follows no link.
        """
        if len(segments) != 1 or "/" in segments[0] or segments[0] in NOT_DOWN:
            return partial(self.open, segments)
        flags = OPEN_FLAGS | os.O_NOFOLLOW
        return partial(os.open, segments[0], flags, dir_fd=self._descriptor)

    def status_of(self, segments: tuple[str, ...]) -> os.stat_result:
        """The status of what lies at `segments`; raises as `open`."""
        if not segments:
            return os.fstat(self._descriptor)
        descriptor = self.open(segments)
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def make_folders(self, segments: tuple[str, ...], *, mode: int = 0o777) -> int:
        """Open the folder at `segments`, making what is missing of it; see `open`.

        What was made is there after a power cut. Raises `NotADirectoryError` where a file is in
        the way, and the `OSError` of a folder that cannot be made.
        """
        if any("/" in name or name in NOT_DOWN for name in segments):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        for depth in range(len(segments), -1, -1):
            try:
                descriptor = self.open(segments[:depth])
                break
            except FileNotFoundError:
                if not depth:
                    raise
        for name in segments[depth:]:
            try:
                with suppress(FileExistsError):
                    os.mkdir(name, mode, dir_fd=descriptor)
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            depth += 1
            descriptor = self.open(segments[:depth])
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return descriptor

    def sync(self) -> None:
        """Make the names in the folder itself survive a power cut."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)

    def _open_first(self, path: str) -> int:
        """Open the first that is asked for, by what turns out to be there for it."""
        self._open_beneath = _find_openat2(self._descriptor) or self._walk
        return self._open_beneath(path)

    def _walk(self, path: str) -> int:
        """Open one name after another, following no link."""
        descriptor = os.dup(self._descriptor)
        names = path.split("/")
        for position, name in enumerate(names):
            last = position == len(names) - 1
            flags = OPEN_FLAGS | os.O_NOFOLLOW | (0 if last else os.O_DIRECTORY)
            try:
                below = os.open(name, flags, dir_fd=descriptor)
            finally:
                os.close(descriptor)
            descriptor = below
        return descriptor


def _check_not_in_store(root: int, opened: int) -> None:
    """Close `opened` and raise `FileNotFoundError` if it lies in the store of the folder `root`."""
    try:
        place, top = (os.readlink(f"/proc/self/fd/{n}") for n in (opened, root))  # noqa: PTH115
    except OSError:  # where nobody can tell, no link is followed
        inside = True
    else:
        below = place.removeprefix(top.rstrip("/")).lstrip("/")
        inside = below.partition("/")[0].lower() == STORE_FOLDER
    if inside:
        os.close(opened)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _find_openat2(descriptor: int) -> Callable[[str], int] | None:
    """An opener below `descriptor`, or None where the kernel refuses to be one."""
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - not needed for what lies in the folder itself

    class OpenHow(ctypes.Structure):
        """``struct open_how`` (openat2(2))."""

        _fields_ = (
            ("flags", ctypes.c_uint64),
            ("mode", ctypes.c_uint64),
            ("resolve", ctypes.c_uint64),
        )

    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.argtypes = (
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.POINTER(OpenHow),
        ctypes.c_size_t,
    )
    syscall.restype = ctypes.c_long
    beneath = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS
    without_links = ctypes.byref(OpenHow(OPEN_FLAGS, 0, beneath | RESOLVE_NO_SYMLINKS))
    with_links = ctypes.byref(OpenHow(OPEN_FLAGS, 0, beneath))
    size = ctypes.sizeof(OpenHow)

    def open_beneath(path: str) -> int:
        name = os.fsencode(path)
        if b"\0" in name:
            raise ValueError("a name holds a NUL")
        how = without_links
        for _ in range(RACES_RETRIED):
            opened: int = syscall(OPENAT2, descriptor, name, how, size)
            if opened >= 0:
                if how is with_links:
                    _check_not_in_store(descriptor, opened)
                return opened
            number = ctypes.get_errno()
            if number == errno.ELOOP and how is without_links:
                how = with_links
            elif number not in (errno.EAGAIN, errno.EINTR):
                break
        raise OSError(number, os.strerror(number))

    try:
        os.close(open_beneath("."))
    except OSError:
        return None
    return open_beneath
