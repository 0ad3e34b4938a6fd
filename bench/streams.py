"""Durable streams from outside: many who append at once, and one who reads from the beginning.

Producers are sockets of one process. Each sends an append, waits for the answer, and sends the
next, to a stream of its own.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from bench.client import HOST, Connection, parse_head, request_head
from bench.model import VoidReadingError
from bench.uploads import send_from_file

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

MESSAGE_SIZE = 100
_TYPE = {"Content-Type": "application/octet-stream"}
_READ_SIZE = 1 << 16
_PATIENCE_SECONDS = 60.0


@dataclass
class Appended:
    """What was acknowledged: how often, and after how many seconds each time."""

    seconds: float
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Appends a second."""
        return len(self.latencies) / self.seconds


class Producers:
    """So many who append; close them in the end."""

    def __init__(self, port: int, prefix: str, count: int) -> None:
        self._stack = contextlib.ExitStack()
        self._epoll = self._stack.enter_context(select.epoll())
        self._port = port
        self._producers: dict[int, _Producer] = {}
        for number in range(count):
            connection = self._stack.enter_context(Connection(port, patience=_PATIENCE_SECONDS))
            producer = _Producer(connection, f"{prefix}{count}-{number}")
            create(connection, producer.path)
            self._epoll.register(connection.socket, select.EPOLLIN)
            self._producers[connection.socket.fileno()] = producer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def append(self, seconds: float) -> Appended:
        """Append for so long, and until the last answer is there.

        Raises:
            VoidReadingError: An append was refused, or an answer did not come.
        """
        began = time.perf_counter()
        appended = Appended(seconds)
        for producer in self._producers.values():
            producer.send()
        waiting = len(self._producers)
        while waiting:
            ready = self._epoll.poll(_PATIENCE_SECONDS)
            if not ready:
                raise VoidReadingError("an append was not answered")
            for descriptor, _ in ready:
                producer = self._producers[descriptor]
                if not producer.take_answer():
                    continue
                now = time.perf_counter()
                appended.latencies.append(now - producer.sent_at)
                if now - began < seconds:
                    producer.send()
                else:
                    waiting -= 1
        appended.seconds = time.perf_counter() - began
        return appended

    def check(self) -> None:
        """Raise `VoidReadingError` unless what was acknowledged is there, in one of the streams."""
        producer = next(iter(self._producers.values()))
        length = _length_of(self._port, producer.path)
        if length != producer.acknowledged * MESSAGE_SIZE:
            raise VoidReadingError(f"{length} bytes are there of {producer.acknowledged} appends")


class _Producer:
    """One of them."""

    def __init__(self, connection: Connection, path: str) -> None:
        self.path = path
        self.sent_at = 0.0
        self.acknowledged = 0
        self._socket = connection.socket
        head = request_head("POST", path, {**_TYPE, "Content-Length": str(MESSAGE_SIZE)})
        self._request = head + b"x" * MESSAGE_SIZE
        self._received = b""

    def send(self) -> None:
        self.sent_at = time.perf_counter()
        self._socket.sendall(self._request)

    def take_answer(self) -> bool:
        """Whether the answer is there now, and is a good one."""
        received = self._socket.recv(_READ_SIZE)
        self._received += received
        head = parse_head(self._received)
        if head is None and received:
            return False
        if head is None or head.status not in {200, 204}:
            raise VoidReadingError("an append was refused")
        self._received = b""
        self.acknowledged += 1
        return True


def create(client: Connection, path: str) -> None:
    """Begin a stream of bytes. Raises `VoidReadingError` when it is refused."""
    client.socket.sendall(request_head("PUT", path, {**_TYPE, "Content-Length": "0"}))
    if (status := client.read_head().status) not in {200, 201}:
        raise VoidReadingError(f"status {status} to the creation of a stream")


def append_file(client: Connection, path: str, source: Path, size: int) -> None:
    """Append `size` bytes of a file, in one request. Raises `VoidReadingError`."""
    client.socket.sendall(request_head("POST", path, {**_TYPE, "Content-Length": str(size)}))
    send_from_file(client, source, size)
    if (status := client.read_head().status) not in {200, 204}:
        raise VoidReadingError(f"status {status} to an append")


def read_through(client: Connection, path: str, buffer: bytearray) -> int:
    """Read a stream from its beginning to its end, answer by answer; return its length."""
    offset, length = "-1", 0
    while True:
        client.ask(f"{path}?offset={offset}")
        head = client.read_head()
        if head.length is None:
            raise VoidReadingError("an answer of unknown length")
        client.discard_body(head, head.length, buffer)
        length += head.length
        offset = head.headers.get("stream-next-offset", "")
        if "stream-up-to-date" in head.headers:
            return length


def _length_of(port: int, path: str) -> int:
    """How many bytes can be read of a stream, however they are sent."""
    offset, length = "-1", 0
    with contextlib.closing(http.client.HTTPConnection(HOST, port)) as client:
        while True:
            client.request("GET", f"{path}?offset={offset}")
            answer = client.getresponse()
            length += len(answer.read())
            offset = answer.headers.get("stream-next-offset", "")
            if answer.status != 200 or "stream-up-to-date" in answer.headers:
                return length
