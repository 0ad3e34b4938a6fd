"""The sockets a server listens on: TCP, Unix, or inherited."""

from __future__ import annotations

import socket
from pathlib import Path

from riverrun.server.loopback import do_not_pace

FIRST_INHERITED = 3  # sd_listen_fds(3)


def open_listener(host: str, port: int, unix: str | None = None) -> socket.socket:
    """Bind a TCP socket to `host` and `port`, or a Unix socket to the path `unix`.

    A socket file that nobody listens on any more is replaced. Raises `OSError` when the address
    is in use or not ours.
    """
    if unix is not None:
        return _open_unix_listener(unix)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Transports switch Nagle's algorithm off only for sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        do_not_pace(listener)
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def inherited_listener(descriptor: int) -> socket.socket:
    """A listening socket that the parent process has opened as `descriptor`.

    Raises `OSError` when it is no listening socket.
    """
    listener = socket.socket(fileno=descriptor)
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        listener.detach()
        raise OSError(f"descriptor {descriptor} is not a listening socket")
    return listener


def _open_unix_listener(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale_socket(path)
        listener.bind(path)
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale_socket(path: str) -> None:
    if not Path(path).is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
