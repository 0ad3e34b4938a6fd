"""Giving memory back that a burst has left in the allocator's heap.

When a thousand clients send at once, their bytes lie side by side until they have been written;
what the clients go on to hold comes to lie between them. The holes that are left are free, but the
C library only gives back what is free at the end of its heap, unless it is told to look further.
"""

from __future__ import annotations

from collections.abc import Callable

MUCH = 1024 * 1024
"""So many bytes more that lie free are worth a look."""

FIELDS = (
    "arena",
    "ordblks",
    "smblks",
    "hblks",
    "hblkhd",
    "usmblks",
    "fsmblks",
    "uordblks",
    "fordblks",
    "keepcost",
)


class Heap:
    """Looks now and then at how much lies free; `free` tells that in bytes, `trim` gives it back.

    Both are those of the GNU C library; where it has none, nothing is done.
    """

    __slots__ = ("_calls", "_left")

    def __init__(
        self, free: Callable[[], int] | None = None, trim: Callable[[], object] | None = None
    ) -> None:
        self._calls = None if free is None or trim is None else (free, trim)
        self._left = 0  # what lay free after the last look: given back or not, it counts as free

    def look(self) -> None:
        """Give back what lies free if that has become much more."""
        if self._calls is None:
            self._calls = _of_the_c_library()
        tell, trim = self._calls
        free = tell()
        if free - self._left >= MUCH:
            trim()
            self._left = tell()
        elif free < self._left:
            self._left = free


def _of_the_c_library() -> tuple[Callable[[], int], Callable[[], object]]:
    import ctypes  # noqa: PLC0415 - not needed for a first answer

    class MallocInfo(ctypes.Structure):
        """``struct mallinfo2`` (mallinfo(3))."""

        _fields_ = tuple((name, ctypes.c_size_t) for name in FIELDS)

    try:
        library = ctypes.CDLL(None)
        info, trim = library.mallinfo2, library.malloc_trim
    except (OSError, AttributeError):  # pragma: no cover - another C library
        return lambda: 0, lambda: None
    info.restype = MallocInfo
    trim.argtypes = (ctypes.c_size_t,)
    return lambda: int(info().fordblks), lambda: trim(0)
