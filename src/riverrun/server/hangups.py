"""Noticing that a client went away while its socket is not read.

A transport that is paused is not polled, so a reset or a close would be seen only after reading
goes on, which may be never. One ``poll`` call asks the kernel about all paused sockets, twenty
times a second, and only while there are any.
"""

from __future__ import annotations

import asyncio
import select

INTERVAL = 0.05
CLOSED_BY_PEER = (
    getattr(select, "POLLRDHUP", 0) | getattr(select, "POLLHUP", 0) | getattr(select, "POLLERR", 0)
)


class Hangups:
    """Aborts watched transports whose client is gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._descriptors: dict[asyncio.Transport, int] = {}
        self._transports: dict[int, asyncio.Transport] = {}
        self._poll = select.poll()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, transport: asyncio.Transport) -> None:
        """Look after `transport` while it is paused."""
        descriptor = transport.get_extra_info("socket").fileno()
        if descriptor < 0:
            return
        self._descriptors[transport] = descriptor
        self._transports[descriptor] = transport
        self._poll.register(descriptor, getattr(select, "POLLRDHUP", 0))
        if self._timer is None:
            self._timer = self._loop.call_later(INTERVAL, self._look)

    def forget(self, transport: asyncio.Transport) -> None:
        """`transport` is read again, or gone."""
        descriptor = self._descriptors.pop(transport, None)
        if descriptor is not None:
            del self._transports[descriptor]
            self._poll.unregister(descriptor)

    def close(self) -> None:
        """Stop looking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        for descriptor, events in self._poll.poll(0):
            if events & CLOSED_BY_PEER:
                self._transports[descriptor].abort()
        if self._transports:
            self._timer = self._loop.call_later(INTERVAL, self._look)
