"""What is full, too much, too slow, or too late."""

import asyncio
import errno
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.apps.uploads import tus_requests as tus
from tests.apps.uploads.conftest import OpenInbox
from tests.apps.uploads.inboxes import Inbox, sending
from tests.apps.uploads.test_form import MULTIPART, form
from tests.apps.uploads.test_resumable import PART, PARTIAL, WHOLE, add, begin
from tests.server.client import until

from riverrun.apps.uploads import Permissions, Uploads
from riverrun.apps.uploads import upload as upload_module
from riverrun.apps.uploads.sources import PATIENCE
from riverrun.http.limits import Limits

MIB = 1024 * 1024


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> "Disk":
    return Disk(monkeypatch)


class Disk:
    """A disk with room for so many bytes more, as `os.pwritev` and `os.splice` see it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 1 << 60
        self._write = os.pwritev
        self._splice = os.splice
        self.splices = 0
        monkeypatch.setattr(os, "pwritev", self._written)
        monkeypatch.setattr(os, "splice", self._spliced)

    def _written(self, descriptor: int, buffers: Sequence[bytes], offset: int) -> int:
        whole = b"".join(buffers)
        if whole and not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = whole[: self.room]  # a write that does not fit is short, and the next one fails
        self.room -= len(part)
        return self._write(descriptor, [part], offset)

    def _spliced(self, source: int, target: int, count: int, **options: int) -> int:
        if "offset_dst" not in options:  # into a pipe
            return self._splice(source, target, count, **options)
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        moved = self._splice(source, target, min(count, self.room), **options)
        self.room -= moved
        self.splices += 1
        return moved


async def test_a_full_disk_leaves_nothing_under_the_name(inbox: Inbox, disk: Disk) -> None:
    disk.room = 1000
    reply = await inbox.ask("PUT", "/f", body=bytes(5000))
    assert reply.status == 507
    assert (inbox.names, inbox.waiting) == ([], [])


async def test_an_upload_goes_on_when_there_is_room_again(inbox: Inbox, disk: Disk) -> None:
    location = await begin(inbox, "/f")
    disk.room = 3
    assert (await add(inbox, location, 0, b"abcdef", last=True)).status == 507
    offset = int((await inbox.ask("HEAD", location))["upload-offset"] or -1)
    assert offset == 3
    disk.room = 1000
    assert (await add(inbox, location, offset, b"abcdef"[offset:], last=True)).status == 201
    assert (inbox.folder / "f").read_bytes() == b"abcdef"


async def test_a_fast_upload_keeps_what_a_full_disk_had_room_for(inbox: Inbox, disk: Disk) -> None:
    content = os.urandom(8_000_000)
    location = await begin(inbox, "/f")
    disk.room = 5_000_000
    assert (await add(inbox, location, 0, content, last=True)).status == 507
    assert disk.splices
    offset = int((await inbox.ask("HEAD", location))["upload-offset"] or -1)
    assert offset == 5_000_000
    disk.room = 8_000_000
    assert (await add(inbox, location, offset, content[offset:], last=True)).status == 201
    assert (inbox.folder / "f").read_bytes() == content


@pytest.mark.parametrize(("call", "kept"), [("fdatasync", 3), ("link", 6)])
async def test_a_disk_that_is_full_at_the_end(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, call: str, kept: int
) -> None:
    """What could not be made durable has to come again: the kernel may have let go of it."""
    location = await begin(inbox, "/f", body=b"abc")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        assert (await add(inbox, location, 3, b"def", last=True)).status == 507
    assert inbox.names == []
    head = await inbox.ask("HEAD", location)
    assert (head["upload-complete"], int(head["upload-offset"] or -1)) == ("?0", kept)
    assert (await add(inbox, location, kept, b"abcdef"[kept:], last=True)).status == 201
    assert (inbox.folder / "f").read_bytes() == b"abcdef"


@pytest.mark.parametrize(("call", "status"), [(errno.ENOSPC, 507), (errno.EIO, 500)])
async def test_what_a_sync_in_the_background_lost_is_not_acknowledged(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, call: int, status: int
) -> None:
    """The kernel tells of pages that it could not write once; the next fdatasync succeeds."""
    monkeypatch.setattr(upload_module, "SYNC_SIZE", 1000)
    location = await begin(inbox, "/f", body=b"abc")
    failing = [OSError(call, os.strerror(call))]
    sync = os.fdatasync

    def failing_once(descriptor: int) -> None:
        if failing:
            raise failing.pop()
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", failing_once)
    async with await inbox.connect() as client:
        head = sending(location, 3000, PARTIAL, "Upload-Offset: 3", WHOLE, method="PATCH")
        await client.send(head + bytes(2000))
        await until(lambda: not failing)
        await client.send(bytes(1000))
        assert (await client.reply()).status == status
    assert (inbox.names, (await inbox.ask("HEAD", location))["upload-offset"]) == ([], "3")
    assert (await add(inbox, location, 3, bytes(3000), last=True)).status == 201
    assert (inbox.folder / "f").read_bytes() == b"abc" + bytes(3000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of four megabytes."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    mounting = ("mount", "-t", "tmpfs", "-o", "size=4m", "riverrun", str(folder))
    try:
        subprocess.run(mounting, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted: {error}")
    yield folder
    subprocess.run(("umount", "--lazy", str(folder)), check=True)


async def test_a_real_disk_that_is_full_takes_more_when_there_is_room(
    small_disk: Path, open_inbox: OpenInbox
) -> None:
    inbox = await open_inbox()
    assert (inbox.folder, inbox.folder.stat().st_dev) == (small_disk, small_disk.stat().st_dev)
    other, content = small_disk / "other", os.urandom(3_000_000)
    other.write_bytes(bytes(2_000_000))
    location = await begin(inbox, "/f", body=content[:1000])
    assert (await add(inbox, location, 1000, content[1000:], last=True)).status == 507
    assert (await inbox.ask("PUT", "/g", body=content)).status == 507
    reply = await inbox.ask("PUT", "/h", PART, body=b"")  # the catalogue may have had room
    assert reply.status in (201, 507)
    assert inbox.names == ["other"]
    offset = int((await inbox.ask("HEAD", location))["upload-offset"] or -1)
    assert 1000 <= offset < 2_500_000
    other.unlink()
    assert (await add(inbox, location, offset, content[offset:], last=True)).status == 201
    assert (inbox.folder / "f").read_bytes() == content


@pytest.mark.parametrize(
    ("limits", "status"), [({"size": 10}, 413), ({"free_space": 1 << 60}, 507)]
)
async def test_what_is_too_much_is_refused_before_the_body(
    open_inbox: OpenInbox, limits: dict[str, int], status: int
) -> None:
    inbox = await open_inbox(limits=limits)
    async with await inbox.connect() as client:
        await client.send(sending("/f", 11, "Expect: 100-continue"))
        reply = await client.reply()
    assert (reply.status, reply.interim) == (status, [])


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_upload_leaves_others_the_room_that_is_to_stay_free(
    inbox: Inbox, chunked: bool
) -> None:
    """They have filled the disk since it began; what it has brought is kept."""
    location = await begin(inbox, "/f", body=b"abc")
    store = inbox.uploads.store
    store.limits = replace(store.limits, free_space=1 << 60)
    size, piece = 48 * MIB, bytes(MIB)
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    fields = ["Host: a", PARTIAL, WHOLE, "Upload-Offset: 3", framing]
    async with await inbox.connect() as client:
        await client.send("\r\n".join([f"PATCH {location} HTTP/1.1", *fields, "", ""]).encode())
        for _ in range(size // MIB):
            await client.send(b"%x\r\n%b\r\n" % (MIB, piece) if chunked else piece)
        assert (await client.reply()).status == 507
    store.limits = replace(store.limits, free_space=0)
    offset = int((await inbox.ask("HEAD", location))["upload-offset"] or -1)
    assert 3 < offset < size


async def test_a_body_that_tells_no_length_is_stopped_at_the_limit(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(limits={"size": 10})
    async with await inbox.connect() as client:
        await client.send(b"PUT /f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        await client.send(b"8\r\n12345678\r\n8\r\n12345678\r\n")
        assert (await client.reply()).status == 413
    assert (inbox.names, inbox.waiting) == ([], [])


async def test_too_many_unfinished_uploads_are_refused(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(limits={"unfinished": 2})
    first = await begin(inbox, "/1")
    await begin(inbox, "/2")
    reply = await inbox.ask("PUT", "/3", PART, body=b"")
    assert (reply.status, reply["retry-after"]) == (429, "60")
    assert (await add(inbox, first, 0, b"x", last=True)).status == 201
    assert (await inbox.ask("PUT", "/3", PART, body=b"")).status == 201


async def test_a_sender_that_stalls_is_timed_out_and_can_go_on(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(server={"limits": Limits(stall_timeout=0.5)})
    location = await begin(inbox, "/f")
    async with await inbox.connect() as client:
        head = sending(location, 6, PARTIAL, "Upload-Offset: 0", WHOLE, method="PATCH")
        await client.send(head + b"abc")
        assert (await client.reply()).status == 408
    assert (await inbox.ask("HEAD", location))["upload-offset"] == "3"
    assert (await add(inbox, location, 3, b"def", last=True)).status == 201


async def test_what_a_client_had_sent_when_it_left_is_kept(inbox: Inbox) -> None:
    location = await begin(inbox, "/f")
    async with await inbox.connect() as client:
        head = sending(location, 1 << 20, PARTIAL, "Upload-Offset: 0", WHOLE, method="PATCH")
        await client.send(head + b"abc")
        await inbox.only_upload(offset=3)
        await client.send(b"def")
        client.writer.write_eof()
        await client.reader.read()
    assert (await inbox.ask("HEAD", location))["upload-offset"] == "6"


@pytest.mark.parametrize("in_a_form", [False, True])
async def test_what_comes_in_small_pieces_is_written_together(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, in_a_form: bool
) -> None:
    writes: list[int] = []
    write = os.pwritev

    def counted(descriptor: int, buffers: Sequence[bytes], offset: int) -> int:
        writes.append(offset)
        return write(descriptor, buffers, offset)

    monkeypatch.setattr(os, "pwritev", counted)
    content = os.urandom(100_000)
    body = form(("files", "f", content)) if in_a_form else content
    head = sending("/f", len(body))
    if in_a_form:
        head = sending("/", len(body), MULTIPART, method="POST")
    async with await inbox.connect() as client:
        await client.send(head + body[:1000])
        await inbox.only_upload(offset=1)
        writes.clear()
        began = time.monotonic()
        for start in range(1000, len(body), 2000):
            await client.send(body[start : start + 2000])
            await asyncio.sleep(0.001)
        assert (await client.reply()).status == 201
    # Then there is an end: of the last line a part may have held back two bytes.
    assert len(writes) <= 2 + (time.monotonic() - began) / PATIENCE
    assert (inbox.folder / "f").read_bytes() == content


async def test_unfinished_uploads_expire(inbox: Inbox) -> None:
    location = await begin(inbox, "/f", body=b"abc")
    store = inbox.uploads.store
    store.now = lambda: time.time() + store.limits.expiry - 60
    assert (await inbox.ask("HEAD", location))["upload-offset"] == "3"
    store.now = lambda: time.time() + store.limits.expiry + 60
    assert (await inbox.ask("HEAD", location)).status == 404
    await inbox.uploads.store.sweep()
    assert (inbox.waiting, list(inbox.uploads.store)) == ([], [])


async def test_an_upload_lives_from_its_last_byte(inbox: Inbox) -> None:
    location = await begin(inbox, "/f", body=b"abc")
    store = inbox.uploads.store
    later = time.time() + store.limits.expiry - 60
    store.now = lambda: later
    assert (await add(inbox, location, 3, b"def")).status == 204
    upload = await inbox.only_upload()
    assert upload.record.expires == later + store.limits.expiry


async def test_of_two_uploads_to_one_name_the_last_to_finish_stays(inbox: Inbox) -> None:
    first, second = await begin(inbox, "/f", body=b"first"), await begin(inbox, "/f", body=b"2nd")
    assert (await add(inbox, second, 3, b"", last=True)).status == 201
    assert (inbox.folder / "f").read_bytes() == b"2nd"
    assert (await add(inbox, first, 5, b"", last=True)).status == 204
    assert (inbox.folder / "f").read_bytes() == b"first"


async def test_of_two_uploads_to_one_new_name_only_one_is_taken(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions(upload=True))
    first, second = await begin(inbox, "/f", body=b"first"), await begin(inbox, "/f", body=b"2nd")
    assert (await add(inbox, second, 3, b"", last=True)).status == 201
    assert (await add(inbox, first, 5, b"", last=True)).status == 403
    assert (inbox.folder / "f").read_bytes() == b"2nd"
    assert inbox.waiting == []


async def test_an_upload_outlives_its_server(open_inbox: OpenInbox) -> None:
    first = await open_inbox()
    location = await begin(first, "/f", "Upload-Length: 6", body=b"abc")
    (first.folder / ".riverrun" / "uploads" / "stray").write_bytes(b"of a plain PUT")
    await first.server.stop(0)
    first.uploads.close()
    second = Uploads(first.folder)
    (upload,) = second.store
    assert location.endswith(upload.id)
    assert (upload.offset, upload.record.length, upload.record.target) == (3, 6, ("f",))
    second.close()
    assert first.waiting == [upload.id]


async def test_a_second_server_on_the_folder_is_refused(inbox: Inbox) -> None:
    with pytest.raises(BlockingIOError):
        Uploads(inbox.folder)


async def test_a_cancelled_client_leaves_no_descriptor(inbox: Inbox) -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    async with await inbox.connect() as client:
        await client.send(sending("/f", 100) + b"abc")
        await inbox.only_upload(offset=3)
    await until(lambda: len(list(descriptors.iterdir())) <= before)
    await until(lambda: not inbox.waiting)


async def test_parts_of_uploads_are_unfinished_too(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(limits={"unfinished": 2})
    part = ("Upload-Length: 1", "Upload-Concat: partial", tus.OFFSET_STREAM)
    statuses = [(await tus.post(inbox, *part, body=b"x")).status for _ in range(3)]
    assert statuses == [201, 201, 429]


async def test_only_so_many_complete_uploads_are_remembered(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(limits={"remembered": 3, "unfinished": 1})
    for number in range(6):
        assert (await inbox.ask("PUT", f"/{number}", WHOLE, body=b"x")).status == 201
    store = inbox.uploads.store
    assert [upload.record.target for upload in store] == [("3",), ("4",), ("5",)]
    assert len(store._catalogue.load()) == 3


async def test_a_digest_that_nobody_knows_costs_nothing(inbox: Inbox) -> None:
    location = await begin(inbox, "/f")
    async with await inbox.connect() as client:
        lines = (PARTIAL, "Upload-Offset: 0", WHOLE, "Content-Digest: md5=:AAAA:")
        await client.send(sending(location, 10, *lines, method="PATCH") + b"abc")
        await inbox.only_upload(offset=3)
    assert (await inbox.ask("HEAD", location))["upload-offset"] == "3"


async def test_what_is_left_cannot_be_gone_on_with_when_it_is_allowed_no_more(
    inbox: Inbox, open_inbox: OpenInbox
) -> None:
    location = await begin(inbox, "/f")
    inbox.uploads.close()
    again = await open_inbox(permissions=Permissions(delete=True))
    assert (await add(again, location, 0, b"x")).status == 403
