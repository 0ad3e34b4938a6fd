"""Request bodies: how much of them waits, and what becomes of what nobody reads."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
from tests.conftest import Serve
from tests.server.client import Client, at_rest, request, until

from riverrun.errors import ClosedError, HTTPError
from riverrun.http.limits import KIB, MIB, Limits
from riverrun.http.request import Request
from riverrun.http.response import Response


async def ignore(request: Request, response: Response) -> None:
    await response.end(b"ignored")


async def measure(request: Request, response: Response) -> None:
    size = 0
    async for chunk in request:
        size += len(chunk)
    await response.end(b"%d" % size)


# A body that nobody reads.


@pytest.mark.parametrize("size", [1, 1000, 200 * KIB])
@pytest.mark.parametrize("waits", [False, True])
async def test_a_little_that_was_not_read_is_dropped_and_the_connection_kept(
    serve: Serve, size: int, waits: bool
) -> None:
    async def handler(request: Request, response: Response) -> None:
        if waits:
            await asyncio.sleep(0.001)
        await response.end(request.path.encode())

    server = await serve(handler)
    async with await Client.connect(server) as client:
        for number in range(3):
            reply = await client.ask(f"/{number}", "POST", body=b"x" * size)
            assert (reply.body, reply.closes) == (b"/%d" % number, False)
        assert (await client.ask()).status == 200
    assert server.budget.level == 0


async def test_a_little_chunked_body_is_dropped_with_its_trailers(serve: Serve) -> None:
    server = await serve(ignore)
    async with await Client.connect(server) as client:
        head = request("/", "POST", "Transfer-Encoding: chunked")
        for _ in range(3):
            await client.send(head + b"5\r\nhello\r\n" * 100 + b"0\r\nDigest: abc\r\n\r\n")
            assert (await client.reply()).body == b"ignored"


async def test_a_body_read_in_part_is_dropped_from_there(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        await response.end(await request.read(3))

    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(3):
            reply = await client.ask("/", "POST", body=b"abc" + b"x" * 100 * KIB)
            assert reply.body == b"abc"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_not_read_and_the_answer_can_be_all_the_same(
    serve: Serve, chunked: bool
) -> None:
    """Closing at once would reset a client that still sends, and it might lose the answer."""
    server = await serve(ignore)
    client = socket.create_connection(("127.0.0.1", server.port or 0))
    body = b"x" * 20 * MIB
    head = request("/", "POST", f"Content-Length: {len(body)}")
    if chunked:
        head = request("/", "POST", "Transfer-Encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    def send_then_read() -> bytes:
        """As a simple client does that looks at nothing before it has sent all it has."""
        client.settimeout(10)
        with suppress(OSError):
            client.sendall(head)
            client.sendall(body)
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
        return answer

    with client:
        answer = await asyncio.get_running_loop().run_in_executor(None, send_then_read)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nignored")


@pytest.mark.usefixtures("quick_clock")
async def test_a_client_that_never_stops_sending_is_not_listened_to_for_ever(serve: Serve) -> None:
    server = await serve(ignore, limits=Limits(linger_timeout=0.2))
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", f"Content-Length: {1 << 40}"))
        assert (await client.reply()).body == b"ignored"

        async def send_for_ever() -> None:
            while True:
                await client.send(b"x" * 1000)
                await asyncio.sleep(0.005)

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(send_for_ever(), 5)
        await until(lambda: not server.connections)


@pytest.mark.usefixtures("quick_clock")
async def test_a_little_body_that_never_comes_is_not_waited_for_for_ever(serve: Serve) -> None:
    server = await serve(ignore, limits=Limits(linger_timeout=0.2))
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Content-Length: 100") + b"x")
        assert (await client.reply()).body == b"ignored"
        assert await client.is_cut()
        await until(lambda: not server.connections)


async def test_a_request_that_is_read_behind_its_exchange_is_closed(serve: Serve) -> None:
    kept: list[Request] = []

    async def keep(request: Request, response: Response) -> None:
        kept.append(request)
        await response.end()

    server = await serve(keep)
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Content-Length: 100") + b"x")
        await client.reply()
        with pytest.raises(ClosedError):
            await kept[0].read()


async def test_closing_the_request_refuses_the_rest(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        await request.aclose()
        with pytest.raises(ClosedError):
            await request.read()
        await response.end(b"closed")

    server = await serve(handler)
    async with await Client.connect(server) as client:
        reply = await client.ask("/", "POST", body=b"x" * 1000)
        assert (reply.body, reply.closes) == (b"closed", False)
        assert (await client.ask("/", "POST", body=b"x" * 1000)).body == b"closed"


# The slow side sets the pace.


async def test_a_body_that_waits_to_be_read_stops_its_client(serve: Serve) -> None:
    read = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        await read.wait()
        await measure(request, response)

    size = 30 * MIB
    server = await serve(handler, limits=Limits(body_high_water_mark=64 * KIB))
    async with await Client.connect(server) as client:
        sending = asyncio.ensure_future(client.send(request("/", "POST", body=b"x" * size)))
        await until(lambda: server.budget.level >= 64 * KIB)
        level = await at_rest(lambda: server.budget.level)
        assert level < 64 * KIB + 512 * KIB
        assert not sending.done()
        read.set()
        assert (await client.reply()).body == b"%d" % size
        await sending
    assert server.budget.level == 0


async def test_a_paused_request_stops_its_client_until_it_resumes(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        request.pause()
        got = await request.read()
        reading = asyncio.ensure_future(request.read())
        await asyncio.sleep(0.05)
        assert not reading.done()
        request.resume()
        got += await reading
        async for chunk in request:
            got += chunk
        await response.end(got)

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Content-Length: 11") + b"hello ")
        await asyncio.sleep(0.02)
        await client.send(b"world")
        assert (await client.reply()).body == b"hello world"


async def test_small_reads_take_a_body_bite_by_bite(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        chunks = []
        while chunk := await request.read(7):
            assert len(chunk) <= 7
            chunks.append(chunk)
        await response.end(b"".join(chunks))

    body = bytes(range(256)) * 40
    server = await serve(handler, limits=Limits(body_high_water_mark=1000))
    async with await Client.connect(server) as client:
        assert (await client.ask("/", "POST", body=body)).body == body


async def test_the_budget_of_all_buffers_pauses_reading_and_nothing_fails(serve: Serve) -> None:
    """Each body may buffer more than all may together: they wait for one another."""
    read = asyncio.Event()
    highest = 0

    async def handler(request: Request, response: Response) -> None:
        nonlocal highest
        await read.wait()
        size = 0
        async for chunk in request:
            size += len(chunk)
            highest = max(highest, server.budget.level)
            await asyncio.sleep(0)
        await response.end(b"%d" % size)

    budget, size = 512 * KIB, 3 * MIB
    server = await serve(handler, limits=Limits(buffer_budget=budget, body_high_water_mark=MIB))

    async def upload() -> None:
        async with await Client.connect(server) as client:
            sending = asyncio.ensure_future(client.send(request("/", "PUT", body=b"x" * size)))
            async with asyncio.timeout(20):
                reply = await client.reply()
            assert reply.body == b"%d" % size
            await sending

    uploads = [asyncio.ensure_future(upload()) for _ in range(8)]
    one_read_each = 8 * 256 * KIB
    await until(lambda: server.budget.level >= budget)
    await asyncio.sleep(0.2)  # more may come, but only so much
    assert server.budget.level <= budget + one_read_each
    read.set()
    await asyncio.gather(*uploads)
    assert highest <= budget + one_read_each
    assert server.budget.level == 0


async def test_a_spent_budget_holds_nobody_back_who_has_no_body(serve: Serve) -> None:
    read = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        if request.method == "PUT":
            await read.wait()
        await measure(request, response)

    server = await serve(handler, limits=Limits(buffer_budget=64 * KIB))
    async with await Client.connect(server) as uploader, await Client.connect(server) as other:
        sending = asyncio.ensure_future(uploader.send(request("/", "PUT", body=b"x" * MIB)))
        await until(lambda: server.budget.spent)
        assert (await other.ask()).body == b"0"
        read.set()
        assert (await uploader.reply()).body == b"%d" % MIB
        await sending


async def test_responses_that_nobody_takes_count_in_the_budget(serve: Serve) -> None:
    """They hold up the bodies of others until they are taken, or their reader is gone."""

    async def handler(request: Request, response: Response) -> None:
        if request.method == "GET":
            await response.end(bytes(8 * MIB))
        await response.end(str(len(await request.body())).encode())

    server = await serve(handler, limits=Limits(buffer_budget=MIB))
    async with await Client.connect(server, receive_buffer=1 << 16) as reader:
        reader.stop_reading()
        await reader.send(request())
        await until(lambda: server.budget.spent)
        async with await Client.connect(server) as sender:
            await sender.send(request("/", "POST", body=bytes(600 * KIB)))
            await until(lambda: server.budget.waiting == 1)
            reader.go_on_reading()
            assert len((await reader.reply()).body) == 8 * MIB
            assert (await sender.reply()).body == str(600 * KIB).encode()
        assert server.budget.level == 0
        reader.stop_reading()
        await reader.send(request())
        await until(lambda: server.budget.spent)
    await until(lambda: not server.connections and server.budget.level == 0)


async def test_a_body_that_goes_away_gives_its_part_of_the_budget_back(serve: Serve) -> None:
    async def wait(request: Request, response: Response) -> None:
        await asyncio.Event().wait()

    server = await serve(wait)
    async with await Client.connect(server) as client:
        await client.send(request("/", "PUT", f"Content-Length: {MIB}") + b"x" * 100 * KIB)
        await until(lambda: server.budget.level > 0)
    await until(lambda: not server.connections and server.budget.level == 0)


async def test_bodies_of_requests_that_never_had_their_turn_are_given_back(serve: Serve) -> None:
    async def wait(request: Request, response: Response) -> None:
        await asyncio.Event().wait()

    server = await serve(wait)
    async with await Client.connect(server) as client:
        await client.send(request("/", "PUT", body=b"x" * 1000) * 3)
        await until(lambda: server.budget.level == 3000)
    await until(lambda: not server.connections and server.budget.level == 0)


async def test_who_ignores_its_body_is_not_held_by_the_bodies_of_others(serve: Serve) -> None:
    """Its next request starts, from within another handler's read, as if nothing was."""
    read = asyncio.Event()
    mine = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        if request.path == "/reads":
            await read.wait()
            await measure(request, response)
        elif request.path == "/ignores":
            await mine.wait()
            await response.end(b"ignored")
        else:
            await response.end(b"next")

    limits = Limits(buffer_budget=100 * KIB, body_high_water_mark=MIB)
    server = await serve(handler, limits=limits)
    async with await Client.connect(server) as reader, await Client.connect(server) as other:
        await other.ask("/warm")
        await other.ask("/warm")
        reading = asyncio.ensure_future(reader.send(request("/reads", "PUT", body=b"x" * MIB)))
        await until(lambda: server.budget.spent)
        body = request("/ignores", "PUT", body=b"x" * 1000)
        await other.send(body[:-500])
        await asyncio.sleep(0.02)
        await other.send(body[-500:] + request("/next"))
        await asyncio.sleep(0.02)
        mine.set()
        assert (await other.reply()).body == b"ignored"
        await asyncio.sleep(0.02)
        read.set()
        reply = await other.reply()
        assert (reply.status, reply.body) == (200, b"next")
        assert (await reader.reply()).body == b"%d" % MIB
        await reading


# Limits of size.


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_beyond_the_servers_limit_is_refused(serve: Serve, chunked: bool) -> None:
    server = await serve(measure, limits=Limits(body_size=1000))
    for size, status in ((1000, 200), (1001, 413)):
        async with await Client.connect(server) as client:
            if chunked:
                await client.send(request("/", "POST", "Transfer-Encoding: chunked"))
                await client.send(b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size))
            else:
                await client.send(request("/", "POST", body=b"x" * size))
            reply = await client.reply()
            assert (reply.status, reply.closes) == (status, status == 413)


async def test_a_body_read_whole_is_refused_beyond_1_mib(serve: Serve) -> None:
    async def whole(request: Request, response: Response) -> None:
        await response.end(b"%d" % len(await request.body()))

    server = await serve(whole)
    async with await Client.connect(server) as client:
        assert (await client.ask("/", "POST", body=b"x" * MIB)).body == b"%d" % MIB
        assert (await client.ask("/", "POST", body=b"x" * (MIB + 1))).status == 413


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (b"x\r\nhello\r\n0\r\n\r\n", 400),
        (b"5\r\nhello!\r\n0\r\n\r\n", 400),
        (b"5;" + b"x" * 5 * KIB + b"\r\nhello\r\n0\r\n\r\n", 413),
        (b"5\r\nhello\r\n0\r\nX: " + b"x" * 9 * KIB + b"\r\n\r\n", 431),
        (b"5\r\nhello\r\n0\r\n" + b"x: y\r\n" * 101 + b"\r\n", 431),
    ],
)
async def test_a_body_that_is_not_valid_is_refused_while_it_is_read(
    serve: Serve, rest: bytes, status: int
) -> None:
    errors: list[HTTPError] = []

    async def handler(request: Request, response: Response) -> None:
        try:
            await measure(request, response)
        except HTTPError as error:
            errors.append(error)
            raise

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Transfer-Encoding: chunked") + rest)
        reply = await client.reply()
        assert (reply.status, reply.closes) == (status, True)
        assert await client.ends() == b""
    assert [error.status for error in errors] == [status]


async def test_a_body_that_is_not_valid_spoils_no_answer_that_has_begun(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        await response.write(b"first")
        await measure(request, response)

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", "Transfer-Encoding: chunked") + b"x\r\n")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.reply()


async def test_what_a_handler_works_on_counts_in_the_budget_until_it_comes_again(
    serve: Serve,
) -> None:
    levels: list[tuple[int, int]] = []

    async def handler(request: Request, response: Response) -> None:
        while chunks := await request.read_chunks():
            carrier = request.flow.carrier
            assert carrier is not None
            levels.append((server.budget.level, sum(map(len, chunks)) + carrier.buffered))
            await asyncio.sleep(0.001)
        assert server.budget.level == 0
        await response.end()

    server = await serve(handler)
    async with await Client.connect(server) as client:
        assert (await client.ask("/", "PUT", body=bytes(MIB))).status == 200
    assert sum(size for _, size in levels) >= MIB
    assert all(level == size for level, size in levels)


@pytest.mark.parametrize("ends", ["well", "badly", "by the client"])
async def test_nothing_counts_when_the_exchange_is_over(serve: Serve, ends: str) -> None:
    working = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        assert await request.read_chunks()
        assert server.budget.level
        working.set()
        if ends == "badly":
            raise HTTPError(409)
        if ends == "by the client":
            await asyncio.sleep(5)
        await response.end()

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request("/", "PUT", "Content-Length: 1000") + bytes(500))
        await asyncio.wait_for(working.wait(), 5)
    await until(lambda: server.budget.level == 0)
