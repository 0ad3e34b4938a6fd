"""`download`, of files that riverrun serves, over connections that break."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from pathlib import Path

import pytest
from tests.client.conftest import Remembering, data_of
from tests.conftest import Serve
from tests.support.cutting_proxy import CuttingProxy

from riverrun import Files, Request, Response
from riverrun.client import (
    AnswerError,
    DigestError,
    FolderError,
    LostError,
    Patience,
    RefusalError,
    Session,
    Stage,
    download,
)
from riverrun.client.part_file import PartFile, part_names
from riverrun.client.versions import Version, read_version
from riverrun.errors import BusyError, HTTPError
from riverrun.http.digests import render_digest

MIB = 1024 * 1024


class Versions:
    """A handler of one file that can change and give digests, right or wrong."""

    def __init__(
        self, data: bytes, *, etag: str | None = '"1"', digest: bytes | None = None
    ) -> None:
        self.data = data
        self.etag = etag
        self.digest = digest
        self.ranges = True
        self.asked: list[str | None] = []
        self.sent = 0

    async def __call__(self, request: Request, response: Response) -> None:
        asked = request.headers.get("range")
        self.asked.append(asked)
        start = 0
        headers = response.headers
        if self.etag is not None:
            headers["etag"] = self.etag
        if self.digest is not None:
            headers["repr-digest"] = render_digest("sha-256", self.digest)
        if asked and self.ranges and request.headers.get("if-range") == self.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            size = len(self.data)
            if start >= size:
                raise HTTPError(416, headers={"content-range": f"bytes */{size}"})
            response.status = 206
            headers["content-range"] = f"bytes {start}-{size - 1}/{size}"
        body = self.data[start:]
        headers["content-length"] = str(len(body))
        self.sent += len(body)
        await response.end(body)


@pytest.fixture
async def interrupted(serve: Serve, tmp_path: Path) -> tuple[Versions, str, Path]:
    """A file of 1 MiB of which an earlier run has received 400,000 bytes."""
    versions = Versions(data_of(MIB))
    server = await serve(versions)
    url = f"http://127.0.0.1:{server.port}/file"
    path = tmp_path / "file"
    part = await PartFile.open(path)
    await part.begin(Version(url, '"1"', MIB))
    await part.write([versions.data[:100_000], versions.data[100_000:400_000]])
    part.close()
    assert not path.exists()
    return versions, url, path


def left_behind(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.glob(".*"))


async def test_a_file_arrives_whole_over_many_connections(
    serve: Serve, tmp_path: Path, session: Session, progress: Remembering
) -> None:
    served = tmp_path / "served"
    served.mkdir()
    data = data_of(20 * MIB)
    (served / "big.iso").write_bytes(data)
    server = await serve(Files(served))
    assert server.port
    async with CuttingProxy(server.port, 7, 300_000, 3_000_000) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/big.iso"
        got = await download(url, tmp_path / "big.iso", session=session, progress=progress)
    assert proxy.cuts >= 7
    assert got.lost == proxy.cuts
    assert got.size == progress.position == len(data)
    assert (tmp_path / "big.iso").read_bytes() == data
    # What was in flight when a connection broke is sent again, and nothing else.
    assert proxy.received < len(data) + proxy.cuts * 600_000
    assert left_behind(tmp_path / "big.iso") == []


async def test_a_later_run_asks_for_what_is_missing(
    interrupted: tuple[Versions, str, Path], session: Session, progress: Remembering
) -> None:
    versions, url, path = interrupted
    got = await download(url, path, session=session, progress=progress)
    assert versions.asked == ["bytes=400000-"]
    assert versions.sent == MIB - 400_000
    assert path.read_bytes() == versions.data
    assert (got.resumed_at, got.size, got.verified) == (400_000, MIB, False)
    assert progress.begun == [(Stage.RECEIVING, 400_000, MIB)]
    assert left_behind(path) == []


async def test_the_digest_covers_what_an_earlier_run_received(
    interrupted: tuple[Versions, str, Path], session: Session, progress: Remembering
) -> None:
    versions, url, path = interrupted
    versions.digest = hashlib.sha256(versions.data).digest()
    got = await download(url, path, session=session, progress=progress)
    assert got.verified
    assert progress.begun[-1] == (Stage.CHECKING, 0, MIB)


async def test_bytes_that_do_not_have_the_digest_are_thrown_away(
    interrupted: tuple[Versions, str, Path], session: Session
) -> None:
    versions, url, path = interrupted
    part, _ = part_names(path)
    with part.open("r+b") as file:
        file.write(b"x")
    versions.digest = hashlib.sha256(versions.data).digest()
    with pytest.raises(DigestError):
        await download(url, path, session=session)
    assert not path.exists()
    assert left_behind(path) == []


async def test_a_file_that_has_changed_is_begun_anew(
    interrupted: tuple[Versions, str, Path], session: Session, progress: Remembering
) -> None:
    versions, url, path = interrupted
    versions.data, versions.etag = data_of(MIB // 2, b"other"), '"2"'
    got = await download(url, path, session=session, progress=progress)
    assert path.read_bytes() == versions.data
    assert progress.said == ["it has changed on the server; begins anew"]
    assert got.resumed_at == 0


async def test_a_server_without_ranges_sends_all_again(
    interrupted: tuple[Versions, str, Path], session: Session, progress: Remembering
) -> None:
    versions, url, path = interrupted
    versions.ranges = False
    await download(url, path, session=session, progress=progress)
    assert path.read_bytes() == versions.data
    assert progress.said == ["the server sends it from its beginning; begins anew"]


async def test_bytes_of_another_address_are_of_no_use(
    interrupted: tuple[Versions, str, Path], session: Session, progress: Remembering
) -> None:
    versions, url, path = interrupted
    await download(url + "?other", path, session=session, progress=progress)
    assert versions.asked == [None]
    assert progress.said == ["what is here by now is of another address; begins anew"]


async def test_without_a_strong_entity_tag_nothing_is_resumed(
    interrupted: tuple[Versions, str, Path], session: Session, progress: Remembering
) -> None:
    versions, url, path = interrupted
    part = await PartFile.open(path)
    await part.begin(read_version(url, {"etag": 'W/"1"'}, MIB))
    await part.write([versions.data[:400_000]])
    part.close()
    await download(url, path, session=session, progress=progress)
    assert versions.asked == [None]
    assert progress.said == ["the server names no version of it; begins anew"]
    assert path.read_bytes() == versions.data


@pytest.mark.parametrize(
    ("field", "etag"), [('"1"', '"1"'), ('W/"1"', None), ("1", None), ("", None)]
)
def test_only_a_strong_entity_tag_names_a_version(field: str, etag: str | None) -> None:
    assert read_version("http://a/", {"etag": field}, 1).etag == etag


async def test_a_part_that_is_whole_already_is_only_renamed(
    interrupted: tuple[Versions, str, Path], session: Session
) -> None:
    versions, url, path = interrupted
    part_names(path)[0].write_bytes(versions.data)
    got = await download(url, path, session=session)
    assert versions.asked == [f"bytes={MIB}-"]
    assert versions.sent == 0
    assert path.read_bytes() == versions.data
    assert got.resumed_at == MIB


async def test_after_a_restart_of_the_machine_only_what_was_synced_counts(
    interrupted: tuple[Versions, str, Path],
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    versions, url, path = interrupted
    monkeypatch.setattr("riverrun.client.part_file._boot_id", lambda: "another")
    got = await download(url, path, session=session)
    assert versions.asked == [None]
    assert got.resumed_at == 0


async def test_a_sidecar_that_makes_no_sense_is_as_none(
    interrupted: tuple[Versions, str, Path], session: Session, progress: Remembering
) -> None:
    versions, url, path = interrupted
    part_names(path)[1].write_bytes(b'{"version": {"url')
    await download(url, path, session=session, progress=progress)
    assert progress.said == ["what is here by now is of no known version; begins anew"]
    assert path.read_bytes() == versions.data


async def test_a_cancel_keeps_what_has_come(serve: Serve, tmp_path: Path, session: Session) -> None:
    data = data_of(MIB)
    sent = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        response.headers["etag"] = '"1"'
        response.headers["content-length"] = str(len(data))
        await response.write(data[:300_000])
        sent.set()
        await asyncio.sleep(60)

    server = await serve(handler)
    path = tmp_path / "file"
    url = f"http://127.0.0.1:{server.port}/"
    progress = Remembering()
    running = asyncio.ensure_future(download(url + "f", path, session=session, progress=progress))
    await sent.wait()
    while progress.begun == []:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert part_names(path)[0].read_bytes() == data[:300_000]


async def test_two_programs_do_not_write_the_same_part(
    serve: Serve, tmp_path: Path, session: Session
) -> None:
    server = await serve(Versions(b"x"))
    path = tmp_path / "file"
    other = await PartFile.open(path)
    try:
        with pytest.raises(BusyError, match=r"another program is at work on .*part"):
            await download(f"http://127.0.0.1:{server.port}/file", path, session=session)
    finally:
        other.close()
    assert left_behind(path) == []


async def test_a_full_disk_keeps_what_fitted(
    serve: Serve, tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = Versions(data_of(MIB))
    server = await serve(versions)
    path = tmp_path / "file"
    url = f"http://127.0.0.1:{server.port}/file"
    room = 100_000
    write = os.write

    def full(descriptor: int, chunk: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(descriptor, chunk[:room])
        room -= written
        return written

    with monkeypatch.context() as patch:
        patch.setattr("riverrun.client.sinks.os.write", full)
        with pytest.raises(OSError, match="No space left"):
            await download(url, path, session=session)
    assert part_names(path)[0].stat().st_size == 100_000
    got = await download(url, path, session=session)
    assert got.resumed_at == 100_000
    assert path.read_bytes() == versions.data


async def test_a_file_that_is_here_already_is_left_alone(
    serve: Serve, tmp_path: Path, session: Session
) -> None:
    served = tmp_path / "served"
    served.mkdir()
    (served / "file").write_bytes(b"one")
    server = await serve(Files(served))
    url = f"http://127.0.0.1:{server.port}/file"
    path = tmp_path / "file"
    assert not (await download(url, path, session=session)).already
    assert (await download(url, path, session=session)).already
    (served / "file").write_bytes(b"two")
    os.utime(served / "file", (1e9, 1e9))
    assert not (await download(url, path, session=session)).already
    assert path.read_bytes() == b"two"
    assert path.stat().st_mtime == 1e9


async def test_an_empty_file_is_a_file(serve: Serve, tmp_path: Path, session: Session) -> None:
    server = await serve(Versions(b""))
    path = tmp_path / "file"
    got = await download(f"http://127.0.0.1:{server.port}/file", path, session=session)
    assert (got.size, path.read_bytes()) == (0, b"")
    assert left_behind(path) == []


async def test_a_name_of_the_greatest_length_can_be_received(
    serve: Serve, tmp_path: Path, session: Session
) -> None:
    server = await serve(Versions(b"x"))
    path = tmp_path / ("n" * 255)
    await download(f"http://127.0.0.1:{server.port}/file", path, session=session)
    assert path.read_bytes() == b"x"


async def test_a_refusal_is_told_with_its_problem(
    serve: Serve, tmp_path: Path, session: Session
) -> None:
    async def handler(request: Request, response: Response) -> None:
        raise HTTPError(403, "Only on Sundays.")

    server = await serve(handler)
    with pytest.raises(RefusalError, match=r"^403 Forbidden: Only on Sundays\.$"):
        await download(f"http://127.0.0.1:{server.port}/f", tmp_path / "f", session=session)
    assert left_behind(tmp_path / "f") == []


async def test_a_server_that_is_busy_is_asked_again_when_it_says(
    serve: Serve, tmp_path: Path, session: Session, waits: list[float]
) -> None:
    times = 0

    async def handler(request: Request, response: Response) -> None:
        nonlocal times
        times += 1
        if times < 4:
            raise HTTPError(503, headers={"retry-after": "7"} if times == 2 else {})
        await response.end(b"x")

    server = await serve(handler)
    await download(f"http://127.0.0.1:{server.port}/f", tmp_path / "f", session=session)
    assert waits == pytest.approx([0.2, 7, 1.8])


async def test_it_gives_up_when_nothing_moves(
    serve: Serve, tmp_path: Path, session: Session, waits: list[float]
) -> None:
    times = 0

    async def handler(request: Request, response: Response) -> None:
        nonlocal times
        times += 1
        response.headers["content-length"] = "10"
        response.headers["etag"] = '"1"'
        if times == 1:
            await response.write(b"12345")
        response.abort(ConnectionError("cut"))

    server = await serve(handler)
    with pytest.raises(LostError, match=r"the connection to 127.0.0.1:.* was lost"):
        await download(f"http://127.0.0.1:{server.port}/f", tmp_path / "f", session=session)
    assert waits == pytest.approx([0.2, 0.6, 1.8, 5.4, 16.2])


async def test_a_connection_that_stalls_is_lost(serve: Serve, tmp_path: Path) -> None:
    async def handler(request: Request, response: Response) -> None:
        response.headers["content-length"] = "10"
        await response.write(b"12345")
        await asyncio.sleep(60)

    server = await serve(handler)
    async with Session(Patience(retries=0, stall=0.1)) as session:
        with pytest.raises(LostError, match="nothing moved for too long"):
            await download(f"http://127.0.0.1:{server.port}/f", tmp_path / "f", session=session)


async def test_an_address_where_nobody_is_fails_at_once(
    tmp_path: Path, session: Session, waits: list[float], unused_tcp_port: int
) -> None:
    with pytest.raises(LostError, match=r"^cannot connect to 127.0.0.1:\d+: Connection refused$"):
        await download(f"http://127.0.0.1:{unused_tcp_port}/f", tmp_path / "f", session=session)
    assert waits == []


async def test_a_redirect_to_a_folder_is_no_file(
    serve: Serve, tmp_path: Path, session: Session
) -> None:
    (tmp_path / "served" / "inner").mkdir(parents=True)
    server = await serve(Files(tmp_path / "served"))
    url = f"http://127.0.0.1:{server.port}/inner"
    with pytest.raises(FolderError) as caught:
        await download(url, tmp_path / "inner", session=session)
    assert caught.value.url == url + "/"


@pytest.mark.parametrize(
    "content_range", ["bytes 0-9/1048576", "bytes 400000-400001/1048576", "", "items 400000-/*"]
)
async def test_a_range_that_was_not_asked_for_is_refused(
    interrupted: tuple[Versions, str, Path],
    serve: Serve,
    session: Session,
    content_range: str,
) -> None:
    _, url, path = interrupted

    async def handler(request: Request, response: Response) -> None:
        response.status = 206
        response.headers["content-range"] = content_range
        await response.end(b"xx")

    port = url.split(":")[2].split("/")[0]
    server = await serve(handler)
    known = part_names(path)[1]
    known.write_text(known.read_text().replace(port, str(server.port)))
    with pytest.raises(AnswerError, match="another range"):
        await download(f"http://127.0.0.1:{server.port}/file", path, session=session)
    assert part_names(path)[0].stat().st_size == 400_000
