"""The sending half of a connection: the one gateway through which its bytes leave."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from riverrun.errors import DisconnectedError, TruncatedError
from riverrun.flows import Flow, Flows, FlowState, Waiting
from riverrun.http.wire import ServerFields
from riverrun.server.sendfile import HeldRegion, RegionSender
from riverrun.server.stalls import StallWatch
from riverrun.server.transports import copies_what_it_keeps, socket_descriptor
from riverrun.server.turns import SMALL_ANSWER, SMALL_REGION
from riverrun.streams.contracts import Chunk, FileRegion

if TYPE_CHECKING:
    from riverrun.http.passage import Passage
    from riverrun.http.response import Response
    from riverrun.server.connection import Connection

READ_SIZE = 64 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class SocketWire:
    """A `Wire` over a transport (see `riverrun.http.response`).

    The transport holds what the kernel does not accept at once; above the high-water mark
    `has_room` is False and `drain` waits.
    """

    __slots__ = (
        "_connection",
        "_copies",
        "_gone",
        "_held",
        "_loop",
        "_passage",
        "_reported",
        "_room",
        "_sender",
        "_transport",
        "_turn",
        "_watch",
        "clock",
        "flows",
        "has_room",
        "high_water_mark",
        "last_response",
    )

    def __init__(self, connection: Connection, transport: asyncio.Transport) -> None:
        options = connection.server.options
        self._connection = connection
        self._transport = transport
        self._loop = connection.server.loop
        self.clock: ServerFields = connection.server.clock
        self.high_water_mark = options.limits.response_high_water_mark
        self._reported = 0  # what of the transport's buffer counts in the budget of all buffers
        self._room: asyncio.Future[None] | None = None
        self._sender: RegionSender | None = None
        self._held: Sequence[Chunk] | HeldRegion | None = None
        self._turn = connection.server.turn
        self._watch = StallWatch(connection.server.clock.now)
        self._gone = False
        self._copies = not copies_what_it_keeps(transport)
        self.has_room = True
        self.flows: Flows = connection.server.flows
        self.last_response = False
        self._passage: Passage | None = None
        transport.set_write_buffer_limits(high=self.high_water_mark)

    @property
    def buffered(self) -> int:
        """How many bytes the transport holds."""
        return self._transport.get_write_buffer_size()

    @property
    def waits_for_peer(self) -> bool:
        """Whether bytes wait for the client to take them."""
        sending = self._sender is not None and self._sender.waits_for_peer
        return sending or not self.has_room or self._transport.get_write_buffer_size() > 0

    def stalled(self, response: Response | None, now: float) -> bool:
        """Whether the client has taken too little for too long of what waits for it.

        `response` is the one that is being sent, if there is one.
        """
        if not self.waits_for_peer or (response is not None and response.paused):
            self._watch.restart(now)
            return False
        moved = 0 if response is None else response.moved
        limits = self._connection.server.options.limits
        return self._watch.stalled(moved - self.buffered, now, limits)

    def send(self, pieces: Sequence[Chunk]) -> None:
        """Hand `pieces` to the kernel, or what it does not take to the transport."""
        if self._gone:
            raise DisconnectedError("the client went away")
        if self._held is not None:
            self.flush()
        if self._passage is not None:
            self._passage.doubt()
        if self._copies:
            pieces = [piece if type(piece) is bytes else bytes(piece) for piece in pieces]
        self._transport.writelines(pieces)

    def send_last(self, pieces: Sequence[Chunk]) -> None:
        """Hand over the end of a response; while other answers are made, it leaves with them."""
        body = pieces[-1]
        if (
            self._turn.handling
            and type(body) is bytes  # what may be changed is sent as it is now
            and len(body) <= SMALL_ANSWER
            and not (self._gone or self._held)
        ):
            self._held = pieces
            self._turn.add_answer(self)
        else:
            self.send(pieces)

    def may_send_at_once(self, from_file: int) -> bool:
        """Whether a whole answer may leave with the others, now.

        So many bytes of it are sent from a file, 0 if all of it is in memory. Of many bytes, only
        a part may.
        """
        if self._gone or self._held is not None or not (self.has_room and self._turn.handling):
            return False
        if not from_file:
            return True
        if self._transport.get_write_buffer_size():
            return False
        return from_file > SMALL_REGION or (self._sender is not None and self._sender.eager)

    def admits(self, size: int) -> bool:
        """Whether no limit is in the way of so many bytes, which are then taken to be sent."""
        return not self.flows.limited or self.flows.admits(self._connection.client, size)

    def hold_region(self, head: bytes, descriptor: int, offset: int, length: int) -> bool:
        """Send `head` and a region with the answers of others, where `may_send_at_once`.

        The descriptor stays open until the turn ends. Returns False, with nothing done, if what the
        socket does not take would be too much to hold in memory.
        """
        if length > SMALL_REGION:
            return False
        self._held = HeldRegion(head, descriptor, offset, length)
        self._turn.add_answer(self)
        return True

    def call_at_turn_end(self, callback: Callable[[], None]) -> None:
        """Call back when all that came together is answered; see `Turn.call_at_end`."""
        self._turn.call_at_end(callback)

    def flush(self) -> None:
        """Send what is held for the end of the turn."""
        held, self._held = self._held, None
        if isinstance(held, HeldRegion):
            self._send_held(held)
        elif held is not None and not self._gone:
            self._transport.writelines(held)

    def _send_held(self, held: HeldRegion) -> None:
        """Send an answer from a file; what the socket does not take waits in the transport."""
        head, descriptor, offset, length = held
        try:
            if self._gone or self._sender is None:
                return
            head_sent, sent = self._sender.try_send(head, descriptor, offset, length)
            if head_sent < len(head):
                self._transport.write(head[head_sent:])
            if sent < length:
                rest = os.pread(descriptor, length - sent, offset + sent)
                self._transport.write(rest)
                if sent + len(rest) < length:
                    self.cut()  # the file has become shorter meanwhile
        except (DisconnectedError, OSError):
            self.cut()

    @property
    def pass_on(self) -> Callable[[bytes], None]:
        """What hands a chunk to the kernel, or what that does not take to the transport."""
        return self._transport.write

    def let_pass(self, passage: Passage | None) -> None:
        """Have room only while nothing waits in the transport, or up to the high-water mark."""
        self._passage = passage
        if not self._gone:
            high = self.high_water_mark if passage is None else 0
            self._transport.set_write_buffer_limits(high=high)

    async def drain(self) -> None:
        """Wait until the transport is below its low-water mark."""
        while not self.has_room:
            if self._gone:
                raise DisconnectedError("the client went away")
            if self._room is None:
                self._room = self._loop.create_future()
            await asyncio.shield(self._room)  # others may wait for it too

    def try_send_region(self, head: bytes, descriptor: int, offset: int, length: int) -> int:
        """Send `head`, and from a file what goes at once; return how many bytes of it went.

        While other answers are made, a short one to a client that has taken the last one whole
        leaves with them, and counts as gone.
        """
        self.flush()
        sender = self._region_sender()
        if sender is None or self._transport.get_write_buffer_size():
            self.send((head,))
            return 0
        if sender.eager and self._turn.handling and length <= SMALL_REGION:
            with suppress(OSError):  # too many files are open
                held = os.dup(descriptor)
                self._turn.call_at_end(partial(os.close, held))
                self.hold_region(head, held, offset, length)
                return length
        head_sent, sent = sender.try_send(head, descriptor, offset, length)
        if head_sent < len(head):
            self.send((head[head_sent:],))
        return sent

    def send_region(self, region: FileRegion, flow: Flow) -> Awaitable[int]:
        """Send from a file, by sendfile where the transport allows it."""
        sender = self._region_sender()
        if sender is None:
            return self._send_by_reading(region, flow)
        if self._transport.get_write_buffer_size():
            return self._send_after_flush(sender, region, flow)
        return sender.send(region, flow)

    def _region_sender(self) -> RegionSender | None:
        if self._gone:
            raise DisconnectedError("the client went away")
        if self._sender is None:
            descriptor = socket_descriptor(self._transport)
            if descriptor is not None:
                self._sender = RegionSender(self._loop, descriptor)
        return self._sender

    def close_after_response(self) -> None:
        """No response may follow the one that is now complete.

        The client is told at once: it may be what ends the body (RFC 9112, 6.3).
        """
        self._connection.close_after_response()
        self.end_output()

    def end_output(self) -> bool:
        """Tell the client that nothing follows; return whether it can be told (not beneath TLS)."""
        self.flush()
        if not self._transport.can_write_eof():
            return False
        try:
            self._transport.write_eof()
        except OSError:  # it has gone meanwhile
            self._transport.abort()
        return True

    def cut(self) -> None:
        """Reset the connection: a client that reads until the close must not take it for an end."""
        if self._gone:
            return
        self.flush()
        self.lose()
        self.last_response = True
        connected = self._transport.get_extra_info("socket")
        if connected is not None and connected.family != getattr(socket, "AF_UNIX", None):
            with suppress(OSError):
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._transport.abort()

    def lose(self) -> None:
        """The connection is gone: whoever waits is told."""
        self._gone = True
        self._have_no_room()
        if self._sender is not None:
            self._sender.lose()
        if self._reported:
            # Not from here: what waits for room in the budget would go on within this call.
            self._loop.call_soon(self._connection.server.budget.add, -self._reported)
            self._reported = 0
        self._wake()

    def pause_writing(self) -> None:
        """Called by the transport at its high-water mark.

        From here on its buffer counts in the budget of all: nothing is added to it by who asks
        whether there is room, and below the mark there is nothing worth counting.
        """
        self._have_no_room()
        if self._sender is not None:
            self._sender.expect_long()
        if not (self._reported or self._gone):
            self._reported = self._transport.get_write_buffer_size()
            self._connection.server.budget.add(self._reported)

    def resume_writing(self) -> None:
        """Called by the transport at its low-water mark."""
        self.has_room = True
        if self._reported:
            self._connection.server.budget.add(-self._reported)
            self._reported = 0
        self._wake()

    def _have_no_room(self) -> None:
        self.has_room = False
        if self._passage is not None:
            self._passage.doubt()

    def _wake(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.set_result(None)

    async def _send_after_flush(self, sender: RegionSender, region: FileRegion, flow: Flow) -> int:
        """Wait until nothing is left in the transport, which then leaves the socket alone."""
        self._transport.set_write_buffer_limits(high=0)
        flow.waiting = Waiting.PEER
        try:
            await self.drain()
        finally:
            flow.waiting = None
            if not self._gone:
                self._transport.set_write_buffer_limits(high=self.high_water_mark)
        return await sender.send(region, flow)

    async def _send_by_reading(self, region: FileRegion, flow: Flow) -> int:
        """Send chunk by chunk what cannot be sent by sendfile."""
        sent = 0
        free = flow.free
        while sent < region.length and flow.free is free and flow.state is FlowState.RUNNING:
            if region.check is not None:
                region.check()
            size = min(region.length - sent, READ_SIZE)
            chunk = await self._loop.run_in_executor(
                None, os.pread, region.descriptor, size, region.offset + sent
            )
            if not chunk:
                raise TruncatedError(region.length, sent)
            if flow.free is not free or flow.state is not FlowState.RUNNING:
                break  # steered while it was read
            self.send((chunk,))
            sent += len(chunk)
            flow.moved += len(chunk)
            flow.waiting = Waiting.PEER
            try:
                await self.drain()
            finally:
                flow.waiting = None
        return sent
