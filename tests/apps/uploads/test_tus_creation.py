"""tus 1.0.0: creation, with an upload and with a deferred length; and where the file goes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.apps.uploads.conftest import OpenInbox
from tests.apps.uploads.inboxes import Inbox, sending
from tests.apps.uploads.tus_requests import (
    ENDPOINT,
    OFFSET_STREAM,
    RESUMABLE,
    create,
    head,
    metadata,
    patch,
    post,
)

from riverrun.apps.uploads import Permissions

BODY = os.urandom(300_000)


async def test_creation_must_be_acknowledged_with_201_and_a_location(inbox: Inbox) -> None:
    reply = await post(inbox, "Upload-Length: 10", body=b"")
    assert reply.status == 201
    (upload,) = inbox.uploads.store
    assert reply["location"] == f"/~/tus/{upload.id}"
    assert (upload.record.length, upload.record.dialect.value) == (10, "tus")


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("Upload-Defer-Length: 0",),
        ("Upload-Defer-Length: 1", "Upload-Length: 5"),
        ("Upload-Length: -5",),
        ("Upload-Length: five",),
        ("Upload-Length: 5", "Upload-Metadata: a !"),
        ("Upload-Length: 5", "Upload-Metadata: a YQ==,a YQ=="),
        ("Upload-Length: 5", "Upload-Concat: parts"),
        ("Upload-Length: 5", "Upload-Concat: final;"),
    ],
)
async def test_creation_must_say_what_it_is(inbox: Inbox, lines: tuple[str, ...]) -> None:
    assert (await post(inbox, *lines, body=b"")).status == 400
    assert list(inbox.uploads.store) == []


async def test_more_than_the_maximum_must_be_answered_with_413(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(limits={"size": 1000})
    assert (await post(inbox, "Upload-Length: 1000", body=b"")).status == 201
    reply = await post(inbox, "Upload-Length: 1001", body=b"")
    assert (reply.status, reply["tus-max-size"]) == (413, "1000")


async def test_head_must_tell_the_metadata_as_it_came(inbox: Inbox) -> None:
    value = "filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential"
    reply = await post(inbox, "Upload-Length: 10", f"Upload-Metadata: {value}", body=b"")
    assert (await head(inbox, str(reply["location"])))["upload-metadata"] == value
    (upload,) = inbox.uploads.store
    assert upload.record.target == ("world_domination_plan.pdf",)


async def test_no_metadata_is_told_where_there_is_none(inbox: Inbox) -> None:
    reply = await post(inbox, "Upload-Length: 10", "Upload-Metadata: ", body=b"")
    assert (await head(inbox, str(reply["location"])))["upload-metadata"] is None


async def test_an_empty_file_is_complete_at_once(inbox: Inbox) -> None:
    address = await create(inbox, 0, "empty")
    assert (inbox.folder / "empty").read_bytes() == b""
    assert (await head(inbox, address))["upload-offset"] == "0"


async def test_uploads_outlive_the_process(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox()
    address = await create(inbox, 10)
    await patch(inbox, address, 0, b"hello")
    inbox.uploads.close()
    inbox.uploads.__init__(inbox.folder, permissions=Permissions(upload=True))  # type: ignore[misc]
    reply = await head(inbox, address)
    assert (reply["upload-offset"], reply["upload-length"]) == ("5", "10")
    await patch(inbox, address, 5, b"world")
    assert (inbox.folder / "file").read_bytes() == b"helloworld"


# Where the file goes.


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"filename": "a.txt"}, "a.txt"),
        ({"name": "a.txt"}, "a.txt"),
        ({"filename": "a.txt", "name": "b.txt"}, "a.txt"),
        ({"relativePath": "x/y/a.txt", "filename": "b.txt"}, "x/y/a.txt"),
        ({"path": "x/a.txt"}, "x/a.txt"),
        ({"relativePath": "null", "name": "a.txt"}, "a.txt"),
        ({"filename": "/etc/passwd"}, "passwd"),
        ({"relativePath": "../../x/../a.txt"}, "x/a.txt"),
        ({"relativePath": "C:\\x\\a.txt"}, "x/a.txt"),
        ({"filename": ".bashrc"}, "bashrc"),
        ({"filename": b"\xff\r\n.txt"}, "\ufffd__.txt"),
    ],
)
async def test_the_name_comes_from_the_metadata_and_is_made_safe(
    inbox: Inbox, tmp_path: Path, values: dict[str, str], path: str
) -> None:
    reply = await post(inbox, "Upload-Length: 2", metadata(**values), OFFSET_STREAM, body=b"ok")
    assert reply.status == 201
    assert (inbox.folder / path).read_bytes() == b"ok"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["inbox"]


async def test_without_a_name_it_is_named_as_the_upload(inbox: Inbox) -> None:
    reply = await post(inbox, "Upload-Length: 2", OFFSET_STREAM, body=b"ok")
    assert inbox.names == [str(reply["location"]).removeprefix(ENDPOINT)]


@pytest.mark.parametrize("path", ["~/tus/x", "~"])
async def test_our_own_addresses_are_no_names(inbox: Inbox, path: str) -> None:
    assert (await post(inbox, "Upload-Length: 2", metadata(path=path), body=b"")).status == 403


async def test_a_name_that_is_taken_is_refused_at_creation(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions(upload=True))
    (inbox.folder / "file").write_bytes(b"old")
    reply = await post(inbox, "Upload-Length: 5", metadata(filename="file"), body=b"")
    assert reply.status == 403
    assert b"may not be replaced" in reply.body
    assert (inbox.folder / "file").read_bytes() == b"old"


async def test_a_file_is_replaced_where_that_is_allowed(inbox: Inbox) -> None:
    (inbox.folder / "file").write_bytes(b"old")
    await patch(inbox, await create(inbox, 3), 0, b"new")
    assert (inbox.folder / "file").read_bytes() == b"new"


async def test_a_condition_keeps_a_file_from_being_replaced(inbox: Inbox) -> None:
    fields = ("Upload-Length: 3", metadata(filename="file"), "If-None-Match: *")
    began = await post(inbox, *fields, body=b"")
    assert began.status == 201
    (inbox.folder / "file").write_bytes(b"old")
    assert (await post(inbox, *fields, body=b"")).status == 412
    assert (await patch(inbox, str(began["location"]), 0, b"new")).status == 412
    assert (inbox.folder / "file").read_bytes() == b"old"


async def test_another_name_is_taken_on_request(inbox: Inbox) -> None:
    (inbox.folder / "a.txt").write_bytes(b"old")
    for content in (b"2", b"3"):
        await patch(inbox, await create(inbox, 1, "a.txt", clash="rename"), 0, content)
    assert inbox.names == ["a (2).txt", "a (3).txt", "a.txt"]
    assert (inbox.folder / "a.txt").read_bytes() == b"old"
    assert (inbox.folder / "a (3).txt").read_bytes() == b"3"


async def test_uploads_at_once_get_names_of_their_own(inbox: Inbox) -> None:
    addresses = [await create(inbox, 1, "a.txt", clash="rename") for _ in range(3)]
    assert sorted(upload.record.target for upload in inbox.uploads.store) == [
        ("a (2).txt",),
        ("a (3).txt",),
        ("a.txt",),
    ]
    await asyncio.gather(*(patch(inbox, address, 0, b"x") for address in addresses))
    assert inbox.names == ["a (2).txt", "a (3).txt", "a.txt"]


async def test_a_name_that_was_taken_meanwhile_is_left_alone(inbox: Inbox) -> None:
    address = await create(inbox, 1, "a.txt", clash="rename")
    (inbox.folder / "a.txt").write_bytes(b"came first")
    assert (await patch(inbox, address, 0, b"x")).status == 204
    assert (inbox.folder / "a.txt").read_bytes() == b"came first"
    assert (inbox.folder / "a (2).txt").read_bytes() == b"x"
    (upload,) = inbox.uploads.store
    assert upload.record.target == ("a (2).txt",)
    inbox.uploads.close()
    inbox.uploads.__init__(inbox.folder)  # type: ignore[misc]
    assert [upload.record.target for upload in inbox.uploads.store] == [("a (2).txt",)]


# Creation with upload.


async def test_creation_with_upload_must_tell_the_offset(inbox: Inbox) -> None:
    lines = ("Upload-Length: 10", OFFSET_STREAM, metadata(filename="file"))
    reply = await post(inbox, *lines, body=b"hello")
    assert (reply.status, reply["upload-offset"]) == (201, "5")
    reply = await patch(inbox, str(reply["location"]), 5, b"world")
    assert (inbox.folder / "file").read_bytes() == b"helloworld"


async def test_creation_with_all_of_it_is_complete(inbox: Inbox) -> None:
    lines = (f"Upload-Length: {len(BODY)}", OFFSET_STREAM, metadata(filename="file"))
    reply = await post(inbox, *lines, body=BODY)
    assert (reply.status, reply["upload-offset"]) == (201, str(len(BODY)))
    assert (inbox.folder / "file").read_bytes() == BODY


async def test_creation_with_upload_must_have_its_content_type(inbox: Inbox) -> None:
    assert (await post(inbox, "Upload-Length: 5", body=b"hello")).status == 415
    assert list(inbox.uploads.store) == []


async def test_creation_is_refused_before_the_body_is_asked_for(inbox: Inbox) -> None:
    (inbox.folder / "folder").mkdir()
    lines = (RESUMABLE, OFFSET_STREAM, "Upload-Length: 5", "Expect: 100-continue")
    async with await inbox.connect() as client:
        head_lines = sending(ENDPOINT, 5, *lines, metadata(filename="folder"), method="POST")
        await client.send(head_lines)
        reply = await client.reply()
    assert (reply.status, reply.interim) == (409, [])


async def test_what_came_with_a_creation_that_was_cut_counts(inbox: Inbox) -> None:
    lines = (RESUMABLE, OFFSET_STREAM, "Upload-Length: 10", metadata(filename="file"))
    async with await inbox.connect() as client:
        await client.send(sending(ENDPOINT, 10, *lines, method="POST") + b"hello")
        upload = await inbox.only_upload(offset=5)
    assert (await head(inbox, ENDPOINT + upload.id))["upload-offset"] == "5"


async def test_a_creation_that_fails_leaves_nothing(inbox: Inbox) -> None:
    lines = ("Upload-Length: 5", OFFSET_STREAM, "Upload-Checksum: sha1 " + "A" * 27 + "=")
    assert (await post(inbox, *lines, body=b"hello")).status == 460
    assert list(inbox.uploads.store) == []
    assert inbox.waiting == []


# Deferred length.


async def test_a_deferred_length_must_be_told_until_it_is_known(inbox: Inbox) -> None:
    address = await create(inbox, None)
    reply = await head(inbox, address)
    assert (reply["upload-defer-length"], reply["upload-length"]) == ("1", None)
    await patch(inbox, address, 0, b"hello")
    await patch(inbox, address, 5, b"wor", "Upload-Length: 10")
    reply = await head(inbox, address)
    assert (reply["upload-defer-length"], reply["upload-length"]) == (None, "10")
    await patch(inbox, address, 8, b"ld")
    assert (inbox.folder / "file").read_bytes() == b"helloworld"


async def test_a_length_that_comes_after_all_bytes_completes_the_upload(inbox: Inbox) -> None:
    address = await create(inbox, None)
    await patch(inbox, address, 0, b"hello")
    assert inbox.names == []
    assert (await patch(inbox, address, 5, b"", "Upload-Length: 5")).status == 204
    assert inbox.names == ["file"]


async def test_a_length_must_not_be_changed(inbox: Inbox) -> None:
    address = await create(inbox, None)
    await patch(inbox, address, 0, b"hello", "Upload-Length: 10")
    assert (await patch(inbox, address, 5, b"x", "Upload-Length: 11")).status == 400
    assert (await patch(inbox, address, 5, b"x", "Upload-Length: 10")).status == 204
    assert (await head(inbox, address))["upload-length"] == "10"


@pytest.mark.parametrize(("length", "status"), [(4, 400), (1001, 413)])
async def test_a_late_length_must_be_possible(
    open_inbox: OpenInbox, length: int, status: int
) -> None:
    inbox = await open_inbox(limits={"size": 1000})
    address = await create(inbox, None)
    await patch(inbox, address, 0, b"hello")
    assert (await patch(inbox, address, 5, b"", f"Upload-Length: {length}")).status == status
    assert (await head(inbox, address))["upload-defer-length"] == "1"
