"""The folder every peer serves: real files of random bytes, in the page cache, and a text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SIZES = {
    "1KiB": 1 << 10,
    "10KiB": 10 << 10,
    "100KiB": 100 << 10,
    "1MiB": 1 << 20,
    "1GiB": 1 << 30,
    "text": 4 << 10,
}
MANY = 500
"""So many files of 1 KiB are in a folder of their own, as ``many/0.bin`` and so on."""

_BLOCK = 1 << 20
_LONG_UPLOAD_NEEDS_GIB = 15
_SHORTER_UPLOAD_GIB = 4


def file_name(size: str) -> str:
    """The name of the file of that size, a key of `SIZES`."""
    return "text.html" if size == "text" else f"{size}.bin"


def fill(folder: Path) -> None:
    """Write one file of every size. Random bytes, so that no layer below can shorten them."""
    block = os.urandom(_BLOCK)
    for size, count in SIZES.items():
        with (folder / file_name(size)).open("wb") as file:
            for start in range(0, count, _BLOCK):
                file.write(block[: min(_BLOCK, count - start)])
    many = folder / "many"
    many.mkdir(exist_ok=True)
    for number in range(MANY):
        (many / f"{number}.bin").write_bytes(os.urandom(SIZES["1KiB"]))
    # Readable by the worker of a server that gives up its rights.
    for path in folder.rglob("*.*"):
        path.chmod(0o644)
    for path in (folder, many):
        path.chmod(0o755)


def long_upload_gib(free_bytes: int, wanted: int) -> int:
    """The size of the long upload: the one that is wanted, or less where the disk has no room."""
    return (
        wanted if free_bytes >= _LONG_UPLOAD_NEEDS_GIB << 30 else min(wanted, _SHORTER_UPLOAD_GIB)
    )


def bring_into_page_cache(path: Path) -> None:
    """Read a file through, so that no peer pays for the disk."""
    buffer = bytearray(_BLOCK)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def file_system_of(path: Path, mounts: str) -> str:
    """The type of the file system that holds `path`, from the text of /proc/mounts."""
    best, kind = "", "unknown"
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1]
        inside = path.as_posix() == point or path.as_posix().startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind
