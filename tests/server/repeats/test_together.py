"""What is asked for by many at the same time is opened and read once for all of them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.apps.files.sites import open_descriptors
from tests.conftest import Serve
from tests.server.client import Client, request
from tests.server.repeats.repeated import HANDLED, MIDDLE, SMALL, TIMES, Repeated, ask

from riverrun.server import Server

COUNT = 8


class Crowd:
    """Clients of one server that ask at the same time."""

    def __init__(self, server: Server, clients: list[Client]) -> None:
        self.server = server
        self.clients = clients

    def push(self, path: str) -> None:
        """Have the same request come from each of them in one turn of the loop."""
        head = request(path)
        for connection in self.server.connections:
            self.server.receive_buffer[: len(head)] = head
            connection.buffer_updated(len(head))
        self.server.turn.handle()

    async def ask(self, path: str) -> list[bytes]:
        """What each of them is answered."""
        self.push(path)
        return [(await client.reply()).body for client in self.clients]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that are opened."""
    names: list[str] = []
    really_open = os.open

    def open_noting(path: str, *arguments: int, **options: int) -> int:
        names.append(path)
        return really_open(path, *arguments, **options)

    monkeypatch.setattr(os, "open", open_noting)
    return names


@pytest.fixture
async def crowd(serve: Serve, handler: Repeated, opened: list[str]) -> AsyncIterator[Crowd]:
    server = await serve(handler)
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(await Client.connect(server)) for _ in range(COUNT)
        ]
        for path in ("/small.bin", "/middle.bin"):
            for client in clients:
                for _ in range(HANDLED):  # so that each is known to take it at once
                    await ask(client, path)
        handler.calls = 0
        opened.clear()
        yield Crowd(server, clients)


async def test_it_is_opened_once(crowd: Crowd, handler: Repeated, opened: list[str]) -> None:
    for times in range(1, TIMES):
        assert await crowd.ask("/small.bin") == [SMALL] * COUNT
        assert opened == ["small.bin"] * times
    assert handler.calls == 0


async def test_so_is_what_goes_from_the_file_to_the_socket(
    crowd: Crowd, handler: Repeated, opened: list[str], transport_kind: str
) -> None:
    for times in range(1, TIMES):
        assert await crowd.ask("/middle.bin") == [MIDDLE] * COUNT
        if transport_kind == "aiofastnet":
            assert opened == ["middle.bin"] * times
            assert handler.calls == 0


@pytest.mark.parametrize("path", ["/small.bin", "/middle.bin"])
async def test_what_comes_later_is_told_what_is_there_then(
    crowd: Crowd, folder: Path, path: str
) -> None:
    for content in (b"another", b"a third"):
        await crowd.ask(path)
        (folder / path[1:]).write_bytes(content)
        assert await crowd.ask(path) == [content] * COUNT


async def test_nothing_of_it_is_kept(crowd: Crowd) -> None:
    before = open_descriptors()
    await crowd.ask("/small.bin")
    await crowd.ask("/middle.bin")
    assert open_descriptors() == before


async def test_a_client_that_goes_takes_no_other_with_it(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch, transport_kind: str
) -> None:
    if transport_kind != "aiofastnet":
        pytest.skip("nothing is sent from the file")
    sendfile = os.sendfile
    gone: list[int] = []

    def send_to_others(out: int, source: int, offset: int, count: int) -> int:
        if not gone:
            gone.append(out)
            raise ConnectionResetError
        return sendfile(out, source, offset, count)

    monkeypatch.setattr(os, "sendfile", send_to_others)
    crowd.push("/middle.bin")
    bodies = []
    for client in crowd.clients:
        try:
            bodies.append((await client.reply()).body)
        except (EOFError, ConnectionError):
            bodies.append(b"cut")
    assert sorted(bodies) == sorted([b"cut"] + [MIDDLE] * (COUNT - 1))
