"""Waiting for a stream to change, for as long as the server does not stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from riverrun.apps.durable.tails import Tails
from riverrun.logs import Log, LogGoneError


class Waiting:
    """Those who wait for streams; told when the server stops."""

    def __init__(self) -> None:
        self.stopping = False
        self._events: set[asyncio.Event] = set()

    def stop(self) -> None:
        """Wake all, and let nobody wait any more."""
        self.stopping = True
        for event in self._events:
            event.set()

    async def wait_for_change(self, log: Log, offset: int, seconds: float) -> bool:
        """Wait until there is more behind `offset`, or will never be; return whether it is so.

        False after `seconds`, or when the server stops. Raises `LogGoneError` when the log goes.
        """
        if not self._has_changed(log, offset) and not self.stopping:
            changed = asyncio.Event()
            self._events.add(changed)
            log.watch(changed.set)
            try:
                async with asyncio.timeout(seconds):
                    while not self._has_changed(log, offset) and not self.stopping:
                        await changed.wait()
                        changed.clear()
            except TimeoutError:
                pass
            finally:
                log.unwatch(changed.set)
                self._events.discard(changed)
        if log.gone:
            raise LogGoneError
        return self._has_changed(log, offset)

    @staticmethod
    def _has_changed(log: Log, offset: int) -> bool:
        return log.gone or log.info.tail != offset or log.info.closed


@dataclass(frozen=True, slots=True)
class Following:
    """What a live read asks for: a stream from `offset` on; and what it came with."""

    log: Log
    offset: int
    cursor: str | None
    waiting: Waiting
    tails: Tails
