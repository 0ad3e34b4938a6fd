"""What the kernel says of a TCP socket, on Linux."""

from __future__ import annotations

import socket

from riverrun.server.loopback import NOTSENT_LOWAT


def congestion_control(connected: socket.socket) -> bytes:
    return connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")


def most_unsent(connected: socket.socket) -> int:
    """The bytes that may wait in the kernel until they can be sent; 0 if the system decides."""
    return connected.getsockopt(socket.IPPROTO_TCP, NOTSENT_LOWAT) & 0xFFFFFFFF
