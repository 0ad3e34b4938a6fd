"""A failure before the head is a problem; after it, the connection is cut and the client knows."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

import pytest
from tests.conftest import Serve
from tests.server.client import Client, request, until

from riverrun.errors import BrokenError, HTTPError, LengthError
from riverrun.http.handler import FINISHED
from riverrun.http.request import Request
from riverrun.http.response import Response

SECRET = "/home/somebody/secret"
CUT = (asyncio.IncompleteReadError, ConnectionError)
Failing = Callable[[Request, Response], Awaitable[None]]

each_moment = pytest.mark.parametrize("waits", [False, True], ids=["first step", "later"])


def failing(error: BaseException, *, waits: bool, started: bool = False) -> Failing:
    async def handler(request: Request, response: Response) -> None:
        if started:
            await response.write(b"some")
        if waits:
            await asyncio.sleep(0.001)
        raise error

    return handler


@each_moment
@pytest.mark.parametrize("error", [RuntimeError(SECRET), OSError(2, "No such file", SECRET)])
async def test_an_exception_is_a_500_that_tells_nothing(
    serve: Serve, waits: bool, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(failing(error, waits=waits))
    async with await Client.connect(server) as client:
        for _ in range(3):
            reply = await client.ask("/where")
            assert (reply.status, reply.closes) == (500, False)
            assert reply["content-type"] == "application/problem+json"
            assert json.loads(reply.body) == {"title": "Internal Server Error", "status": 500}
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3
    assert "GET /where" in caplog.text
    assert caplog.records[0].exc_info is not None


@each_moment
async def test_an_http_error_is_answered_as_it_says(serve: Serve, waits: bool) -> None:
    error = HTTPError(405, "Look elsewhere.", headers={"Allow": "GET"})
    server = await serve(failing(error, waits=waits))
    async with await Client.connect(server) as client:
        for _ in range(2):
            reply = await client.ask("/", "POST", body=b"x")
            assert (reply.status, reply["allow"], reply.closes) == (405, "GET", False)
            assert json.loads(reply.body)["detail"] == "Look elsewhere."


async def test_browsers_are_answered_with_a_page(serve: Serve) -> None:
    server = await serve(failing(HTTPError(404), waits=False))
    async with await Client.connect(server) as client:
        reply = await client.ask("/", "GET", "Accept: text/html,application/xhtml+xml,*/*;q=0.8")
    assert reply["content-type"] == "text/html; charset=utf-8"
    assert reply["vary"] == "accept"


@each_moment
async def test_a_failure_of_head_is_answered_without_a_body(serve: Serve, waits: bool) -> None:
    server = await serve(failing(RuntimeError(), waits=waits))
    async with await Client.connect(server) as client:
        for _ in range(2):
            reply = await client.ask("/", "HEAD")
            assert (reply.status, reply.body) == (500, b"")


@each_moment
@pytest.mark.parametrize("framing", ["chunked", "counted", "until close"])
async def test_a_failure_behind_the_head_cuts_the_connection(
    serve: Serve, waits: bool, framing: str
) -> None:
    fail = failing(RuntimeError(), waits=waits, started=True)

    async def handler(request: Request, response: Response) -> None:
        if framing == "counted":
            response.headers["content-length"] = "100"
        await fail(request, response)

    server = await serve(handler)
    async with await Client.connect(server) as client:
        version = "1.0" if framing == "until close" else "1.1"
        await client.send(f"GET / HTTP/{version}\r\nHost: a\r\n\r\n".encode())
        with pytest.raises(CUT):
            await client.reply()
        await until(lambda: not server.connections)


@each_moment
async def test_a_failure_of_the_far_side_is_no_stack_trace(
    serve: Serve, waits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(failing(BrokenError("the disk is gone"), waits=waits))
    async with await Client.connect(server) as client:
        assert (await client.ask()).status == 500
    assert [(record.levelno, record.exc_info) for record in caplog.records] == [
        (logging.WARNING, None)
    ]


@each_moment
@pytest.mark.parametrize("started", [False, True])
async def test_a_handler_that_ends_nothing_has_failed(
    serve: Serve, waits: bool, started: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: Request, response: Response) -> None:
        if started:
            await response.write(b"some")
        if waits:
            await asyncio.sleep(0.001)

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request())
        if started:
            with pytest.raises(CUT):
                await client.reply()
        else:
            assert (await client.reply()).status == 500
    assert "without ending its response" in caplog.text


@each_moment
async def test_a_handler_that_cancels_itself_has_failed(serve: Serve, waits: bool) -> None:
    server = await serve(failing(asyncio.CancelledError(), waits=waits))
    for _ in range(3):
        async with await Client.connect(server) as client:
            for _ in range(2):
                assert (await client.ask()).status == 500


async def test_a_handler_whose_task_is_cancelled_has_failed(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if request.path == "/waits":
            await asyncio.sleep(0.001)
        elif request.path == "/ends":
            await response.end(b"all the same")

    server = await serve(handler)
    for path, status in (("/waits", 500), ("/ends", 200), ("/", 500)):
        for _ in range(3):
            async with await Client.connect(server) as client:
                assert (await client.ask(path)).status == status
                assert (await client.ask(path)).status == status


@each_moment
async def test_a_failure_behind_the_end_harms_nobody(
    serve: Serve, waits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: Request, response: Response) -> None:
        await response.end(b"whole")
        if waits:
            await asyncio.sleep(0.001)
        raise RuntimeError

    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(3):
            assert (await client.ask()).body == b"whole"
    assert "the handler failed" in caplog.text


async def test_an_error_that_cannot_be_answered_as_it_says_is_a_500(serve: Serve) -> None:
    errors = [
        HTTPError(400, headers={"x": "a\r\nb: c"}),
        HTTPError(400, headers={"no token": "x"}),
        HTTPError(200_000),
        HTTPError(101),
    ]
    for error in errors:
        server = await serve(failing(error, waits=False))
        async with await Client.connect(server) as client:
            for _ in range(2):
                reply = await client.ask()
                assert reply.status in (400, 500)
                assert reply["b"] is None


async def test_what_cannot_be_rendered_is_a_500(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        response.headers["content-length"] = "many"
        await response.end(b"x")

    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(3):
            assert (await client.ask()).status == 500


@pytest.mark.parametrize("written", [b"four", b"sixsix"])
async def test_a_wrong_length_never_looks_right(serve: Serve, written: bytes) -> None:
    seen: list[LengthError] = []

    async def handler(request: Request, response: Response) -> None:
        response.headers["content-length"] = "5"
        try:
            await response.write(written)
            await response.end()
        except LengthError as error:
            seen.append(error)
            raise

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request())
        if len(written) > 5:
            assert (await client.reply()).status == 500
        else:
            with pytest.raises(CUT):
                await client.reply()
    assert [(error.declared, error.written) for error in seen] == [(5, len(written))]


# Handlers that are no coroutine functions.


async def test_a_plain_function_that_has_answered_is_a_handler(serve: Serve) -> None:
    def handler(request: Request, response: Response) -> Awaitable[None]:
        assert response.try_end(request.target)
        return FINISHED

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(b"".join(request(f"/{number}") for number in range(30)))
        for number in range(30):
            assert (await client.reply()).body == b"/%d" % number


async def test_a_plain_function_that_raises_is_a_500(serve: Serve) -> None:
    def handler(request: Request, response: Response) -> Awaitable[None]:
        raise RuntimeError

    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(2):
            assert (await client.ask()).status == 500


async def test_a_plain_function_that_has_not_answered_is_a_500(serve: Serve) -> None:
    def handler(request: Request, response: Response) -> Awaitable[None]:
        return FINISHED

    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(2):
            assert (await client.ask()).status == 500


async def test_a_handler_that_returns_nothing_to_await_is_a_500(serve: Serve) -> None:
    def handler(request: Request, response: Response) -> None:
        response.try_end(b"answered")

    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(3):
            assert (await client.ask()).status in (200, 500)
