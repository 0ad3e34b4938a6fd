"""Nothing of a stream is held whole: what large appends, slow readers and long lists cost."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.support.serving import Serving, serving

from riverrun.logs.disk import DiskLogStore

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

MIB = 1 << 20
KIB_A_MIB = 1024
SIZE = 200 * MIB
BYTES = "Content-Type: application/octet-stream"
READERS = 50


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder, "--allow", "streams") as server:
        yield server


@contextmanager
def asking(server: Serving, method: str, path: str, *lines: str) -> Iterator[socket.socket]:
    """Ask for a path in a small window, and neither send a body nor take anything yet."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(20)
        client.connect(("127.0.0.1", server.port))
        head = "\r\n".join((f"{method} {path} HTTP/1.1", "Host: a", *lines, "", ""))
        client.sendall(head.encode())
        yield client


def ask(server: Serving, method: str, path: str, *lines: str) -> int:
    with asking(server, method, path, *lines) as client:
        return int(client.recv(4096).split(b" ")[1])


def send(client: socket.socket, *, chunked: bool) -> int:
    """Send a long body; return the status of the answer."""
    piece = bytes(256 * 1024)
    for _ in range(SIZE // len(piece)):
        client.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
    if chunked:
        client.sendall(b"0\r\n\r\n")
    return int(client.recv(4096).split(b" ")[1])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_append_and_readers_who_take_nothing(server: Serving, chunked: bool) -> None:
    assert ask(server, "PUT", "/v1/stream/s", BYTES) == 201
    body = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {SIZE}"
    with asking(server, "POST", "/v1/stream/warm", BYTES, "Content-Length: 0"):
        server.forget_peak()
    before = server.peak_memory()
    with ExitStack() as stack:
        for _ in range(READERS):
            stack.enter_context(asking(server, "GET", "/v1/stream/s?offset=-1&live=sse"))
        sending = stack.enter_context(asking(server, "POST", "/v1/stream/s", BYTES, body))
        assert send(sending, chunked=chunked) == 204
        for _ in range(READERS):
            stack.enter_context(asking(server, "GET", "/v1/stream/s"))
        assert ask(server, "HEAD", "/v1/stream/s") == 200
        assert server.peak_memory() - before < 40 * KIB_A_MIB


def test_a_long_list_that_nobody_takes(tmp_path: Path) -> None:
    folder = tmp_path / "served"
    (folder / ".riverrun").mkdir(parents=True)

    async def fill() -> None:
        async with DiskLogStore(folder / ".riverrun" / "logs") as store:
            for first in range(0, 10_000, 1000):
                names = (f"stream number {first + number}" for number in range(1000))
                await asyncio.gather(*map(store.create, names))

    asyncio.run(fill())
    with serving(folder, "--allow", "streams") as server:
        assert ask(server, "GET", "/~/streams?prefix=none") == 200
        before = server.memory()
        with asking(server, "GET", "/~/streams", "Connection: close") as client:
            while len(client.recv(1, socket.MSG_PEEK)) < 1:
                pass
            assert server.memory() - before < 3 * KIB_A_MIB
            client.settimeout(60)
            taken = b""
            while piece := client.recv(MIB):
                taken = taken[-64:] + piece
            assert taken.endswith(b"0\r\n\r\n")
            assert server.memory() - before < 5 * KIB_A_MIB
