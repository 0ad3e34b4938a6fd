"""The passage of a response: where it is handed chunks that others are handed too.

A chunk passes if it need not wait, for the client or for the response's flow, and otherwise not at
all. While a passage is open nothing may wait in the connection either, so a reader that stalls
holds no more than what was left of one chunk.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from riverrun.flows import Flow
from riverrun.http.framing import Framing
from riverrun.http.wire import Wire, wait_for_room

if TYPE_CHECKING:
    from riverrun.http.cohort import Cohort
    from riverrun.http.response import Response


class Passage:
    """Made by `Response.passage`, and closed by who has it made.

    `told` is for the one who passes chunks, to tell the one who waits what became of it.
    """

    __slots__ = ("_before", "_cohort", "flow", "framing", "response", "told", "wire")

    def __init__(self, response: Response, wire: Wire, flow: Flow, framing: Framing) -> None:
        self.response = response
        self.wire = wire
        self.flow = flow
        self.framing = framing
        self.told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._cohort: Cohort | None = None
        self._before = flow.moved - response.body_sent
        wire.let_pass(self)

    async def wait_for_room(self) -> None:
        """Wait until nothing waits to be sent. Raises `DisconnectedError`."""
        if not self.wire.has_room:
            await wait_for_room(self.wire, self.flow)

    def enter(self, cohort: Cohort) -> None:
        """Be sent what `cohort` is, until this passage is closed or the cohort lets go of it."""
        self._cohort = cohort
        cohort.add(self)

    @property
    def moved(self) -> int:
        """How much was sent to all who ride in its cohort."""
        assert self._cohort is not None
        return self._cohort.moved

    def doubt(self) -> None:
        """Something has happened, after which the next chunk may have to wait, or must not pass.

        Called by the wire when it has no room any more and when it sends anything else, and when
        the flow is steered.
        """
        if self._cohort is not None:
            self._cohort.doubt(self)

    def close(self) -> None:
        """Let the connection hold up to its high-water mark again; twice is once.

        Only now does the response know what has passed; its flow knows it all the time.
        """
        if self._cohort is not None:
            self._cohort.discard(self)
        self.response.body_sent = self.flow.moved - self._before
        self.wire.let_pass(None)
