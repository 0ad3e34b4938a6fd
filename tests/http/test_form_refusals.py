"""What is refused of forms: what is none, what is malformed, and what goes beyond a limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from tests.http.bodies import gone
from tests.http.forms import (
    BOUNDARY,
    MULTIPART,
    URLENCODED,
    Got,
    field,
    multipart_of,
    named,
    one_by_one,
    outcome_of,
    parts_of,
    request_of,
)

from riverrun.errors import HTTPError
from riverrun.http.forms import Form, Part
from riverrun.http.limits import KIB, MIB, Limits
from riverrun.http.request import Request

START = f"--{BOUNDARY}\r\n"
NAMED = 'Content-Disposition: form-data; name="a"\r\n'
END = f"\r\n--{BOUNDARY}--\r\n"


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "multipart/mixed; boundary=a", "multipart", "application/json"],
)
def test_a_body_that_is_no_form_is_refused(content_type: str | None) -> None:
    with pytest.raises(HTTPError) as raised:
        request_of([b"a=b"], content_type).form()
    assert raised.value.status == 415
    assert raised.value.headers["accept"] == f"multipart/form-data, {URLENCODED}"


@pytest.mark.parametrize(
    ("parameter", "valid"),
    [
        ("", False),
        ("; boundary=", False),
        ('; boundary=""', False),
        ("; charset=utf-8", False),
        ("; boundary=" + "a" * 70, True),
        ("; boundary=" + "a" * 71, False),
        ('; boundary="a "', False),
        ('; boundary="a b"', True),
        ('; boundary="\'()+_,-./:=?"', True),
        ("; boundary=a*b", False),
        ('; boundary="a\\"b"', False),
        ("; boundary=fl\xfc", False),
        ("; Boundary=a", True),
        ("; charset=utf-8; boundary=a", True),
    ],
)
def test_a_boundary_is_one_or_is_refused(parameter: str, valid: bool) -> None:
    request = request_of([], "multipart/form-data" + parameter)
    if valid:
        assert isinstance(request.form(), Form)
    else:
        with pytest.raises(HTTPError) as raised:
            request.form()
        assert raised.value.status == 400


MALFORMED = {
    "nothing": "",
    "no delimiter": "a form",
    "line ends only": "\r\n\r\n",
    "something before the first delimiter": "x\r\n" + START + NAMED + "\r\n" + END,
    "another boundary": "--another--\r\n",
    "a longer boundary": f"--{BOUNDARY}x\r\n" + NAMED + "\r\n" + END,
    "the start of a delimiter": f"--{BOUNDARY}",
    "a delimiter with LF": f"--{BOUNDARY}\n" + NAMED + "\r\n" + END,
    "no head": START,
    "half a head": START + NAMED,
    "no end": START + NAMED + "\r\nx",
    "half a last delimiter": START + NAMED + "\r\nx" + END[:-4],
    "no last delimiter": START + NAMED + "\r\nx\r\n" + START,
    "a longer boundary after a part": START + NAMED + f"\r\n\r\n--{BOUNDARY}x" + END,
    "no disposition": START + "Content-Type: text/plain\r\n\r\n" + END,
    "an empty head": START + "\r\n" + END,
    "another disposition": START + 'Content-Disposition: attachment; name="a"\r\n\r\n' + END,
    "no name": START + "Content-Disposition: form-data\r\n\r\n" + END,
    "no name but a file name": START + 'Content-Disposition: form-data; filename="a"\r\n\r\n' + END,
    "two names": START + "Content-Disposition: form-data; name=a; name=b\r\n\r\n" + END,
    "two dispositions": START + NAMED * 2 + "\r\n" + END,
    "two types": START + NAMED + "Content-Type: a/b\r\ncontent-type: c/d\r\n\r\n" + END,
    "a quote that is not closed": START + 'Content-Disposition: form-data; name="a\r\n\r\n' + END,
    "something between": START + "Content-Disposition: form-data; name=a b\r\n\r\n" + END,
    "a line without a colon": START + NAMED + "X\r\n\r\n" + END,
    "a line without a name": START + NAMED + ": x\r\n\r\n" + END,
    "a space before the colon": START + NAMED + "X : x\r\n\r\n" + END,
    "a line that goes on": START + NAMED + "X: x\r\n y\r\n\r\n" + END,
    "a bare LF in a head": START + NAMED + "X: x\nY: y\r\n\r\n" + END,
    "a bare CR in a head": START + NAMED + "X: x\rY: y\r\n\r\n" + END,
    "a NUL in a head": START + NAMED + "X: \0\r\n\r\n" + END,
    "an LF before a line": START + "\n" + NAMED + "\r\n" + END,
    "more than its Content-Length": START + NAMED + "Content-Length: 1\r\n\r\nxx" + END,
    "less than its Content-Length": START + NAMED + "Content-Length: 3\r\n\r\nxx" + END,
    "no Content-Length": START + NAMED + "Content-Length: x\r\n\r\nxx" + END,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_a_form_that_is_malformed_is_refused(body: str) -> None:
    assert await outcome_of(request_of([body.encode()])) == 400
    assert await outcome_of(request_of(one_by_one(body.encode()))) == 400


async def test_a_head_that_is_not_utf_8_is_refused() -> None:
    body = multipart_of(named("fluß")).decode().encode("latin-1")
    assert await outcome_of(request_of([body])) == 400


async def test_what_was_wrong_is_raised_by_every_later_call() -> None:
    request = request_of([multipart_of(named("a", b"x"), b"", b"X")])
    form = request.form()
    part = await anext(form)
    errors = []
    for call in (part.read, part.read, part.read, form.__anext__, form.__anext__):
        try:
            await call()
        except HTTPError as error:
            errors.append(error)
    assert [error.status for error in errors] == [400] * len(errors)
    assert len(errors) >= 4
    assert errors[0].detail is not None
    assert errors[0].detail.startswith("The form ")


async def text_of(request: Request) -> str:
    return await (await anext(request.form())).text()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(multipart_of(named("a", b"fl\xfc")), MULTIPART), (b"a=fl%FC", URLENCODED)],
)
async def test_text_that_is_no_utf_8_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(HTTPError) as raised:
        await text_of(request_of([body], content_type))
    assert raised.value.status == 400


async def test_a_name_that_is_no_utf_8_is_refused() -> None:
    assert await outcome_of(request_of([b"a=b&fl%FC=c"], URLENCODED)) == 400


# The limits: what just meets one is taken, whole and byte by byte, and what goes beyond is not.

Chunks = Callable[[bytes], list[bytes]]
cuts = pytest.mark.parametrize("chunks", [lambda body: [body], one_by_one], ids=["whole", "bytes"])


@cuts
async def test_a_form_has_at_most_128_parts(chunks: Chunks) -> None:
    for count, refused in ((128, False), (129, True)):
        for body, content_type in (
            (multipart_of(named("a", b"x") * count), MULTIPART),
            (b"&".join([b"a=x"] * count), URLENCODED),
        ):
            outcome = await outcome_of(request_of(chunks(body), content_type))
            assert outcome == 413 if refused else len(outcome) == count  # type: ignore[arg-type]


@cuts
async def test_a_part_has_at_most_8_header_fields(chunks: Chunks) -> None:
    for count, outcome in ((7, None), (8, 431)):
        lines = [f"X-{number}: x" for number in range(count)]
        body = multipart_of(field('form-data; name="a"', b"x", *lines))
        got = await outcome_of(request_of(chunks(body)))
        assert got == outcome if outcome else isinstance(got, list)


@cuts
async def test_a_header_field_of_a_part_has_at_most_4_kib(chunks: Chunks) -> None:
    for size, outcome in ((4 * KIB, None), (4 * KIB + 1, 431), (4 * KIB + 2, 431), (MIB, 431)):
        line = "X-Long: " + "x" * (size - 8)
        body = multipart_of(field('form-data; name="a"', b"x", line))
        got = await outcome_of(request_of(chunks(body)))
        assert got == outcome if outcome else isinstance(got, list)


@cuts
async def test_a_header_field_that_never_ends_is_refused_before_it_has_come(chunks: Chunks) -> None:
    body = START.encode() + b"X-Long: " + b"x" * 5 * KIB
    request = request_of(chunks(body), failure=gone())
    with pytest.raises(HTTPError) as raised:
        await parts_of(request)
    assert raised.value.status == 431


async def test_a_text_field_has_at_most_64_kib() -> None:
    for size, refused in ((64 * KIB, False), (64 * KIB + 1, True)):
        for body, content_type in (
            (multipart_of(named("a", b"x" * size)), MULTIPART),
            (b"a=" + b"x" * size, URLENCODED),
        ):
            request = request_of([body], content_type)
            if refused:
                with pytest.raises(HTTPError) as raised:
                    await text_of(request)
                assert raised.value.status == 413
            else:
                assert len(await text_of(request)) == size


async def test_a_part_that_is_read_as_a_stream_has_no_limit() -> None:
    body = multipart_of(named("a", b"x" * 3 * MIB))
    (part,) = await parts_of(request_of([body]))
    assert len(part.data) == 3 * MIB


@pytest.mark.parametrize("declared", [True, False])
async def test_an_urlencoded_form_is_limited_to_1_mib(declared: bool) -> None:
    for size, refused in ((MIB, False), (MIB + 1, True)):
        body = b"a=" + b"x" * (size - 2)
        request = request_of(
            [body[:1000], body[1000:]], URLENCODED, length=size if declared else None
        )
        outcome = await outcome_of(request)
        if refused:
            assert outcome == 413
        else:
            assert outcome == [Got("a", None, "text/plain", body[2:])]


def test_an_urlencoded_form_beyond_it_is_refused_before_it_is_read() -> None:
    request = request_of([], URLENCODED, length=1 << 40)
    request.on_first_read = lambda: pytest.fail("it was read")
    with pytest.raises(HTTPError) as raised:
        request.form()
    assert raised.value.status == 413


Read = Callable[[Request], Awaitable[object]]
TWO_PARTS = multipart_of(named("a", b"four") * 2)


@pytest.mark.parametrize(
    ("limits", "body", "content_type", "read", "status"),
    [
        (Limits(part_count=1), TWO_PARTS, MULTIPART, parts_of, 413),
        (Limits(part_count=1), b"a=b&c=d", URLENCODED, parts_of, 413),
        (Limits(part_field_size=20), TWO_PARTS, MULTIPART, parts_of, 431),
        (
            Limits(part_field_count=1),
            multipart_of(field("form-data; name=a", b"", "X: x")),
            MULTIPART,
            parts_of,
            431,
        ),
        (Limits(text_field_size=3), TWO_PARTS, MULTIPART, text_of, 413),
        (Limits(text_field_size=3), b"a=four", URLENCODED, text_of, 413),
        (Limits(whole_body_size=5), b"a=four", URLENCODED, text_of, 413),
    ],
)
async def test_the_limits_are_the_servers_to_set(
    limits: Limits, body: bytes, content_type: str, read: Read, status: int
) -> None:
    with pytest.raises(HTTPError) as raised:
        await read(request_of([body], content_type, limits=limits))
    assert raised.value.status == status


async def test_a_part_beyond_the_servers_limit_of_bodies_is_refused() -> None:
    """What the body raises comes through the part, again at every call."""
    request = request_of([named("a", b"x" * 9)[:-5]], failure=HTTPError(413))
    part: Part = await anext(request.form())
    statuses = []
    for _ in range(3):
        try:
            await part.read()
        except HTTPError as error:
            statuses.append(error.status)
    assert statuses == [413] * len(statuses)
    assert len(statuses) >= 2
