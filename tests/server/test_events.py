"""Event streams and broadcasts over real connections: the pace, the ends, and who is left out."""

from __future__ import annotations

import asyncio

import pytest
from tests.conftest import Serve
from tests.http.event_streams import EventStream
from tests.server.client import Client, at_rest, request, until

from riverrun.errors import DisconnectedError
from riverrun.http.broadcast import Broadcast
from riverrun.http.limits import Limits
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.server_sent_events import render_event

SMALL = 4096


class Station:
    """A handler that follows a broadcast of lines, kept from the first on."""

    def __init__(self) -> None:
        self.broadcast = Broadcast()
        self.kept: list[bytes] = []
        self.gone: list[BaseException] = []

    def publish(self, data: str) -> None:
        chunk = render_event(data, id=str(len(self.kept)))
        self.kept.append(chunk)
        self.broadcast.publish(chunk, len(self.kept))

    async def __call__(self, request: Request, response: Response) -> None:
        broadcast, position = self.broadcast, 0
        events = response.events()
        try:
            while position < broadcast.position or not broadcast.ended:
                for chunk in self.kept[position : broadcast.position]:
                    await response.write(chunk)
                    position += 1
                position = await broadcast.follow(response, position)
            await events.end()
        except BaseException as error:
            self.gone.append(error)
            raise


async def events_of(client: Client) -> list[str]:
    """The data of all events, once the stream has ended well."""
    reply = await client.reply()
    return [event.data for event in EventStream.parse(reply.body).events]


async def test_everybody_is_sent_everything_until_the_end(serve: Serve) -> None:
    station = Station()
    server = await serve(station)
    clients = [await Client.connect(server) for _ in range(5)]
    for client in clients:
        await client.send(request())
    await until(lambda: station.broadcast.readers == 5)
    for number in range(100):
        station.publish(f"event {number}")
    station.broadcast.end()
    for client in clients:
        async with client:
            assert await events_of(client) == [f"event {number}" for number in range(100)]


async def test_nothing_passes_behind_an_end(serve: Serve) -> None:
    """It would be taken for the next answer."""
    broadcast = Broadcast()

    async def follow_and_end(request: Request, response: Response) -> None:
        following = asyncio.create_task(broadcast.follow(response, 0))
        await until(lambda: broadcast.readers == 1)
        broadcast.publish(b"heard")
        assert response.try_end()
        broadcast.publish(b"too late")
        assert await following == len(b"heard")

    server = await serve(follow_and_end)
    async with await Client.connect(server) as client:
        assert (await client.ask()).body == b"heard"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.reader.read(1)


async def test_one_that_stalls_holds_nothing_and_gets_everything_later(serve: Serve) -> None:
    station = Station()
    server = await serve(station, limits=Limits(response_high_water_mark=SMALL))
    async with (
        await Client.connect(server) as quick,
        await Client.connect(server, receive_buffer=SMALL, limit=SMALL) as slow,
    ):
        await quick.send(request())
        await until(lambda: station.broadcast.readers == 1)
        quick_one = asyncio.ensure_future(events_of(quick))
        await slow.send(request())
        slow.stop_reading()
        await until(lambda: station.broadcast.readers == 2)
        count = 0

        def buffered() -> list[int]:
            return sorted(connection.wire.buffered for connection in server.connections)

        def slow_is_behind() -> bool:
            return station.broadcast.readers == 1 and buffered()[-1] > 0 and buffered()[0] == 0

        while not slow_is_behind():
            assert count < 5000, "a client that does not read never fell behind"
            for _ in range(10):
                station.publish(f"{count} ".ljust(10_000, "x"))
                count += 1
            await until(lambda: station.broadcast.readers + slow_is_behind() == 2)
        held = buffered()
        for _ in range(200):  # it is behind already, so nothing more is held for it
            station.publish(f"{count} ".ljust(10_000, "x"))
            count += 1
            await until(lambda: station.broadcast.readers == 1)
        assert max(held) <= 10_100
        assert max(buffered()) == max(held)
        station.broadcast.end()
        assert len(await quick_one) == count
        slow.go_on_reading()
        numbers = [int(data.split()[0]) for data in await events_of(slow)]
        assert numbers == list(range(count))


async def test_one_that_leaves_is_let_go_of(serve: Serve) -> None:
    station = Station()
    server = await serve(station)
    async with await Client.connect(server) as stays:
        await stays.send(request())
        async with await Client.connect(server) as leaves:
            await leaves.send(request())
            await until(lambda: station.broadcast.readers == 2)
        await until(lambda: station.broadcast.readers == 1)
        station.publish("still here")
        station.broadcast.end()
        assert await events_of(stays) == ["still here"]
    assert isinstance(station.gone[0], asyncio.CancelledError | DisconnectedError)


async def test_an_abort_is_no_end(serve: Serve) -> None:
    station = Station()
    server = await serve(station)
    async with await Client.connect(server) as client:
        await client.send(request())
        await until(lambda: station.broadcast.readers == 1)
        station.publish("one")
        station.broadcast.abort()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.reply()


async def test_many_chunks_at_once_arrive_in_their_order(serve: Serve) -> None:
    station = Station()
    server = await serve(station)
    async with await Client.connect(server) as client:
        await client.send(request())
        await until(lambda: station.broadcast.readers == 1)
        reading = asyncio.ensure_future(events_of(client))
        for number in range(3000):
            station.publish(f"{number} ".ljust(1000, "x"))
            if number % 100 == 0:
                await asyncio.sleep(0)
        station.broadcast.end()
        assert [int(data.split()[0]) for data in await reading] == list(range(3000))


async def test_a_connection_is_good_for_more_after_a_stream_has_ended(serve: Serve) -> None:
    async def handler(request: Request, response: Response) -> None:
        async with response.events() as events:
            await events.send("hello")

    server = await serve(handler)
    async with await Client.connect(server) as client:
        for _ in range(3):
            reply = await client.ask()
            assert reply["content-type"] == "text/event-stream"
            assert reply.body == b"data: hello\n\n"


async def test_an_idle_stream_notices_that_its_client_is_gone(serve: Serve) -> None:
    ended = asyncio.Event()

    async def handler(request: Request, response: Response) -> None:
        events = response.events(heartbeat=0.05)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
            events.abort()

    server = await serve(handler)
    async with await Client.connect(server) as client:
        await client.send(request())
        await client.reader.readuntil(b"3\r\n:\n\n\r\n3\r\n:\n\n\r\n")
    async with asyncio.timeout(5):
        await ended.wait()


async def test_sending_waits_for_a_client_that_does_not_read(serve: Serve) -> None:
    sent = [0]

    async def handler(request: Request, response: Response) -> None:
        async with response.events() as events:
            for number in range(2000):
                await events.send("x" * 10_000, id=str(number))
                sent[0] = number + 1

    server = await serve(handler, limits=Limits(response_high_water_mark=SMALL))
    async with await Client.connect(server, receive_buffer=SMALL, limit=SMALL) as client:
        client.stop_reading()
        await client.send(request())
        assert 0 < await at_rest(lambda: sent[0]) < 2000
        client.go_on_reading()
        assert len(await events_of(client)) == 2000
