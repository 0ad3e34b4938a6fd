"""A folder as a handler."""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable
from typing import Final

from riverrun.apps.files.confinement import Root
from riverrun.apps.files.following import follow_file
from riverrun.apps.files.listing import LISTING_TYPES, send_listing
from riverrun.apps.files.representation import Representation, represent
from riverrun.apps.files.sending import send_at_once, send_file
from riverrun.errors import HTTPError
from riverrun.http.content_disposition import content_disposition
from riverrun.http.handler import FINISHED
from riverrun.http.negotiation import acceptable_codings, choose_media_type
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.targets import Target, encode_path, parse_query

METHODS: Final = "GET, HEAD, OPTIONS"
READING_METHODS: Final = ("GET", "HEAD")
INDEX: Final = "index.html"
CODINGS: Final = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}


class Files:
    """Serves the folder `root`, to be read: files with ranges and conditions, folders as listings.

    Names that begin with a dot are not there unless `hidden`. `cors` is the origin whose pages may
    read what is served, ``*`` for all. Nothing outside the folder is ever opened, by whatever
    link or name.

    Raises `OSError` when `root` is no folder that can be read.
    """

    def __init__(
        self, root: str | os.PathLike[str], *, hidden: bool = False, cors: str | None = None
    ) -> None:
        self.root = Root(root)
        self._hidden = hidden
        self._cors = cors

    def __call__(self, request: Request, response: Response) -> Awaitable[None]:
        """Answer; at once where the file is small and in memory, as most are."""
        if self._cors is not None:
            self._open_to_origin(response)
        if request.method not in READING_METHODS:
            return self._answer_other(request.method, response)
        target = request.url
        segments = target.segments
        if not self._hidden:
            for name in segments:
                if name[0] == ".":
                    raise HTTPError(404)
        try:
            descriptor = self.root.open(segments)
        except FileNotFoundError:
            raise HTTPError(404) from None
        try:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode) and not (target.trailing_slash or target.query):
                representation = represent(segments[-1], status)
                if not representation.compressible and send_at_once(
                    request, response, descriptor, representation
                ):
                    os.close(descriptor)
                    return FINISHED
        except BaseException:
            os.close(descriptor)
            raise
        return self._answer(target, request, response, descriptor, status)

    async def _answer(
        self,
        target: Target,
        request: Request,
        response: Response,
        descriptor: int,
        status: os.stat_result,
    ) -> None:
        """Answer from `descriptor`, then close it."""
        try:
            if stat.S_ISDIR(status.st_mode):
                await self._answer_folder(target, request, response, descriptor)
            elif stat.S_ISREG(status.st_mode) and not target.trailing_slash:
                await self._answer_file(target, request, response, descriptor, status)
            else:
                raise HTTPError(404)
        finally:
            os.close(descriptor)

    async def _answer_file(
        self,
        target: Target,
        request: Request,
        response: Response,
        descriptor: int,
        status: os.stat_result,
    ) -> None:
        name = target.segments[-1]
        representation = represent(name, status)
        if target.query:
            parameters = dict(parse_query(target.query))
            if "download" in parameters:
                filename = parameters["download"] or name
                response.headers["content-disposition"] = content_disposition(filename)
            if "follow" in parameters and request.method == "GET":
                await follow_file(response, descriptor, representation.content_type)
                return
        if representation.compressible:
            encoded = self._open_encoded(target.segments, request, response, status)
            if encoded is not None:
                descriptor, status, representation = encoded
                try:
                    await send_file(request, response, descriptor, status, representation)
                finally:
                    os.close(descriptor)
                return
        await send_file(request, response, descriptor, status, representation)

    async def _answer_folder(
        self, target: Target, request: Request, response: Response, descriptor: int
    ) -> None:
        segments = target.segments
        if not target.trailing_slash:
            location = encode_path(segments, trailing_slash=True)
            if target.query:
                location += "?" + target.query.decode("latin-1")
            raise HTTPError(308, headers={"location": location})
        if choose_media_type(request.fields.get(b"accept"), LISTING_TYPES) == "text/html":
            index = self._open_index(segments)
            if index is not None:
                try:
                    status = os.fstat(index)
                    response.headers["vary"] = "accept"
                    await send_file(request, response, index, status, represent(INDEX, status))
                finally:
                    os.close(index)
                return
        await send_listing(
            request,
            response,
            descriptor,
            segments,
            hidden=self._hidden,
            resolve=self._resolver(segments),
        )

    def _resolver(self, folder: tuple[str, ...]) -> Callable[[str], os.stat_result | None]:
        """Where a link in `folder` leads: the status of what is there, None if it is not ours."""

        def resolve(name: str) -> os.stat_result | None:
            try:
                descriptor = self.root.open((*folder, name))
            except OSError:
                return None
            try:
                return os.fstat(descriptor)
            finally:
                os.close(descriptor)

        return resolve

    def _open_index(self, folder: tuple[str, ...]) -> int | None:
        """The page that stands for a folder, if it has one."""
        try:
            descriptor = self.root.open((*folder, INDEX))
        except FileNotFoundError:
            return None
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        return None

    def _open_encoded(
        self,
        segments: tuple[str, ...],
        request: Request,
        response: Response,
        original: os.stat_result,
    ) -> tuple[int, os.stat_result, Representation] | None:
        """The best sibling that holds the same file encoded, if the client takes one.

        One that is older than the file is not of this version, and is passed over.
        """
        siblings: dict[str, tuple[int, os.stat_result]] = {}
        *folder, name = segments
        for coding, suffix in CODINGS.items():
            try:
                descriptor = self.root.open((*folder, name + suffix))
            except FileNotFoundError:
                continue
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode) and status.st_mtime_ns >= original.st_mtime_ns:
                siblings[coding] = descriptor, status
            else:
                os.close(descriptor)
        if not siblings:
            return None
        response.headers["vary"] = "accept-encoding"
        accepted = acceptable_codings(request.fields.get(b"accept-encoding"), tuple(siblings))
        best = accepted[0] if accepted else "identity"
        chosen = siblings.pop(best, None)
        for descriptor, _ in siblings.values():
            os.close(descriptor)
        if chosen is None:
            return None
        descriptor, status = chosen
        return descriptor, status, represent(name, status, best)

    async def _answer_other(self, method: str, response: Response) -> None:
        if method != "OPTIONS":
            raise HTTPError(405, f"{method} is not allowed here.", headers={"allow": METHODS})
        response.status = 204
        response.headers["allow"] = METHODS
        if self._cors is not None:
            response.headers["access-control-allow-methods"] = METHODS
            response.headers["access-control-allow-headers"] = "range, if-range, if-none-match"
            response.headers["access-control-max-age"] = "86400"
        await response.end()

    def _open_to_origin(self, response: Response) -> None:
        assert self._cors is not None
        headers = response.headers
        headers["access-control-allow-origin"] = self._cors
        headers["access-control-expose-headers"] = "accept-ranges, content-range, etag, link"
        if self._cors != "*":
            headers["vary"] = "origin"
