"""The conformance check of a `Readable`: every clause of its contract, tried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from riverrun.errors import BrokenError, BusyError, ClosedError
from riverrun.streams import Readable
from riverrun.testing.clauses import (
    CANCEL_AFTER,
    Maker,
    attempt,
    cancelled,
    cancelled_after,
    made,
    require,
    require_raises,
    waits,
)

Trial: TypeAlias = Callable[[Readable, bytes], Coroutine[Any, Any, None]]
WaitingTrial: TypeAlias = Callable[[Readable], Coroutine[Any, Any, None]]


async def check_readable(
    make: Maker[Readable],
    *,
    clogged: Maker[Readable] | None = None,
    broken: Maker[Readable] | None = None,
) -> None:
    """Raise `AssertionError`, naming the clause, unless the streams made keep the contract.

    `make` must give, at every call, a new stream of the same bytes: at least two, and more than
    the stream fetches ahead on its own. `clogged` makes streams that have nothing to give and have
    not ended; `broken`, streams that fail sooner or later. Without them, the clauses that need
    them are tried as far as a stream from `make` allows. A maker may be a coroutine function.
    """
    stream = await made(make)
    whole = await attempt("it gives its bytes, then b'' ever after", _read_whole(stream))
    await stream.aclose()
    for clause, trial in CLAUSES.items():
        await _try(clause, make, trial, whole)
    for turns in CANCEL_AFTER:
        await _try("a cancel loses no bytes", make, _keeps_all_through_cancels, whole, turns)
    for clause, waiting_trial in WAITING_CLAUSES.items():
        await _try(clause, make, _while_paused, waiting_trial)
        if clogged is not None:
            await _try(clause, clogged, waiting_trial)
    if broken is not None:
        await _try("a failure is raised again by every later call", broken, _stays_broken)


async def _try(
    clause: str,
    make: Maker[Readable],
    trial: Callable[..., Coroutine[Any, Any, None]],
    *details: object,
) -> None:
    stream = await made(make)
    try:
        await attempt(clause, trial(stream, *details))
    finally:
        await stream.aclose()


async def _read_whole(stream: Readable) -> bytes:
    whole = await _read_rest(stream)
    for _ in range(2):
        require(await stream.read() == b"", "the end did not last")
    require(len(whole) > 1, "the check needs a stream of two bytes or more")
    return whole


async def _read_rest(stream: Readable, max_bytes: int | None = None) -> bytes:
    chunks = []
    while chunk := await stream.read(max_bytes):
        require(type(chunk) is bytes, f"a chunk was {type(chunk).__name__}, not bytes")
        if max_bytes is not None:
            require(len(chunk) <= max_bytes, f"{len(chunk)} bytes came where {max_bytes} may")
        chunks.append(chunk)
    return b"".join(chunks)


def _require_same(got: bytes, whole: bytes) -> None:
    require(got == whole, f"{len(got)} bytes came that are not the {len(whole)} expected")


async def _obeys_max_bytes(stream: Readable, whole: bytes) -> None:
    head = await _take_some(stream, 1)
    some = await _take_some(stream, 7)
    _require_same(head + some + await _read_rest(stream, max(1, len(whole) // 3)), whole)


async def _take_some(stream: Readable, max_bytes: int) -> bytes:
    chunk = await stream.read(max_bytes)
    require(len(chunk) <= max_bytes, f"{len(chunk)} bytes came where {max_bytes} may")
    return chunk


async def _refuses_a_max_bytes_below_1(stream: Readable, whole: bytes) -> None:
    for wrong in (0, -1):
        await require_raises(ValueError, stream.read(wrong))
    _require_same(await _read_rest(stream), whole)


async def _is_its_own_iterator(stream: Readable, whole: bytes) -> None:
    require(aiter(stream) is stream, "aiter() gave something else")
    _require_same(b"".join([chunk async for chunk in stream]), whole)


async def _is_closed_by_its_block(stream: Readable, whole: bytes) -> None:
    async with stream as entered:
        require(entered is stream, "the block got something else")
        _require_same(await _read_rest(stream), whole)
    await require_raises(ClosedError, stream.read())


async def _stays_closed(stream: Readable, whole: bytes) -> None:
    head = await stream.read(1)
    require(whole.startswith(head), "the first byte was another")
    for _ in range(2):
        await stream.aclose()
        await require_raises(ClosedError, stream.read())
    stream.pause()
    stream.resume()
    await require_raises(ClosedError, stream.read())


async def _is_closed_although_cancelled(stream: Readable, _: bytes) -> None:
    await cancelled_after(1, stream.aclose())
    await require_raises(ClosedError, stream.read())


async def _waits_while_paused(stream: Readable, whole: bytes) -> None:
    stream.resume()  # does nothing
    stream.pause()
    stream.pause()  # is pausing once
    got, reading = await _read_until_it_waits(stream)
    stream.resume()
    chunk = await reading
    require(chunk, "it ended when it was resumed")
    _require_same(got + chunk + await _read_rest(stream), whole)


async def _read_until_it_waits(stream: Readable) -> tuple[bytes, asyncio.Task[bytes]]:
    got = b""
    while True:
        reading = asyncio.ensure_future(stream.read())
        if await waits(reading):
            return got, reading
        chunk = await reading
        require(chunk, "all of it came without a wait; or else the check needs a longer stream")
        got += chunk


async def _keeps_all_through_cancels(stream: Readable, whole: bytes, turns: int) -> None:
    got = []
    chunk: bytes | None = None
    while chunk != b"":
        cut_short = await cancelled_after(turns, stream.read())
        chunk = await stream.read() if cut_short is None else cut_short
        got.append(chunk)
    _require_same(b"".join(got), whole)


async def _while_paused(stream: Readable, trial: WaitingTrial) -> None:
    """Try on a stream that waits because it is paused."""
    stream.pause()
    _, reading = await _read_until_it_waits(stream)
    await cancelled(reading)
    await trial(stream)


async def _is_busy(stream: Readable) -> None:
    first = asyncio.ensure_future(stream.read())
    require(await waits(first), "the first read did not wait")
    await require_raises(BusyError, stream.read())
    require(await waits(first), "the second read disturbed the first")
    await cancelled(first)


async def _waits_again(stream: Readable) -> None:
    for turns in CANCEL_AFTER:
        require(await cancelled_after(turns, stream.read()) is None, "a read did not wait")
    again = asyncio.ensure_future(stream.read())
    require(await waits(again), "a read after it did not wait")
    await cancelled(again)


async def _wakes_at_close(stream: Readable) -> None:
    reading = asyncio.ensure_future(stream.read())
    require(await waits(reading), "the read did not wait")
    await stream.aclose()
    await require_raises(ClosedError, reading)


async def _stays_broken(stream: Readable) -> None:
    await require_raises(BrokenError, _read_rest(stream))
    for _ in range(2):
        await require_raises(BrokenError, stream.read())
    await stream.aclose()


CLAUSES: dict[str, Trial] = {
    "a chunk has at most max_bytes bytes": _obeys_max_bytes,
    "max_bytes below 1 raises ValueError": _refuses_a_max_bytes_below_1,
    "it is its own asynchronous iterator": _is_its_own_iterator,
    "an async with block closes it": _is_closed_by_its_block,
    "after aclose, which may be called twice, reads raise ClosedError": _stays_closed,
    "a cancelled aclose still leaves it closed": _is_closed_although_cancelled,
    "while it is paused, reads wait; resume lets them go on": _waits_while_paused,
}

WAITING_CLAUSES: dict[str, WaitingTrial] = {
    "after a cancelled read, the next one waits as well": _waits_again,
    "a second read at a time raises BusyError": _is_busy,
    "a read that waits raises ClosedError when the stream is closed": _wakes_at_close,
}
