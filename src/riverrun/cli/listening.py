"""Where a program listens: chosen from what the user has set, opened, and put into words."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import NamedTuple

import click

from riverrun.cli.errors import CannotStartError
from riverrun.cli.settings import written_as

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound


class Address(NamedTuple):
    """A host and port, or the path of a Unix socket, or the number of a descriptor."""

    host: str
    port: int
    unix: str | None = None
    descriptor: int | None = None

    def __str__(self) -> str:
        if self.unix is not None:
            return self.unix
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def choose_address(ctx: click.Context) -> Address:
    """The place to listen that was asked for most explicitly.

    A ``--port`` on the command line comes before a Unix socket in the file. Two places asked for
    alike are a mistake.
    """
    host, port, unix, descriptor = (ctx.params[name] for name in ("host", "port", "unix", "fd"))
    sources = {name: ctx.get_parameter_source(name) for name in ("unix", "fd", "host", "port")}
    ranks = {name: source for name, source in sources.items() if source is not None}
    best = min(ranks.values())
    if best is click.core.ParameterSource.DEFAULT:
        return Address(host, port)
    asked = [name for name, rank in ranks.items() if rank == best]
    places = [name for name in asked if name in ("unix", "fd")]
    if not places:
        return Address(host, port)
    if len(asked) > 1:
        hints = {parameter.name: written_as(parameter, ctx) for parameter in ctx.command.params}
        named = " and ".join(hints[name] for name in asked)
        raise CannotStartError(f"{named}: choose one place to listen")
    if places == ["unix"]:
        return Address(host, port, unix=unix)
    return Address(host, port, descriptor=descriptor)


def open_address(address: Address) -> socket.socket:
    """Listen there. Raises `CannotStartError`, which says why it cannot be."""
    from riverrun.server.listeners import inherited_listener, open_listener  # noqa: PLC0415

    try:
        if address.descriptor is not None:
            return inherited_listener(address.descriptor)
        return open_listener(address.host, address.port, address.unix)
    except (OSError, ValueError, TypeError) as error:
        raise CannotStartError(_explain(error, address)) from None


def _explain(error: Exception, address: Address) -> str:
    code = error.errno if isinstance(error, OSError) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if address.descriptor is not None:
        trouble = "not open" if code == errno.EBADF else "not a listening socket"
        return f"descriptor {address.descriptor} is {trouble}"
    if address.unix is not None:
        return _explain_unix(code, reason, address.unix)
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"{address.host} is neither an address nor a known host name"
    if code == errno.EADDRINUSE:
        return f"{address} is in use; take another --port, or a free one with --port 0"
    if code == errno.EADDRNOTAVAIL:
        return f"{address.host} is not an address of this machine"
    if code == errno.EACCES:
        return f"port {address.port} is not open to this user; take one from 1024 up"
    return f"cannot listen on {address}: {reason}"


def _explain_unix(code: int | None, reason: str, path: str) -> str:
    if code == errno.EADDRINUSE:
        if Path(path).is_socket():
            return f"{path} is in use by another server"
        return f"{path} exists and is not a socket"
    if code == errno.ENOENT:
        return f"{path}: there is no folder {Path(path).parent}"
    return f"cannot listen on {path}: {reason}"


class Place(NamedTuple):
    """An open listener, in words: `text` to be read, `url` to be opened if a browser can."""

    text: str
    url: str | None
    beyond_this_machine: bool = False


def describe(listener: socket.socket) -> Place:
    """Say where `listener` can be reached."""
    if listener.family == socket.AF_UNIX:
        return Place(f"unix:{listener.getsockname()}", None)
    host, port = listener.getsockname()[:2]
    reachable = ANY_ADDRESS.get(host, host)
    url = f"http://[{reachable}]:{port}/" if ":" in reachable else f"http://{reachable}:{port}/"
    if host in ANY_ADDRESS:
        return Place(f"{url} and every other address of this machine", url, True)
    return Place(url, url, not host.startswith("127.") and host != "::1")
