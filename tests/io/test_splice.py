"""Bytes that go from a socket into a file within the kernel."""

from __future__ import annotations

import errno
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riverrun.io.partial_file import PartialFile
from riverrun.io.splice import MOVE_TIME, Splice

MIB = 1024 * 1024


class Line:
    """A connection whose far end sends from a thread, and a file that grows with what it sends."""

    def __init__(self, path: Path, ends: tuple[socket.socket, socket.socket]) -> None:
        self.path = path
        self.near, self.far = ends
        self.near.setblocking(False)
        self.file = PartialFile(os.open(path, os.O_RDWR | os.O_CREAT))
        self.splice = Splice(self.file)

    def move(self, most: int, first: bytes = b"") -> None:
        self.splice.move([first] if first else [], self.near.fileno(), most, lambda: True)

    def move_until(self, taken: int) -> None:
        while self.splice.taken < taken:
            self.move(min(3 * MIB, taken - self.splice.taken))

    def send(self, content: bytes) -> threading.Thread:
        sender = threading.Thread(target=self.far.sendall, args=(content,))
        sender.start()
        return sender

    @property
    def stored(self) -> bytes:
        return self.path.read_bytes()

    def rest(self) -> bytes:
        """What is still in the connection."""
        taken = b""
        try:
            while chunk := self.near.recv(MIB):
                taken += chunk
        except BlockingIOError:
            pass
        return taken


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        far = socket.create_connection(listener.getsockname())
        return listener.accept()[0], far


@pytest.fixture(params=[tcp_pair, socket.socketpair], ids=["tcp", "unix"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path / "file", request.param())
    yield line
    line.near.close()
    line.far.close()
    line.file.close()


def test_everything_arrives_in_order_behind_what_was_read_before(line: Line) -> None:
    content = os.urandom(5 * MIB)
    sender = line.send(content)
    line.move(0, first=b"before ")
    line.move_until(len(content))
    sender.join()
    assert line.stored == b"before " + content
    assert (line.splice.taken, line.file.size) == (len(content), len(content) + 7)


def test_no_more_is_taken_than_asked_for(line: Line) -> None:
    line.far.sendall(b"0123456789")
    line.move(4)
    assert (line.stored, line.splice.taken, line.rest()) == (b"0123", 4, b"456789")


def test_a_silent_socket_is_not_waited_for(line: Line) -> None:
    line.far.sendall(b"abc")
    began = time.thread_time()
    line.move(MIB)
    assert line.stored == b"abc"
    assert time.thread_time() - began < MOVE_TIME  # nor asked again and again


def test_it_ends_when_no_more_is_wanted(line: Line) -> None:
    sender = line.send(bytes(8 * MIB))
    answers = iter([True, True, False])
    line.splice.move([], line.near.fileno(), 8 * MIB, lambda: next(answers))
    assert 0 < line.splice.taken < 8 * MIB
    line.move_until(8 * MIB)
    sender.join()


def test_an_end_of_input_is_left_to_who_reads(line: Line) -> None:
    line.far.sendall(b"abc")
    line.far.close()
    line.move(MIB)
    line.move(MIB)
    assert (line.stored, line.near.recv(10)) == (b"abc", b"")


def test_it_ends_in_time_however_slowly_they_come(line: Line) -> None:
    enough = threading.Event()

    def trickle() -> None:
        while not enough.wait(0.0005):
            line.far.send(b"x")

    sender = threading.Thread(target=trickle)
    sender.start()
    line.move(MIB)
    enough.set()
    sender.join()
    assert line.splice.taken == len(line.stored)


def test_a_full_disk_loses_none_of_what_it_has_and_counts_all_that_was_taken(line: Line) -> None:
    content = os.urandom(MIB)
    room = 100_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    sender = line.send(content)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            line.move_until(len(content))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert line.stored == content[:room]
    assert line.file.size == room
    rest = b""
    while sender.is_alive() or not rest:
        rest += line.rest()
    rest += line.rest()
    assert rest == content[line.splice.taken :]


Spliced = Callable[..., int]


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOSYS, errno.EPERM])
def test_a_socket_that_cannot_be_spliced_is_left_as_it_is(
    line: Line, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "splice", refuse)
    line.far.sendall(b"abc")
    line.move(MIB, first=b"before")
    assert (line.stored, line.rest()) == (b"before", b"abc")
    assert not line.splice.possible


def test_a_file_that_cannot_be_spliced_into_is_written(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    splice: Spliced = os.splice

    def refuse(*arguments: int, **options: int) -> int:
        if "offset_dst" in options:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return splice(*arguments, **options)

    monkeypatch.setattr(os, "splice", refuse)
    content = os.urandom(3 * MIB)
    sender = line.send(content)
    line.move_until(len(content))
    sender.join()
    assert line.stored == content
