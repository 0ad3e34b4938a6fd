"""Requests that come again, byte for byte: the answer is the one that the handler would give."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, Reply, at_rest, request

from riverrun.apps.files import Files
from riverrun.apps.files.sending import READ_AT_ONCE
from riverrun.apps.mounts import Mounts
from riverrun.errors import HTTPError
from riverrun.flows import Flows
from riverrun.http.limits import KIB, MIB
from riverrun.http.repeats import Repeat
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Options, Server
from riverrun.server.access_log import AccessLog, LogFormat
from riverrun.server.repeats import LONGEST_HEAD, REMEMBERED
from riverrun.server.vitals import Vitals

SMALL = os.urandom(1000)
MIDDLE = os.urandom(100 * KIB)
LARGE = os.urandom(400 * KIB)
PAGE = b"<p>hello"
TIMES = 5
HANDLED = 2
"""So often a request is handled before it is answered without."""


class Counted:
    """A folder that counts how often it was asked."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.calls = 0

    def __call__(self, request: Request, response: Response) -> Awaitable[None]:
        self.calls += 1
        return self.files(request, response)


class Repeated(Counted):
    """One that lets answers be given again."""

    def repeat(self, request: Request) -> Repeat | None:
        return self.files.repeat(request)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    for name, content in (
        ("small.bin", SMALL),
        ("below/small.bin", SMALL),
        ("middle.bin", MIDDLE),
        ("large.bin", LARGE),
        ("empty.bin", b""),
        ("page.html", PAGE),
        ("below/page.html", PAGE),
        ("below/index.html", PAGE),
        (".hidden.bin", SMALL),
        ("a%41.bin", SMALL),
    ):
        (folder / name).write_bytes(content)
    for settled in (folder / "below", folder):
        os.utime(settled, (0, 0))
    return folder


@pytest.fixture
def files(folder: Path) -> Iterator[Files]:
    files = Files(folder)
    yield files
    files.root.close()


@pytest.fixture
def handler(files: Files) -> Repeated:
    return Repeated(files)


def seen(reply: Reply) -> tuple[object, ...]:
    """All of it but when it was sent."""
    return reply.status, [field for field in reply.fields if field[0] != "date"], reply.body


async def ask(client: Client, path: str = "/small.bin", method: str = "GET", *lines: str) -> Reply:
    """Ask with a head that arrives in one piece."""
    client.push(request(path, method, *lines))
    return await client.reply(method)


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


def write(path: Path) -> None:
    path.write_bytes(b"another")


def write_as_much(path: Path) -> None:
    path.write_bytes(SMALL[::-1])


def replace(path: Path) -> None:
    other = path.with_name("other.bin")
    other.write_bytes(SMALL[::-1])
    other.replace(path)


def replace_with_its_time(path: Path) -> None:
    """By a file of the same size and time."""
    other = path.with_name("other.bin")
    other.write_bytes(SMALL[::-1])
    status = path.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def append_with_its_time(path: Path) -> None:
    status = path.stat()
    path.write_bytes(SMALL + b"more")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def link_within(path: Path) -> None:
    path.unlink()
    path.symlink_to("middle.bin")


@pytest.mark.parametrize(
    "change",
    [write, write_as_much, append_with_its_time, replace, replace_with_its_time, link_within],
)
async def test_a_file_that_has_changed_is_answered_as_it_is(
    serve: Serve, handler: Repeated, folder: Path, change: Callable[[Path], None]
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        before = [await ask(client) for _ in range(TIMES)][-1]
        path = folder / "small.bin"
        change(path)
        content = path.read_bytes()
        after = [await ask(client) for _ in range(TIMES)]
    assert {reply.body for reply in after} == {content}
    assert len({reply["etag"] for reply in after} | {before["etag"]}) == 2
    assert {reply["content-length"] for reply in after} == {str(len(content))}
    assert handler.calls == HANDLED + (TIMES if path.is_symlink() else 1)


def remove(path: Path) -> None:
    path.unlink()


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def lead_out(path: Path) -> None:
    outside = path.parent.parent / "secret.bin"
    outside.write_bytes(SMALL)
    path.unlink()
    path.symlink_to(outside)


def become_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("change", "status"),
    [(remove, 404), (become_a_folder, 308), (lead_out, 404), (become_a_fifo, 404)],
)
@pytest.mark.parametrize("path", ["small.bin", "below/small.bin"])
async def test_a_file_that_is_gone_is_gone(
    serve: Serve,
    handler: Repeated,
    folder: Path,
    path: str,
    change: Callable[[Path], None],
    status: int,
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            assert (await ask(client, f"/{path}")).status == 200
        change(folder / path)
        assert (await ask(client, f"/{path}")).status == status


@pytest.mark.parametrize("below", ["", "below/"])
async def test_an_encoded_sibling_is_found_when_it_comes_and_missed_when_it_goes(
    serve: Serve, handler: Repeated, folder: Path, below: str
) -> None:
    asked = (f"/{below}page.html", "GET", "Accept-Encoding: gzip")
    async with await Client.connect(await serve(handler)) as client:
        plain = [await ask(client, *asked) for _ in range(TIMES)]
        assert {reply.body for reply in plain} == {PAGE}
        sibling = folder / below / "page.html.gz"
        sibling.write_bytes(b"encoded")
        encoded = [await ask(client, *asked) for _ in range(TIMES)]
        assert {(reply.body, reply["vary"]) for reply in encoded} == {
            (b"encoded", "accept-encoding")
        }
        sibling.unlink()
        plain = [await ask(client, *asked) for _ in range(TIMES)]
        assert {(reply.body, reply["vary"]) for reply in plain} == {(PAGE, None)}


async def test_the_page_of_a_folder_comes_and_goes(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    index = folder / "index.html"
    asked = ("/", "GET", "Accept: text/html")
    async with await Client.connect(await serve(handler)) as client:
        for content in (b"one", b"two"):
            assert {b"small.bin" in (await ask(client, *asked)).body for _ in range(TIMES)} == {
                True
            }
            index.write_bytes(content)
            os.utime(folder, (0, 0))
            calls = handler.calls
            assert {(await ask(client, *asked)).body for _ in range(TIMES)} == {content}
            assert handler.calls <= calls + HANDLED
            index.unlink()


async def test_an_encoded_sibling_is_found_when_it_is_new_again(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    sibling = folder / "page.html.gz"
    sibling.write_bytes(b"encoded")
    os.utime(sibling, (1, 1))
    os.utime(folder, (0, 0))
    asked = ("/page.html", "GET", "Accept-Encoding: gzip")
    async with await Client.connect(await serve(handler)) as client:
        assert {(await ask(client, *asked)).body for _ in range(TIMES)} == {PAGE}
        os.utime(sibling)  # which changes no name in the folder
        assert {(await ask(client, *asked)).body for _ in range(TIMES)} == {b"encoded"}


async def test_a_folder_that_has_just_changed_is_looked_through_each_time(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    os.utime(folder)
    async with await Client.connect(await serve(handler)) as client:
        assert {(await ask(client, "/page.html")).body for _ in range(TIMES)} == {PAGE}
    assert handler.calls == TIMES


async def test_a_condition_is_judged_by_the_file_as_it_is(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        etag = (await ask(client))["etag"]
        for _ in range(TIMES):
            assert (await ask(client, "/small.bin", "GET", f"If-None-Match: {etag}")).status == 304
        write(folder / "small.bin")
        reply = await ask(client, "/small.bin", "GET", f"If-None-Match: {etag}")
    assert (reply.status, reply.body) == (200, b"another")


async def test_two_requests_that_come_together_are_two(serve: Serve, handler: Repeated) -> None:
    both = request("/small.bin") + request("/empty.bin")
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            client.push(both)
            assert [(await client.reply()).body for _ in "12"] == [SMALL, b""]
    assert handler.calls == 2 * TIMES


async def test_the_same_two_together_are_two(serve: Serve, handler: Repeated) -> None:
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            client.push(2 * request("/small.bin"))
            assert [(await client.reply()).body for _ in "12"] == [SMALL, SMALL]
            assert (await ask(client)).body == SMALL


async def test_a_head_in_parts_is_the_head(serve: Serve, handler: Repeated) -> None:
    head = request("/small.bin")
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
        for cut in range(1, len(head)):
            await client.send(head[:cut])
            await client.send(head[cut:])
            assert (await client.reply()).body == SMALL


async def test_what_looks_like_it_within_a_head_is_a_part_of_that(
    serve: Serve, handler: Repeated
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
        client.push(b"GET /empty.bin HTTP/1.1\r\nX: ")
        await asyncio.sleep(0.05)
        client.push(request("/small.bin"))
        assert (await client.reply()).body == b""


async def test_what_looks_like_it_within_a_body_is_body(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    del folder
    head = request("/small.bin")

    class Echo(Repeated):
        repeat = Repeated.repeat

        def __call__(self, request: Request, response: Response) -> Awaitable[None]:
            if request.method == "POST":
                return self.echo(request, response)
            return super().__call__(request, response)

        async def echo(self, request: Request, response: Response) -> None:
            await response.end(b"".join([chunk async for chunk in request]))

    async with await Client.connect(await serve(Echo(handler.files))) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
        client.push(
            f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {2 * len(head)}\r\n\r\n".encode()
        )
        client.push(head)
        client.push(head)
        assert (await client.reply()).body == 2 * head
        assert (await ask(client)).body == SMALL


async def test_it_comes_behind_what_is_answered_late(serve: Serve, handler: Repeated) -> None:
    go_on = asyncio.Event()

    class Late(Repeated):
        repeat = Repeated.repeat

        def __call__(self, request: Request, response: Response) -> Awaitable[None]:
            if request.path == "/late":
                return self.late(response)
            return super().__call__(request, response)

        async def late(self, response: Response) -> None:
            await response.write(b"be")
            await go_on.wait()
            await response.end(b"fore")

    async with await Client.connect(await serve(Late(handler.files))) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
        client.push(request("/late"))
        await asyncio.sleep(0.05)
        client.push(request("/small.bin"))
        await asyncio.sleep(0.05)
        go_on.set()
        assert [(await client.reply()).body for _ in "12"] == [b"before", SMALL]


async def test_it_comes_behind_what_waits_for_its_turn(serve: Serve, handler: Repeated) -> None:
    class Late(Repeated):
        repeat = Repeated.repeat

        def __call__(self, request: Request, response: Response) -> Awaitable[None]:
            if request.path == "/late":
                return self.late(response)
            return super().__call__(request, response)

        async def late(self, response: Response) -> None:
            await asyncio.sleep(0.05)
            # To be looked at when this has ended, and before the next begins.
            asyncio.get_running_loop().call_soon(arrive, server, known)
            await response.end(b"before")

    known = request("/small.bin")
    server = await serve(Late(handler.files))
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            assert (await ask(client)).body == SMALL
        client.push(request("/late") + request("/empty.bin"))
        assert [(await client.reply()).body for _ in "123"] == [b"before", b"", SMALL]


async def test_a_client_that_says_close_is_closed(serve: Serve, handler: Repeated) -> None:
    server = await serve(handler)
    for _ in range(TIMES):
        async with await Client.connect(server) as client:
            reply = await ask(client, "/small.bin", "GET", "Connection: close")
            assert reply.closes
            assert await client.ends() == b""


async def test_a_client_that_has_ended_its_input_is_answered_and_closed(
    serve: Serve, handler: Repeated
) -> None:
    server = await serve(handler)
    for _ in range(TIMES):
        async with await Client.connect(server) as client:
            client.push(request("/small.bin"))
            client.writer.write_eof()
            assert (await client.reply()).body == SMALL
            assert await client.ends() == b""


async def test_http_1_0_is_answered_in_its_way(serve: Serve, handler: Repeated) -> None:
    server = await serve(handler)
    for _ in range(TIMES):
        async with await Client.connect(server) as client:
            client.push(b"GET /small.bin HTTP/1.0\r\n\r\n")
            assert (await client.reply()).closes
            assert await client.ends() == b""
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            client.push(b"GET /small.bin HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            reply = await client.reply()
            assert (reply["connection"], reply.body) == ("keep-alive", SMALL)


async def test_the_date_is_that_of_the_answer(serve: Serve, handler: Repeated) -> None:
    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client)
        server.clock.server_fields = b"server: riverrun\r\ndate: later\r\n"
        reply = await ask(client)
    assert reply["date"] == "later"
    assert handler.calls == HANDLED


async def test_they_are_counted_and_logged_as_others(
    serve: Serve, handler: Repeated, tmp_path: Path
) -> None:
    vitals = Vitals()
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        options = Options(vitals=vitals, access_log=AccessLog(descriptor))
        server = await serve(handler, options=options)
        async with await Client.connect(server) as client:
            for _ in range(TIMES):
                await ask(client)
                await ask(client, "/small.bin", "HEAD")
                await ask(client, "/small.bin", "GET", "Range: bytes=0-9")
        await server.stop()
    finally:
        os.close(descriptor)
    assert handler.calls == 3 * HANDLED
    assert vitals.answered[2] == 3 * TIMES
    assert vitals.sent == TIMES * (len(SMALL) + 10)
    lines = [line.split(" ", 2)[2].rsplit(" ", 1)[0] for line in path.read_text().splitlines()]
    told = ['"GET /small.bin" 200 1000', '"HEAD /small.bin" 200 0', '"GET /small.bin" 206 10']
    assert lines == told * TIMES


@pytest.mark.parametrize("log_format", LogFormat)
async def test_a_line_of_the_log_is_the_same_whether_handled_or_not(
    serve: Serve, handler: Repeated, tmp_path: Path, log_format: LogFormat
) -> None:
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        server = await serve(handler, options=Options(access_log=AccessLog(descriptor, log_format)))
        async with await Client.connect(server) as client:
            for _ in range(TIMES):
                await ask(client, "/a%2541.bin")
        await server.stop()
    finally:
        os.close(descriptor)
    lines = path.read_text().splitlines()
    assert len(lines) == TIMES
    assert len({re.sub(r"\d+:\d+:\d+Z|0\.\d+", "", line) for line in lines}) == 1
    assert handler.calls == HANDLED


@pytest.mark.parametrize("limits", [{"client_rate": 2000}, {"total_rate": 2000}])
async def test_a_limit_holds_for_them(
    serve: Serve, handler: Repeated, limits: dict[str, int]
) -> None:
    flows = Flows()
    server = await serve(handler, options=Options(flows=flows))
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client)
        assert handler.calls == HANDLED
        for name, rate in limits.items():
            setattr(flows, name, rate)
        for _ in range(5):  # more than goes at once
            await ask(client)
        assert flows.opened > 0


@pytest.mark.parametrize("path", ["/middle.bin", "/read.bin"])
async def test_what_nobody_takes_is_not_gathered(
    serve: Serve, handler: Repeated, folder: Path, path: str
) -> None:
    (folder / "read.bin").write_bytes(bytes(READ_AT_ONCE))
    server = await serve(handler)
    async with await Client.connect(server, receive_buffer=4 * KIB) as client:
        for _ in range(TIMES):
            await ask(client, path)
        client.stop_reading()
        (connection,) = server.connections
        for _ in range(300):
            client.push(request(path))
            await asyncio.sleep(0.001)
        assert await at_rest(lambda: connection.wire.buffered) < MIB


async def test_a_client_that_does_not_take_a_file_at_once_is_not_sent_it_from_memory(
    serve: Serve,
    handler: Repeated,
    transport_kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sendfile = os.sendfile

    def send_little(out: int, source: int, offset: int, count: int) -> int:
        return sendfile(out, source, offset, min(count, 70_000))

    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            assert (await ask(client, "/middle.bin")).body == MIDDLE
        before = handler.calls
        monkeypatch.setattr(os, "sendfile", send_little)
        for _ in range(TIMES):
            assert (await ask(client, "/middle.bin")).body == MIDDLE
        monkeypatch.setattr(os, "sendfile", sendfile)
    # Only the first of them was taken for one that goes at once.
    assert handler.calls - before == TIMES - (transport_kind == "aiofastnet")


async def test_a_file_does_not_overtake_what_waits_to_be_sent(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    content = os.urandom(READ_AT_ONCE)
    (folder / "read.bin").write_bytes(content)
    server = await serve(handler)
    async with await Client.connect(server, receive_buffer=4 * KIB) as client:
        for _ in range(TIMES):
            await ask(client, "/middle.bin")
            await ask(client, "/read.bin")
        client.stop_reading()
        (connection,) = server.connections
        count = 0
        while not connection.wire.buffered:
            client.push(request("/read.bin"))
            count += 1
            await asyncio.sleep(0.001)
        for chunk in iter(lambda: taken_at_once(client), b""):  # so that there is room again,
            client.reader.feed_data(chunk)
        arrive(server, request("/middle.bin"))
        server.turn.handle()  # and nobody has seen it yet
        client.go_on_reading()
        assert {(await client.reply()).body for _ in range(count)} == {content}
        assert (await client.reply()).body == MIDDLE


def taken_at_once(client: Client) -> bytes:
    """What has come to a client that does not read."""
    try:
        return os.read(client.writer.get_extra_info("socket").fileno(), MIB)
    except BlockingIOError:
        return b""


def arrive(server: Server, head: bytes) -> None:
    """Have something come from the server's only client."""
    (connection,) = server.connections
    server.receive_buffer[: len(head)] = head
    connection.buffer_updated(len(head))


@pytest.mark.parametrize(("path", "content"), [("/small.bin", SMALL), ("/middle.bin", MIDDLE)])
async def test_two_that_are_looked_at_in_one_turn_are_two(
    serve: Serve, handler: Repeated, path: str, content: bytes
) -> None:
    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client, path)
        for _ in "12":
            arrive(server, request(path))
        assert [(await client.reply()).body for _ in "12"] == [content, content]


async def test_what_could_be_a_script_of_strangers_is_confined_each_time(
    serve: Serve, folder: Path
) -> None:
    files = Files(folder, changes=("POST",))
    async with await Client.connect(await serve(files)) as client:
        first, *others = [await ask(client, "/page.html") for _ in range(TIMES)]
    assert first["content-security-policy"] is not None
    assert [seen(other) for other in others] == [seen(first)] * (TIMES - 1)
    files.root.close()


async def test_a_server_that_stops_closes_behind_the_answer(
    serve: Serve, handler: Repeated
) -> None:
    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(TIMES):
            await ask(client)
        await server.stop()
        assert await client.ends() == b""


async def test_what_is_remembered_is_bounded(serve: Serve, handler: Repeated) -> None:
    filling = "x" * (LONGEST_HEAD - 100)
    count = REMEMBERED // len(filling) + 2
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            await ask(client)
        assert handler.calls == HANDLED
        for number in range(count):
            for _ in range(TIMES):
                await ask(client, "/empty.bin", "GET", f"X: {number:04}{filling}")
        remembered = HANDLED * (count + 1)
        assert handler.calls == remembered
        await ask(client)
    assert handler.calls == remembered + 1


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
