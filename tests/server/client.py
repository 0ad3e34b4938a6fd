"""A client that does what it is told, right or wrong, and tells what came back."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self, cast

from riverrun.server import Server
from riverrun.server.connection import Connection

BODYLESS = (204, 304)
PATIENCE = 20.0  # on a machine that does many other things


@dataclass
class Reply:
    """A response, and what came before it."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    interim: list[Reply] = field(default_factory=list)

    def __getitem__(self, name: str) -> str | None:
        values = [value for other, value in self.fields if other == name]
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    @property
    def closes(self) -> bool:
        return self["connection"] == "close"


class Client:
    """One connection to a server; `reader` and `writer` are there for everything else."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def _transport(self) -> asyncio.Transport:
        return cast("asyncio.Transport", self.writer.transport)  # for reading as well

    @classmethod
    async def connect(
        cls, server: Server, *, receive_buffer: int | None = None, limit: int = 1 << 16
    ) -> Client:
        """`receive_buffer` bounds what the kernel takes for it, `limit` what asyncio does."""
        assert server.port is not None
        connected = socket.socket()
        try:
            connected.setblocking(False)
            if receive_buffer:
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", server.port))
        except OSError:
            connected.close()
            raise
        return cls(*await asyncio.open_connection(sock=connected, limit=limit))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def push(self, data: bytes) -> None:
        """Send a little at once, past everything that waits in this client."""
        assert os.write(self.writer.get_extra_info("socket").fileno(), data) == len(data)

    def stop_reading(self) -> None:
        """Take nothing more, until `go_on_reading`."""
        self._transport.pause_reading()

    def go_on_reading(self) -> None:
        self._transport.resume_reading()

    async def ask(
        self, path: str = "/", method: str = "GET", *lines: str, body: bytes | None = None
    ) -> Reply:
        """Send a well-formed request and take its answer."""
        await self.send(request(path, method, *lines, body=body))
        return await self.reply(method)

    async def reply(self, method: str = "GET") -> Reply:
        """Take the next answer; `IncompleteReadError` or `ConnectionError` if it is cut short."""
        async with asyncio.timeout(PATIENCE):
            interim: list[Reply] = []
            while (head := await self._head()).status < 200:
                interim.append(head)
            head.interim = interim
            if method != "HEAD" and head.status not in BODYLESS:
                await self._body(head)
            return head

    async def ends(self) -> bytes:
        """What still comes before the server closes; `ConnectionError` if it resets."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def is_cut(self) -> bool:
        """Wait until the server closes or resets, whatever comes before."""
        with suppress(ConnectionError):
            await self.ends()
        return True

    async def _head(self) -> Reply:
        head = await self.reader.readuntil(b"\r\n\r\n")
        status_line, *lines = head[:-4].decode("latin-1").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        assert version == "HTTP/1.1"
        return Reply(int(status), _fields(lines))

    async def _body(self, reply: Reply) -> None:
        if reply["transfer-encoding"] is not None:
            assert reply["transfer-encoding"] == "chunked"
            assert reply["content-length"] is None
            await self._chunks(reply)
        elif reply["content-length"] is not None:
            reply.body = await self.reader.readexactly(int(reply["content-length"]))
        else:
            assert reply.closes
            reply.body = await self.reader.read()

    async def _chunks(self, reply: Reply) -> None:
        chunks = []
        while size := int(await self._line(), 16):
            chunks.append(await self.reader.readexactly(size))
            assert await self.reader.readexactly(2) == b"\r\n"
        reply.body = b"".join(chunks)
        lines = []
        while line := await self._line():
            lines.append(line)
        reply.trailers = _fields(lines)

    async def _line(self) -> str:
        return (await self.reader.readuntil(b"\r\n"))[:-2].decode("latin-1")


def _fields(lines: list[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]


def request(path: str = "/", method: str = "GET", *lines: str, body: bytes | None = None) -> bytes:
    """A well-formed request in HTTP/1.1, counted if it has a body."""
    fields = ["Host: a", *lines]
    if body is not None:
        fields.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""])
    return head.encode() + (body or b"")


async def until(condition: Callable[[], object], *, seconds: float = PATIENCE) -> None:
    """Wait until `condition()` is true; fails if it does not become so."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


async def at_rest(value: Callable[[], int], *, seconds: float = PATIENCE) -> int:
    """Wait until `value()` has not changed for a tenth of a second; return what it is then."""
    async with asyncio.timeout(seconds):
        last = -1
        while last != (last := value()):
            await asyncio.sleep(0.1)
    return last


async def connection_of(server: Server) -> Connection:
    """The server's only connection, once it has one."""
    await until(lambda: server.connections)
    (connection,) = server.connections
    return connection
