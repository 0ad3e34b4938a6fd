"""The conformance check of a `Writable`: every clause of its contract, tried."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from riverrun.errors import BrokenError, BusyError, ClosedError
from riverrun.streams import Writable
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

Received: TypeAlias = Callable[[], Awaitable[bytes]]
"""Takes, on the far side, all that arrives and returns it at the end; raises if there is none."""

Made: TypeAlias = tuple[Writable, Received]
Trial: TypeAlias = Callable[[Writable, Received], Coroutine[Any, Any, None]]

CHUNK_SIZE = 64 * 1024
MOST_CHUNKS = 1024
SMALL = b"a small chunk"


async def check_writable(
    make: Maker[Made],
    *,
    clogged: Maker[Made] | None = None,
    broken: Maker[Writable] | None = None,
) -> None:
    """Raise `AssertionError`, naming the clause, unless the streams made keep the contract.

    `make` gives, at every call, a new stream and its far side: a function that takes what arrives
    until the end and returns it, and raises when the stream was aborted instead. It is called at
    most once, not before something is to be taken; a few small chunks must find room without it.
    `clogged` gives the same, of streams whose room is used up sooner or later while the far side
    takes nothing. `broken` makes streams whose far side fails sooner or later. Without them, the
    clauses that need them are not tried. A maker may be a coroutine function.
    """
    for clause, trial in CLAUSES.items():
        await _try(clause, make, trial)
    for turns in CANCEL_AFTER:
        await _try(
            "a cancelled write sends its chunk whole or not at all",
            make,
            _is_whole_or_absent,
            turns,
        )
    if clogged is not None:
        for clause, trial in CLOGGED_CLAUSES.items():
            await _try(clause, clogged, trial)
    if broken is not None:
        stream = await made(broken)
        try:
            await attempt("a failure is raised again by every later call", _stays_broken(stream))
        finally:
            stream.abort()


async def _try(
    clause: str,
    make: Maker[Made],
    trial: Callable[..., Coroutine[Any, Any, None]],
    *details: object,
) -> None:
    stream, received = await made(make)
    try:
        await attempt(clause, trial(stream, received, *details))
    finally:
        stream.abort()


async def _end(stream: Writable, received: Received) -> bytes:
    _, got = await asyncio.gather(stream.end(), received())
    return got


def _require_arrived(got: bytes, *expected: bytes) -> None:
    require(got in expected, f"{len(got)} bytes arrived that are not what was written")


async def _hands_everything_on(stream: Writable, received: Received) -> None:
    await stream.write(b"bytes, ")
    await stream.write(bytearray(b"a bytearray "))
    await stream.write(memoryview(b"and a memoryview"))
    taking = asyncio.ensure_future(received())
    require(await waits(taking), "the end came before end was called")
    await stream.end()
    _require_arrived(await taking, b"bytes, a bytearray and a memoryview")


async def _ignores_empty_chunks(stream: Writable, received: Received) -> None:
    await stream.write(b"")
    await stream.write(SMALL)
    require(stream.try_write(b""), "try_write refused it")
    await stream.write(b"")
    _require_arrived(await _end(stream, received), SMALL)


async def _tries(stream: Writable, received: Received) -> None:
    expected = b""
    for chunk in (b"one", b"two", b"three"):
        accepted = stream.try_write(chunk)
        require(type(accepted) is bool, f"it returned {accepted!r}")
        if accepted:
            expected += chunk
    _require_arrived(await _end(stream, received), expected)


async def _ends_once(stream: Writable, received: Received) -> None:
    await stream.write(SMALL)
    got = await _end(stream, received)
    await stream.end()
    _require_arrived(got, SMALL)


async def _refuses_after_the_end(stream: Writable, received: Received) -> None:
    await _end(stream, received)
    await _refuses(stream)


async def _refuses(stream: Writable) -> None:
    await require_raises(ClosedError, stream.write(SMALL))
    await require_raises(ClosedError, _try_write(stream))


async def _try_write(stream: Writable) -> bool:
    return stream.try_write(SMALL)


async def _is_seen_to_abort(stream: Writable, received: Received) -> None:
    await stream.write(SMALL)
    stream.abort(RuntimeError("an error of the check's own"))
    await require_raises(Exception, received())


async def _refuses_after_an_abort(stream: Writable, _: Received) -> None:
    stream.abort()
    stream.abort()
    await _refuses(stream)
    await require_raises(ClosedError, stream.end())


async def _keeps_its_end(stream: Writable, received: Received) -> None:
    await stream.write(SMALL)
    got = await _end(stream, received)
    stream.abort()
    await stream.end()
    _require_arrived(got, SMALL)


async def _is_ended_by_its_block(stream: Writable, received: Received) -> None:
    async def block() -> None:
        async with stream as entered:
            require(entered is stream, "the block got something else")
            await stream.write(SMALL)

    _, got = await asyncio.gather(block(), received())
    _require_arrived(got, SMALL)


async def _is_aborted_by_its_block(stream: Writable, received: Received) -> None:
    async def block() -> None:
        async with stream:
            raise _OfTheBlock

    await require_raises(_OfTheBlock, block())
    await require_raises(Exception, received())


class _OfTheBlock(Exception):  # noqa: N818  not an error of anything
    pass


async def _is_whole_or_absent(stream: Writable, received: Received, turns: int) -> None:
    await cancelled_after(turns, stream.write(SMALL))
    await stream.write(b".")
    _require_arrived(await _end(stream, received), b".", SMALL + b".")


async def _fill(stream: Writable) -> tuple[list[bytes], asyncio.Task[None]]:
    """Write until a write waits; return what was accepted before, and that write."""
    accepted: list[bytes] = []
    for number in range(MOST_CHUNKS):
        writing = asyncio.ensure_future(stream.write(_numbered(number)))
        if await waits(writing):
            return accepted, writing
        await writing
        accepted.append(_numbered(number))
    raise AssertionError(f"{MOST_CHUNKS * CHUNK_SIZE} bytes were written, and no write waited")


def _numbered(number: int) -> bytes:
    return number.to_bytes(2, "big") * (CHUNK_SIZE // 2)


async def _waits_for_room(stream: Writable, received: Received) -> None:
    accepted, writing = await _fill(stream)
    taking = asyncio.ensure_future(received())
    await writing
    await stream.end()
    _require_arrived(await taking, b"".join([*accepted, _numbered(len(accepted))]))


async def _is_busy(stream: Writable, received: Received) -> None:  # noqa: ARG001
    _, writing = await _fill(stream)
    await require_raises(BusyError, stream.write(SMALL))
    await require_raises(BusyError, _try_write(stream))
    require(await waits(writing), "the second write disturbed the first")
    await cancelled(writing)


async def _refuses_what_has_no_room(stream: Writable, received: Received) -> None:
    accepted, writing = await _fill(stream)
    await cancelled(writing)
    require(stream.try_write(SMALL) is False, "try_write took a chunk without room")
    written = b"".join(accepted)
    last = _numbered(len(accepted))
    _require_arrived(await _end(stream, received), written, written + last)


async def _wakes_at_abort(stream: Writable, received: Received) -> None:
    _, writing = await _fill(stream)
    stream.abort()
    await require_raises(ClosedError, writing)
    await require_raises(Exception, received())


async def _wakes_at_the_end(stream: Writable, received: Received) -> None:
    accepted, writing = await _fill(stream)
    ending = asyncio.ensure_future(stream.end())
    require(await waits(ending) or writing.done(), "end returned before a write that waited")
    got = await received()
    await ending
    outcome = (await asyncio.gather(writing, return_exceptions=True))[0]
    require(outcome is None or isinstance(outcome, ClosedError), f"the write raised {outcome!r}")
    written = b"".join(accepted)
    _require_arrived(got, written, written + _numbered(len(accepted)))


async def _stays_broken(stream: Writable) -> None:
    await require_raises(BrokenError, _write_without_end(stream))
    await require_raises(BrokenError, stream.write(SMALL))
    await require_raises(BrokenError, _try_write(stream))
    await require_raises(BrokenError, stream.end())


async def _write_without_end(stream: Writable) -> None:
    while True:
        await stream.write(SMALL)
        await asyncio.sleep(0)


CLAUSES: dict[str, Trial] = {
    "what was written arrives, in order, and then the end": _hands_everything_on,
    "an empty chunk is accepted and changes nothing": _ignores_empty_chunks,
    "try_write takes a chunk whole or not at all": _tries,
    "to end twice is to end once": _ends_once,
    "after the end, writes raise ClosedError": _refuses_after_the_end,
    "the far side can tell an abort from an end": _is_seen_to_abort,
    "after an abort, writes and end raise ClosedError": _refuses_after_an_abort,
    "an abort after the end does nothing": _keeps_its_end,
    "an async with block ends it": _is_ended_by_its_block,
    "an async with block that raises aborts it": _is_aborted_by_its_block,
}

CLOGGED_CLAUSES: dict[str, Trial] = {
    "a write waits until there is room": _waits_for_room,
    "a second write at a time raises BusyError": _is_busy,
    "without room, try_write takes nothing": _refuses_what_has_no_room,
    "a write that waits raises ClosedError when the stream is aborted": _wakes_at_abort,
    "the end waits for what was accepted": _wakes_at_the_end,
}
