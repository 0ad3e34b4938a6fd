"""Requests whose bodies come without a connection: all at once, or piece by piece as they may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from riverrun.errors import DisconnectedError
from riverrun.http.headers import Fields
from riverrun.http.limits import Limits
from riverrun.http.request import Request
from riverrun.streams.buffer import ByteBuffer


def gone() -> DisconnectedError:
    return DisconnectedError("the client went away")


def request_with(
    chunks: Iterable[bytes],
    fields: Fields | None = None,
    *,
    limits: Limits | None = None,
    length: int | None = None,
    failure: Exception | None = None,
) -> Request:
    """A request whose body has come, in these chunks, to its end or to a failure."""
    request = Request("POST", b"/", fields or {}, length, limits=limits or Limits())
    buffer = ByteBuffer(1 << 30, pause=lambda: None, resume=lambda: None)
    request.attach(buffer)
    for chunk in chunks:
        buffer.feed(chunk)
    if failure is None:
        buffer.feed_end()
    else:
        buffer.fail(failure)
    return request


class Client:
    """Feeds a request's body while it may, one piece a turn of the loop, then ends or leaves."""

    def __init__(
        self,
        pieces: list[bytes],
        fields: Fields | None = None,
        *,
        end: bool = True,
        fail: bool = False,
    ) -> None:
        self.pieces = pieces
        self.end = end
        self.fail = fail
        self.held = False
        self.buffer = ByteBuffer(1000, pause=self.hold, resume=self.release)
        self.request = Request("POST", b"/", fields or {}, None)
        self.request.attach(self.buffer)
        self.loop = asyncio.get_running_loop()
        self.loop.call_soon(self.step)

    def hold(self) -> None:
        self.held = True

    def release(self) -> None:
        self.held = False
        self.loop.call_soon(self.step)

    def step(self) -> None:
        if self.held:
            return
        if self.pieces:
            self.buffer.feed(self.pieces.pop(0))
            self.loop.call_soon(self.step)
        elif self.fail:
            self.buffer.fail(gone())
        elif self.end and not self.buffer.ended:
            self.buffer.feed_end()
