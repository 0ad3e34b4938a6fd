"""What is too long to wait in memory is begun at once, and what is left of it follows."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, Reply, request, until
from tests.server.repeats.repeated import (
    HANDLED,
    LONG,
    SMALL,
    TIMES,
    LogFile,
    Repeated,
    ask,
    seen,
)

from riverrun.flows import Direction, Flows
from riverrun.flows.share import Share
from riverrun.http.handler import Handler
from riverrun.http.limits import KIB, MIB
from riverrun.http.repeats import RepeatWire, nothing_left
from riverrun.server import Options, Server
from riverrun.server.access_log import AccessLog
from riverrun.server.sendfile import BorrowedSocket
from riverrun.server.turns import SMALL_REGION
from riverrun.server.vitals import Vitals

AT_ONCE = 100_000
"""As much as the socket takes in the tests where it takes little."""


def take_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel take little at a time."""
    sendfile = os.sendfile

    def send_little(out: int, source: int, offset: int, count: int) -> int:
        return sendfile(out, source, offset, min(count, AT_ONCE))

    monkeypatch.setattr(os, "sendfile", send_little)


@pytest.fixture(autouse=True)
def only_with_descriptors(transport_kind: str) -> None:
    if transport_kind != "aiofastnet":
        pytest.skip("asyncio's own transports are never gone past")


async def learn(
    server: Server, handler: Repeated, path: str = "/long.bin", *lines: str
) -> list[Reply]:
    """Ask until an answer is given without the handler: only what has gone at once is learnt."""
    replies: list[Reply] = []
    async with await Client.connect(server, receive_buffer=4 * MIB) as client:
        handled = -1
        while handled != handler.calls:
            assert len(replies) < 100
            handled = handler.calls
            replies.append(await ask(client, path, "GET", *lines))
    return replies


async def known(serve: Serve, handler: Repeated, options: Options | None = None) -> Server:
    """A server that has the answer remembered, and a handler that was never called."""
    server = await serve(handler, options=options)
    await learn(server, handler)
    handler.calls = 0
    return server


@asynccontextmanager
async def stalled(server: Server) -> AsyncIterator[Client]:
    """A client that was sent the beginning, and reads no more for now."""
    async with await Client.connect(server, receive_buffer=4 * KIB) as client:
        client.stop_reading()
        client.push(request("/long.bin"))
        await until(lambda: len(server.flows) == 1)
        yield client


async def test_it_is_answered_alike_and_not_handled(serve: Serve, handler: Repeated) -> None:
    first, *others = await learn(await serve(handler), handler)
    assert first.body == LONG
    assert len(others) >= HANDLED
    assert [seen(other) for other in others] == [seen(first)] * len(others)


async def test_a_part_too(serve: Serve, handler: Repeated) -> None:
    asked = f"Range: bytes=1000-{1000 + SMALL_REGION}"
    for reply in await learn(await serve(handler), handler, "/long.bin", asked):
        assert (reply.status, reply.body) == (206, LONG[1000 : 1001 + SMALL_REGION])


async def test_what_does_not_go_at_once_follows(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await known(serve, handler)
    take_little(monkeypatch)
    async with await Client.connect(server) as client:
        first, *others = [await ask(client, "/long.bin") for _ in range(TIMES)]
        assert first.body == LONG
        assert [seen(other) for other in others] == [seen(first)] * (TIMES - 1)
        assert (await ask(client)).body == SMALL
    assert handler.calls == 1


@pytest.mark.parametrize("taken", [0, 10])
async def test_so_does_the_rest_of_its_head(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    def send_little(self: socket.socket, data: bytes, flags: int) -> int:
        if not taken:
            raise BlockingIOError
        return socket.socket.send(self, data[:taken], flags)

    server = await known(serve, handler)
    async with await Client.connect(server) as client:
        monkeypatch.setattr(BorrowedSocket, "send", send_little, raising=False)
        for _ in range(TIMES):
            assert (await ask(client, "/long.bin")).body == LONG
    assert handler.calls == 0


async def test_what_is_asked_for_meanwhile_comes_behind_it(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await known(serve, handler)
    take_little(monkeypatch)
    async with stalled(server) as client:
        client.push(request("/small.bin"))
        client.push(request("/long.bin"))
        client.go_on_reading()
        bodies = [(await client.reply()).body for _ in range(3)]
    assert bodies == [LONG, SMALL, LONG]


async def test_what_is_left_is_seen_and_may_be_steered(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await known(serve, handler)
    take_little(monkeypatch)
    async with stalled(server) as client:
        (flow,) = server.flows
        assert flow.expected == len(LONG)
        assert AT_ONCE <= flow.moved < len(LONG)
        assert flow.subject is not None
        assert flow.subject.target == b"/long.bin"
        flow.cancel()
        client.go_on_reading()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.reply()
    assert handler.calls == 0


async def test_it_is_counted_and_logged_once(
    serve: Serve, handler: Repeated, log_file: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    vitals = Vitals()
    options = Options(vitals=vitals, access_log=AccessLog(log_file.descriptor))
    server = await known(serve, handler, options)
    answered, sent = vitals.answered[2], vitals.sent
    take_little(monkeypatch)
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client, "/long.bin")
    await server.stop()
    assert vitals.answered[2] == answered + TIMES
    assert vitals.sent == sent
    assert server.flows.moved[Direction.OUT] == TIMES * len(LONG)
    assert log_file.told() == [f'"GET /long.bin" 200 {len(LONG)}'] * vitals.answered[2]


async def test_it_is_charged_once(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows = Flows()
    flows.total_rate = 1024 * MIB
    charged: list[int] = []
    take_at_once, take, give_back = Share.take_at_once, Share.take, Share.give_back

    def note_at_once(self: Share, size: int, now: float) -> bool:
        taken = take_at_once(self, size, now)
        charged.append(size if taken else 0)
        return taken

    def note(self: Share, asker: object, size: int, now: float) -> int:
        charged.append(take(self, asker, size, now))  # type: ignore[arg-type]
        return charged[-1]

    def note_back(self: Share, size: int) -> None:
        charged.append(-size)
        give_back(self, size)

    monkeypatch.setattr(Share, "take_at_once", note_at_once)
    monkeypatch.setattr(Share, "take", note)
    monkeypatch.setattr(Share, "give_back", note_back)
    server = await known(serve, handler, Options(flows=flows))
    charged.clear()
    take_little(monkeypatch)
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            assert (await ask(client, "/long.bin")).body == LONG
    assert handler.calls == 0
    assert sum(charged) == TIMES * len(LONG)


async def test_a_client_that_goes_costs_nobody_anything(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await known(serve, handler)
    take_little(monkeypatch)
    async with stalled(server):
        pass
    await until(lambda: not server.connections)
    assert len(server.flows) == 0
    async with await Client.connect(server) as client:
        assert (await ask(client, "/long.bin")).body == LONG
    assert handler.calls == 0


@pytest.mark.parametrize("part", ["head", "body"])
async def test_one_that_has_gone_before_it_is_begun(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """As the kernel says it. Who is there all the same sees a cut."""

    def send_to_nobody(*_: object) -> int:
        raise BrokenPipeError

    server = await known(serve, handler)
    async with await Client.connect(server) as client:
        with monkeypatch.context() as patched:
            if part == "head":
                patched.setattr(BorrowedSocket, "send", send_to_nobody, raising=False)
            else:
                patched.setattr(os, "sendfile", send_to_nobody)
            client.push(request("/long.bin"))
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await client.reply()
    async with await Client.connect(server) as client:
        assert (await ask(client, "/long.bin")).body == LONG
    assert handler.calls == 0


async def test_without_a_descriptor_to_spare_it_is_handled(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> int:
        raise OSError(24, "Too many open files")

    server = await known(serve, handler)
    async with await Client.connect(server) as client:
        with monkeypatch.context() as patched:
            patched.setattr(os, "dup", refuse)
            client.push(request("/long.bin"))
            assert (await client.reply()).body == LONG
    assert handler.calls == 1


async def test_a_file_that_is_written_over_meanwhile_is_cut(
    serve: Serve, handler: Repeated, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await known(serve, handler)
    take_little(monkeypatch)
    async with stalled(server) as client:
        (folder / "long.bin").write_bytes(LONG[::-1])
        client.go_on_reading()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.reply()
    async with await Client.connect(server) as client:
        assert (await ask(client, "/long.bin")).body == LONG[::-1]


async def test_what_may_have_to_be_held_in_memory_is_bounded(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Held:
        status, length, region = 200, SMALL_REGION + 1, True

        def send(self, wire: RepeatWire, now: float) -> Handler:
            refused.append(not wire.hold_region(b"", -1, 0, self.length))
            wire.send_last((b"HTTP/1.1 204 No Content\r\n\r\n",))
            return nothing_left

    refused: list[bool] = []
    monkeypatch.setattr(handler, "repeat", lambda _: Held())
    await learn(await serve(handler), handler)
    assert refused == [True]


async def test_a_rest_that_fits_in_one_slice_is_looked_at_too(
    serve: Serve, handler: Repeated, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sendfile = os.sendfile
    sent: list[int] = []
    full = True

    def send(out: int, source: int, offset: int, count: int) -> int:
        if sent and full:
            raise BlockingIOError
        sent.append(sendfile(out, source, offset, count if sent else AT_ONCE))
        return sent[-1]

    server = await known(serve, handler)
    async with await Client.connect(server) as client:
        monkeypatch.setattr(os, "sendfile", send)
        client.push(request("/long.bin"))
        await until(lambda: len(server.flows) == 1)
        (folder / "long.bin").write_bytes(LONG[::-1])
        full = False
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.reply()
    assert sent == [AT_ONCE]
