"""The Host field and the authority of a target: ``host[:port]``, never with user information.

RFC 9112, 3.2 has a server refuse a request whose Host is not valid; the grammar is that of
RFC 3986, 3.2.2 and 3.2.3, with three choices where it leaves room: the host may not be empty
(RFC 9110, 4.2.1), a literal in brackets is an IPv6 address and nothing yet to come, and a port
fits into 16 bits.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address
from typing import NamedTuple

MAX_LENGTH = 255 + len(":65535")  # a name as long as DNS knows it, and a port
AUTHORITY = re.compile(
    rb"(?P<host>\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)"
    rb"(?::(?P<port>[0-9]{0,5}))?"
)


class Host(NamedTuple):
    """A host, in lower case, an IPv6 address in its brackets; and a port, if one was given."""

    name: str
    port: int | None


def check_host(value: bytes) -> bool:
    """Whether `value` may stand in a Host field."""
    return parse_host(value) is not None


def parse_host(value: bytes) -> Host | None:
    """The host and port of an authority, or None if it is not valid."""
    # What a stranger sends is remembered only when it is small.
    return _parse(value) if len(value) <= MAX_LENGTH else None


@lru_cache(maxsize=1024)
def _parse(value: bytes) -> Host | None:
    match = AUTHORITY.fullmatch(value)
    if match is None:
        return None
    name = match["host"].decode("ascii").lower()
    port = int(match["port"]) if match["port"] else None
    if port is not None and port > 0xFFFF:
        return None
    if name[0] == "[" and not _is_ipv6(name[1:-1]):
        return None
    return Host(name, port)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
