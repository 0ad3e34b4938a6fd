"""Many readers of one channel in one process, and a publisher beside them: raw sockets, one epoll.

Every message carries the time at which it was sent between two marks that nothing else has in it:
so a latency is known without taking events or chunks apart.

To read takes such a process longer than it takes a server to send. So the times are those of every
tenth reader, and these are read before the others: what is measured is not how long the others
take.
"""

from __future__ import annotations

import contextlib
import select
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from bench.client import Connection, request_head
from bench.model import VoidReadingError

if TYPE_CHECKING:
    from types import TracebackType

MARK = b"@"
MESSAGE_SIZE = 100
_READ_SIZE = 1 << 18
_READ_AT_ONCE = 16
"""Of the others, before it is looked whether one of those whose times are taken has something."""
_QUIET_SECONDS = 0.3
_PATIENCE = 20.0


def message(now: float) -> bytes:
    """A message of `MESSAGE_SIZE` bytes that says when it was sent."""
    return (MARK + b"%020.9f" % now + MARK).ljust(MESSAGE_SIZE, b"x")


def sent_times(received: bytes) -> list[float]:
    """When the messages were sent that begin and end their time in `received`."""
    return [float(part) for part in received.split(MARK)[1:-1] if len(part) == 20]


@dataclass
class Heard:
    """What reached the readers: so many messages, so late, in seconds."""

    marks: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def messages(self) -> int:
        """How many whole messages came."""
        return self.marks // 2

    def percentile(self, share: float) -> float:
        """The latency that this share of the messages did not pass."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass(frozen=True)
class Channel:
    """Where a peer takes messages and where it gives them."""

    publish: str
    subscribe: str
    create: bool = False


class Audience:
    """Readers who read everything at once; close it in the end."""

    def __init__(self, port: int, channel: Channel) -> None:
        self._port = port
        self._channel = channel
        self._stack = contextlib.ExitStack()
        self._epoll = self._stack.enter_context(select.epoll())
        self._first = self._stack.enter_context(select.epoll())
        self._epoll.register(self._first, select.EPOLLIN)
        self._buffer = bytearray(_READ_SIZE)
        self._readers: dict[int, Connection] = {}
        self._publisher = self._stack.enter_context(Connection(port))
        if channel.create:
            self._tell("PUT", b"")
        self._first.register(self._publisher.socket, select.EPOLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def join(self, count: int, receive_buffer: int | None = None, *, reads: bool = True) -> None:
        """Let `count` more come; those that do not read stop behind the head."""
        joined = []
        for _ in range(count):
            reader = self._stack.enter_context(Connection(self._port, receive_buffer))
            head = request_head("GET", self._channel.subscribe, {"Accept": "text/event-stream"})
            reader.socket.sendall(head)
            joined.append(reader)
        for reader in joined:
            if not _head_of(reader).startswith(b"HTTP/1.1 200 "):
                raise VoidReadingError("not every reader was let in")
            if reads:
                timed = len(self._readers) % 10 == 0
                self._readers[reader.socket.fileno()] = reader
                (self._first if timed else self._epoll).register(reader.socket, select.EPOLLIN)

    def hear(self, rate: float, seconds: float, size: int = MESSAGE_SIZE) -> Heard:
        """Publish `rate` messages a second and read what comes, until nothing more does."""
        heard = Heard()
        due = began = time.perf_counter()
        last = began + seconds
        posted = answered = 0
        quiet_since = began
        while (now := time.perf_counter()) < last or (
            now - quiet_since < _QUIET_SECONDS or answered < posted
        ):
            if now >= due and due < last:
                self._tell("POST", message(now).ljust(size, b"x"), wait=False)
                posted += 1
                due += 1 / rate
            if now > last + _PATIENCE:
                raise VoidReadingError("it fell behind for good")
            wait = min(max(due - time.perf_counter(), 0.0), 0.05) if due < last else 0.05
            ready = self._epoll.poll(wait, _READ_AT_ONCE)
            if ready:
                quiet_since = now
                answered += self._hear_first(heard)
            for descriptor, _ in ready:
                if descriptor != self._first.fileno():
                    self._hear_one(descriptor, heard)
        return heard

    def _hear_first(self, heard: Heard) -> int:
        """Read what has come to those whose times are taken, and count the answers."""
        answered = 0
        for descriptor, _ in self._first.poll(0):
            if descriptor == self._publisher.socket.fileno():
                answered += self._take_answers()
                continue
            size = self._hear_one(descriptor, heard)
            arrived = time.perf_counter()
            received = bytes(self._buffer[:size])
            heard.latencies += [arrived - sent for sent in sent_times(received)]
        return answered

    def _hear_one(self, descriptor: int, heard: Heard) -> int:
        """Read what has come to one into the buffer, and return how much it is."""
        size = self._readers[descriptor].socket.recv_into(self._buffer)
        if not size:
            raise VoidReadingError("a reader was sent away")
        heard.marks += self._buffer.count(MARK, 0, size)
        return size

    def _tell(self, method: str, body: bytes, *, wait: bool = True) -> None:
        headers = {"Content-Type": "text/plain", "Content-Length": str(len(body))}
        socket = self._publisher.socket
        socket.sendall(request_head(method, self._channel.publish, headers) + body)
        if wait and self._publisher.read_head().status not in {200, 201, 202, 204}:
            raise VoidReadingError(f"{method} was refused")

    def _take_answers(self) -> int:
        answers = self._publisher.socket.recv(_READ_SIZE)
        if not answers or b"HTTP/1.1 4" in answers or b"HTTP/1.1 5" in answers:
            raise VoidReadingError("not every message was taken")
        return answers.count(b"HTTP/1.1 2")


def _head_of(reader: Connection) -> bytes:
    """The head of an answer whose body has no end, and what came with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (more := reader.socket.recv(4096)):
            raise VoidReadingError("a reader was sent away")
        received += more
    return received
