"""Requests that meet: who comes while another one leaves, and what a slow disk makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import cast

import pytest
from tests.apps.uploads import tus_requests as tus
from tests.apps.uploads.gates import Gate, opened_at_last
from tests.apps.uploads.inboxes import Inbox, sending
from tests.apps.uploads.test_put import digest
from tests.apps.uploads.test_resumable import PART, PARTIAL, WHOLE, add, begin
from tests.server.client import Client, request, until

from riverrun.apps.uploads import Upload, UploadLimits, Uploads, resumable
from riverrun.apps.uploads.record import Dialect, UploadState
from riverrun.errors import DisconnectedError
from riverrun.http.response import Response
from riverrun.http.resumable_uploads import parse_upload_request
from riverrun.streams import IterableSource

SOON = 0.2  # for what must not happen


def patch(location: str, length: int, offset: int, *lines: str) -> bytes:
    place = f"Upload-Offset: {offset}"
    return sending(location, length, PARTIAL, place, *lines, method="PATCH")


async def test_a_client_that_comes_back_during_the_last_fsync_waits_for_it(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = await begin(inbox, "/f")
    gate = Gate(monkeypatch, "fdatasync")
    with opened_at_last(gate):
        async with await inbox.connect() as stale:
            await stale.send(patch(location, 5, 0, PART) + b"first")
            await until(gate.reached.is_set)
        async with await inbox.connect() as newer:
            await newer.send(patch(location, 7, 5, WHOLE) + b"second!")
            upload = await inbox.only_upload()
            await asyncio.sleep(SOON)
            assert upload.offset == 5, "two requests have written to one file"
            gate.open()
            assert (await newer.reply()).status == 201
    assert (inbox.folder / "f").read_bytes() == b"firstsecond!"


@pytest.mark.parametrize(("call", "passing"), [("ftruncate", 0), ("fdatasync", 0)])
async def test_bytes_with_a_wrong_digest_never_count_even_if_their_client_left(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, call: str, passing: int
) -> None:
    location = await begin(inbox, "/f", body=b"abc")
    gate = Gate(monkeypatch, call, passing=passing)
    with opened_at_last(gate):
        async with await inbox.connect() as client:
            wrong = f"Content-Digest: {digest(b'other')}"
            await client.send(patch(location, 5, 3, PART, wrong) + b"WRONG")
            await until(gate.reached.is_set)
        asking = asyncio.ensure_future(inbox.ask("HEAD", location))
        await asyncio.sleep(SOON)
        assert not asking.done()
        gate.open()
        assert (await asking)["upload-offset"] == "3"
    assert (await add(inbox, location, 3, b"def", last=True)).status == 201
    assert (inbox.folder / "f").read_bytes() == b"abcdef"


async def test_a_client_that_leaves_at_the_end_finds_its_file(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = await begin(inbox, "/f")
    gate = Gate(monkeypatch, "link")
    with opened_at_last(gate):
        async with await inbox.connect() as client:
            await client.send(patch(location, 3, 0, WHOLE) + b"abc")
            await until(gate.reached.is_set)
        asking = asyncio.ensure_future(inbox.ask("HEAD", location))
        await asyncio.sleep(SOON)
        gate.open()
        assert (await asking)["upload-complete"] == "?1"
    assert (inbox.folder / "f").read_bytes() == b"abc"


async def test_a_plain_put_is_not_gone_on_with(inbox: Inbox) -> None:
    async with await inbox.connect() as client:
        await client.send(sending("/f", 10) + b"12345")
        upload = await inbox.only_upload(offset=5)
        assert (await add(inbox, f"/~/uploads/{upload.id}", 5, b"67")).status == 409
        await client.send(b"67890")
        assert (await client.reply()).status == 201
    assert (inbox.folder / "f").read_bytes() == b"1234567890"


async def test_an_offset_that_was_told_during_a_creation_stays(inbox: Inbox) -> None:
    async with await inbox.connect() as client:
        lines = (tus.RESUMABLE, "Upload-Length: 10", tus.OFFSET_STREAM)
        await client.send(sending("/~/tus/", 10, *lines, method="POST") + b"12345")
        upload = await inbox.only_upload(offset=5)
        location = f"/~/tus/{upload.id}"
        assert (await tus.head(inbox, location))["upload-offset"] == "5"
        assert (await client.reply()).status == 409
    assert (await tus.head(inbox, location))["upload-offset"] == "5"


async def test_what_somebody_holds_does_not_expire(inbox: Inbox) -> None:
    await begin(inbox, "/f", body=b"abc")
    upload = await inbox.only_upload()
    async with upload.hold():
        upload.record.expires = 0.0
        await inbox.uploads.store.sweep()
        assert upload.state is UploadState.RECEIVING


async def test_a_condition_of_a_delete_holds_until_it_is_done(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = (await inbox.ask("PUT", "/f", body=b"old"))["etag"]
    gate = Gate(monkeypatch, "unlink")
    with opened_at_last(gate):
        deleting = asyncio.ensure_future(inbox.ask("DELETE", "/f", f"If-Match: {etag}"))
        await until(gate.reached.is_set)
        putting = asyncio.ensure_future(inbox.ask("PUT", "/f", body=b"new"))
        await asyncio.sleep(SOON)
        assert not putting.done()
        gate.open()
        assert (await deleting).status == 204
        assert (await putting).status == 201
    assert (inbox.folder / "f").read_bytes() == b"new"


async def test_a_reader_never_gets_what_was_taken_back_with_a_clean_end(inbox: Inbox) -> None:
    size = 12 << 20
    location = await begin(inbox, "/f")
    async with await Client.connect(inbox.server, receive_buffer=65536) as reader:
        await reader.send(request("/f"))
        reader.stop_reading()
        wrong = f"Content-Digest: {digest(b'other')}"
        assert (await add(inbox, location, 0, b"B" * size, wrong)).status == 400
        assert (await add(inbox, location, 0, b"G" * (size + 10), last=True)).status == 201
        reader.go_on_reading()
        try:
            body = await reader.ends()
        except ConnectionError:
            return  # cut, as it should be
    assert not (b"B" in body and body.endswith(b"0\r\n\r\n"))


async def test_a_cancel_while_the_telling_of_progress_ends_is_not_lost() -> None:
    go_on = asyncio.Event()

    class Clinging:
        """An upload whose change is waited for a little longer than its waiter wants to."""

        durable = 0

        async def changed(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await go_on.wait()

    asked = parse_upload_request({b"upload-draft-interop-version": b"8"}, 0)
    reached: list[str] = []

    async def receive() -> None:
        clinging = cast("Upload", Clinging())
        async with resumable._telling_progress(cast("Response", None), clinging, asked):
            await asyncio.sleep(0)
            reached.append("the end of the body")
        reached.append("what comes behind it")

    receiving = asyncio.ensure_future(receive())
    await until(lambda: bool(reached))
    receiving.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await receiving
    assert reached == ["the end of the body"]


async def test_a_loop_that_ends_leaves_no_file_open(tmp_path: Path) -> None:
    """It cancels every task, one too that is to make durable what has come and has not begun."""
    with closing(Uploads(tmp_path, limits=UploadLimits(free_space=0))) as uploads:
        upload = await uploads.store.create(Dialect.RESUMABLE, ("f",))
        written = tmp_path / ".riverrun" / "uploads" / upload.id
        cut = asyncio.Event()

        async def chunks() -> AsyncIterator[bytes]:
            yield b"abc"
            await cut.wait()
            raise DisconnectedError("the client went away")

        async def receive() -> None:
            source = IterableSource(chunks())
            async with upload.hold(source):
                await upload.append(source, 0)

        receiving = asyncio.ensure_future(receive())
        await until(lambda: upload.offset == 3)
        assert written in open_files()
        cut.set()
        while upload.receiving:
            await asyncio.sleep(0)  # a turn at a time
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.wait({receiving})
        assert receiving.cancelled()
        assert written not in open_files()
        assert not upload.held


def open_files() -> set[Path]:
    """What our descriptors stand for."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(entry.readlink())
    return found


async def test_a_creation_whose_client_left_leaves_nothing(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = inbox.uploads.store
    saving, go_on = asyncio.Event(), asyncio.Event()
    save = store.save

    async def slowly(upload: object) -> None:
        saving.set()
        await go_on.wait()
        await save(upload)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "save", slowly)
    async with await inbox.connect() as client:
        await client.send(sending("/f", 0, PART))
        await saving.wait()
    go_on.set()
    await until(lambda: not list(store) and not inbox.waiting)
    assert store._catalogue.load() == []
