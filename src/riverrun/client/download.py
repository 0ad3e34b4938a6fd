"""A file of a server as a file here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from riverrun.client.errors import DigestError, LostError
from riverrun.client.fetching import fetch
from riverrun.client.fields import WANT_REPR_DIGEST
from riverrun.client.part_file import PartFile, part_names
from riverrun.client.progress import SILENT, Progress, Stage
from riverrun.client.session import Session, borrow
from riverrun.client.sources import Source
from riverrun.client.versions import read_size, read_version
from riverrun.io.threads import in_thread


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is here: `size` in bytes, `resumed_at` where this run went on, 0 if it began.

    `verified` is whether the bytes have the digest that the server gives; it is False when the
    server gives none. `already` is whether the file was here, and was left as it was. `lost` is
    how many connections were lost on the way.
    """

    path: Path
    size: int
    resumed_at: int = 0
    lost: int = 0
    verified: bool = False
    already: bool = False


async def download(
    url: str,
    path: str | os.PathLike[str],
    *,
    progress: Progress = SILENT,
    session: Session | None = None,
) -> Download:
    """Receive the file at `url` into `path`, which is replaced when all has come.

    What has come so far is kept beside it and used by the next call, of this program or another:
    see `part_file`. A file that is already there with the size and the time of the server's is
    left alone. Positions told to `progress` are in bytes.

    Raises what `fetch` does, `BusyError` when another program receives the same file, `OSError`
    when it cannot be written. After all of them, and after a cancel, what has come is kept;
    except after a `DigestError`, when it is no good.
    """
    path = Path(path)
    async with borrow(session) as asked:
        found = await _already_here(url, path, asked, progress)
        if found is not None:
            return found
        file = await PartFile.open(path)
        try:
            fetched = await fetch(url, file, asked, progress)
            await file.finish()
        except DigestError:
            await file.discard()
            raise
        finally:
            file.close()
        return Download(
            path, fetched.size, fetched.resumed_at, fetched.lost, verified=fetched.verified
        )


async def _already_here(
    url: str, path: Path, session: Session, progress: Progress
) -> Download | None:
    """The file at `path` if it is the server's, as far as the head of an answer tells."""
    part, _ = part_names(path)
    if await in_thread(lambda: part.exists() or not path.is_file()):
        return None
    headers = {"want-repr-digest": WANT_REPR_DIGEST}
    try:
        async with session.request("HEAD", url, headers=headers) as response:
            if response.status_code != 200:
                return None
            version = read_version(url, response.headers, read_size(response.headers))
    except LostError:  # then it is asked for, and that is tried again
        return None
    size = version.size
    if size is None or not await in_thread(lambda: is_same(path, size, version.modified)):
        return None
    if version.digest is not None:
        progress.begin(Stage.CHECKING, 0, size)
        with Source(path) as source:
            if await source.digest(progress.at) != version.digest:
                return None
    return Download(path, size, verified=version.digest is not None, already=True)


def is_same(path: Path, size: int | None, modified: int | None) -> bool:
    """Whether the file at `path` has this size and this time of modification, in seconds."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    return status.st_size == size and int(status.st_mtime) == modified
