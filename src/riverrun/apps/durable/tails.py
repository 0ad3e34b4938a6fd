"""The ends of streams, where all readers are sent the same bytes, rendered once.

Who reads what is stored does so alone. At the tail a reader follows the broadcast of its stream
instead, until it is too slow for it or something has happened that is not the same for everybody.
"""

from __future__ import annotations

import asyncio

from riverrun.apps.durable.cursors import current_cursor, next_cursor
from riverrun.apps.durable.deadlines import Deadlines
from riverrun.apps.durable.events import control_event, data_event, presentable
from riverrun.http.broadcast import Broadcast
from riverrun.logs import Log, LogInfo


class Tails:
    """The tails that somebody reads at; there is a heartbeat every `heartbeat` seconds.

    Who reads joins and leaves by hand and not in a block of its own, which for as long as it lasts
    would be a generator for every reader. Nobody stays longer than `live_time` seconds.
    """

    def __init__(self, heartbeat: float, live_time: float) -> None:
        self.deadlines = Deadlines(live_time)
        self._heartbeat = heartbeat
        self._tails: dict[int, Tail] = {}

    def join(self, log: Log) -> Tail:
        """The tail of `log`; it is kept until all who have joined it leave."""
        tail = self._tails.get(log.info.id)
        if tail is None:
            tail = self._tails[log.info.id] = Tail(log, self._heartbeat)
        tail.users += 1
        return tail

    def leave(self, log: Log, tail: Tail) -> None:
        """Let go of a tail that was joined."""
        tail.users -= 1
        if not tail.users:
            del self._tails[log.info.id]
            tail.close()

    def release(self) -> None:
        """Let everybody look what has happened."""
        for tail in self._tails.values():
            tail.broadcast.release()


class Tail:
    """What is appended to one log, as events to all who follow `broadcast`.

    The positions of the broadcast are offsets of the log. All are told the same cursor: when a
    client that comes again has to be told a later one, all are.
    """

    def __init__(self, log: Log, heartbeat: float) -> None:
        self.users = 0
        self.broadcast = Broadcast(log.info.tail)
        self._log = log
        self._cursor = current_cursor()
        ttl = log.info.expiry.ttl
        # Whoever follows a stream uses it, so that it does not expire.
        self._heartbeat = heartbeat if ttl is None else min(heartbeat, max(ttl, 1))
        self._quiet = False
        self._timer: asyncio.TimerHandle | None = None
        log.watch(self._changed)
        self._watch()

    @property
    def cursor(self) -> int:
        """The cursor of now; it never goes back."""
        self._cursor = max(self._cursor, current_cursor())
        return self._cursor

    def admit(self, cursor: str | None) -> None:
        """A client has come that was told this cursor before."""
        self._cursor = next_cursor(cursor, self.cursor)

    def close(self) -> None:
        """Nobody reads here."""
        self._log.unwatch(self._changed)
        if self._timer is not None:
            self._timer.cancel()

    def _changed(self) -> None:
        log, broadcast, info = self._log, self.broadcast, self._log.info
        if info.closed or log.gone:
            broadcast.release()
        elif broadcast.position < info.tail:
            events = self._render(info) if broadcast.readers else None
            if events is None:
                broadcast.release(info.tail)
            else:
                self._quiet = False
                broadcast.publish(events, info.tail)

    def _render(self, info: LogInfo) -> bytes | None:
        """What lies between the broadcast and the tail; None if not all is at hand or showable."""
        chunks: list[bytes] = []
        offset = self.broadcast.position
        while offset < info.tail:
            chunk = self._log.shared_chunk(offset)
            if chunk is None:
                return None
            chunks.append(chunk)
            offset += len(chunk)
        whole = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        if presentable(info.content_type, whole, is_last=False) < len(whole):
            return None
        return data_event(info.content_type, whole) + self._control(info.tail)

    def _control(self, offset: int) -> bytes:
        return control_event(offset, self.cursor, at_tail=True, closed=False)

    def _watch(self) -> None:
        """Look twice in the time that nothing may be sent for, so it is never longer."""
        self._quiet = True
        self._timer = asyncio.get_running_loop().call_later(self._heartbeat / 2, self._beat)

    def _beat(self) -> None:
        broadcast = self.broadcast
        self._log.touch()
        if self._quiet and broadcast.readers and broadcast.position == self._log.info.tail:
            broadcast.publish(self._control(broadcast.position), broadcast.position)
        self._watch()
