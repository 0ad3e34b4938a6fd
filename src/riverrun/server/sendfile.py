"""Sending from files without reading them, in slices, each under flow control.

A slice is what a socket takes at once, so that a pause, a limit or a cancel acts before the next,
and one fast client does not hold up the others. While the socket takes slices they are sent from a
loop callback; the coroutine that waits is woken once, at the end.

What is in the page cache is sent in place. What is not would block the loop for as long as the
disk takes, so it is first read, and dropped, in a thread, which leaves it in the page cache.
"""

from __future__ import annotations

import asyncio
import os
import socket
from enum import Enum
from typing import NamedTuple

from riverrun.errors import DisconnectedError, TruncatedError
from riverrun.flows import Flow, FlowState, Waiting
from riverrun.io.page_cache import is_resident
from riverrun.server import loopback
from riverrun.server.loopback import Asked
from riverrun.streams.contracts import FileRegion

MIB = 1024 * 1024

SLICE_SIZE = 4 * MIB
"""As much as a socket's buffer may hold, and as much as is sent in one turn of the loop: smaller
slices are more calls and wake-ups for as many bytes."""

FETCH_SIZE = MIB
"""As much as is waited for when it has to come from a disk."""

DROP_SIZE = 64 * 1024
DROPPED = [bytearray(DROP_SIZE)] * (FETCH_SIZE // DROP_SIZE)
"""Where that is read to: one small buffer over and over, for all threads, since nobody looks."""


class Stop(Enum):
    """Why no further slice was sent."""

    DONE = "done"
    SOCKET_FULL = "socket full"
    TURN_OVER = "turn over"
    NOT_RESIDENT = "not resident"
    STEERED = "steered"


class BorrowedSocket(socket.socket):
    """A handle on a socket that is another's to close."""

    __slots__ = ()

    def __del__(self) -> None:
        self.detach()


class HeldRegion(NamedTuple):
    """An answer from a file that leaves with others; it is open until then."""

    head: bytes
    descriptor: int
    offset: int
    length: int


class RegionSender:
    """Sends one region at a time from files to one socket.

    `eager` is whether the socket took all of what `try_send` gave it last.
    """

    __slots__ = (
        "_asked",
        "_flow",
        "_free",
        "_handle",
        "_loop",
        "_region",
        "_sent",
        "_socket",
        "_stopped",
        "eager",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        self._loop = loop
        self._socket = descriptor
        self._handle: BorrowedSocket | None = None
        self._stopped: asyncio.Future[None] | None = None
        self._asked = Asked.NOT_YET
        self.eager = False

    @property
    def waits_for_peer(self) -> bool:
        """Whether the socket is full and the rest of a region waits for it."""
        return self._stopped is not None

    async def send(self, region: FileRegion, flow: Flow) -> int:
        """Send `region`; return how many bytes went, fewer only when `flow` was steered meanwhile.

        Raises `TruncatedError` when the file ends first, `DisconnectedError` when the client went
        away. A cancel may leave a part sent.
        """
        self._region = region
        self._flow = flow
        self._free = flow.free
        self._sent = 0
        if region.length > loopback.LONG:
            self.expect_long()
        while (stop := self._send_slices()) not in (Stop.DONE, Stop.STEERED):
            if stop is Stop.NOT_RESIDENT:
                flow.waiting = Waiting.SOURCE
                await self._loop.run_in_executor(None, self._fetch_slice)
                flow.waiting = None
                continue
            self._stopped = self._loop.create_future()
            flow.waiting = Waiting.PEER  # after a turn, too: the socket may have filled up with it
            self._loop.add_writer(self._socket, self._on_writable)
            try:
                await self._stopped
            finally:
                if self._socket >= 0:
                    self._loop.remove_writer(self._socket)
                flow.waiting = None
                self._stopped = None
        return self._sent

    def try_send(self, head: bytes, descriptor: int, offset: int, length: int) -> tuple[int, int]:
        """Send `head` and the first slice of a region as far as they go at once.

        Returns how much of each went. Both leave in one segment where they fit in one: the kernel
        is told that more follows the head. The slice is read where it is; if that is on a disk,
        the loop waits for it.
        """
        handle = self._handle or self._borrow()
        head_sent = sent = 0
        try:
            head_sent = handle.send(head, socket.MSG_MORE)
            if head_sent == len(head):
                size = min(length, SLICE_SIZE)
                sent = os.sendfile(self._socket, descriptor, offset, size)
        except BlockingIOError:
            pass
        except OSError as error:
            raise DisconnectedError("the client went away") from error
        self.eager = sent == length
        if self.eager and self._asked is Asked.BOUND:
            loopback.pace(handle)
            self._asked = Asked.PACED
        return head_sent, sent

    def expect_long(self) -> None:
        """What is sent on this connection may be long: neither bound what waits, nor pace it."""
        if self._handle is not None and self._asked in (Asked.BOUND, Asked.PACED):
            loopback.lift_bound(self._handle)
        self._asked = Asked.NOTHING

    def lose(self) -> None:
        """The connection is gone: whoever waits is told.

        The loop forgets the socket now; a moment later its number may be another's.
        """
        if self._stopped is not None:
            self._loop.remove_writer(self._socket)
        self._socket = -1
        self._handle = None
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_exception(DisconnectedError("the client went away"))

    def _on_writable(self) -> None:
        stopped = self._stopped
        if stopped is None or stopped.done():
            return
        try:
            stop = self._send_slices()
        except Exception as error:  # noqa: BLE001 - handed to who waits
            self._loop.remove_writer(self._socket)
            stopped.set_exception(error)
            return
        if stop is not Stop.SOCKET_FULL and stop is not Stop.TURN_OVER:
            self._loop.remove_writer(self._socket)
            stopped.set_result(None)

    def _send_slices(self) -> Stop:
        region, flow = self._region, self._flow
        turn_ends = self._sent + SLICE_SIZE
        while (rest := region.length - self._sent) > 0:
            if flow.free is not self._free or flow.state is not FlowState.RUNNING:
                return Stop.STEERED
            if self._sent >= turn_ends:
                return Stop.TURN_OVER
            if region.check is not None:
                region.check()
            offset = region.offset + self._sent
            size = min(rest, SLICE_SIZE)
            if not is_resident(region.descriptor, offset + size - 1):
                size = min(rest, FETCH_SIZE)
                if not is_resident(region.descriptor, offset + size - 1):
                    return Stop.NOT_RESIDENT
            try:
                sent = os.sendfile(self._socket, region.descriptor, offset, size)
            except BlockingIOError:
                return Stop.SOCKET_FULL
            except OSError as error:  # with no socket too: nobody is there
                raise DisconnectedError("the client went away") from error
            if sent == 0:
                raise TruncatedError(region.length, self._sent)
            self._sent += sent
            flow.moved += sent
            if sent < size:  # there is room for a packet every now and then: wait for more of it
                return Stop.SOCKET_FULL
        return Stop.DONE

    def _borrow(self) -> BorrowedSocket:
        if self._handle is None:
            self._handle = BorrowedSocket(fileno=self._socket)
            self._handle.setblocking(False)  # whatever the default time-out is
            if self._asked is Asked.NOT_YET:
                bounded = loopback.bound_unsent(self._handle)
                self._asked = Asked.BOUND if bounded else Asked.NOTHING
        return self._handle

    def _fetch_slice(self) -> None:
        offset = self._region.offset + self._sent
        size = min(self._region.length - self._sent, FETCH_SIZE)
        os.preadv(self._region.descriptor, DROPPED[: -(-size // DROP_SIZE)], offset)
