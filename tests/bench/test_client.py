"""The small client: heads read whole or in parts, bodies of either framing."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bench.client import HOST, Connection, Head, parse_head
from bench.model import VoidReadingError

FIXED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_head_is_incomplete_until_its_empty_line() -> None:
    for end in range(len(FIXED)):
        assert parse_head(FIXED[:end]) is None
    assert parse_head(FIXED + b"he") == Head(200, 5, b"he")


def test_a_head_knows_its_fields_whatever_their_case() -> None:
    head = parse_head(b"HTTP/1.1 201 Created\r\nLocation: http://a/b\r\ncontent-length: 0\r\n\r\n")
    assert head is not None
    assert head.headers["location"] == "http://a/b"


def test_an_answer_without_content_has_no_body() -> None:
    assert parse_head(b"HTTP/1.1 204 No Content\r\n\r\n") == Head(204, 0, b"")


def test_a_chunked_body_has_no_length() -> None:
    assert parse_head(CHUNKED) == Head(200, None, b"")


@pytest.mark.parametrize(
    "received", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"x" * (17 << 10)]
)
def test_what_is_no_answer_is_void(received: bytes) -> None:
    with pytest.raises(VoidReadingError):
        parse_head(received)


@contextmanager
def answering(*parts: bytes) -> Iterator[int]:
    """A server of one answer, in these parts; gives its port."""
    with socket.create_server((HOST, 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                for part in parts:
                    connection.sendall(part)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    "parts",
    [
        (FIXED + b"hello",),
        (FIXED, b"hel", b"lo"),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",),
        (CHUNKED, b"5\r\nhello\r\n0\r", b"\n\r", b"\n"),
    ],
)
def test_a_body_of_the_right_size_is_discarded(parts: tuple[bytes, ...]) -> None:
    with answering(*parts) as port, Connection(port, patience=5) as client:
        client.ask("/")
        client.discard_body(client.read_head(), 5, bytearray(4))


@pytest.mark.parametrize(
    "answer",
    [
        FIXED + b"hel",
        FIXED.replace(b"5", b"6") + b"hello!",
        FIXED.replace(b"200", b"404") + b"hello",
        CHUNKED + b"5\r\nhello\r\n",
    ],
)
def test_a_body_cut_short_or_of_another_file_is_void(answer: bytes) -> None:
    with answering(answer) as port, Connection(port, patience=5) as client:
        client.ask("/")
        with pytest.raises(VoidReadingError):
            client.discard_body(client.read_head(), 5, bytearray(4))
