"""One line for every exchange, off the path of the exchange."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.conftest import Serve
from tests.http.wires import RecordingWire
from tests.server.client import Client, request, until

from riverrun.flows import Waiting
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import AccessLog, LogFormat, Options, Server

TEXT = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?P<client>\S+) "
    r'"(?P<method>\S+) (?P<target>\S+)" (?P<status>\d+) (?P<bytes>\d+) '
    r"(?P<seconds>\d+\.\d{3})(?P<cut> cut)?(?P<waits> took .*)?"
)


@dataclass
class Pipe:
    reading: int
    writing: int

    def lines(self) -> list[str]:
        os.close(self.writing)
        self.writing = -1
        with os.fdopen(os.dup(self.reading)) as reader:
            return reader.read().splitlines()


def note(log: AccessLog, target: bytes) -> None:
    """Have `log` note an exchange that went well."""
    request = Request("GET", target, {})
    response = Response(RecordingWire(), request)
    assert response.try_end(b"hello")
    log.add("127.0.0.1", request, response, time.monotonic())


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe(*os.pipe())
    yield made
    os.close(made.reading)
    if made.writing >= 0:
        os.close(made.writing)


async def answer(request: Request, response: Response) -> None:
    match request.path:
        case "/slow":
            await asyncio.sleep(0.02)
            await response.end(b"slow")
        case "/absent":
            response.status = 404
            await response.end(b"absent")
        case "/fails":
            await response.write(b"some")
            raise RuntimeError
        case "/in-pieces":
            await response.write(b"in ")
            await response.end(b"pieces")
        case _:
            await response.end(b"hello")


async def logged(serve: Serve, pipe: Pipe, log_format: LogFormat) -> list[str]:
    log = AccessLog(pipe.writing, log_format)
    server = await serve(answer, options=Options(access_log=log))
    async with await Client.connect(server) as client:
        for path in ("/a?b=c", "/slow", "/absent", "/in-pieces", '/"quoted"'):
            await client.ask(path)
        await client.ask("/head", "HEAD")
        await client.send(request("/fails"))
        await client.is_cut()
    await until(lambda: not server.connections)
    await server.stop()
    return pipe.lines()


async def test_lines_for_people(serve: Serve, pipe: Pipe) -> None:
    lines = [TEXT.fullmatch(line) for line in await logged(serve, pipe, LogFormat.TEXT)]
    seen = [line.group("method", "target", "status", "bytes", "cut") for line in lines if line]
    assert seen == [
        ("GET", "/a?b=c", "200", "5", None),
        ("GET", "/slow", "200", "4", None),
        ("GET", "/absent", "404", "6", None),
        ("GET", "/in-pieces", "200", "9", None),
        ("GET", '/"quoted"', "200", "5", None),
        ("HEAD", "/head", "200", seen[5][3], None),
        ("GET", "/fails", "200", "4", " cut"),
    ]
    assert lines[1] is not None
    assert float(lines[1]["seconds"]) >= 0.015
    assert {line["client"] for line in lines if line} == {"127.0.0.1"}


async def test_lines_for_programs(serve: Serve, pipe: Pipe) -> None:
    lines = [json.loads(line) for line in await logged(serve, pipe, LogFormat.JSON)]
    assert [(line["target"], line["status"], line["cut"]) for line in lines] == [
        ("/a?b=c", 200, False),
        ("/slow", 200, False),
        ("/absent", 404, False),
        ("/in-pieces", 200, False),
        ('/"quoted"', 200, False),
        ("/head", 200, False),
        ("/fails", 200, True),
    ]
    assert lines[3].keys() == lines[0].keys() | {"waited"}  # it took more than one write
    assert lines[0].keys() == {
        "time",
        "client",
        "method",
        "target",
        "status",
        "bytes",
        "seconds",
        "cut",
    }
    assert lines[1]["seconds"] >= 0.015
    assert lines[0]["bytes"] == 5


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("log_format", LogFormat)
async def test_a_transfer_that_took_long_is_told_with_its_reasons(
    serve: Serve, pipe: Pipe, log_format: LogFormat
) -> None:
    """It is 0.3 s until the handler begins, 0.4 s until the client reads on, and 0.5 s paused."""

    async def sleep_and_send(request: Request, response: Response) -> None:
        await asyncio.sleep(0.3)
        for _ in range(16):
            await response.write(bytes(1 << 20))
        await response.end()

    server = await serve(
        sleep_and_send, options=Options(access_log=AccessLog(pipe.writing, log_format))
    )
    async with await Client.connect(server, receive_buffer=1 << 16) as client:
        client.stop_reading()
        await client.send(request("/long"))
        await until(lambda: any(flow.waiting is Waiting.PEER for flow in server.flows))
        (flow,) = server.flows
        await asyncio.sleep(0.4)
        flow.pause()
        await asyncio.sleep(0.5)
        flow.resume()
        client.go_on_reading()
        await client.reply()
    await until(lambda: not server.connections)
    await server.stop()
    (line,) = pipe.lines()
    if log_format is LogFormat.TEXT:
        found = TEXT.fullmatch(line)
        assert found is not None
        told = re.search(
            r"took (\S+) s: (\S+) s waiting for the client, (\S+) s paused, (\S+) s disk or "
            "handler",
            found["waits"],
        )
        assert told is not None
        took, peer, paused, handler = map(float, told.groups())
        assert took >= 1.2 - 0.1  # each is rounded
        assert (peer >= 0.4, 0.5 <= paused < 0.9, handler >= 0.3) == (True, True, True)
        assert peer + paused + handler == pytest.approx(took, abs=0.2)
    else:
        told = json.loads(line)
        waited = told["waited"]
        assert sum(waited.values()) == pytest.approx(told["seconds"], abs=0.01)
        assert waited["peer"] >= 0.39
        assert waited["paused"] == pytest.approx(0.5, abs=0.1)
        assert 0.29 <= waited["source"] <= 0.6
        assert waited["limit"] == 0


async def test_lines_come_while_the_server_runs(serve: Serve, pipe: Pipe) -> None:
    server = await serve(answer, options=Options(access_log=AccessLog(pipe.writing)))
    async with await Client.connect(server) as client:
        await client.ask()
        os.set_blocking(pipe.reading, False)
        line = b""

        def has_come() -> bool:
            nonlocal line
            try:
                line += os.read(pipe.reading, 1000)
            except BlockingIOError:
                return False
            return True

        await until(has_come, seconds=1)
    assert line.endswith(b"\n")


async def test_a_client_that_goes_away_is_logged_as_cut(serve: Serve, pipe: Pipe) -> None:
    async def wait(request: Request, response: Response) -> None:
        await asyncio.Event().wait()

    log = AccessLog(pipe.writing, LogFormat.JSON)
    server = await serve(wait, options=Options(access_log=log))
    async with await Client.connect(server) as client:
        await client.send(request("/waits"))
        await asyncio.sleep(0.02)
    await until(lambda: not server.connections)
    await asyncio.sleep(0.01)
    await server.stop()
    (line,) = map(json.loads, pipe.lines())
    assert (line["target"], line["cut"]) == ("/waits", True)


@pytest.mark.asyncio(loop_factories=["asyncio"])
@pytest.mark.parametrize("log_format", LogFormat)
async def test_a_full_pipe_holds_up_nobody(serve: Serve, pipe: Pipe, log_format: LogFormat) -> None:
    """Nobody reads the log; requests are answered all the same, and the server stops."""
    log = AccessLog(pipe.writing, log_format)
    server = await serve(answer, options=Options(access_log=log))
    path = "/" + "x" * 4000
    async with await Client.connect(server) as client:
        begun = time.monotonic()
        for _ in range(10):
            await client.send(request(path) * 100)
            for _ in range(100):
                assert (await client.reply()).body == b"hello"
        assert time.monotonic() - begun < 3
    assert isinstance(server, Server)
    begun = time.monotonic()
    stopping = asyncio.ensure_future(server.stop())
    try:
        async with asyncio.timeout(3):
            await asyncio.wait({stopping})
        assert time.monotonic() - begun < 2
    finally:
        drained = asyncio.get_running_loop().run_in_executor(None, pipe.lines)
        await drained


@pytest.mark.parametrize("log_format", LogFormat)
async def test_lines_that_nobody_takes_are_dropped_and_counted(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, log_format: LogFormat
) -> None:
    monkeypatch.setattr("riverrun.server.access_log.WAITING_BATCHES", 2)
    log = AccessLog(pipe.writing, log_format)
    for _ in range(10):
        note(log, b"/" + b"x" * 60_000)
        log.flush()
    out = b""
    while log._batches.qsize():
        out += os.read(pipe.reading, 1 << 20)
    note(log, b"/the-last")
    log.flush()
    while b"the-last" not in out or not out.endswith(b"\n"):
        out += os.read(pipe.reading, 1 << 20)
    log.close()
    lines = out.decode().splitlines()
    told = [line for line in lines if "dropped" in line]
    if log_format is LogFormat.JSON:
        dropped = [json.loads(line)["dropped"] for line in told]
    else:
        dropped = [int(line.split(" lines were dropped")[0].split()[-1]) for line in told]
    assert sum(dropped) >= 1
    assert sum(dropped) + len(lines) - len(told) == 11


async def test_a_log_whose_reader_is_gone_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    log = AccessLog(writing)
    for _ in range(3):
        note(log, b"/")
        log.flush()
    log.close()
    os.close(writing)


@pytest.mark.parametrize("target", [b"/%0Aforged", b"/\xff\xfe", b'/"', b"/\\", b"/%s%d"])
@pytest.mark.parametrize("log_format", LogFormat)
async def test_no_target_makes_a_line_of_its_own(
    pipe: Pipe, log_format: LogFormat, target: bytes
) -> None:
    log = AccessLog(pipe.writing, log_format)
    note(log, target)
    log.close()
    (line,) = pipe.lines()
    assert line.isprintable()
    if log_format is LogFormat.JSON:
        assert json.loads(line)["target"] == target.decode("ascii", "backslashreplace")
