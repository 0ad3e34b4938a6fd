"""What runs inside a handler runs as in any task, from its first step on."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.conftest import Serve
from tests.server.client import Client, request, until

from riverrun.http.limits import KIB, Limits
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Server

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
INHERITED: contextvars.ContextVar[str] = contextvars.ContextVar("inherited")


@asynccontextmanager
async def warm(server: Server) -> AsyncIterator[Client]:
    """A client of a server that has runners parked, so that handlers are stepped in place."""
    async with await Client.connect(server) as client:
        await client.ask("/warm")
        await client.ask("/warm")
        yield client


async def test_timeouts_work_from_the_first_step_on(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        if request.path == "/later":
            await asyncio.sleep(0)
        try:
            async with asyncio.timeout(0.01):
                await (asyncio.sleep(0) if request.path == "/warm" else asyncio.Event().wait())
        except TimeoutError:
            await response.end(b"late")
        else:
            await response.end(b"in time")

    server = await serve(handler)
    async with warm(server) as client:
        for path in ("/first", "/later", "/first", "/later"):
            assert (await client.ask(path)).body == b"late"
            assert (await client.ask("/warm")).body == b"in time"


async def test_an_expired_timeout_cancels_nothing_else(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.sleep(1)
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        await response.end(b"%d" % task.cancelling())

    server = await serve(handler)
    async with warm(server) as client:
        for _ in range(3):
            assert (await client.ask()).body == b"0"


async def test_task_groups_work_from_the_first_step_on(serve: Serve) -> None:
    async def part(number: int) -> int:
        await asyncio.sleep(0.001 * number)
        return number

    async def handler(request: Request, response: Response) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part(number)) for number in range(3)]
        await response.end(b"%d" % sum(task.result() for task in tasks))

    server = await serve(handler)
    async with warm(server) as client:
        for _ in range(3):
            assert (await client.ask()).body == b"3"


async def test_a_task_group_that_fails_takes_its_tasks_with_it(serve: Serve) -> None:
    ended = []

    async def other() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("other")

    async def fails() -> None:
        raise RuntimeError

    async def handler(request: Request, response: Response) -> None:
        if request.path == "/warm":
            await response.end()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(other())
            group.create_task(fails())

    server = await serve(handler)
    async with warm(server) as client:
        for number in range(1, 4):
            assert (await client.ask()).status == 500
            assert (await client.ask("/warm")).status == 200
            assert len(ended) == number


async def test_the_current_task_is_the_same_from_the_first_step_on(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        first = asyncio.current_task()
        await asyncio.sleep(0)
        assert first is asyncio.current_task() is not None
        await response.end(b"the same")

    server = await serve(handler)
    async with warm(server) as client:
        for _ in range(3):
            assert (await client.ask()).body == b"the same"


# Context variables.


async def visits(request: Request, response: Response) -> None:
    """Answer what the variable was, and set it, before or behind a wait."""
    if request.path == "/later":
        await asyncio.sleep(0)
    seen = VARIABLE.get("not set")
    VARIABLE.set("set")
    if request.path in ("/waits", "/later"):
        await asyncio.sleep(0)
        assert VARIABLE.get() == "set"
    async for _ in request:
        pass
    await response.end(seen.encode())


@pytest.mark.parametrize("path", ["/first", "/waits", "/later"])
async def test_a_context_variable_is_never_seen_by_another_request(serve: Serve, path: str) -> None:
    server = await serve(visits)
    async with await Client.connect(server) as client, await Client.connect(server) as other:
        for _ in range(4):
            for asking in (client, other):
                assert (await asking.ask(path)).body == b"not set"


@pytest.mark.parametrize("path", ["/first", "/waits", "/later"])
async def test_a_context_variable_is_never_seen_by_a_pipelined_request(
    serve: Serve, path: str
) -> None:
    server = await serve(visits)
    async with await Client.connect(server) as client:
        await client.send(request(path) * 8)
        for _ in range(8):
            assert (await client.reply()).body == b"not set"


@pytest.mark.parametrize("path", ["/first", "/waits", "/later"])
async def test_a_context_variable_is_not_seen_behind_a_body_that_was_held(
    serve: Serve, path: str
) -> None:
    """The handler's own reads let the socket be read again; what comes then is not its own."""
    server = await serve(visits, limits=Limits(body_high_water_mark=16 * KIB))
    async with await Client.connect(server) as client:
        for _ in range(3):
            sending = asyncio.ensure_future(
                client.send(request(path, "POST", body=b"x" * 400 * KIB) + request(path) * 2)
            )
            for _ in range(3):
                assert (await client.reply()).body == b"not set"
            await sending
    async with await Client.connect(server) as other:
        assert (await other.ask(path)).body == b"not set"


async def test_a_context_variable_of_the_server_is_seen_by_all(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        await response.end(INHERITED.get("not set").encode())

    INHERITED.set("set")
    server = await serve(handler)
    async with warm(server) as client:
        for _ in range(3):
            assert (await client.ask()).body == b"set"


async def test_tasks_of_a_handler_see_its_variables(serve: Serve) -> None:
    async def see() -> str:
        return VARIABLE.get("not set")

    async def handler(request: Request, response: Response) -> None:
        VARIABLE.set(request.path)
        seen = await asyncio.create_task(see())
        await response.end(seen.encode())

    server = await serve(handler)
    async with warm(server) as client:
        for path in ("/a", "/b", "/c"):
            assert (await client.ask(path)).body == path.encode()


# Cancelling.


async def test_a_handler_that_swallows_its_cancel_spoils_no_other(serve: Serve) -> None:
    over = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        if request.path == "/stubborn":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0.001)
            over.set()
            return
        await asyncio.sleep(0)
        await response.end(b"served")

    server = await serve(handler)
    async with warm(server) as client:
        for _ in range(3):
            over.clear()
            async with await Client.connect(server) as leaving:
                await leaving.send(request("/stubborn"))
                await asyncio.sleep(0.005)
            await over.wait()
            assert (await client.ask()).body == b"served"


async def test_a_handler_is_cancelled_however_short_it_ran(serve: Serve) -> None:
    """The client leaves at every moment around the first step."""
    begun = ended = 0

    async def handler(request: Request, response: Response) -> None:
        nonlocal begun, ended
        begun += 1
        try:
            await asyncio.sleep(0.05)
            await response.end()
        finally:
            ended += 1

    server = await serve(handler)
    for turns in (0, 0, 1, 1, 2, 3, 4, 5, 8):
        async with await Client.connect(server) as client:
            client.writer.write(request())
            for _ in range(turns):
                await asyncio.sleep(0)
    await until(lambda: not server.connections)
    await until(lambda: begun == ended)


async def test_a_server_that_aborts_at_once_leaves_no_handler_behind(serve: Serve) -> None:
    """Connections are aborted before the tasks of their handlers were ever entered."""
    ended = []

    async def handler(request: Request, response: Response) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(request.path)

    for turns in range(6):
        server = await serve(handler)
        async with await Client.connect(server) as client:
            client.push(request())
            for _ in range(turns):
                await asyncio.sleep(0)
            await server.stop(0)
    assert set(ended) <= {"/"}


async def test_more_handlers_at_a_time_than_are_kept_for_later(serve: Serve) -> None:
    go = asyncio.Event()
    waiting = 0

    async def handler(request: Request, response: Response) -> None:
        nonlocal waiting
        waiting += 1
        if request.path == "/waits":
            await go.wait()
        await response.end(b"done")

    server = await serve(handler)

    async def ask() -> None:
        async with await Client.connect(server) as client:
            assert (await client.ask("/waits")).body == b"done"
            assert (await client.ask("/")).body == b"done"

    asking = [asyncio.ensure_future(ask()) for _ in range(100)]
    await until(lambda: waiting == 100)
    go.set()
    await asyncio.gather(*asking)
    assert waiting == 200


@pytest.mark.parametrize("waits", [False, True])
async def test_a_cancel_of_every_task_breaks_no_later_handler(serve: Serve, waits: bool) -> None:
    """A program may cancel what it finds in `asyncio.all_tasks`, parked runners too."""

    async def handler(request: Request, response: Response) -> None:
        if request.path == "/cancels":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        elif waits:
            await asyncio.sleep(0)
        await response.end(b"done")

    server = await serve(handler)
    async with await Client.connect(server) as client:
        for path in ("/", "/", "/cancels", "/", "/"):
            assert (await client.ask(path)).body == b"done"
            ours = asyncio.current_task()
            for task in asyncio.all_tasks():
                if task is not ours and "Runner" in repr(task):
                    task.cancel()
            await asyncio.sleep(0.01)
