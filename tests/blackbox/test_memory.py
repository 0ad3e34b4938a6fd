"""Nothing is held whole: what large things cost the program that people run.

Memory is counted twice: what is the program's own (without pages of files, which the kernel keeps
and gives back), and the peak of everything.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.cli.programs import eventually
from tests.support.crowd import FILES
from tests.support.serving import Serving, serving

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

MIB = 1 << 20
KIB_A_MIB = 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


def sparse(path: Path, size: int) -> Path:
    """A file of so many bytes that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)
    return path


@contextmanager
def asking(server: Serving, path: str, *lines: str) -> Iterator[socket.socket]:
    """Ask for a path and take nothing yet, in a small window."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(20)
        client.connect(("127.0.0.1", server.port))
        head = "\r\n".join((f"GET {path} HTTP/1.1", "Host: a", "Connection: close", *lines, "", ""))
        client.sendall(head.encode())
        yield client


def take(client: socket.socket, size: int | None = None) -> int:
    """Take so many bytes, or all until the end; return how many came."""
    buffer = bytearray(MIB)
    taken = 0
    while size is None or taken < size:
        count = client.recv_into(buffer, min(MIB, size - taken) if size else MIB)
        if not count:
            break
        taken += count
    return taken


def warmed(server: Serving, path: str, *lines: str) -> None:
    """Have it do once what is measured, so that what it loads and keeps is not counted.

    Some of it is loaded, and what is free given back, a moment after the start or an answer.
    """
    with asking(server, path, *lines) as client:
        take(client)
    until_it_rests(server, at_least=1)


def grown(kib: int) -> float:
    return kib / KIB_A_MIB


def until_it_rests(server: Serving, at_least: float = 0.15) -> None:
    """Wait until it has not worked for so many seconds: what can be sent has been."""
    seen = -1

    def rests() -> bool:
        nonlocal seen
        last, seen = seen, ticks(server)
        time.sleep(at_least)
        return seen == last

    eventually(rests)


def ticks(server: Serving) -> int:
    """The time that it has worked."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def read_from_files(server: Serving) -> int:
    """How many bytes it has read since it began, and sent from files unread."""
    lines = Path(f"/proc/{server.pid}/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar:")).split()[1])


def test_a_stalled_reader_of_a_gibibyte_costs_less_than_a_mebibyte(folder: Path) -> None:
    sparse(folder / "large.bin", 1024 * MIB)
    sparse(folder / "warm.bin", 64 * MIB)
    with serving(folder) as server:
        warmed(server, "/warm.bin")
        before = server.memory()
        server.forget_peak()
        peak = server.peak_memory()
        read = read_from_files(server)
        with asking(server, "/large.bin") as client:
            take(client, MIB)
            until_it_rests(server)
            assert read_from_files(server) - read < 64 * MIB
            assert grown(server.memory() - before) < 1
            assert grown(server.peak_memory() - peak) < 1


def test_a_gibibyte_sent_whole_costs_no_more(folder: Path) -> None:
    sparse(folder / "large.bin", 1024 * MIB)
    sparse(folder / "warm.bin", 64 * MIB)
    with serving(folder) as server:
        warmed(server, "/warm.bin")
        before = server.memory()
        server.forget_peak()
        peak = server.peak_memory()
        with asking(server, "/large.bin") as client:
            assert take(client) > 1024 * MIB
        assert grown(server.memory() - before) < 1
        assert grown(server.peak_memory() - peak) < 2


def test_a_hundred_stalled_readers_cost_little_each(folder: Path) -> None:
    sparse(folder / "large.bin", 1024 * MIB)
    sparse(folder / "warm.bin", 64 * MIB)
    with serving(folder) as server:
        warmed(server, "/warm.bin")
        before = server.memory()
        readers = [asking(server, "/large.bin") for _ in range(100)]
        clients = [reader.__enter__() for reader in readers]
        try:
            for client in clients:
                take(client, 1000)
            assert server.memory() - before < 100 * 40
        finally:
            for reader in readers:
                reader.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("query", "accept"),
    [("", "application/x-ndjson"), ("?sort=size", "application/x-ndjson"), ("", "text/html")],
)
def test_a_listing_of_100_000_entries_is_never_held(crowd: Path, query: str, accept: str) -> None:
    with serving(crowd, "--no-page") as server:
        warmed(server, "/?limit=1000", f"Accept: {accept}")
        server.forget_peak()
        peak = server.peak_memory()
        with asking(server, f"/{query}", f"Accept: {accept}") as client:
            received = take(client)
        assert received > FILES * 100
        assert grown(server.peak_memory() - peak) < 5


def test_a_listing_nobody_takes_waits(crowd: Path) -> None:
    with serving(crowd) as server:
        warmed(server, "/?limit=1000", "Accept: application/x-ndjson")
        server.forget_peak()
        peak = server.peak_memory()
        with asking(server, "/", "Accept: application/x-ndjson") as client:
            take(client, 1000)
            until_it_rests(server)
            assert grown(server.peak_memory() - peak) < 5


@pytest.mark.timing  # a tenth of a second
@pytest.mark.parametrize("taken", [1000, 5 * MIB])
def test_a_cancelled_download_closes_its_file_at_once(folder: Path, taken: int) -> None:
    path = sparse(folder / "large.bin", 1024 * MIB)
    with serving(folder) as server:
        warmed(server, "/", "Accept: application/json")
        for _ in range(3):
            with asking(server, "/large.bin") as client:
                take(client, taken)
                assert str(path) in server.open_files()
            assert server.until_closed(path) < 0.1


@pytest.mark.timing  # a tenth of a second
def test_a_follower_that_leaves_closes_its_file_at_once(folder: Path) -> None:
    path = folder / "a.log"
    path.write_bytes(b"line\n")
    with serving(folder) as server:
        with asking(server, "/a.log?follow") as client:
            take(client, 100)
            assert str(path) in server.open_files()
        assert server.until_closed(path) < 0.1


def test_a_sender_that_takes_its_time_costs_little(folder: Path) -> None:
    """Each has sent 8 KiB of a gibibyte, and goes on a byte at a time."""
    number, kib_each = 400, 24
    with (
        serving(folder, "--allow", "upload", "--keep-free", "1MiB") as server,
        ExitStack() as senders,
    ):
        with sending(server, "/first") as first:
            until_it_rests(server)
            first.close()
        until_it_rests(server)
        before = server.memory()
        clients = [senders.enter_context(socket.socket()) for _ in range(number)]
        for client in clients:
            client.connect(("127.0.0.1", server.port))
        for position, client in enumerate(clients):
            begin_sending(client, f"/{position}")

        def costs_little() -> bool:
            for client in clients:
                client.sendall(b"x")
            time.sleep(0.2)
            return server.memory() - before < number * kib_each

        waiting = folder / ".riverrun" / "uploads"
        eventually(lambda: len(list(waiting.iterdir())) == number)
        eventually(costs_little)


@contextmanager
def sending(server: Serving, path: str) -> Iterator[socket.socket]:
    """Begin an upload."""
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        begin_sending(client, path)
        yield client


def begin_sending(client: socket.socket, path: str) -> None:
    head = f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {1024 * MIB}\r\n\r\n"
    client.sendall(head.encode() + bytes(8192))
