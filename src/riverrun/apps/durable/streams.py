"""Streams over HTTP, as a handler: what is asked of which stream."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from riverrun.apps.durable.appending import append_to_stream
from riverrun.apps.durable.creating import create_stream, fork_stream
from riverrun.apps.durable.errors import answer_for
from riverrun.apps.durable.fields import parameters_of
from riverrun.apps.durable.live import send_events
from riverrun.apps.durable.offsets import NOW, parse_offset
from riverrun.apps.durable.reading import (
    check_offset,
    long_poll,
    send_part,
    tell_stream,
    tell_tail,
)
from riverrun.apps.durable.receiving import JsonBodies, JsonBody
from riverrun.apps.durable.settings import StreamSettings
from riverrun.apps.durable.tails import Tails
from riverrun.apps.durable.waiting import Following, Waiting
from riverrun.errors import HTTPError
from riverrun.http.origins import check_origin, check_reader, own_names
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.targets import Target, parse_target
from riverrun.logs import Log, LogError, LogStore

PREFIX: Final = "/v1/stream"
METHODS: Final = "GET, HEAD, PUT, POST, DELETE, OPTIONS"
READING_METHODS: Final = ("GET", "HEAD", "OPTIONS")
RESERVED: Final = "__ds"  # where the protocol has its subscriptions, which are not offered
LONGEST_NAME: Final = 1024
EXPOSED: Final = (
    "etag, location, stream-next-offset, stream-cursor, stream-up-to-date, stream-closed, "
    "stream-ttl, stream-expires-at, stream-sse-data-encoding, producer-epoch, producer-seq, "
    "producer-expected-seq, producer-received-seq"
)
ALLOWED_FIELDS: Final = (
    "authorization, content-type, if-none-match, last-event-id, stream-seq, stream-ttl, "
    "stream-expires-at, stream-closed, stream-forked-from, stream-fork-offset, "
    "stream-fork-sub-offset, producer-id, producer-epoch, producer-seq"
)


class Streams:
    """Answers the Durable Streams protocol for the logs in `store`, below the path `prefix`.

    The name of a stream is what its path has behind the prefix. `cors` is the origin whose pages
    may read and change streams, ``*`` for all; without it only pages of the server's own may.
    Clients of private networks may ask by a public name only if it is among `names`, or that of
    `cors`: a page can make its own name lead here. For example::

        riverrun.run(riverrun.Streams(riverrun.open_logs("streams")))
    """

    def __init__(
        self,
        store: LogStore,
        *,
        prefix: str = PREFIX,
        settings: StreamSettings | None = None,
        cors: str | None = None,
        names: Collection[str] = (),
    ) -> None:
        self.store = store
        self.settings = settings or StreamSettings()
        self._prefix = tuple(name for name in prefix.split("/") if name)
        self._cors = cors
        self._safe_fields = {
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin" if cors is None else "cross-origin",
        }
        self._names = own_names(names, cors)
        self._bodies = JsonBodies(self.settings)
        self._waiting = Waiting()
        self._tails = Tails(self.settings.heartbeat, self.settings.live_time)

    def stop(self) -> None:
        """The server stops: whoever follows a stream is let go, and may come back."""
        self._waiting.stop()
        self._tails.release()

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    async def __call__(self, request: Request, response: Response) -> None:
        """Answer."""
        for name, value in self._safe_fields.items():
            response.headers[name] = value
        if self._cors is not None:
            self._open_to_origin(response)
        try:
            following = await self._answer(request, response)
            if following is not None:
                await send_events(response, following, self.settings)
        except LogError as error:
            answer = answer_for(error)
            answer.headers.update(self._safe_fields)
            raise answer from error
        except HTTPError as error:
            error.headers.update(self._safe_fields)
            raise

    async def _answer(self, request: Request, response: Response) -> Following | None:
        """Answer, or return what is to be followed as events: that is left to the caller, for long.

        A thousand readers are a thousand of each coroutine that waits.
        """
        method = request.method
        if method not in READING_METHODS:
            check_origin(request, self._cors, self._names)
        elif self._cors != "*":
            check_reader(request, self._names)
        name = self._name_of(request.url)
        match method:
            case "GET":
                return await self._read(request, response, await self.store.find(name))
            case "POST":
                log = await self.store.find(name)
                with JsonBody(self._bodies) as body:
                    await append_to_stream(request, response, log, body)
            case "PUT":
                await self._create(request, response, name)
            case "HEAD":
                await tell_stream(response, await self.store.find(name))
            case "DELETE":
                await self.store.delete(name)
                response.status = 204
                await response.end()
            case "OPTIONS":
                response.status = 204
                response.headers["allow"] = METHODS
                await response.end()
            case _:
                raise HTTPError(405, headers={"allow": METHODS})
        return None

    async def _create(self, request: Request, response: Response, name: str) -> None:
        fields = request.fields
        source = fields.get(b"stream-forked-from")
        with JsonBody(self._bodies) as body:
            if source is not None:
                source_name = self._name_of(parse_target("GET", source))
                await fork_stream(
                    request, response, self.store, name, source_name, body, self.settings
                )
            elif b"stream-fork-offset" in fields or b"stream-fork-sub-offset" in fields:
                raise HTTPError(400, "A fork offset needs Stream-Forked-From.")
            else:
                await create_stream(request, response, self.store, name, body)

    async def _read(self, request: Request, response: Response, log: Log) -> Following | None:
        parameters = parameters_of(request)
        live = parameters.get("live")
        token = parameters.get("offset")
        if live == "sse" and (last := request.fields.get(b"last-event-id")):
            token = last.decode("latin-1")  # a browser that comes back has only its first address
        if token is None and live is not None:
            raise HTTPError(400, "A live read needs an offset.")
        if live not in (None, "long-poll", "sse"):
            raise HTTPError(400, "A live read is a long-poll or sse.")
        offset = log.info.start if token is None else parse_offset(token, log.info)
        await check_offset(log, offset)
        log.touch()
        following = Following(log, offset, parameters.get("cursor"), self._waiting, self._tails)
        if live == "sse":
            return following
        if live is not None:
            await long_poll(request, response, following, self.settings)
        elif token == NOW:
            await tell_tail(response, log)
        else:
            await send_part(request, response, log, offset, self.settings)
        return None

    def _name_of(self, target: Target) -> str:
        depth = len(self._prefix)
        segments = target.segments
        names = segments[depth:]
        if segments[:depth] != self._prefix or not names or target.trailing_slash:
            raise HTTPError(404)
        if RESERVED in names:
            raise HTTPError(501, "Subscriptions are not offered here.")
        name = "/".join(names)
        try:
            size = len(name.encode())
        except UnicodeEncodeError:
            raise HTTPError(400, "The name of a stream is text in UTF-8.") from None
        if size > LONGEST_NAME:
            raise HTTPError(414, f"The name of a stream has at most {LONGEST_NAME} bytes.")
        return name

    def _open_to_origin(self, response: Response) -> None:
        assert self._cors is not None
        headers = response.headers
        headers["access-control-allow-origin"] = self._cors
        headers["access-control-expose-headers"] = EXPOSED
        headers["access-control-allow-methods"] = METHODS
        headers["access-control-allow-headers"] = ALLOWED_FIELDS
        if self._cors != "*":
            headers["vary"] = "origin"
