"""Appending to streams and closing them (Durable Streams, 5.2 and 5.3).

A body is appended whole or not at all, with one exception: one of unknown length, without a
producer and without Stream-Seq, is appended piece by piece as it arrives, so that readers follow
what is still being sent. Nobody could repeat it safely anyway.
"""

from __future__ import annotations

from riverrun.apps.durable.fields import (
    content_type_of,
    is_json,
    producer_of,
    wants_closed,
)
from riverrun.apps.durable.offsets import format_offset
from riverrun.apps.durable.receiving import JsonBody, rest_of
from riverrun.errors import HTTPError
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.logs import Data, Log, Producer, same_content_type


async def append_to_stream(request: Request, response: Response, log: Log, body: JsonBody) -> None:
    """Answer a POST; `body` is for one of JSON. Raises `HTTPError` and `LogError`."""
    fields = request.fields
    producer, close = producer_of(fields), wants_closed(fields)
    order = None
    if (value := fields.get(b"stream-seq")) is not None:
        order = value.decode("latin-1")
    first = b"" if request.content_length is not None else await request.read()
    data: Data = b""
    if first or request.content_length:
        _check_type(request, log)
        if is_json(log.info.content_type):
            data = await body.read(rest_of(first, request) if first else request)
        elif not first:
            data = request
        elif producer is None and order is None:
            await _append_pieces(request, response, log, first, close=close)
            return
        else:
            data = rest_of(first, request)
    elif not close:
        raise HTTPError(400, "There is nothing to append.")
    if producer is not None:
        await _produce(response, log, data, producer, order, close=close)
    else:
        tail = await log.append(data, order=order, close=close)
        await _answer(response, tail, close=close)


async def _produce(
    response: Response, log: Log, data: Data, producer: Producer, order: str | None, *, close: bool
) -> None:
    tail, sequence, duplicate = await log.produce(data, producer, order=order, close=close)
    response.headers["producer-epoch"] = str(producer.epoch)
    response.headers["producer-seq"] = str(sequence)
    new = bool(data) and not duplicate
    await _answer(response, tail, close=log.info.closed, status=200 if new else 204)


async def _append_pieces(
    request: Request, response: Response, log: Log, first: bytes, *, close: bool
) -> None:
    """Append what has arrived, again and again."""
    tail = await log.append(first)
    while chunks := await request.read_chunks():
        tail = await log.append(b"".join(chunks))
    if close:
        tail = await log.close()
    await _answer(response, tail, close=close)


async def _answer(response: Response, tail: int, *, close: bool, status: int = 204) -> None:
    response.status = status
    response.headers["stream-next-offset"] = format_offset(tail)
    if close:
        response.headers["stream-closed"] = "true"
    await response.end()


def _check_type(request: Request, log: Log) -> None:
    """Raise `HTTPError` if the stream holds something else; that it is closed goes first."""
    if b"content-type" not in request.fields:
        raise HTTPError(400, "A Content-Type is needed.")
    given = content_type_of(request.fields)
    info = log.info
    if given is None:
        raise HTTPError(400, "The Content-Type is not valid.")
    if not info.closed and not same_content_type(given, info.content_type):
        raise HTTPError(409, f"The stream holds {info.content_type}.")
