"""A small HTTP/1.1 client on a blocking socket, for what wrk cannot measure.

It asks, reads the head, and then discards or leaves the body, as the work needs. A body comes with
Content-Length or chunked (RFC 9112 section 7.1), and must be of the size of the file asked for.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from bench.model import VoidReadingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

HOST = "127.0.0.1"
_HEAD_LIMIT = 16 << 10
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True)
class Head:
    """A response head, and what of the body came with it; `length` is None for a chunked body."""

    status: int
    length: int | None
    body: bytes
    headers: dict[str, str] = field(default_factory=dict, compare=False)
    """By their names in small letters."""


def parse_head(received: bytes) -> Head | None:
    """The head in `received`, or None while it is incomplete.

    Raises:
        VoidReadingError: It is no HTTP/1.1 head, or it does not say where the body ends.
    """
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        if len(received) > _HEAD_LIMIT:
            raise VoidReadingError("the response head does not end")
        return None
    lines = head.split(b"\r\n")
    status = lines[0].split(b" ", 2)
    if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or not status[1].isdigit():
        raise VoidReadingError("the answer is not HTTP/1.1")
    code, headers = int(status[1]), _headers(lines[1:])
    if code == 204:  # has no body, and need not say so (RFC 9110 section 15.3.5)
        return Head(code, 0, body, headers)
    if headers.get("content-length", "").isdigit():
        return Head(code, int(headers["content-length"]), body, headers)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Head(code, None, body, headers)
    raise VoidReadingError(f"status {code} with a body that has no end")


def request_head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    """The head of a request, as it is sent."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _headers(lines: list[bytes]) -> dict[str, str]:
    parted = (line.decode("latin-1").partition(":") for line in lines)
    return {name.lower(): value.strip() for name, _, value in parted}


class Connection:
    """One connection to a peer, closed with the `with` block.

    Args:
        port: Where the peer listens.
        receive_buffer: SO_RCVBUF in bytes, or None for the kernel's own choice.
        patience: Seconds without a byte after which a read fails.
    """

    def __init__(
        self, port: int, receive_buffer: int | None = None, patience: float = 20.0
    ) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        # A timeout in the kernel: Python's own would add a poll to every read.
        limit = struct.pack("ll", int(patience), int(patience % 1 * 1e6))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        try:
            self.socket.connect((HOST, port))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.socket.close()

    def ask(self, path: str) -> None:
        """Send a GET for `path`."""
        self.socket.sendall(request_head("GET", path, {}))

    def read_head(self, max_bytes: int = 4096) -> Head:
        """Read the response head, `max_bytes` at a time, and whatever body came with it."""
        received = b""
        while (head := parse_head(received)) is None:
            received += self._receive(max_bytes)
        return head

    def wait_for_body(self, head: Head) -> None:
        """Return when at least one byte has come after the head."""
        if not head.body:
            self._receive(1)

    def discard_body(self, head: Head, size: int, buffer: bytearray) -> None:
        """Read the rest of the body into `buffer`, over and over.

        Raises:
            VoidReadingError: It is not a 200 with a body of `size` bytes.
        """
        if head.status != 200 or head.length not in {size, None}:
            raise VoidReadingError(f"status {head.status} with {head.length} bytes")
        view = memoryview(buffer)
        received, tail = len(head.body), head.body[-len(_LAST_CHUNK) :]
        # Chunks are not taken apart, which would cost the load's core more than the copying: the
        # terminator can only stand at the end once the whole file has gone by.
        while received < size or (head.length is None and tail != _LAST_CHUNK):
            count = self.socket.recv_into(view)
            if not count:
                raise VoidReadingError("the connection ended before the body did")
            received += count
            tail = (tail + bytes(view[max(0, count - len(_LAST_CHUNK)) : count]))[
                -len(_LAST_CHUNK) :
            ]

    def reset(self) -> None:
        """Close at once: what the peer still wanted to send is thrown away."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _receive(self, max_bytes: int) -> bytes:
        chunk = self.socket.recv(max_bytes)
        if not chunk:
            raise VoidReadingError("the connection ended before the answer did")
        return chunk
