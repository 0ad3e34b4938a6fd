"""A folder that takes uploads, behind a real server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.server.client import Client, Reply, until

from riverrun.apps.uploads import Upload, Uploads
from riverrun.server import Server


@dataclass
class Inbox:
    """What is served."""

    folder: Path
    uploads: Uploads
    server: Server

    async def connect(self) -> Client:
        return await Client.connect(self.server)

    async def ask(self, method: str, path: str, *lines: str, body: bytes | None = None) -> Reply:
        """Ask once, on a connection of its own."""
        async with await self.connect() as client:
            return await client.ask(path, method, *lines, body=body)

    @property
    def waiting(self) -> list[str]:
        """The names of the files in which uploads grow."""
        return sorted(path.name for path in (self.folder / ".riverrun" / "uploads").iterdir())

    @property
    def names(self) -> list[str]:
        """What the folder holds, the store aside."""
        return sorted(path.name for path in self.folder.iterdir() if path.name != ".riverrun")

    async def only_upload(self, *, offset: int = 0) -> Upload:
        """The only upload, once it has `offset` bytes."""
        await until(lambda: [upload for upload in self.uploads.store if upload.offset >= offset])
        (upload,) = self.uploads.store
        return upload


def sending(path: str, length: int, *lines: str, method: str = "PUT") -> bytes:
    """The head of a request whose body follows."""
    fields = ["Host: a", *lines, f"Content-Length: {length}"]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""]).encode()
