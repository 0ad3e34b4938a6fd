"""A transfer over a real connection, steered and cut in any order."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.client import Client, until

from riverrun.flows import Flow, Flows, FlowState, Waiting
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.io import open_file
from riverrun.server import Options, Server
from riverrun.streams import pipeline
from riverrun.testing import no_leaks

SIZE = 3 << 20
CONTENT = random.Random(1).randbytes(SIZE)
WAYS = ("file", "memory", "in")
RATES = (300_000, 1 << 30, None)

STEPS = st.lists(
    st.one_of(
        st.just(("pause", None)),
        st.just(("resume", None)),
        st.tuples(
            st.sampled_from(("rate", "total", "client")), st.sampled_from((300_000, 1 << 30, None))
        ),
        st.tuples(st.just("take"), st.integers(1, SIZE // 3)),
        st.just(("wait", None)),
    ),
    max_size=12,
)
ENDINGS = st.sampled_from(("finish", "cancel", "disconnect"))


class Machine:
    """One transfer, and what is known of it."""

    def __init__(self, path: Path, way: str) -> None:
        self.path = path
        self.way = way
        self.came = bytearray()
        self.flows = Flows()
        self.done = False

    async def handle(self, request: Request, response: Response) -> None:
        if self.way == "in":
            async for chunk in request:
                assert request.flow.state is not FlowState.PAUSED, "it was read while paused"
                self.came += chunk
            self.done = True
            await response.end(b"taken")
            return
        response.headers["content-length"] = str(SIZE)
        if self.way == "file":
            await pipeline(open_file(self.path), response)
        else:
            for start in range(0, SIZE, 50_000):
                await response.write(CONTENT[start : start + 50_000])
            await response.end()

    @property
    def flow(self) -> Flow:
        (flow,) = self.flows
        return flow

    async def step(self, client: Client, what: str, value: int | None) -> None:
        if not len(self.flows):
            return
        flow = self.flow
        match what:
            case "pause":
                flow.pause()
            case "resume":
                flow.resume()
            case "rate":
                flow.rate = value
            case "total":
                self.flows.total_rate = value
            case "client":
                self.flows.client_rate = value
            case "take":
                assert value is not None
                await self.move(client, value)
            case "wait":
                await asyncio.sleep(0.01)
        if flow.state is FlowState.PAUSED:
            moved = flow.moved
            assert flow.waiting is Waiting.PAUSED
            await asyncio.sleep(0.005)
            assert flow.moved == moved, "it moved while paused"
        assert sum(flow.waited().values()) == pytest.approx(flow.age, abs=0.01)

    async def move(self, client: Client, size: int) -> None:
        """Do the client's part of so many bytes, as far as that does not have to wait long."""
        if self.way == "in":
            client.writer.write(CONTENT[self.sent : self.sent + size])
            self.sent = min(SIZE, self.sent + size)
            return
        try:
            async with asyncio.timeout(0.02):
                self.came += await client.reader.read(size)
        except TimeoutError:
            pass

    sent = 0

    async def run(self, steps: list[tuple[str, int | None]], ending: str) -> None:
        server = Server(self.handle, port=0, options=Options(flows=self.flows))
        async with server, await Client.connect(server, receive_buffer=1 << 16) as client:
            method, length = ("POST", SIZE) if self.way == "in" else ("GET", 0)
            head = f"{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
            await client.send(head.encode())
            await until(lambda: self.flows.opened)
            if self.way != "in":
                answered = await client.reader.readuntil(b"\r\n\r\n")
                assert b" 200 " in answered
            for what, value in steps:
                await self.step(client, what, value)
            await self.end(client, ending)
        assert not len(self.flows)
        assert server.budget.level == 0
        assert not server.connections

    async def end(self, client: Client, ending: str) -> None:
        if ending == "finish":
            for flow in self.flows:
                self.flows.total_rate = self.flows.client_rate = None
                flow.rate = None
                flow.resume()
            if self.way == "in":
                await client.send(CONTENT[self.sent :])
                assert (await client.reply("POST")).body == b"taken"
            else:
                self.came += await client.reader.readexactly(SIZE - len(self.came))
            assert self.came == CONTENT
            return
        if ending == "cancel" and len(self.flows):
            self.flow.cancel()
            try:
                async with asyncio.timeout(5):
                    while chunk := await client.reader.read(1 << 16):
                        self.came += chunk
            except ConnectionError:
                pass
        assert CONTENT.startswith(bytes(self.came)) or self.way == "in"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("machine") / "file"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=60, deadline=None)
@given(steps=STEPS, ending=ENDINGS)
def test_no_byte_is_lost_doubled_or_moved_while_paused(
    path: Path, way: str, steps: list[tuple[str, int | None]], ending: str
) -> None:
    async def run() -> None:
        async with no_leaks():
            await Machine(path, way).run(steps, ending)
            await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(run())
