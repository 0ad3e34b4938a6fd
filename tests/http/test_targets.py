from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.errors import HTTPError
from riverrun.http.targets import (
    REMEMBERED_LENGTH,
    Form,
    encode_path,
    encode_segment,
    parse_query,
    parse_target,
)


def refused(method: str, raw: bytes) -> bool:
    try:
        parse_target(method, raw)
    except HTTPError as error:
        return error.status == 400
    return False


# RFC 9112, 3.2.1 to 3.2.4
@pytest.mark.parametrize(
    ("method", "raw", "parts"),
    [
        ("GET", b"/", (Form.ORIGIN, "/", b"", None)),
        ("GET", b"/where?q=now", (Form.ORIGIN, "/where", b"q=now", None)),
        ("GET", b"/where?", (Form.ORIGIN, "/where", b"", None)),
        ("GET", b"/?a?b=/c", (Form.ORIGIN, "/", b"a?b=/c", None)),
        ("GET", b"/a%20b?c%20d", (Form.ORIGIN, "/a b", b"c%20d", None)),
        ("GET", b"/a:b@c;d=e,f!$&'()*+", (Form.ORIGIN, "/a:b@c;d=e,f!$&'()*+", b"", None)),
        ("GET", b'/[a]|{b}^`"<>', (Form.ORIGIN, '/[a]|{b}^`"<>', b"", None)),
        ("OPTIONS", b"/a", (Form.ORIGIN, "/a", b"", None)),
        ("GET", b"http://a.example/b.html", (Form.ABSOLUTE, "/b.html", b"", b"a.example")),
        ("GET", b"HTTPS://a:8443/b?c", (Form.ABSOLUTE, "/b", b"c", b"a:8443")),
        ("GET", b"http://a", (Form.ABSOLUTE, "/", b"", b"a")),
        ("GET", b"http://a?b", (Form.ABSOLUTE, "/", b"b", b"a")),
        ("GET", b"http://[::1]:80/", (Form.ABSOLUTE, "/", b"", b"[::1]:80")),
        ("OPTIONS", b"http://a/", (Form.ABSOLUTE, "/", b"", b"a")),
        ("OPTIONS", b"http://a:8001", (Form.ASTERISK, "", b"", b"a:8001")),
        ("OPTIONS", b"*", (Form.ASTERISK, "", b"", None)),
        ("CONNECT", b"a.example:80", (Form.AUTHORITY, "", b"", b"a.example:80")),
        ("CONNECT", b"[::1]:443", (Form.AUTHORITY, "", b"", b"[::1]:443")),
    ],
)
def test_a_target_has_one_of_four_forms(
    method: str, raw: bytes, parts: tuple[Form, str, bytes, bytes | None]
) -> None:
    target = parse_target(method, raw)
    assert target.raw == raw
    assert (target.form, target.path, target.query, target.authority) == parts


@pytest.mark.parametrize(
    ("method", "raw"),
    [
        ("GET", b""),
        ("GET", b"*"),
        ("GET", b"a"),
        ("GET", b"a/b"),
        ("GET", b"?a"),
        ("GET", b"example.com:80"),
        ("GET", b"http:/a"),
        ("GET", b"http://"),
        ("GET", b"http:///a"),
        ("GET", b"http://:80/"),
        ("GET", b"http://user@a/"),
        ("GET", b"http://user:password@a/"),
        ("GET", b"http://a:x/"),
        ("GET", b"http://a b/"),
        ("GET", b"ftp://a/b"),
        ("GET", b"file:///etc/passwd"),
        ("GET", b"/a#b"),
        ("GET", b"/a b"),
        ("GET", b"/a\tb"),
        ("GET", b"/a\r\nb"),
        ("GET", b"/a\n"),
        ("GET", b"/a\0b"),
        ("GET", b"/a\x7f"),
        ("GET", "/ä".encode()),
        ("GET", b"/a?\xff"),
        ("GET", b"\\a"),
        ("OPTIONS", b"**"),
        ("OPTIONS", b"*?a"),
        ("OPTIONS", b"a"),
        ("CONNECT", b"/"),
        ("CONNECT", b"*"),
        ("CONNECT", b"a"),
        ("CONNECT", b"a:"),
        ("CONNECT", b"a:0"),
        ("CONNECT", b"a:65536"),
        ("CONNECT", b"a:80/"),
        ("CONNECT", b"user@a:80"),
        ("CONNECT", b"http://a:80/"),
    ],
)
def test_any_other_target_is_refused(method: str, raw: bytes) -> None:
    assert refused(method, raw)


@pytest.mark.parametrize(
    ("raw", "segments", "trailing_slash"),
    [
        (b"/", (), True),
        (b"/a", ("a",), False),
        (b"/a/", ("a",), True),
        (b"/a/b.txt", ("a", "b.txt"), False),
        (b"/a/b.txt?c/../d", ("a", "b.txt"), False),
        (b"/%61", ("a",), False),
        (b"/a%20b+c", ("a b+c",), False),
        (b"/caf%C3%A9", ("café",), False),
        (b"/caf%c3%a9", ("café",), False),
        (b"/%FF%FE", ("\udcff\udcfe",), False),
        (b"/a%0Ab", ("a\nb",), False),
        (b"/a%5Cb", ("a\\b",), False),
        (b"/a%3Fb%23c", ("a?b#c",), False),
        (b"/100%25", ("100%",), False),
        (b"/%252e%252e", ("%2e%2e",), False),  # decoded once, never twice
        (b"/.a", (".a",), False),
        (b"/...", ("...",), False),
        (b"/a..", ("a..",), False),
        (b"/~/flows", ("~", "flows"), False),
        (b"/%c0%ae%c0%ae", ("\udcc0\udcae\udcc0\udcae",), False),  # no overlong dots
        (b"/a%c0%afb", ("a\udcc0\udcafb",), False),  # nor slashes
        (b"http://h/a/b/", ("a", "b"), True),
        (b"http://h", (), True),
    ],
)
def test_a_path_is_a_sequence_of_names(
    raw: bytes, segments: tuple[str, ...], trailing_slash: bool
) -> None:
    target = parse_target("GET", raw)
    assert target.segments == segments
    assert target.trailing_slash is trailing_slash


@pytest.mark.parametrize(
    "raw",
    [
        b"/..",
        b"/.",
        b"/../",
        b"/./",
        b"/a/..",
        b"/a/../b",
        b"/a/./b",
        b"/../../etc/passwd",
        b"/%2e",
        b"/%2E%2e",
        b"/.%2e",
        b"/%2e.",
        b"/a/%2e%2e/b",
        b"/%2e%2e%2fetc",
        b"//",
        b"///",
        b"//a",
        b"/a//b",
        b"/a//",
        b"//example.com/a",
        b"/a%2Fb",
        b"/a%2fb",
        b"/%2F",
        b"/%2f%2fexample.com",
        b"/..%2f..%2fetc",
        b"/a%00",
        b"/a%00.txt",
        b"/a\\b",
        b"/..\\..\\a",
        b"/\\\\a",
        b"/%",
        b"/%1",
        b"/%zz",
        b"/a%2",
        b"/%%61",
        b"/a%u0041",
        b"http://h//a",
        b"http://h/..",
    ],
)
def test_a_path_that_is_no_sequence_of_names_is_refused_when_it_is_looked_up(raw: bytes) -> None:
    target = parse_target("GET", raw)
    for _ in range(2):
        with pytest.raises(HTTPError) as refusal:
            _ = target.segments
        assert refusal.value.status == 400
    assert target.raw_path in raw


def test_a_target_is_parsed_the_same_however_long_it_is() -> None:
    for length in range(REMEMBERED_LENGTH - 2, REMEMBERED_LENGTH + 3):
        raw = b"/" + b"a" * (length - 1)
        for _ in range(2):
            assert parse_target("GET", raw).segments == ("a" * (length - 1),)


def test_the_method_counts_for_the_same_target() -> None:
    assert parse_target("OPTIONS", b"*").form is Form.ASTERISK
    assert refused("GET", b"*")
    assert parse_target("OPTIONS", b"*").form is Form.ASTERISK


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        (b"", []),
        (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        (b"a&b=&=c", [("a", ""), ("b", ""), ("", "c")]),
        (b"a+b=c%2Bd", [("a b", "c+d")]),
        (b"caf%C3%A9=%e2%82%ac", [("café", "€")]),
        (b"a=%FF", [("a", "\ufffd")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"a=1;b=2", [("a", "1;b=2")]),
        (b"&&a=1&", [("a", "1")]),
        (b"a=%zz", [("a", "%zz")]),
    ],
)
def test_a_query_is_read_as_a_form_is(query: bytes, parameters: list[tuple[str, str]]) -> None:
    assert parse_query(query) == parameters


@pytest.mark.parametrize(
    ("segment", "encoded"),
    [
        ("a.txt", "a.txt"),
        ("a b", "a%20b"),
        ("café", "caf%C3%A9"),
        ("100%", "100%25"),
        ("a?b#c", "a%3Fb%23c"),
        ("a/b", "a%2Fb"),
        ("a\\b", "a%5Cb"),
        ("a:b", "a%3Ab"),  # a link to it must not look like a scheme
        ("<\"'&>", "%3C%22%27%26%3E"),
        ("a\r\nb", "a%0D%0Ab"),
        ("\udcff", "%FF"),
    ],
)
def test_a_name_is_encoded_for_links(segment: str, encoded: str) -> None:
    assert encode_segment(segment) == encoded


@pytest.mark.parametrize(
    ("segments", "trailing_slash", "path"),
    [
        ((), False, "/"),
        ((), True, "/"),
        (("a",), False, "/a"),
        (("a",), True, "/a/"),
        (("a b", "ü"), False, "/a%20b/%C3%BC"),
    ],
)
def test_a_path_is_encoded_for_location(
    segments: tuple[str, ...], trailing_slash: bool, path: str
) -> None:
    assert encode_path(segments, trailing_slash=trailing_slash) == path


@pytest.mark.parametrize("segments", [("",), (".",), ("..",), ("", "example.com"), ("a", "..")])
def test_a_path_that_leads_elsewhere_is_not_encoded(segments: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="no path"):
        encode_path(segments)


NOT_NAMES = {"", ".", ".."}
NAMES = st.binary(min_size=1).map(lambda name: name.decode("utf-8", "surrogateescape"))
FILE_NAMES = NAMES.filter(lambda name: name not in NOT_NAMES and not set(name) & {"/", "\0"})


@given(st.lists(FILE_NAMES), st.booleans())
def test_decoding_undoes_encoding(names: list[str], trailing_slash: bool) -> None:
    path = encode_path(names, trailing_slash=trailing_slash)
    target = parse_target("GET", path.encode("ascii"))
    assert target.segments == tuple(names)
    assert target.trailing_slash is (trailing_slash or not names)


PIECES = ["/", ".", "..", "%2e", "%2F", "%00", "%5c", "\\", "a", "%", "?", "#", "http://", "é", "@"]


@given(
    st.sampled_from(["GET", "OPTIONS", "CONNECT"]),
    st.binary(max_size=400) | st.lists(st.sampled_from(PIECES)).map(lambda p: "".join(p).encode()),
)
def test_no_target_climbs(method: str, raw: bytes) -> None:
    if refused(method, raw):
        return
    target = parse_target(method, raw)
    try:
        segments = target.segments
    except HTTPError:
        return
    assert NOT_NAMES.isdisjoint(segments)
    path = "/".join(("/root", *segments))
    assert posixpath.normpath(path) == path
    assert not any("/" in segment or "\0" in segment for segment in segments)


@given(st.binary())
def test_any_query_can_be_read(query: bytes) -> None:
    for name, value in parse_query(query):
        (name + value).encode("utf-8")  # no surrogate escapes: these are no file names
