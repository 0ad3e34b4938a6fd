"""The flows of a server, at an address: to be seen, and to be steered.

GET of the address itself tells all flows, as JSON or, to who accepts ``text/event-stream``, as
events: first everything, then what has changed, a few times a second. Each flow has an address
below: GET tells it, PATCH pauses, resumes and limits it, DELETE cuts it. PATCH of the address
itself changes the limits that hold for all.

Who moves what is private, and whoever may cut transfers can do harm. So both are for clients of
this machine unless more is allowed, and steering must be allowed at all. No page of another site
gets through, be it by a name of its own that leads here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import msgspec

from riverrun.apps.flows.changes import read_changes
from riverrun.apps.flows.documents import Document
from riverrun.apps.flows.watching import Watch, render_event
from riverrun.errors import HTTPError
from riverrun.flows import Flow, Flows
from riverrun.http.negotiation import choose_media_type
from riverrun.http.origins import check_origin, check_own_host, is_local
from riverrun.http.request import Request
from riverrun.http.response import Response

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream"
HEARTBEAT_LOOKS: Final = 60
"""After so many looks without a change something is sent, so that who has gone is noticed."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what. `names` are host names of this server that others can resolve."""

    steer: bool = False
    """Whether transfers may be changed by who may see them."""

    remote: bool = False
    """Whether clients of other machines may see them."""

    names: Collection[str] = ()

    def check(self, request: Request, *, changes: bool = False) -> None:
        """Raise `HTTPError` 403 for who may not."""
        check_origin(request, None, self.names)
        check_own_host(request, self.names)
        if not self.remote and not is_local(request):
            raise HTTPError(403, "Only clients on the server's own machine may see its transfers.")
        if changes and not self.steer:
            raise HTTPError(403, "This server does not let its transfers be steered.")

    def may_steer(self, request: Request) -> bool:
        """Whether whoever asks may change anything."""
        return self.steer and (self.remote or is_local(request))


class Steering:
    """A handler for `flows`, to be mounted: ``Mounts(root, {"/~/flows": Steering(flows)})``."""

    def __init__(self, flows: Flows, access: Access | None = None, *, depth: int = 2) -> None:
        """`depth` is the number of segments of the path that it is mounted at."""
        self._flows = flows
        self._access = access or Access()
        self._depth = depth
        self._watch = Watch(flows)

    async def __call__(self, request: Request, response: Response) -> None:
        """Answer."""
        names = [name for name in request.url.segments[self._depth :] if name]
        response.headers["cache-control"] = "no-store"
        if not names:
            await self._answer_all(request, response)
        elif len(names) == 1:
            await self._answer_one(request, response, names[0])
        else:
            raise HTTPError(404)

    async def _answer_all(self, request: Request, response: Response) -> None:
        method = self._admit(request, ("GET", "HEAD", "PATCH"))
        if method == "PATCH":
            changes = await read_changes(request, rates=("rate", "client_rate", "total_rate"))
            for name, value in changes.items():
                setattr(self._flows, name, value)
        chosen = choose_media_type(request.fields.get(b"accept"), (JSON, EVENTS))
        response.headers["vary"] = "accept"
        if chosen == EVENTS and method != "PATCH":
            await self._send_events(request, response)
        else:
            await self._watch.ready()
            await self._send(request, response, self._everything(request))

    async def _answer_one(self, request: Request, response: Response, name: str) -> None:
        method = self._admit(request, ("GET", "HEAD", "PATCH", "DELETE"))
        flow = self._find(name)
        if method == "DELETE":
            flow.cancel()
            response.status = 204
            await response.end()
            return
        if method == "PATCH":
            changes = await read_changes(request, flags=("paused",), rates=("rate",))
            flow = self._find(name)  # the body may have taken its time
            if "rate" in changes:
                flow.rate = changes["rate"]
            match changes.get("paused"):
                case True:
                    flow.pause()
                case False:
                    flow.resume()
        await self._watch.ready()
        await self._send(request, response, self._watch.describe(flow))

    def _admit(self, request: Request, methods: tuple[str, ...]) -> str:
        method = request.method
        self._access.check(request, changes=method not in ("GET", "HEAD"))
        if method not in methods:
            allowed = ", ".join(methods)
            raise HTTPError(405, f"{method} is not allowed here.", headers={"allow": allowed})
        return method

    def _find(self, name: str) -> Flow:
        number = int(name) if name.isascii() and name.isdigit() and len(name) < 19 else 0
        flow = self._flows.get(number)
        if flow is None:
            raise HTTPError(404, "There is no such transfer; it may be over.")
        return flow

    def _everything(self, request: Request) -> Document:
        may_steer = self._access.may_steer(request)
        return {**self._watch.everything(), "steerable": may_steer}

    async def _send(self, request: Request, response: Response, document: Document) -> None:
        response.headers["content-type"] = JSON
        response.headers["x-content-type-options"] = "nosniff"
        body = msgspec.json.encode(document)
        response.headers["content-length"] = str(len(body))
        await response.end(b"" if request.method == "HEAD" else body)

    async def _send_events(self, request: Request, response: Response) -> None:
        response.headers["content-type"] = EVENTS
        response.headers["x-content-type-options"] = "nosniff"
        if request.method == "HEAD":
            await response.end()
            return
        watch = self._watch
        own = response.flow
        own.name = "watches the flows"
        watch.hidden.add(own.id)
        watch.watchers += 1
        try:
            await self._follow(request, response)
            await response.end()
        finally:
            watch.watchers -= 1
            watch.hidden.discard(own.id)

    async def _follow(self, request: Request, response: Response) -> None:
        """Send everything, then what changes; everything again to who could not keep up."""
        watch = self._watch
        await watch.ready()
        told = -1
        quiet = 0
        while not response.closing:
            quiet += 1
            if told != watch.look_number - 1:
                told = watch.look_number
                await response.write(render_event("flows", self._everything(request)))
                quiet = 0
            else:
                told = watch.look_number
                if watch.changes:
                    await response.write(render_event("changes", watch.changes))
                    quiet = 0
                elif quiet >= HEARTBEAT_LOOKS:
                    await response.write(b":\n\n")
                    quiet = 0
            await watch.next_look()
