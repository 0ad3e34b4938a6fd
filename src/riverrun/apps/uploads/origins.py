"""Keeping other sites' pages from changing what is served.

A page of any site can have a browser send a form to any address that the browser reaches, a server
on the same machine included. Browsers say where such a request comes from; programs say nothing.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from riverrun.errors import HTTPError
from riverrun.http.request import Request


def check_origin(request: Request, allowed: str | None) -> None:
    """Raise `HTTPError` 403 for a request that a page of another origin than ours makes.

    `allowed` is the other origin that may, ``*`` for all (Fetch standard, 3.2; RFC 6454).
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
            return
    raise HTTPError(403, "A page of another site may not change anything here.")


def _without_default_port(authority: bytes) -> bytes:
    return authority.removesuffix(b":80").removesuffix(b":443")
