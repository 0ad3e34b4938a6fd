"""One line for every exchange, written off the path of the exchange.

An exchange only adds a tuple to a list. The list is rendered a batch at a time and handed to a
thread that writes it, so that a slow disk or a stopped terminal holds up nobody. Lines that nobody
takes are dropped, once many batches wait, and the log says how many.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from queue import SimpleQueue
from time import monotonic
from typing import Final, TypeAlias

import msgspec

from riverrun.flows import Flow, Waiting
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.response_state import ENDED

BATCH_LINES = 512
BATCH_SECONDS = 0.1
WAITING_BATCHES = 1024


class LogFormat(Enum):
    """How a line looks."""

    TEXT = "text"
    JSON = "json"


Entry: TypeAlias = tuple[str, str, bytes, int, int, float, bool, dict[Waiting, float] | None]
"""Client, method, target, status, bytes of body, seconds, whether it was cut, and for what its
bodies waited how long, if they had to."""

WAITS: Final = {
    Waiting.PEER: "waiting for the client",
    Waiting.LIMIT: "limited",
    Waiting.PAUSED: "paused",
    Waiting.SOURCE: "disk or handler",
}
LONG: Final = 1.0
"""People are told for what an exchange waited if it took so many seconds."""


def render_text(entry: Entry, time: str) -> str:
    """A line for people: time, client, request, status, bytes, seconds, and where they went."""
    client, method, target, status, moved, seconds, cut, waited = entry
    note = " cut" if cut else ""
    if waited is not None and seconds >= LONG:
        note += f" took {_rounded(seconds)}: {_tell(waited)}"
    path = target.decode("ascii", "backslashreplace")
    return f'{time} {client or "-"} "{method} {path}" {status} {moved} {seconds:.3f}{note}\n'


def render_json(entry: Entry, time: str) -> str:
    """A line for programs: one JSON object."""
    client, method, target, status, moved, seconds, cut, waited = entry
    members: dict[str, object] = {
        "time": time,
        "client": client,
        "method": method,
        "target": target.decode("ascii", "backslashreplace"),
        "status": status,
        "bytes": moved,
        "seconds": round(seconds, 6),
        "cut": cut,
    }
    if waited is not None:
        members["waited"] = {why.value: round(waited[why], 6) for why in Waiting}
    return msgspec.json.encode(members).decode() + "\n"


def _tell(waited: dict[Waiting, float]) -> str:
    parts = [
        f"{_rounded(waited[why])} {words}" for why, words in WAITS.items() if waited[why] > 0.1
    ]
    return ", ".join(parts)


def _rounded(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _waits(seconds: float, *flows: Flow | None) -> dict[Waiting, float]:
    """For what `flows`, the bodies of one exchange, waited.

    What the exchange did not wait for its client, a limit or an operator, is this side's.
    """
    waited = dict.fromkeys(Waiting, 0.0)
    for flow in flows:
        if flow is not None:
            for why, part in flow.waited().items():
                waited[why] += part
    told = sum(waited.values()) - waited[Waiting.SOURCE]
    waited[Waiting.SOURCE] = max(0.0, seconds - told)
    return waited


class AccessLog:
    """Writes lines to a file descriptor, which stays the caller's."""

    def __init__(self, descriptor: int, log_format: LogFormat = LogFormat.TEXT) -> None:
        self._descriptor = descriptor
        self._render: Callable[[Entry, str], str] = (
            render_json if log_format is LogFormat.JSON else render_text
        )
        self._entries: list[Entry] = []
        self._dropped = 0
        self._batches: SimpleQueue[bytes | None] = SimpleQueue()
        self._writer: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, client: str, request: Request, response: Response, started_at: float) -> None:
        """Note an exchange that is over; `started_at` is a time of `time.monotonic`."""
        entries = self._entries
        cut = response.state is not ENDED
        moved = response.moved if cut else response.body_sent
        seconds = monotonic() - started_at
        came, went = request.opened_flow, response.opened_flow
        waited = None if came is went is None else _waits(seconds, came, went)
        entries.append(
            (client, request.method, request.target, response.status, moved, seconds, cut, waited)
        )
        if len(entries) >= BATCH_LINES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self.flush)

    def flush(self) -> None:
        """Hand what has gathered to the thread."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        entries, self._entries = self._entries, []
        if self._batches.qsize() >= WAITING_BATCHES:
            self._dropped += len(entries)
            return
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines = [self._render(entry, time) for entry in entries]
        if self._dropped:
            lines.insert(0, f"{time} {self._dropped} lines were dropped: nobody took them\n")
            self._dropped = 0
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="access-log", daemon=True)
            self._writer.start()
        self._batches.put("".join(lines).encode())

    def close(self) -> None:
        """Write what is left; waits for it for a second at most."""
        if self._entries:
            self.flush()
        if self._writer is not None:
            self._batches.put(None)
            self._writer.join(1.0)
            self._writer = None

    def _write(self) -> None:
        while (batch := self._batches.get()) is not None:
            rest = memoryview(batch)
            while rest:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except OSError:  # the reader of a pipe is gone, the disk is full
                    break
