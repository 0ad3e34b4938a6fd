"""The files below a folder here, and the addresses that they get below one on a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from riverrun.client.names import below


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to be sent to `url`; `size` in bytes, as it was seen."""

    path: Path
    url: str
    size: int


def walk_folder(folder: Path, url: str) -> Iterator[LocalFile]:
    """All files below `folder`, for the folder at `url`: in order of their names.

    Links to files are followed, links to folders are not, and what is neither is left out. Raises
    `OSError` for a folder that cannot be read.
    """

    def fail(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        address = url
        for name in Path(place).relative_to(folder).parts:
            address = below(address, name)
        for name in sorted(names):
            path = Path(place, name)
            if path.is_file():
                yield LocalFile(path, below(address, name), path.stat().st_size)
