"""The passage of a response: where it is handed chunks that others are handed too.

A chunk passes if it need not wait, for the client or for the response's flow, and otherwise not at
all. While a passage is open nothing may wait in the connection either, so a reader that stalls
holds no more than what was left of one chunk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from riverrun.flows import Flow
from riverrun.http.framing import CHUNKED, COUNTED, NONE, Framing
from riverrun.http.response_state import BODY
from riverrun.http.wire import Wire, wait_for_room

if TYPE_CHECKING:
    from riverrun.http.response import Response


class Passage:
    """Made by `Response.passage`, and closed by who has it made; chunks come by `pass_to_all`.

    `told` is for the one who passes chunks, to tell the one who waits what became of it.
    """

    __slots__ = ("_before", "flow", "framing", "pass_on", "response", "told", "wire")

    def __init__(self, response: Response, wire: Wire, flow: Flow, framing: Framing) -> None:
        self.response = response
        self.wire = wire
        self.flow = flow
        self.framing = framing
        self.pass_on = wire.pass_on
        self.told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._before = flow.moved - response.body_sent
        wire.hold_nothing(True)

    async def wait_for_room(self) -> None:
        """Wait until nothing waits to be sent. Raises `DisconnectedError`."""
        if not self.wire.has_room:
            await wait_for_room(self.wire, self.flow)

    def close(self) -> None:
        """Let the connection hold up to its high-water mark again; twice is once.

        Only now does the response know what has passed; its flow knows it all the time.
        """
        self.response.body_sent = self.flow.moved - self._before
        self.wire.hold_nothing(False)


def pass_to_all(passages: Iterable[Passage], chunk: bytes, framed: bytes) -> list[Passage]:
    """Send `chunk` to each that need not wait; return the others, to which nothing was sent.

    `framed` is the same as a chunk of the chunked coding. A response whose length is declared lets
    nothing pass: only its handler knows what to do about a byte too many. All in one function: for
    a thousand readers each call would cost as much as all that is done here.
    """
    size = len(chunk)
    behind = []
    for passage in passages:
        response, flow = passage.response, passage.flow
        framing = passage.framing
        if (
            not passage.wire.has_room
            or response.writing
            or response.state is not BODY
            or framing is COUNTED
            or not (flow.free or flow.try_turn(size))
        ):
            behind.append(passage)
            continue
        if framing is CHUNKED:
            passage.pass_on(framed)
        elif framing is not NONE:
            passage.pass_on(chunk)
        flow.moved += size
    return behind
