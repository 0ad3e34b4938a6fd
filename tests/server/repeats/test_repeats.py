"""Requests that come again, byte for byte: the answer is the one that the handler would give."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, request
from tests.server.repeats.repeated import (
    HANDLED,
    MIDDLE,
    SMALL,
    TIMES,
    Counted,
    Repeated,
    ask,
    seen,
)

from riverrun.apps.files import Files
from riverrun.apps.mounts import Mounts
from riverrun.errors import HTTPError
from riverrun.http.repeats import Repeat, RepeatWire
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server.repeats import LONGEST_HEAD

ALIKE = [
    ("/small.bin", "GET", ()),
    ("/small.bin", "HEAD", ()),
    ("/below/small.bin", "GET", ()),
    ("/a%2541.bin", "GET", ()),
    ("/small.bin", "GET", ("Range: bytes=10-19",)),
    ("/small.bin", "HEAD", ("Range: bytes=10-19",)),
    ("/small.bin", "GET", ("Range: bytes=-1",)),
    ("/small.bin", "GET", ('If-None-Match: "another"',)),
    ("/small.bin", "GET", ("If-None-Match: *",)),
    ("/small.bin", "GET", ("If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT", "Range: bytes=1-2")),
    ("/small.bin", "GET", ('If-Range: "another"', "Range: bytes=1-2")),
    ("/small.bin", "GET", ("Content-Length: 0",)),
    ("/small.bin", "GET", ("Connection: keep-alive",)),
    ("/small.bin", "GET", ("Connection: upgrade", "Upgrade: h2c")),
    ("/empty.bin", "GET", ()),
    ("/page.html", "GET", ()),
    ("/page.html", "HEAD", ("Accept-Encoding: gzip",)),
    ("/below/page.html", "GET", ("Accept-Encoding: gzip",)),
    ("/style.css", "GET", ("Accept-Encoding: gzip, br",)),
    ("/style.css", "GET", ("Accept-Encoding: gzip",)),
    ("/style.css", "HEAD", ("Accept-Encoding: br",)),
    ("/style.css", "GET", ("Accept-Encoding: br", "Range: bytes=3-8")),
    ("/below/style.css", "GET", ("Accept-Encoding: gzip, br",)),
    ("/below/", "GET", ("Accept: text/html",)),
    ("/below/", "HEAD", ("Accept: text/html,*/*;q=0.8",)),
    ("http://a/small.bin", "GET", ()),
]
ANEW = [
    ("/small.bin", "GET", ("Range: bytes=1-2,500-501",)),
    ("/small.bin", "GET", ("Range: bytes=5000-",)),
    ("/small.bin", "GET", ('If-Match: "another"',)),
    ("/small.bin", "GET", ("Want-Repr-Digest: sha-256=1",)),
    ("/small.bin", "GET", ("X: " + "x" * LONGEST_HEAD,)),
    ("/small.bin?download", "GET", ()),
    ("/small.bin/", "GET", ()),
    ("/.hidden.bin", "GET", ()),
    ("/below/../small.bin", "GET", ()),
    ("/missing", "GET", ()),
    ("/large.bin", "GET", ()),
    ("/style.css", "GET", ()),
    ("/style.css", "GET", ("Accept-Encoding: zstd",)),
    ("/below", "GET", ()),
    ("/below/", "GET", ()),
    ("/", "GET", ("Accept: text/html",)),
    ("/small.bin", "OPTIONS", ()),
    ("/small.bin", "DELETE", ()),
]


@pytest.mark.parametrize(("path", "method", "lines"), ALIKE)
async def test_what_comes_again_is_answered_alike_and_not_handled(
    serve: Serve, handler: Repeated, path: str, method: str, lines: tuple[str, ...]
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        first, *others = [await ask(client, path, method, *lines) for _ in range(TIMES)]
    assert first.status in (200, 206, 304)
    assert [seen(other) for other in others] == [seen(first)] * (TIMES - 1)
    assert handler.calls == HANDLED


@pytest.mark.parametrize(("path", "method", "lines"), ANEW)
async def test_what_may_be_answered_otherwise_is_handled_anew(
    serve: Serve, handler: Repeated, path: str, method: str, lines: tuple[str, ...]
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        first, *others = [await ask(client, path, method, *lines) for _ in range(TIMES)]
    if first["content-type"] != "application/problem+json" and "Range" not in str(lines):
        assert [seen(other) for other in others] == [seen(first)] * (TIMES - 1)
    assert {other.status for other in others} == {first.status}
    assert handler.calls == TIMES


async def test_a_file_of_middle_size_goes_from_the_file_to_the_socket(
    serve: Serve, handler: Repeated, transport_kind: str
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        first, *others = [await ask(client, "/middle.bin") for _ in range(TIMES)]
    assert first.body == MIDDLE
    assert [seen(other) for other in others] == [seen(first)] * (TIMES - 1)
    assert handler.calls == (HANDLED if transport_kind == "aiofastnet" else TIMES)


async def test_from_whomever_it_comes(serve: Serve, handler: Repeated) -> None:
    server = await serve(handler)
    for _ in range(TIMES):
        async with await Client.connect(server) as client:
            assert (await ask(client)).body == SMALL
    assert handler.calls == HANDLED


async def test_a_handler_that_says_nothing_of_it_is_always_asked(
    serve: Serve, files: Files
) -> None:
    counted = Counted(files)
    async with await Client.connect(await serve(counted)) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
    assert counted.calls == TIMES


async def test_a_class_that_answers_in_its_own_way_is_always_asked(
    serve: Serve, folder: Path
) -> None:
    class Members(Files):
        """A folder for those who are in."""

        def __init__(self, root: Path) -> None:
            super().__init__(root)
            self.open = True

        def __call__(self, request: Request, response: Response) -> Awaitable[None]:
            if not self.open:
                raise HTTPError(403)
            return super().__call__(request, response)

    members = Members(folder)
    async with await Client.connect(await serve(members)) as client:
        for _ in range(TIMES):
            assert (await ask(client)).status == 200
        members.open = False
        assert (await ask(client)).status == 403
    members.root.close()


async def test_a_handler_around_one_is_asked_although_it_has_all_that_one_has(
    serve: Serve, files: Files
) -> None:
    class Around(Counted):
        def __getattr__(self, name: str) -> object:
            return getattr(self.files, name)

    around = Around(files)
    async with await Client.connect(await serve(around)) as client:
        for _ in range(TIMES):
            assert (await ask(client)).status == 200
    assert around.calls == TIMES


async def test_one_that_fails_costs_nobody_else_an_answer(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        status, length, region = 200, 0, False

        def send(self, wire: RepeatWire, now: float) -> bool:
            raise RuntimeError("broken")

    server = await serve(handler)
    async with await Client.connect(server) as broken, await Client.connect(server) as other:
        for _ in range(TIMES):
            await ask(other)
        monkeypatch.setattr(handler, "repeat", lambda _: Broken())
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        for _ in range(HANDLED):
            await ask(broken, "/empty.bin")
        broken.push(request("/empty.bin"))
        other.push(request("/small.bin"))
        assert (await other.reply()).body == SMALL
        assert await broken.is_cut()
        assert len(told) == 1


async def test_a_disk_that_fails_is_told_by_the_handler(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            await ask(client)

        def fail(*_: object) -> bytes:
            raise OSError(errno.EIO, "broken")

        monkeypatch.setattr(os, "pread", fail)
        monkeypatch.setattr(os, "preadv", fail)
        assert (await ask(client)).status == 500
    assert handler.calls == HANDLED + 1


async def test_one_that_cannot_be_told_now_is_told_later(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Request) -> Repeat | None:
        raise OSError(errno.EMFILE, "too many")

    async with await Client.connect(await serve(handler)) as client:
        with monkeypatch.context() as patch:
            patch.setattr(handler, "repeat", fail)
            for _ in range(TIMES):
                await ask(client)
        assert handler.calls == TIMES
        for _ in range(TIMES):
            await ask(client)
    assert handler.calls == TIMES + 1


async def test_below_a_mount_each_handler_says_it_of_its_own(
    serve: Serve, handler: Repeated, files: Files
) -> None:
    always = Counted(files)
    async with await Client.connect(await serve(Mounts(handler, {"/below": always}))) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
            assert (await ask(client, "/below/small.bin")).body == SMALL
    assert (handler.calls, always.calls) == (HANDLED, TIMES)


async def test_pages_of_another_origin_are_told_so_each_time(serve: Serve, folder: Path) -> None:
    files = Files(folder, cors="https://example.org")
    async with await Client.connect(await serve(files)) as client:
        first, *others = [await ask(client) for _ in range(TIMES)]
    assert first["access-control-allow-origin"] == "https://example.org"
    assert first["vary"] == "origin"
    assert [seen(other) for other in others] == [seen(first)] * (TIMES - 1)
    files.root.close()


async def test_what_could_be_a_script_of_strangers_is_confined_each_time(
    serve: Serve, folder: Path
) -> None:
    files = Files(folder, changes=("POST",))
    async with await Client.connect(await serve(files)) as client:
        first, *others = [await ask(client, "/page.html") for _ in range(TIMES)]
    assert first["content-security-policy"] is not None
    assert [seen(other) for other in others] == [seen(first)] * (TIMES - 1)
    files.root.close()


async def test_one_that_fails_to_say_it_is_told_and_harms_nobody(
    serve: Serve, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    class Fails(Counted):
        def repeat(self, request: Request) -> Repeat | None:
            raise HTTPError(404, request.path)

    fails = Fails(files)
    async with await Client.connect(await serve(fails)) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
    assert fails.calls == TIMES
    assert "/small.bin" in caplog.text
