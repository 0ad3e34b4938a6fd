"""A folder behind a real server, and questions to it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.server.client import Client, Reply, request, until

from riverrun.apps.files import Files
from riverrun.server import Server

DESCRIPTORS = Path("/proc/self/fd")
BROWSER = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SECRET = b"nobody may read this"


@dataclass
class Site:
    """What is served: `folder`, which has neighbours that are not."""

    folder: Path
    files: Files
    server: Server

    def add(self, name: str, content: bytes = b"", *, modified: float | None = None) -> Path:
        """Make a file, and the folders that lead to it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if modified is not None:
            os.utime(path, (modified, modified))
        return path

    async def get(self, path: str, *lines: str, method: str = "GET") -> Reply:
        """Ask once, on a connection of its own."""
        async with await Client.connect(self.server) as client:
            return await client.ask(path, method, *lines)

    async def etag(self, path: str, *lines: str) -> str:
        """The entity tag that is sent with a file."""
        tag = (await self.get(path, *lines, method="HEAD"))["etag"]
        assert tag is not None
        return tag

    async def raw(self, data: bytes) -> bytes:
        """Send `data` as it is, and take what comes until the server closes."""
        async with await Client.connect(self.server) as client:
            await client.send(data)
            return await client.ends()

    @asynccontextmanager
    async def asking(
        self, path: str, *lines: str, receive_buffer: int | None = None
    ) -> AsyncIterator[tuple[Client, Reply]]:
        """Ask, take the head of the answer, and leave its body to the block."""
        client = await Client.connect(self.server, receive_buffer=receive_buffer)
        async with client:
            await client.send(request(path, "GET", *lines))
            async with asyncio.timeout(5):
                yield client, await client._head()


def open_descriptors() -> set[int]:
    """The numbers that are open now, but for the one that this takes itself."""
    return {int(path.name) for path in DESCRIPTORS.iterdir() if path.exists()}


@asynccontextmanager
async def leaving_no_descriptors() -> AsyncIterator[None]:
    """Fail unless as many descriptors are open behind the block as before it, within seconds."""
    before = len(open_descriptors())
    yield
    await until(lambda: len(open_descriptors()) <= before)


async def taken(client: Client) -> bytes:
    """What still comes, until the server ends or resets the connection."""
    body = bytearray()
    async with asyncio.timeout(5):
        with suppress(ConnectionError):
            while chunk := await client.reader.read(1 << 16):
                body += chunk
    return bytes(body)


def owed(reply: Reply, names: Iterable[str]) -> dict[str, str | None]:
    """Some fields of a reply, None for those that were not sent."""
    return {name: reply[name] for name in names}


def varies_on(reply: Reply) -> set[str]:
    """The fields of a request that make an answer another one (RFC 9110, 12.5.5)."""
    lists = [value for name, value in reply.fields if name == "vary"]
    return {name.strip().lower() for value in lists for name in value.split(",")}
