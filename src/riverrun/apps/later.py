"""A handler that is made when it is first asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from riverrun.http.handler import Handler, close_handler, start_handler, stop_handler
from riverrun.http.request import Request
from riverrun.http.response import Response


class Later:
    """Answers by the handler that `make` gives, called for the first request.

    So a server starts without what is rarely asked for, or not at once. What is made then is
    started, and is stopped and closed with the server.
    """

    def __init__(self, make: Callable[[], Handler]) -> None:
        self._make = make
        self._handler: Handler | None = None

    def __call__(self, request: Request, response: Response) -> Awaitable[None]:
        """Answer."""
        if self._handler is None:
            self._handler = self._make()
            start_handler(self._handler)
        return self._handler(request, response)

    def stop(self) -> None:
        """The server stops; see `Stoppable`."""
        stop_handler(self._handler)

    def close(self) -> None:
        """Let go of what was made; see `Closable`."""
        close_handler(self._handler)
