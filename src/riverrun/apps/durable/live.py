"""Following a stream as events, for as long as the client stays (Durable Streams, 5.8)."""

from __future__ import annotations

import asyncio

from riverrun.apps.durable.events import control_event, data_event, needs_base64, presentable
from riverrun.apps.durable.fields import is_json
from riverrun.apps.durable.settings import StreamSettings
from riverrun.apps.durable.tails import Tail
from riverrun.apps.durable.waiting import Following
from riverrun.http.response import Response
from riverrun.http.server_sent_events import CONTENT_TYPE
from riverrun.logs import LogGoneError
from riverrun.logs.reader import CHUNK_SIZE, read_some


async def send_events(response: Response, following: Following, settings: StreamSettings) -> None:
    """Answer with what comes behind the offset, as events, until the stream ends or it is time.

    The response also ends when the stream is deleted: whoever comes back is told.
    """
    headers = response.headers
    headers["content-type"] = CONTENT_TYPE
    headers["cache-control"] = "no-cache"
    headers["x-accel-buffering"] = "no"
    if needs_base64(following.log.info.content_type):
        headers["stream-sse-data-encoding"] = "base64"
    log, tails = following.log, following.tails
    tail = tails.join(log)
    try:
        tail.admit(following.cursor)
        await response.write(b"")
        headers.clear()  # the head has gone, and there may be thousands
        async with asyncio.timeout(None) as timeout:
            tails.deadlines.add(timeout)
            try:
                await _send(response, EventReader(following, tail), settings.heartbeat)
            finally:
                tails.deadlines.discard(timeout)
    except (LogGoneError, TimeoutError):
        pass
    finally:
        tails.leave(log, tail)
    await response.end()


async def _send(response: Response, reader: EventReader, heartbeat: float) -> None:
    """Send events until there will be no more. Raises `LogGoneError` when the stream is gone."""
    log, tail, waiting = reader.log, reader.tail, reader.waiting
    if reader.offset == log.info.tail:
        await response.write(reader.control())
    while not reader.told_end:
        info = log.info
        if reader.offset < info.tail and (reader.seen < info.tail or info.closed):
            await response.write(await reader.next_events())
        elif info.closed:
            await response.write(reader.control())
        elif waiting.stopping:
            return
        elif not log.gone and reader.offset == tail.broadcast.position:
            reader.offset = await tail.broadcast.follow(response, reader.offset)
            reader.seen = reader.offset
        elif not await waiting.wait_for_change(log, reader.seen, heartbeat):
            await response.write(reader.control())


class EventReader:
    """One who follows a stream: everything before `offset` was sent to it.

    Between that and `seen` lies a part of a character of which more has to come.
    """

    __slots__ = ("log", "offset", "seen", "tail", "told_end", "waiting")

    def __init__(self, following: Following, tail: Tail) -> None:
        self.log = following.log
        self.waiting = following.waiting
        self.offset = self.seen = following.offset
        self.tail = tail
        self.told_end = False

    async def next_events(self) -> bytes:
        """What comes next, and where the reader stands then; nothing if none can be shown yet."""
        log, info = self.log, self.log.info
        chunk = log.shared_chunk(self.offset)
        if chunk is None:
            chunk = await read_some(log, self.offset, CHUNK_SIZE)
        stop = self.offset + len(chunk)
        is_last = info.closed and stop == info.tail
        shown = presentable(info.content_type, chunk, is_last=is_last)
        while not shown and is_json(info.content_type):  # a long message
            chunk += await read_some(log, stop, CHUNK_SIZE)
            stop = self.offset + len(chunk)
            shown = presentable(info.content_type, chunk, is_last=False)
        self.seen = stop if stop == info.tail else self.offset + shown
        if not shown:
            return b""
        self.offset += shown
        return data_event(info.content_type, chunk[:shown]) + self.control()

    def control(self) -> bytes:
        """Where it stands."""
        info = self.log.info
        at_tail = self.offset == info.tail
        self.told_end = at_tail and info.closed
        return control_event(self.offset, self.tail.cursor, at_tail=at_tail, closed=self.told_end)
