"""Forms over sockets, as clients send them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

from tests.conftest import Serve
from tests.http.forms import MULTIPART, field, multipart_of, named
from tests.server.client import Client, request, until

from riverrun.errors import DisconnectedError
from riverrun.http.limits import KIB, MIB, Limits
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Server

LONGEST_DELIMITER = 4 + 70


async def describe(request: Request, response: Response) -> None:
    """Answer with every part: its text, or of a file the digest and the largest chunk."""
    described: list[dict[str, str | int]] = []
    async for part in request.form():
        if part.filename is None:
            described.append({"name": part.name, "text": await part.text()})
            continue
        digest = hashlib.sha256()
        sizes = [0]
        async for chunk in part:
            digest.update(chunk)
            sizes.append(len(chunk))
        described.append(
            {
                "name": part.name,
                "filename": part.filename,
                "type": part.content_type,
                "size": sum(sizes),
                "largest": max(sizes),
                "digest": digest.hexdigest(),
            }
        )
    await response.end(json.dumps(described).encode())


async def curl(server: Server, *arguments: str, cwd: Path) -> Any:
    program = shutil.which("curl")
    assert program, "curl is not installed; .ci/run installs it"
    command = [program, "-q", "--silent", "--show-error", "--fail", *arguments]
    finished = await asyncio.to_thread(
        subprocess.run,
        [*command, f"http://127.0.0.1:{server.port}/"],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr.decode()
    return json.loads(finished.stdout)


async def test_a_form_from_curl_is_streamed(serve: Serve, tmp_path: Path) -> None:
    data = Random(1).randbytes(20 * MIB)
    (tmp_path / "noise.bin").write_bytes(data)
    (tmp_path / "note").write_text("read me")
    server = await serve(describe)
    title, file, note = await curl(
        server,
        "-F",
        "title=fluß & meer",
        "-F",
        'file=@noise.bin;filename="a\\"b.bin"',
        "-F",
        "note=@note;type=text/markdown",
        cwd=tmp_path,
    )
    assert title == {"name": "title", "text": "fluß & meer"}
    assert file["digest"] == hashlib.sha256(data).hexdigest()
    assert (file["filename"], file["size"]) == ('a"b.bin', len(data))
    assert file["type"] == "application/octet-stream"
    assert 0 < file["largest"] <= Limits().body_high_water_mark + LONGEST_DELIMITER
    assert (note["filename"], note["type"], note["size"]) == ("note", "text/markdown", 7)
    assert server.budget.level == 0


async def test_an_urlencoded_form_from_curl(serve: Serve, tmp_path: Path) -> None:
    server = await serve(describe)
    sent = ("--data-urlencode", "a=fluß & meer", "--data-urlencode", "b=1+1=2\n")
    assert await curl(server, *sent, cwd=tmp_path) == [
        {"name": "a", "text": "fluß & meer"},
        {"name": "b", "text": "1+1=2\n"},
    ]


def form(body: bytes) -> bytes:
    return request("/", "POST", f"Content-Type: {MULTIPART}", body=body)


async def test_a_connection_is_kept_behind_a_form(serve: Serve) -> None:
    server = await serve(describe)
    async with await Client.connect(server) as client:
        for epilogue in (b"", b"\r\n", b"x" * 100 * KIB):
            await client.send(form(multipart_of(named("a", b"b"), epilogue=epilogue)))
            reply = await client.reply()
            assert (reply.status, reply.closes) == (200, False)
            assert json.loads(reply.body) == [{"name": "a", "text": "b"}]


async def test_forms_are_refused_with_their_status(serve: Serve) -> None:
    server = await serve(describe, limits=Limits(part_count=1))
    for body, status in (
        (multipart_of(named("a") * 2), 413),
        (multipart_of(field("form-data; name=a", b"", "X: " + "x" * 5000)), 431),
        (multipart_of(named("a"))[:-6], 400),
    ):
        async with await Client.connect(server) as client:
            await client.send(form(body))
            assert (await client.reply()).status == status
    async with await Client.connect(server) as client:
        reply = await client.ask("/", "POST", "Content-Type: a/b", body=b"x")
        assert reply.status == 415
        assert reply["accept"] == "multipart/form-data, application/x-www-form-urlencoded"


async def test_a_part_that_nobody_reads_stops_the_client(serve: Serve) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()
    sizes: list[int] = []

    async def handler(request: Request, response: Response) -> None:
        async for part in request.form():
            started.set()
            await go_on.wait()
            sizes.extend([len(chunk) async for chunk in part])
        await response.end(b"%d" % sum(sizes))

    server = await serve(handler)
    file = field("form-data; name=a; filename=a", b"x" * 20 * MIB)
    async with await Client.connect(server) as client:
        sending = asyncio.ensure_future(client.send(form(multipart_of(file))))
        await started.wait()
        await asyncio.sleep(0.1)
        assert not sending.done()
        assert server.budget.level <= 2 * Limits().body_high_water_mark
        go_on.set()
        assert (await client.reply()).body == b"%d" % (20 * MIB)
        await sending


async def test_a_client_that_goes_away_within_a_part_is_noticed(serve: Serve) -> None:
    errors: list[BaseException] = []

    async def handler(request: Request, response: Response) -> None:
        try:
            await describe(request, response)
        except BaseException as error:
            errors.append(error)
            raise

    server = await serve(handler)
    file = field("form-data; name=a; filename=a", b"x" * 100)
    async with await Client.connect(server) as client:
        await client.send(form(multipart_of(file))[:-100])
        await asyncio.sleep(0.02)
    await until(lambda: errors)
    assert isinstance(errors[0], DisconnectedError | asyncio.CancelledError)
    await until(lambda: not server.connections and server.budget.level == 0)


async def test_a_handler_may_leave_a_part_that_it_waits_for(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        part = await anext(request.form())
        try:
            async with asyncio.timeout(0.02):
                while await part.read():
                    pass
        except TimeoutError:
            await response.end(b"too slow")

    server = await serve(handler)
    body = multipart_of(field("form-data; name=a; filename=a", b"x" * 100))
    async with await Client.connect(server) as client:
        await client.send(form(body)[:-100])
        assert (await client.reply()).body == b"too slow"
        await client.send(body[-100:] + form(body)[:-100])
        assert (await client.reply()).body == b"too slow"


async def test_chunks_of_a_part_come_together_and_count_until_the_next_ones(serve: Serve) -> None:
    taken: list[list[bytes]] = []
    levels: list[bool] = []

    async def handler(request: Request, response: Response) -> None:
        async for part in request.form():
            while chunks := await part.read_chunks(200 * KIB, 0.05):
                taken.append(chunks)
                carrier = request.flow.carrier
                assert carrier is not None
                levels.append(server.budget.level >= sum(map(len, chunks)) + carrier.buffered)
                await asyncio.sleep(0.001)
            assert await part.read() == b""
        await response.end()

    server = await serve(handler)
    content = Random(1).randbytes(MIB)
    body = multipart_of(named("a", content), named("b", b"short"))
    async with await Client.connect(server) as client:
        await client.send(form(body))
        assert (await client.reply()).status == 200
    assert b"".join(map(b"".join, taken)) == content + b"short"
    assert len(taken) < len(content) / (100 * KIB)
    assert all(levels)
    assert server.budget.level == 0
