"""The documents that the page lives in: any folder's listing, and one for views that are no folder.

A document is complete without scripts. What `PageHead` adds to its head loads the page, which then
takes its place; it learns there what this server allows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from html import escape
from typing import Final

import msgspec

from riverrun.apps.files.listing.page import WAVES, Enhancement
from riverrun.http.handler import Handler
from riverrun.http.negotiation import choose_media_type
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.web import Build

PREFIX: Final = "/~/"
HTML: Final = "text/html"
PROGRAMS_TYPES: Final = ("application/json", "text/event-stream")
SOURCES: Final = (
    "script-src 'self'; connect-src 'self'; media-src 'self' blob:; font-src 'self'; "
    "frame-src 'self' blob:; worker-src 'self'"
)
DOCUMENT: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>riverrun</title>
<link rel="icon" href="{icon}">
{elements}<body>
<main><h1>riverrun</h1>
<noscript><p>This view needs JavaScript. <a href="/">The files</a> do not.</p></noscript></main>
</html>
"""


class PageHead:
    """What makes the page of a document; `allowed` are the words of ``--allow``, and the like."""

    def __init__(self, build: Build, allowed: Sequence[str]) -> None:
        facts = msgspec.json.encode({"allowed": sorted(allowed)}).decode()
        links = "".join(f'<link rel="stylesheet" href="{PREFIX}{path}">\n' for path in build.styles)
        self.elements = (
            f'<meta name="riverrun" content="{escape(facts)}">\n'
            f'{links}<script type="module" async src="{PREFIX}{build.script}"></script>\n'
        )

    def enhancement(self) -> Enhancement:
        """For the listings of folders."""
        return Enhancement(self.elements, SOURCES)


class Views:
    """Gives people the page's view of what is here, and programs what `programs` answers."""

    def __init__(self, head: PageHead, programs: Handler) -> None:
        self._document = DOCUMENT.format(elements=head.elements, icon=escape(WAVES)).encode()
        self._programs = programs

    def __call__(self, request: Request, response: Response) -> Awaitable[None]:
        """Answer; who would rather have a page than JSON or events is a person."""
        accept = request.fields.get(b"accept")
        if request.method not in ("GET", "HEAD") or (
            choose_media_type(accept, (*PROGRAMS_TYPES, HTML)) != HTML
        ):
            return self._programs(request, response)
        headers = response.headers
        headers["content-type"] = "text/html; charset=utf-8"
        headers["cache-control"] = "no-cache"
        headers["x-content-type-options"] = "nosniff"
        headers["vary"] = "accept"
        headers["content-security-policy"] = (
            f"default-src 'none'; img-src 'self' data: blob:; style-src 'self'; {SOURCES}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
        )
        return response.end(self._document)
