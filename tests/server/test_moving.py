"""Bodies that a thread moves from the socket to a file."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import PATIENCE, Client, request, until

from riverrun.errors import ClosedError, DisconnectedError
from riverrun.http.limits import KIB, MIB
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.io.partial_file import PartialFile
from riverrun.io.splice import Splice


@pytest.fixture
def file(tmp_path: Path) -> Iterator[PartialFile]:
    file = PartialFile(os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT))
    yield file
    file.close()


class Gated(Splice):
    """One whose moves begin and are over only when it is told so."""

    __slots__ = ("begin", "called", "moved", "over")

    def __init__(self, file: PartialFile) -> None:
        super().__init__(file)
        self.called = threading.Event()
        self.begin = threading.Event()
        self.moved = threading.Event()
        self.over = threading.Event()

    def move(
        self, first: Sequence[bytes], source: int, most: int, wanted: Callable[[], bool]
    ) -> None:
        self.called.set()
        assert self.begin.wait(PATIENCE)
        super().move(first, source, most, wanted)
        self.moved.set()
        assert self.over.wait(PATIENCE)

    async def move_what_comes(self, client: Client, content: bytes) -> asyncio.Task[None]:
        """Have `client` send `content` once the socket is the thread's; return when some moved."""
        await until(self.called.is_set)
        sending = asyncio.ensure_future(client.send(content))
        await asyncio.sleep(0.01)
        self.begin.set()
        await until(self.moved.is_set)
        assert self.taken
        return sending


async def store(request: Request, file: PartialFile, splice: Splice) -> int:
    """Store a body; return how many bytes were moved."""
    while chunks := await request.read_chunks():
        if not await request.move(chunks, splice, MIB):
            await file.write(chunks)
    return splice.taken


def sending(length: int, *lines: str) -> bytes:
    return request("/", "PUT", f"Content-Length: {length}", *lines)


@pytest.fixture
def fast(transport_kind: str) -> None:
    if transport_kind == "plain":
        pytest.skip("nothing is done past transports that are not aiofastnet's")


async def test_a_body_arrives_whole_and_what_follows_it_is_the_next_request(
    serve: Serve, file: PartialFile, tmp_path: Path, transport_kind: str
) -> None:
    moved: list[int] = []

    async def handler(request: Request, response: Response) -> None:
        if request.method == "PUT":
            moved.append(await store(request, file, Splice(file)))
            assert request.flow.moved == request.content_length
        await response.end(request.path.encode())

    server = await serve(handler)
    content = os.urandom(8 * MIB)
    async with await Client.connect(server) as client:
        await client.send(sending(len(content)) + content + request("/next"))
        assert (await client.reply()).body == b"/"
        assert (await client.reply()).body == b"/next"
        assert (await client.ask("/last")).body == b"/last"
    assert (tmp_path / "file").read_bytes() == content
    assert (moved[0] > MIB) == (transport_kind == "aiofastnet")
    assert server.vitals.received == len(content)


async def test_a_chunked_body_must_be_read(serve: Serve, file: PartialFile) -> None:
    answers: list[bool] = []

    async def handler(request: Request, response: Response) -> None:
        chunks = await request.read_chunks()
        answers.append(await request.move(chunks, Splice(file), MIB))
        await response.end()

    server = await serve(handler)
    chunk = b"1000\r\n" + bytes(0x1000) + b"\r\n"
    async with await Client.connect(server) as client:
        await client.send(request("/", "PUT", "Transfer-Encoding: chunked") + chunk * 50)
        await client.reply()
    assert (answers, file.size) == ([False], 0)


async def test_a_steered_body_must_be_read(serve: Serve, file: PartialFile) -> None:
    answers: list[bool] = []

    async def handler(request: Request, response: Response) -> None:
        chunks = await request.read_chunks()
        request.flow.rate = 1e9
        answers.append(await request.move(chunks, Splice(file), MIB))
        await response.end()

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(sending(MIB) + bytes(100))
        await client.reply()
    assert (answers, file.size) == ([False], 0)


async def test_a_client_that_leaves_has_left_what_it_had_sent(
    serve: Serve, file: PartialFile, tmp_path: Path
) -> None:
    ends: list[BaseException] = []
    content = os.urandom(2 * MIB)

    async def handler(request: Request, response: Response) -> None:
        try:
            await store(request, file, Splice(file))
        except (DisconnectedError, asyncio.CancelledError) as end:
            ends.append(end)
            raise

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(sending(4 * MIB) + content)
        await until(lambda: file.size == len(content))
    await until(lambda: ends)
    assert (tmp_path / "file").read_bytes() == content


@pytest.mark.usefixtures("fast")
async def test_a_cancel_waits_for_the_thread_and_counts_what_it_took(
    serve: Serve, file: PartialFile, tmp_path: Path
) -> None:
    splice = Gated(file)
    content = os.urandom(512 * KIB)
    handling: list[asyncio.Task[None]] = []

    async def handler(request: Request, response: Response) -> None:
        task = asyncio.ensure_future(move_some(request))
        handling.append(task)
        with suppress(asyncio.CancelledError):
            await task
        rest = await request.body()
        await response.end(b"%d %d" % (splice.taken, len(rest)))

    async def move_some(request: Request) -> None:
        await request.move(await request.read_chunks(), splice, 256 * KIB)

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(sending(len(content)) + content[:100])
        rest_sent = await splice.move_what_comes(client, content[100:])
        handling[0].cancel()
        await asyncio.sleep(0.02)
        assert not handling[0].done()
        splice.over.set()
        taken, rest = map(int, (await client.reply()).body.split())
        assert taken == splice.taken
        await rest_sent
        stored = (tmp_path / "file").read_bytes()
        assert stored == content[: len(stored)]
        assert len(stored) + rest == len(content)
        assert (await client.ask("/", "PUT", body=b"")).status == 200


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("length", [200 * KIB, 4 * MIB])
async def test_what_outlives_its_handler_leaves_the_connection_in_step(
    serve: Serve, file: PartialFile, length: int
) -> None:
    """The rest of a body, large or small, is never taken for a request."""
    splice = Gated(file)
    storing: list[asyncio.Task[int]] = []

    async def handler(request: Request, response: Response) -> None:
        if request.method == "PUT":
            storing.append(asyncio.ensure_future(store(request, file, splice)))
            await until(splice.moved.is_set)
        await response.end(request.path.encode())

    server = await serve(handler)
    body = request("/smuggled").ljust(128, b"\n") * (length // 128)
    async with await Client.connect(server) as client:
        await client.send(sending(length) + body[:128])
        rest_sent = await splice.move_what_comes(client, body[128:] + request("/next"))
        assert (await client.reply()).body == b"/"
        splice.over.set()
        with pytest.raises(ClosedError):
            await storing[0]
        if length > server.options.limits.linger_size:
            with suppress(ConnectionError):
                assert await client.ends() == b""
        else:
            assert (await client.reply()).body == b"/next"
        with suppress(ConnectionError):
            await rest_sent


@pytest.mark.usefixtures("fast")
async def test_what_is_the_threads_to_move_is_not_dropped_meanwhile(
    serve: Serve, file: PartialFile, tmp_path: Path
) -> None:
    splice = Gated(file)
    splice.over.set()
    storing: list[asyncio.Task[int]] = []

    async def handler(request: Request, response: Response) -> None:
        storing.append(asyncio.ensure_future(store(request, file, splice)))
        await until(splice.called.is_set)
        await response.end()

    server = await serve(handler)
    content = os.urandom(4 * MIB)
    async with await Client.connect(server) as client:
        await client.send(sending(len(content)) + content[:100])
        await client.reply()
        rest_sent = await splice.move_what_comes(client, content[100:])
        with pytest.raises(ClosedError):
            await storing[0]
        stored = (tmp_path / "file").read_bytes()
        assert stored == content[: len(stored)]
        with suppress(ConnectionError):
            await client.ends()
        with suppress(ConnectionError):
            await rest_sent


@pytest.mark.usefixtures("fast")
async def test_a_connection_that_is_cut_meanwhile_is_let_go_of(
    serve: Serve, file: PartialFile
) -> None:
    splice = Gated(file)
    ended = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        try:
            await store(request, file, splice)
        finally:
            ended.set()

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(sending(4 * MIB) + bytes(100))
        rest_sent = await splice.move_what_comes(client, bytes(MIB))
        (connection,) = server.connections
        connection.abort()
        await until(lambda: not server.connections)
        assert not ended.is_set()
        splice.over.set()
        await asyncio.wait_for(ended.wait(), 5)
        with suppress(ConnectionError):
            assert await client.ends() == b""
        with suppress(ConnectionError):
            await rest_sent
