from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.apps.files.listing.ordering import Order, Ordering, Sort
from riverrun.apps.files.listing.query import (
    ListingQuery,
    decode_cursor,
    encode_cursor,
    parse_listing_query,
)
from riverrun.errors import HTTPError

FOLDER = ("a", "b")
BY_NAME = Ordering()
KEY = b"\x01name\0\0"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"", Ordering(Sort.NAME, Order.ASCENDING)),
        (b"sort=name", Ordering(Sort.NAME, Order.ASCENDING)),
        (b"order=desc", Ordering(Sort.NAME, Order.DESCENDING)),
        # Newest and largest first is what these are asked for
        (b"sort=time", Ordering(Sort.TIME, Order.DESCENDING)),
        (b"sort=size", Ordering(Sort.SIZE, Order.DESCENDING)),
        (b"sort=time&order=asc", Ordering(Sort.TIME, Order.ASCENDING)),
        (b"order=asc&utm=1&sort=size", Ordering(Sort.SIZE, Order.ASCENDING)),
    ],
)
def test_orders(query: bytes, expected: Ordering) -> None:
    assert parse_listing_query(query, FOLDER) == ListingQuery(FOLDER, expected)


@pytest.mark.parametrize(("query", "limit"), [(b"limit=1", 1), (b"limit=10000", 10_000)])
def test_limits(query: bytes, limit: int) -> None:
    assert parse_listing_query(query, FOLDER).limit == limit


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        (b"sort=colour", "The parameter sort is name or time or size."),
        (b"sort=", "The parameter sort is name or time or size."),
        (b"order=up", "The parameter order is asc or desc."),
        *(
            (b"limit=" + value, "The parameter limit is a number from 1 to 10000.")
            for value in (b"", b"0", b"-1", b"+1", b"1.5", b"10001", b"9" * 9000, b"%D9%A3", b"x")
        ),
        (b"cursor=", "The cursor is not one of this listing."),
        (b"cursor=%00", "The cursor is not one of this listing."),
    ],
)
def test_what_is_not_ours_is_refused(query: bytes, detail: str) -> None:
    with pytest.raises(HTTPError) as caught:
        parse_listing_query(query, FOLDER)
    assert (caught.value.status, caught.value.detail) == (400, detail)


@pytest.mark.parametrize(
    ("query", "address"),
    [
        (b"", "./"),
        (b"sort=name&order=asc", "./"),
        (b"sort=time&order=desc", "?sort=time"),
        (b"order=desc&limit=5", "?order=desc&limit=5"),
    ],
)
def test_an_address_says_what_is_not_understood(query: bytes, address: str) -> None:
    assert parse_listing_query(query, FOLDER).address() == address


@given(st.sampled_from(Sort), st.sampled_from(Order), st.binary(min_size=1))
def test_the_address_of_a_place_leads_there(sort: Sort, order: Order, key: bytes) -> None:
    query = ListingQuery(FOLDER, Ordering(sort, order), 7)
    found = parse_listing_query(query.address(key).encode().removeprefix(b"?"), FOLDER)
    assert found == ListingQuery(FOLDER, Ordering(sort, order), 7, key)


@pytest.mark.parametrize(
    ("folder", "ordering"),
    [
        (("a",), BY_NAME),
        (("a", "b", "c"), BY_NAME),
        (("ab",), BY_NAME),
        (FOLDER, Ordering(Sort.NAME, Order.DESCENDING)),
        (FOLDER, Ordering(Sort.TIME, Order.ASCENDING)),
    ],
)
def test_a_cursor_of_another_listing_is_refused(
    folder: tuple[str, ...], ordering: Ordering
) -> None:
    cursor = encode_cursor(folder, ordering, KEY)
    assert decode_cursor(folder, ordering, cursor) == KEY
    with pytest.raises(HTTPError):
        decode_cursor(FOLDER, BY_NAME, cursor)


@given(st.data())
def test_a_cursor_with_any_character_changed_is_refused(data: Any) -> None:
    cursor = encode_cursor(FOLDER, BY_NAME, KEY)
    position = data.draw(st.integers(0, len(cursor) - 1))
    changed = data.draw(st.characters(exclude_characters=cursor[position]))
    with pytest.raises(HTTPError):
        decode_cursor(FOLDER, BY_NAME, cursor[:position] + changed + cursor[position + 1 :])


@pytest.mark.parametrize("change", ["{}=", "{}A", " {}", "{}\n", "{}é"])
def test_a_cursor_has_one_spelling(change: str) -> None:
    with pytest.raises(HTTPError):
        decode_cursor(FOLDER, BY_NAME, change.format(encode_cursor(FOLDER, BY_NAME, KEY)))


@given(st.text() | st.text("ABCxyz019-_="))
def test_no_cursor_raises_anything_but_http_errors(cursor: str) -> None:
    with suppress(HTTPError):
        decode_cursor(FOLDER, BY_NAME, cursor)


@given(st.binary())
def test_no_query_raises_anything_but_http_errors(query: bytes) -> None:
    with suppress(HTTPError):
        parse_listing_query(query, FOLDER)


def test_a_cursor_is_safe_in_a_query() -> None:
    key = bytes(range(1, 256))
    address = ListingQuery(("caf\udce9",), BY_NAME).address(key)
    assert list(parse_qs(address[1:])) == ["cursor"]
    assert "%" not in address
