from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.http.structured_fields import (
    parse_boolean,
    parse_dictionary,
    parse_integer,
    render_dictionary,
)

LARGEST = 999_999_999_999_999  # RFC 9651, 3.3.1


@pytest.mark.parametrize(
    ("value", "boolean"),
    [
        (b"?1", True),
        (b"?0", False),
        (b"  ?1 ", True),
        (b"?1;a=1", True),  # parameters are ignored
        (b"", None),
        (b"?", None),
        (b"?2", None),
        (b"1", None),
        (b"true", None),
        (b"?1?1", None),
        (b"?1, ?0", None),  # a repeated item is no item
    ],
)
def test_a_boolean_is_parsed(value: bytes, boolean: bool | None) -> None:
    assert parse_boolean(value) is boolean


@pytest.mark.parametrize(
    ("value", "integer"),
    [
        (b"0", 0),
        (b"42", 42),
        (b"-42", -42),
        (b"042", 42),
        (b"42;unit=bytes", 42),
        (b"%d" % LARGEST, LARGEST),
        (b"%d" % (LARGEST + 1), None),
        (b"9" * 10_000, None),
        (b"", None),
        (b"+1", None),
        (b"1.0", None),
        (b"1e3", None),
        (b"?1", None),
        (b'"1"', None),
        (b"@1", None),
        (b"1, 1", None),
        (b"1_000", None),
        ("\u0661".encode(), None),  # a digit, but not of ASCII
    ],
)
def test_an_integer_is_parsed(value: bytes, integer: int | None) -> None:
    parsed = parse_integer(value)
    assert parsed == integer
    assert type(parsed) is type(integer)


@pytest.mark.parametrize(
    ("value", "members"),
    [
        (b"", {}),
        (b"a=1", {"a": 1}),
        (b"a=1, b=:aGVsbG8=:;x, c", {"a": 1, "b": b"hello", "c": True}),
        (b"a=1,a=2", {"a": 2}),
        (b"a=:aGVsbG8:", {"a": b"hello"}),  # padding may be missing (RFC 9651, 4.2.7)
        (b"a=:aGVsbG8=", None),
        (b"a=:a*b=:", None),
        (b"a=1,", None),
        (b"A=1", None),
        (b"a=", None),
        (b"a=1 b=2", None),
        (b"=1", None),
    ],
)
def test_a_dictionary_is_parsed(value: bytes, members: dict[str, object] | None) -> None:
    assert parse_dictionary(value) == members


MEMBERS = st.dictionaries(
    st.from_regex(r"[a-z*][a-z0-9_.*-]*", fullmatch=True),
    st.booleans() | st.integers(-LARGEST, LARGEST) | st.binary(),
    min_size=1,
)


@given(MEMBERS)
def test_what_is_rendered_is_read_back(members: dict[str, bool | int | bytes]) -> None:
    value = render_dictionary(members)
    assert parse_dictionary(value.encode("ascii")) == members


@pytest.mark.parametrize("members", [{}, {"a": LARGEST + 1}, {"A": 1}, {"": 1}, {"a b": 1}])
def test_what_cannot_be_sent_is_not_rendered(members: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"."):
        render_dictionary(members)


# Text that comes close to the grammar goes deeper into a parser than any bytes.
ALMOST = st.text('ab01=,;:?()"%@\\-. \t').map(str.encode)


@given(st.binary() | ALMOST)
def test_any_bytes_are_a_value_or_none(value: bytes) -> None:
    assert parse_boolean(value) in (True, False, None)
    assert isinstance(parse_integer(value), int | None)
    assert isinstance(parse_dictionary(value), dict | None)
