"""What a listing is asked for: ``?sort=``, ``order=``, ``limit=`` and ``cursor=``.

A cursor is the key of the last entry of a page, behind a digest that ties it to its folder and its
order. The digest is no secret, and nothing rests on it: whoever makes up a cursor gets a place in a
listing that is theirs to read anyway. It tells mistakes from cursors.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import TypeVar
from urllib.parse import urlencode

from riverrun.apps.files.listing.ordering import DEFAULT_ORDERS, ENCODING, Ordering, Sort
from riverrun.errors import HTTPError
from riverrun.http.targets import parse_query

Choice = TypeVar("Choice", bound=StrEnum)

MAX_LIMIT = 10_000
DIGEST_SIZE = 8


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """Which entries of a folder to list: at most `limit`, those behind the key `after`.

    `folder` are the segments of the folder's path, to which cursors are tied.
    """

    folder: tuple[str, ...]
    ordering: Ordering
    limit: int | None = None
    after: bytes = b""

    def address(self, after: bytes = b"") -> str:
        """The same listing from its start, or from behind the key `after`, as a relative link."""
        parameters: dict[str, str] = {}
        sort, order = self.ordering.sort, self.ordering.order
        if sort is not Sort.NAME:
            parameters["sort"] = sort
        if order is not DEFAULT_ORDERS[sort]:
            parameters["order"] = order
        if self.limit is not None:
            parameters["limit"] = str(self.limit)
        if after:
            parameters["cursor"] = encode_cursor(self.folder, self.ordering, after)
        return f"?{urlencode(parameters)}" if parameters else "./"

    def sorted(self, ordering: Ordering) -> ListingQuery:
        """The same listing in another order, from its start."""
        return replace(self, ordering=ordering, after=b"")


def parse_listing_query(query: bytes, folder: tuple[str, ...]) -> ListingQuery:
    """Read the query of a listing of `folder`; other parameters are not looked at.

    Raises `HTTPError` 400 for a value that is not one of ours, and for a cursor that does not
    belong to this folder in this order.
    """
    parameters = dict(parse_query(query)) if query else {}
    sort = _choose(parameters, "sort", Sort.NAME)
    ordering = Ordering(sort, _choose(parameters, "order", DEFAULT_ORDERS[sort]))
    cursor = parameters.get("cursor")
    return ListingQuery(
        folder=folder,
        ordering=ordering,
        limit=_parse_limit(parameters.get("limit")),
        after=b"" if cursor is None else decode_cursor(folder, ordering, cursor),
    )


def encode_cursor(folder: tuple[str, ...], ordering: Ordering, key: bytes) -> str:
    """The place behind `key` in a listing, as text for a query."""
    return urlsafe_b64encode(_digest(folder, ordering, key) + key).rstrip(b"=").decode()


def decode_cursor(folder: tuple[str, ...], ordering: Ordering, cursor: str) -> bytes:
    """The key in a cursor. Raises `HTTPError` 400 for what `encode_cursor` did not make of one."""
    try:
        decoded = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        decoded = b""
    key = decoded[DIGEST_SIZE:]
    # One place has one cursor: base64 has several spellings, and Python reads them all.
    if not key or encode_cursor(folder, ordering, key) != cursor:
        raise HTTPError(400, "The cursor is not one of this listing.")
    return key


def _digest(folder: tuple[str, ...], ordering: Ordering, key: bytes) -> bytes:
    # Names hold no slash and no NUL, so different places are different strings.
    place = "\0".join(("/".join(folder), ordering.sort, ordering.order, ""))
    return blake2b(place.encode(*ENCODING) + key, digest_size=DIGEST_SIZE).digest()


def _choose(parameters: dict[str, str], name: str, default: Choice) -> Choice:
    value = parameters.get(name, default)
    choices = type(default)
    try:
        return choices(value)
    except ValueError:
        known = " or ".join(choices)
        raise HTTPError(400, f"The parameter {name} is {known}.") from None


def _parse_limit(value: str | None) -> int | None:
    if value is None:
        return None
    if value.isascii() and value.isdecimal() and len(value) <= len(str(MAX_LIMIT)):
        limit = int(value)
        if 1 <= limit <= MAX_LIMIT:
            return limit
    raise HTTPError(400, f"The parameter limit is a number from 1 to {MAX_LIMIT}.")
