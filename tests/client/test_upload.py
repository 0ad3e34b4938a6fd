"""`upload`, to servers that take resumable uploads and to those that do not."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.client.conftest import Remembering, data_of
from tests.client.upload_server import PlainServer, UploadServer
from tests.conftest import Serve
from tests.support.cutting_proxy import CuttingProxy

from riverrun import Request, Response
from riverrun.client import (
    AnswerError,
    ChangedError,
    Check,
    DigestError,
    LostError,
    Patience,
    RefusalError,
    Session,
    Stage,
    UploadOptions,
    forget_done,
    upload,
)
from riverrun.client.records import Record
from riverrun.errors import BusyError, HTTPError

MIB = 1024 * 1024
SIZE = 3 * MIB


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file too large to be sent at once."""
    path = tmp_path / "big.bin"
    path.write_bytes(data_of(SIZE))
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.txt"
    path.write_bytes(b"a few words")
    return path


async def address(serve: Serve, server: UploadServer | PlainServer, path: str = "/up") -> str:
    return f"http://127.0.0.1:{(await serve(server)).port}{path}"


def records(options: UploadOptions) -> list[Path]:
    assert options.records is not None
    return list(options.records.glob("*.json"))


async def interrupt(server: UploadServer, url: str, path: Path, options: UploadOptions) -> int:
    """Run an upload that ends in its second piece of 1 MiB; return how much has arrived."""
    seen = 0

    async def cut_the_second(request: Request, response: Response) -> bool:
        nonlocal seen
        seen += 1
        if seen == 2:
            response.abort(ConnectionError("cut"))
        return seen == 2

    server.before["PATCH"] = cut_the_second
    async with Session(Patience(retries=0)) as session:
        with pytest.raises(LostError):
            await upload(path, url, session=session, options=replace(options, piece_size=MIB))
    server.before.clear()
    server.requests.clear()
    return server.received


async def test_a_file_arrives_whole_over_many_connections(
    serve: Serve, tmp_path: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer()
    running = await serve(server)
    assert running.port
    path = tmp_path / "big.bin"
    path.write_bytes(data_of(20 * MIB))
    async with CuttingProxy(running.port, 3, 500_000, 4_000_000) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/up"
        put = await upload(path, url, session=session, options=options)
    assert proxy.cuts >= 5
    assert put.lost == proxy.cuts
    assert server.files == {"/up": path.read_bytes()}
    assert server.violations == []
    assert server.received == 20 * MIB
    assert records(options) == []


async def test_an_upload_is_created_then_appended_to(
    serve: Serve, big: Path, session: Session, options: UploadOptions, progress: Remembering
) -> None:
    server = UploadServer()
    url = await address(serve, server)
    put = await upload(big, url, session=session, options=options, progress=progress)
    assert server.requests == ["OPTIONS /up", "PUT /up", "PATCH /uploads/1", "HEAD /up"]
    assert server.violations == []
    assert (put.size, put.check, put.resumed_at, put.resumable) == (SIZE, Check.GIVEN, 0, True)
    assert progress.begun == [(Stage.READING, 0, SIZE), (Stage.SENDING, 0, SIZE)]
    assert progress.position == SIZE


async def test_a_later_run_goes_on_from_the_offset_of_the_server(
    serve: Serve, big: Path, session: Session, options: UploadOptions, progress: Remembering
) -> None:
    server = UploadServer()
    url = await address(serve, server)
    arrived = await interrupt(server, url, big, options)
    put = await upload(big, url, session=session, options=options, progress=progress)
    assert server.requests == ["HEAD /uploads/1", "PATCH /uploads/1", "HEAD /up"]
    assert put.resumed_at == arrived == MIB
    assert server.received == SIZE
    assert server.files["/up"] == big.read_bytes()
    # The digest is remembered: the file is not read once more for it.
    assert progress.begun == [(Stage.SENDING, MIB, SIZE)]
    assert server.violations == []
    assert records(options) == []


async def test_records_are_for_their_owner_only(
    serve: Serve, big: Path, options: UploadOptions
) -> None:
    server = UploadServer()
    await interrupt(server, await address(serve, server), big, options)
    (record,) = records(options)
    assert record.stat().st_mode & 0o777 == 0o600
    assert record.parent.stat().st_mode & 0o777 == 0o700


async def test_an_upload_that_the_server_has_forgotten_begins_anew(
    serve: Serve, big: Path, session: Session, options: UploadOptions, progress: Remembering
) -> None:
    server = UploadServer()
    url = await address(serve, server)
    await interrupt(server, url, big, options)
    server.uploads.clear()
    put = await upload(big, url, session=session, options=options, progress=progress)
    assert progress.said == ["the server has the upload no more; begins anew"]
    assert (put.resumed_at, server.files["/up"]) == (0, big.read_bytes())


async def test_a_file_that_has_changed_since_begins_anew(
    serve: Serve, big: Path, session: Session, options: UploadOptions, progress: Remembering
) -> None:
    server = UploadServer()
    url = await address(serve, server)
    await interrupt(server, url, big, options)
    big.write_bytes(data_of(2 * MIB, b"other"))
    await upload(big, url, session=session, options=options, progress=progress)
    assert progress.said == ["the file has changed since; begins anew"]
    assert server.requests[0] == "DELETE /uploads/1"
    assert server.files["/up"] == big.read_bytes()


async def test_an_upload_to_another_address_is_another(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer()
    url = await address(serve, server)
    await interrupt(server, url, big, options)
    put = await upload(big, f"{url}2", session=session, options=options)
    assert put.resumed_at == 0
    assert len(records(options)) == 1


async def test_the_answer_that_was_lost_is_asked_for(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer(gives_digest=True)

    async def take_and_say_nothing(request: Request, response: Response) -> bool:
        server.before.clear()
        found = server.uploads[request.path]
        async for chunk in request:
            found.data += chunk
        server._complete(response, found)
        response.abort(ConnectionError("cut"))
        return True

    server.before["PATCH"] = take_and_say_nothing
    put = await upload(big, await address(serve, server), session=session, options=options)
    assert server.requests[-3:] == ["PATCH /uploads/1", "HEAD /uploads/1", "HEAD /up"]
    assert (put.check, put.lost) == (Check.VERIFIED, 1)


@pytest.mark.parametrize("limit", ["max-append-size=1000000, min-append-size=1", "max-size=x"])
async def test_pieces_keep_to_the_limit_of_the_server(
    serve: Serve, big: Path, session: Session, options: UploadOptions, limit: str
) -> None:
    most = 1_000_000 if "append" in limit else None
    server = UploadServer(limit=limit, max_append_size=most)
    await upload(big, await address(serve, server), session=session, options=options)
    assert server.files["/up"] == big.read_bytes()
    assert server.requests.count("PATCH /uploads/1") == (4 if most else 1)
    assert server.violations == []


async def test_pieces_become_smaller_until_they_pass(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer(max_append_size=MIB)
    await upload(big, await address(serve, server), session=session, options=options)
    assert server.files["/up"] == big.read_bytes()


async def test_a_file_larger_than_the_server_takes_is_not_sent(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer(limit="max-size=1000")
    with pytest.raises(RefusalError, match="the server takes files of up to 1000 bytes"):
        await upload(big, await address(serve, server), session=session, options=options)
    assert server.received == 0
    assert server.uploads == {}


async def test_a_small_file_is_one_request(
    serve: Serve, small: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer(gives_digest=True)
    put = await upload(small, await address(serve, server), session=session, options=options)
    assert server.requests == ["PUT /up"]
    assert server.files == {"/up": b"a few words"}
    assert put.check is Check.VERIFIED
    assert server.violations == []


async def test_a_small_file_that_is_cut_gets_a_resource(
    serve: Serve, small: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer()

    async def cut(request: Request, response: Response) -> bool:
        server.before.clear()
        response.abort(ConnectionError("cut"))
        return True

    server.before["PUT"] = cut
    put = await upload(small, await address(serve, server), session=session, options=options)
    assert server.requests[1:4] == ["OPTIONS /up", "PUT /up", "PATCH /uploads/1"]
    assert server.files == {"/up": b"a few words"}
    assert put.lost == 1


async def test_an_empty_file_is_sent(
    serve: Serve, tmp_path: Path, session: Session, options: UploadOptions
) -> None:
    (tmp_path / "empty").touch()
    server = UploadServer()
    await upload(tmp_path / "empty", await address(serve, server), session=session, options=options)
    assert server.files == {"/up": b""}


async def test_a_digest_that_the_server_refuses_ends_the_upload(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer()

    async def expect_other_bytes(request: Request, response: Response) -> None:
        server.uploads[request.path].digest = bytes(32)

    server.before["PATCH"] = expect_other_bytes
    with pytest.raises(RefusalError, match="The digest does not match"):
        await upload(big, await address(serve, server), session=session, options=options)
    assert records(options) == []


async def test_a_digest_of_other_bytes_is_an_error(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer()

    async def have_other_bytes(request: Request, response: Response) -> None:
        server._gives_digest = True
        server.files["/up"] = b"other"

    server.before["HEAD"] = have_other_bytes
    with pytest.raises(DigestError):
        await upload(big, await address(serve, server), session=session, options=options)


async def test_what_exists_is_not_overwritten_if_that_is_not_wanted(
    serve: Serve, big: Path, small: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer()
    server.files["/up"] = b"before"
    url = await address(serve, server)
    for path in (big, small):
        with pytest.raises(RefusalError, match="412 Precondition Failed: There is a file"):
            await upload(path, url, session=session, options=replace(options, overwrite=False))
    assert server.files == {"/up": b"before"}
    assert records(options) == []


@pytest.mark.parametrize("status", [401, 403, 404, 405, 409, 507])
async def test_a_refusal_is_not_tried_again(
    serve: Serve,
    big: Path,
    session: Session,
    options: UploadOptions,
    waits: list[float],
    status: int,
) -> None:
    server = UploadServer()

    async def refuse(request: Request, response: Response) -> None:
        raise HTTPError(status, "Not here.")

    server.before["PUT"] = refuse
    with pytest.raises(RefusalError, match=f"{status} .*: Not here."):
        await upload(big, await address(serve, server), session=session, options=options)
    assert waits == []
    looks = ["HEAD /up"] if status == 403 else []  # at what may stand there
    assert server.requests == ["OPTIONS /up", "PUT /up", *looks]


async def test_a_server_that_does_not_announce_it_is_found_out(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer(announces=False)
    put = await upload(big, await address(serve, server), session=session, options=options)
    assert put.resumable
    assert server.requests[1:4] == ["PUT /up", "HEAD /uploads/1", "PATCH /uploads/1"]


@pytest.mark.parametrize("names_what_it_made", [False, True])
async def test_a_server_that_knows_nothing_of_it_gets_a_plain_put(
    serve: Serve,
    big: Path,
    session: Session,
    options: UploadOptions,
    progress: Remembering,
    names_what_it_made: bool,
) -> None:
    server = PlainServer(names_what_it_made=names_what_it_made)
    url = await address(serve, server)
    for overwritten in (False, True):
        put = await upload(big, url, session=session, options=options, progress=progress)
        assert server.files == {"/up": big.read_bytes()}
        assert (put.check, put.resumable) == (Check.UNKNOWN, False)
        assert progress.said == [
            "the server takes no resumable uploads: this one cannot be resumed"
        ] * (1 + overwritten)
    assert server.emptied == []
    assert progress.begun[-1] == (Stage.SENDING_WHOLE, 0, SIZE)
    assert records(options) == []


async def test_a_plain_server_is_not_overwritten_if_that_is_not_wanted(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = PlainServer()
    url = await address(serve, server)
    options = replace(options, overwrite=False)
    await upload(big, url, session=session, options=options)
    with pytest.raises(RefusalError, match="412"):
        await upload(big, url, session=session, options=options)


async def test_a_file_that_is_written_to_meanwhile_is_noticed(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer()

    async def truncate(request: Request, response: Response) -> None:
        await asyncio.to_thread(os.truncate, big, MIB)

    server.before["PUT"] = truncate
    with pytest.raises(ChangedError, match="was written to while it was sent"):
        await upload(big, await address(serve, server), session=session, options=options)


async def test_two_programs_do_not_send_the_same_upload(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    url = await address(serve, UploadServer())
    assert options.records is not None
    with Record(options.records, os.fspath(big), url), pytest.raises(BusyError):
        await upload(big, url, session=session, options=options)


async def test_a_cancel_leaves_what_the_next_run_needs(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer()
    url = await address(serve, server)
    reached = asyncio.Event()

    async def hang(request: Request, response: Response) -> None:
        reached.set()
        await asyncio.sleep(60)

    server.before["PATCH"] = hang
    running = asyncio.ensure_future(upload(big, url, session=session, options=options))
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    server.before.clear()
    assert len(records(options)) == 1
    await upload(big, url, session=session, options=options)
    assert server.files["/up"] == big.read_bytes()
    assert "PUT /up" not in server.requests[3:]


async def test_what_was_sent_is_not_sent_again_if_that_is_remembered(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer()
    url = await address(serve, server)
    options = replace(options, keep_records=True)
    assert not (await upload(big, url, session=session, options=options)).already
    assert (await upload(big, url, session=session, options=options)).already
    server.files["/up"] = data_of(SIZE, b"another")
    assert not (await upload(big, url, session=session, options=options)).already
    forget_done([(big, url)], options)
    assert records(options) == []


async def test_a_server_that_never_says_that_it_is_done_is_given_up(
    serve: Serve, big: Path, session: Session, options: UploadOptions
) -> None:
    server = UploadServer()

    async def take_without_an_end(request: Request, response: Response) -> bool:
        async for chunk in request:
            server.uploads[request.path].data += chunk
        response.status = 204
        await response.end()
        return True

    server.before["PATCH"] = take_without_an_end
    with pytest.raises(AnswerError, match="does not say that it is done"):
        await upload(big, await address(serve, server), session=session, options=options)


async def test_what_is_no_file_cannot_be_sent(
    serve: Serve, tmp_path: Path, session: Session, options: UploadOptions
) -> None:
    os.mkfifo(tmp_path / "pipe")
    url = await address(serve, UploadServer())
    with pytest.raises(OSError, match="is not a file"):
        await upload(tmp_path / "pipe", url, session=session, options=options)
