"""The page that people see, as it was built from `web/`: its files, and what loads first.

Not part of the repository: `make serve`, `make test` and the wheel's build make it. Without it
folders are plain listings, so whoever asks may get none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).parent / "build"
MANIFEST: Final = "manifest.json"
ENTRY: Final = "src/main.tsx"


class Build(NamedTuple):
    """A build: the folder that holds its files, the script and the styles that a document loads.

    `script` and `styles` are paths below the folder, with a hash of what is in them.
    """

    folder: Path
    script: str
    styles: tuple[str, ...]


def is_built(folder: Path = FOLDER) -> bool:
    """Whether there is a build in `folder`."""
    return (folder / MANIFEST).is_file()


def find_build(folder: Path = FOLDER) -> Build | None:
    """The build in `folder`, None if there is none; a broken one raises `msgspec.DecodeError`."""
    import msgspec  # noqa: PLC0415 - not to know whether there is one

    try:
        manifest = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
    # What the manifest tells of a source file: Vite, `build.manifest`.
    entry = msgspec.json.decode(manifest)[ENTRY]
    return Build(folder, entry["file"], tuple(entry.get("css", ())))
