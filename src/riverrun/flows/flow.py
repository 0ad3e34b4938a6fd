"""A flow: one transfer in one direction, as seen and steered from outside.

A transfer asks its flow before each slice. While the flow is `free` there is nothing to ask, so an
unlimited transfer pays one attribute look-up a slice. Whoever steers (an operator, a limit) only
changes the flow; the transfer finds out at its next slice, zero-copy or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from time import monotonic

from riverrun.errors import BrokenError
from riverrun.flows.pace import Pacer, Shape


class Waiting(Enum):
    """Why a flow does not move."""

    SOURCE = "source"
    PEER = "peer"
    LIMIT = "limit"
    PAUSED = "paused"


class FlowState(Enum):
    """What a flow is doing; once cancelled it stays so."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class Flow:
    """The account and the levers of one transfer.

    `moved` and `expected` are bytes (None: not known); `waiting` is why it does not move now.
    """

    __slots__ = (
        "_clock",
        "_pacer",
        "_waiter",
        "expected",
        "free",
        "moved",
        "state",
        "waiting",
    )

    def __init__(
        self,
        *,
        expected: int | None = None,
        shape: Shape | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.expected = expected
        self.moved = 0
        self.state = FlowState.RUNNING
        self.waiting: Waiting | None = None
        self._clock = clock
        self._pacer = None if shape is None else Pacer(shape, clock())
        self._waiter: asyncio.Future[None] | None = None
        self.free = self._pacer is None

    @property
    def shape(self) -> Shape | None:
        """The limits in force; set it to change them while the transfer runs."""
        return None if self._pacer is None else self._pacer.shape

    @shape.setter
    def shape(self, shape: Shape | None) -> None:
        self._pacer = None if shape is None else Pacer(shape, self._clock())
        self._steered()

    def pause(self) -> None:
        """Let nothing move until `resume`; what the kernel already holds may still arrive."""
        if self.state is FlowState.RUNNING:
            self.state = FlowState.PAUSED
            self._steered()

    def resume(self) -> None:
        """Let it move again."""
        if self.state is FlowState.PAUSED:
            self.state = FlowState.RUNNING
            self._steered()

    def cancel(self) -> None:
        """End the transfer badly: its next slice raises `BrokenError`."""
        self.state = FlowState.CANCELLED
        self._steered()

    async def turn(self, want: int) -> int:
        """Wait until some of `want` bytes may move and return how many, at least 1.

        What is returned is taken to be sent. Raises `BrokenError` when the flow was cancelled.
        """
        while not self.free:
            if self.state is FlowState.CANCELLED:
                raise BrokenError("the transfer was cancelled")
            if self.state is FlowState.PAUSED:
                await self._wait(Waiting.PAUSED, None)
                continue
            assert self._pacer is not None
            granted, delay = self._pacer.grant(want, self._clock())
            if granted:
                return granted
            await self._wait(Waiting.LIMIT, delay)
        return want

    def _steered(self) -> None:
        self.free = self._pacer is None and self.state is FlowState.RUNNING
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, reason: Waiting, seconds: float | None) -> None:
        self.waiting = reason
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._waiter, seconds)
        finally:
            self._waiter = None
            self.waiting = None
