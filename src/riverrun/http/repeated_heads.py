"""Heads with the fields of the one before, which need not be parsed again.

A client asks for one thing after another with the same fields. Where those are, byte for byte, what
they were in the request before, which llhttp has taken, only the request line is new, and the usual
ones are easily told: any other is llhttp's.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from riverrun.http.headers import Fields
from riverrun.http.limits import Limits
from riverrun.http.request import Request

LINE_END = b"\r\n"
# Of the request lines that llhttp takes, those that come every day.
USUAL_LINE = re.compile(rb"(GET|HEAD) (/[\w!$%&'()*+,./:;=?@~-]*) HTTP/1\.1")


class KnownHead(NamedTuple):
    """A request without a body, on a connection that goes on: what was behind its first line."""

    lines: bytes
    fields: Fields

    def request(self, piece: bytes, limits: Limits) -> Request | None:
        """The request, if `piece` is a whole head with these fields; None if it may be no such.

        Nothing but a part of a head may precede it.
        """
        line_ends = piece.find(LINE_END)
        if piece[line_ends:] != self.lines or len(piece) > limits.head_size:
            return None
        line = USUAL_LINE.fullmatch(piece, 0, line_ends)
        if line is None:
            return None
        method = "GET" if line[1] == b"GET" else "HEAD"
        return Request(method, line[2], self.fields.copy(), 0, limits=limits)


def know_head(head: bytes, fields: Fields) -> KnownHead:
    """Remember a head that was fed whole, and what it was parsed into."""
    return KnownHead(head[head.find(LINE_END) :], fields.copy())
