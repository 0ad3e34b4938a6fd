"""Sending a body by PUT and by tus, and looking at what came of it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from bench.client import HOST, Connection
from bench.model import VoidReadingError
from bench.process import Server
from bench.work.slow_senders import refuse_answers, trickle

from bench import uploads

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n"


@contextmanager
def answering(*answers: bytes, received: list[bytes] | None = None) -> Iterator[Server]:
    """A server of one answer a connection, each sent when the announced body is there."""
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as stream:
                    head = b"".join(iter(stream.readline, b"\r\n"))
                    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                    body = stream.read(int(length))
                    if received is not None:
                        received.append(head + b"\r\n" + body)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        yield cast("Server", SimpleNamespace(port=port, prefix="/files/"))
        thread.join()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(b"0123456789")
    return path


@pytest.mark.parametrize("answer", [CREATED, NO_CONTENT])
def test_a_put_sends_the_file_over_and_over_until_its_size(source: Path, answer: bytes) -> None:
    received: list[bytes] = []
    with answering(answer + b"\r\n", received=received) as server:
        uploads.put(server, source, 25)
    head, _, body = received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /files/upload.bin HTTP/1.1\r\n")
    assert body == b"0123456789012345678901234"


def test_a_put_that_is_refused_is_void(source: Path) -> None:
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    with answering(refusal) as server, pytest.raises(VoidReadingError, match="status 403"):
        uploads.put(server, source, 10)


def test_tus_creates_an_upload_and_sends_all_of_it_where_it_was_told(source: Path) -> None:
    received: list[bytes] = []
    created = CREATED + b"Location: http://elsewhere/files/abc\r\n\r\n"
    done = NO_CONTENT + b"Upload-Offset: 10\r\n\r\n"
    with answering(created, done, received=received) as server:
        uploads.tus(server, source, 10)
    assert received[0].startswith(b"POST /files/ HTTP/1.1\r\n")
    assert b"Upload-Length: 10\r\n" in received[0]
    assert received[1].startswith(b"PATCH /files/abc HTTP/1.1\r\n")
    assert b"Upload-Offset: 0\r\n" in received[1]
    assert all(b"Tus-Resumable: 1.0.0\r\n" in request for request in received)
    assert received[1].endswith(b"\r\n\r\n0123456789")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((CREATED + b"\r\n",), "creation"),
        (
            (
                CREATED + b"Location: /files/abc\r\n\r\n",
                NO_CONTENT + b"Upload-Offset: 9\r\n\r\n",
            ),
            "PATCH",
        ),
    ],
)
def test_a_tus_upload_that_is_not_whole_is_void(
    source: Path, answers: tuple[bytes, ...], reason: str
) -> None:
    with answering(*answers) as server, pytest.raises(VoidReadingError, match=reason):
        uploads.tus(server, source, 10)


def test_the_stored_file_is_found_wherever_it_lies(source: Path, tmp_path: Path) -> None:
    stored = tmp_path / "deep" / ".down" / "file"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"01234567890")
    assert uploads.stored_file(tmp_path, 11) == stored
    with pytest.raises(VoidReadingError, match="0 files of 12 bytes"):
        uploads.stored_file(tmp_path, 12)
    source.write_bytes(stored.read_bytes())
    with pytest.raises(VoidReadingError, match="2 files of 11 bytes"):
        uploads.stored_file(tmp_path, 11)


@pytest.mark.parametrize(
    ("other", "same"), [(b"0123456789", True), (b"012345678", False), (b"0123456780", False)]
)
def test_what_was_stored_is_compared_whole(source: Path, other: bytes, same: bool) -> None:
    stored = source.with_name("stored")
    stored.write_bytes(other)
    assert uploads.same_bytes(stored, source) is same
    assert uploads.same_bytes(source, stored) is same


@contextmanager
def senders(count: int) -> Iterator[tuple[list[Connection], list[socket.socket]]]:
    """Connections, and the far ends of them."""
    with socket.create_server((HOST, 0)) as listener:
        clients = [Connection(listener.getsockname()[1], patience=5) for _ in range(count)]
        ends = [listener.accept()[0] for _ in clients]
        try:
            yield clients, ends
        finally:
            for each in (*(client.socket for client in clients), *ends):
                each.close()


def read_to_end(end: socket.socket) -> bytes:
    with end.makefile("rb") as stream:
        return stream.read()


def test_every_sender_sends_a_byte_at_every_fourth_turn() -> None:
    slept: list[float] = []
    with senders(6) as (clients, ends):
        turn: Callable[[float], None] = trickle(clients, sleep=slept.append)
        for _ in range(8):
            turn(0.25)
        for client in clients:
            client.socket.shutdown(socket.SHUT_WR)
        assert [read_to_end(end) for end in ends] == [b"xx"] * 6
    assert slept == [0.25] * 8


def test_a_sender_that_is_answered_early_makes_the_figure_void() -> None:
    with senders(3) as (clients, ends):
        refuse_answers(clients)
        ends[1].sendall(b"HTTP/1.1 507 Insufficient Storage\r\n\r\n")
        with pytest.raises(VoidReadingError, match="1 of 3 senders"):
            refuse_answers(clients)
