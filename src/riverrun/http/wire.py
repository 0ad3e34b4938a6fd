"""What a response is sent through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from riverrun.flows import Carrier, Flow, Flows, Waiting
from riverrun.streams.contracts import Chunk, FileRegion

if TYPE_CHECKING:
    from riverrun.http.passage import Passage


class ServerFields(Protocol):
    """The field lines that every response carries, rendered: Server and Date."""

    server_fields: bytes


class Wire(Carrier, Protocol):
    """The connection, as a response sees it."""

    flows: Flows
    """Where every body is seen that outlives one write, and what limits there are."""

    has_room: bool
    """Whether less than the high-water mark waits to be accepted by the kernel."""

    clock: ServerFields
    """What tells the fields that every response carries."""

    last_response: bool
    """Whether the connection closes behind this response, whatever the client asked."""

    def send(self, pieces: Sequence[Chunk]) -> None:
        """Hand bytes over without waiting. Raises `DisconnectedError` if nobody is there."""

    def send_last(self, pieces: Sequence[Chunk]) -> None:
        """Hand over the end of a response, which may leave a moment later."""

    @property
    def pass_on(self) -> Callable[[bytes], None]:
        """What hands over bytes that others are handed too; called only while there is room."""

    def let_pass(self, passage: Passage | None) -> None:
        """Have room only when no byte waits, and have `passage` doubt when there is none any more.

        And when anything is sent that `pass_on` is not handed. With None, have room up to the
        high-water mark again.
        """

    async def drain(self) -> None:
        """Wait for room. Raises `DisconnectedError` when the client went away."""

    def try_send_region(self, head: bytes, descriptor: int, offset: int, length: int) -> int:
        """Send `head`, and from a file what the client takes at once.

        Returns how many bytes of the file went, maybe none. The file is read where it is, so its
        bytes had better be in the page cache. Raises `DisconnectedError` if nobody is there.
        """

    def send_region(self, region: FileRegion, flow: Flow) -> Awaitable[int]:
        """Send from a file; gives how many bytes went, fewer only if `flow` was steered."""

    def close_after_response(self) -> None:
        """No response may follow the one that is now complete."""

    def cut(self) -> None:
        """Close at once, so that the client can tell it from an end."""


async def wait_for_room(wire: Wire, flow: Flow) -> None:
    """Wait until `wire` has room, on the account of the client. Raises `DisconnectedError`."""
    flow.waiting = Waiting.PEER
    try:
        await wire.drain()
    finally:
        flow.waiting = None


async def send_paced(chunk: Chunk, flow: Flow, send: Callable[[Chunk], None], wire: Wire) -> None:
    """Hand `chunk` to `send` as `flow` and `wire` let it pass.

    A cancel hands over what is left of it, once something has gone: a chunk is sent whole or not at
    all. Raises what `Flow.turn` and `wait_for_room` raise.
    """
    rest = memoryview(chunk).cast("B")
    size = len(rest)
    while rest:
        try:
            granted = await flow.turn(len(rest))
            send(rest[:granted])
            rest = rest[granted:]
            if rest and not wire.has_room:
                await wait_for_room(wire, flow)
        except asyncio.CancelledError:
            if len(rest) < size:
                send(rest)
            raise
