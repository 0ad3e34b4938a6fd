"""Answering again from a file that is what it was: it is opened, looked at and sent, no more."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from riverrun.apps.files.answers import decide
from riverrun.apps.files.open_file import OpenFile
from riverrun.apps.files.representation import Representation
from riverrun.apps.files.sending import READ_AT_ONCE, is_at_hand, read_at_hand
from riverrun.errors import HTTPError
from riverrun.http.headers import Headers
from riverrun.http.heads import LINE_END, render_head
from riverrun.http.ranges import ByteRange
from riverrun.http.repeats import RepeatWire
from riverrun.http.request import Request

LONGEST: Final = 256 * 1024
"""Of what is longer, finding the answer is a small part."""


class FileRepeat:
    """A `Repeat` from the file that `open_file` opens, while it is of one `Representation`."""

    __slots__ = (
        "_asked",
        "_fields",
        "_inode",
        "_modified_ns",
        "_open",
        "_representation",
        "_size",
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
        self._size = file.size
        self._modified_ns = file.modified_ns
        self._inode = file.inode
        self._representation = representation
        line_ends = head.index(LINE_END) + len(LINE_END)
        self._status_line = head[:line_ends]
        self._fields = head[line_ends:]
        self._asked = asked
        self.status = status
        self.length = 0 if asked is None else asked.length
        self.region = self.length > READ_AT_ONCE

    def send(self, wire: RepeatWire, now: float) -> bool:
        """Send it, unless the file is another now or a disk would be waited for."""
        try:
            descriptor = self._open()
        except OSError:
            return False
        try:
            head = b"".join((self._status_line, wire.clock.server_fields, self._fields))
            asked = self._asked
            if not self._is_same(os.fstat(descriptor)):
                return False
            if asked is None:
                if not wire.admits(0):
                    return False
                wire.send_last((head,))
            elif self.region:
                if not is_at_hand(descriptor, asked, self._representation, now):
                    return False
                if not wire.admits(asked.length):
                    return False
                held, descriptor = descriptor, -1
                wire.hold_region(head, held, *asked)
            else:
                chunk = read_at_hand(descriptor, asked, self._representation, now)
                if len(chunk) != asked.length or not wire.admits(asked.length):
                    return False
                wire.send_last((head, chunk))
        except OSError:  # the handler will say so
            return False
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        return True

    def _is_same(self, status: os.stat_result) -> bool:
        return (
            status.st_mtime_ns == self._modified_ns
            and status.st_size == self._size
            and status.st_ino == self._inode
        )


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
    if length > LONGEST or len(body) > 1:
        return None
    asked: ByteRange | None = None
    if body and request.method == "GET":
        assert isinstance(body[0], ByteRange)
        asked = body[0]
    head, *_ = render_head(request, status, headers, fields, b"", length, length, True)
    return FileRepeat(open_file, file, representation, status, head, asked)
