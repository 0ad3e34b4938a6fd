"""Where a server listens: TCP, a Unix socket, or a descriptor that it has inherited."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client, until
from tests.server.kernel import congestion_control

from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Server
from riverrun.server.listeners import inherited_listener, open_listener

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no program chooses")


async def who(request: Request, response: Response) -> None:
    await response.end(f"from {request.client!r}".encode())


async def ask_unix(path: Path) -> bytes:
    async with Client(*await asyncio.open_unix_connection(path)) as client:
        return (await client.ask()).body


async def test_a_free_port_is_taken_and_told(serve: Serve) -> None:
    server, other = await serve(who), await serve(who)
    assert server.port
    assert other.port not in (None, 0, server.port)


async def test_only_the_given_address_is_listened_on(serve: Serve) -> None:
    server = await serve(who, host="127.0.0.2")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", server.port)
    async with Client(*await asyncio.open_connection("127.0.0.2", server.port)) as client:
        assert (await client.ask()).status == 200


@only_linux
async def test_connections_are_not_paced_where_only_this_machine_can_connect() -> None:
    """Reno is the one congestion control that is always there and never paces."""
    with open_listener("127.0.0.1", 0) as listener, socket.socket() as client:
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            assert congestion_control(accepted) == b"reno"


@only_linux
async def test_the_network_keeps_the_congestion_control_of_the_system() -> None:
    with open_listener("0.0.0.0", 0) as listener, socket.socket() as untouched:
        assert congestion_control(listener) == congestion_control(untouched)


async def test_ipv6(serve: Serve) -> None:
    try:
        server = await serve(who, host="::1")
    except OSError:
        pytest.skip("there is no IPv6 here")
    async with Client(*await asyncio.open_connection("::1", server.port)) as client:
        assert (await client.ask()).body == b"from '::1'"


async def test_a_unix_socket(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    server = await serve(who, unix=str(path))
    assert server.port is None
    assert await ask_unix(path) == b"from ''"
    await until(lambda: not server.connections)


async def test_a_unix_socket_that_nobody_listens_on_is_replaced(
    serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    await serve(who, unix=str(path))
    assert await ask_unix(path) == b"from ''"


async def test_a_unix_socket_that_is_in_use_is_left_alone(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    await serve(who, unix=str(path))
    with pytest.raises(OSError, match="in use"):
        await Server(who, unix=str(path)).start()
    assert await ask_unix(path) == b"from ''"


async def test_a_file_in_the_place_of_a_unix_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(OSError, match="in use"):
        await Server(who, unix=str(path)).start()
    assert path.read_text() == "precious"


async def test_a_large_response_over_a_unix_socket(serve: Serve, tmp_path: Path) -> None:
    async def large(request: Request, response: Response) -> None:
        for _ in range(100):
            await response.write(bytes(100_000))
        await response.end()

    path = tmp_path / "socket"
    await serve(large, unix=str(path))
    assert len(await ask_unix(path)) == 10_000_000


async def test_a_failure_over_a_unix_socket_is_seen(serve: Serve, tmp_path: Path) -> None:
    """A Unix socket cannot be reset; a chunked body without its end tells enough."""

    async def fails(request: Request, response: Response) -> None:
        await response.write(b"some")
        raise RuntimeError

    path = tmp_path / "socket"
    await serve(fails, unix=str(path))
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await ask_unix(path)


async def test_a_listener_of_the_callers(serve: Serve) -> None:
    listeners = [open_listener("127.0.0.1", 0), open_listener("127.0.0.1", 0)]
    ports = [listener.getsockname()[1] for listener in listeners]
    server = await serve(who, listeners=listeners)
    assert server.port == ports[0]
    for port in ports:
        async with Client(*await asyncio.open_connection("127.0.0.1", port)) as client:
            assert (await client.ask()).status == 200


async def test_an_inherited_descriptor(serve: Serve) -> None:
    opened = open_listener("127.0.0.1", 0)
    port = opened.getsockname()[1]
    await serve(who, listeners=[inherited_listener(opened.detach())])
    async with Client(*await asyncio.open_connection("127.0.0.1", port)) as client:
        assert (await client.ask()).body == b"from '127.0.0.1'"


def test_what_is_no_listening_socket_is_refused_and_stays_open(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="not a listening socket"):
            inherited_listener(bound.fileno())
        assert stat.S_ISSOCK(os.fstat(bound.fileno()).st_mode)
    with (tmp_path / "file").open("w") as file:
        with pytest.raises(OSError, match="socket"):
            inherited_listener(file.fileno())
        file.write("still open")


its_own_loop = pytest.mark.asyncio(loop_factories=["asyncio"])
its_own_transports = pytest.mark.parametrize("transport_kind", ["aiofastnet"], indirect=True)

PROGRAM = """
from riverrun.server import run
from riverrun.server.listeners import inherited_listener

async def handler(request, response):
    await response.end(b"inherited")

run(handler, listeners=[inherited_listener(3)])
"""


@its_own_loop
@its_own_transports
async def test_a_descriptor_inherited_from_a_parent_process() -> None:
    with open_listener("127.0.0.1", 0) as listener:
        # As a service manager does: the first descriptor behind the standard ones.
        program = f"import os; os.dup2({listener.fileno()}, 3)\n" + PROGRAM
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, pass_fds=[listener.fileno()]
        )
        try:
            port = listener.getsockname()[1]
            async with Client(*await asyncio.open_connection("127.0.0.1", port)) as client:
                assert (await client.ask()).body == b"inherited"
        finally:
            process.terminate()
            await process.wait()
            process._transport.close()  # type: ignore[attr-defined]
