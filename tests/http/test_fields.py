from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.http.fields import (
    check_field,
    is_token,
    quote,
    split_list,
    split_parameters,
    unquote,
)

# RFC 9110, 5.6.2
TCHARS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_a_token_is_made_of_tchars() -> None:
    for character in map(chr, range(0x180)):
        assert is_token(character) == (character in TCHARS)
        assert is_token(f"a{character}b") == (character in TCHARS)


def test_nothing_is_no_token() -> None:
    assert not is_token("")


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "a\n", "é", "a\0", "(a)"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no field name"):
        check_field(name, "value")


@pytest.mark.parametrize("value", ["", "a", "a b", "a\tb", "é", "\x80\xff", '"q", b;c=d'])
def test_a_value_may_hold_text_tabs_and_latin_1(value: str) -> None:
    check_field("x-name", value)


@pytest.mark.parametrize(
    "character",
    [*map(chr, range(9)), *map(chr, range(10, 32)), "\x7f", "\u0100", "\u2028", "\udcff"],
)
def test_a_value_with_a_control_character_or_beyond_latin_1_is_refused(character: str) -> None:
    for value in (character, f"a{character}", f"{character}a", f"a{character}b"):
        with pytest.raises(ValueError, match="may not be sent"):
            check_field("x-name", value)


@given(st.text())
def test_a_value_that_passes_is_one_line_of_latin_1(value: str) -> None:
    try:
        check_field("x-name", value)
    except ValueError:
        return
    assert not set(value.encode("latin-1")) & {0x00, 0x0A, 0x0D}


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        # RFC 9110, 5.6.1.3
        (b"foo,bar", [b"foo", b"bar"]),
        (b"foo ,bar,", [b"foo", b"bar"]),
        (b"foo , ,bar,charlie", [b"foo", b"bar", b"charlie"]),
        (b"", []),
        (b",", []),
        (b",   ,", []),
        # RFC 9110, 5.5: commas in quoted strings
        (b'"a,b", c', [b'"a,b"', b"c"]),
        (b'a="x,y";b, c', [b'a="x,y";b', b"c"]),
        (rb'"a\",b", c', [rb'"a\",b"', b"c"]),
        (rb'"a\\", c', [rb'"a\\"', b"c"]),
        # A quoted string that is not closed runs to the end.
        (b'a, "b, c', [b"a", b'"b, c']),
        (b'a, "b, c\\', [b"a", b'"b, c\\']),
        (b"\ta\t,\tb\t", [b"a", b"b"]),
    ],
)
def test_a_list_is_split_at_its_commas(value: bytes, elements: list[bytes]) -> None:
    assert split_list(value) == elements


@pytest.mark.parametrize(
    ("element", "first", "parameters"),
    [
        (b"text/html", b"text/html", {}),
        (b"text/html;charset=utf-8", b"text/html", {b"charset": b"utf-8"}),
        (b'Text/HTML;Charset="utf-8"', b"Text/HTML", {b"charset": b"utf-8"}),
        (b'text/html; charset="utf-8" ; q=0.5', b"text/html", {b"charset": b"utf-8", b"q": b"0.5"}),
        (b'a; b="c;d"; e=f', b"a", {b"b": b"c;d", b"e": b"f"}),
        (rb'a; b="c\"d"', b"a", {b"b": b'c"d'}),
        (b"a;;b=c; ;", b"a", {b"b": b"c"}),
        (b"a; b; =c; d=e", b"a", {b"d": b"e"}),
        (b"a; b=1; B=2", b"a", {b"b": b"1"}),
        (b"a; b=", b"a", {b"b": b""}),
        (b"; b=c", b"", {b"b": b"c"}),
        (b"", b"", {}),
    ],
)
def test_parameters_follow_semicolons(
    element: bytes, first: bytes, parameters: dict[bytes, bytes]
) -> None:
    assert split_parameters(element) == (first, parameters)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", b"plain"),
        (b'""', b""),
        (b'"a b"', b"a b"),
        (rb'"a\"b\\c"', rb'a"b\c'),
        (b'"', b'"'),
        (b'"open', b'"open'),
        (b"", b""),
    ],
)
def test_a_quoted_string_stands_for_its_text(value: bytes, text: bytes) -> None:
    assert unquote(value) == text


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF)))
def test_unquoting_undoes_quoting(text: str) -> None:
    quoted = quote(text).encode("latin-1")
    assert unquote(quoted).decode("latin-1") == text
    assert split_list(quoted + b", b") == [quoted, b"b"]


@given(st.binary() | st.text('",;\\= ab').map(str.encode))
def test_anything_can_be_taken_apart(value: bytes) -> None:
    for element in split_list(value):
        assert element
        split_parameters(element)
    split_parameters(value)


def test_a_hostile_value_takes_no_longer_than_its_length() -> None:
    for value in (b'"' * 16384, b'a"' * 8192, b'"\\' * 8192, b";=" * 8192, b", " * 8192):
        split_list(value)
        split_parameters(value)
