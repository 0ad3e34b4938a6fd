"""asyncio's own streams as a source and a sink, for sockets and whatever else gives them."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Protocol

from riverrun.errors import DisconnectedError
from riverrun.streams import BufferedSink, Source

DEFAULT_HIGH_WATER_MARK = 64 * 1024
LINGER_FOR_NOTHING = struct.pack("ii", 1, 0)


class Closable(Protocol):
    """A `StreamWriter` or a transport."""

    def close(self) -> None:
        """Start to close."""


class ReaderSource(Source):
    """A `Readable` of an `asyncio.StreamReader`.

    Closing it closes `connection`: give the `StreamWriter` that came with the reader, unless
    somebody else closes that. `high_water_mark` is the size of the largest chunk when none is
    asked for; when to stop the sender is up to the reader's own limit.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        connection: Closable | None = None,
        *,
        high_water_mark: int = DEFAULT_HIGH_WATER_MARK,
    ) -> None:
        super().__init__()
        self._reader = reader
        self._connection = connection
        self.high_water_mark = high_water_mark

    async def _fetch(self, max_bytes: int | None) -> bytes:
        return await self._reader.read(max_bytes or self.high_water_mark)

    async def _release(self) -> None:
        if self._connection is not None:
            self._connection.close()


class WriterSink(BufferedSink):
    """A `Writable` of an `asyncio.StreamWriter`; its end closes the writer.

    The marks are those of the writer's transport. An abort drops what waits and, over TCP, resets
    the connection: a mere close would look like an end to the peer.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__()
        self._writer = writer

    def _full(self) -> bool:
        transport = self._writer.transport
        _, high_water_mark = transport.get_write_buffer_limits()
        return transport.get_write_buffer_size() > high_water_mark

    def _try_accept(self, chunk: bytes) -> bool:
        if self._writer.transport.is_closing():
            raise DisconnectedError("the connection is closed")
        if self._full():
            return False
        self._writer.write(chunk)
        return True

    async def _drain(self) -> None:
        await self._writer.drain()

    async def _finish(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    def _abandon(self, error: BaseException | None) -> None:  # noqa: ARG002
        connection: socket.socket | None = self._writer.get_extra_info("socket")
        if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
            with suppress(OSError):  # it may be closed already
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_FOR_NOTHING)
        self._writer.transport.abort()
