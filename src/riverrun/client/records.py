"""What is remembered of uploads, so that a later run goes on from where they stand.

One small file for each pair of a file here and an address there, in
``$XDG_STATE_HOME/riverrun/uploads``, or below ``~/.local/state``. It is for its owner only: whoever
knows the address of an upload may add to it. It is locked while the upload runs, and written before
the first byte is sent. Blocking functions.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from riverrun.client.locked_files import open_locked, write_whole
from riverrun.client.sources import Identity

EXPIRY = 30 * 24 * 3600.0  # seconds; servers forget an upload sooner
LARGEST = 64 * 1024


class Upload(msgspec.Struct):
    """An upload: of which file, whose SHA-256 is `digest`, and the address of its resource.

    `done` is whether it is complete; then `etag` is what the server calls the file, if anything.
    """

    path: str
    file: Identity
    target: str
    digest: bytes
    resource: str | None = None
    max_append_size: int | None = None
    min_append_size: int | None = None
    done: bool = False
    etag: str | None = None


class Record:
    """The record of one upload, locked while it is open; a context manager.

    Raises `BusyError` when another program is sending the same file there, `OSError` when it
    cannot be written.
    """

    def __init__(self, folder: Path, path: str, target: str) -> None:
        key = sha256(f"{path}\0{target}".encode(errors="surrogateescape")).hexdigest()
        self._path = folder / f"{key}.json"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = open_locked(self._path, 0o600)
        self.upload = self._recall()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.upload is None:
            with suppress(OSError):
                self._path.unlink()
        os.close(self._descriptor)

    def remember(self, upload: Upload) -> None:
        """Keep `upload`, also through a power cut."""
        write_whole(self._descriptor, msgspec.json.encode(upload))
        self.upload = upload

    def forget(self) -> None:
        """Keep nothing; the file goes when this is closed."""
        os.ftruncate(self._descriptor, 0)
        self.upload = None

    def _recall(self) -> Upload | None:
        try:
            return msgspec.json.decode(os.pread(self._descriptor, LARGEST, 0), type=Upload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None


def default_folder() -> Path:
    """Where records are kept."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return base / "riverrun" / "uploads"


def remove_expired(folder: Path) -> None:
    """Remove records that nobody has come back to for a month."""
    oldest = time.time() - EXPIRY
    with suppress(OSError):
        for path in folder.glob("*.json"):
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
