"""A site that steers its transfers, and a transfer that is held where a test wants it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.apps.files.sites import Site
from tests.server.client import Client, Reply

from riverrun.flows import Flow, Shape, Waiting
from riverrun.http.request import Request
from riverrun.http.response import Response

MIB = 1 << 20
TRICKLE = Shape(chunk_size=64 * 1024, delay=0.02)


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes of which no two stretches are alike."""
    return random.Random(seed).randbytes(size)


@dataclass
class SteeredSite(Site):
    """Gives every answer the `shape`, and pauses it at its first byte if `paused`."""

    shape: Shape | None = None
    paused: bool = False
    flows: list[Flow] = field(default_factory=list)

    def answer(self, asked: Request, response: Response) -> Awaitable[None]:
        flow = response.flow
        self.flows.append(flow)
        if self.shape is not None:
            flow.shape = self.shape
        if self.paused:
            flow.pause()
        return self.files(asked, response)

    @asynccontextmanager
    async def transfer(
        self, path: str, *lines: str, receive_buffer: int | None = None
    ) -> AsyncIterator[Transfer]:
        """Ask for a file whose body is taken step by step."""
        async with self.asking(path, *lines, receive_buffer=receive_buffer) as (client, reply):
            yield Transfer(client, reply, self.flows[-1])


@dataclass
class Transfer:
    """An answer whose head has come, and `body` as far as it has been taken."""

    client: Client
    reply: Reply
    flow: Flow
    body: bytearray = field(default_factory=bytearray)

    @property
    def length(self) -> int:
        """What was announced."""
        return int(self.reply["content-length"] or -1)

    async def take(self, size: int) -> None:
        """Take so many more bytes."""
        self.body += await self.client.reader.readexactly(size)

    async def hold(self) -> None:
        """Pause it, and take everything that was on its way."""
        self.flow.pause()
        async with asyncio.timeout(5):
            while self.flow.waiting is not Waiting.PAUSED or len(self.body) < self.flow.moved:
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        self.body += await self.client.reader.read(MIB)

    async def rest(self) -> None:
        """Take what still comes: all that was announced, or less when it is cut."""
        async with asyncio.timeout(20):
            with suppress(ConnectionError):
                while len(self.body) != self.length:
                    chunk = await self.client.reader.read(MIB)
                    if not chunk:
                        break
                    self.body += chunk

    @property
    def cut(self) -> bool:
        """Whether less came than was announced."""
        return len(self.body) < self.length
