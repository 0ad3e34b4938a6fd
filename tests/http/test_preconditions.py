from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.http.entity_tags import EntityTag
from riverrun.http.preconditions import CONDITIONAL_FIELDS, Outcome, evaluate, if_range_holds

PROCEED = Outcome.PROCEED
NOT_MODIFIED = Outcome.NOT_MODIFIED
FAILED = Outcome.PRECONDITION_FAILED

TAG = EntityTag("a")
WEAK = EntityTag("a", weak=True)
MODIFIED = 784111777
BEFORE = b"Sun, 06 Nov 1994 08:49:36 GMT"
SAME = b"Sun, 06 Nov 1994 08:49:37 GMT"
AFTER = b"Sun, 06 Nov 1994 08:49:38 GMT"


# The steps of RFC 9110, 13.2.2, for a representation with the tag "a" that was modified at SAME.
@pytest.mark.parametrize(
    ("fields", "get", "put"),
    [
        ({}, PROCEED, PROCEED),
        ({"host": b"a"}, PROCEED, PROCEED),
        # 1. If-Match
        ({"if-match": b'"a"'}, PROCEED, PROCEED),
        ({"if-match": b'"b"'}, FAILED, FAILED),
        ({"if-match": b'"b", "a"'}, PROCEED, PROCEED),
        ({"if-match": b'"b", "c"'}, FAILED, FAILED),
        ({"if-match": b'W/"a"'}, FAILED, FAILED),
        ({"if-match": b'W/"a", "a"'}, PROCEED, PROCEED),
        ({"if-match": b"*"}, PROCEED, PROCEED),
        ({"if-match": b""}, FAILED, FAILED),
        ({"if-match": b"a"}, FAILED, FAILED),
        ({"if-match": b'*, "a"'}, FAILED, FAILED),
        # 2. If-Unmodified-Since, only without If-Match
        ({"if-unmodified-since": AFTER}, PROCEED, PROCEED),
        ({"if-unmodified-since": SAME}, PROCEED, PROCEED),
        ({"if-unmodified-since": BEFORE}, FAILED, FAILED),
        ({"if-unmodified-since": b"yesterday"}, PROCEED, PROCEED),
        ({"if-match": b'"a"', "if-unmodified-since": BEFORE}, PROCEED, PROCEED),
        ({"if-match": b'"b"', "if-unmodified-since": AFTER}, FAILED, FAILED),
        # 3. If-None-Match
        ({"if-none-match": b'"a"'}, NOT_MODIFIED, FAILED),
        ({"if-none-match": b'W/"a"'}, NOT_MODIFIED, FAILED),
        ({"if-none-match": b'"b"'}, PROCEED, PROCEED),
        ({"if-none-match": b'"b", W/"a"'}, NOT_MODIFIED, FAILED),
        ({"if-none-match": b"*"}, NOT_MODIFIED, FAILED),
        ({"if-none-match": b"a"}, PROCEED, FAILED),
        ({"if-none-match": b""}, PROCEED, FAILED),
        ({"if-match": b'"a"', "if-none-match": b'"a"'}, NOT_MODIFIED, FAILED),
        ({"if-match": b'"b"', "if-none-match": b'"a"'}, FAILED, FAILED),
        ({"if-match": b'"a"', "if-none-match": b'"b"'}, PROCEED, PROCEED),
        ({"if-unmodified-since": SAME, "if-none-match": b'"a"'}, NOT_MODIFIED, FAILED),
        ({"if-unmodified-since": BEFORE, "if-none-match": b'"a"'}, FAILED, FAILED),
        # 4. If-Modified-Since, only for GET and HEAD, and without If-None-Match
        ({"if-modified-since": AFTER}, NOT_MODIFIED, PROCEED),
        ({"if-modified-since": SAME}, NOT_MODIFIED, PROCEED),
        ({"if-modified-since": BEFORE}, PROCEED, PROCEED),
        ({"if-modified-since": b"yesterday"}, PROCEED, PROCEED),
        ({"if-modified-since": b""}, PROCEED, PROCEED),
        ({"if-none-match": b'"b"', "if-modified-since": SAME}, PROCEED, PROCEED),
        ({"if-none-match": b'"a"', "if-modified-since": BEFORE}, NOT_MODIFIED, FAILED),
        ({"if-match": b'"a"', "if-modified-since": SAME}, NOT_MODIFIED, PROCEED),
        ({"if-unmodified-since": SAME, "if-modified-since": SAME}, NOT_MODIFIED, PROCEED),
        # 5. If-Range decides about the range, not about the answer.
        ({"range": b"bytes=0-0", "if-range": b'"b"'}, PROCEED, PROCEED),
    ],
)
def test_conditions_are_decided_in_their_order(
    fields: dict[str, bytes], get: Outcome, put: Outcome
) -> None:
    headers = {name.encode(): value for name, value in fields.items()}
    assert evaluate("GET", headers, TAG, MODIFIED) is get
    assert evaluate("HEAD", headers, TAG, MODIFIED) is get
    assert evaluate("PUT", headers, TAG, MODIFIED) is put
    assert evaluate("DELETE", headers, TAG, MODIFIED) is put
    assert evaluate("POST", headers, TAG, MODIFIED) is put
    for method in ("OPTIONS", "TRACE", "CONNECT"):  # 13.2.1
        assert evaluate(method, headers, TAG, MODIFIED) is PROCEED


@pytest.mark.parametrize(
    ("fields", "get", "put"),
    [
        ({"if-match": b'"a"'}, FAILED, FAILED),
        ({"if-match": b'W/"a"'}, FAILED, FAILED),
        ({"if-none-match": b'"a"'}, NOT_MODIFIED, FAILED),
        ({"if-none-match": b'W/"a"'}, NOT_MODIFIED, FAILED),
    ],
)
def test_a_weak_tag_matches_only_weakly(
    fields: dict[str, bytes], get: Outcome, put: Outcome
) -> None:
    headers = {name.encode(): value for name, value in fields.items()}
    assert evaluate("GET", headers, WEAK, None) is get
    assert evaluate("PUT", headers, WEAK, None) is put


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(
    ("name", "value", "present", "absent"),
    [
        ("if-match", b"*", PROCEED, FAILED),
        ("if-match", b'"a"', FAILED, FAILED),
        ("if-none-match", b'"a"', PROCEED, PROCEED),
        ("if-modified-since", AFTER, PROCEED, PROCEED),
        ("if-unmodified-since", BEFORE, PROCEED, PROCEED),
    ],
)
def test_without_validators_only_existence_counts(
    method: str, name: str, value: bytes, present: Outcome, absent: Outcome
) -> None:
    headers = {name.encode(): value}
    assert evaluate(method, headers, None, None) is present
    assert evaluate(method, headers, None, None, exists=False) is absent


def test_a_resource_is_created_only_if_there_is_none() -> None:
    headers = {b"if-none-match": b"*"}
    assert evaluate("PUT", headers, None, None, exists=False) is PROCEED
    assert evaluate("PUT", headers, None, None) is FAILED


@pytest.mark.parametrize(
    ("value", "etag", "holds"),
    [
        # RFC 9110, 13.1.5
        (b'"a"', TAG, True),
        (b'"b"', TAG, False),
        (b'W/"a"', TAG, False),
        (b'"a"', WEAK, False),
        (b'W/"a"', WEAK, False),
        (b'"a"', None, False),
        (b'"a", "b"', TAG, False),
        (b"*", TAG, False),
        (b"", TAG, False),
        (b"a", TAG, False),
        (b'"', TAG, False),
        (SAME, TAG, True),
        (b"Sunday, 06-Nov-94 08:49:37 GMT", TAG, True),
        (BEFORE, TAG, False),
        (AFTER, TAG, False),
    ],
)
def test_a_range_counts_for_what_is_unchanged(
    value: bytes, etag: EntityTag | None, holds: bool
) -> None:
    assert if_range_holds({b"if-range": value}, etag, MODIFIED) is holds


def test_a_range_counts_without_a_condition() -> None:
    assert if_range_holds({}, TAG, MODIFIED)
    assert if_range_holds({b"range": b"bytes=0-"}, None, None)


def test_a_date_of_nothing_does_not_hold() -> None:
    assert not if_range_holds({b"if-range": SAME}, TAG, None)
    assert not if_range_holds({b"if-range": b"yesterday"}, TAG, None)


NAMES = st.sampled_from([*CONDITIONAL_FIELDS, b"if-range"])
VALUES = st.binary() | st.sampled_from([b"*", b'"a"', b'W/"a"', BEFORE, SAME, AFTER])


@given(
    st.sampled_from(["GET", "PUT", "OPTIONS"]),
    st.dictionaries(NAMES, VALUES),
    st.sampled_from([TAG, WEAK, None]),
    st.none() | st.just(MODIFIED),
)
def test_any_fields_come_to_an_outcome(
    method: str, headers: dict[bytes, bytes], etag: EntityTag | None, modified: int | None
) -> None:
    outcome = evaluate(method, headers, etag, modified)
    if method != "GET":
        assert outcome is not NOT_MODIFIED
    if CONDITIONAL_FIELDS.isdisjoint(headers):
        assert outcome is PROCEED
    if_range_holds(headers, etag, modified)
