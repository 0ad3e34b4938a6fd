"""A request as a Readable of its body, and its body read whole."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.flows.test_flow import settle
from tests.http.bodies import Client, request_with

from riverrun.errors import ClosedError, HTTPError
from riverrun.http.limits import Limits
from riverrun.http.request import Request
from riverrun.testing import check_readable

WHOLE = bytes(range(256)) * 40


def pieces_of(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def request_of(body: bytes, *, limits: Limits | None = None, length: int | None = None) -> Request:
    return request_with(pieces_of(body, 1000), limits=limits, length=length)


async def test_a_request_keeps_the_contract_of_a_readable() -> None:
    def make() -> Request:
        return Client(pieces_of(WHOLE, 100)).request

    def clogged() -> Request:
        return Client([], end=False).request

    def broken() -> Request:
        return Client([b"some"], fail=True).request

    await check_readable(make, clogged=clogged, broken=broken)


async def test_a_request_without_a_body_is_at_its_end() -> None:
    request = Request("GET", b"/", {})
    assert await request.read() == b""
    assert await request.body() == b""
    assert [chunk async for chunk in request] == []
    with pytest.raises(ValueError, match="max_bytes"):
        await request.read(0)
    request.pause()
    request.resume()
    await request.aclose()
    with pytest.raises(ClosedError):
        await request.read()


async def test_a_read_that_waits_for_its_turn_gets_nothing_that_comes_behind_a_close() -> None:
    client = Client(pieces_of(WHOLE, 1000))
    request = client.request
    assert await request.read()
    request.flow.pause()
    reading = asyncio.ensure_future(request.read())
    await settle()
    left = len(client.pieces)
    await request.aclose()  # drops what waited, and lets the client go on
    await settle()
    assert len(client.pieces) < left
    with pytest.raises(ClosedError):
        await reading


async def test_the_first_read_is_told_and_no_other() -> None:
    request = request_of(b"hello")
    calls = []
    request.on_first_read = lambda: calls.append("read")
    assert calls == []
    await request.read(1)
    await request.read()
    await request.read()
    assert calls == ["read"]


async def test_the_head_as_text() -> None:
    request = Request("GET", b"/caf%C3%A9/x?q=1", {b"accept": b"*/*"})
    assert request.headers["Accept"] == "*/*"
    assert request.path == "/café/x"
    assert request.url.segments == ("café", "x")
    assert request.url.query == b"q=1"


async def test_a_target_that_is_not_valid_is_the_clients_fault() -> None:
    with pytest.raises(HTTPError) as raised:
        _ = Request("GET", b"*", {}).url
    assert raised.value.status == 400


async def test_a_body_read_whole() -> None:
    assert await request_of(WHOLE).body() == WHOLE
    assert await request_of("café".encode()).text() == "café"
    assert await request_of(b'{"a": [1, 2.5, null]}').json() == {"a": [1, 2.5, None]}


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_read_whole_is_limited_to_1_mib(declared: bool) -> None:
    mib = 1024 * 1024
    for size, refused in ((mib, False), (mib + 1, True)):
        request = request_of(b"x" * size, length=size if declared else None)
        if refused:
            with pytest.raises(HTTPError) as raised:
                await request.body()
            assert raised.value.status == 413
        else:
            assert len(await request.body()) == size


async def test_the_limit_of_whole_bodies_is_the_servers_to_set() -> None:
    limits = Limits(whole_body_size=4)
    assert await request_of(b"true", limits=limits).json() is True
    for method in (Request.body, Request.text, Request.json):
        with pytest.raises(HTTPError) as raised:
            await method(request_of(b"false", limits=limits))
        assert raised.value.status == 413


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read() -> None:
    request = Request("POST", b"/", {}, 1 << 40)
    request.on_first_read = lambda: pytest.fail("it was read")
    with pytest.raises(HTTPError):
        await request.body()


async def test_text_that_is_no_utf_8_is_refused() -> None:
    with pytest.raises(HTTPError) as raised:
        await request_of(b"caf\xe9").text()
    assert raised.value.status == 400


class Point(msgspec.Struct):
    x: int
    y: int


async def test_json_of_a_kind() -> None:
    assert await request_of(b'{"x": 1, "y": 2}').json(Point) == Point(1, 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"x": 1}', 422),
        (b'{"x": 1, "y": "2"}', 422),
        (b'{"x": 1, "y": 2} and more', 400),
    ],
)
async def test_json_that_does_not_fit_is_the_clients_fault(body: bytes, status: int) -> None:
    with pytest.raises(HTTPError) as raised:
        await request_of(body).json(Point)
    assert raised.value.status == status


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'"x', b'"\xff"', b"NaN"])
async def test_json_of_any_kind_that_is_none_is_the_clients_fault(body: bytes) -> None:
    with pytest.raises(HTTPError) as raised:
        await request_of(body).json()
    assert raised.value.status == 400
