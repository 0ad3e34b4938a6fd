"""What llhttp's own fixtures call an error is refused, and what they call complete is answered.

They come inside the source distribution of aiohttp, which is fetched once and cached. The parser
beneath us may be the same, but not all that is around it is: this goes through sockets, and sees
what a client sees. Every difference is listed, with why.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.blackbox.llhttp_fixtures import Fixture, read_fixtures
from tests.blackbox.published import unpacked
from tests.support.stopwatch import Stopwatch

from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Server

QUIET = 0.2
VERSION = "3.14.5"
FILES = {
    "connection": 21,
    "content-length": 18,
    "finish": 3,
    "invalid": 24,
    "lenient-header-value-relaxed": 5,
    "lenient-headers": 4,
    "lenient-version": 1,
    "method": 16,
    "pausing": 13,
    "pipelining": 1,
    "sample": 18,
    "transfer-encoding": 31,
    "uri": 11,
}

Key = tuple[str, str, str]
LENIENT_KEEP_ALIVE = "what follows the last request of a connection is not looked at"
OTHER_CODING = "of the transfer codings only chunked is offered (RFC 9112, 6.1: 501)"
DIFFERENT: dict[Key, tuple[int, bool, str]] = {
    (
        "connection",
        "request-lenient-keep-alive",
        "Resetting flags when keep-alive is off (1.0, lenient)",
    ): (1, False, LENIENT_KEEP_ALIVE),
    (
        "connection",
        "request-lenient-keep-alive",
        "CRLF between requests, explicit `close` (lenient)",
    ): (1, False, LENIENT_KEEP_ALIVE),
    (
        "content-length",
        "request",
        "Content-Length reset when no body is received",
    ): (0, False, "there llhttp is told to skip the body; here it is waited for"),
    (
        "lenient-headers",
        "request-lenient-headers",
        "Second request header value (lenient)",
    ): (1, True, "the first of its two requests is a strict one; the second is refused"),
    ("sample", "request", "No HTTP version"): (0, True, "that is HTTP/0.9 (505)"),
    (
        "transfer-encoding",
        "request",
        "POST with `chunked` as last transfer-encoding",
    ): (0, True, OTHER_CODING),
    (
        "transfer-encoding",
        "request",
        "POST with `chunked` as last transfer-encoding (multiple headers)",
    ): (0, True, OTHER_CODING),
}
"""By file, kind and title: how many are answered, whether something is refused, and why."""


@dataclass
class Seen:
    """What a client saw: answers of the handler, and the status that refused the rest."""

    answered: int
    refused: int | None


@pytest.fixture(scope="session")
def fixtures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the fixtures."""
    inside = "vendor/llhttp/test/request"
    return unpacked(request, tmp_path_factory, "aiohttp", VERSION, inside)


async def answer(request: Request, response: Response) -> None:
    async for _ in request:
        pass
    await response.end(b"answered")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(answer, port=0) as started:
        yield started


async def until_quiet(reader: asyncio.StreamReader) -> bytes:
    """Take what comes next; `TimeoutError` when nothing has, though we had a processor."""
    watch = Stopwatch()
    while True:
        try:
            return await asyncio.wait_for(reader.read(1 << 16), QUIET)
        except TimeoutError:
            if watch.ours >= QUIET:
                raise


async def send(server: Server, data: bytes) -> Seen:
    """Send `data`, then nothing, and take what comes until nothing more does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    received = b""
    try:
        writer.write(data)
        with suppress(TimeoutError, ConnectionError):
            while chunk := await until_quiet(reader):
                received += chunk
    finally:
        writer.transport.abort()
    statuses = [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
    answered = statuses.count(200)
    assert statuses[:answered] == [200] * answered
    assert len(statuses) - answered <= 1
    return Seen(answered, statuses[-1] if len(statuses) > answered else None)


def expected(fixture: Fixture, key: Key) -> tuple[int, bool | None]:
    """How many are answered, and whether something is refused (None: it may simply be closed)."""
    if key in DIFFERENT:
        answered, refused, _ = DIFFERENT[key]
        return answered, refused
    if fixture.lenient:
        return 0, True
    if fixture.error == "Data after `Connection: close`":
        return fixture.complete, False  # and so the data is not looked at
    return fixture.complete, None if fixture.upgrade else fixture.error is not None


@pytest.mark.parametrize("name", FILES)
async def test_the_fixtures_mean_here_what_they_mean_there(
    name: str, fixtures: Path, server: Server
) -> None:
    found = read_fixtures(fixtures / f"{name}.md")
    assert len(found) == FILES[name]
    wrong = []
    seen_all = await asyncio.gather(*(send(server, fixture.data) for fixture in found))
    for fixture, seen in zip(found, seen_all, strict=True):
        key = (name, fixture.kind, fixture.title)
        answered, refused = expected(fixture, key)
        if seen.answered != answered or refused not in (None, seen.refused is not None):
            wrong.append((key, seen, fixture))
    assert wrong == []


def test_every_difference_that_is_listed_has_its_fixture(fixtures: Path) -> None:
    keys = {
        (name, fixture.kind, fixture.title)
        for name in FILES
        for fixture in read_fixtures(fixtures / f"{name}.md")
    }
    assert set(DIFFERENT) <= keys
