"""One source, sent to every response that follows it.

A chunk is framed once and handed to all responses that have room, one after the other, in the one
call that publishes it: no task is woken, nothing is queued, and a reader is one small object. A
response that has none is let go of at the place that it has reached; its handler sends what it
missed at its own pace, from wherever the source is kept, and follows again. So the slow side sets
its own pace and nobody else's.

A thousand sends hold the event loop for a while, and a source may come faster than that. So the
loop is then left to others for a part of the time that was taken, and what is published meanwhile
goes out together: who falls behind sends less often, not ever later.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Final

from riverrun.errors import BrokenError, ClosedError
from riverrun.http.cohort import Cohort

if TYPE_CHECKING:
    from riverrun.http.passage import Passage
    from riverrun.http.response import Response

LONG: Final = 0.001  # seconds; what takes less leaves room enough for others
REST: Final = 0.2  # of the time that was taken
MOST_GATHERED: Final = 16 * 1024  # what one that stalls may hold, as of a larger chunk


class Broadcast:
    """Publishes chunks to the responses that follow.

    `position` counts how far the source has come, in whatever unit the publisher counts: bytes,
    unless `publish` is told otherwise. All that follow are there. A handler goes

        while position < broadcast.position or not broadcast.ended:
            position = await catch_up(response, position)
            position = await broadcast.follow(response, position)
        await response.end()
    """

    __slots__ = (
        "_cohort",
        "_error",
        "_gathered",
        "_over",
        "_rests_until",
        "_sent",
        "_size",
        "_timer",
        "position",
    )

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self._sent = position  # behind it lies what was gathered
        self._gathered: list[bytes] = []
        self._size = 0
        self._rests_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._over = False
        self._error: BaseException | None = None
        self._cohort = Cohort()

    @property
    def readers(self) -> int:
        """How many responses follow now; those that catch up are not among them."""
        return len(self._cohort)

    @property
    def ended(self) -> bool:
        """Whether it has ended well: nothing will be published any more."""
        return self._over and self._error is None

    def publish(self, chunk: bytes, position: int | None = None) -> None:
        """Send `chunk` to every response that follows and has room; let go of the others.

        It is sent at once, or with what comes within milliseconds of a large audience being sent
        something. `position` is where the source stands behind it, by default as many bytes
        further.

        Raises:
            ClosedError: it was ended or aborted before.
            ValueError: `position` lies before the one reached.
        """
        if self._over:
            raise ClosedError("the broadcast has ended")
        after = self.position + len(chunk) if position is None else position
        if after < self.position:
            raise ValueError(f"from {self.position} a broadcast does not go back to {after}")
        if not (chunk and self._cohort):
            self.position = after
            if not self._gathered:
                self._sent = after
            return
        if self._size + len(chunk) > MOST_GATHERED:
            self._send()
        self.position = after
        self._gathered.append(chunk)
        self._size += len(chunk)
        rest = self._rests_until - perf_counter()
        if rest <= 0:
            self._send()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(rest, self._send)

    def _send(self) -> None:
        """Send what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        before, self._sent = self._sent, self.position
        gathered, self._gathered = self._gathered, []
        self._size = 0
        if not gathered:
            return
        chunk = gathered[0] if len(gathered) == 1 else b"".join(gathered)
        framed = b"%x\r\n%b\r\n" % (len(chunk), chunk)
        began = perf_counter()
        for passage in self._cohort.send(chunk, framed):
            _tell(passage, before)
        ended = perf_counter()
        if ended - began > LONG:
            self._rests_until = ended + (ended - began) * REST

    async def follow(self, response: Response, position: int) -> int:
        """Send `response` everything that is published from `position` on, for as long as it can.

        Returns the position up to which it has been sent everything: when it had no room for what
        came next, and has it again; when the broadcast has ended; and at once if the broadcast is
        not at `position`. If `ended` is not set, send what lies between that and `self.position`,
        and follow again. The response is left open.

        Raises:
            ValueError: the broadcast has not come as far as `position`.
            BrokenError: the broadcast was aborted.
            DisconnectedError: the client went away.
            ClosedError: the response was ended or aborted before.

        A cancel, as when the client leaves, lets go of the response; what was published before has
        been sent.
        """
        if position > self.position:
            raise ValueError(f"the broadcast is at {self.position}, not yet at {position}")
        if position == self.position and not self._over:
            passage = await response.passage()
            try:
                await passage.wait_for_room()
                position = await self._attach(passage, position)
                if self._error is None:
                    await passage.wait_for_room()
            finally:
                passage.close()
        if self._error is not None:
            raise BrokenError("the broadcast was aborted") from self._error
        return position

    def release(self, position: int | None = None) -> None:
        """Let go of everybody at the place reached; the source may have gone on to `position`.

        For what cannot be published: its handlers send it themselves, and follow again.
        """
        self._let_go()
        if position is not None:
            self.publish(b"", position)

    def end(self) -> None:
        """Nothing more comes: whoever follows is told, and ends its response. Twice is once."""
        if not self._over:
            self._over = True
            self._let_go()

    def abort(self, error: BaseException | None = None) -> None:
        """It failed: whoever follows gets `BrokenError`. Does nothing after an end."""
        if not self._over:
            self._over = True
            self._error = error or ClosedError("it was given up")
            self._let_go()

    async def _attach(self, passage: Passage, position: int) -> int:
        self._send()  # is for those who are here already
        if position < self.position or self._over:
            return position
        passage.enter(self._cohort)
        try:
            return await passage.told
        finally:
            if passage in self._cohort:  # it was cancelled: first what was published before
                self._send()

    def _let_go(self) -> None:
        self._send()
        for passage in self._cohort.clear():
            _tell(passage, self.position)


def _tell(passage: Passage, position: int) -> None:
    if not passage.told.done():  # its task was cancelled, and has not run since
        passage.told.set_result(position)
