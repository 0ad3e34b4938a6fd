"""A folder as a handler."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from riverrun.apps.files.confinement import STORE_FOLDER, Root
from riverrun.apps.files.following import follow_file, parse_start
from riverrun.apps.files.listing_types import HTML, LISTING_TYPES
from riverrun.apps.files.missing import not_found
from riverrun.apps.files.open_file import OpenFile
from riverrun.apps.files.repeating import repeat_of_file
from riverrun.apps.files.representation import Representation, represent
from riverrun.apps.files.sending import send, send_at_once, send_file
from riverrun.apps.files.siblings import Siblings, choose_coding
from riverrun.errors import HTTPError
from riverrun.http.content_disposition import content_disposition
from riverrun.http.handler import FINISHED
from riverrun.http.headers import Headers
from riverrun.http.media_types import SANDBOX, is_script
from riverrun.http.negotiation import choose_media_type
from riverrun.http.repeats import Repeat
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.targets import Target, encode_path, parse_query, parse_target

if TYPE_CHECKING:
    from riverrun.apps.files.digesting import Digests
    from riverrun.apps.files.listing import Beginnings, Enhancement

READING_METHODS: Final = ("GET", "HEAD")
INDEX: Final = "index.html"
WANTS_DIGEST: Final = b"want-repr-digest"

LOADED_AFTER: Final = 0.1
"""Seconds from the start of a server until it loads what its first answer did not wait for."""


class Files:
    """Serves the folder `root`, to be read: files with ranges and conditions, folders as listings.

    Names that begin with a dot are not there unless `hidden`. `cors` is the origin whose pages may
    read what is served, ``*`` for all. Nothing outside the folder is ever opened, by whatever
    link or name. `changes` are the methods of whoever stands before it and takes what changes
    something; with POST among them, folders show a form for files. With what `enhancement` gives,
    folders show more where scripts run; it is asked once, for the first of them.

    Raises `OSError` when `root` is no folder that can be read.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        hidden: bool = False,
        cors: str | None = None,
        changes: Sequence[str] = (),
        enhancement: Callable[[], Enhancement] | None = None,
    ) -> None:
        self.root = Root(root)
        self._siblings = Siblings(self.root)
        self._hidden = hidden
        self._cors = cors
        self._methods = ", ".join((*READING_METHODS, "OPTIONS", *changes))
        self._takes_files = "POST" in changes
        self._enhance = enhancement
        self._loading: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Load what listings need, a moment after a server of it starts; see `Startable`."""
        if self._loading is None:
            loop = asyncio.get_running_loop()
            self._loading = loop.call_later(LOADED_AFTER, loop.run_in_executor, None, self._load)

    def stop(self) -> None:
        """The server stops: load nothing any more; see `Stoppable`."""
        if self._loading is not None:
            self._loading.cancel()

    def __call__(self, request: Request, response: Response) -> Awaitable[None]:
        """Answer; at once where the file is small and in memory, as most are."""
        if self._cors is not None:
            self._open_to_origin(response.headers)
        if request.method not in READING_METHODS:
            return self._answer_other(request.method, response)
        target = parse_target(request.method, request.target)
        segments = target.segments
        if not self._hidden:
            for name in segments:
                if name[0] == ".":
                    raise self._not_found(target, request)
        elif segments and segments[0].lower() == STORE_FOLDER:  # some file systems fold case
            raise self._not_found(target, request)
        try:
            descriptor = self.root.open(segments)
        except FileNotFoundError:
            raise self._not_found(target, request) from None
        file = None
        try:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode) and is_plain(target, request):
                representation = represent(
                    segments[-1], status.st_size, status.st_mtime_ns, status.st_ino
                )
                if not representation.compressible:
                    if send_at_once(request, response, descriptor, representation):
                        return FINISHED
                    file = OpenFile(descriptor, status)
                    return send_file(request, response, file, representation)
            file = OpenFile(descriptor, status)
            return self._answer(target, request, response, file)
        finally:
            if file is None:
                os.close(descriptor)

    def repeat(self, request: Request) -> Repeat | None:
        """What answers requests like this one while the file is what it is; see `Repeatable`."""
        target = parse_target(request.method, request.target)
        segments = target.segments
        headers = Headers()
        if self._cors is not None:
            self._open_to_origin(headers)
        if target.trailing_slash:
            if not likes_pages(request):
                return None
            segments = (*segments, INDEX)
            headers.add("vary", "accept")
        if not segments or target.query or WANTS_DIGEST in request.fields:
            return None
        open_file = self.root.opener(segments)
        try:
            file = OpenFile.of(open_file())
        except OSError:  # a link, perhaps
            open_file = partial(self.root.open, segments)
            file = OpenFile.of(open_file())
        if not file.is_regular:
            return None
        representation = file.represent(segments[-1])
        if representation.compressible:
            self._confine(headers, representation.content_type)
            if not self._siblings.open(segments, file):
                open_file = self._siblings.opener_without(segments, open_file)
            else:
                accepted = request.fields.get(b"accept-encoding")
                chosen = self._siblings.choose_again(segments, file, accepted)
                if chosen is None:
                    return None
                headers.add("vary", "accept-encoding")
                file, open_file = chosen.file, chosen.open_file
                representation = file.represent(segments[-1], chosen.coding)
        return repeat_of_file(request, headers, open_file, file, representation)

    @cached_property
    def _digests(self) -> Digests:
        from riverrun.apps.files.digesting import Digests  # noqa: PLC0415 - few ask for them

        return Digests()

    @cached_property
    def _beginnings(self) -> Beginnings:
        from riverrun.apps.files.listing import Beginnings  # noqa: PLC0415 - not for a first file

        return Beginnings()

    @cached_property
    def _enhancement(self) -> Enhancement | None:
        return None if self._enhance is None else self._enhance()

    def _load(self) -> None:
        """Make what the first listing would wait for; in a thread."""
        _ = self._beginnings, self._enhancement

    def _answer(
        self, target: Target, request: Request, response: Response, file: OpenFile
    ) -> Awaitable[None]:
        """Answer with what was opened, a file or a folder; it is closed in any case."""
        segments = target.segments
        try:
            if file.is_regular and is_plain(target, request):
                return send(request, response, *self._choose(segments, request, response, file))
            if file.is_folder and target.trailing_slash:
                index = self._open_index(segments, request)
                if index is not None:
                    file.close()
                    response.headers.add("vary", "accept")
                    chosen = self._choose((*segments, INDEX), request, response, index)
                    return send(request, response, *chosen)
        except BaseException:
            file.close()
            raise
        return self._answer_slowly(target, request, response, file)

    async def _answer_slowly(
        self, target: Target, request: Request, response: Response, file: OpenFile
    ) -> None:
        try:
            if file.is_folder:
                await self._answer_folder(target, request, response, file)
            elif file.is_regular and not target.trailing_slash:
                await self._answer_file(target, request, response, file)
            else:
                raise self._not_found(target, request)
        finally:
            file.close()

    def _not_found(self, target: Target, request: Request) -> HTTPError:
        accept = request.fields.get(b"accept")
        return not_found(self.root, target, accept=accept, hidden=self._hidden)

    async def _answer_file(
        self, target: Target, request: Request, response: Response, file: OpenFile
    ) -> None:
        parameters = dict(parse_query(target.query))
        if "download" in parameters:
            filename = parameters["download"] or target.segments[-1]
            response.headers["content-disposition"] = content_disposition(filename)
        if "follow" in parameters:
            content_type = file.represent(target.segments[-1]).content_type
            self._confine(response.headers, content_type)
            start = parse_start(parameters["follow"])
            await follow_file(request, response, file.descriptor, content_type, start)
            return
        file, representation = self._choose(target.segments, request, response, file)
        if WANTS_DIGEST in request.fields:
            digest = await self._digests.of(request, file, representation)
            if digest is not None:
                response.headers["repr-digest"] = digest
        await send(request, response, file, representation)

    def _choose(
        self, segments: tuple[str, ...], request: Request, response: Response, file: OpenFile
    ) -> tuple[OpenFile, Representation]:
        """The file itself, or its sibling that the client likes better; and what is said of it.

        Only what is returned stays open.
        """
        name = segments[-1]
        representation = file.represent(name)
        self._confine(response.headers, representation.content_type)
        if not representation.compressible:
            return file, representation
        try:
            siblings = self._siblings.open(segments, file)
        except BaseException:
            file.close()
            raise
        if siblings:
            response.headers.add("vary", "accept-encoding")
            coding = choose_coding(siblings, request.fields.get(b"accept-encoding"))
            if coding:
                file.close()
                file = siblings.pop(coding)
                representation = file.represent(name, coding)
        return file, representation

    async def _answer_folder(
        self, target: Target, request: Request, response: Response, folder: OpenFile
    ) -> None:
        segments = target.segments
        if not target.trailing_slash:
            location = encode_path(segments, trailing_slash=True)
            if target.query:
                location += "?" + target.query.decode("latin-1")
            raise HTTPError(308, headers={"location": location})
        from riverrun.apps.files.listing import send_listing  # noqa: PLC0415 - not for a file

        await send_listing(
            request,
            response,
            folder.descriptor,
            segments,
            hidden=self._hidden,
            takes_files=self._takes_files,
            enhancement=self._enhancement,
            resolve=self._resolver(segments),
            beginnings=self._beginnings,
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

    def _open_index(self, folder: tuple[str, ...], request: Request) -> OpenFile | None:
        """The page that stands for a folder, if it has one and the client likes pages best."""
        if not likes_pages(request):
            return None
        try:
            index = OpenFile.of(self.root.open((*folder, INDEX)))
        except FileNotFoundError:
            return None
        return index if index.is_regular else None

    def _confine(self, headers: Headers, content_type: str) -> None:
        """Where strangers put files, and where the page is, scripts have an origin of their own."""
        guarded = self._takes_files or self._enhance is not None
        if guarded and is_script(content_type):
            headers["content-security-policy"] = SANDBOX

    async def _answer_other(self, method: str, response: Response) -> None:
        if method != "OPTIONS":
            raise HTTPError(405, f"{method} is not allowed here.", headers={"allow": self._methods})
        response.status = 204
        response.headers["allow"] = self._methods
        if self._cors is not None:
            response.headers["access-control-allow-methods"] = self._methods
            response.headers["access-control-allow-headers"] = "range, if-range, if-none-match"
            response.headers["access-control-max-age"] = "86400"
        await response.end()

    def _open_to_origin(self, headers: Headers) -> None:
        assert self._cors is not None
        headers["access-control-allow-origin"] = self._cors
        headers["access-control-expose-headers"] = "accept-ranges, content-range, etag, link"
        if self._cors != "*":
            headers["vary"] = "origin"


def is_plain(target: Target, request: Request) -> bool:
    """Whether a file is asked for as it is, with nothing to be found out about it first."""
    return not (target.trailing_slash or target.query or WANTS_DIGEST in request.fields)


def likes_pages(request: Request) -> bool:
    """Whether who asks for a folder wants to see a page: whether it is a browser."""
    return choose_media_type(request.fields.get(b"accept"), LISTING_TYPES) == HTML
