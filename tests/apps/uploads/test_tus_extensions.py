"""tus 1.0.0: expiration, checksum, termination, concatenation; and pages of other origins."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os

import pytest
from tests.apps.uploads.conftest import OpenInbox
from tests.apps.uploads.inboxes import Inbox, sending
from tests.apps.uploads.tus_requests import (
    ENDPOINT,
    OFFSET_STREAM,
    RESUMABLE,
    appending,
    create,
    create_part,
    delete,
    head,
    metadata,
    patch,
    post,
)
from tests.server.client import until

from riverrun.apps.uploads import Permissions
from riverrun.http.dates import format_date, parse_date

DAY = 86400.0
BODY = os.urandom(300_000)
ORIGIN = "http://friend.example"


def checksum(content: bytes, algorithm: str = "sha1") -> str:
    digest = hashlib.new(algorithm, content).digest()
    return f"Upload-Checksum: {algorithm} {base64.b64encode(digest).decode()}"


# Expiration.


async def test_expiry_must_be_told_at_creation_and_by_every_patch(inbox: Inbox) -> None:
    created = await post(inbox, "Upload-Length: 10", body=b"")
    (upload,) = inbox.uploads.store
    assert created["upload-expires"] == format_date(int(upload.record.expires))
    patched = await patch(inbox, str(created["location"]), 0, b"hello")
    assert patched["upload-expires"] == format_date(int(upload.record.expires))
    assert parse_date(str(patched["upload-expires"]).encode()) is not None


async def test_a_complete_upload_does_not_expire(inbox: Inbox) -> None:
    address = await create(inbox, 5)
    assert (await patch(inbox, address, 0, b"hello"))["upload-expires"] is None
    assert (await head(inbox, address))["upload-expires"] is None


async def test_an_expired_upload_is_gone(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(limits={"expiry": 100.0})
    address = await create(inbox, 10)
    await patch(inbox, address, 0, b"hello")
    (upload,) = inbox.uploads.store
    upload.record.expires = 0
    for reply in (await head(inbox, address), await patch(inbox, address, 5, b"world")):
        assert (reply.status, reply["upload-offset"]) == (404, None)
    await inbox.uploads.store.sweep()
    assert inbox.waiting == []


# Checksum.


async def test_options_must_tell_the_algorithms(inbox: Inbox) -> None:
    assert (await inbox.ask("OPTIONS", ENDPOINT))["tus-checksum-algorithm"] == "sha1,sha256,md5"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
async def test_a_checksum_that_matches_is_acknowledged(inbox: Inbox, algorithm: str) -> None:
    address = await create(inbox, len(BODY))
    reply = await patch(inbox, address, 0, BODY, checksum(BODY, algorithm))
    assert (reply.status, reply["upload-offset"]) == (204, str(len(BODY)))
    assert (inbox.folder / "file").read_bytes() == BODY


async def test_a_chunk_with_another_checksum_must_be_discarded(inbox: Inbox) -> None:
    address = await create(inbox, len(BODY))
    await patch(inbox, address, 0, BODY[:1000], checksum(BODY[:1000]))
    reply = await patch(inbox, address, 1000, BODY[1000:], checksum(b"other"))
    assert (reply.status, reply["upload-offset"]) == (460, None)
    assert (await head(inbox, address))["upload-offset"] == "1000"
    assert (inbox.folder / ".riverrun" / "uploads" / address[-32:]).stat().st_size == 1000
    assert (await patch(inbox, address, 1000, BODY[1000:])).status == 204
    assert (inbox.folder / "file").read_bytes() == BODY


async def test_a_chunk_with_a_checksum_that_was_cut_is_discarded(inbox: Inbox) -> None:
    """What it should have been cannot be told from a part of it."""
    address = await create(inbox, len(BODY))
    async with await inbox.connect() as client:
        lines = appending(0, checksum(BODY))
        await client.send(sending(address, len(BODY), *lines, method="PATCH") + BODY[:1234])
        await inbox.only_upload(offset=1234)
    assert (await head(inbox, address))["upload-offset"] == "0"


@pytest.mark.parametrize(
    "value", ["crc32 AAAAAA==", "sha1", "sha1 !", "sha1 AAAA", "SHA1 " + "A" * 27 + "=", ""]
)
async def test_a_checksum_that_is_none_of_ours_is_answered_with_400(
    inbox: Inbox, value: str
) -> None:
    address = await create(inbox, 5)
    reply = await patch(inbox, address, 0, b"hello", f"Upload-Checksum: {value}")
    assert reply.status == 400
    assert (await head(inbox, address))["upload-offset"] == "0"


async def test_a_checksum_of_a_creation_with_upload_is_verified(inbox: Inbox) -> None:
    lines = ("Upload-Length: 5", OFFSET_STREAM, metadata(name="file"), checksum(b"hello"))
    assert (await post(inbox, *lines, body=b"hello")).status == 201
    assert (inbox.folder / "file").read_bytes() == b"hello"


# Termination.


async def test_a_terminated_upload_must_be_acknowledged_and_is_gone(inbox: Inbox) -> None:
    address = await create(inbox, 10)
    await patch(inbox, address, 0, b"hello")
    reply = await delete(inbox, address)
    assert (reply.status, reply["tus-resumable"]) == (204, "1.0.0")
    assert inbox.waiting == []
    assert (await head(inbox, address)).status == 404
    assert (await patch(inbox, address, 5, b"world")).status == 404
    assert (await delete(inbox, address)).status == 404


async def test_termination_ends_a_request_that_is_adding(inbox: Inbox) -> None:
    address = await create(inbox, 10)
    async with await inbox.connect() as client:
        await client.send(sending(address, 10, *appending(0), method="PATCH") + b"hello")
        await inbox.only_upload(offset=5)
        assert (await delete(inbox, address)).status == 204
        assert (await client.reply()).status == 409
    assert inbox.waiting == []


async def test_the_file_of_a_complete_upload_stays(inbox: Inbox) -> None:
    address = await create(inbox, 5)
    await patch(inbox, address, 0, b"hello")
    assert (await delete(inbox, address)).status == 204
    assert (await head(inbox, address)).status == 404
    assert inbox.names == ["file"]


async def test_a_terminated_part_frees_its_bytes(inbox: Inbox) -> None:
    address = await create_part(inbox, b"hello")
    assert len(inbox.waiting) == 1
    assert (await delete(inbox, address)).status == 204
    assert inbox.waiting == []


# Concatenation.


def final(*addresses: str) -> str:
    return "Upload-Concat: final;" + " ".join(addresses)


async def test_parts_become_one_file_in_the_order_of_the_list(inbox: Inbox) -> None:
    parts = [await create_part(inbox, BODY[start : start + 70_000]) for start in (200_000, 0)]
    reply = await post(inbox, final(*reversed(parts)), metadata(filename="file"), body=b"")
    assert reply.status == 201
    expected = BODY[:70_000] + BODY[200_000:270_000]
    assert (inbox.folder / "file").read_bytes() == expected
    assert inbox.waiting == []
    assert inbox.names == ["file"]


async def test_head_of_a_final_upload_must_tell_equal_offset_and_length(inbox: Inbox) -> None:
    parts = [await create_part(inbox, b"hello"), await create_part(inbox, b" world")]
    reply = await post(inbox, final(*parts), body=b"")
    told = await head(inbox, str(reply["location"]))
    assert (told["upload-offset"], told["upload-length"]) == ("11", "11")
    assert told["upload-concat"] == "final;" + " ".join(parts)


async def test_head_of_a_part_must_tell_offset_and_concatenation(inbox: Inbox) -> None:
    reply = await post(inbox, "Upload-Length: 10", "Upload-Concat: partial", body=b"")
    address = str(reply["location"])
    for offset in ("0", "5", "10"):
        told = await head(inbox, address)
        assert (told["upload-offset"], told["upload-length"]) == (offset, "10")
        assert told["upload-concat"] == "partial"
        assert told["upload-expires"] is not None
        await patch(inbox, address, int(offset), b"hello"[: 10 - int(offset)])


async def test_a_part_is_no_file(inbox: Inbox) -> None:
    lines = ("Upload-Length: 5", "Upload-Concat: partial", OFFSET_STREAM, metadata(name="part"))
    await post(inbox, *lines, body=b"hello")
    assert inbox.names == []
    assert (await inbox.ask("GET", "/part")).status == 404


async def test_the_metadata_of_parts_must_not_go_over(inbox: Inbox) -> None:
    lines = ("Upload-Length: 5", "Upload-Concat: partial", OFFSET_STREAM, metadata(name="part"))
    part = str((await post(inbox, *lines, body=b"hello"))["location"])
    reply = await post(inbox, final(part), body=b"")
    address = str(reply["location"])
    assert inbox.names == [address.removeprefix(ENDPOINT)]
    assert (await head(inbox, address))["upload-metadata"] is None


async def test_patch_of_a_final_upload_must_be_answered_with_403(inbox: Inbox) -> None:
    parts = [await create_part(inbox, b"hello")]
    reply = await post(inbox, final(*parts), metadata(name="file"), body=b"")
    assert (await patch(inbox, str(reply["location"]), 5, b"more")).status == 403
    assert (await patch(inbox, str(reply["location"]), 5, b"")).status == 403
    assert (inbox.folder / "file").read_bytes() == b"hello"


async def test_addresses_may_be_absolute_or_relative(inbox: Inbox) -> None:
    parts = [await create_part(inbox, content) for content in (b"a", b"b", b"c")]
    urls = ("https://proxy.example/prefix" + parts[0], parts[1].removeprefix(ENDPOINT), parts[2])
    assert (await post(inbox, final(*urls), metadata(name="file"), body=b"")).status == 201
    assert (inbox.folder / "file").read_bytes() == b"abc"


async def test_a_part_may_come_twice(inbox: Inbox) -> None:
    part = await create_part(inbox, b"row ")
    assert (await post(inbox, final(part, part), metadata(name="song"), body=b"")).status == 201
    assert (inbox.folder / "song").read_bytes() == b"row row "


async def test_what_is_no_complete_part_is_refused_and_nothing_changes(inbox: Inbox) -> None:
    part = await create_part(inbox, b"hello")
    begun = await post(inbox, "Upload-Length: 5", "Upload-Concat: partial", body=b"")
    whole = await create(inbox, 5)
    await patch(inbox, whole, 0, b"whole")
    for other, status in ((str(begun["location"]), 409), (whole, 400), (ENDPOINT + "0" * 32, 404)):
        assert (await post(inbox, final(part, other), body=b"")).status == status
    for lines, body in ((("Upload-Length: 5",), b""), ((OFFSET_STREAM,), b"x")):
        assert (await post(inbox, final(part), *lines, body=body)).status == 400
    assert (await head(inbox, part))["upload-offset"] == "5"
    assert inbox.names == ["file"]


async def test_a_name_that_is_taken_leaves_the_parts(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions(upload=True))
    (inbox.folder / "file").write_bytes(b"old")
    parts = [await create_part(inbox, b"hello"), await create_part(inbox, b"world")]
    assert (await post(inbox, final(*parts), metadata(name="file"), body=b"")).status == 403
    assert len(inbox.waiting) == 2
    lines = (final(*parts), metadata(name="file", clash="rename"))
    assert (await post(inbox, *lines, body=b"")).status == 201
    assert (inbox.folder / "file (2)").read_bytes() == b"helloworld"
    assert inbox.waiting == []


async def test_parts_together_may_not_be_too_long(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(limits={"size": 9})
    parts = [await create_part(inbox, b"hello"), await create_part(inbox, b"world")]
    assert (await post(inbox, final(*parts), body=b"")).status == 413
    assert len(inbox.waiting) == 2


async def test_the_same_request_again_tells_what_the_first_made(inbox: Inbox) -> None:
    """Its answer was lost, and the parts have gone."""
    parts = [await create_part(inbox, b"hello"), await create_part(inbox, b"world")]
    lines = (final(*parts), metadata(name="file"))
    first, second = await asyncio.gather(*(post(inbox, *lines, body=b"") for _ in range(2)))
    third = await post(inbox, *lines, body=b"")
    assert [reply.status for reply in (first, second, third)] == [201, 201, 201]
    assert first["location"] == second["location"] == third["location"]
    assert (await post(inbox, lines[0], metadata(name="other"), body=b"")).status == 404
    assert inbox.names == ["file"]


@pytest.mark.parametrize("unable", ["missing", "another file system"])
async def test_parts_become_one_where_the_kernel_cannot_copy(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, unable: str
) -> None:
    if unable == "missing":
        monkeypatch.delattr(os, "copy_file_range")
    else:

        def refuse(*arguments: object) -> int:
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "copy_file_range", refuse)
    content = os.urandom(2_500_000)
    parts = [await create_part(inbox, part) for part in (content, b"", content)]
    assert (await post(inbox, final(*parts), metadata(name="file"), body=b"")).status == 201
    assert (inbox.folder / "file").read_bytes() == content * 2


async def test_a_full_disk_is_told_and_leaves_the_parts(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    part = await create_part(inbox, b"hello")
    with monkeypatch.context() as patched:
        patched.setattr(os, "copy_file_range", fill)
        assert (await post(inbox, final(part), metadata(name="file"), body=b"")).status == 507
    assert len(inbox.waiting) == 1
    assert (await post(inbox, final(part), metadata(name="file"), body=b"")).status == 201


async def test_a_client_that_leaves_meanwhile_leaves_the_parts(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    copying, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(*arguments: object) -> None:
        copying.set()
        await go_on.wait()

    part = await create_part(inbox, b"hello")
    with monkeypatch.context() as patched:
        patched.setattr("riverrun.apps.uploads.upload.Upload.concatenate", slowly)
        async with await inbox.connect() as client:
            lines = (RESUMABLE, final(part), metadata(name="file"))
            await client.send(sending(ENDPOINT, 0, *lines, method="POST"))
            await copying.wait()
        await until(lambda: len(list(inbox.uploads.store)) == 1)
    assert (await post(inbox, final(part), metadata(name="file"), body=b"")).status == 201
    assert (inbox.folder / "file").read_bytes() == b"hello"


# Pages of other origins (Fetch, 3.2).


async def test_a_preflight_is_answered(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(cors=ORIGIN)
    lines = (f"Origin: {ORIGIN}", "Access-Control-Request-Method: PATCH")
    reply = await inbox.ask("OPTIONS", ENDPOINT, *lines)
    assert reply.status == 204
    assert reply["access-control-allow-origin"] == ORIGIN
    assert reply["vary"] == "origin"
    methods = str(reply["access-control-allow-methods"]).split(", ")
    assert sorted(methods) == ["DELETE", "HEAD", "OPTIONS", "PATCH", "POST"]
    fields = str(reply["access-control-allow-headers"]).split(", ")
    assert {"content-type", "tus-resumable", "upload-offset", "upload-metadata"} <= {*fields}
    assert reply["access-control-max-age"] == "86400"


async def test_a_page_may_upload_and_read_the_answers(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(cors="*")
    lines = (f"Origin: {ORIGIN}", "Sec-Fetch-Site: cross-site")
    created = await post(inbox, "Upload-Length: 5", *lines, body=b"")
    missing = await head(inbox, ENDPOINT + "0" * 32, *lines)
    for reply, status in ((created, 201), (missing, 404)):
        assert reply.status == status
        assert reply["access-control-allow-origin"] == "*"
        exposed = str(reply["access-control-expose-headers"]).split(", ")
        assert {"location", "upload-offset", "upload-length", "tus-resumable"} <= {*exposed}


async def test_a_page_learns_that_nothing_may_be_uploaded(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(cors="*", permissions=Permissions())
    lines = (f"Origin: {ORIGIN}", "Access-Control-Request-Method: POST")
    assert (await inbox.ask("OPTIONS", ENDPOINT, *lines)).status == 204
    reply = await post(inbox, f"Origin: {ORIGIN}", body=b"")
    assert (reply.status, reply["access-control-allow-origin"]) == (403, "*")


async def test_pages_of_other_origins_are_kept_out_unless_let_in(inbox: Inbox) -> None:
    reply = await post(inbox, "Upload-Length: 5", f"Origin: {ORIGIN}", body=b"")
    assert (reply.status, reply["access-control-allow-origin"]) == (403, None)
    lines = (f"Origin: {ORIGIN}", "Access-Control-Request-Method: POST")
    preflight = await inbox.ask("OPTIONS", ENDPOINT, *lines)
    assert preflight["access-control-allow-origin"] is None
