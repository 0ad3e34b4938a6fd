"""Offsets as clients see them (Durable Streams, 8): text that sorts as the positions do."""

from __future__ import annotations

import re

from riverrun.errors import HTTPError
from riverrun.logs.contracts import LogInfo

BEGINNING = "-1"
NOW = "now"
# The first number is 0: it is kept for engines whose positions are more than a count of bytes.
TOKEN = re.compile(r"0{16}_([0-9]{16})")


def format_offset(offset: int) -> str:
    """The token of a position in bytes."""
    return f"{0:016d}_{offset:016d}"


def parse_offset(token: str, info: LogInfo) -> int:
    """The position that a token stands for in a log; raises `HTTPError` 400 if it is none."""
    if token == BEGINNING:
        return info.start
    if token == NOW:
        return info.tail
    match = TOKEN.fullmatch(token)
    if match is None:
        raise HTTPError(400, "This is no offset of a stream.")
    return int(match[1])
