"""tus 1.0.0: the core protocol, and what it means for the folder."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.apps.uploads.conftest import OpenInbox
from tests.apps.uploads.inboxes import Inbox, sending
from tests.apps.uploads.tus_requests import (
    ENDPOINT,
    OFFSET_STREAM,
    RESUMABLE,
    appending,
    create,
    head,
    metadata,
    patch,
    post,
)
from tests.server.client import until

from riverrun.apps.uploads import Permissions, Upload
from riverrun.apps.uploads.placing import Placed, place
from riverrun.flows import Flow, Shape
from riverrun.server.options import Options

BODY = os.urandom(300_000)


# Core, OPTIONS and what every request has.


@pytest.mark.parametrize("path", [ENDPOINT, "/~/tus", ENDPOINT + "0" * 32])
async def test_options_must_tell_the_versions(inbox: Inbox, path: str) -> None:
    reply = await inbox.ask("OPTIONS", path)
    assert (reply.status, reply["tus-version"], reply["tus-resumable"]) == (204, "1.0.0", "1.0.0")
    assert reply["tus-extension"] == (
        "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,"
        "concatenation"
    )
    assert reply["tus-max-size"] is None


async def test_options_must_ignore_the_version_of_the_client(inbox: Inbox) -> None:
    assert (await inbox.ask("OPTIONS", ENDPOINT, "Tus-Resumable: 9.9")).status == 204


async def test_a_known_limit_is_told(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(limits={"size": 1000})
    assert (await inbox.ask("OPTIONS", ENDPOINT))["tus-max-size"] == "1000"


@pytest.mark.parametrize("lines", [(), ("Tus-Resumable: 0.2.2",), ("Tus-Resumable: 1.0.0, 1",)])
async def test_another_version_must_be_answered_with_412_and_not_processed(
    inbox: Inbox, lines: tuple[str, ...]
) -> None:
    reply = await inbox.ask("POST", ENDPOINT, *lines, "Upload-Length: 5", body=b"")
    assert (reply.status, reply["tus-version"]) == (412, "1.0.0")
    assert list(inbox.uploads.store) == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", ENDPOINT + "0" * 32, 404),
        ("PATCH", ENDPOINT + "0" * 32, 404),
        ("DELETE", ENDPOINT + "0" * 32, 404),
        ("HEAD", ENDPOINT + "a/b", 404),
        ("GET", ENDPOINT, 405),
        ("PATCH", ENDPOINT, 405),
        ("POST", ENDPOINT, 400),
        ("POST", ENDPOINT + "0" * 32, 405),
    ],
)
async def test_every_response_must_have_the_version(
    inbox: Inbox, method: str, path: str, status: int
) -> None:
    reply = await inbox.ask(method, path, RESUMABLE)
    assert (reply.status, reply["tus-resumable"]) == (status, "1.0.0")
    assert reply["upload-offset"] is None
    assert reply["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
async def test_a_method_override_must_be_the_method(inbox: Inbox, method: str) -> None:
    address = await create(inbox, 5)
    lines = appending(0, "X-HTTP-Method-Override: PATCH", "X-Requested-With: XMLHttpRequest")
    reply = await inbox.ask(method, address, *lines, body=b"hello")
    assert (reply.status, reply["upload-offset"]) == (204, "5")
    assert (inbox.folder / "file").read_bytes() == b"hello"


async def test_an_override_does_not_get_round_the_check_of_origins(inbox: Inbox) -> None:
    address = await create(inbox, 5)
    lines = ("X-HTTP-Method-Override: DELETE", "Origin: http://elsewhere.example")
    assert (await inbox.ask("GET", address, RESUMABLE, *lines)).status == 403
    assert (await head(inbox, address)).status == 200


# Core, HEAD.


async def test_head_must_tell_the_offset_even_if_it_is_0(inbox: Inbox) -> None:
    reply = await head(inbox, await create(inbox, 10))
    assert (reply.status, reply["upload-offset"], reply["upload-length"]) == (200, "0", "10")


async def test_head_must_tell_the_offset_of_a_complete_upload(inbox: Inbox) -> None:
    address = await create(inbox, 5)
    await patch(inbox, address, 0, b"hello")
    reply = await head(inbox, address)
    assert (reply["upload-offset"], reply["upload-length"]) == ("5", "5")


async def test_head_must_not_be_cached(inbox: Inbox) -> None:
    assert (await head(inbox, await create(inbox, 10)))["cache-control"] == "no-store"


async def test_an_upload_of_another_dialect_is_not_one_of_tus(inbox: Inbox) -> None:
    async with await inbox.connect() as client:
        await client.send(sending("/other", 10))
        upload = await inbox.only_upload()
        assert (await head(inbox, ENDPOINT + upload.id)).status == 404


# Core, PATCH.


async def test_patch_must_be_acknowledged_with_the_new_offset(inbox: Inbox) -> None:
    address = await create(inbox, len(BODY))
    reply = await patch(inbox, address, 0, BODY[:1000])
    assert (reply.status, reply["upload-offset"]) == (204, "1000")
    reply = await patch(inbox, address, 1000, BODY[1000:])
    assert (reply.status, reply["upload-offset"]) == (204, str(len(BODY)))
    assert (inbox.folder / "file").read_bytes() == BODY
    assert inbox.waiting == []


@pytest.mark.parametrize("offset", [0, 4, 6, 10, 11])
async def test_another_offset_must_be_answered_with_409_and_change_nothing(
    inbox: Inbox, offset: int
) -> None:
    address = await create(inbox, 10)
    await patch(inbox, address, 0, b"hello")
    assert (await patch(inbox, address, offset, b"12345")).status == 409
    assert (await head(inbox, address))["upload-offset"] == "5"


@pytest.mark.parametrize("value", ["-1", "+1", "1.0", "0x1", "", "1, 1", "9" * 30])
async def test_an_offset_must_be_a_number(inbox: Inbox, value: str) -> None:
    address = await create(inbox, 10)
    lines = (RESUMABLE, OFFSET_STREAM, f"Upload-Offset: {value}")
    assert (await inbox.ask("PATCH", address, *lines, body=b"x")).status == 400


async def test_a_patch_without_an_offset_is_refused(inbox: Inbox) -> None:
    address = await create(inbox, 10)
    assert (await inbox.ask("PATCH", address, RESUMABLE, OFFSET_STREAM, body=b"x")).status == 400


@pytest.mark.parametrize(
    "lines",
    [(), ("Content-Type: application/octet-stream",), (OFFSET_STREAM, "Content-Encoding: br")],
)
async def test_another_content_type_is_answered_with_415(
    inbox: Inbox, lines: tuple[str, ...]
) -> None:
    address = await create(inbox, 10)
    reply = await inbox.ask("PATCH", address, RESUMABLE, "Upload-Offset: 0", *lines, body=b"x")
    assert reply.status == 415
    assert (await head(inbox, address))["upload-offset"] == "0"


async def test_a_type_in_other_letters_is_the_same(inbox: Inbox) -> None:
    address = await create(inbox, 5)
    lines = (RESUMABLE, "Upload-Offset: 0", "Content-Type: Application/Offset+Octet-Stream; a=b")
    assert (await inbox.ask("PATCH", address, *lines, body=b"hello")).status == 204


async def test_more_than_the_length_is_refused_before_it_is_asked_for(inbox: Inbox) -> None:
    address = await create(inbox, 10)
    async with await inbox.connect() as client:
        lines = appending(0, "Expect: 100-continue")
        await client.send(sending(address, 11, *lines, method="PATCH"))
        reply = await client.reply()
    assert (reply.status, reply.interim) == (413, [])


async def test_more_than_the_length_is_refused_when_it_comes(inbox: Inbox) -> None:
    address = await create(inbox, 3)
    async with await inbox.connect() as client:
        head_lines = "\r\n".join(("Host: a", "Transfer-Encoding: chunked", *appending(0)))
        await client.send(f"PATCH {address} HTTP/1.1\r\n{head_lines}\r\n\r\n".encode())
        await client.send(b"5\r\nhello\r\n0\r\n\r\n")
        assert (await client.reply()).status == 413
    assert inbox.names == []


async def test_what_came_before_a_cut_is_kept(inbox: Inbox) -> None:
    address = await create(inbox, len(BODY))
    async with await inbox.connect() as client:
        await client.send(sending(address, len(BODY), *appending(0), method="PATCH") + BODY[:1234])
        await inbox.only_upload(offset=1234)
    assert (await head(inbox, address))["upload-offset"] == "1234"
    assert (await patch(inbox, address, 1234, BODY[1234:])).status == 204
    assert (inbox.folder / "file").read_bytes() == BODY


async def test_a_newer_request_ends_a_stale_one(inbox: Inbox) -> None:
    address = await create(inbox, len(BODY))
    async with await inbox.connect() as stale:
        await stale.send(sending(address, len(BODY), *appending(0), method="PATCH") + BODY[:1234])
        await inbox.only_upload(offset=1234)
        assert (await head(inbox, address))["upload-offset"] == "1234"
        assert (await stale.reply()).status == 409
    assert (await patch(inbox, address, 1234, BODY[1234:])).status == 204


async def test_what_head_tells_is_durable(
    open_inbox: OpenInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that a process left in the page cache when it was killed, say."""
    inbox = await open_inbox()
    address = await create(inbox, 10)
    await patch(inbox, address, 0, b"hello")
    (upload,) = inbox.uploads.store
    upload.durable = 0
    synced: list[int] = []
    fdatasync = os.fdatasync

    def sync(file: int) -> None:
        synced.append(file)
        fdatasync(file)

    monkeypatch.setattr(os, "fdatasync", sync)
    assert (await head(inbox, address))["upload-offset"] == "5"
    assert synced


@pytest.mark.parametrize("offset", [0, 5])
async def test_an_empty_patch_changes_nothing(inbox: Inbox, offset: int) -> None:
    """tuspy sends one when the answer to its last was lost."""
    address = await create(inbox, 5)
    if offset:
        await patch(inbox, address, 0, b"hello")
    reply = await patch(inbox, address, offset, b"")
    assert (reply.status, reply["upload-offset"]) == (204, str(offset))


async def test_a_complete_upload_takes_no_more(inbox: Inbox) -> None:
    address = await create(inbox, 5)
    await patch(inbox, address, 0, b"hello")
    assert (await patch(inbox, address, 5, b"!")).status == 413
    assert (await patch(inbox, address, 0, b"other")).status == 409
    assert (inbox.folder / "file").read_bytes() == b"hello"


async def test_a_file_that_was_not_put_under_its_name_is_by_head(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ended behind the last byte, say; the client will not come with another."""
    address = await create(inbox, 5)
    with monkeypatch.context() as patched:
        patched.setattr(Upload, "finish", _fail)
        assert (await patch(inbox, address, 0, b"hello")).status == 503
    assert inbox.names == []
    reply = await head(inbox, address)
    assert (reply["upload-offset"], reply["upload-length"]) == ("5", "5")
    assert (inbox.folder / "file").read_bytes() == b"hello"


async def _fail(upload: Upload) -> None:
    from riverrun.errors import HTTPError

    raise HTTPError(503)


async def test_a_client_that_leaves_at_the_end_leaves_a_whole_file(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is not half way to its name, whenever the connection breaks."""
    placing, go_on = threading.Event(), threading.Event()

    def slowly(*arguments: Any) -> Placed:
        placing.set()
        assert go_on.wait(5)
        return place(*arguments)

    monkeypatch.setattr("riverrun.apps.uploads.store.place", slowly)
    address = await create(inbox, 5)
    async with await inbox.connect() as client:
        await client.send(sending(address, 5, *appending(0), method="PATCH") + b"hello")
        await until(placing.is_set)
    await until(lambda: not inbox.server.connections)
    go_on.set()
    assert (await head(inbox, address))["upload-offset"] == "5"
    assert (inbox.folder / "file").read_bytes() == b"hello"
    assert inbox.waiting == []


# Permissions, and reading what comes.


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PATCH", "DELETE"])
async def test_nothing_works_unless_it_was_allowed(open_inbox: OpenInbox, method: str) -> None:
    inbox = await open_inbox(permissions=Permissions(delete=True))
    reply = await inbox.ask(method, ENDPOINT, RESUMABLE, "Upload-Length: 5")
    assert reply.status == 403
    assert method == "HEAD" or b"Nothing may be uploaded here" in reply.body


async def test_a_file_can_be_read_while_it_comes(inbox: Inbox) -> None:
    address = await create(inbox, 10, "film.mp4")
    await patch(inbox, address, 0, b"hello")
    async with await inbox.connect() as reader:
        await reader.send(b"GET /film.mp4 HTTP/1.1\r\nHost: a\r\n\r\n")
        replying = asyncio.ensure_future(reader.reply())
        await until(lambda: inbox.server.connections)
        await patch(inbox, address, 5, b"world")
        assert (await replying).body == b"helloworld"


async def test_a_transfer_is_called_as_the_file_that_it_becomes(inbox: Inbox) -> None:
    address = await create(inbox, len(BODY), "film.mp4")
    async with await inbox.connect() as client:
        lines = appending(0)
        await client.send(sending(address, len(BODY), *lines, method="PATCH") + BODY[:1234])
        await until(lambda: [flow.name for flow in inbox.server.flows] == ["film.mp4"])


async def test_a_transfer_that_goes_on_tells_where_it_began_and_the_whole(inbox: Inbox) -> None:
    address = await create(inbox, len(BODY), "film.mp4")
    await patch(inbox, address, 0, BODY[:100])
    async with await inbox.connect() as client:
        lines = appending(100)
        await client.send(sending(address, len(BODY) - 100, *lines, method="PATCH") + BODY[100:999])
        await until(lambda: [flow.part for flow in inbox.server.flows] == [(100, len(BODY))])


@pytest.mark.parametrize("default", [None, 1e6])
@pytest.mark.parametrize("asked", [1e8, None])
async def test_the_next_piece_goes_at_the_rate_that_was_asked_for(
    open_inbox: OpenInbox, default: float | None, asked: float | None
) -> None:
    options = Options(shape=Shape.with_rate(None, default))
    inbox = await open_inbox(server={"options": options})
    address = await create(inbox, 300, "film.mp4")

    async def send_piece(offset: int, rate: Callable[[Flow], None]) -> None:
        async with await inbox.connect() as client:
            head = sending(address, 100, *appending(offset), method="PATCH")
            await client.send(head + BODY[offset : offset + 50])
            await until(lambda: [flow.moved for flow in inbox.server.flows] == [50])
            (flow,) = inbox.server.flows
            rate(flow)
            await client.send(BODY[offset + 50 : offset + 100])
            assert (await client.reply()).status == 204

    def is_asked(flow: Flow) -> None:
        assert flow.rate == asked

    def ask(flow: Flow) -> None:
        assert flow.rate == default
        flow.rate = asked

    await send_piece(0, ask)
    await send_piece(100, is_asked)
    await send_piece(200, is_asked)


async def test_a_limit_for_all_is_not_kept_for_an_upload(inbox: Inbox) -> None:
    address = await create(inbox, 200, "film.mp4")
    flows = inbox.server.flows
    for offset in (0, 100):
        async with await inbox.connect() as client:
            head = sending(address, 100, *appending(offset), method="PATCH")
            await client.send(head + BODY[offset : offset + 50])
            await until(lambda: [flow.moved for flow in flows] == [50])
            assert [flow.rate for flow in flows] == [None]
            flows.rate = 1e8
            assert [flow.rate for flow in flows] == [1e8]
            await client.send(BODY[offset + 50 : offset + 100])
            assert (await client.reply()).status == 204
        flows.rate = None


async def test_replacing_alone_is_enough_to_replace(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions(overwrite=True))
    (inbox.folder / "f").write_bytes(b"old")
    location = await create(inbox, 3, "f")
    assert (await patch(inbox, location, 0, b"new")).status == 204
    assert (inbox.folder / "f").read_bytes() == b"new"
    other = await post(inbox, "Upload-Length: 3", metadata(filename="g"), body=b"")
    assert other.status == 403
