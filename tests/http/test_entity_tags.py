from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.http.entity_tags import EntityTag, parse_entity_tag, parse_entity_tags

STRONG = EntityTag("xyzzy")
WEAK = EntityTag("xyzzy", weak=True)


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        # RFC 9110, 8.8.3
        (b'"xyzzy"', STRONG),
        (b'W/"xyzzy"', WEAK),
        (b'""', EntityTag("")),
        (b'W/""', EntityTag("", weak=True)),
        (b'"a,b"', EntityTag("a,b")),
        (b'"!#~"', EntityTag("!#~")),
        (rb'"a\"', EntityTag("a\\")),  # a backslash escapes nothing
        (b'"\x80\xff"', EntityTag("\x80\xff")),
        (b"", None),
        (b"*", None),
        (b"xyzzy", None),
        (b'"xyzzy', None),
        (b'xyzzy"', None),
        (b'w/"xyzzy"', None),  # case-sensitive
        (b'W/ "xyzzy"', None),
        (b'W"xyzzy"', None),
        (b'"a b"', None),
        (b'"a"b"', None),
        (b'"a\x7f"', None),
        (b'"a\n"', None),
        (b'"a", "b"', None),
        (b'"a" ', None),
        (b"'a'", None),
    ],
)
def test_a_tag_is_parsed(value: bytes, tag: EntityTag | None) -> None:
    assert parse_entity_tag(value) == tag
    if tag is not None:
        assert str(tag).encode("latin-1") == value


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        # RFC 9110, 13.1.1 and 13.1.2
        (b'"xyzzy"', ["xyzzy"]),
        (b'"xyzzy", "r2d2xxxx", "c3piozzzz"', ["xyzzy", "r2d2xxxx", "c3piozzzz"]),
        (b'W/"xyzzy", W/"r2d2xxxx"', ["xyzzy", "r2d2xxxx"]),
        (b'"a","b"', ["a", "b"]),
        (b'"a" ,\t"b"', ["a", "b"]),
        (b'"a,b", "c"', ["a,b", "c"]),
        (b', "a", , "b" ,', ["a", "b"]),
        (b"", None),
        (b",", None),
        (b"*", None),
        (b'*, "a"', None),
        (b'"a", *', None),
        (b"a", None),
        (b'"a" "b"', None),
        (b'"a", b', None),
        (b'"a", "b', None),
        (b'"a"\n', None),
    ],
)
def test_a_list_of_tags_is_parsed(value: bytes, tags: list[str] | None) -> None:
    parsed = parse_entity_tags(value)
    assert (None if parsed is None else [tag.opaque for tag in parsed]) == tags


def test_the_tags_of_a_list_keep_their_weakness() -> None:
    assert parse_entity_tags(b'W/"xyzzy", "xyzzy"') == [WEAK, STRONG]


@pytest.mark.parametrize(
    ("one", "other", "strongly", "weakly"),
    [
        # The table of RFC 9110, 8.8.3.2
        (b'W/"1"', b'W/"1"', False, True),
        (b'W/"1"', b'W/"2"', False, False),
        (b'W/"1"', b'"1"', False, True),
        (b'"1"', b'"1"', True, True),
    ],
)
def test_tags_compare_strongly_and_weakly(
    one: bytes, other: bytes, strongly: bool, weakly: bool
) -> None:
    first, second = parse_entity_tag(one), parse_entity_tag(other)
    assert first is not None
    assert second is not None
    assert first.equals_strongly(second) is second.equals_strongly(first) is strongly
    assert first.equals_weakly(second) is second.equals_weakly(first) is weakly


OPAQUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF)).filter(
    lambda text: not set(text) & {'"', "\x7f"}
)


@given(st.lists(st.builds(EntityTag, OPAQUE, st.booleans()), min_size=1))
def test_what_is_written_is_read_back(tags: list[EntityTag]) -> None:
    value = ", ".join(map(str, tags)).encode("latin-1")
    assert parse_entity_tags(value) == tags
    assert parse_entity_tag(value) == (tags[0] if len(tags) == 1 else None)


@given(st.binary() | st.text('W/", a*').map(str.encode))
def test_anything_is_a_list_of_tags_or_none(value: bytes) -> None:
    tags = parse_entity_tags(value)
    assert tags is None or len(tags) > 0


def test_a_hostile_list_takes_no_longer_than_its_length() -> None:
    for value in (b", " * 8192 + b"x", b'""' * 8192, b'"",' * 5461 + b"x", b'"' * 16384):
        assert parse_entity_tags(value) is None
