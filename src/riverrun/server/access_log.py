"""One line for every exchange, written off the path of the exchange.

An exchange only adds what it was to a list. The list is rendered a batch at a time, by one `%` for
all of its lines, and handed to a thread that writes it, so that a slow disk or a stopped terminal
holds up nobody. Of an answer that is given again, most of the line is there already. Lines that
nobody takes are dropped, once many batches wait, and the log says how many.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from enum import Enum
from queue import SimpleQueue
from time import gmtime, monotonic, strftime
from typing import Final, NamedTuple

from riverrun.flows import Flow, Waiting
from riverrun.http.repeats import Repeat
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


WAITS: Final = {
    Waiting.PEER: "waiting for the client",
    Waiting.LIMIT: "limited",
    Waiting.PAUSED: "paused",
    Waiting.SOURCE: "disk or handler",
}
LONG: Final = 1.0
"""People are told for what an exchange waited if it took so many seconds."""

TIME: Final = "\0"  # which is in no target and in no address


class Style(NamedTuple):
    """A format: the `line`, and what its values are that are no text or number by themselves.

    `told` is the part of it that is the same whenever an answer is given again, and `again` makes
    a line of that and a client, with the seconds left out. `quote` is for targets, if they need it.
    `well` is how an exchange ended that was neither cut nor had to wait, and `ended` how any other
    did: whether it was cut, its seconds, and for what it waited how long. `dropped` tells how many
    lines were.
    """

    line: str
    told: str
    again: str
    dropped: str
    nobody: str
    quote: Callable[[str], str] | None
    well: str
    ended: Callable[[bool, float, dict[Waiting, float] | None], str]


class Told:
    """What is told of every answer that is given again, and the `line` of the last `client`."""

    __slots__ = ("client", "line", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.client: str | None = None
        self.line = ""


def style_of(log_format: LogFormat) -> Style:
    """Text is for people, JSON for programs, an object a line."""
    if log_format is LogFormat.TEXT:
        told = '"%s %s" %d %d'
        return Style(
            line=f"{TIME} %s {told} %.3f%s\n",
            told=told,
            again=f"{TIME} %s %s %%.3f\n",
            dropped=f"{TIME} %d lines were dropped: nobody took them\n",
            nobody="-",
            quote=None,
            well="",
            ended=_text_end,
        )
    from json.encoder import encode_basestring_ascii  # noqa: PLC0415 - text needs none

    told = '"method":"%s","target":%s,"status":%d,"bytes":%d'
    begin = f'{{"time":"{TIME}","client":"%s"'
    return Style(
        line=f'{begin},{told},"seconds":%.6f,"cut":%s}}\n',
        told=told,
        again=f'{begin},%s,"seconds":%%.6f,"cut":false}}\n',
        dropped=f'{{"time":"{TIME}","dropped":%d}}\n',
        nobody="",
        quote=encode_basestring_ascii,
        well="false",
        ended=_json_end,
    )


def _text_end(cut: bool, seconds: float, waited: dict[Waiting, float] | None) -> str:
    """Whether it was cut, and, if it took long, where the seconds went."""
    end = " cut" if cut else ""
    if waited is not None and seconds >= LONG:
        end += f" took {_rounded(seconds)}: {_tell(waited)}"
    return end


def _json_end(cut: bool, _seconds: float, waited: dict[Waiting, float] | None) -> str:
    end = "true" if cut else "false"
    if waited is not None:
        parts = ",".join(f'"{why.value}":{waited[why]:.6f}' for why in Waiting)
        end += f',"waited":{{{parts}}}'
    return end


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
        self._style = style_of(log_format)
        self._lines: list[str] = []  # with what `_values` belongs in still left out
        self._values: list[str | float] = []
        self._dropped = 0
        self._batches: SimpleQueue[bytes | None] = SimpleQueue()
        self._writer: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, client: str, request: Request, response: Response, started_at: float) -> None:
        """Note an exchange that is over; `started_at` is a time of `time.monotonic`."""
        seconds = monotonic() - started_at
        came, went = request.opened_flow, response.opened_flow
        if came is went is None and response.state is ENDED:
            moved, end = response.body_sent, self._style.well
        else:
            cut = response.state is not ENDED
            moved = response.moved if cut else response.body_sent
            waited = None if came is went is None else _waits(seconds, came, went)
            end = self._style.ended(cut, seconds, waited)
        self._values += (
            client or self._style.nobody,
            request.method,
            self._quote(request.target),
            response.status,
            moved,
            seconds,
            end,
        )
        self._add_line(self._style.line)

    def tell(self, method: str, target: bytes, repeat: Repeat) -> Told:
        """What the lines of all answers by `repeat` have in common; for `add_repeat`."""
        told = self._style.told % (method, self._quote(target), repeat.status, repeat.length)
        return Told(told.replace("%", "%%"))

    def add_repeat(self, client: str, told: Told, started_at: float) -> None:
        """Note an answer that was given again; see `add` and `tell`."""
        if client != told.client:
            told.client = client
            told.line = self._style.again % (
                client.replace("%", "%%") or self._style.nobody,
                told.text,
            )
        self._values.append(monotonic() - started_at)
        self._add_line(told.line)

    def _quote(self, target: bytes) -> str:
        text = target.decode("ascii", "backslashreplace")
        return text if self._style.quote is None else self._style.quote(text)

    def _add_line(self, line: str) -> None:
        self._lines.append(line)
        if len(self._lines) >= BATCH_LINES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self.flush)

    def flush(self) -> None:
        """Hand what has gathered to the thread."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        values, self._values = self._values, []
        if self._batches.qsize() >= WAITING_BATCHES:
            self._dropped += len(lines)
            return
        time = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())
        template = "".join(lines)
        if self._dropped:
            template, values[:0] = self._style.dropped + template, [self._dropped]
            self._dropped = 0
        batch = template.replace(TIME, time) % tuple(values)
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="access-log", daemon=True)
            self._writer.start()
        self._batches.put(batch.encode())

    def close(self) -> None:
        """Write what is left; waits for it for a second at most."""
        if self._lines:
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
