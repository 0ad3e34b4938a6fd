"""Answering again from a file that is what it was: it is opened, looked at and sent, no more.

Those that ask for it at the same time are answered from one opening.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from riverrun.apps.files.answers import decide
from riverrun.apps.files.open_file import OpenFile, identity_of
from riverrun.apps.files.representation import Representation
from riverrun.apps.files.sending import (
    READ_AT_ONCE,
    SENT_AT_ONCE,
    is_at_hand,
    read_at_hand,
    send_file,
)
from riverrun.errors import DisconnectedError, HTTPError
from riverrun.http.handler import Handler
from riverrun.http.headers import Headers
from riverrun.http.heads import LINE_END, render_head
from riverrun.http.ranges import ByteRange
from riverrun.http.repeats import RepeatWire, nothing_left
from riverrun.http.request import Request
from riverrun.http.response import Response


class Found(NamedTuple):
    """The file as it is now: open, with its state, and the head and what was read of it."""

    descriptor: int
    status: os.stat_result
    pieces: tuple[bytes, ...]


class FileRepeat:
    """A `Repeat` from the file that `open_file` opens, while it is of one `Representation`."""

    __slots__ = (
        "_asked",
        "_fields",
        "_found",
        "_identity",
        "_open",
        "_representation",
        "_status_line",
        "length",
        "region",
        "status",
    )

    def __init__(
        self,
        open_file: Callable[[], int],
        file: OpenFile,
        representation: Representation,
        status: int,
        head: bytes,
        asked: ByteRange | None,
    ) -> None:
        """`head` is that of the response, without the fields that every response carries.

        `asked` is the part of the file that is the body, None if there is none.
        """
        self._open = open_file
        self._identity = file.identity  # and not the file, which would stay open
        self._representation = representation
        line_ends = head.index(LINE_END) + len(LINE_END)
        self._status_line = head[:line_ends]
        self._fields = head[line_ends:]
        self._asked = asked
        self._found: Found | None = None  # while what came together is answered
        self.status = status
        self.length = 0 if asked is None else asked.length
        self.region = self.length > READ_AT_ONCE

    def send(self, wire: RepeatWire, now: float) -> Handler | None:
        """Send it, unless the file is another now or a disk would be waited for."""
        found = self._found
        if found is None:
            try:
                found = self._find(wire, now)
            except OSError:  # the handler will say so
                return None
        if found is None or not wire.admits(self.length):
            return None
        asked = self._asked
        if asked is None or not self.region:
            wire.send_last(found.pieces)
        elif not wire.hold_region(found.pieces[0], found.descriptor, *asked):
            return self._send_long(wire, found, asked)
        return nothing_left

    def _find(self, wire: RepeatWire, now: float) -> Found | None:
        """Open and look at the file, for all that came together; None if it is another."""
        descriptor = self._open()
        try:
            status = os.fstat(descriptor)
            if identity_of(status) != self._identity:
                return None
            head = b"".join((self._status_line, wire.clock.server_fields, self._fields))
            pieces: tuple[bytes, ...] = (head,)
            asked = self._asked
            if asked is not None and self.region:
                if not is_at_hand(descriptor, asked, self._representation, now):
                    return None
            elif asked is not None:
                chunk = read_at_hand(descriptor, asked, self._representation, now)
                if len(chunk) != asked.length:
                    return None
                pieces = (head, chunk)
            self._found = found = Found(descriptor, status, pieces)
            descriptor = -1
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        wire.call_at_turn_end(self._let_go)
        return found

    def _let_go(self) -> None:
        found, self._found = self._found, None
        if found is not None:
            os.close(found.descriptor)

    def _send_long(self, wire: RepeatWire, found: Found, asked: ByteRange) -> Handler | None:
        """Send what the client takes at once."""
        try:
            file = OpenFile(os.dup(found.descriptor), found.status)
        except OSError:
            return None
        try:
            sent = wire.try_send_region(found.pieces[0], file.descriptor, *asked)
        except DisconnectedError:
            file.close()
            return self._give_up
        if sent < asked.length:
            return partial(self._send_rest, file, sent)
        file.close()
        return nothing_left

    def _give_up(self, _request: Request, response: Response) -> Awaitable[None]:
        """Cut the connection: who is there all the same must not take what follows for a body."""
        response.take_up(self.status, self.length, 0)
        raise DisconnectedError("the client went away")

    def _send_rest(
        self, file: OpenFile, sent: int, request: Request, response: Response
    ) -> Awaitable[None]:
        response.take_up(self.status, self.length, sent)
        return send_file(request, response, file, self._representation)


def repeat_of_file(
    request: Request,
    headers: Headers,
    open_file: Callable[[], int],
    file: OpenFile,
    representation: Representation,
) -> FileRepeat | None:
    """What answers requests like this one from a file of this state; None for long answers.

    `headers` are sent beside the fields of the file. `open_file` is called for each of them, and
    raises `OSError` if it is not this file any more that answers.
    """
    try:
        status, fields, length, body = decide(request.method, request.fields, representation)
    except HTTPError:  # it has changed since it was answered
        return None
    if length > SENT_AT_ONCE or len(body) > 1:
        return None
    asked: ByteRange | None = None
    if body and request.method == "GET":
        assert isinstance(body[0], ByteRange)
        asked = body[0]
    head, *_ = render_head(request, status, headers, fields, b"", length, length, True)
    return FileRepeat(open_file, file, representation, status, head, asked)
