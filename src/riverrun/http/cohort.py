"""Those who are sent the same chunks at the same time, one after the other.

The kernel goes through so much memory for each send that whatever else is looked at for it has to
be fetched anew. So of those who ride along nothing is looked at but the call that sends, and
nothing is noted: who rides may be sent whatever comes, and all have moved equally far. Whatever
might change that says so (see `Passage.doubt`), and the one concerned is looked at before the next
chunk. Those who can never ride are asked before each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import repeat
from operator import call
from typing import TYPE_CHECKING

from riverrun.http.framing import CHUNKED, COUNTED, NONE
from riverrun.http.response_state import BODY

if TYPE_CHECKING:
    from riverrun.http.passage import Passage


class Cohort:
    """Passages, until they are discarded or have no room; `moved` bytes were sent to its riders.

    Everyone is sent every chunk, or is returned by `send` and not part of it any more.
    """

    __slots__ = ("_asked", "_doubted", "_riders", "moved")

    def __init__(self) -> None:
        self.moved = 0
        self._riders: dict[Passage, Callable[[bytes], None]] = {}
        self._asked: dict[Passage, None] = {}
        self._doubted: dict[Passage, None] = {}

    def __len__(self) -> int:
        return len(self._riders) + len(self._asked)

    def __contains__(self, passage: Passage) -> bool:
        return passage in self._riders or passage in self._asked

    def add(self, passage: Passage) -> None:
        """Let `passage` be sent what comes from now on."""
        self._asked[passage] = None

    def discard(self, passage: Passage) -> None:
        """Send it nothing any more."""
        self._unseat(passage)
        self._asked.pop(passage, None)
        self._doubted.pop(passage, None)

    def clear(self) -> list[Passage]:
        """Discard and return all."""
        passages = [*self._riders, *self._asked]
        for passage in passages:
            self.discard(passage)
        return passages

    def doubt(self, passage: Passage) -> None:
        """Look at it before the next chunk; called from within a send, too."""
        self._doubted[passage] = None

    def send(self, chunk: bytes, framed: bytes) -> list[Passage]:
        """Send `chunk` to all who need not wait; return the others, to whom nothing was sent.

        `framed` is the same as a chunk of the chunked coding.
        """
        for passage in self._doubted:
            if self._unseat(passage):
                self._asked[passage] = None
        self._doubted.clear()
        behind = self._ask(chunk, framed) if self._asked else []
        self.moved += len(chunk)
        # Not a loop of ours: its few instructions, too, would be fetched anew for each.
        deque(map(call, self._riders.values(), repeat(framed)), maxlen=0)
        return behind

    def _ask(self, chunk: bytes, framed: bytes) -> list[Passage]:
        """Seat those who may ride, and send `chunk` to the others; return whom it cannot be sent.

        A response whose length is declared lets nothing pass: only its handler knows what to do
        about a byte too many.
        """
        asked, self._asked = self._asked, {}
        size = len(chunk)
        behind = []
        for passage in asked:
            response, flow, framing = passage.response, passage.flow, passage.framing
            if (
                not passage.wire.has_room
                or response.writing
                or response.state is not BODY
                or framing is COUNTED
            ):
                behind.append(passage)
            elif flow.free and framing is CHUNKED:
                self._seat(passage)
            elif flow.free or flow.try_turn(size):
                self._asked[passage] = None
                if framing is CHUNKED:
                    passage.wire.pass_on(framed)
                elif framing is not NONE:
                    passage.wire.pass_on(chunk)
                flow.moved += size
            else:
                behind.append(passage)
        return behind

    def _seat(self, passage: Passage) -> None:
        self._riders[passage] = passage.wire.pass_on
        passage.flow.join(passage)

    def _unseat(self, passage: Passage) -> bool:
        """Let it ride no longer, and return whether it did."""
        if self._riders.pop(passage, None) is None:
            return False
        passage.flow.leave()
        return True
