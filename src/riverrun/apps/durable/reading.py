"""Reading what is there, and waiting once for more (Durable Streams, 5.5 to 5.7)."""

from __future__ import annotations

from contextlib import aclosing

from riverrun.apps.durable.creating import tell_state
from riverrun.apps.durable.cursors import next_cursor
from riverrun.apps.durable.fields import format_time, is_json
from riverrun.apps.durable.messages import SEPARATOR, boundary_before, is_boundary
from riverrun.apps.durable.offsets import format_offset
from riverrun.apps.durable.settings import StreamSettings
from riverrun.apps.durable.waiting import Following
from riverrun.errors import HTTPError
from riverrun.http.entity_tags import EntityTag
from riverrun.http.preconditions import Outcome, evaluate, if_range_holds
from riverrun.http.ranges import UNSATISFIABLE, ByteRange, content_range, parse_range
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.logs import Log, OffsetError
from riverrun.streams.contracts import FileRegion

CACHEABLE = "max-age=60, stale-while-revalidate=300"


async def tell_stream(response: Response, log: Log) -> None:
    """Answer a HEAD."""
    info = log.info
    tell_state(response, info)
    headers = response.headers
    headers["cache-control"] = "no-store"
    headers["etag"] = str(_etag(log, info.start, info.tail))
    if info.expiry.ttl is not None:
        headers["stream-ttl"] = str(info.expiry.ttl)
    if info.expiry.at is not None:
        headers["stream-expires-at"] = format_time(info.expiry.at)
    await response.end()


async def tell_tail(response: Response, log: Log) -> None:
    """Answer a GET from now on: nothing, and where the stream ends."""
    tell_state(response, log.info)
    response.headers["stream-up-to-date"] = "true"
    response.headers["cache-control"] = "no-store"
    await response.end(b"[]" if is_json(log.info.content_type) else b"")


async def check_offset(log: Log, offset: int) -> None:
    """Raise `OffsetError` or `HTTPError` 400 if nothing can be read from `offset` on."""
    info = log.info
    if not info.start <= offset <= info.tail:
        raise OffsetError(offset, info.start, info.tail)
    if is_json(info.content_type) and not await is_boundary(log, offset):
        raise HTTPError(400, "No message of the stream ends at this offset.")


async def long_poll(
    request: Request, response: Response, following: Following, settings: StreamSettings
) -> None:
    """Answer with what comes behind the offset, or with 204 when nothing does in time."""
    log, offset = following.log, following.offset
    await following.waiting.wait_for_change(log, offset, settings.long_poll_timeout)
    log.touch()
    response.headers["stream-cursor"] = str(next_cursor(following.cursor))
    if offset < log.info.tail:
        await send_part(request, response, log, offset, settings)
        return
    tell_state(response, log.info)
    response.status = 204
    response.headers["stream-up-to-date"] = "true"
    response.headers["cache-control"] = "no-store"
    await response.end()


async def send_part(
    request: Request, response: Response, log: Log, offset: int, settings: StreamSettings
) -> None:
    """Answer with what lies behind `offset`, as much as one answer has."""
    info = log.info
    stop = min(info.tail, offset + settings.read_size)
    in_messages = is_json(info.content_type)
    if in_messages and stop < info.tail:
        stop = await boundary_before(log, offset, stop)
    headers = response.headers
    headers["content-type"] = info.content_type
    headers["stream-next-offset"] = format_offset(stop)
    at_end = stop == info.tail
    if at_end:
        headers["stream-up-to-date"] = "true"
        if info.closed:
            headers["stream-closed"] = "true"
    etag = _etag(log, offset, stop)
    headers["etag"] = str(etag)
    headers["cache-control"] = _cache_control(request, empty=stop == offset)
    if evaluate(request.method, request.fields, etag, None) is Outcome.NOT_MODIFIED:
        response.status = 304
        await response.end()
    elif stop == offset:
        await response.end(b"[]" if in_messages else b"")
    else:
        part = _part_of(request, response, etag, stop - offset)
        headers["content-length"] = str(part.length)
        if in_messages:
            await _send_messages(response, log, offset, stop, part)
        else:
            await send_slices(response, log, offset + part.offset, offset + part.end)
            await response.end()


def _part_of(request: Request, response: Response, etag: EntityTag, length: int) -> ByteRange:
    """What of an answer is asked for: all of it, or one range (RFC 9110, 14.2).

    Who was cut off goes on within it, wherever its offsets are. Raises `HTTPError` 416.
    """
    headers, value = response.headers, request.fields.get(b"range")
    headers["accept-ranges"] = "bytes"
    if value is None or not if_range_holds(request.fields, etag, None):
        return ByteRange(0, length)
    ranges = parse_range(value, length)
    if ranges is UNSATISFIABLE:
        raise HTTPError(416, headers={"content-range": content_range(None, length)})
    if ranges is None or len(ranges) > 1:
        return ByteRange(0, length)
    response.status = 206
    headers["content-range"] = content_range(ranges[0], length)
    return ranges[0]


async def send_slices(response: Response, log: Log, start: int, stop: int) -> None:
    """Send the bytes between two offsets as they lie there."""
    async with aclosing(log.slices(start, stop)) as slices:
        async for piece in slices:
            if isinstance(piece, FileRegion):
                await response.write_region(piece)
            else:
                await response.write(piece)


async def _send_messages(
    response: Response, log: Log, start: int, stop: int, part: ByteRange
) -> None:
    """Send a part of the array that the messages between two offsets are.

    Its brackets take as much room as the separator behind the last message.
    """
    if part.offset == 0:
        await response.write(b"[")
    first = start + max(0, part.offset - 1)
    await send_slices(response, log, first, min(start + part.end - 1, stop - len(SEPARATOR)))
    await response.end(b"]" if part.end == stop - start else b"")


def _etag(log: Log, start: int, stop: int) -> EntityTag:
    info = log.info
    closed = ":c" if info.closed and stop == info.tail else ""
    return EntityTag(f"{info.id}:{start}:{stop}{closed}")


def _cache_control(request: Request, *, empty: bool) -> str:
    """What was there stays there; that nothing is there does not."""
    if empty:
        return "no-cache"
    private = b"authorization" in request.fields or b"cookie" in request.fields
    return f"{'private' if private else 'public'}, {CACHEABLE}"
