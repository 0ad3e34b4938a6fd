"""Creating streams and forks of them (Durable Streams, 4.2 and 5.1)."""

from __future__ import annotations

from riverrun.apps.durable.fields import (
    DEFAULT_TYPE,
    content_type_of,
    expiry_of,
    is_json,
    sub_offset_of,
    wants_closed,
)
from riverrun.apps.durable.messages import boundary_after, is_boundary
from riverrun.apps.durable.offsets import format_offset, parse_offset
from riverrun.apps.durable.receiving import JsonBody
from riverrun.apps.durable.settings import StreamSettings
from riverrun.errors import HTTPError
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.logs import (
    Created,
    Data,
    Log,
    LogGoneError,
    LogInfo,
    LogStore,
    OffsetError,
)


async def create_stream(
    request: Request, response: Response, store: LogStore, name: str, body: JsonBody
) -> None:
    """Answer a PUT; `body` is for one of JSON. Raises `HTTPError` and `LogError`."""
    fields = request.fields
    expiry, closed = expiry_of(fields), wants_closed(fields)
    content_type = content_type_of(fields) or DEFAULT_TYPE
    data = await _data_of(request, content_type, body)
    created = await store.create(
        name, content_type=content_type, expiry=expiry, data=data, closed=closed
    )
    await answer_created(request, response, created)


async def fork_stream(
    request: Request,
    response: Response,
    store: LogStore,
    name: str,
    source_name: str,
    body: JsonBody,
    settings: StreamSettings,
) -> None:
    """Answer a PUT that makes a fork, as `create_stream`. Raises `HTTPError` and `LogError`."""
    fields = request.fields
    expiry, closed, sub_offset = expiry_of(fields), wants_closed(fields), sub_offset_of(fields)
    try:
        source = await store.find(source_name)
    except LogGoneError:
        raise HTTPError(409, "The source is deleted; only its forks are left.") from None
    token = fields.get(b"stream-fork-offset")
    offset = None if token is None else parse_offset(token.decode("latin-1"), source.info)
    if offset is not None or sub_offset:
        offset = await _fork_offset(source, offset, sub_offset, settings.read_size)
    content_type = content_type_of(fields)
    data = await _data_of(request, content_type or source.info.content_type, body)
    try:
        created = await store.fork(
            name,
            source_name,
            offset=offset,
            content_type=content_type,
            expiry=expiry,
            data=data,
            closed=closed,
        )
    except OffsetError:
        raise HTTPError(400, "The source has nothing at this offset.") from None
    await answer_created(request, response, created)


async def answer_created(request: Request, response: Response, created: Created) -> None:
    """Say that the stream is there."""
    info = created.log.info
    tell_state(response, info)
    if created.new:
        response.status = 201
        response.headers["location"] = _url_of(request)
    await response.end()


def tell_state(response: Response, info: LogInfo) -> None:
    """Say where the stream ends, and whether for good."""
    response.headers["content-type"] = info.content_type
    response.headers["stream-next-offset"] = format_offset(info.tail)
    if info.closed:
        response.headers["stream-closed"] = "true"


async def _data_of(request: Request, content_type: str, body: JsonBody) -> Data:
    if request.content_length == 0:
        return b""
    if is_json(content_type):
        return await body.read(request, may_be_empty=True)
    return request


async def _fork_offset(source: Log, given: int | None, sub_offset: int, read_size: int) -> int:
    """Where a fork begins: `sub_offset` bytes behind the offset that was given, or messages.

    Messages are looked for as far as one read goes: where it ends, an offset is told.
    """
    info = source.info
    offset = info.tail if given is None else given
    if not info.start <= offset <= info.tail:
        raise HTTPError(400, "The source has nothing at this offset.")
    if not is_json(info.content_type):
        return offset + sub_offset
    if not await is_boundary(source, offset):
        raise HTTPError(400, "No message of the source ends at this offset.")
    if not sub_offset:
        return offset
    found = await boundary_after(source, offset, sub_offset, offset + read_size)
    if found is None:
        raise HTTPError(400, "The source has not so many messages in one read from the offset.")
    return found


def _url_of(request: Request) -> str:
    """The address of the stream: clients want it whole."""
    fields = request.fields
    scheme = "https" if fields.get(b"x-forwarded-proto", b"").lower() == b"https" else "http"
    host = request.url.authority or fields.get(b"host", b"")
    return f"{scheme}://{(host + request.url.raw_path).decode('latin-1')}"
