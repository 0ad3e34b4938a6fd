"""Answers from files that leave together, as what is answered in the same turn does."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, Reply, request

from riverrun.apps.files import Files
from riverrun.http.limits import KIB

CONTENT = os.urandom(100 * KIB)
COUNT = 5
numbers = count()
Sendfile = Callable[[int, int, int, int], int]


@pytest.fixture(autouse=True)
def transport_kind() -> str:
    """Only what aiofastnet's transports let past them is sent so."""
    return "aiofastnet"


@pytest.fixture
async def clients(serve: Serve, tmp_path: Path) -> AsyncIterator[list[Client]]:
    """Clients of a folder, each of which has taken a file whole."""
    (tmp_path / "file.bin").write_bytes(CONTENT)
    files = Files(tmp_path)
    server = await serve(files)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(await Client.connect(server)) for _ in "12345"]
        for client in clients:
            assert (await client.ask("/file.bin")).body == CONTENT
        yield clients
    files.root.close()


@pytest.fixture
def replace(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sendfile], None]:
    return lambda sendfile: monkeypatch.setattr(os, "sendfile", sendfile)


def ask_all(clients: list[Client], *lines: str) -> None:
    """Ask each for the file, in a way in which nobody has asked before (see `Repeats`)."""
    for client in clients:
        client.push(request("/file.bin", "GET", f"X-Number: {next(numbers)}", *lines))
    time.sleep(0.05)  # a busy kernel may take a moment, and they are to come in one turn


async def test_all_are_handled_before_the_first_is_answered(
    clients: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    opened, sendfile = os.open, os.sendfile

    def open_noting(*arguments: object, **options: object) -> int:
        steps.append("open")
        return opened(*arguments, **options)  # type: ignore[arg-type]

    def send_noting(*arguments: int) -> int:
        steps.append("send")
        return sendfile(*arguments)

    monkeypatch.setattr(os, "open", open_noting)
    monkeypatch.setattr(os, "sendfile", send_noting)
    ask_all(clients)
    for client in clients:
        assert (await client.reply()).body == CONTENT
    assert steps == ["open"] * COUNT + ["send"] * COUNT


async def test_ranges_too(clients: list[Client]) -> None:
    ask_all(clients, "Range: bytes=5000-89999")
    for client in clients:
        reply = await client.reply()
        assert (reply.status, reply.body) == (206, CONTENT[5000:90000])


async def test_what_comes_after_it_on_the_connection_comes_after_it(clients: list[Client]) -> None:
    client = clients[0]
    client.push(request("/file.bin") * 3 + request("/missing") + request("/file.bin"))
    replies = [await client.reply() for _ in range(5)]
    assert [reply.status for reply in replies] == [200, 200, 200, 404, 200]
    assert all(reply.body == CONTENT for reply in replies if reply.status == 200)


@pytest.mark.parametrize("field", ["Connection: close", "X: y"])
async def test_it_arrives_before_the_end(clients: list[Client], field: str) -> None:
    ask_all(clients, field)
    for client in clients:
        client.writer.write_eof()
    for client in clients:
        assert (await client.reply()).body == CONTENT
        assert await client.ends() == b""


@pytest.mark.parametrize("taken", [0, 1, 70_000])
async def test_what_the_socket_does_not_take_waits_and_arrives(
    clients: list[Client], replace: Callable[[Sendfile], None], taken: int
) -> None:
    sendfile = os.sendfile

    def send_little(out: int, source: int, offset: int, count: int) -> int:
        if not taken:
            raise BlockingIOError
        return sendfile(out, source, offset, min(count, taken))

    replace(send_little)
    ask_all(clients)
    for client in clients:
        assert (await client.reply()).body == CONTENT
    replace(sendfile)
    ask_all(clients)
    for client in clients:
        assert (await client.reply()).body == CONTENT


async def test_a_head_that_does_not_fit_arrives_with_the_rest(
    clients: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, data: bytes, flags: int) -> int:
        raise BlockingIOError

    monkeypatch.setattr("riverrun.server.sendfile.BorrowedSocket.send", refuse)
    ask_all(clients)
    for client in clients:
        assert (await client.reply()).body == CONTENT


async def test_a_file_that_has_become_shorter_is_seen_to_be_cut(
    clients: list[Client], replace: Callable[[Sendfile], None], tmp_path: Path
) -> None:
    sendfile = os.sendfile

    def send_shortened(out: int, source: int, offset: int, count: int) -> int:
        os.truncate(tmp_path / "file.bin", 50 * KIB)
        return sendfile(out, source, offset, count)

    replace(send_shortened)
    clients[0].push(request("/file.bin"))
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await clients[0].reply()


async def test_a_client_that_has_gone_takes_no_other_with_it(
    clients: list[Client], replace: Callable[[Sendfile], None]
) -> None:
    sendfile = os.sendfile
    gone: list[int] = []

    def send_to_others(out: int, source: int, offset: int, count: int) -> int:
        if not gone or out in gone:
            gone.append(out)
            raise ConnectionResetError
        return sendfile(out, source, offset, count)

    replace(send_to_others)
    ask_all(clients)
    replies = await asyncio.gather(*(client.reply() for client in clients), return_exceptions=True)
    cut = [reply for reply in replies if not isinstance(reply, Reply)]
    assert len(cut) == 1
    assert isinstance(cut[0], asyncio.IncompleteReadError | ConnectionError)
    assert {reply.body for reply in replies if isinstance(reply, Reply)} == {CONTENT}


async def test_without_a_descriptor_to_spare_it_is_sent_at_once(
    clients: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("riverrun.server.wire.os.dup", refuse)
    ask_all(clients)
    for client in clients:
        assert (await client.reply()).body == CONTENT
