"""A file can be read while it is being uploaded."""

import pytest
from tests.apps.uploads import tus_requests as tus
from tests.apps.uploads.inboxes import Inbox, sending
from tests.server.client import Client, request, until


async def reading(client: Client, path: str, *lines: str) -> int:
    await client.send(request(path, "GET", *lines))
    return (await client._head()).status


async def test_a_reader_gets_what_is_there_and_what_comes(inbox: Inbox) -> None:
    async with await inbox.connect() as writer, await inbox.connect() as reader:
        await writer.send(sending("/f.txt", 6) + b"abc")
        await inbox.only_upload(offset=3)
        assert await reading(reader, "/f.txt") == 200
        assert await reader.reader.readexactly(8) == b"3\r\nabc\r\n"
        await writer.send(b"def")
        assert (await writer.reply()).status == 201
        assert await reader.reader.readexactly(13) == b"3\r\ndef\r\n0\r\n\r\n"


async def test_a_reader_is_cut_when_the_upload_fails(inbox: Inbox) -> None:
    async with await inbox.connect() as reader:
        async with await inbox.connect() as writer:
            await writer.send(sending("/f.txt", 6) + b"abc")
            await inbox.only_upload(offset=3)
            assert await reading(reader, "/f.txt") == 200
        assert await reader.is_cut()
    await until(lambda: not inbox.waiting)
    assert inbox.names == []
    assert (await inbox.ask("GET", "/f.txt")).status == 404


async def test_an_older_version_stays_in_sight(inbox: Inbox) -> None:
    (inbox.folder / "f").write_bytes(b"old")
    async with await inbox.connect() as writer:
        await writer.send(sending("/f", 6) + b"abc")
        await inbox.only_upload(offset=3)
        assert (await inbox.ask("GET", "/f")).body == b"old"


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "body"),
    [
        ("bytes=1-2", 206, "bytes 1-2/6", b"bc"),
        ("bytes=1-", 206, "bytes 1-2/6", b"bc"),
        ("bytes=0-100", 206, "bytes 0-2/6", b"abc"),
        ("bytes=3-", 416, "bytes */6", None),
    ],
)
async def test_a_range_gets_what_is_there_of_it(
    inbox: Inbox, asked: str, status: int, content_range: str, body: bytes | None
) -> None:
    async with await inbox.connect() as writer:
        await writer.send(sending("/f", 6) + b"abc")
        await inbox.only_upload(offset=3)
        reply = await inbox.ask("GET", "/f", f"Range: {asked}")
        assert (reply.status, reply["content-range"]) == (status, content_range)
        if body is not None:
            assert reply.body == body


async def test_uploads_are_listed(inbox: Inbox) -> None:
    assert (await inbox.ask("GET", "/~/uploads/")).body == b"[]\n"
    async with await inbox.connect() as writer:
        await writer.send(sending("/a%20b", 6) + b"abc")
        upload = await inbox.only_upload(offset=3)
        reply = await inbox.ask("GET", f"/~/uploads/{upload.id}")
    assert b'"offset":3,"durable":0,"length":6' in reply.body
    assert b'"target":"/a%20b"' in reply.body
    assert b'"dialect":"put"' in reply.body


async def test_a_name_with_a_tilde_is_a_name(inbox: Inbox) -> None:
    async with await inbox.connect() as writer:
        await writer.send(sending("/notes~", 6) + b"abc")
        await inbox.only_upload(offset=3)
        assert (await inbox.ask("GET", "/notes~", "Range: bytes=0-1")).body == b"ab"


async def test_an_upload_of_which_nothing_is_there_yet_can_be_followed(inbox: Inbox) -> None:
    location = await tus.create(inbox, 3, "f.txt")
    async with await inbox.connect() as reader:
        assert await reading(reader, "/f.txt") == 200
        assert (await tus.patch(inbox, location, 0, b"abc")).status == 204
        assert await reader.reader.readexactly(13) == b"3\r\nabc\r\n0\r\n\r\n"
