"""Requests that come in the same turn of the loop: handled together, answered together."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from tests.conftest import Serve
from tests.server.client import Client, request

from riverrun.apps.files import Files
from riverrun.http.limits import KIB
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Server
from riverrun.server.connection import Connection
from riverrun.server.turns import ANSWERS_TOGETHER, SMALL_ANSWER, SMALL_ARRIVAL, Turn
from riverrun.server.wire import SocketWire


class Told:
    """Answers with the path; notes the order of calls, and how many answers were out by then."""

    def __init__(self) -> None:
        self.clients: list[Client] = []
        self.calls: list[str] = []
        self.answered: list[int] = []

    async def __call__(self, request: Request, response: Response) -> None:
        self.calls.append(request.path)
        self.answered.append(sum(waits_to_be_read(client) for client in self.clients))
        await response.end(request.path.encode())


def waits_to_be_read(client: Client) -> bool:
    """Whether something has come that the client has not taken from its socket."""
    with socket.socket(fileno=os.dup(client.writer.get_extra_info("socket").fileno())) as same:
        try:
            return bool(same.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return False


@asynccontextmanager
async def connected(server: Server, count: int) -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(await Client.connect(server)) for _ in range(count)
        ]
        for client in clients:
            assert (await client.ask("/before")).status == 200
        yield clients


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Files]:
    files = Files(tmp_path)
    yield files
    files.root.close()


async def test_all_are_handled_before_the_first_is_answered(serve: Serve) -> None:
    told = Told()
    async with connected(await serve(told), 10) as clients:
        told.clients, told.calls, told.answered = clients, [], []
        for number, client in enumerate(clients):
            client.push(request(f"/{number}"))
        replies = [await client.reply() for client in clients]
    assert [reply.body for reply in replies] == [b"/%d" % number for number in range(10)]
    assert told.answered == [0] * 10


async def test_the_first_answers_do_not_wait_for_many_others(serve: Serve) -> None:
    count = 3 * ANSWERS_TOGETHER
    told = Told()
    async with connected(await serve(told), count) as clients:
        told.clients, told.calls, told.answered = clients, [], []
        for number, client in enumerate(clients):
            client.push(request(f"/{number}"))
        replies = [await client.reply() for client in clients]
    assert [reply.body for reply in replies] == [b"/%d" % number for number in range(count)]
    assert max(called - out for called, out in enumerate(told.answered)) <= ANSWERS_TOGETHER
    assert told.answered[-1] > 0


async def test_answers_on_one_connection_keep_their_order(
    serve: Serve, folder: Files, tmp_path: Path
) -> None:
    sizes = (10, 100 * KIB, 20, SMALL_ANSWER + 1, 0, 30)
    for number, size in enumerate(sizes):
        (tmp_path / f"{number}.bin").write_bytes(bytes([number]) * size)
    server = await serve(folder)
    async with await Client.connect(server) as client:
        client.push(b"".join(request(f"/{number}.bin") for number in range(len(sizes))))
        for number, size in enumerate(sizes):
            assert (await client.reply()).body == bytes([number]) * size


async def test_a_whole_answer_arrives_before_a_cut(serve: Serve) -> None:
    async def answer(request: Request, response: Response) -> None:
        if request.path == "/cut":
            response.headers["content-length"] = "10"
            await response.write(b"short")
            response.abort()
        else:
            await response.end(b"whole")

    server = await serve(answer)
    async with await Client.connect(server) as client:
        client.push(request("/whole") + request("/cut"))
        assert (await client.reply()).body == b"whole"
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.reply()


@pytest.mark.parametrize("field", ["Connection: close", "X: y"])
async def test_a_client_that_ends_its_input_at_once_is_answered(
    serve: Serve, folder: Files, tmp_path: Path, field: str
) -> None:
    (tmp_path / "a.bin").write_bytes(b"whole")
    server = await serve(folder)
    async with await Client.connect(server) as client:
        client.push(request("/a.bin", "GET", field))
        client.writer.write_eof()
        assert (await client.reply()).body == b"whole"
        assert await client.ends() == b""


async def test_what_may_be_changed_is_sent_as_it_was(serve: Serve) -> None:
    shared = bytearray(b"first")

    async def answer(request: Request, response: Response) -> None:
        await response.end(shared if request.path == "/bytearray" else memoryview(shared))
        shared[:] = b"other"

    server = await serve(answer)
    for path in ("/bytearray", "/memoryview"):
        shared[:] = b"first"
        async with await Client.connect(server) as client:
            assert (await client.ask(path)).body == b"first"


@pytest.mark.parametrize("size", [SMALL_ARRIVAL - 100, 3 * SMALL_ARRIVAL])
async def test_what_comes_in_parts_keeps_its_order(serve: Serve, size: int) -> None:
    async def echo(request: Request, response: Response) -> None:
        await response.end(b"".join([chunk async for chunk in request]))

    body = os.urandom(size)
    server = await serve(echo)
    async with await Client.connect(server) as client:
        head, rest = request("/", "PUT", body=body).split(b"\r\n\r\n", 1)
        client.push(head)
        client.push(b"\r\n\r\n" + rest[:10])
        client.push(rest[10:])
        assert (await client.reply()).body == body


async def test_a_connection_that_fails_takes_no_other_with_it(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    server = await serve(told)
    failures: list[dict[str, object]] = []
    server.loop.set_exception_handler(lambda _, context: failures.append(context))
    head_received = Connection.head_received

    def fail(self: Connection, request: Request) -> None:
        if request.path == "/1":
            raise RuntimeError("a mistake of ours")
        head_received(self, request)

    monkeypatch.setattr(Connection, "head_received", fail)
    async with connected(server, 3) as clients:
        for number, client in enumerate(clients):
            client.push(request(f"/{number}"))
        assert (await clients[0].reply()).body == b"/0"
        assert await clients[1].is_cut()
        assert (await clients[2].reply()).body == b"/2"
    assert [str(cast("Exception", failure["exception"])) for failure in failures] == [
        "a mistake of ours"
    ]


async def test_a_turn_ends_whatever_fails_in_it() -> None:
    """What was looked at for one turn must not answer in the next."""
    ended: list[str] = []

    class Asks:
        def receive(self, _data: bytes) -> None:
            turn.call_at_end(fail_to_close)
            turn.call_at_end(lambda: ended.append("end"))
            turn.add_answer(cast("SocketWire", self))

        def flush(self) -> None:
            ended.append("flush")
            raise RuntimeError("a mistake of ours")

    def fail_to_close() -> None:
        raise OSError(5, "Input/output error")

    turn = Turn(asyncio.get_running_loop())
    turn.add(cast("Connection", Asks()), b"")
    with pytest.raises(RuntimeError):
        turn.handle()
    assert ended == ["flush", "end"]
    turn.handle()  # which the loop will call too
    assert ended == ["flush", "end"]
