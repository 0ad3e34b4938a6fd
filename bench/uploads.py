"""Sending bodies as large as one likes, so cheaply that the server is what is measured.

The bytes go from the page cache into the socket by sendfile, over and over the same file where the
body is longer than it. Whoever sends waits for the answer, and then looks at what was stored.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.client import Connection, Head, request_head
from bench.model import VoidReadingError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.process import Server

NAME = "upload.bin"
_PATIENCE_SECONDS = 120.0
_COMPARED_BYTES = 1 << 20
_TUS = {"Tus-Resumable": "1.0.0"}


def put(server: Server, source: Path, size: int) -> None:
    """Store `size` bytes of the file `source`, by one PUT.

    Raises:
        VoidReadingError: The answer is not 201 or 204.
    """
    headers = {"Content-Length": str(size)}
    head = _ask(server, request_head("PUT", server.prefix + NAME, headers), source, size)
    if head.status not in {201, 204}:
        raise VoidReadingError(f"status {head.status} to a PUT")


def tus(server: Server, source: Path, size: int) -> None:
    """Store `size` bytes of the file `source`, by tus: one POST, and one PATCH with all of them.

    Raises:
        VoidReadingError: The upload was not made, or not all of it was taken.
    """
    name = base64.b64encode(NAME.encode()).decode()
    described = {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"}
    creation = request_head("POST", server.prefix, {**_TUS, **described, "Content-Length": "0"})
    made = _ask(server, creation)
    if made.status != 201 or "location" not in made.headers:
        raise VoidReadingError(f"status {made.status} to the creation of an upload")
    body = {
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(size),
    }
    path = urlsplit(made.headers["location"]).path
    done = _ask(server, request_head("PATCH", path, {**_TUS, **body}), source, size)
    if done.status != 204 or done.headers.get("upload-offset") != str(size):
        raise VoidReadingError(f"status {done.status} to a PATCH")


def send_from_file(client: Connection, source: Path, size: int) -> None:
    """Send `size` bytes of `source`, beginning again at its start as often as needed.

    Raises:
        VoidReadingError: The server answered instead of taking them all.
    """
    with source.open("rb", buffering=0) as file:
        length, sent = os.fstat(file.fileno()).st_size, 0
        while sent < size:
            start = sent % length
            count = min(length - start, size - sent)
            try:
                sent += os.sendfile(client.socket.fileno(), file.fileno(), start, count)
            except (BrokenPipeError, ConnectionResetError):
                raise VoidReadingError(f"the server took {sent} of {size} bytes") from None


def stored_file(folder: Path, size: int) -> Path:
    """The one file of that size below a folder, wherever its server keeps it.

    Raises:
        VoidReadingError: There is none, or more than one.
    """
    found = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size == size]
    if len(found) != 1:
        raise VoidReadingError(f"{len(found)} files of {size} bytes were stored, not 1")
    return found[0]


def same_bytes(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes."""
    with one.open("rb") as left, other.open("rb") as right:
        while chunk := left.read(_COMPARED_BYTES):
            if right.read(_COMPARED_BYTES) != chunk:
                return False
        return not right.read(1)


def _ask(server: Server, head: bytes, source: Path | None = None, size: int = 0) -> Head:
    with Connection(server.port, patience=_PATIENCE_SECONDS) as client:
        client.socket.sendall(head)
        if source is not None:
            send_from_file(client, source, size)
        return client.read_head()
