"""Stopping gracefully: what runs finishes, what idles is closed, what is late is aborted."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, request, until
from tests.support.stopwatch import Stopwatch

from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Server


class Gate:
    """A handler that begins a response, and ends it when it is let."""

    def __init__(self, *, starts: bool = False) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.starts = starts

    async def __call__(self, request: Request, response: Response) -> None:
        if self.starts:
            await response.write(b"begun, ")
        self.begun.set()
        await self.open.wait()
        await response.end(b"done")


class Endless(Gate):
    """A handler whose answer goes on until it is told that the server stops."""

    def stop(self) -> None:
        assert not self.open.is_set(), "it was told twice"
        self.open.set()


async def test_an_answer_without_an_end_ends_when_the_server_stops(serve: Serve) -> None:
    endless = Endless(starts=True)
    server = await serve(endless)
    async with await Client.connect(server) as client:
        await client.send(request())
        await endless.begun.wait()
        await server.stop()
        assert (await client.reply()).body == b"begun, done"


async def test_what_runs_finishes_and_the_connection_is_closed_behind_it(serve: Serve) -> None:
    gate = Gate()
    server = await serve(gate)
    async with await Client.connect(server) as client:
        await client.send(request())
        await gate.begun.wait()
        stopping = asyncio.ensure_future(server.stop(5))
        await asyncio.sleep(0.02)
        assert not stopping.done()
        gate.open.set()
        reply = await client.reply()
        assert (reply.body, reply.closes) == (b"done", True)
        assert await client.ends() == b""
        await stopping
        await server.wait_stopped()


async def test_a_response_that_had_begun_finishes_too(serve: Serve) -> None:
    gate = Gate(starts=True)
    server = await serve(gate)
    async with await Client.connect(server) as client:
        await client.send(request())
        await gate.begun.wait()
        stopping = asyncio.ensure_future(server.stop(5))
        await asyncio.sleep(0.02)
        gate.open.set()
        assert (await client.reply()).body == b"begun, done"
        assert await client.ends() == b""
        await stopping


async def test_an_upload_that_had_begun_finishes_too(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        await response.end(await request.body())

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Content-Length: 11") + b"begun")
        await asyncio.sleep(0.02)
        stopping = asyncio.ensure_future(server.stop(5))
        await asyncio.sleep(0.02)
        await client.send(b", done")
        reply = await client.reply()
        assert (reply.body, reply.closes) == (b"begun, done", True)
        await stopping


@pytest.mark.parametrize("rest", [request(), b"nonsense\r\n\r\n"])
async def test_what_follows_an_upload_that_had_begun_is_not_answered(
    serve: Serve, rest: bytes
) -> None:
    async def handler(request: Request, response: Response) -> None:
        await response.end(await request.body())

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Content-Length: 11") + b"begun")
        await asyncio.sleep(0.02)
        stopping = asyncio.ensure_future(server.stop(5))
        await asyncio.sleep(0.02)
        await client.send(b", done" + rest)
        reply = await client.reply()
        assert (reply.body, reply.closes) == (b"begun, done", True)
        assert await client.ends() == b""
        async with asyncio.timeout(1):
            await stopping


async def test_idle_connections_are_closed_at_once(serve: Serve) -> None:
    gate = Gate()
    gate.open.set()
    server = await serve(gate)
    async with await Client.connect(server) as used, await Client.connect(server) as fresh:
        await used.ask()
        await until(lambda: len(server.connections) == 2)
        watch = Stopwatch()
        await server.stop(5)
        assert watch.ours < 1
        assert await used.ends() == await fresh.ends() == b""


async def test_new_connections_are_refused(serve: Serve) -> None:
    gate = Gate()
    server = await serve(gate)
    async with await Client.connect(server) as client:
        await client.send(request())
        await gate.begun.wait()
        stopping = asyncio.ensure_future(server.stop(5))
        await asyncio.sleep(0.02)
        with pytest.raises(ConnectionRefusedError):
            await Client.connect(server)
        gate.open.set()
        await stopping


@pytest.mark.timing  # a tenth of a second, and not much more
async def test_what_is_not_done_in_time_is_aborted(serve: Serve) -> None:
    cancelled = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        try:
            await response.write(b"some")
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request())
        await client.reader.readuntil(b"some")
        watch = Stopwatch()
        await server.stop(0.1)
        assert watch.passed >= 0.09
        assert watch.ours < 0.6
        assert cancelled.is_set()
        assert await client.is_cut()


async def test_a_second_stop_aborts_at_once(serve: Serve) -> None:
    gate = Gate()
    server = await serve(gate)
    async with await Client.connect(server) as client:
        await client.send(request())
        await gate.begun.wait()
        stopping = asyncio.ensure_future(server.stop(5))
        await asyncio.sleep(0.02)
        watch = Stopwatch()
        await server.stop(5)
        await stopping
        assert watch.ours < 1
        assert await client.is_cut()


async def test_a_cancelled_stop_aborts_at_once(serve: Serve) -> None:
    gate = Gate()
    server = await serve(gate)
    async with await Client.connect(server) as client:
        await client.send(request())
        await gate.begun.wait()
        stopping = asyncio.ensure_future(server.stop(5))
        await asyncio.sleep(0.02)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        assert await client.is_cut()


async def test_queued_requests_are_answered_or_the_client_knows_they_are_not(serve: Serve) -> None:
    gate = Gate()
    server = await serve(gate)
    async with await Client.connect(server) as client:
        await client.send(request() * 3)
        await gate.begun.wait()
        stopping = asyncio.ensure_future(server.stop(5))
        await asyncio.sleep(0.02)
        gate.open.set()
        while not (await client.reply()).closes:
            pass
        assert await client.ends() == b""
        await stopping


async def test_a_server_is_a_context_manager() -> None:
    gate = Gate()
    gate.open.set()
    async with Server(gate, port=0) as server, await Client.connect(server) as client:
        assert (await client.ask()).body == b"done"
    await server.wait_stopped()
    with pytest.raises(ConnectionRefusedError):
        await Client.connect(server)


# Signals.

its_own_loop = pytest.mark.asyncio(loop_factories=["asyncio"])
its_own_transports = pytest.mark.parametrize("transport_kind", ["aiofastnet"], indirect=True)

PROGRAM = """
import asyncio, sys
from riverrun.server import run

async def handler(request, response):
    await response.write(b"begun, ")
    await asyncio.sleep(float(request.path[1:]))
    await response.end(b"done")

run(handler, port=0, started=lambda server: print(server.port, flush=True))
print("stopped", flush=True)
"""


@asynccontextmanager
async def program() -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-c",
        PROGRAM,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            port = int(await process.stdout.readline())
        yield process, port
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        process._transport.close()  # type: ignore[attr-defined]


async def begun(port: int, seconds: float) -> Client:
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    await client.send(request(f"/{seconds}"))
    await client.reader.readuntil(b"begun, ")
    return client


@its_own_loop
@its_own_transports
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_gracefully(number: signal.Signals) -> None:
    async with program() as (process, port):
        async with await begun(port, 0.2) as client:
            process.send_signal(number)
            assert await client.ends() == b"\r\n4\r\ndone\r\n0\r\n\r\n"
        async with asyncio.timeout(5):
            output, errors = await process.communicate()
    assert (process.returncode, output, errors) == (0, b"stopped\n", b"")


@its_own_loop
@its_own_transports
async def test_a_second_signal_aborts_what_runs() -> None:
    async with program() as (process, port):
        async with await begun(port, 60) as client:
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.1)
            assert process.returncode is None
            process.send_signal(signal.SIGTERM)
            assert await client.is_cut()
        async with asyncio.timeout(5):
            output, _ = await process.communicate()
    assert output == b"stopped\n"


def free_descriptor_count() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def test_an_address_in_use_is_an_error_and_leaves_nothing_open(serve: Serve) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        before = free_descriptor_count()
        with pytest.raises(OSError, match="in use"):
            await Server(Gate(), port=taken.getsockname()[1]).start()
        assert free_descriptor_count() == before
