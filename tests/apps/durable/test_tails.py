"""Following streams as events: what all readers at the tail are sent, and who goes alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Serve
from tests.http.event_streams import EventStream
from tests.server.client import Client, request, until

import riverrun
from riverrun.apps.durable.cursors import current_cursor
from riverrun.apps.durable.settings import StreamSettings
from riverrun.http.limits import Limits
from riverrun.server import Server

BEGINNING = "-1"
SMALL = 4096


class Service:
    """Streams that are served, and one of them."""

    def __init__(self, streams: riverrun.Streams, server: Server) -> None:
        self.streams = streams
        self.server = server

    async def ask(self, method: str, *lines: str, body: bytes | None = None) -> int:
        async with await Client.connect(self.server) as client:
            return (await client.ask("/v1/stream/s", method, *lines, body=body)).status

    async def append(self, data: bytes, kind: str = "text/plain") -> None:
        assert await self.ask("POST", f"Content-Type: {kind}", body=data) == 204

    async def close(self) -> None:
        assert await self.ask("POST", "Stream-Closed: true", body=b"") == 204

    async def follow(
        self, offset: str = BEGINNING, more: str = "", receive_buffer: int | None = None
    ) -> Client:
        client = await Client.connect(
            self.server, receive_buffer=receive_buffer, limit=receive_buffer or 1 << 16
        )
        await client.send(request(f"/v1/stream/s?offset={offset}&live=sse{more}"))
        return client

    @property
    def following(self) -> int:
        """How many are sent what all are sent."""
        return sum(tail.broadcast.readers for tail in self.streams._tails._tails.values())

    async def until_following(self, count: int) -> None:
        await until(lambda: self.following == count)


@pytest.fixture
async def service(serve: Serve, tmp_path: Path) -> AsyncIterator[Service]:
    settings = StreamSettings(heartbeat=3600.0)
    streams = riverrun.Streams(riverrun.open_logs(tmp_path / "logs"), settings=settings)
    server = await serve(streams, limits=Limits(response_high_water_mark=SMALL))
    yield Service(streams, server)
    await server.stop(0)
    streams.close()


async def told(client: Client) -> tuple[str, list[dict[str, Any]]]:
    """The data of a stream of text, and what its control events said; to the end."""
    async with client:
        events = EventStream.parse((await client.reply()).body).events
    data = "".join(event.data for event in events if event.type == "data")
    controls = [json.loads(event.data) for event in events if event.type == "control"]
    return data, controls


async def create(service: Service, kind: str = "text/plain") -> None:
    assert await service.ask("PUT", f"Content-Type: {kind}", body=b"") == 201


async def test_all_at_the_tail_are_sent_the_same(service: Service) -> None:
    await create(service)
    clients = [await service.follow() for _ in range(3)]
    await service.until_following(3)
    for word in ("one ", "two ", "three"):
        await service.append(word.encode())
    assert service.following == 3  # nobody had to go alone
    await service.close()
    answers = [await told(client) for client in clients]
    assert answers[0] == answers[1] == answers[2]
    data, controls = answers[0]
    assert data == "one two three"
    tokens = [control["streamNextOffset"][-2:] for control in controls]
    assert tokens == ["00", "04", "08", "13", "13"]
    assert controls[-1]["streamClosed"]
    assert all(control["upToDate"] for control in controls[:-1])


async def test_who_comes_late_or_again_misses_and_repeats_nothing(service: Service) -> None:
    await create(service)
    await service.append(b"one ")
    from_the_start = await service.follow()
    from_the_middle = await service.follow("0000000000000000_0000000000000002")
    await service.until_following(2)
    await service.append(b"two ")
    await service.close()
    assert (await told(from_the_start))[0] == "one two "
    assert (await told(from_the_middle))[0] == "e two "


async def test_messages_of_one_commit_come_as_one_array(service: Service) -> None:
    await create(service, "application/json")
    client = await service.follow()
    await service.until_following(1)
    log = await service.streams.store.find("s")
    await asyncio.gather(*(log.append(b"%d,\n" % number) for number in range(20)))
    await service.close()
    async with client:
        events = EventStream.parse((await client.reply()).body).events
    arrays = [json.loads(event.data) for event in events if event.type == "data"]
    assert sorted(number for array in arrays for number in array) == list(range(20))
    assert len(arrays) < 20


async def test_a_character_that_comes_in_two_pieces_is_shown_whole(service: Service) -> None:
    await create(service)
    client = await service.follow()
    await service.until_following(1)
    wave = "🌊".encode()
    await service.append(b"a " + wave[:3])
    await service.until_following(0)  # it waits alone for the rest
    await service.append(wave[3:])
    await service.until_following(1)
    await service.append(b" b")
    await service.close()
    assert (await told(client))[0] == "a 🌊 b"


async def test_who_has_to_be_told_a_later_cursor_takes_all_along(service: Service) -> None:
    await create(service)
    later = current_cursor() + 1000
    beside = await service.follow()
    ahead = await service.follow(more=f"&cursor={later}")
    await service.until_following(2)
    await service.append(b"word")
    await service.close()
    for client, before in ((beside, [False]), (ahead, [True])):
        data, controls = await told(client)
        assert data == "word"
        cursors = [int(control["streamCursor"]) for control in controls[:-1]]
        assert [cursor > later for cursor in cursors] == [*before, True]
        assert cursors == sorted(cursors)


async def test_one_that_stalls_goes_over_to_what_is_stored(service: Service) -> None:
    await create(service)
    quick = await service.follow()
    slow = await service.follow(receive_buffer=SMALL)
    slow.stop_reading()
    await service.until_following(2)
    reading = asyncio.ensure_future(told(quick))
    log = await service.streams.store.find("s")
    size = 0
    while service.following == 2:
        await log.append(f"{size:<32768}".encode())
        size += 32768
        assert size < 64 << 20, "a client that does not read never fell behind"
        await asyncio.sleep(0.005)
    for _ in range(20):
        await log.append(f"{size:<32768}".encode())
        size += 32768
    await log.close()
    slow.go_on_reading()
    data = (await told(slow))[0]
    assert [int(data[at : at + 32768]) for at in range(0, size, 32768)] == [*range(0, size, 32768)]
    assert (await reading)[0] == data


async def test_a_heartbeat_says_where_all_stand(serve: Serve, tmp_path: Path) -> None:
    settings = StreamSettings(heartbeat=0.1)
    streams = riverrun.Streams(riverrun.open_logs(tmp_path / "logs"), settings=settings)
    service = Service(streams, await serve(streams))
    await create(service)
    clients = [await service.follow() for _ in range(2)]
    await service.until_following(2)
    for client in clients:
        for _ in range(4):
            await client.reader.readuntil(b"event: control\n")
    await service.close()
    for client in clients:
        assert b"streamClosed" in await client.reader.readuntil(b"0\r\n\r\n")
        await client.__aexit__()
    await service.server.stop(0)
    streams.close()


@pytest.mark.parametrize("how", ["delete", "stop", "time"])
async def test_an_answer_ends_well_when(how: str, serve: Serve, tmp_path: Path) -> None:
    settings = StreamSettings(live_time=0.2 if how == "time" else 60.0)
    streams = riverrun.Streams(riverrun.open_logs(tmp_path / "logs"), settings=settings)
    service = Service(streams, await serve(streams))
    await create(service)
    client = await service.follow()
    await service.until_following(1)
    if how == "delete":
        assert await service.ask("DELETE") == 204
    elif how == "stop":
        streams.stop()
    data, controls = await told(client)
    assert data == ""
    assert controls[0]["upToDate"]
    assert service.streams._tails._tails == {}
    await service.server.stop(0)
    streams.close()
