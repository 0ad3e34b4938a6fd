"""The heads of responses: how the body behind is framed, and what is said of it (RFC 9112, 6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.http.wires import Answer

from riverrun.http.framing import CHUNKED, COUNTED, NONE, UNTIL_CLOSE, Framing
from riverrun.http.headers import Headers
from riverrun.http.heads import declared_length, render_head, render_informational
from riverrun.http.request import Request

LENGTH = b"content-length"
CODING = b"transfer-encoding"
CONNECTION = b"connection"
SERVER = b"server: test\r\n"


def rendered(
    method: str = "GET",
    status: int = 200,
    *,
    http_1_0: bool = False,
    headers: Headers | None = None,
    prepared: bytes = b"",
    declared: int | None = None,
    length: int | None = 5,
    keep_alive: bool = True,
) -> tuple[Answer, Framing, int | None, bool]:
    """What `render_head` decides, and the head taken apart."""
    request = Request(method, b"/", {}, http_1_0=http_1_0)
    head, framing, expected, kept = render_head(
        request, status, headers, prepared, SERVER, declared, length, keep_alive
    )
    assert head.count(b"\r\n\r\n") == 1
    return Answer.parse(head), framing, expected, kept


@pytest.mark.parametrize(
    ("method", "status", "http_1_0", "declared", "length", "framing", "expected", "said"),
    [
        # The length is known: the body is counted, and its length said unless it has been.
        ("GET", 200, False, None, 5, COUNTED, 5, b"5"),
        ("GET", 200, False, None, 0, COUNTED, 0, b"0"),
        ("GET", 200, True, None, 5, COUNTED, 5, b"5"),
        ("POST", 404, False, None, 5, COUNTED, 5, b"5"),
        ("GET", 200, False, 5, None, COUNTED, 5, None),
        ("GET", 200, True, 5, None, COUNTED, 5, None),
        ("GET", 200, False, 5, 3, COUNTED, 5, None),
        ("GET", 200, False, 0, None, COUNTED, 0, None),
        # It is not: chunked, and for HTTP/1.0 until the close.
        ("GET", 200, False, None, None, CHUNKED, None, None),
        ("PATCH", 500, False, None, None, CHUNKED, None, None),
        ("GET", 200, True, None, None, UNTIL_CLOSE, None, None),
        # No body for HEAD, whose answer says what that to GET would: nothing, if that is not known.
        ("HEAD", 200, False, None, 5, NONE, 5, b"5"),
        ("HEAD", 200, True, None, 5, NONE, 5, b"5"),
        ("HEAD", 200, False, None, 0, NONE, None, None),
        ("HEAD", 200, False, None, None, NONE, None, None),
        ("HEAD", 200, True, None, None, NONE, None, None),
        ("HEAD", 200, False, 1000, 0, NONE, 1000, None),
        # Nor for these statuses, and of them only 304 may say a length, if the handler does.
        ("GET", 204, False, None, 0, NONE, None, None),
        ("GET", 204, False, None, 5, NONE, None, None),
        ("GET", 204, True, None, None, NONE, None, None),
        ("GET", 304, False, None, 0, NONE, None, None),
        ("GET", 304, False, None, 5, NONE, None, None),
        ("GET", 304, False, 1000, 0, NONE, 1000, None),
        ("HEAD", 304, False, None, 5, NONE, None, None),
    ],
)
def test_the_framing_follows_from_the_request_the_status_and_the_length(
    method: str,
    status: int,
    http_1_0: bool,
    declared: int | None,
    length: int | None,
    framing: Framing,
    expected: int | None,
    said: bytes | None,
) -> None:
    answer, chosen, body_length, kept = rendered(
        method, status, http_1_0=http_1_0, declared=declared, length=length
    )
    assert (chosen, body_length) == (framing, expected)
    assert answer[LENGTH] == said
    assert answer[CODING] == (b"chunked" if framing is CHUNKED else None)
    assert kept is (framing is not UNTIL_CLOSE)


@pytest.mark.parametrize(
    ("http_1_0", "keep_alive", "length", "given", "kept", "said"),
    [
        (False, True, 5, None, True, None),
        (False, True, None, None, True, None),
        (False, False, 5, None, False, b"close"),
        (True, True, 5, None, True, b"keep-alive"),
        (True, False, 5, None, False, b"close"),
        (True, True, None, None, False, b"close"),
        # What the handler says of it is heard, but only ever closes.
        (False, True, 5, "close", False, b"close"),
        (False, True, None, "Close", False, b"close"),
        (True, True, 5, "upgrade, CLOSE", False, b"close"),
        (False, True, 5, "keep-alive", True, None),
        (False, False, 5, "keep-alive", False, b"close"),
    ],
)
def test_whether_another_request_may_follow_is_decided_and_said_once(
    http_1_0: bool,
    keep_alive: bool,
    length: int | None,
    given: str | None,
    kept: bool,
    said: bytes | None,
) -> None:
    headers = None if given is None else Headers({"Connection": given})
    answer, _, _, goes_on = rendered(
        http_1_0=http_1_0, keep_alive=keep_alive, length=length, headers=headers
    )
    assert (goes_on, answer[CONNECTION]) == (kept, said)


def test_the_fields_of_the_server_come_first_and_those_of_the_framing_last() -> None:
    answer, *_ = rendered(
        headers=Headers({"ETag": '"a"', "vary": "accept"}), prepared=b"x: prepared\r\n"
    )
    assert answer.status_line == b"HTTP/1.1 200 OK"
    assert answer.fields == [
        (b"server", b"test"),
        (b"etag", b'"a"'),
        (b"vary", b"accept"),
        (b"x", b"prepared"),
        (b"content-length", b"5"),
    ]


@pytest.mark.parametrize(
    ("status", "left"), [(200, [b"5"]), (404, [b"5"]), (304, [b"5"]), (204, [])]
)
def test_fields_that_are_not_the_handlers_are_left_out(status: int, left: list[bytes]) -> None:
    headers = Headers({"Content-Length": "5", "Transfer-Encoding": "gzip", "Connection": "x-hop"})
    answer, *_ = rendered(status=status, headers=headers, declared=5)
    assert answer.all(LENGTH) == left
    assert answer.all(CODING) == answer.all(CONNECTION) == []
    assert len(headers) == 3  # they are the handler's, and stay as they were


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (200, b"HTTP/1.1 200 OK"),
        (299, b"HTTP/1.1 299 "),
        (413, b"HTTP/1.1 413 Content Too Large"),
        (460, b"HTTP/1.1 460 Checksum Mismatch"),
        (599, b"HTTP/1.1 599 "),
    ],
)
def test_a_status_line_has_a_phrase_if_there_is_one(status: int, line: bytes) -> None:
    answer, *_ = rendered(status=status)
    assert answer.status_line == line


@pytest.mark.parametrize("status", [-200, 0, 99, 100, 101, 103, 104, 199, 600, 1000])
def test_a_status_that_is_not_final_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match="status"):
        rendered(status=status)


@given(
    method=st.sampled_from(["GET", "HEAD", "POST"]),
    status=st.integers(200, 599),
    http_1_0=st.booleans(),
    keep_alive=st.booleans(),
    names=st.sets(st.sampled_from(["connection", "transfer-encoding", "x-other"])),
    declared=st.none() | st.integers(0, 10),
    length=st.none() | st.integers(0, 10),
)
def test_the_client_is_told_how_the_body_is_framed(
    method: str,
    status: int,
    http_1_0: bool,
    keep_alive: bool,
    names: set[str],
    declared: int | None,
    length: int | None,
) -> None:
    """Invariant: who reads the head as RFC 9112, 6.3 says finds the framing that was chosen."""
    headers = Headers(dict.fromkeys(names, "close"))
    if declared is not None:
        headers["content-length"] = str(declared)
    answer, framing, expected, kept = rendered(
        method,
        status,
        http_1_0=http_1_0,
        headers=headers,
        declared=declared,
        length=length,
        keep_alive=keep_alive,
    )
    if method == "HEAD" or status in (204, 304):
        found = NONE
    elif answer[CODING] == b"chunked":
        found = CHUNKED
    elif answer[LENGTH] is not None:
        found = COUNTED
    else:
        found = UNTIL_CLOSE
    assert found is framing
    assert (answer[LENGTH] is None) or (answer[CODING] is None)
    if framing is COUNTED:
        assert int(answer[LENGTH] or b"") == expected
    assert kept is (answer[CONNECTION] != b"close")
    assert not (kept and framing is UNTIL_CLOSE)


@pytest.mark.parametrize(
    ("status", "headers", "rendered"),
    [
        (102, None, b"HTTP/1.1 102 Processing\r\n\r\n"),
        (103, {"Link": "</a>"}, b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
        (104, {}, b"HTTP/1.1 104 Upload Resumption Supported\r\n\r\n"),
        (199, {"a": "b"}, b"HTTP/1.1 199 \r\na: b\r\n\r\n"),
    ],
)
def test_an_informational_response_is_all_head(
    status: int, headers: dict[str, str] | None, rendered: bytes
) -> None:
    assert render_informational(status, headers) == rendered


@pytest.mark.parametrize(
    ("fields", "length"),
    [({}, None), ({"x": "5"}, None), ({"Content-Length": "0"}, 0), ({"content-length": "10"}, 10)],
)
def test_a_length_is_declared_by_its_field(fields: dict[str, str], length: int | None) -> None:
    assert declared_length(Headers(fields)) == length


@pytest.mark.parametrize("value", ["", "-1", "+5", "5.0", "0x5", "five", "5, 5", "1_0", "\xb2"])
def test_a_length_that_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="a number of bytes"):
        declared_length(Headers({"content-length": value}))
