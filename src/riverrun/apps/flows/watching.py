"""Looking at all flows a few times a second, while somebody does.

One timer serves everybody who watches, and there is none when nobody has asked for a while. At
each look the rates are counted, and what has changed since the last one is rendered once for all.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import msgspec

from riverrun.apps.flows.documents import Document, changing, describe, last_of, limits, waited
from riverrun.flows import Flow, Flows

INTERVAL: Final = 0.25
RATE_LOOKS: Final = 4
"""A rate is that of so many looks: one second."""

LINGER: Final = 5.0
"""How long looking goes on after the last who asked."""


@dataclass(slots=True)
class Seen:
    """What was seen of a flow at the last looks."""

    flow: Flow
    document: Document
    samples: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=RATE_LOOKS + 1))

    def rate(self, now: float, moved: int) -> int | None:
        """Bytes a second of late; None until it has been looked at twice."""
        if not self.samples:
            return None
        since, then = self.samples[0]
        return round((moved - then) / (now - since)) if now > since else None


class Watch:
    """Looks at `flows`, without those that are `hidden`: a watcher does not watch itself."""

    def __init__(self, flows: Flows) -> None:
        self.flows = flows
        self.hidden: set[int] = set()
        self.watchers = 0
        self.look_number = 0
        self.changes: Document = {}
        """What has changed at the last look; empty if nothing has."""
        self._seen: dict[int, Seen] = {}
        self._limits: Document = {}
        self._timer: asyncio.TimerHandle | None = None
        self._wanted_until = 0.0
        self._next: asyncio.Future[None] | None = None

    async def ready(self) -> None:
        """Wait until rates are known: for one look, if nobody has been looking of late."""
        is_first = self._timer is None
        self._want()
        if is_first and self._visible():
            await self.next_look()

    async def next_look(self) -> None:
        """Wait for the next look. A cancel changes nothing for others."""
        self._want()
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._next)

    def everything(self) -> Document:
        """All flows, and the limits that hold for all."""
        return {
            "time": round(time.time(), 3),
            "limits": limits(self.flows),
            "flows": [self.describe(flow) for flow in self._visible()],
        }

    def describe(self, flow: Flow) -> Document:
        """All there is to tell of one flow."""
        seen = self._seen.get(flow.id)
        rate = None if seen is None else seen.document.get("rate")
        return describe(flow, rate, time.time() - flow.age)

    def _visible(self) -> list[Flow]:
        return [flow for flow in self.flows if flow.id not in self.hidden]

    def _want(self) -> None:
        loop = asyncio.get_running_loop()
        self._wanted_until = loop.time() + LINGER
        if self._timer is None:
            self._look()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if not self.watchers and now > self._wanted_until:
            self._timer = None
            self._seen.clear()
            return
        self._timer = loop.call_later(INTERVAL, self._look)
        self.look_number += 1
        self.changes = self._compare(now)
        if self._next is not None and not self._next.done():
            self._next.set_result(None)

    def _compare(self, now: float) -> Document:
        changed: list[Document] = []
        former, self._seen = self._seen, {}
        for flow in self._visible():
            seen = former.pop(flow.id, None)
            if seen is None:
                document = describe(flow, None, time.time() - flow.age)
                seen = Seen(flow, {})
                changed.append(document)
                seen.document = changing(flow, None)
            else:
                document = changing(flow, seen.rate(now, flow.moved))
                change = {
                    name: value for name, value in document.items() if value != seen.document[name]
                }
                seen.document = document
                if change:
                    if "waiting" in change or "state" in change:
                        change["waited"] = waited(flow)
                    changed.append({"id": flow.id, **change})
            seen.samples.append((now, flow.moved))
            self._seen[flow.id] = seen
        changes: Document = {}
        # How one ended is known only now: its last bytes have moved since the last look.
        changed.extend(last_of(seen.flow) for seen in former.values())
        if changed:
            changes["flows"] = changed
        if former:
            changes["ended"] = list(former)
        if (now_limits := limits(self.flows)) != self._limits:
            self._limits = changes["limits"] = now_limits
        return changes


def render_event(name: str, document: Document) -> bytes:
    """One server-sent event (HTML standard, 9.2)."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(document))
