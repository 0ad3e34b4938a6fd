"""Resumable uploads of the IETF (draft-ietf-httpbis-resumable-upload-12), against a server."""

import json
import os

import pytest
from tests.apps.uploads.conftest import OpenInbox
from tests.apps.uploads.inboxes import Inbox, sending
from tests.apps.uploads.test_put import digest
from tests.server.client import Reply, request, until

from riverrun.apps.uploads import upload as upload_module

V8 = "Upload-Draft-Interop-Version: 8"
WHOLE, PART = "Upload-Complete: ?1", "Upload-Complete: ?0"
PARTIAL = "Content-Type: application/partial-upload"


async def begin(inbox: Inbox, path: str, *lines: str, body: bytes = b"") -> str:
    reply = await inbox.ask("PUT", path, PART, *lines, body=body)
    assert reply.status == 201, reply
    location = reply["location"]
    assert location is not None
    return location


async def add(
    inbox: Inbox, location: str, offset: int, body: bytes, *lines: str, last: bool = False
) -> Reply:
    completeness = WHOLE if last else PART
    place = f"Upload-Offset: {offset}"
    return await inbox.ask("PATCH", location, PARTIAL, place, completeness, *lines, body=body)


async def test_an_upload_in_one_request(inbox: Inbox) -> None:
    reply = await inbox.ask("PUT", "/f", V8, WHOLE, body=b"whole")
    assert (reply.status, reply["location"], reply["upload-complete"]) == (201, "/f", "?1")
    (announced,) = [interim for interim in reply.interim if interim["location"]]
    assert announced.status == 104
    assert announced["upload-draft-interop-version"] == "8"
    assert (inbox.folder / "f").read_bytes() == b"whole"


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_a_client_without_interim_responses_is_sent_none(inbox: Inbox, method: str) -> None:
    reply = await inbox.ask(method, "/f", WHOLE, body=b"whole")
    assert (reply.status, reply.interim) == (201, [])


async def test_an_upload_in_pieces(inbox: Inbox) -> None:
    location = await begin(inbox, "/a/f", "Upload-Length: 9", body=b"one")
    reply = await add(inbox, location, 3, b"two")
    assert (reply.status, reply["upload-complete"], reply["upload-offset"]) == (204, "?0", "6")
    assert inbox.names == []
    head = await inbox.ask("HEAD", location)
    assert (head.status, head["upload-offset"], head["upload-complete"]) == (204, "6", "?0")
    assert (head["upload-length"], head["cache-control"]) == ("9", "no-store")
    reply = await add(inbox, location, 6, b"end", last=True)
    assert (reply.status, reply["upload-complete"], reply["location"]) == (201, "?1", "/a/f")
    assert (inbox.folder / "a" / "f").read_bytes() == b"onetwoend"
    head = await inbox.ask("HEAD", location)
    assert (head["upload-complete"], head["upload-offset"]) == ("?1", "9")


async def test_what_came_before_the_connection_broke_is_kept(inbox: Inbox) -> None:
    async with await inbox.connect() as client:
        await client.send(sending("/f", 9, V8, WHOLE) + b"first")
        interim = await client._head()
        upload = await inbox.only_upload(offset=5)
    location = interim["location"]
    assert location is not None
    await until(lambda: not upload.receiving)
    assert (await inbox.ask("HEAD", location))["upload-offset"] == "5"
    assert (await add(inbox, location, 5, b"last", last=True)).status == 201
    assert (inbox.folder / "f").read_bytes() == b"firstlast"


async def test_a_newer_request_ends_the_stale_one(inbox: Inbox) -> None:
    location = await begin(inbox, "/f")
    async with await inbox.connect() as stale:
        head = sending(location, 100, PARTIAL, "Upload-Offset: 0", PART, method="PATCH")
        await stale.send(head + b"stale")
        await inbox.only_upload(offset=5)
        assert (await inbox.ask("HEAD", location))["upload-offset"] == "5"
        assert (await stale.reply()).status == 409
    assert (await add(inbox, location, 5, b" fresh", last=True)).status == 201
    assert (inbox.folder / "f").read_bytes() == b"stale fresh"


@pytest.mark.parametrize("path", ["/~/uploads/", "/~/uploads/{id}", "/f"])
async def test_who_looks_ends_nothing(inbox: Inbox, path: str) -> None:
    location = await begin(inbox, "/f")
    async with await inbox.connect() as sender, await inbox.connect() as onlooker:
        head = sending(location, 10, PARTIAL, "Upload-Offset: 0", WHOLE, method="PATCH")
        await sender.send(head + b"first")
        upload = await inbox.only_upload(offset=5)
        await onlooker.send(request(path.format(id=upload.id)))
        await onlooker._head()
        assert upload.receiving
        await sender.send(b"last!")
        assert (await sender.reply()).status == 201
    assert (inbox.folder / "f").read_bytes() == b"firstlast!"


async def test_a_wrong_offset_is_told(inbox: Inbox) -> None:
    location = await begin(inbox, "/f", body=b"abc")
    reply = await add(inbox, location, 5, b"x")
    problem = json.loads(reply.body)
    assert (reply.status, reply["upload-offset"]) == (409, "3")
    assert problem["type"].endswith("#mismatching-upload-offset")
    assert (problem["expected-offset"], problem["provided-offset"]) == (3, 5)


@pytest.mark.parametrize("value", ["-1", "1.5", '"9"', "?1", "x", "9;a=b, 8", ""])
async def test_a_length_that_is_none_counts_as_not_said(inbox: Inbox, value: str) -> None:
    """ "Other values MUST cause the entire header field to be ignored" (draft, Length)."""
    location = await begin(inbox, "/f", f"Upload-Length: {value}", body=b"abc")
    assert (await inbox.ask("HEAD", location))["upload-length"] is None
    assert (
        await add(inbox, location, 3, b"def", f"Upload-Length: {value}", last=True)
    ).status == 201
    assert (inbox.folder / "f").read_bytes() == b"abcdef"


async def test_lengths_that_contradict_each_other(inbox: Inbox) -> None:
    reply = await inbox.ask("PUT", "/f", WHOLE, "Upload-Length: 9", body=b"abc")
    assert reply.status == 400
    assert json.loads(reply.body)["type"].endswith("#inconsistent-upload-length")
    location = await begin(inbox, "/f", "Upload-Length: 4", body=b"abc")
    assert (await add(inbox, location, 3, b"xy", last=True)).status == 400
    assert (await add(inbox, location, 3, b"x", last=True)).status == 201


async def test_more_than_was_said_in_chunks(inbox: Inbox) -> None:
    location = await begin(inbox, "/f", "Upload-Length: 4", body=b"abc")
    async with await inbox.connect() as client:
        head = sending(location, 0, PARTIAL, "Upload-Offset: 3", WHOLE, method="PATCH")
        chunked = head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        await client.send(chunked + b"2\r\nxy\r\n0\r\n\r\n")
        assert (await client.reply()).status == 400


async def test_the_wrong_media_type_is_refused(inbox: Inbox) -> None:
    location = await begin(inbox, "/f")
    reply = await inbox.ask("PATCH", location, "Upload-Offset: 0", WHOLE, body=b"x")
    assert (reply.status, reply["accept-patch"]) == (415, "application/partial-upload")


async def test_an_upload_is_given_up(inbox: Inbox) -> None:
    location = await begin(inbox, "/f", body=b"abc")
    assert (await inbox.ask("DELETE", location)).status == 204
    assert (await inbox.ask("HEAD", location)).status == 404
    assert (await add(inbox, location, 3, b"x")).status == 404
    assert inbox.waiting == []


async def test_giving_up_ends_a_request_that_runs(inbox: Inbox) -> None:
    location = await begin(inbox, "/f")
    async with await inbox.connect() as client:
        head = sending(location, 100, PARTIAL, "Upload-Offset: 0", WHOLE, method="PATCH")
        await client.send(head + b"abc")
        await inbox.only_upload(offset=3)
        assert (await inbox.ask("DELETE", location)).status == 204
        assert (await client.reply()).status in (404, 409)
    assert inbox.waiting == []


async def test_the_digest_of_the_whole_is_verified(inbox: Inbox) -> None:
    right = await begin(inbox, "/f", f"Repr-Digest: {digest(b'abcdef')}", body=b"abc")
    wrong = await begin(inbox, "/g", f"Repr-Digest: {digest(b'other')}", body=b"abc")
    assert (await add(inbox, right, 3, b"def", last=True)).status == 201
    assert (await add(inbox, wrong, 3, b"def", last=True)).status == 400
    assert inbox.names == ["f"]
    assert (await inbox.ask("HEAD", wrong)).status == 404


async def test_the_digest_of_a_piece_is_verified(inbox: Inbox) -> None:
    location = await begin(inbox, "/f", body=b"abc")
    bad = f"Content-Digest: {digest(b'other')}"
    assert (await add(inbox, location, 3, b"def", bad)).status == 400
    assert (await inbox.ask("HEAD", location))["upload-offset"] == "3"
    good = f"Content-Digest: {digest(b'def')}"
    assert (await add(inbox, location, 3, b"def", good, last=True)).status == 201


async def test_progress_that_is_told_is_durable(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_module, "SYNC_SIZE", 1000)
    synced: list[int] = []
    sync = os.fdatasync

    def watched(descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        sync(descriptor)
        synced.append(size)

    monkeypatch.setattr(os, "fdatasync", watched)
    async with await inbox.connect() as client:
        await client.send(sending("/f", 6000, V8, WHOLE))
        assert (await client._head())["location"] is not None
        for _ in range(2):
            await client.send(bytes(2000))
            progress = await client._head()
            assert progress.status == 104
            told = progress["upload-offset"]
            assert told is not None
            assert 0 < int(told) <= max(synced)
        await client.send(bytes(2000))
        assert (await client.reply()).status == 201


async def test_limits_are_told_and_kept(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(limits={"size": 5})
    reply = await inbox.ask("PUT", "/f", PART, body=b"abc")
    assert "max-size=5" in (reply["upload-limit"] or "")
    location = reply["location"]
    assert location is not None
    assert (await add(inbox, location, 3, b"too much", last=True)).status == 413
    assert (await add(inbox, location, 3, b"de", last=True)).status == 201


async def test_a_complete_upload_takes_nothing_more(inbox: Inbox) -> None:
    location = await begin(inbox, "/f")
    assert (await add(inbox, location, 0, b"abc", last=True)).status == 201
    assert (await add(inbox, location, 3, b"", last=True)).status in (200, 201, 204)
    assert (await add(inbox, location, 3, b"x", last=True)).status == 400
    assert (inbox.folder / "f").read_bytes() == b"abc"


async def test_an_upload_is_the_same_in_the_overview(inbox: Inbox) -> None:
    location = await begin(inbox, "/a/f", "Upload-Length: 9", body=b"one")
    entry = json.loads((await inbox.ask("GET", location)).body)
    (listed,) = json.loads((await inbox.ask("GET", "/~/uploads/")).body)
    assert listed == entry
    assert (entry["dialect"], entry["offset"], entry["length"]) == ("resumable", 3, 9)
    assert entry["durable"] == 3
    assert entry["target"] == "/a/f"


async def test_a_folder_cannot_be_uploaded(inbox: Inbox) -> None:
    assert (await inbox.ask("PUT", "/a/", WHOLE, body=b"x")).status == 409
