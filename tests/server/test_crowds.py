"""More connections than there is room for."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cli.programs import PROGRAM, Running, eventually
from tests.conftest import Serve
from tests.server.client import Client, until

from riverrun.http.limits import Limits
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server.descriptors import room_for_connections

FEW = 300
MANY = 500


async def hello(_request: Request, response: Response) -> None:
    await response.end(b"hello")


async def test_one_too_many_is_told_and_closed_and_the_others_are_served(serve: Serve) -> None:
    server = await serve(hello, limits=Limits(connection_count=2))
    async with await Client.connect(server) as first, await Client.connect(server) as second:
        assert (await first.ask("/")).status == (await second.ask("/")).status == 200
        async with await Client.connect(server) as third:
            reply = await third.reply()
            assert (reply.status, reply["retry-after"]) == (503, "5")
            assert await third.ends() == b""
        assert (await first.ask("/")).status == 200
    await until(lambda: not server.connections)
    async with await Client.connect(server) as next_one:
        assert (await next_one.ask("/")).status == 200


def test_connections_leave_descriptors_for_their_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft in (300, 1024, 65536):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        assert 8 <= room_for_connections() <= (soft - 128) // 2


@pytest.mark.skipif(sys.platform != "linux", reason="limits descriptors as Linux does")
def test_a_crowd_leaves_a_server_that_answers(tmp_path: Path) -> None:
    """As whoever opens connections and leaves them would have it: no descriptor is left."""
    (tmp_path / "f").write_bytes(b"x" * 1000)
    process = subprocess.Popen(
        (*PROGRAM, "serve", str(tmp_path), "--port", "0", "--log", "none"),
        stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, FEW)),  # noqa: PLW1509
    )
    program = Running(process)
    try:
        program.read_greeting()
        address = ("127.0.0.1", program.port)
        with ExitStack() as crowd:
            for _ in range(MANY):
                crowd.enter_context(socket.create_connection(address))
            assert b" 503 " in ask(address)
        eventually(lambda: b" 200 " in ask(address))
    finally:
        process.terminate()
        _, said = process.communicate(timeout=20)
    assert b"Traceback" not in said


def ask(address: tuple[str, int]) -> bytes:
    """The status line of an answer."""
    with socket.create_connection(address) as client:
        client.settimeout(10)
        client.sendall(b"GET /f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return client.makefile("rb").readline()
