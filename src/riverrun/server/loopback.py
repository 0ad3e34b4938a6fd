"""What the kernel is asked for where only this machine can connect (docs/decisions/0015).

Nothing is congested there and nothing is lost, but the other side shares the processors: bytes that
wait in the kernel leave when the client acknowledges those before, which is work on its processor
and not on ours, and pacing them takes a timer for every packet.
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from enum import Enum
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import Final

UNSENT: Final = 128 * 1024
"""Bytes that may wait in the kernel until they can be sent; what it has sent is not counted."""

AS_THE_SYSTEM_HAS_IT: Final = 0

LONG: Final = 1024 * 1024
"""To send more than this little and often takes more of our time than the client saves."""

NOTSENT_LOWAT: Final[int] = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
"""Linux's number; Pythons that were built with old headers have no name for it."""


class Asked(Enum):
    """What the kernel has been asked for on a connection."""

    NOT_YET = "not yet"
    BOUND = "bound"
    """To bound what waits; and since it was accepted, not to pace."""
    PACED = "paced"
    """To bound what waits, and to pace as the system has it."""
    NOTHING = "nothing"
    """It is long, or not over loopback."""


def do_not_pace(listener: socket.socket) -> None:
    """Have those that a TCP socket accepts not paced, if only this machine can connect to it.

    The congestion control of the system may be for networks. BBR, the default of many a server,
    has a timer fire for every packet, which costs a fifth of the CPU of a long download; Reno has
    none, and each kernel has Reno.
    """
    if sys.platform == "linux" and _is_loopback(listener):
        with suppress(OSError):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")


def pace(connected: socket.socket) -> None:
    """Leave it to the system again how fast a connection sends.

    A client's window grows with what it reads within a round trip. What comes in a burst it has
    not read when it looks, and the window stays at less than a hundred kilobytes.
    """
    with suppress(OSError):
        name = _congestion_control_of_the_system()
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name)


def bound_unsent(connected: socket.socket) -> bool:
    """Bound what may wait in the kernel, if a connection is over loopback; return whether it is."""
    if sys.platform != "linux" or not _is_loopback(connected):
        return False
    with suppress(OSError):
        connected.setsockopt(socket.IPPROTO_TCP, NOTSENT_LOWAT, UNSENT)
    return True


def lift_bound(connected: socket.socket) -> None:
    """Let the kernel hold as much as it likes."""
    with suppress(OSError):
        connected.setsockopt(socket.IPPROTO_TCP, NOTSENT_LOWAT, AS_THE_SYSTEM_HAS_IT)


def _is_loopback(bound: socket.socket) -> bool:
    """Whether a socket of any kind has an address that only this machine can connect to."""
    try:
        address = bound.getsockname()
    except OSError:
        return False
    return isinstance(address, tuple) and _stays_here(address[0])


@lru_cache(maxsize=64)
def _stays_here(address: str) -> bool:
    return ip_address(address).is_loopback


@cache
def _congestion_control_of_the_system() -> bytes:
    with socket.socket() as untouched:
        return untouched.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")
