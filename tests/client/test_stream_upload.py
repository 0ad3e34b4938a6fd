"""`upload_stream`: what has no length yet, over connections that are cut, in little memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.client.conftest import Remembering, data_of
from tests.client.upload_server import PlainServer
from tests.conftest import Serve
from tests.support.cutting_proxy import CuttingProxy

from riverrun.apps.uploads import Permissions, Uploads
from riverrun.client import (
    AnswerError,
    Check,
    ExistsError,
    LostError,
    Patience,
    Session,
    Stage,
    UploadOptions,
    upload_stream,
)
from riverrun.client import stream_upload as module
from riverrun.client.window import Window

MIB = 1024 * 1024
DATA = data_of(12 * MIB)


async def pieces_of(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        await asyncio.sleep(0)
        yield data[start : start + size]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
async def port(serve: Serve, folder: Path) -> AsyncIterator[int]:
    uploads = Uploads(folder, permissions=Permissions(upload=True))
    server = await serve(uploads)
    assert server.port is not None
    yield server.port
    uploads.close()


def names(folder: Path) -> list[str]:
    """What stands in the folder, and what waits in its store."""
    waiting = (folder / ".riverrun" / "uploads").iterdir()
    return sorted(path.name for path in (*folder.iterdir(), *waiting) if path.name != ".riverrun")


async def test_it_arrives_whole_over_connections_that_are_cut(
    port: int, folder: Path, session: Session
) -> None:
    async with CuttingProxy(port, 3, 500_000, 2_000_000) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/up"
        options = UploadOptions(piece_size=MIB)
        put = await upload_stream(pieces_of(DATA), url, session=session, options=options)
    assert proxy.cuts >= 3
    assert put.lost >= proxy.cuts
    assert (put.size, put.check) == (len(DATA), Check.VERIFIED)
    assert (folder / "up").read_bytes() == DATA
    assert names(folder) == ["up"]


async def test_a_stream_that_pauses_holds_no_request(
    port: int, folder: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE", 0.05)
    seen: list[int] = []

    async def slowly() -> AsyncIterator[bytes]:
        for word in (b"one ", b"two ", b"three"):
            yield word
            while sum(path.stat().st_size for path in waiting.iterdir()) <= sum(seen):
                await asyncio.sleep(0.01)  # what came before the pause is there already
            seen.append(len(word))
            await asyncio.sleep(0.1)

    waiting = folder / ".riverrun" / "uploads"
    await upload_stream(slowly(), f"http://127.0.0.1:{port}/up", session=session)
    assert (folder / "up").read_bytes() == b"one two three"


async def test_no_more_is_read_than_the_server_takes(serve: Serve, folder: Path) -> None:
    """The server is away behind the first bytes, and the stream could go on for ever."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            await asyncio.sleep(0)
            read += 50_000
            yield bytes(50_000)

    uploads = Uploads(folder, permissions=Permissions(upload=True))
    server = await serve(uploads)
    assert server.port is not None
    async with CuttingProxy(server.port, 1, 10 * MIB, 10 * MIB) as proxy:
        proxy.hold_after(2 * MIB)
        url = f"http://127.0.0.1:{proxy.port}/up"
        async with Session(Patience(retries=0, stall=0.5)) as session:
            options = UploadOptions(piece_size=20 * MIB)
            with pytest.raises(LostError):
                await upload_stream(endless(), url, session=session, options=options)
    assert read < 2 * MIB + module.WINDOW + MIB
    uploads.close()


async def test_what_cannot_be_ended_is_given_up(port: int, folder: Path, session: Session) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield DATA[:MIB]
        raise OSError("the disk fails")

    with pytest.raises(OSError, match="the disk fails"):
        await upload_stream(broken(), f"http://127.0.0.1:{port}/up", session=session)
    assert names(folder) == []


async def test_a_file_that_stands_there_stays(port: int, folder: Path, session: Session) -> None:
    (folder / "up").write_bytes(b"before")
    with pytest.raises(ExistsError):
        await upload_stream(pieces_of(b"new"), f"http://127.0.0.1:{port}/up", session=session)
    assert (folder / "up").read_bytes() == b"before"


async def test_a_server_without_resumption_gets_one_request(
    serve: Serve, session: Session, progress: Remembering
) -> None:
    server = PlainServer()
    url = f"http://127.0.0.1:{(await serve(server)).port}/up"
    put = await upload_stream(pieces_of(DATA), url, session=session, progress=progress)
    assert server.files == {"/up": DATA}
    assert (put.check, put.resumable) == (Check.UNKNOWN, False)
    assert progress.begun == [(Stage.SENDING_WHOLE, 0, None)]
    assert progress.said == ["the server takes no resumable uploads: this one cannot be resumed"]


async def test_a_window_keeps_what_is_not_confirmed_and_no_more() -> None:
    shown: list[bytes] = []
    at = Remembering().at
    window = Window(pieces_of(b"abcdefghij", 4), 6, shown.append)
    assert [chunk async for chunk in window.read(1.0, at)] == [b"abcd", b"efgh"]
    window.confirm(5)
    assert (window.start, window.end) == (5, 8)
    assert b"".join([chunk async for chunk in window.read(1.0, at)]) == b"fghij"
    for offset in (4, 11):
        with pytest.raises(AnswerError):
            window.confirm(offset)
    window.confirm(10)
    assert not await window.more(10)
    assert window.ended
    assert b"".join(shown) == b"abcdefghij"
    await window.close()
