"""One request and its response: running the handler, and answering for it when it fails.

What went wrong before the response started becomes an error response; what went wrong after it, a
cut connection. A handler that returns without ending its response has failed too: if we ended it
for the handler, a response that stopped short would look whole.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from types import CoroutineType
from typing import TYPE_CHECKING

from riverrun.errors import BrokenError, DisconnectedError, HTTPError, StallError
from riverrun.http.handler import FINISHED
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.response_state import BODY, BROKEN, ENDED, HEAD

if TYPE_CHECKING:
    from riverrun.server.connection import Connection
    from riverrun.server.runner import Runner

logger = logging.getLogger("riverrun.server")


class Exchange:
    """Runs the server's handler for one request, then tells the connection."""

    __slots__ = ("_connection", "_runner", "request", "response", "started_at")

    def __init__(
        self, connection: Connection, request: Request, response: Response, started_at: float
    ) -> None:
        self._connection = connection
        self._runner: Runner | None = None
        self.request = request
        self.response = response
        self.started_at = started_at

    def run(self, handling: Awaitable[None]) -> None:
        """Run what the handler returned as far as it gets; it may be done when this returns."""
        try:
            if handling is not FINISHED:
                if type(handling) is not CoroutineType:
                    handling = _wait_for(handling)
                self._runner = self._connection.server.runners.run(handling, self._handled)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it may raise anything
            self._handled(error)
        else:
            if self._runner is None:
                self._handled(None)

    def disconnect(self) -> None:
        """The client went away: cancel the handler."""
        self.response.lose()
        if self._runner is not None:
            self._runner.cancel()

    def _handled(self, error: BaseException | None) -> None:
        self._runner = None
        if error is not None or self.response.state is not ENDED:
            self._answer_for(error)
        self._connection.exchange_over(self)

    def _answer_for(self, error: BaseException | None) -> None:
        response = self.response
        failure = self._describe(error)
        if response.state is HEAD:
            accept = self.request.fields.get(b"accept")
            try:
                response.fail(failure, accept=accept)
            except ValueError as unfit:  # its fields or its status cannot be sent
                logger.error("%s: %s", failure, unfit)  # noqa: TRY400 - it is told what is wrong
                response.fail(HTTPError(500), accept=accept)
        else:
            response.abort(error)

    def _describe(self, error: BaseException | None) -> HTTPError:
        """What to answer, logging what is the handler's own fault."""
        response = self.response
        if isinstance(error, HTTPError):
            return error
        if isinstance(error, StallError):
            return HTTPError(408)
        if response.state is BROKEN or isinstance(error, DisconnectedError):
            return HTTPError(400)  # nobody is there to read it
        request = f"{self.request.method} {self.request.target.decode('latin-1')}"
        if error is None and response.state in (HEAD, BODY):
            logger.error("%s: the handler returned without ending its response", request)
        elif isinstance(error, asyncio.CancelledError):
            logger.warning("%s: the handler was cancelled", request)
        elif isinstance(error, BrokenError):
            logger.warning("%s: %s", request, error)
        elif error is not None:
            logger.error("%s: the handler failed", request, exc_info=error)
        return HTTPError(500)


async def fail(error: Exception) -> None:
    """What a handler that raised at once would have done a moment later."""
    raise error


async def _wait_for(awaitable: Awaitable[None]) -> None:
    await awaitable
