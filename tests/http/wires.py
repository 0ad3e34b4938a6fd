"""A wire that leads nowhere, and what was sent on it, taken apart."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from riverrun.errors import DisconnectedError, TruncatedError
from riverrun.flows import Flow, Flows, Shape
from riverrun.http.passage import Passage
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.wire import ServerFields
from riverrun.streams.contracts import Chunk, FileRegion


@dataclass
class RecordingWire:
    """Notes what a response does; `full` makes it have no room until `make_room`."""

    shape: Shape | None = None
    last_response: bool = False
    has_room: bool = True
    server_fields: bytes = b"server: test\r\n"
    sent: bytearray = field(default_factory=bytearray)
    sends: int = 0
    regions: int = 0
    closes: bool = False
    was_cut: bool = False
    gone: bool = False
    drains: int = 0
    buffered: int = 0
    high_water_mark: int = 65536
    passage: Passage | None = None

    def __post_init__(self) -> None:
        self.flows = Flows(shape=self.shape)
        self.clock: ServerFields = self
        self._room = asyncio.Event()

    def send(self, pieces: Sequence[Chunk]) -> None:
        if self.passage is not None:
            self.passage.doubt()
        self._take(pieces)

    def send_last(self, pieces: Sequence[Chunk]) -> None:
        self.send(pieces)

    def pass_on(self, chunk: bytes) -> None:
        self._take((chunk,))

    def _take(self, pieces: Sequence[Chunk]) -> None:
        if self.gone:
            raise DisconnectedError("the client went away")
        assert not self.was_cut, "something was sent behind a cut"
        assert not self.closes, "something was sent behind the last response"
        self.sends += 1
        for piece in pieces:
            self.sent += piece

    def let_pass(self, passage: Passage | None) -> None:
        self.passage = passage

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in {"has_room", "gone", "was_cut"} and self.passage is not None:
            self.passage.doubt()

    async def drain(self) -> None:
        self.drains += 1
        await self._room.wait()
        if self.gone:
            raise DisconnectedError("the client went away")

    def try_send_region(self, head: bytes, descriptor: int, offset: int, length: int) -> int:
        self.send((head,))
        if not self.has_room:
            return 0
        self.regions += 1
        chunk = os.pread(descriptor, length, offset)
        self.sent += chunk
        return len(chunk)

    async def send_region(self, region: FileRegion, flow: Flow) -> int:
        chunk = os.pread(region.descriptor, region.length, region.offset)
        if not chunk:
            raise TruncatedError(region.length, 0)
        self.send((chunk,))
        self.regions += 1
        flow.moved += len(chunk)
        return len(chunk)

    def close_after_response(self) -> None:
        self.closes = True

    def cut(self) -> None:
        self.was_cut = True

    def make_room(self) -> None:
        self.has_room = True
        self._room.set()

    @property
    def answer(self) -> Answer:
        """What was sent, if it is a whole head and perhaps a body."""
        return Answer.parse(bytes(self.sent))


@dataclass
class Answer:
    """A response as bytes."""

    status_line: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes

    @classmethod
    def parse(cls, sent: bytes) -> Self:
        head, empty_line, body = sent.partition(b"\r\n\r\n")
        assert empty_line, "no head was sent"
        status_line, *lines = head.split(b"\r\n")
        fields = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
        return cls(status_line, fields, body)

    def all(self, name: bytes) -> list[bytes]:
        return [value for other, value in self.fields if other == name]

    def __getitem__(self, name: bytes) -> bytes | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name!r} was sent {len(values)} times"
        return values[0] if values else None


def respond(
    method: str = "GET",
    *,
    http_1_0: bool = False,
    keep_alive: bool = True,
    wire: RecordingWire | None = None,
) -> tuple[Response, RecordingWire]:
    """A response to a request of this kind, and the wire that it goes to."""
    wire = wire or RecordingWire()
    request = Request(method, b"/", {}, keep_alive=keep_alive, http_1_0=http_1_0)
    return Response(wire, request), wire
