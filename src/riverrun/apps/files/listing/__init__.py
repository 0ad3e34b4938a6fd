"""Listing a folder: a page for people, JSON and NDJSON for programs, at one address.

All three are written while the folder is read. Their head goes out before it is, so the first byte
does not wait for the size of a folder, and a folder that cannot be read to its end is a response
that is cut. `folder` reads in order in little memory, `ordering` says what that order is, `query`
what was asked for, `documents` and `page` what it looks like.

Programs page with ``limit`` and follow ``next``, a relative link that holds the cursor: a member of
the JSON document (null on the last page), the last line in NDJSON (absent from the last page).
Without a limit, NDJSON and the page hold everything, and JSON its first 1,000 entries.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from riverrun.apps.files.listing.beginnings import Beginnings
from riverrun.apps.files.listing.documents import JSONDocument, NDJSONDocument
from riverrun.apps.files.listing.entries import Entry
from riverrun.apps.files.listing.folder import Folder, Resolve
from riverrun.apps.files.listing.page import Enhancement, Page, content_security_policy
from riverrun.apps.files.listing.query import ListingQuery, parse_listing_query
from riverrun.apps.files.listing_types import HTML, JSON, LISTING_TYPES
from riverrun.errors import HTTPError
from riverrun.http.negotiation import choose_media_type
from riverrun.http.request import Request
from riverrun.http.response import Response

__all__ = ["Beginnings", "Enhancement", "send_listing"]

JSON_LIMIT: Final = 1000
BATCH: Final = 256
ENHANCED_LIMIT: Final = 250
"""The page shows so many before it is taken over by one that reads the rest as NDJSON."""


class View(Protocol):
    """What a listing looks like; its parts are asked for in this order, `rows` many times."""

    def head(self) -> bytes: ...

    def rows(self, entries: list[Entry]) -> bytes: ...

    def tail(self, following: str | None) -> bytes: ...


async def send_listing(
    request: Request,
    response: Response,
    directory: int,
    segments: tuple[str, ...],
    *,
    hidden: bool = False,
    takes_files: bool = False,
    enhancement: Enhancement | None = None,
    resolve: Resolve | None = None,
    beginnings: Beginnings | None = None,
) -> None:
    """Answer a GET or HEAD of a folder, whose address ends in a slash.

    `directory` is a descriptor of the folder; it may be closed when this returns or raises. The
    path below the root is `segments`. Names that begin with a dot are left out unless `hidden`.
    `resolve` looks where symbolic links lead; it is called in a thread, and without it links are
    left out. `beginnings` are those of large folders that were listed before. The page has a form
    for files if the folder `takes_files`, and an `enhancement` where scripts run.

    Raises `HTTPError` 400 for a query that makes no sense, 406 when the client takes none of
    `LISTING_TYPES`, 404 when the folder may not be looked into; `OSError` if the disk fails. A
    cancel leaves the listing cut short and the folder not read any further.
    """
    query = parse_listing_query(request.url.query, segments)
    media_type = choose_media_type(request.fields.get(b"accept"), LISTING_TYPES)
    if media_type is None:
        raise HTTPError(406, f"Folders are listed as {', '.join(LISTING_TYPES)}.")
    if media_type == JSON and query.limit is None:
        query = replace(query, limit=JSON_LIMIT)
    limit = query.limit
    if media_type == HTML and limit is None and enhancement is not None:
        limit = ENHANCED_LIMIT  # which its links need not say
    try:
        folder = Folder(
            directory, query.ordering, hidden=hidden, resolve=resolve, beginnings=beginnings
        )
    except PermissionError:
        raise HTTPError(404) from None
    try:
        _set_fields(response, media_type)
        if media_type == HTML:
            response.headers["content-security-policy"] = content_security_policy(
                takes_files=takes_files, enhancement=enhancement
            )
        if request.method == "HEAD":
            await response.end()
        else:
            view: View = JSONDocument() if media_type == JSON else NDJSONDocument()
            if media_type == HTML:
                view = Page(query, takes_files=takes_files, enhancement=enhancement)
            await _write(response, folder, query, limit, view)
    finally:
        folder.close()


def _set_fields(response: Response, media_type: str) -> None:
    headers = response.headers
    headers["content-type"] = "text/html; charset=utf-8" if media_type == HTML else media_type
    headers["cache-control"] = "no-cache"
    headers["x-content-type-options"] = "nosniff"
    headers.add("vary", "accept")


async def _write(
    response: Response, folder: Folder, query: ListingQuery, left: int | None, view: View
) -> None:
    """Write the listing, no more than `left` entries of it if that is not None."""
    await response.write(view.head())
    after, more = query.after, True
    while more and left != 0:
        keys, more = await folder.select(after, left)
        for start in range(0, len(keys), BATCH):
            await response.write(await folder.render(keys[start : start + BATCH], view.rows))
        if keys:
            after = keys[-1]
        if left is not None:
            left -= len(keys)
        del keys  # or they would be held beside those of the next pass
    await response.end(view.tail(query.address(after) if more else None))
