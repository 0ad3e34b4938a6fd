"""A flow: one transfer in one direction, as seen and steered from outside.

A transfer asks its flow before each slice. While the flow is `free` there is nothing to ask, so an
unlimited transfer pays one attribute look-up a slice. Whoever steers (an operator, a limit) only
changes the flow; the transfer finds out at its next slice, zero-copy or not.

A flow keeps the time that it waits for its peer, for a limit and for an operator. What is left of
its age is the source's: the time that this side, its disk or its handler, took. So the reasons add
up to the age, and a transfer that does not wait pays for no clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from enum import Enum
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from riverrun.errors import BrokenError, BusyError
from riverrun.flows.pace import Pacer, Shape

if TYPE_CHECKING:
    from riverrun.flows.registry import Flows
    from riverrun.flows.share import Share


class Waiting(Enum):
    """Why a flow does not move.

    SOURCE is this side, whichever way the bytes go: the disk, or the handler that makes or takes
    them. PEER is the client.
    """

    SOURCE = "source"
    PEER = "peer"
    LIMIT = "limit"
    PAUSED = "paused"


class FlowState(Enum):
    """What a flow is doing; once cancelled it stays so."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class Direction(Enum):
    """Which way the bytes go: IN from the client, OUT to it."""

    IN = "in"
    OUT = "out"


class Part(NamedTuple):
    """What a transfer moves of something larger: its first byte, and how many that has in all."""

    start: int
    length: int | None


class Subject(Protocol):
    """What a transfer is for, as far as can be told; a request is one."""

    client: str
    method: str
    target: bytes

    @property
    def fields(self) -> Mapping[bytes, bytes]:
        """The header fields."""


class Carrier(Protocol):
    """What carries a transfer: its buffer, and the way to end it badly at once."""

    high_water_mark: int

    @property
    def buffered(self) -> int:
        """How many bytes wait in the buffer."""

    def cut(self) -> None:
        """Let the far side see a cut, not an end."""


class Convoy(Protocol):
    """What is moved together: each flow in it as far as all, which is counted once."""

    @property
    def moved(self) -> int:
        """How many bytes of each were moved so far."""

    def doubt(self) -> None:
        """A flow in it was steered: it may have to wait."""


class Flow:
    """The account and the levers of one transfer.

    `expected` is in bytes (None: not known); `waiting` is why it does not move now. A
    handler may give it a `name`, and say of what it is a `part` (None: it is all there is to move).
    Times are in seconds of the clock.
    """

    __slots__ = (
        "_clock",
        "_convoy",
        "_limited",
        "_moved",
        "_pacer",
        "_paused",
        "_peer",
        "_reason",
        "_shares",
        "_since",
        "_steerings",
        "_waiter",
        "carrier",
        "direction",
        "ended_at",
        "expected",
        "free",
        "id",
        "name",
        "opened_at",
        "part",
        "registry",
        "state",
        "subject",
    )

    def __init__(
        self,
        *,
        expected: int | None = None,
        shape: Shape | None = None,
        shares: tuple[Share, ...] = (),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.id = 0
        self.name: str | None = None
        self.part: Part | None = None
        self.direction = Direction.OUT
        self.subject: Subject | None = None
        self.carrier: Carrier | None = None
        self.registry: Flows | None = None
        self.expected = expected
        self._moved = 0  # and what its convoy does
        self._convoy: Convoy | None = None
        self.state = FlowState.RUNNING
        self.opened_at = clock()
        self.ended_at: float | None = None
        self._clock = clock
        self._reason: Waiting | None = None
        self._since = 0.0  # when the wait began that goes on, if any
        self._peer = self._limited = self._paused = 0.0
        self._pacer = None if shape is None else Pacer(shape, self.opened_at)
        self._shares = shares
        self._steerings = 0
        self._waiter: asyncio.Future[None] | None = None
        self.free = self._pacer is None and not shares

    @property
    def moved(self) -> int:
        """How many bytes have moved; whoever moves them adds them."""
        return self._moved if self._convoy is None else self._moved + self._convoy.moved

    @moved.setter
    def moved(self, moved: int) -> None:
        self._moved = moved if self._convoy is None else moved - self._convoy.moved

    def join(self, convoy: Convoy) -> None:
        """From now on it moves whenever `convoy` does."""
        self._moved -= convoy.moved
        self._convoy = convoy

    def leave(self) -> None:
        """It moves by itself again."""
        self._moved = self.moved
        self._convoy = None

    @property
    def age(self) -> float:
        """How long it has been, or was, under way."""
        return (self._clock() if self.ended_at is None else self.ended_at) - self.opened_at

    @property
    def shape(self) -> Shape | None:
        """The limits in force; set it to change them while the transfer runs."""
        return None if self._pacer is None else self._pacer.shape

    @shape.setter
    def shape(self, shape: Shape | None) -> None:
        self._pacer = None if shape is None else Pacer(shape, self._clock())
        self.steered()

    @property
    def rate(self) -> float | None:
        """The bytes a second that it may make of its own, None for any number; may be set."""
        return None if self._pacer is None else self._pacer.shape.rate

    @rate.setter
    def rate(self, rate: float | None) -> None:
        self.shape = Shape.with_rate(self.shape, rate)

    @property
    def shares(self) -> tuple[Share, ...]:
        """The rates that it keeps together with others."""
        return self._shares

    @shares.setter
    def shares(self, shares: tuple[Share, ...]) -> None:
        self._shares = shares
        self.steered()

    @property
    def waiting(self) -> Waiting | None:
        """Why it does not move, None if it does; whoever moves it sets it."""
        return Waiting.PAUSED if self.state is FlowState.PAUSED else self._reason

    @waiting.setter
    def waiting(self, reason: Waiting | None) -> None:
        self._settle_wait()
        self._reason = reason

    def waited(self) -> dict[Waiting, float]:
        """How many seconds went to each reason so far; together they are its age."""
        if self.ended_at is None:
            self._settle_wait()
        peer, limited, paused = self._peer, self._limited, self._paused
        return {
            Waiting.SOURCE: max(0.0, self.age - peer - limited - paused),
            Waiting.PEER: peer,
            Waiting.LIMIT: limited,
            Waiting.PAUSED: paused,
        }

    def pause(self) -> None:
        """Let nothing move until `resume`; what the kernel already holds may still arrive."""
        if self.state is FlowState.RUNNING:
            self._settle_wait()
            self._since = self._clock()
            self.state = FlowState.PAUSED
            self.steered()

    def resume(self) -> None:
        """Let it move again."""
        if self.state is FlowState.PAUSED:
            self._settle_wait()
            self.state = FlowState.RUNNING
            self.steered()

    def cancel(self) -> None:
        """End the transfer badly: the far side sees a cut, and its next slice `BrokenError`."""
        if self.state is FlowState.CANCELLED:
            return
        self._settle_wait()
        self.state = FlowState.CANCELLED
        self.steered()
        if self.carrier is not None and self.ended_at is None:
            self.carrier.cut()

    def close(self) -> None:
        """The transfer is over, well or badly; twice is once."""
        if self.ended_at is None:
            self._settle_wait()
            self.ended_at = self._clock()
            if self.registry is not None:
                self.registry.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def turn(self, want: int) -> int:
        """Wait until some of `want` bytes may move and return how many, at least 1.

        What is returned is taken to be moved, unless it is given back. Raises `BrokenError` when
        the flow was cancelled, `BusyError` when another task waits for its turn. A cancel leaves
        the flow as it was.
        """
        if self._waiter is not None:
            raise BusyError("another task is waiting for its turn")
        while not self.free:
            if self.state is FlowState.CANCELLED:
                raise BrokenError("the transfer was cancelled")
            if self.state is FlowState.PAUSED:
                await self._wait(Waiting.PAUSED)
            elif granted := await self._grant(want):
                return granted
        return want

    def try_turn(self, size: int) -> bool:
        """Whether `size` bytes may move now, all of them; if so, they are taken to be moved."""
        if self.state is not FlowState.RUNNING or self._waiter is not None:
            return False
        now = self._clock()
        granted = size
        if self._pacer is not None:
            granted, _ = self._pacer.grant(size, now)
        taken: list[Share] = []
        if granted == size:
            for share in self._shares:
                if not share.take_at_once(size, now):
                    break
                taken.append(share)
            else:
                return True
        if self._pacer is not None:
            self._pacer.give_back(granted)
        for share in taken:
            share.give_back(size)
        return False

    def give_back(self, size: int) -> None:
        """Of what was granted, `size` bytes did not move after all."""
        if self._pacer is not None:
            self._pacer.give_back(size)
        for share in self._shares:
            share.give_back(size)

    def wake(self) -> None:
        """Let whoever waits for its turn ask again."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def steered(self) -> None:
        """What holds for it has changed."""
        self._steerings += 1
        running = self.state is FlowState.RUNNING
        self.free = self._pacer is None and not self._shares and running
        if self._convoy is not None:
            self._convoy.doubt()
        self.wake()

    async def _grant(self, want: int) -> int:
        """As many of `want` bytes as every limit lets pass; 0 if it is to be asked again."""
        pacer, shares, steerings = self._pacer, self._shares, self._steerings
        size = want
        if pacer is not None:
            size, delay = pacer.grant(want, self._clock())
            if not size:
                await self._wait(Waiting.LIMIT, delay)
                return 0
        held: list[tuple[Pacer | Share, int]] = [] if pacer is None else [(pacer, size)]
        granted = 0
        try:
            for share in shares:
                while not (passed := share.take(self, size, self._clock())):
                    await self._wait(Waiting.LIMIT)
                    if self._steerings != steerings:
                        return 0
                held.append((share, passed))
                size = passed
            granted = size
        finally:
            for limit, passed in held:
                limit.give_back(passed - granted)
            for share in shares:
                share.leave(self)
        return granted

    async def _wait(self, reason: Waiting, seconds: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, self.wake)
        self.waiting = reason
        try:
            await self._waiter
        finally:
            if timer is not None:
                timer.cancel()
            self._waiter = None
            self.waiting = None

    def _settle_wait(self) -> None:
        """Put the wait that goes on to its account, up to now."""
        reason = self.waiting
        if reason is Waiting.SOURCE:
            return
        now = self._clock()
        if reason is Waiting.PEER:
            self._peer += now - self._since
        elif reason is Waiting.LIMIT:
            self._limited += now - self._since
        elif reason is Waiting.PAUSED:
            self._paused += now - self._since
        self._since = now
