"""``?follow``: the file, then whatever is appended to it, until the client leaves."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.apps.files.sending.steering import MIB, SteeredSite, noise
from tests.apps.files.sites import Site, leaving_no_descriptors, owed, taken
from tests.conftest import Serve
from tests.server.client import Client, request, until

from riverrun.flows import Waiting
from riverrun.http.limits import Limits


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


class Follower:
    """Takes a followed file, chunk by chunk as HTTP frames it."""

    def __init__(self, client: Client) -> None:
        self.reader = client.reader
        self.body = b""
        self.ended = False

    async def until(self, expected: bytes) -> None:
        """Take chunks until they add up to `expected`."""
        async with asyncio.timeout(10):
            while len(self.body) < len(expected):
                await self.chunk()
        assert self.body == expected

    async def chunk(self) -> None:
        size = int(await self.reader.readline(), 16)
        self.body += await self.reader.readexactly(size)
        assert await self.reader.readexactly(2) == b"\r\n"
        self.ended = size == 0


@pytest.mark.parametrize(
    "begin", [b"", b"first\n", noise(3 * MIB)], ids=["empty", "small", "large"]
)
@pytest.mark.parametrize("name", ["a.log", "a.mp4"])
async def test_what_is_appended_is_sent_as_it_is_appended(
    site: Site, begin: bytes, name: str
) -> None:
    path = site.add(name, begin)
    async with site.asking(f"/{name}?follow") as (client, reply):
        assert reply.status == 200
        assert reply["transfer-encoding"] == "chunked"
        assert reply["content-length"] is None
        follower = Follower(client)
        expected = begin
        await follower.until(expected)
        for piece in (b"one\n", b"two\n", b"\0" * 100_000, b"three\n"):
            append(path, piece)
            expected += piece
            await follower.until(expected)


async def test_its_fields_say_what_it_is(site: Site) -> None:
    site.add("a.log", b"text")
    plain = await site.get("/a.log")
    async with site.asking("/a.log?follow") as (_, reply):
        assert reply["content-type"] == plain["content-type"]
        assert reply["x-content-type-options"] == "nosniff"
        assert reply["cache-control"] == "no-store"
        assert reply["etag"] is None  # it has no one state to be named


async def test_head_says_what_get_would(site: Site) -> None:
    """No length above all: RFC 9110, 8.6, forbids one that is not that of GET."""
    site.add("a.log", b"text")
    names = ("content-type", "content-length", "cache-control", "etag", "accept-ranges")
    async with site.asking("/a.log?follow") as (_, get):
        head = await site.get("/a.log?follow", method="HEAD")
    assert head.status == 200
    assert owed(head, names) == owed(get, names)


async def test_a_client_of_http_1_0_follows_until_the_close(site: Site) -> None:
    path = site.add("a.log", b"one\n")
    async with await Client.connect(site.server) as client:
        await client.send(b"GET /a.log?follow HTTP/1.0\r\n\r\n")
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert b"content-length" not in head
        assert b"transfer-encoding" not in head
        assert await client.reader.readexactly(4) == b"one\n"
        append(path, b"two\n")
        assert await client.reader.readexactly(4) == b"two\n"
        path.unlink()
        assert await client.ends() == b""


async def test_it_ends_when_the_file_is_removed(site: Site) -> None:
    path = site.add("a.log", b"one\n")
    async with site.asking("/a.log?follow") as (client, _):
        follower = Follower(client)
        await follower.until(b"one\n")
        append(path, b"two\n")
        path.unlink()
        while not follower.ended:
            async with asyncio.timeout(5):
                await follower.chunk()
        assert follower.body == b"one\ntwo\n"
        await client.send(request("/missing"))  # the connection is as good as before
        assert (await client.reply()).status == 404


@pytest.mark.parametrize("size", [0, 3])
async def test_it_is_cut_when_the_file_shrinks(site: Site, size: int) -> None:
    path = site.add("a.log", b"one\ntwo\n")
    await site.get("/missing")
    async with leaving_no_descriptors(), site.asking("/a.log?follow") as (client, _):
        await Follower(client).until(b"one\ntwo\n")
        os.truncate(path, size)
        assert not (await taken(client)).endswith(b"0\r\n\r\n")


async def test_a_file_that_is_rotated_is_followed_under_its_new_name(site: Site) -> None:
    path = site.add("a.log", b"one\n")
    async with site.asking("/a.log?follow") as (client, _):
        follower = Follower(client)
        await follower.until(b"one\n")
        moved = path.rename(path.with_name("a.log.1"))
        site.add("a.log", b"another\n")
        append(moved, b"two\n")
        await follower.until(b"one\ntwo\n")


async def test_a_client_that_leaves_closes_the_file(site: Site) -> None:
    path = site.add("a.log", b"one\n")
    await site.get("/missing")
    for begin in (True, False):
        async with leaving_no_descriptors():
            async with site.asking("/a.log?follow") as (client, _):
                if begin:
                    await Follower(client).until(path.read_bytes())
            append(path, b"more\n")


async def test_many_follow_one_file(site: Site) -> None:
    path = site.add("a.log", b"begin\n")
    clients = [await Client.connect(site.server) for _ in range(20)]
    followers = [Follower(client) for client in clients]
    for client in clients:
        await client.send(request("/a.log?follow"))
        await client._head()
    expected = b"begin\n"
    for number in range(5):
        append(path, b"%d\n" % number)
        expected += b"%d\n" % number
        await asyncio.gather(*(follower.until(expected) for follower in followers))
    for client in clients:
        await client.__aexit__()


async def test_a_slow_follower_sets_its_own_pace(steered: SteeredSite) -> None:
    content = noise(12 * MIB)
    path = steered.add("a.log", content)
    async with steered.transfer("/a.log?follow", receive_buffer=4096) as transfer:
        await until(lambda: transfer.flow.waiting is Waiting.PEER)
        append(path, b"end")
        assert transfer.flow.moved < len(content)
        await Follower(transfer.client).until(content + b"end")


async def test_a_follower_can_be_paused(steered: SteeredSite) -> None:
    path = steered.add("a.log", b"one\n")
    async with steered.transfer("/a.log?follow") as transfer:
        follower = Follower(transfer.client)
        await follower.until(b"one\n")
        transfer.flow.pause()
        append(path, b"two\n")
        await until(lambda: transfer.flow.waiting is Waiting.PAUSED)
        assert transfer.flow.moved == 4
        transfer.flow.resume()
        await follower.until(b"one\ntwo\n")


async def test_a_file_at_rest_is_not_a_stall(
    site: Site, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riverrun.server.stalls.StallWatch.stalled", _stalls_at_once)
    limits = Limits(stall_timeout=0.001, keep_alive_timeout=0.001)
    server = await serve(site.files, limits=limits)
    impatient = Site(site.folder, site.files, server)
    path = site.add("a.log", b"one\n")
    async with impatient.asking("/a.log?follow") as (client, _):
        follower = Follower(client)
        await follower.until(b"one\n")
        for connection in list(server.connections):
            connection.check(server.clock.now + 1000)
        append(path, b"two\n")
        await follower.until(b"one\ntwo\n")


def _stalls_at_once(*_: object) -> bool:
    return True


async def test_who_follows_and_saves_gets_a_name(site: Site) -> None:
    site.add("a.log", b"one\n")
    async with site.asking("/a.log?follow&download") as (client, reply):
        assert (reply["content-disposition"] or "").startswith("attachment")
        await Follower(client).until(b"one\n")


async def test_a_folder_is_not_followed(site: Site) -> None:
    (site.folder / "sub").mkdir()
    reply = await site.get("/sub/?follow")
    assert reply.status in (200, 400)


@pytest.mark.parametrize(
    ("start", "expected"),
    [("0", b"0123456789"), ("4", b"456789"), ("10", b""), ("99", b""), ("-3", b"789"),
     ("-99", b"0123456789")],
)  # fmt: skip
async def test_a_file_is_followed_from_where_it_is_asked(
    site: Site, start: str, expected: bytes
) -> None:
    path = site.add("a.log", b"0123456789")
    async with site.asking(f"/a.log?follow={start}") as (client, _):
        follower = Follower(client)
        await follower.until(expected)
        append(path, b"more")
        await follower.until(expected + b"more")


@pytest.mark.parametrize("start", ["x", "1.5", "--1", "+1", "1" * 19, "%D9%A1"])
async def test_what_is_no_number_of_bytes_is_refused(site: Site, start: str) -> None:
    site.add("a.log", b"0123456789")
    assert (await site.get(f"/a.log?follow={start}")).status == 400
