"""What the kernel is asked for where only this machine can connect (docs/decisions/0015).

Nothing is congested there and nothing is lost, but the other side shares the processors: bytes that
wait in the kernel leave when the client acknowledges those before, which is work on its processor
and not on ours, and pacing them takes a timer for every packet.
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from typing import Final

UNSENT: Final = 128 * 1024
"""Bytes that may wait in the kernel until they can be sent; what it has sent is not counted."""

ANY_NUMBER: Final = -1


def prepare_listener(listener: socket.socket) -> None:
    """Have those that a TCP socket accepts not paced, if only this machine can connect to it.

    The congestion control of the system may be for networks. BBR, the default of many a server,
    has a timer fire for every packet, which costs a fifth of the CPU of a long download; Reno has
    none, and each kernel has Reno.
    """
    if sys.platform == "linux" and ip_address(listener.getsockname()[0]).is_loopback:
        with suppress(OSError):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)


def expect_short(connected: socket.socket) -> None:
    """What a socket sends is short: if it is not paced, leave its pace to the system.

    A client's window grows with what it reads within a round trip. What comes in a burst it has
    not read when it looks, and the window stays at less than a hundred kilobytes.
    """
    if _is_prepared(connected):
        with suppress(OSError):
            name = _congestion_control_of_the_system()
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name)


def expect_long(connected: socket.socket) -> None:
    """What a socket sends is long: let the kernel hold as much of it as it may.

    To send little and often takes more of our time than the client saves.
    """
    if _is_prepared(connected):
        with suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, ANY_NUMBER)


def _is_prepared(connected: socket.socket) -> bool:
    """Whether it was accepted by a listener that was prepared, and nothing long was sent yet."""
    if sys.platform != "linux":
        return False
    try:
        return connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == UNSENT
    except OSError:  # a Unix socket
        return False


@cache
def _congestion_control_of_the_system() -> bytes:
    with socket.socket() as untouched:
        return untouched.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")
