"""The files of the page: few and small, held in memory, each under a name that tells its content.

So whoever has one never asks again. The build has compressed them beforehand, and the smallest form
that a client takes is sent.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final

from riverrun.errors import HTTPError
from riverrun.http.handler import FINISHED
from riverrun.http.headers import Headers
from riverrun.http.media_types import content_type_of
from riverrun.http.negotiation import acceptable_codings
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.web import Build

CODINGS: Final = {"br": ".br", "gzip": ".gz"}
ASSETS: Final = "assets"
METHODS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in the forms in which it can be sent, by their codings; "identity" is one of them."""

    content_type: str
    forms: dict[str, bytes]


class Assets:
    """Serves the files of a build, by the last segment of the path."""

    def __init__(self, build: Build) -> None:
        self._assets: dict[str, Asset] = {}
        for path in (build.folder / ASSETS).iterdir():
            if path.suffix in CODINGS.values():
                continue
            forms = {"identity": path.read_bytes()}
            for coding, suffix in CODINGS.items():
                compressed = path.with_name(path.name + suffix)
                if compressed.exists():
                    forms[coding] = compressed.read_bytes()
            self._assets[path.name] = Asset(content_type_of(path.name), forms)

    def __call__(self, request: Request, response: Response) -> Awaitable[None]:
        """Answer a GET or HEAD; raises `HTTPError` 404 and 405."""
        if request.method not in METHODS:
            raise HTTPError(405, headers={"allow": ", ".join(METHODS)})
        asset = self._assets.get(request.url.segments[-1])
        if asset is None:
            raise HTTPError(404)
        codings = acceptable_codings(request.fields.get(b"accept-encoding"), tuple(asset.forms))
        coding = min(codings, key=lambda name: len(asset.forms[name]), default="identity")
        headers: Headers = response.headers
        headers["content-type"] = asset.content_type
        headers["cache-control"] = "public, max-age=31536000, immutable"
        headers["x-content-type-options"] = "nosniff"
        headers["vary"] = "accept-encoding"
        if coding != "identity":
            headers["content-encoding"] = coding
        content = asset.forms[coding]
        if response.try_end(content):
            return FINISHED
        return response.end(content)
