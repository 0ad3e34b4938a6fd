"""Forms, part by part: what the parts are, however the body is cut, and how they are read."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.http.bodies import Client, gone
from tests.http.forms import (
    BOUNDARY,
    MULTIPART,
    URLENCODED,
    Got,
    client_of,
    cut,
    field,
    multipart_of,
    named,
    one_by_one,
    outcome_of,
    parts_of,
    request_of,
)

from riverrun.errors import BusyError, ClosedError, DisconnectedError
from riverrun.http.forms import Form, Part
from riverrun.testing import check_readable, no_leaks

DELIMITER = f"\r\n--{BOUNDARY}".encode()
# Everything that is nearly a delimiter
TRICKY = b"\r\n--\r\r\n\r\n" + DELIMITER[:-1] + b"\r" + DELIMITER[:5] + DELIMITER[1:] + b"\n-\r\n"
FILE = field(
    'form-data; name="upload"; filename="a%22b.bin"', TRICKY, "Content-Type: application/x-a"
)
BODY = multipart_of(named("title", b"a river"), FILE, named("empty"), named("title", b"again"))
PARTS = [
    Got("title", None, "text/plain", b"a river"),
    Got("upload", 'a"b.bin', "application/x-a", TRICKY),
    Got("empty", None, "text/plain", b""),
    Got("title", None, "text/plain", b"again"),
]
EPILOGUES = [b"", b"\r\n", b"--", b"\r\nmore\r\n" + FILE, b"x" * 10_000]


@pytest.mark.parametrize("epilogue", EPILOGUES, ids=range(len(EPILOGUES)))
@pytest.mark.parametrize("preamble", [b"", b"\r\n", b"\r\n\r\n\n"])
async def test_a_form_whole_or_byte_by_byte(preamble: bytes, epilogue: bytes) -> None:
    body = preamble + BODY.removesuffix(b"\r\n") + epilogue
    assert await parts_of(request_of([body])) == PARTS
    assert await parts_of(request_of(one_by_one(body))) == PARTS


async def test_a_form_in_two_wherever_it_is_cut() -> None:
    for offset in range(len(BODY) + 1):
        assert await parts_of(request_of(cut(BODY, offset))) == PARTS


def flawed(drawn: tuple[bytes, int, int]) -> bytes:
    """The form with some bytes of it replaced by others."""
    wrong, offset, size = drawn
    return BODY[:offset] + wrong + BODY[offset + size :]


FLAWS = st.tuples(
    st.lists(st.sampled_from([b"\r", b"\n", b"-", b":", b'"', b" ", b"\0", b"x", DELIMITER])).map(
        b"".join
    ),
    st.integers(0, len(BODY)),
    st.integers(0, 5),
)


@given(FLAWS.map(flawed), st.lists(st.integers(0, len(BODY)), max_size=8))
def test_a_form_means_the_same_however_it_is_cut(body: bytes, offsets: list[int]) -> None:
    async def outcomes() -> None:
        whole = await outcome_of(request_of([body]))
        assert isinstance(whole, list) or whole == 400
        assert await outcome_of(request_of(cut(body, *offsets))) == whole
        assert await outcome_of(request_of(one_by_one(body))) == whole

    asyncio.run(outcomes())


@given(st.binary(), st.lists(st.integers(0, 400)))
def test_any_bytes_come_as_they_were_sent(data: bytes, offsets: list[int]) -> None:
    body = multipart_of(named("a", data), named("b", data[::-1]))
    parts = asyncio.run(parts_of(request_of(cut(body, *offsets))))
    assert [part.data for part in parts] == [data, data[::-1]]


async def test_a_form_without_parts() -> None:
    assert await parts_of(request_of(one_by_one(multipart_of()))) == []


@pytest.mark.parametrize(
    ("disposition", "name", "filename"),
    [
        # As browsers do (HTML Standard, 4.10.21.8)
        ('form-data; name="a"', "a", None),
        ('form-data; name=""', "", None),
        ('form-data; name="a"; filename=""', "a", ""),
        ('form-data; name="fluß"; filename="日本 😀.txt"', "fluß", "日本 😀.txt"),
        ('form-data; name="a%22b"; filename="%22%0D%0A%22"', 'a"b', '"\r\n"'),
        ('form-data; name="a"; filename="100%25 %2F %0a.txt"', "a", "100%25 %2F %0a.txt"),
        ('form-data; name="a"; filename="sub/folder/x.txt"', "a", "sub/folder/x.txt"),
        ('form-data; name="a"; filename="C:\\new\\x.txt"', "a", "C:\\new\\x.txt"),
        ('form-data; name="a"; filename="ends with \\"', "a", "ends with \\"),
        ('form-data; name="a;b=c"; filename="; name=x"', "a;b=c", "; name=x"),
        # As others do
        ("form-data; name=a; filename=x.txt", "a", "x.txt"),
        ("Form-Data ;NAME=a;FileName=x.txt;", "a", "x.txt"),
        ('form-data; filename="x.txt"; size=5; name="a"', "a", "x.txt"),
        ('form-data; name="a"; filename="say \\"hi\\" \\\\ %22"', "a", 'say "hi" \\ %22'),
        ('form-data; name="a"; filename="x\\"; name=\\"b"', "a", 'x"; name="b'),
        ('form-data; name="a"; filename="x\\"; name=b"', "a", 'x"; name=b'),
        # RFC 7578, 4.2: filename* is no part of forms
        ("form-data; name=\"a\"; filename*=UTF-8''b.txt", "a", None),
        ('form-data; name="a"; filename="c"; filename*=UTF-8\'\'b.txt', "a", "c"),
    ],
)
async def test_names_are_read_as_they_were_written(
    disposition: str, name: str, filename: str | None
) -> None:
    (part,) = await parts_of(request_of([multipart_of(field(disposition, b""))]))
    assert (part.name, part.filename) == (name, filename)


async def test_the_head_of_a_part() -> None:
    lines = ("content-TYPE: text/html; charset=utf-8 \t", "X-Where:  fluß ")
    body = multipart_of(field('form-data; name="fluß"', b"<p>", *lines))
    async for part in request_of([body]).form():
        assert part.content_type == "text/html; charset=utf-8"
        assert part.headers["x-where"] == "fluß"
        assert part.headers["Content-Disposition"] == 'form-data; name="fluß"'
        assert len(part.headers) == 3
        assert "content-length" not in part.headers
        assert repr(part) == "<Part 'fluß' filename=None>"


async def test_text_fields() -> None:
    body = multipart_of(named("a", "fluß\r\n".encode()), named("b"))
    form = request_of(one_by_one(body)).form()
    assert {part.name: await part.text() async for part in form} == {"a": "fluß\r\n", "b": ""}


# The other coding.


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", []),
        (b"&&", []),
        (b"a=b", [("a", b"b")]),
        (b"a=1&b=2&a=3&", [("a", b"1"), ("b", b"2"), ("a", b"3")]),
        (b"a+b=c+d%20e%2Bf", [("a b", b"c d e+f")]),
        (b"fl%C3%BC%C3%9Fe=%E2%82%AC&\xc3\xbc=\xff", [("flüße", "€".encode()), ("ü", b"\xff")]),
        (b"a&=b&=", [("a", b""), ("", b"b"), ("", b"")]),
        (b"a=b=c%3D", [("a", b"b=c=")]),
        (b"a=100%&b=%zz&c=%4", [("a", b"100%"), ("b", b"%zz"), ("c", b"%4")]),
    ],
)
async def test_urlencoded_forms(body: bytes, fields: list[tuple[str, bytes]]) -> None:
    expected = [Got(name, None, "text/plain", data) for name, data in fields]
    for chunks in ([body], one_by_one(body)):
        content_type = "Application/X-WWW-form-urlencoded; charset=utf-8"
        assert await parts_of(request_of(chunks, content_type)) == expected


async def test_text_of_urlencoded_forms() -> None:
    form = request_of([b"a=fl%C3%BC+%0D%0A&b="], URLENCODED).form()
    assert {part.name: await part.text() async for part in form} == {"a": "flü \r\n", "b": ""}


# A part is a Readable.


async def first_part(client: Client) -> Part:
    return await anext(client.request.form())


async def test_a_part_keeps_the_contract_of_a_readable() -> None:
    body = multipart_of(named("a", bytes(range(256)) * 40), named("b"))
    start = body[:200]

    async def make() -> Part:
        return await first_part(client_of(cut(body, *range(0, len(body), 100))))

    async def clogged() -> Part:
        part = await first_part(client_of([start], end=False))
        await part.read()
        return part

    async def broken() -> Part:
        return await first_part(client_of([start], fail=True))

    async with no_leaks():
        await check_readable(make, clogged=clogged, broken=broken)


async def test_a_part_of_an_urlencoded_form_keeps_it_too() -> None:
    async def make() -> Part:
        return await anext(request_of([b"a=" + b"b" * 1000], URLENCODED).form())

    await check_readable(make)


@pytest.mark.parametrize("content_type", [MULTIPART, URLENCODED])
async def test_what_is_not_read_of_a_part_is_passed_over(content_type: str) -> None:
    multipart = multipart_of(named("a", b"xyz" * 100), named("b", b"xyz"), named("c", b"xyz"))
    body = multipart if content_type is MULTIPART else b"a=" + b"xyz" * 100 + b"&b=xyz&c=xyz"
    for chunks in ([body], one_by_one(body)):
        seen = [
            (part.name, await part.read(1)) if part.name != "b" else ("b", b"")
            async for part in request_of(chunks, content_type).form()
        ]
        assert seen == [("a", b"x"), ("b", b""), ("c", b"x")]


async def test_a_part_is_closed_when_the_next_one_is_asked_for() -> None:
    form = request_of([multipart_of(named("a", b"x"), named("b", b"y"))]).form()
    first = await anext(form)
    second = await anext(form)
    with pytest.raises(ClosedError):
        await first.read()
    assert await second.read() == b"y"
    with pytest.raises(StopAsyncIteration):
        await anext(form)
    with pytest.raises(ClosedError):
        await second.read()
    with pytest.raises(StopAsyncIteration):
        await anext(form)


async def reading_a_part() -> tuple[Client, Form, Part, asyncio.Task[bytes]]:
    """A form, its first part, and the read of it that waits for more."""
    client = client_of([named("a", b"x")[:-2]], end=False)
    form = client.request.form()
    part = await anext(form)
    assert await part.read() == b"x"
    reading = asyncio.ensure_future(part.read())
    await asyncio.sleep(0.01)
    return client, form, part, reading


async def test_who_reads_a_part_is_not_disturbed() -> None:
    client, form, part, reading = await reading_a_part()
    for other in (part.read, form.__anext__):
        with pytest.raises(BusyError):
            await other()
    client.buffer.feed(b"y" + DELIMITER + b"--")
    client.buffer.feed_end()
    assert await reading == b"y"
    with pytest.raises(StopAsyncIteration):
        await anext(form)


async def test_who_waits_for_a_part_is_not_disturbed() -> None:
    client = client_of([], end=False)
    form = client.request.form()
    asking = asyncio.ensure_future(anext(form))
    await asyncio.sleep(0.01)
    with pytest.raises(BusyError):
        await anext(form)
    client.buffer.feed(named("a", b"x"))
    assert (await asking).name == "a"


@pytest.mark.parametrize("turns", range(6))
async def test_two_who_ask_for_a_part_never_get_the_same(turns: int) -> None:
    """Nor while the one before is being closed, which takes a few turns after a cancelled read."""
    client, form, _, reading = await reading_a_part()
    reading.cancel()
    await asyncio.wait({reading})
    first = asyncio.ensure_future(anext(form))
    for _ in range(turns):
        await asyncio.sleep(0)
    second = asyncio.ensure_future(anext(form))
    await asyncio.sleep(0.01)
    client.buffer.feed(b"\r\n" + named("b") + named("c"))
    assert (await first).name == "b"
    with pytest.raises(BusyError):
        await second


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8])
async def test_a_cancelled_wait_for_a_part_loses_none(turns: int) -> None:
    client = client_of(one_by_one(multipart_of(named("a", b"x"), named("b", b"y"), named("c"))))
    form = client.request.form()
    names = []
    async with no_leaks():
        while True:
            asking = asyncio.ensure_future(anext(form, None))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            try:
                part = await asking
            except asyncio.CancelledError:
                part = await anext(form, None)
            if part is None:
                break
            names.append(part.name)
            if part.name == "a":  # leave it with a read that was cancelled
                reading = asyncio.ensure_future(part.read())
                await asyncio.sleep(0)
                reading.cancel()
    assert names == ["a", "b", "c"]


async def test_parts_are_read_from_the_client_as_the_handler_reads_them() -> None:
    """The body buffer holds 1,000 bytes, and the client sends 100 at a time."""
    body = multipart_of(named("a", b"x" * 100_000), named("b", b"y" * 100_000))
    client = client_of(cut(body, *range(0, len(body), 100)))
    form = client.request.form()
    part = await anext(form)
    size = 0
    while chunk := await part.read():
        size += len(chunk)
        left = sum(map(len, client.pieces))
        for _ in range(30):
            await asyncio.sleep(0)
        assert client.held or not client.pieces
        assert left - sum(map(len, client.pieces)) <= 1000
        assert len(chunk) <= 100 + len(DELIMITER)
    assert size == 100_000
    assert client.pieces
    assert await (await anext(form)).read(3) == b"yyy"


@pytest.mark.parametrize("where", [20, 70, 120, 250])
@pytest.mark.parametrize("read", [True, False])
async def test_a_client_that_goes_away_is_told_from_a_form_that_ends(
    where: int, read: bool
) -> None:
    body = multipart_of(named("a", b"x" * 100), named("b", b"y" * 100))
    form = request_of([body[:where]], failure=gone()).form()

    async def take_all() -> None:
        async for part in form:
            if read:
                await part.text()

    for _ in range(2):
        with pytest.raises(DisconnectedError):
            await take_all()
