"""The passage of a response: where it is handed chunks that others are handed too.

A chunk passes if it need not wait, for the client or for the response's flow, and otherwise not at
all. While a passage is open nothing may wait in the connection either, so a reader that stalls
holds no more than what was left of one chunk.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from riverrun.flows import Flow
from riverrun.http.framing import CHUNKED, NONE, Framing
from riverrun.http.wire import Wire, wait_for_room

if TYPE_CHECKING:
    from riverrun.http.response import Response


class Passage:
    """Made by `Response.passage`, and closed by who has it made.

    `told` is for the one who passes chunks, to tell the one who waits what became of it.
    """

    __slots__ = ("_counted", "_flow", "_framing", "_response", "_wire", "told")

    def __init__(
        self, response: Response, wire: Wire, flow: Flow, framing: Framing, *, counted: bool
    ) -> None:
        self._response = response
        self._wire = wire
        self._flow = flow
        self._framing = framing
        self._counted = counted
        self.told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        wire.hold_nothing(True)

    def try_pass(self, chunk: bytes, framed: bytes) -> bool:
        """Send `chunk` if it need not wait, and return whether it was.

        `framed` is the same as a chunk of the chunked coding. A response whose length is declared
        lets nothing pass: only its handler knows what to do about a byte too many.
        """
        response, flow, wire = self._response, self._flow, self._wire
        if not wire.has_room or response.writing or not response.open or self._counted:
            return False
        size = len(chunk)
        if not (flow.free or flow.try_turn(size)):
            return False
        if self._framing is CHUNKED:
            wire.pass_on(framed)
        elif self._framing is not NONE:
            wire.pass_on(chunk)
        response.body_sent += size
        flow.moved += size
        return True

    async def wait_for_room(self) -> None:
        """Wait until nothing waits to be sent. Raises `DisconnectedError`."""
        if not self._wire.has_room:
            await wait_for_room(self._wire, self._flow)

    def close(self) -> None:
        """Let the connection hold up to its high-water mark again; twice is once."""
        self._wire.hold_nothing(False)
