"""Where streams would be, if they were allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from riverrun.errors import HTTPError

if TYPE_CHECKING:
    from riverrun.http.handler import Handler
    from riverrun.http.request import Request
    from riverrun.http.response import Response

HINT: Final = "Streams are not allowed here; `riverrun serve --allow streams` allows them."
READING_METHODS: Final = ("GET", "HEAD", "OPTIONS")


class NoStreams:
    """Answers below the path of streams: a file that lies there is read, and nothing is changed.

    Whoever means a stream does not make a file, and is told what to do.
    """

    def __init__(self, files: Handler) -> None:
        self._files = files

    async def __call__(self, request: Request, response: Response) -> None:
        """Answer."""
        if request.method not in READING_METHODS:
            raise HTTPError(403, HINT)
        try:
            await self._files(request, response)
        except HTTPError as error:
            if error.status != 404:
                raise
            raise HTTPError(404, HINT) from None
