"""Events for any handler: a response that is an event stream (HTML Standard, 9.2).

The response stays what it is, a Writable that makes its writer wait; here is only what is written.
While nothing is sent, a comment is now and then, so that no proxy takes the stream for dead, and
who has left is noticed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from riverrun.errors import BusyError
from riverrun.http.server_sent_events import (
    CONTENT_TYPE,
    Data,
    render_comment,
    render_event,
    render_retry,
)

if TYPE_CHECKING:
    from riverrun.http.request import Request
    from riverrun.http.response import Response

HEARTBEAT: Final = 15.0
BEAT: Final = render_comment()


class Events:
    """An event stream; made by `Response.events`.

    As an asynchronous context manager it ends well when the block does, and aborts when it raises.
    A client comes again after an end as after a cut: to keep it away, send it an event that says
    so, or answer its next request with 204.
    """

    __slots__ = ("_heartbeat", "_loop", "_opening", "_seen", "_timer", "last_event_id", "response")

    def __init__(
        self, response: Response, request: Request, heartbeat: float | None, retry: float | None
    ) -> None:
        self.response = response
        self.last_event_id = _last_event_id(request)
        """The id of the last event that the client saw before it came again; None if it is new."""
        headers = response.headers
        headers["content-type"] = CONTENT_TYPE
        headers.setdefault("cache-control", "no-store")
        headers.setdefault("x-accel-buffering", "no")  # nginx would wait for more
        self._opening = b"" if retry is None else render_retry(retry)
        response.try_write(b"")  # the head: the client knows that the stream is open
        headers.clear()  # there may be thousands, for hours
        self._loop = asyncio.get_running_loop()
        self._heartbeat = heartbeat
        self._seen = response.moved
        self._timer: asyncio.TimerHandle | None = None
        if heartbeat is not None:
            response.call_at_end(self._stop)
            self._watch()

    async def send(
        self,
        data: Data | None,
        *,
        event: str | None = None,
        id: str | None = None,  # noqa: A002 - the field's name
        retry: float | None = None,
    ) -> None:
        """Send an event, and return when there is room for more.

        The fields are those of `render_event`, which raises `ValueError`; the rest, and a cancel,
        are as in `Writable.write`.
        """
        await self._write(render_event(data, event=event, id=id, retry=retry))

    def try_send(
        self,
        data: Data | None,
        *,
        event: str | None = None,
        id: str | None = None,  # noqa: A002 - the field's name
        retry: float | None = None,
    ) -> bool:
        """Send an event if that need not wait, and return whether it was."""
        return self._try_write(render_event(data, event=event, id=id, retry=retry))

    async def comment(self, text: str = "") -> None:
        """Send what the client does not see."""
        await self._write(render_comment(text))

    async def end(self) -> None:
        """Finish well; see `Writable.end`."""
        self._stop()
        await self.response.end()

    def abort(self, error: BaseException | None = None) -> None:
        """Cut the connection; see `Writable.abort`."""
        self._stop()
        self.response.abort(error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            await self.end()
        else:
            self.abort(error)

    async def _write(self, lines: bytes) -> None:
        opening, self._opening = self._opening, b""
        await self.response.write(opening + lines)

    def _try_write(self, lines: bytes) -> bool:
        sent = self.response.try_write(self._opening + lines)
        if sent:
            self._opening = b""
        return sent

    def _watch(self) -> None:
        """Look twice in the time that nothing may be sent for, so it is never longer."""
        assert self._heartbeat is not None
        self._timer = self._loop.call_later(self._heartbeat / 2, self._beat)

    def _beat(self) -> None:
        response = self.response
        if not response.open:
            return
        if response.moved == self._seen:
            with suppress(BusyError):  # something is being sent, only slowly
                self._try_write(BEAT)
        self._seen = response.moved
        self._watch()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _last_event_id(request: Request) -> str | None:
    value = request.fields.get(b"last-event-id")
    return None if value is None else value.decode("utf-8", "replace")
