"""Producers that append to durable streams, and a stream that is read to its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.client import Connection
from bench.model import VoidReadingError
from bench.streams import MESSAGE_SIZE, Producers, append_file, create, read_through
from tests.support.serving import serving

PREFIX = "/v1/stream/"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("served"), "--allow", "streams") as server:
        yield server.port


def test_what_producers_were_acknowledged_is_there(port: int) -> None:
    with Producers(port, PREFIX, 3) as producers:
        appended = producers.append(0.1)
        producers.check()
        assert len(appended.latencies) >= 3
        assert appended.rate == pytest.approx(len(appended.latencies) / appended.seconds)
        assert max(appended.latencies) <= appended.seconds
        with Connection(port) as other:
            create(other, f"{PREFIX}3-0")  # it is there already
            other.socket.sendall(
                b"POST /v1/stream/3-0 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                b"Content-Type: application/octet-stream\r\n\r\nx"
            )
            assert other.read_head().status == 204
        with pytest.raises(VoidReadingError, match="bytes are there of"):
            producers.check()


def test_a_stream_is_read_from_its_beginning_answer_by_answer(port: int, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(1 << 20))
    with Connection(port) as client:
        create(client, f"{PREFIX}long")
        append_file(client, f"{PREFIX}long", source, 18 << 20)  # more than one answer has
        assert read_through(client, f"{PREFIX}long", bytearray(1 << 16)) == 18 << 20


def test_what_is_refused_does_not_count(port: int, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(MESSAGE_SIZE))
    with Connection(port) as client, pytest.raises(VoidReadingError, match="404"):
        append_file(client, f"{PREFIX}none", source, MESSAGE_SIZE)
    with Connection(port) as client, pytest.raises(VoidReadingError, match="404"):
        create(client, PREFIX)
