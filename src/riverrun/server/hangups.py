"""Noticing that a client went away while its socket is not read.

A transport that is paused is not polled, so a reset or a close would be seen only after reading
goes on, which may be never. One ``poll`` call asks the kernel about all paused sockets, twenty
times a second, and only while there are any.

uvloop may not report a reset that came while a socket was not polled even when it is polled again,
so a transport is looked at once more after that.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable

INTERVAL = 0.05
INPUT_ENDED = getattr(select, "POLLRDHUP", 0)
CLOSED = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Hangups:
    """Aborts watched transports whose client is gone.

    One that has only ended its input is aborted unless its connection wants to go on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._descriptors: dict[asyncio.Transport, int] = {}
        self._watched: dict[int, tuple[asyncio.Transport, Callable[[], bool] | None]] = {}
        self._resumed: list[asyncio.Transport] = []
        self._poll = select.poll()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, transport: asyncio.Transport, goes_on: Callable[[], bool]) -> None:
        """Look after `transport` while it is paused; `goes_on` tells what an end of input means."""
        descriptor = self._descriptors.get(transport)
        if descriptor is None:
            descriptor = transport.get_extra_info("socket").fileno()
            if descriptor < 0:
                return
            self._descriptors[transport] = descriptor
            self._poll.register(descriptor, INPUT_ENDED)
        self._watched[descriptor] = transport, goes_on
        if self._timer is None:
            self._timer = self._loop.call_later(INTERVAL, self._look)

    def resume(self, transport: asyncio.Transport) -> None:
        """`transport` is read again: only a reset that it may have missed is of interest."""
        descriptor = self._descriptors.get(transport)
        if descriptor is not None:
            self._watched[descriptor] = transport, None
            self._resumed.append(transport)

    def forget(self, transport: asyncio.Transport) -> None:
        """`transport` is gone."""
        descriptor = self._descriptors.pop(transport, None)
        if descriptor is not None:
            del self._watched[descriptor]
            self._poll.unregister(descriptor)

    def close(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        for descriptor, events in self._poll.poll(0):
            transport, goes_on = self._watched[descriptor]
            ended = goes_on is not None and events & INPUT_ENDED and not goes_on()
            if events & CLOSED or ended:
                self.forget(transport)
                transport.abort()
        resumed, self._resumed = self._resumed, []
        for transport in resumed:
            descriptor = self._descriptors.get(transport, -1)
            if descriptor >= 0 and self._watched[descriptor][1] is None:
                self.forget(transport)
        if self._watched:
            self._timer = self._loop.call_later(INTERVAL, self._look)
