"""How a clause of a contract is tried: on a stream made for it, within a time, and named if broken.

Whether something waits cannot be seen, only that it has not happened yet. So what must happen is
given seconds, and what must not is given a moment; a moment that was too short lets a fault pass,
and never accuses a stream that keeps its contract.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Maker: TypeAlias = Callable[[], T | Awaitable[T]]

PATIENCE = 5.0
MOMENT = 0.02
CANCEL_AFTER = (0, 1, 2, 3, 5, 8)
"""In which turn of the loop a call is cancelled, to meet it at every stage."""


async def made(make: Maker[T]) -> T:
    """Call a maker, which may be a coroutine function."""
    result = make()
    if inspect.isawaitable(result):
        return await result
    return result


def require(condition: object, what: str) -> None:
    """Raise `AssertionError` unless `condition`, under ``python -O`` too."""
    if not condition:
        raise AssertionError(what)


async def attempt(clause: str, trial: Coroutine[Any, Any, T]) -> T:
    """Run `trial`; whatever goes wrong in it breaks `clause`."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await trial
    except AssertionError as error:
        raise AssertionError(f"{clause} ({error})") from error
    except TimeoutError as error:
        raise AssertionError(f"{clause} (it took longer than {PATIENCE:g} s)") from error
    except Exception as error:
        raise AssertionError(f"{clause} (it raised {error!r})") from error


async def require_raises(kind: type[BaseException], call: Awaitable[object]) -> BaseException:
    """Raise `AssertionError` unless awaiting `call` raises a `kind`, which is returned."""
    try:
        result = await call
    except kind as error:
        return error
    raise AssertionError(f"{result!r} was returned and no {kind.__name__} raised")


async def waits(call: asyncio.Future[Any]) -> bool:
    """Give `call` a moment; return whether it still has not finished."""
    await asyncio.wait({call}, timeout=MOMENT)
    return not call.done()


async def cancelled_after(turns: int, call: Coroutine[Any, Any, T]) -> T | None:
    """Start `call`, cancel it some turns of the loop later; None if that was before its end."""
    task = asyncio.ensure_future(call)
    for _ in range(turns):
        await asyncio.sleep(0)
    return await cancelled(task)


async def cancelled(task: asyncio.Future[T]) -> T | None:
    """Cancel `task` and wait for it; None if that was before its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        return await task
    return None
