"""The one shape of everything that answers: ``async def handler(request, response) -> None``.

A handler that has answered by the time it is called, without waiting for anything, may be a plain
function that returns `FINISHED`: whoever awaits it goes on at once, and the server need not even do
that. One that has to wait returns a coroutine, as every ``async def`` does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final, TypeAlias

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
