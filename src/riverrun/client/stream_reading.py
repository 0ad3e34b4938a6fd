"""Reading a durable stream to its end, over as many connections as it takes.

What is there is asked for, then what comes (Durable Streams, 5.6 and 5.7: catch-up reads and
long-polls, which give the bytes as they are). Of an answer that is cut short the rest is asked for,
as a range: what lies behind an offset never becomes other bytes. A server that gives no ranges is
asked for all of it again, and what has come already is left out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Final

import httpx
import msgspec

from riverrun.client.errors import AnswerError, LostError, RefusalError
from riverrun.client.progress import SILENT, Progress
from riverrun.client.session import Attempts, Session, borrow, refusal
from riverrun.http.json_arrays import LINE_BREAKS, WHITE_SPACE, split_array

BEGINNING: Final = "-1"
NOW: Final = "now"

_check = msgspec.json.Decoder(msgspec.Raw).decode
_decode_messages = msgspec.json.Decoder(list[msgspec.Raw]).decode


async def read_stream(
    url: str,
    *,
    offset: str = BEGINNING,
    follow: bool = True,
    session: Session | None = None,
    progress: Progress = SILENT,
) -> AsyncGenerator[bytes, None]:
    """The bytes of the stream at `url` from `offset` on; of one of JSON, a line for each message.

    `offset` is what a server has told, or `BEGINNING` or `NOW`. With `follow` it goes on as the
    stream grows, until it is closed; without, it ends at what is there. While nothing is asked for,
    nothing is read. Close it if it is not used up (`contextlib.aclosing`).

    Raises `RefusalError`, `LostError` and `AnswerError` when it cannot be had.
    """
    async with borrow(session) as borrowed:
        reading = _Reading(url, offset, borrowed, progress)
        while not reading.at_end(follow=follow):
            try:
                async with aclosing(reading.attempt(follow=follow)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except (LostError, RefusalError) as error:
                await reading.attempts.wait(error)


class _Reading:
    """The requests of one reader. `received` bytes behind `offset` have come already.

    Of messages these are kept until all have come, but for the last byte: it closes an array to
    which more may have been appended since.
    """

    def __init__(self, url: str, offset: str, session: Session, progress: Progress) -> None:
        self.attempts = Attempts(session.patience, progress)
        self.offset = offset
        self.received = 0
        self._array = bytearray()
        self._ranges = True
        self._url = url
        self._session = session
        self._cursor: str | None = None
        self._up_to_date = False
        self._closed = False

    def at_end(self, *, follow: bool) -> bool:
        """Whether there is no more to ask for."""
        return self._closed or (self._up_to_date and not follow)

    async def attempt(self, *, follow: bool) -> AsyncGenerator[bytes, None]:
        """Ask once; give what is new in the answer."""
        parameters = {"offset": self.offset}
        if self._up_to_date and follow:
            parameters["live"] = "long-poll"
            if self._cursor is not None:
                parameters["cursor"] = self._cursor
        address = str(httpx.URL(self._url).copy_merge_params(parameters))
        first = max(len(self._array) - 1, 0) or self.received if self._ranges else 0
        fields = {"range": f"bytes={first}-"} if first else {}
        async with self._session.request("GET", address, headers=fields) as response:
            if response.status_code == 416 and first:
                self._ranges = False
                return
            if not response.is_success:
                raise await refusal(response)
            headers = response.headers
            if "stream-next-offset" not in headers:
                raise AnswerError("this is no stream")
            if response.status_code != 204:
                first = _first_byte(headers, first) if response.status_code == 206 else 0
                in_messages = headers.get("content-type", "").startswith("application/json")
                body = (
                    self._messages(response, first) if in_messages else self._body(response, first)
                )
                async with aclosing(body) as chunks:
                    async for chunk in chunks:
                        yield chunk
            self.attempts.progressed()
            self._went_on(headers)

    async def _body(self, response: httpx.Response, position: int) -> AsyncGenerator[bytes, None]:
        async for chunk in response.aiter_raw():
            known = max(0, self.received - position)
            position += len(chunk)
            if known < len(chunk):
                self.received = position
                self.attempts.progressed()
                yield chunk[known:]
        # A server may cut its answers elsewhere the second time; the rest was given, too.
        self.received -= position

    async def _messages(self, response: httpx.Response, first: int) -> AsyncGenerator[bytes, None]:
        array = self._array
        del array[first:]
        async for chunk in response.aiter_raw():
            array += chunk
            if len(array) > self.received:
                self.received = len(array)
                self.attempts.progressed()
        self.received = 0
        whole = bytes(array)
        array.clear()
        for lines in _lines(whole):
            yield lines

    def _went_on(self, headers: Mapping[str, str]) -> None:
        self.offset = headers["stream-next-offset"]
        self._ranges = True
        self._cursor = headers.get("stream-cursor")
        self._up_to_date = "stream-up-to-date" in headers
        self._closed = self._up_to_date and headers.get("stream-closed", "").lower() == "true"


def _first_byte(headers: Mapping[str, str], asked: int) -> int:
    """Where the part of an answer begins that was asked for from there on."""
    if not headers.get("content-range", "").startswith(f"bytes {asked}-"):
        raise AnswerError("the server gives another part than was asked for")
    return asked


def _lines(array: bytes) -> Iterator[bytes]:
    """The messages of an array, each in a line, some at a time."""
    try:
        _check(array)
        if array.lstrip(WHITE_SPACE)[:1] != b"[":
            raise AnswerError("the answer is no array of JSON")
    except (msgspec.DecodeError, RecursionError) as error:
        raise AnswerError(f"the answer is no array of JSON: {error}") from None
    for part in split_array(array):
        if part:
            messages = _decode_messages(b"[%b]" % part.translate(LINE_BREAKS))
            yield b"\n".join(messages) + b"\n"
