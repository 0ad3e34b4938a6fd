"""Header fields as handlers see them."""

from __future__ import annotations

import pytest

from riverrun.http.headers import FieldView, Headers

FIELDS = {b"host": b"a", b"x-name": b"caf\xe9"}


@pytest.mark.parametrize("name", ["host", "Host", "HOST"])
def test_a_view_is_asked_in_any_case(name: str) -> None:
    view = FieldView(FIELDS)
    assert view[name] == "a"
    assert name in view
    assert view.get(name) == "a"


def test_a_view_gives_values_as_text() -> None:
    assert FieldView(FIELDS)["x-name"] == "café"


@pytest.mark.parametrize("name", ["absent", "", "é", "名"])
def test_a_view_has_nothing_that_did_not_come(name: str) -> None:
    view = FieldView(FIELDS)
    assert name not in view
    assert view.get(name) is None
    with pytest.raises(KeyError):
        view[name]


def test_a_view_is_a_mapping() -> None:
    view = FieldView(FIELDS)
    assert list(view) == ["host", "x-name"]
    assert len(view) == 2
    assert dict(view) == {"host": "a", "x-name": "café"}
    assert repr(view) == "FieldView({'host': 'a', 'x-name': 'café'})"


def test_headers_are_set_read_and_deleted_in_any_case() -> None:
    headers = Headers({"ETag": "a"})
    headers["etag"] = "b"
    assert headers["ETAG"] == "b"
    assert "eTag" in headers
    assert list(headers) == ["etag"]
    del headers["ETag"]
    assert len(headers) == 0
    with pytest.raises(KeyError):
        headers["etag"]


def test_setting_replaces_and_adding_repeats() -> None:
    headers = Headers()
    headers.add("Set-Cookie", "a=1")
    headers.add("set-cookie", "b=2")
    assert headers["set-cookie"] == "a=1, b=2"
    assert headers.render() == b"set-cookie: a=1\r\nset-cookie: b=2\r\n"
    headers["Set-Cookie"] = "c=3"
    assert headers.render() == b"set-cookie: c=3\r\n"


def test_rendering_leaves_out_what_it_is_told_to() -> None:
    headers = Headers({"A": "1", "B": "2", "C": "3"})
    headers.add("b", "4")
    assert headers.render(without={"b", "d"}) == b"a: 1\r\nc: 3\r\n"
    assert headers["b"] == "2, 4"


def test_no_headers_render_to_nothing() -> None:
    assert Headers().render() == b""
    assert repr(Headers({"A": "b"})) == "Headers({'a': 'b'})"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "a"),
        ("a b", "c"),
        ("a:", "b"),
        ("a\r\nb", "c"),
        ("é", "a"),
        ("(a)", "b"),
        ("a", "b\r\nc: d"),
        ("a", "b\nc"),
        ("a", "b\rc"),
        ("a", "b\0c"),
        ("a", "b\x7fc"),
        ("a", "b\x1fc"),
        ("a", "名"),
        ("a", "b\u2028c"),
        ("a", "\x85\u0100"),
    ],
)
def test_what_may_not_be_sent_is_refused_when_it_is_set(name: str, value: str) -> None:
    headers = Headers()
    with pytest.raises(ValueError):  # noqa: PT011
        headers[name] = value
    with pytest.raises(ValueError):  # noqa: PT011
        headers.add(name, value)
    with pytest.raises(ValueError):  # noqa: PT011
        Headers({name: value})
    assert headers.render() == b""


@pytest.mark.parametrize("value", ["", "a", "a b", "a\tb", "café", '"quoted"', "~"])
def test_what_may_be_sent_is_sent_as_it_is(value: str) -> None:
    assert Headers({"x": value}).render() == b"x: " + value.encode("latin-1") + b"\r\n"
