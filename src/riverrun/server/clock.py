"""The time, read a few times a second instead of for every request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from riverrun.http.dates import format_date

TICK = 0.25
SERVER_NAME = b"riverrun"


class Clock:
    """`now` in seconds of the loop's clock, and the fields that every response carries.

    `on_second` is called about once a second, `on_tick` at every tick with how late it is.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_second: Callable[[], None],
        on_tick: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._loop = loop
        self._on_second = on_second
        self._on_tick = on_tick
        self._due = 0.0
        self._second = 0
        self._timer: asyncio.TimerHandle | None = None
        self.now = loop.time()
        self.server_fields = b""

    def start(self) -> None:
        """Begin to tick."""
        self._due = self._loop.time()
        self._begin_second(int(time.time()))
        self._tick()

    def stop(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self.now = self._loop.time()
        self._on_tick(max(0.0, self.now - self._due))
        self._due = self.now + TICK
        self._timer = self._loop.call_at(self._due, self._tick)
        second = int(time.time())
        if second != self._second:
            self._begin_second(second)
            self._on_second()

    def _begin_second(self, second: int) -> None:
        self._second = second
        self.server_fields = b"server: %s\r\ndate: %s\r\n" % (
            SERVER_NAME,
            format_date(second).encode(),
        )
