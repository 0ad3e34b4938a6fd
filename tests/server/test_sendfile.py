"""Sending regions of files to a socket whose other end reads or does not."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest
from tests.server.kernel import congestion_control, most_unsent

from riverrun.flows import Flow, Waiting
from riverrun.server import loopback, sendfile
from riverrun.server.listeners import open_listener
from riverrun.server.loopback import LONG, UNSENT
from riverrun.server.sendfile import RegionSender
from riverrun.streams.contracts import FileRegion

T = TypeVar("T")

KIB = 1024
SIZE = 2048 * KIB

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not asked")


@pytest.mark.parametrize("buffer", [48 * KIB, 96 * KIB])
async def test_a_reader_that_stalls_is_waited_for_also_when_a_turn_has_filled_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: int
) -> None:
    """A socket is writable again only when a good part of its buffer is free."""
    monkeypatch.setattr(sendfile, "SLICE_SIZE", 64 * KIB)
    (tmp_path / "file").write_bytes(bytes(SIZE))
    ours, theirs = socket.socketpair()
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        ours.setblocking(False)
        theirs.setblocking(False)
        loop, flow = asyncio.get_running_loop(), Flow()
        sender = RegionSender(loop, ours.fileno())
        sending = asyncio.create_task(sender.send(FileRegion(descriptor, 0, SIZE), flow))
        moved = -1
        while moved != flow.moved:  # until the loop has nothing more to do
            moved = flow.moved
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert flow.moved < SIZE
        stalled = flow.waiting
        assert stalled is Waiting.PEER

        taken = 0
        while taken < SIZE:
            taken += len(await loop.sock_recv(theirs, 1 << 16))
        assert await sending == SIZE
        assert flow.waiting is None
    os.close(descriptor)


async def test_a_slice_that_went_in_part_is_followed_when_a_good_part_of_the_buffer_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To ask again at once would find room for one packet, and one more, as the client reads."""
    (tmp_path / "file").write_bytes(bytes(10 * KIB))
    calls: list[int] = []

    def send_little(out: int, source: int, offset: int, count: int) -> int:
        calls.append(offset)
        return sent(out, source, offset, min(count, KIB))

    sent = os.sendfile
    monkeypatch.setattr(os, "sendfile", send_little)
    ours, theirs = socket.socketpair()
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    with ours, theirs:
        ours.setblocking(False)
        sender = RegionSender(asyncio.get_running_loop(), ours.fileno())
        sending = asyncio.create_task(sender.send(FileRegion(descriptor, 0, 10 * KIB), Flow()))
        while not sending.done():
            before = len(calls)
            await asyncio.sleep(0)
            assert len(calls) <= before + 1
        assert calls == list(range(0, 10 * KIB, KIB))
        assert await sending == 10 * KIB
        assert len(theirs.recv(20 * KIB)) == 10 * KIB
    os.close(descriptor)


class Ends(NamedTuple):
    """A connection over loopback: our end, as it was accepted, and the client's."""

    ours: socket.socket
    theirs: socket.socket


@pytest.fixture
def ends() -> Iterator[Ends]:
    with open_listener("127.0.0.1", 0) as listener, socket.socket() as theirs:
        theirs.connect(listener.getsockname())
        ours, _ = listener.accept()
        with ours:
            ours.setblocking(False)
            theirs.setblocking(False)
            yield Ends(ours, theirs)


@pytest.fixture
def long_file(tmp_path: Path) -> Iterator[int]:
    """A descriptor of a file that is just long."""
    (tmp_path / "file").write_bytes(bytes(LONG + 1))
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
async def sender(ends: Ends) -> RegionSender:
    return RegionSender(asyncio.get_running_loop(), ends.ours.fileno())


async def send_all(sender: RegionSender, ends: Ends, descriptor: int, length: int) -> None:
    sending = asyncio.create_task(sender.send(FileRegion(descriptor, 0, length), Flow()))
    while not sending.done():  # what came before it is read too
        with suppress(BlockingIOError):
            ends.theirs.recv(1 << 16)
        await asyncio.sleep(0)
    assert await sending == length


def systems(read: Callable[[socket.socket], T]) -> T:
    with socket.socket() as untouched:
        return read(untouched)


@only_linux
async def test_little_that_cannot_be_sent_yet_waits_in_the_kernel_until_something_is_long(
    ends: Ends, sender: RegionSender, long_file: int
) -> None:
    sender.try_send(b"head", long_file, 0, LONG)
    assert most_unsent(ends.ours) == UNSENT
    await send_all(sender, ends, long_file, LONG)
    assert most_unsent(ends.ours) == UNSENT
    await send_all(sender, ends, long_file, LONG + 1)
    assert most_unsent(ends.ours) == systems(most_unsent)


@only_linux
def test_a_python_that_has_no_name_for_it_knows_its_number() -> None:
    """As those that were built with old headers."""
    script = (
        "import socket; number = socket.TCP_NOTSENT_LOWAT; del socket.TCP_NOTSENT_LOWAT\n"
        "from riverrun.server.loopback import NOTSENT_LOWAT; assert NOTSENT_LOWAT == number"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@only_linux
async def test_the_system_paces_a_connection_on_which_something_went_whole(
    ends: Ends, sender: RegionSender, long_file: int
) -> None:
    if systems(congestion_control) == b"reno":
        pytest.skip("the system has what is not paced")
    assert congestion_control(ends.ours) == b"reno"
    assert sender.try_send(b"head", long_file, 0, 10 * KIB) == (4, 10 * KIB)
    assert congestion_control(ends.ours) == systems(congestion_control)


@only_linux
async def test_a_connection_that_was_used_for_something_long_is_left_alone(
    ends: Ends, sender: RegionSender, long_file: int
) -> None:
    await send_all(sender, ends, long_file, LONG + 1)
    assert sender.try_send(b"head", long_file, 0, 10 * KIB) == (4, 10 * KIB)
    assert congestion_control(ends.ours) == b"reno"
    assert most_unsent(ends.ours) == systems(most_unsent)


@pytest.mark.parametrize("kind", [socket.AF_UNIX, socket.AF_INET])
async def test_what_is_not_over_loopback_is_left_alone(
    long_file: int, kind: socket.AddressFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "_stays_here", lambda _: False)
    ours, theirs = socket.socketpair() if kind == socket.AF_UNIX else connected()
    with ours, theirs:
        sender = RegionSender(asyncio.get_running_loop(), ours.fileno())
        assert sender.try_send(b"head", long_file, 0, KIB) == (4, KIB)
        if kind == socket.AF_INET and sys.platform == "linux":
            assert most_unsent(ours) == systems(most_unsent)


def connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        return listener.accept()[0], theirs
