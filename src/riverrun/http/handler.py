"""The one shape of everything that answers: ``async def handler(request, response) -> None``.

A handler that has answered by the time it is called, without waiting for anything, may be a plain
function that returns `FINISHED`: whoever awaits it goes on at once, and the server need not even do
that. One that has to wait returns a coroutine, as every ``async def`` does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

from riverrun.http.request import Request
from riverrun.http.response import Response


class Finished:
    """An awaitable that has nothing to wait for."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


FINISHED: Final = Finished()

Handler: TypeAlias = Callable[[Request, Response], Awaitable[None]]


@runtime_checkable
class Startable(Protocol):
    """A handler that has something to do from time to time, whether it is asked or not."""

    def start(self) -> None:
        """A server of it starts. Called on the event loop, once for each server."""


@runtime_checkable
class Stoppable(Protocol):
    """A handler some of whose answers would go on for as long as the client likes."""

    def stop(self) -> None:
        """The server stops: end those answers, well. Called once, on the event loop."""


@runtime_checkable
class Closable(Protocol):
    """A handler that has something open: files, a database."""

    def close(self) -> None:
        """Let go of it; called when nothing runs any more, and may block. Twice is once."""


def start_handler(handler: object) -> None:
    """Tell a handler that a server of it starts, if it wants to know."""
    if isinstance(handler, Startable):
        handler.start()


def stop_handler(handler: object) -> None:
    """Tell a handler that the server stops, if it wants to know."""
    if isinstance(handler, Stoppable):
        handler.stop()


def close_handler(handler: object) -> None:
    """Let a handler let go of what it has open, if anything; blocking."""
    if isinstance(handler, Closable):
        handler.close()
