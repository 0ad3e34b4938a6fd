"""Who asks: keeping other sites' pages away from what they have no business with.

A page of any site can have a browser send a form to any address that the browser reaches, a server
on the same machine included. Browsers say where such a request comes from; programs say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from riverrun.errors import HTTPError
from riverrun.http.hosts import parse_host
from riverrun.http.request import Request

ADDRESS: Final = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
PRIVATE_SUFFIXES: Final = frozenset(("local", "localhost", "internal", "test"))
PROXIED: Final = frozenset((b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip"))


def check_origin(request: Request, allowed: str | None, names: Collection[str] = ()) -> None:
    """Raise `HTTPError` 403 for a request that a page of another origin than ours makes.

    `allowed` is the other origin that may, ``*`` for all (Fetch standard, 3.2; RFC 6454). A page of
    ours has to have asked by a name of ours, too, for which `names` are; see `check_own_host`.
    """
    origin = request.fields.get(b"origin")
    if allowed == "*" or (allowed is not None and origin == allowed.encode()):
        return
    if origin is None:
        if request.fields.get(b"sec-fetch-site", b"none") in (b"same-origin", b"none"):
            return
    else:
        # A proxy in front may speak TLS, so that the schemes differ; the host is what tells sites
        # apart. An opaque origin ("null") has none.
        host = request.fields.get(b"host", b"").lower()
        try:
            authority = urlsplit(origin.decode("latin-1")).netloc.lower().encode("latin-1")
        except ValueError:
            authority = b""
        if authority and _without_default_port(authority) == _without_default_port(host):
            check_own_host(request, names)
            return
    raise HTTPError(403, "A page of another site may not change anything here.")


def _without_default_port(authority: bytes) -> bytes:
    return authority.removesuffix(b":80").removesuffix(b":443")


def own_names(names: Collection[str], allowed: str | None) -> frozenset[str]:
    """The names by which our own pages may ask: `names`, and that of the origin `allowed`."""
    host = urlsplit(allowed or "").hostname
    return frozenset((*names, host) if host else names)


def check_own_host(request: Request, names: Collection[str] = ()) -> None:
    """Raise `HTTPError` 403 for a request by a name that anybody may have pointed at us.

    A page whose own name is made to lead to this machine (DNS rebinding) is of the same origin to
    a browser; what tells is the name that it asks for. An address, a name without a dot, a name
    that no public server resolves (RFC 6761, RFC 6762, RFC 8375) and `names` are ours.
    """
    if not _is_own_host(request, names):
        raise HTTPError(403, "This is not answered under a public name.")


def check_reader(request: Request, names: Collection[str] = ()) -> None:
    """Raise `HTTPError` 403 as `check_own_host`, where such a page would get at what it could not.

    A client of a public address reaches us by itself, under whatever name.
    """
    if not _is_own_host(request, names) and not _is_public(request.client):
        raise HTTPError(403, "This is not answered under a public name.")


def _is_own_host(request: Request, names: Collection[str]) -> bool:
    host = parse_host(request.fields.get(b"host", b""))
    if host is None:
        return False
    name = host.name.removesuffix(".")
    if "." not in name or name in names or name.rpartition(".")[2] in PRIVATE_SUFFIXES:
        return True
    return bool(name.startswith("[") or ADDRESS.fullmatch(name) or name.endswith(".home.arpa"))


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, and not through a proxy that says so."""
    if not PROXIED.isdisjoint(request.fields):
        return False
    return not request.client or _address(request.client).is_loopback  # or a Unix socket


def _is_public(client: str) -> bool:
    return bool(client) and _address(client).is_global


def _address(client: str) -> IPv4Address | IPv6Address:
    address = ip_address(client.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
