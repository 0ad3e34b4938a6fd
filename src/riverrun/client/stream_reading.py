"""Reading a durable stream to its end, over as many connections as it takes.

What is there is asked for, then what comes (Durable Streams, 5.6 and 5.7: catch-up reads and
long-polls, which give the bytes as they are). An answer that is cut short is asked for again, and
what was given of it already is left out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final

import httpx
import msgspec

from riverrun.client.errors import AnswerError, LostError, RefusalError
from riverrun.client.progress import SILENT, Progress
from riverrun.client.session import Attempts, Session, borrow, refusal

BEGINNING: Final = "-1"
NOW: Final = "now"

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
    """The requests of one reader. `given` bytes behind `offset` have been given already."""

    def __init__(self, url: str, offset: str, session: Session, progress: Progress) -> None:
        self.attempts = Attempts(session.patience, progress)
        self.offset = offset
        self.given = 0
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
        async with self._session.request("GET", address) as response:
            if not response.is_success:
                raise await refusal(response)
            headers = response.headers
            if "stream-next-offset" not in headers:
                raise AnswerError(f"{self._url} is no stream")
            if response.status_code != 204:
                async with aclosing(self._body(response)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            self.attempts.progressed()
            self._went_on(headers)

    async def _body(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        if response.headers.get("content-type", "").startswith("application/json"):
            if lines := _lines(await response.aread()):
                yield lines
            return
        position = 0
        async for chunk in response.aiter_raw():
            known = max(0, self.given - position)
            position += len(chunk)
            if known < len(chunk):
                self.given = position
                self.attempts.progressed()
                yield chunk[known:]
        # A server may cut its answers elsewhere the second time; the rest was given, too.
        self.given -= position

    def _went_on(self, headers: Mapping[str, str]) -> None:
        self.offset = headers["stream-next-offset"]
        self._cursor = headers.get("stream-cursor")
        self._up_to_date = "stream-up-to-date" in headers
        self._closed = self._up_to_date and headers.get("stream-closed", "").lower() == "true"


def _lines(body: bytes) -> bytes:
    """The messages of an array, each in a line."""
    try:
        messages = _decode_messages(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise AnswerError(f"the answer is no array of JSON: {error}") from None
    return b"".join(bytes(message).replace(b"\n", b" ") + b"\n" for message in messages)
