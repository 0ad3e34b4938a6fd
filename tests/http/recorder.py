"""What a parser tells, noted so that two ways of feeding it can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from riverrun.errors import HTTPError
from riverrun.http.headers import Fields
from riverrun.http.limits import Limits
from riverrun.http.parser import RequestParser
from riverrun.http.request import Request


@dataclass
class Message:
    """A request as it was told, its body joined: where the chunks fall is nobody's promise."""

    method: str
    target: bytes
    fields: Fields
    content_length: int | None
    keep_alive: bool
    http_1_0: bool
    body: bytes = b""
    trailers: Fields | None = None
    ended: bool = False


@dataclass
class Recorder:
    """A receiver that notes messages, and may pause its parser at every step."""

    messages: list[Message] = field(default_factory=list)
    parser: RequestParser | None = None
    pause_always: bool = False

    def head_received(self, request: Request) -> None:
        self.messages.append(
            Message(
                request.method,
                request.target,
                request.fields,
                request.content_length,
                request.keep_alive,
                request.http_1_0,
                ended=request.content_length == 0,
            )
        )
        self._pause()

    def body_received(self, chunk: bytes) -> None:
        assert chunk, "an empty piece of a body was told"
        message = self.messages[-1]
        assert not message.ended, "a body went on behind its end"
        message.body += chunk
        self._pause()

    def body_ended(self, trailers: Fields) -> None:
        message = self.messages[-1]
        assert not message.ended, "a body ended twice"
        message.ended = True
        message.trailers = trailers
        self._pause()

    def _pause(self) -> None:
        if self.pause_always:
            assert self.parser is not None
            self.parser.pause()


@dataclass
class Outcome:
    """The messages that were told, and the status with which the rest was refused, if it was."""

    messages: list[Message]
    refused: int | None


def parse(
    pieces: Iterable[bytes], limits: Limits | None = None, *, pause_always: bool = False
) -> Outcome:
    """Feed `pieces` to a parser, up to the first that it refuses."""
    recorder = Recorder(pause_always=pause_always)
    recorder.parser = parser = RequestParser(recorder, limits or Limits())
    try:
        for piece in pieces:
            parser.feed(piece)
            while parser.paused:
                parser.resume()
    except HTTPError as error:
        return Outcome(recorder.messages, error.status)
    return Outcome(recorder.messages, None)


def bytewise(data: bytes) -> Iterator[bytes]:
    """One byte at a time."""
    return (data[offset : offset + 1] for offset in range(len(data)))


def halves(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every way to cut in two."""
    return ((data[:cut], data[cut:]) for cut in range(1, len(data)))


def split_at(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut at these places; those beyond the end do not cut."""
    places = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
    return [data[start:stop] for start, stop in pairwise(places)]
