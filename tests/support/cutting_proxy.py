"""A proxy whose connections are cut: what a network does, at will and again in the same way.

It listens on 127.0.0.1 and passes bytes to a port there and back. Each connection is cut when so
many bytes have passed, both directions together, as a random number from `shortest` to `longest`
says; about every other one with a reset, the others as if the far side had ended. A reset takes
with it what was passed and not yet read, so `resets=False` is for those who look at what came.
Connection by connection the numbers depend on nothing but `seed`.

    async with CuttingProxy(port, seed=1, shortest=1000, longest=100_000) as proxy: ...
    with proxy_in_thread(port, seed=1, shortest=1000, longest=100_000) as proxy: ...

`proxy.hold_after(n)` passes nothing more to the server when it has got n bytes, and cuts nothing:
the network has gone. `proxy.mend()` lets everything pass, until `proxy.cut_again()`.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

READ_SIZE = 128 * 1024
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, no time, so that close sends a reset


class CuttingProxy:
    """A proxy for `target_port`; an asynchronous context manager.

    `port` is where it listens; `connections` and `cuts` count, `sent` and `received` are the bytes
    that it has passed to the server and from it.
    """

    def __init__(
        self, target_port: int, seed: int, shortest: int, longest: int, *, resets: bool = True
    ) -> None:
        self.port = 0
        self.connections = 0
        self.cuts = 0
        self.sent = 0
        self.received = 0
        self._target_port = target_port
        self._random = random.Random(seed)
        self._range = shortest, longest
        self._resets = resets
        self._mended = False
        self._held_at: int | None = None
        self._served: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._closing: set[asyncio.Future[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=READ_SIZE)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        await asyncio.sleep(0)  # for a connection that is just being accepted
        served = dict(self._served)
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)
        self._close(*served.values())  # one whose task had not begun is open
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._server.wait_closed()
        for _ in range(3):  # for the transports of connections that were just being made
            await asyncio.sleep(0)

    def mend(self) -> None:
        """Cut no more, and hold nothing back."""
        self._mended = True
        self._held_at = None

    def cut_again(self) -> None:
        """Cut as before, those at once that have passed their number meanwhile."""
        self._mended = False

    def hold_after(self, sent: int) -> None:
        """Cut no more; pass nothing on to the server when `sent` bytes have been."""
        self._mended = True
        self._held_at = sent

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: that of asyncio's would report being cancelled.
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._served[task] = writer
        task.add_done_callback(self._served.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        left, reset = self._random.randint(*self._range), self._random.random() < 0.5
        line = _Line(left, resets=reset and self._resets)
        try:
            far_reader, far_writer = await asyncio.open_connection(
                "127.0.0.1", self._target_port, limit=READ_SIZE
            )
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(
                self._pass(line, reader, far_writer, to_server=True),
                self._pass(line, far_reader, writer, to_server=False),
            )
        except OSError:
            pass  # one of the two has gone, as they do
        except _CutError:
            self.cuts += 1
            if line.resets:
                for one in (writer, far_writer):
                    _reset_at_close(one)
        finally:
            self._close(writer, far_writer)

    def _close(self, *writers: asyncio.StreamWriter) -> None:
        """Close them now; whoever may be cancelled does not wait for it, the proxy's end does."""
        for writer in writers:
            writer.transport.abort()
            closing = asyncio.ensure_future(writer.wait_closed())
            self._closing.add(closing)
            closing.add_done_callback(self._closed)

    def _closed(self, closing: asyncio.Future[None]) -> None:
        self._closing.discard(closing)
        closing.exception()  # that it was cut is no news

    async def _pass(
        self,
        line: _Line,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        to_server: bool,
    ) -> None:
        while chunk := await reader.read(READ_SIZE):
            if not self._mended:
                chunk = chunk[: max(line.left, 0)]
            line.left -= len(chunk)
            while to_server and self._held_at is not None and self.sent >= self._held_at:
                await asyncio.sleep(0.01)
            if to_server:
                self.sent += len(chunk)
            else:
                self.received += len(chunk)
            writer.write(chunk)
            await writer.drain()
            if line.left <= 0 and not self._mended:
                raise _CutError
        with suppress(OSError):
            writer.write_eof()


class _Line:
    """What is left of one connection, in bytes, and how it ends."""

    def __init__(self, left: int, *, resets: bool) -> None:
        self.left = left
        self.resets = resets


class _CutError(Exception):
    """It is time."""


def _reset_at_close(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


@contextmanager
def proxy_in_thread(
    target_port: int, *, seed: int, shortest: int, longest: int, resets: bool = True
) -> Iterator[CuttingProxy]:
    """A `CuttingProxy` with an event loop of its own, for tests that have none."""
    proxy = CuttingProxy(target_port, seed, shortest, longest, resets=resets)
    started = threading.Event()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def live() -> None:
        async with proxy:
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()), name="proxy")
    thread.start()
    assert started.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()
