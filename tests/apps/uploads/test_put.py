"""PUT and DELETE of files (RFC 9110, 9.3.4, 9.3.5, 13; RFC 9530)."""

import asyncio
import base64
import hashlib
import os
from pathlib import Path

import pytest
from tests.apps.uploads.conftest import OpenInbox
from tests.apps.uploads.inboxes import Inbox, sending
from tests.server.client import until

from riverrun.apps.uploads import Permissions, Upload

BODY = os.urandom(300_000)


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


async def test_a_file_is_stored_whole(inbox: Inbox) -> None:
    reply = await inbox.ask("PUT", "/new.bin", body=BODY)
    assert (reply.status, reply["location"]) == (201, "/new.bin")
    assert (inbox.folder / "new.bin").read_bytes() == BODY
    assert inbox.waiting == []


async def test_the_tag_is_the_one_that_a_get_gives(inbox: Inbox) -> None:
    reply = await inbox.ask("PUT", "/new.bin", body=BODY)
    assert reply["etag"] == (await inbox.ask("GET", "/new.bin"))["etag"]


async def test_a_body_without_a_length_is_stored(inbox: Inbox) -> None:
    async with await inbox.connect() as client:
        await client.send(b"PUT /new.bin HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        await client.send(b"3\r\nabc\r\n")
        await client.send(b"3\r\ndef\r\n0\r\n\r\n")
        assert (await client.reply()).status == 201
    assert (inbox.folder / "new.bin").read_bytes() == b"abcdef"


async def test_an_empty_file_is_a_file(inbox: Inbox) -> None:
    assert (await inbox.ask("PUT", "/empty", body=b"")).status == 201
    assert (inbox.folder / "empty").read_bytes() == b""


async def test_a_file_is_replaced_at_once(inbox: Inbox) -> None:
    (inbox.folder / "old").write_bytes(b"old")
    (inbox.folder / "old").chmod(0o640)
    assert (await inbox.ask("PUT", "/old", body=BODY)).status == 204
    assert (inbox.folder / "old").read_bytes() == BODY
    assert (inbox.folder / "old").stat().st_mode & 0o777 == 0o640


async def test_missing_folders_are_made(inbox: Inbox) -> None:
    reply = await inbox.ask("PUT", "/a/b%20c/d.txt", body=b"deep")
    assert (reply.status, reply["location"]) == (201, "/a/b%20c/d.txt")
    assert (inbox.folder / "a" / "b c" / "d.txt").read_bytes() == b"deep"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 409),
        ("/folder", 409),
        ("/folder/", 409),
        ("/file/below", 409),
        ("/.hidden", 403),
        ("/.riverrun/uploads/x", 403),
        ("/a/../../outside", 400),
        ("/out/escaped", 403),
        ("/" + "n" * 300, 400),
        ("/~/uploads/", 405),
        ("/~/other", 404),
    ],
)
async def test_what_is_no_place_for_a_file(inbox: Inbox, path: str, status: int) -> None:
    (inbox.folder / "folder").mkdir()
    (inbox.folder / "file").write_bytes(b"")
    (inbox.folder / "out").symlink_to("..")
    before = sorted(inbox.folder.parent.iterdir())
    reply = await inbox.ask("PUT", path, body=b"no")
    assert reply.status == status
    assert sorted(inbox.folder.parent.iterdir()) == before
    assert inbox.names == ["file", "folder", "out"]
    assert inbox.waiting == []


async def test_the_store_is_out_of_reach_even_where_hidden_files_are_not(
    open_inbox: OpenInbox,
) -> None:
    inbox = await open_inbox(hidden=True)
    before = (inbox.folder / ".riverrun" / "uploads.db").read_bytes()
    for method in ("PUT", "DELETE"):
        assert (await inbox.ask(method, "/.riverrun/uploads.db", body=b"x")).status == 403
    assert (inbox.folder / ".riverrun" / "uploads.db").read_bytes() == before
    assert (await inbox.ask("PUT", "/.profile", body=b"x")).status == 201


async def test_a_link_is_replaced_and_not_followed(inbox: Inbox, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"untouched")
    (inbox.folder / "link").symlink_to(outside)
    await inbox.ask("PUT", "/link", body=b"new")
    assert outside.read_bytes() == b"untouched"


# Conditions.


async def test_create_only(inbox: Inbox) -> None:
    assert (await inbox.ask("PUT", "/f", "If-None-Match: *", body=b"1")).status == 201
    assert (await inbox.ask("PUT", "/f", "If-None-Match: *", body=b"2")).status == 412
    assert (inbox.folder / "f").read_bytes() == b"1"


async def test_replace_that_version_only(inbox: Inbox) -> None:
    first = (await inbox.ask("PUT", "/f", body=b"1"))["etag"]
    second = (await inbox.ask("PUT", "/f", f"If-Match: {first}", body=b"22"))["etag"]
    assert (await inbox.ask("PUT", "/f", f"If-Match: {first}", body=b"333")).status == 412
    assert (await inbox.ask("PUT", "/f", f"If-Match: {second}", body=b"333")).status == 204
    assert (await inbox.ask("PUT", "/other", 'If-Match: "x"', body=b"4")).status == 412


async def test_a_condition_is_refused_before_the_body_is_asked_for(inbox: Inbox) -> None:
    await inbox.ask("PUT", "/f", body=b"1")
    async with await inbox.connect() as client:
        await client.send(sending("/f", 1 << 40, "If-None-Match: *", "Expect: 100-continue"))
        reply = await client.reply()
    assert (reply.status, reply.interim) == (412, [])


async def test_of_two_creators_at_once_one_wins(inbox: Inbox) -> None:
    async with await inbox.connect() as one, await inbox.connect() as two:
        for client in (one, two):
            await client.send(sending("/f", 4, "If-None-Match: *"))
        await until(lambda: len(list(inbox.uploads.store)) == 2)
        await one.send(b"1111")
        await two.send(b"2222")
        replies = await asyncio.gather(one.reply(), two.reply())
    assert sorted(reply.status for reply in replies) == [201, 412]
    winner = b"1111" if replies[0].status == 201 else b"2222"
    assert (inbox.folder / "f").read_bytes() == winner


async def test_of_two_writers_the_last_to_finish_stays(inbox: Inbox) -> None:
    async with await inbox.connect() as slow:
        await slow.send(sending("/f", 4) + b"sl")
        await until(lambda: list(inbox.uploads.store))
        assert (await inbox.ask("PUT", "/f", body=b"fast")).status == 201
        assert (inbox.folder / "f").read_bytes() == b"fast"
        await slow.send(b"ow")
        assert (await slow.reply()).status == 204
    assert (inbox.folder / "f").read_bytes() == b"slow"


# Digests.


@pytest.mark.parametrize("field", ["Content-Digest", "Repr-Digest"])
async def test_digests_are_verified(inbox: Inbox, field: str) -> None:
    assert (await inbox.ask("PUT", "/f", f"{field}: {digest(BODY)}", body=BODY)).status == 201
    reply = await inbox.ask("PUT", "/g", f"{field}: {digest(b'other')}", body=BODY)
    assert reply.status == 400
    assert inbox.names == ["f"]
    assert inbox.waiting == []


@pytest.mark.parametrize("value", ["sha-256=xyz", "sha-256", "!!", "sha-256=:AAAA"])
async def test_a_digest_that_is_none_is_refused(inbox: Inbox, value: str) -> None:
    assert (await inbox.ask("PUT", "/f", f"Content-Digest: {value}", body=b"")).status == 400
    assert inbox.names == []


@pytest.mark.parametrize("field", ["Content-Digest", "Repr-Digest"])
@pytest.mark.parametrize("whole", [(), ("Upload-Complete: ?1",)], ids=["plain", "resumable"])
async def test_an_unknown_algorithm_is_passed_over(
    inbox: Inbox, field: str, whole: tuple[str, ...]
) -> None:
    reply = await inbox.ask("PUT", "/f", f"{field}: other=:AAAA:", *whole, body=b"x")
    assert (reply.status, reply["repr-digest"]) == (201, None)


# What may not be.


async def test_nothing_may_be_changed_unless_it_was_allowed(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions())
    (inbox.folder / "f").write_bytes(b"here")
    for method in ("PUT", "DELETE", "POST", "PATCH"):
        assert (await inbox.ask(method, "/f", body=b"x")).status == 405
    assert (inbox.folder / "f").read_bytes() == b"here"


async def test_each_permission_is_apart(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions(upload=True))
    assert (await inbox.ask("PUT", "/f", body=b"x")).status == 201
    refused = await inbox.ask("PUT", "/f", body=b"y")
    assert refused.status == 403
    assert b"may not be replaced" in refused.body
    assert (await inbox.ask("DELETE", "/f")).status == 405


async def test_replacing_does_not_allow_making(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions(overwrite=True))
    (inbox.folder / "f").write_bytes(b"old")
    assert (await inbox.ask("PUT", "/f", body=b"new")).status == 204
    assert (await inbox.ask("PUT", "/g", body=b"new")).status == 403


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("Content-Range: bytes 0-0/2",), 400),
        (("Content-Encoding: gzip",), 415),
        (("Origin: http://elsewhere.example",), 403),
        (("Origin: null",), 403),
        (("Sec-Fetch-Site: cross-site",), 403),
        (("Origin: http://a",), 201),
        (("Sec-Fetch-Site: same-origin",), 201),
    ],
)
async def test_who_and_what_is_taken(inbox: Inbox, lines: tuple[str, ...], status: int) -> None:
    assert (await inbox.ask("PUT", "/f", *lines, body=b"x")).status == status


async def test_an_origin_may_be_let_in(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(cors="http://friend.example")
    friend, other = "Origin: http://friend.example", "Origin: http://other.example"
    assert (await inbox.ask("PUT", "/f", friend, body=b"x")).status == 201
    assert (await inbox.ask("PUT", "/g", other, body=b"x")).status == 403


# DELETE.


async def test_files_and_empty_folders_are_deleted(inbox: Inbox) -> None:
    await inbox.ask("PUT", "/a/f", body=b"x")
    assert (await inbox.ask("DELETE", "/a/")).status == 409
    assert (await inbox.ask("DELETE", "/a/f", 'If-Match: "other"')).status == 412
    assert (await inbox.ask("DELETE", "/a/f")).status == 204
    assert (await inbox.ask("DELETE", "/a/f")).status == 404
    assert (await inbox.ask("DELETE", "/a/")).status == 204
    assert (await inbox.ask("DELETE", "/")).status == 404
    assert inbox.names == []


# The hook.


async def test_a_hook_is_told_before_the_client(open_inbox: OpenInbox) -> None:
    told: list[tuple[tuple[str, ...], bytes]] = []

    async def hook(upload: Upload) -> None:
        path = inbox.folder.joinpath(*upload.record.target)
        told.append((upload.record.target, path.read_bytes()))

    inbox = await open_inbox(on_complete=hook)
    await inbox.ask("PUT", "/a/f", body=b"x")
    assert told == [(("a", "f"), b"x")]


# What a client must not get by uploading.


async def test_the_rights_of_a_replaced_program_are_not_passed_on(inbox: Inbox) -> None:
    (inbox.folder / "tool").write_bytes(b"old")
    (inbox.folder / "tool").chmod(0o6755)
    assert (await inbox.ask("PUT", "/tool", body=b"new")).status == 204
    assert (inbox.folder / "tool").stat().st_mode & 0o7777 == 0o755


async def test_a_path_that_is_too_deep_makes_no_folders(inbox: Inbox) -> None:
    assert (await inbox.ask("PUT", "/" + "a/" * 3000 + "f", body=b"x")).status == 400
    assert inbox.names == []


async def test_a_file_in_the_way_is_told_before_the_body_is_asked_for(inbox: Inbox) -> None:
    (inbox.folder / "file").write_bytes(b"")
    async with await inbox.connect() as client:
        await client.send(sending("/file/below/x", 1000, "Expect: 100-continue"))
        reply = await client.reply()
    assert (reply.status, reply.interim) == (409, [])


async def test_a_file_is_not_deleted_as_a_folder(inbox: Inbox) -> None:
    await inbox.ask("PUT", "/f", body=b"x")
    assert (await inbox.ask("DELETE", "/f/")).status == 404
    assert inbox.names == ["f"]
