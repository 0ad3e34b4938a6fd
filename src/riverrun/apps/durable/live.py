"""Following a stream as events, for as long as the client stays (Durable Streams, 5.8)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from riverrun.apps.durable.cursors import current_cursor, next_cursor
from riverrun.apps.durable.events import control_event, data_event, needs_base64, presentable
from riverrun.apps.durable.fields import is_json
from riverrun.apps.durable.settings import StreamSettings
from riverrun.apps.durable.waiting import Following
from riverrun.http.response import Response
from riverrun.logs import LogGoneError
from riverrun.logs.reader import CHUNK_SIZE, read_some


async def send_events(response: Response, following: Following, settings: StreamSettings) -> None:
    """Answer with what comes behind the offset, as events, until the stream ends or it is time.

    The response also ends when the stream is deleted: whoever comes back is told.
    """
    headers = response.headers
    headers["content-type"] = "text/event-stream"
    headers["cache-control"] = "no-cache"
    headers["x-accel-buffering"] = "no"
    if needs_base64(following.log.info.content_type):
        headers["stream-sse-data-encoding"] = "base64"
    with suppress(LogGoneError):
        await EventReader(following).send(response, settings)
    await response.end()


class EventReader:
    """One who follows a stream."""

    def __init__(self, following: Following) -> None:
        self._log = following.log
        self._waiting = following.waiting
        self._tails = following.tails
        self._offset = following.offset
        self._seen = following.offset  # what lies between is a character of which more has to come
        self._cursor = next_cursor(following.cursor)
        self._told_end = False

    async def send(self, response: Response, settings: StreamSettings) -> None:
        """Send events until there will be no more, or the time is over.

        Raises `LogGoneError` when the stream is gone.
        """
        log, waiting, loop = self._log, self._waiting, asyncio.get_running_loop()
        end = loop.time() + settings.live_time
        with self._tails.of(log) as tail, suppress(TimeoutError):
            if self._offset == log.info.tail:
                await response.write(self._control())
            while not self._told_end:
                if self._offset < log.info.tail and (self._seen < log.info.tail or log.info.closed):
                    await response.write(await self._next_events())
                elif log.info.closed:
                    await response.write(self._control())
                elif (left := end - loop.time()) <= 0 or waiting.stopping:
                    return
                elif not log.gone and tail.takes(self._offset, self._cursor):
                    async with asyncio.timeout(left):
                        self._offset = await tail.broadcast.follow(response, self._offset)
                    self._seen = self._offset
                elif not await waiting.wait_for_change(
                    log, self._seen, min(left, settings.heartbeat)
                ):
                    await response.write(self._control())

    async def _next_events(self) -> bytes:
        """What comes next, and where the reader stands then; nothing if none can be shown yet."""
        log, info = self._log, self._log.info
        chunk = log.shared_chunk(self._offset)
        if chunk is None:
            chunk = await read_some(log, self._offset, CHUNK_SIZE)
        stop = self._offset + len(chunk)
        is_last = info.closed and stop == info.tail
        shown = presentable(info.content_type, chunk, is_last=is_last)
        while not shown and is_json(info.content_type):  # a long message
            chunk += await read_some(log, stop, CHUNK_SIZE)
            stop = self._offset + len(chunk)
            shown = presentable(info.content_type, chunk, is_last=False)
        self._seen = stop if stop == info.tail else self._offset + shown
        if not shown:
            return b""
        self._offset += shown
        return data_event(info.content_type, chunk[:shown]) + self._control()

    def _control(self) -> bytes:
        info = self._log.info
        at_tail = self._offset == info.tail
        self._told_end = at_tail and info.closed
        cursor = max(self._cursor, current_cursor())
        return control_event(self._offset, cursor, at_tail=at_tail, closed=self._told_end)
