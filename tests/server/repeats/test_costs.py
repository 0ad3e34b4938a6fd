"""Repeated answers are counted, logged and limited as others are, and bounded."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, request
from tests.server.repeats.repeated import (
    HANDLED,
    SMALL,
    TIMES,
    LogFile,
    Repeated,
    ask,
)

from riverrun.flows import Flows
from riverrun.http.limits import KIB, MIB
from riverrun.server import Options
from riverrun.server.access_log import AccessLog, LogFormat
from riverrun.server.repeats import ENTRY_SIZE, LONGEST_HEAD
from riverrun.server.vitals import Vitals


async def test_they_are_counted_and_logged_as_others(
    serve: Serve, handler: Repeated, log_file: LogFile
) -> None:
    vitals = Vitals()
    options = Options(vitals=vitals, access_log=AccessLog(log_file.descriptor))
    server = await serve(handler, options=options)
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client)
            await ask(client, "/small.bin", "HEAD")
            await ask(client, "/small.bin", "GET", "Range: bytes=0-9")
    await server.stop()
    assert handler.calls == 3 * HANDLED
    assert vitals.answered[2] == 3 * TIMES
    assert vitals.sent == TIMES * (len(SMALL) + 10)
    told = ['"GET /small.bin" 200 1000', '"HEAD /small.bin" 200 0', '"GET /small.bin" 206 10']
    assert log_file.told() == told * TIMES


@pytest.mark.parametrize("log_format", LogFormat)
async def test_a_line_of_the_log_is_the_same_whether_handled_or_not(
    serve: Serve, handler: Repeated, log_file: LogFile, log_format: LogFormat
) -> None:
    server = await serve(
        handler, options=Options(access_log=AccessLog(log_file.descriptor, log_format))
    )
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client, "/a%2541.bin")
    await server.stop()
    lines = log_file.lines()
    assert len(lines) == TIMES
    assert len({re.sub(r"\d+:\d+:\d+Z|0\.\d+", "", line) for line in lines}) == 1
    assert handler.calls == HANDLED


async def test_a_line_of_the_log_tells_whom_it_was_for(
    serve: Serve, handler: Repeated, log_file: LogFile
) -> None:
    addresses = [f"127.0.0.{number}" for number in (1, 2, 2, 1, 3)]
    server = await serve(handler, options=Options(access_log=AccessLog(log_file.descriptor)))
    for address in ["127.0.0.1"] * HANDLED + addresses:
        ends = await asyncio.open_connection("127.0.0.1", server.port, local_addr=(address, 0))
        async with Client(*ends) as client:
            await ask(client)
    await server.stop()
    assert handler.calls == HANDLED
    told = [line.split()[1] for line in log_file.lines()]
    assert told[HANDLED:] == addresses


@pytest.mark.parametrize("limits", [{"client_rate": 2000}, {"total_rate": 2000}])
async def test_a_limit_holds_for_them(
    serve: Serve, handler: Repeated, limits: dict[str, int]
) -> None:
    flows = Flows()
    server = await serve(handler, options=Options(flows=flows))
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client)
        assert handler.calls == HANDLED
        for name, rate in limits.items():
            setattr(flows, name, rate)
        for _ in range(5):  # more than goes at once
            await ask(client)
        assert flows.opened > 0


async def test_what_is_found_anew_is_charged_once(
    serve: Serve, handler: Repeated, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows = Flows()
    flows.total_rate = 100 * MIB
    charged: list[int] = []
    admits = flows.admits

    def admit(client: str, size: int) -> bool:
        charged.append(size)
        return admits(client, size)

    monkeypatch.setattr(flows, "admits", admit)
    async with await Client.connect(await serve(handler, options=Options(flows=flows))) as client:
        for _ in range(TIMES):
            await ask(client)
        (folder / "small.bin").write_bytes(b"another")
        await ask(client)
    assert charged == [len(SMALL)] * TIMES + [len(b"another")]


@pytest.mark.parametrize("filling", ["", "x" * (LONGEST_HEAD - 100)])
async def test_what_is_remembered_is_bounded(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch, filling: str
) -> None:
    remembered_size = 32 * KIB  # so that it is soon too much
    monkeypatch.setattr("riverrun.server.repeats.REMEMBERED", remembered_size)
    each = len(request("/empty.bin", "GET", f"X: 0000{filling}")) + ENTRY_SIZE
    count = remembered_size // each + 1
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            await ask(client)
        assert handler.calls == HANDLED
        for number in range(count):
            for _ in range(HANDLED + 1):
                await ask(client, "/empty.bin", "GET", f"X: {number:04}{filling}")
        remembered = HANDLED * (count + 1)
        assert handler.calls == remembered
        await ask(client)
    assert handler.calls > remembered
