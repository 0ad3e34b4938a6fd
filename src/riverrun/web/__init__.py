"""The page that people see, as it was built from `web/`: its files, and what loads first.

Not part of the repository: `make serve`, `make test` and the wheel's build make it. Without it
folders are plain listings, so whoever asks may get none.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

FOLDER: Final = Path(__file__).parent / "build"
MANIFEST: Final = "manifest.json"
ENTRY: Final = "src/main.tsx"


class Chunk(msgspec.Struct):
    """What the manifest tells of a source file (Vite, `build.manifest`)."""

    file: str
    css: list[str] = []


@dataclass(frozen=True, slots=True)
class Build:
    """A build: the folder that holds its files, the script and the styles that a document loads.

    `script` and `styles` are paths below the folder, with a hash of what is in them.
    """

    folder: Path
    script: str
    styles: tuple[str, ...]


def find_build(folder: Path = FOLDER) -> Build | None:
    """The build in `folder`, None if there is none; a broken one raises `msgspec.DecodeError`."""
    try:
        manifest = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
    entry = msgspec.json.decode(manifest, type=dict[str, Chunk])[ENTRY]
    return Build(folder, entry.file, tuple(entry.css))
