"""One request and its response, and many of them on one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.conftest import Serve
from tests.server.client import Client, request, until

from riverrun.http.request import Request
from riverrun.http.response import Response

Asynchronous = Callable[[Request, Response], Awaitable[None]]


async def hello(request: Request, response: Response) -> None:
    await response.end(b"hello")


async def name(request: Request, response: Response) -> None:
    await response.end(request.path.encode())


async def echo(request: Request, response: Response) -> None:
    async for chunk in request:
        await response.write(chunk)
    trailers = dict(request.trailers) if request.trailers else None
    await response.end(trailers=trailers)


async def test_a_connection_is_kept_for_the_next_request(serve: Serve) -> None:
    server = await serve(name)
    async with await Client.connect(server) as client:
        for path in ("/a", "/b", "/c"):
            reply = await client.ask(path)
            assert (reply.status, reply.body, reply["connection"]) == (200, path.encode(), None)


async def test_every_response_has_a_date_and_a_server(serve: Serve) -> None:
    server = await serve(hello)
    async with await Client.connect(server) as client:
        reply = await client.ask()
    assert (reply["date"] or "").endswith(" GMT")
    assert reply["server"] == "riverrun"


async def test_a_connection_is_closed_when_the_client_asks(serve: Serve) -> None:
    server = await serve(hello)
    async with await Client.connect(server) as client:
        reply = await client.ask("/", "GET", "Connection: close")
        assert reply.closes
        assert await client.ends() == b""


async def test_a_connection_is_closed_when_the_handler_asks(serve: Serve) -> None:
    async def closing(request: Request, response: Response) -> None:
        response.headers["connection"] = "close"
        await response.end(b"hello")

    server = await serve(closing)
    async with await Client.connect(server) as client:
        reply = await client.ask()
        assert reply.closes
        assert await client.ends() == b""


@pytest.mark.parametrize("waits", [False, True])
async def test_what_follows_the_last_request_is_not_answered(serve: Serve, waits: bool) -> None:
    paths = []

    async def note(request: Request, response: Response) -> None:
        paths.append(request.path)
        if waits:
            await asyncio.sleep(0.01)
        await response.end()

    server = await serve(note)
    async with await Client.connect(server) as client:
        await client.send(request("/a", "GET", "Connection: close") + request("/b"))
        assert (await client.reply()).closes
        assert await client.ends() == b""
    assert paths == ["/a"]


# Pipelining.


@pytest.mark.parametrize("waits", [False, True])
async def test_pipelined_requests_are_answered_in_order(serve: Serve, waits: bool) -> None:
    async def slow(request: Request, response: Response) -> None:
        if waits:
            await asyncio.sleep(0)
        await response.end(request.path.encode())

    server = await serve(slow)
    async with await Client.connect(server) as client:
        await client.send(b"".join(request(f"/{number}") for number in range(100)))
        for number in range(100):
            assert (await client.reply()).body == b"/%d" % number


async def test_pipelined_requests_with_bodies_are_answered_in_order(serve: Serve) -> None:
    server = await serve(echo)
    bodies = [b"x" * size for size in (0, 1, 1000, 100_000, 5, 300_000, 0, 7)]
    async with await Client.connect(server) as client:
        sending = asyncio.ensure_future(
            client.send(b"".join(request("/", "POST", body=body) for body in bodies))
        )
        for body in bodies:
            assert (await client.reply()).body == body
        await sending


async def test_one_exchange_of_a_connection_runs_at_a_time(serve: Serve) -> None:
    running = 0

    async def alone(request: Request, response: Response) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0.001)
        await response.end(request.path.encode())
        running -= 1

    server = await serve(alone)
    async with await Client.connect(server) as client:
        await client.send(b"".join(request(f"/{number}") for number in range(30)))
        for number in range(30):
            assert (await client.reply()).body == b"/%d" % number


async def test_while_one_waits_no_more_than_8_are_parsed_ahead(serve: Serve) -> None:
    """The rest is refused only when its turn comes: it has not been looked at before."""
    go = asyncio.Event()
    started = []

    async def handler(request: Request, response: Response) -> None:
        started.append(request.path)
        await go.wait()
        await response.end()

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(b"".join(request(f"/{number}") for number in range(100)))
        await until(lambda: started)
        await asyncio.sleep(0.05)
        assert started == ["/0"]
        (connection,) = server.connections
        assert connection._queue is not None
        assert len(connection._queue) == 8
        go.set()
        for _ in range(100):
            await client.reply()
    assert started == [f"/{number}" for number in range(100)]


async def test_while_one_waits_the_socket_is_not_read_for_ever(serve: Serve) -> None:
    """A client that only sends requests and waits for nothing is stopped by a full socket."""
    go = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        await go.wait()
        await response.end()

    server = await serve(handler)
    async with await Client.connect(server) as client:
        flood = request("/" + "x" * 1000) * 20_000
        sending = asyncio.ensure_future(client.send(flood))
        await asyncio.sleep(0.1)
        assert not sending.done()
        sending.cancel()


async def test_requests_that_come_while_others_are_queued_keep_their_place(serve: Serve) -> None:
    """The one that comes last arrives just when one is over and the next has not begun."""
    paths = []
    clients: list[Client] = []

    async def handler(asked: Request, response: Response) -> None:
        paths.append(asked.path)
        if asked.path == "/0":
            await asyncio.sleep(0.02)
        if asked.path == "/2":
            clients[0].push(request("/last"))
        await response.end(asked.path.encode())

    server = await serve(handler)
    async with await Client.connect(server) as client:
        clients.append(client)
        await client.send(b"".join(request(f"/{number}") for number in range(6)))
        expected = [*(f"/{number}" for number in range(6)), "/last"]
        answered = [(await client.reply()).body.decode() for _ in expected]
    assert answered == expected
    assert paths == expected


async def test_a_refused_request_is_answered_behind_those_before_it(serve: Serve) -> None:
    async def slow(request: Request, response: Response) -> None:
        await asyncio.sleep(0.01)
        await response.end(request.path.encode())

    server = await serve(slow)
    async with await Client.connect(server) as client:
        await client.send(request("/a") + request("/b") + b"nonsense\r\n\r\n" + request("/c"))
        assert (await client.reply()).body == b"/a"
        assert (await client.reply()).body == b"/b"
        refusal = await client.reply()
        assert (refusal.status, refusal.closes) == (400, True)
        assert await client.ends() == b""


# Bodies and trailers, both ways.


@pytest.mark.parametrize("size", [0, 1, 1000, 100_000, 3_000_000])
async def test_a_counted_body_comes_and_goes_whole(serve: Serve, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    server = await serve(echo)
    async with await Client.connect(server) as client:
        sending = asyncio.ensure_future(client.send(request("/", "POST", body=body)))
        reply = await client.reply()
        await sending
    assert (reply.body == body, reply.trailers) == (True, [])


@pytest.mark.parametrize("chunk_size", [1, 5, 1000, 100_000])
async def test_a_chunked_body_and_its_trailers_come_and_go(serve: Serve, chunk_size: int) -> None:
    body = bytes(range(256)) * (4 if chunk_size < 10 else 1000)
    chunks = b"".join(
        b"%x;name=value\r\n%b\r\n" % (len(chunk), chunk)
        if start == 0
        else b"%x\r\n%b\r\n" % (len(chunk), chunk)
        for start in range(0, len(body), chunk_size)
        if (chunk := body[start : start + chunk_size])
    )
    head = request("/", "POST", "Transfer-Encoding: chunked", "Trailer: Digest")
    server = await serve(echo)
    async with await Client.connect(server) as client:
        for _ in range(2):
            data = head + chunks + b"0\r\nDigest: abc\r\n\r\n"
            sending = asyncio.ensure_future(client.send(data))
            reply = await client.reply()
            await sending
            assert reply.body == body
            assert reply.trailers == [("digest", "abc")]


async def test_a_response_begins_while_the_request_still_comes(serve: Serve) -> None:
    server = await serve(echo)
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Transfer-Encoding: chunked"))
        await client.send(b"5\r\nhello\r\n")
        await client.reader.readuntil(b"5\r\nhello\r\n")
        await client.send(b"0\r\n\r\n")
        await client.reader.readuntil(b"0\r\n\r\n")


async def test_head_is_answered_without_a_body_and_the_connection_kept(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        if request.path == "/chunked":
            await response.write(b"hello")
        await response.end(b"hello")

    server = await serve(handler)
    async with await Client.connect(server) as client:
        for path, length in (("/whole", "5"), ("/chunked", None)):
            reply = await client.ask(path, "HEAD")
            assert (reply.status, reply["content-length"]) == (200, length)
        assert (await client.ask("/whole")).body == b"hello"


async def test_an_informational_response_comes_before_the_answer(serve: Serve) -> None:
    asked = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        await response.inform(103, {"link": "</style.css>; rel=preload"})
        await asked.wait()
        await response.end(b"hello")

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request())
        hint = await client.reader.readuntil(b"\r\n\r\n")
        assert hint.startswith(b"HTTP/1.1 103 ")
        asked.set()
        assert (await client.reply()).body == b"hello"


# HTTP/1.0.


async def test_http_1_0_is_answered_and_closed(serve: Serve) -> None:
    server = await serve(hello)
    async with await Client.connect(server) as client:
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        reply = await client.reply()
        assert (reply.body, reply["content-length"], reply.closes) == (b"hello", "5", True)
        assert await client.ends() == b""


async def test_http_1_0_may_be_kept_alive(serve: Serve) -> None:
    server = await serve(hello)
    async with await Client.connect(server) as client:
        for _ in range(2):
            await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            reply = await client.reply()
            assert (reply.body, reply["connection"]) == (b"hello", "keep-alive")


@pytest.mark.parametrize("kept", [b"", b"Connection: keep-alive\r\n"])
async def test_http_1_0_is_sent_no_chunks(serve: Serve, kept: bytes) -> None:
    server = await serve(echo)
    async with await Client.connect(server) as client:
        await client.send(b"POST / HTTP/1.0\r\nContent-Length: 5\r\n" + kept + b"\r\nhello")
        reply = await client.reply()
        assert (reply.body, reply["transfer-encoding"], reply.closes) == (b"hello", None, True)


async def test_for_http_1_0_the_close_comes_with_the_end_and_not_with_the_handlers(
    serve: Serve,
) -> None:
    """Where the close is the end of the body, who goes on behind it must not hold it back."""
    go = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        await response.write(b"hello")
        await response.end()
        await go.wait()

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        async with asyncio.timeout(0.5):
            assert (await client.reply()).body == b"hello"
        go.set()


# Targets and hosts.


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("GET /a%20b?c HTTP/1.1", "/a b"),
        ("GET http://a/x?y HTTP/1.1", "/x"),
        ("OPTIONS * HTTP/1.1", ""),
        ("CONNECT a:443 HTTP/1.1", ""),
    ],
)
async def test_all_four_forms_of_target(serve: Serve, line: str, path: str) -> None:
    server = await serve(name)
    async with await Client.connect(server) as client:
        await client.send(f"{line}\r\nHost: a\r\n\r\n".encode())
        reply = await client.reply()
        assert (reply.status, reply.body) == (200, path.encode())


async def test_a_target_that_is_not_valid_is_a_400_when_it_is_looked_at(serve: Serve) -> None:
    server = await serve(name)
    async with await Client.connect(server) as client:
        await client.send(b"GET * HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.reply()).status == 400
        assert (await client.ask("/a")).body == b"/a"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 100 + b"\r\n", 431),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (request("/", "POST", "Expect: the-unexpected", body=b"x"), 417),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
    ],
)
async def test_what_is_refused_is_told_as_a_problem_and_no_handler_sees_it(
    serve: Serve, data: bytes, status: int
) -> None:
    async def never(request: Request, response: Response) -> None:
        pytest.fail("the handler was called")

    server = await serve(never)
    async with await Client.connect(server) as client:
        await client.send(data)
        reply = await client.reply()
        assert (reply.status, reply.closes) == (status, True)
        assert reply["content-type"] == "application/problem+json"
        assert await client.ends() == b""


async def test_the_handler_knows_who_asks(serve: Serve) -> None:
    async def who(request: Request, response: Response) -> None:
        await response.end(request.client.encode())

    server = await serve(who)
    async with await Client.connect(server) as client:
        assert (await client.ask()).body == b"127.0.0.1"


async def test_many_connections_at_a_time(serve: Serve) -> None:
    server = await serve(echo)

    async def ask(number: int) -> None:
        body = b"%d" % number * 10_000
        async with await Client.connect(server) as client:
            for _ in range(3):
                sending = asyncio.ensure_future(client.send(request("/", "PUT", body=body)))
                assert (await client.reply()).body == body
                await sending

    await asyncio.gather(*map(ask, range(40)))
    await until(lambda: not server.connections)
