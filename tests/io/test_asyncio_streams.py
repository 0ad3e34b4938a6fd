"""asyncio's streams as sources and sinks, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from riverrun.errors import DisconnectedError
from riverrun.io import ReaderSource, WriterSink
from riverrun.streams import Readable, Writable, collect, pipeline
from riverrun.testing import Received, check_readable, check_writable

WHOLE = bytes(range(256)) * 100


class Sockets:
    """Connected pairs over TCP, closed in the end."""

    def __init__(self) -> None:
        self.opened: list[socket.socket | asyncio.StreamWriter] = []

    def pair(self) -> tuple[socket.socket, socket.socket]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            near = socket.create_connection(listener.getsockname())
            far, _ = listener.accept()
        for each in (near, far):
            each.setblocking(False)
        self.opened += (near, far)
        return near, far

    async def stream(
        self, near: socket.socket
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(sock=near)
        self.opened.append(writer)
        return reader, writer

    async def source(self, data: bytes, *, ended: bool = True) -> tuple[Readable, socket.socket]:
        near, far = self.pair()
        reader, writer = await self.stream(near)
        await asyncio.get_running_loop().sock_sendall(far, data)
        if ended:
            far.shutdown(socket.SHUT_WR)
        return ReaderSource(reader, writer, high_water_mark=1000), far

    async def sink(self) -> tuple[Writable, Received]:
        near, far = self.pair()
        _, writer = await self.stream(near)

        async def received() -> bytes:
            got = []
            while chunk := await asyncio.get_running_loop().sock_recv(far, 65536):
                got.append(chunk)
            return b"".join(got)

        return WriterSink(writer), received

    async def close(self) -> None:
        for each in self.opened:
            each.close()
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
async def sockets() -> AsyncIterator[Sockets]:
    sockets = Sockets()
    yield sockets
    await sockets.close()


async def test_a_reader_keeps_the_contract(sockets: Sockets) -> None:
    async def whole() -> Readable:
        return (await sockets.source(WHOLE))[0]

    async def silent() -> Readable:
        return (await sockets.source(b"", ended=False))[0]

    async def reset() -> Readable:
        source, far = await sockets.source(b"chunk", ended=False)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        far.close()
        return source

    await check_readable(whole, clogged=silent, broken=reset)


async def test_a_writer_keeps_the_contract(sockets: Sockets) -> None:
    async def lost() -> Writable:
        near, far = sockets.pair()
        _, writer = await sockets.stream(near)
        far.close()
        return WriterSink(writer)

    await check_writable(sockets.sink, clogged=sockets.sink, broken=lost)


async def test_a_peer_that_resets_is_told_from_one_that_ends(sockets: Sockets) -> None:
    source, far = await sockets.source(b"", ended=False)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    far.close()
    with pytest.raises(DisconnectedError):
        await source.read()
    await source.aclose()


async def test_closing_the_source_closes_its_transport(sockets: Sockets) -> None:
    source, far = await sockets.source(b"", ended=False)
    await source.aclose()
    assert await asyncio.get_running_loop().sock_recv(far, 1) == b""


async def test_a_source_without_a_transport_leaves_the_connection_open(sockets: Sockets) -> None:
    near, _ = sockets.pair()
    reader, writer = await sockets.stream(near)
    await ReaderSource(reader).aclose()
    assert not writer.is_closing()


async def test_megabytes_go_through_a_connection_at_the_pace_of_its_reader(
    sockets: Sockets,
) -> None:
    near, far = sockets.pair()
    _, writer = await sockets.stream(near)
    reader, _ = await sockets.stream(far)
    most = 0

    async def watched() -> AsyncIterator[bytes]:
        nonlocal most
        for _ in range(200):
            most = max(most, writer.transport.get_write_buffer_size())
            yield bytes(20_000)

    moved, got = await asyncio.gather(
        pipeline(watched(), WriterSink(writer)), collect(ReaderSource(reader))
    )
    assert (moved, len(got)) == (4_000_000, 4_000_000)
    assert most <= 64 * 1024 + 20_000


async def test_over_a_unix_socket_an_abort_drops_what_waits(sockets: Sockets) -> None:
    near, far = socket.socketpair()
    far.setblocking(False)
    sockets.opened += (near, far)
    _, writer = await sockets.stream(near)
    sink = WriterSink(writer)
    with suppress(TimeoutError):
        await asyncio.wait_for(sink.write(bytes(10_000_000)), 0.01)
    sink.abort()
    got = 0
    while chunk := await asyncio.get_running_loop().sock_recv(far, 1 << 20):
        got += len(chunk)
    assert 0 < got < 10_000_000
