"""What is told of flows at their address, and what can be done to them there."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.apps.flows.rivers import JSON, River, serve_river
from tests.conftest import Serve
from tests.server.client import Client, until

from riverrun.apps.flows import Access
from riverrun.flows import FlowState, Waiting


@pytest.fixture
async def river(serve: Serve) -> River:
    return await serve_river(serve)


async def test_without_transfers_there_is_nothing_to_tell(river: River) -> None:
    told = await river.tell()
    assert told["flows"] == []
    assert told["limits"] == {"rate": None, "client_rate": None, "total_rate": None}
    assert told["steerable"] is True


async def test_a_transfer_is_told_with_who_what_and_how_fast(river: River) -> None:
    async with river.running("User-Agent: a reader/1") as (_, flow):
        (told,) = (await river.tell())["flows"]
        assert told["id"] == flow.id
        assert (told["direction"], told["method"], told["target"]) == ("out", "GET", "/river")
        assert (told["peer"], told["user_agent"]) == ("127.0.0.1", "a reader/1")
        assert (told["state"], told["limit"], told["expected"]) == ("running", None, None)
        assert told["rate"] > 0
        assert told["mean_rate"] > 0
        assert told["buffer_mark"] == 64 * 1024
        assert 0 < told["moved"] <= flow.moved
        assert sum(told["waited"].values()) == pytest.approx(told["age"], abs=0.01)
        assert told.keys() == (await river.tell(f"/~/flows/{flow.id}")).keys()


async def test_an_upload_is_told_too(river: River) -> None:
    async with await Client.connect(river.server) as client:
        await client.send(b"POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome")
        await until(lambda: len(river.flows) == 1)
        (told,) = (await river.tell())["flows"]
        assert (told["direction"], told["method"], told["target"]) == ("in", "POST", "/in")
        assert (told["moved"], told["expected"], told["waiting"]) == (4, 100000, "peer")
        assert told["buffer_mark"] == 256 * 1024
        await client.send(bytes(100000 - 4))
        assert (await client.reply()).body == b"100000"
    assert (await river.tell())["flows"] == []


async def test_a_small_answer_is_no_transfer(river: River) -> None:
    async with await Client.connect(river.server) as client:
        assert (await client.ask("/in", "POST", body=b"little")).body == b"6"
    assert river.flows.opened == 0


async def test_a_transfer_is_paused_and_resumed(river: River) -> None:
    async with river.running() as (_, flow):
        path = f"/~/flows/{flow.id}"
        reply = await river.ask("PATCH", path, body={"paused": True})
        assert json.loads(reply.body)["state"] == "paused"
        assert flow.waiting is Waiting.PAUSED
        moved = flow.moved
        await asyncio.sleep(0.1)
        assert flow.moved == moved
        told = await river.tell(path)
        assert (told["waiting"], told["moved"]) == ("paused", moved)
        assert told["waited"]["paused"] > 0.09
        reply = await river.ask("PATCH", path, body={"paused": False})
        assert json.loads(reply.body)["state"] == "running"
        await until(lambda: flow.moved > moved)


@pytest.mark.parametrize("written", ["500 kB/s", 500_000, 5e5, "4Mbit/s"])
async def test_a_transfer_is_limited_and_let_go(river: River, written: object) -> None:
    async with river.running() as (_, flow):
        path = f"/~/flows/{flow.id}"
        reply = await river.ask("PATCH", path, body={"rate": written})
        assert json.loads(reply.body)["limit"] == 500_000
        assert flow.rate == 500_000
        reply = await river.ask("PATCH", path, body={"rate": None})
        assert json.loads(reply.body)["limit"] is None
        assert flow.free


async def test_the_limits_for_all_are_changed_while_transfers_run(river: River) -> None:
    async with river.running() as (_, flow):
        body = {"rate": "1 MB/s", "client_rate": 400_000, "total_rate": 300_000}
        reply = await river.ask("PATCH", body=body)
        assert json.loads(reply.body)["limits"] == {
            "rate": 1_000_000,
            "client_rate": 400_000,
            "total_rate": 300_000,
        }
        assert (flow.rate, len(flow.shares)) == (1_000_000, 2)
        await river.ask("PATCH", body=dict.fromkeys(body))
        assert flow.free
        assert not river.flows.limited


async def test_a_cancel_is_a_cut(river: River) -> None:
    async with await Client.connect(river.server) as client:
        await client.send(b"POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome")
        await until(lambda: len(river.flows) == 1)
        (flow,) = river.flows
        assert (await river.ask("DELETE", f"/~/flows/{flow.id}")).status == 204
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.reply()
        assert flow.state is FlowState.CANCELLED
    await until(lambda: not len(river.flows))
    assert (await river.ask("GET", f"/~/flows/{flow.id}")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "lines", "body", "status"),
    [
        ("GET", "/~/flows/999", (), None, 404),
        ("GET", "/~/flows/x", (), None, 404),
        ("GET", "/~/flows/" + "9" * 5000, (), None, 404),
        ("GET", "/~/flows/1/more", (), None, 404),
        ("DELETE", "/~/flows", (), None, 405),
        ("PUT", "/~/flows/{id}", (JSON,), b"{}", 405),
        ("POST", "/~/flows", (JSON,), b"{}", 405),
        ("PATCH", "/~/flows/999", (JSON,), b"{}", 404),
        ("PATCH", "/~/flows/{id}", (), b'{"paused": true}', 415),
        ("PATCH", "/~/flows/{id}", ("Content-Type: text/plain",), b'{"paused": true}', 415),
        ("PATCH", "/~/flows/{id}", (JSON,), b"paused", 400),
        ("PATCH", "/~/flows/{id}", (JSON,), b"[]", 422),
        ("PATCH", "/~/flows/{id}", (JSON,), b'{"paused": 1}', 422),
        ("PATCH", "/~/flows/{id}", (JSON,), b'{"rate": "fast"}', 422),
        ("PATCH", "/~/flows/{id}", (JSON,), b'{"rate": "500"}', 422),
        ("PATCH", "/~/flows/{id}", (JSON,), b'{"rate": 0}', 422),
        ("PATCH", "/~/flows/{id}", (JSON,), b'{"rate": -5}', 422),
        ("PATCH", "/~/flows/{id}", (JSON,), b'{"rate": 1e999}', 422),
        ("PATCH", "/~/flows/{id}", (JSON,), b'{"rate": true}', 422),
        ("PATCH", "/~/flows/{id}", (JSON,), b'{"moved": 3}', 422),
        ("PATCH", "/~/flows", (JSON,), b'{"paused": true}', 422),
    ],
)
async def test_mistakes_are_told_as_problems_and_change_nothing(
    river: River, method: str, path: str, lines: tuple[str, ...], body: bytes | None, status: int
) -> None:
    async with river.running() as (_, flow), await Client.connect(river.server) as client:
        reply = await client.ask(path.format(id=flow.id), method, *lines, body=body)
        assert (reply.status, reply["content-type"]) == (status, "application/problem+json")
        problem = json.loads(reply.body)
        assert problem["status"] == status
        assert (flow.free, flow.state, river.flows.limited) == (True, FlowState.RUNNING, False)


async def test_a_head_is_answered_without_a_body(river: River) -> None:
    reply = await river.ask("HEAD")
    assert (reply.status, reply["content-type"]) == (200, "application/json")
    assert int(reply["content-length"] or 0) > 0


async def test_events_tell_everything_and_then_what_changes(river: River) -> None:
    async with river.watching() as events:
        name, everything = await events.next()
        assert (name, everything["flows"], everything["steerable"]) == ("flows", [], True)
        async with river.running() as (_, flow):
            appeared: Any = await events.until("flows")
            (told,) = appeared["flows"]
            assert (told["id"], told["target"]) == (flow.id, "/river")
            moved: Any = await events.until("flows")
            (change,) = moved["flows"]
            assert change["moved"] > told["moved"]
            assert change.keys() <= {"id", "moved", "rate", "waiting", "buffered", "waited"}
            flow.pause()
            await events_until_paused(events.until)
            river.flows.total_rate = 1000
            assert (await events.until("limits"))["limits"]["total_rate"] == 1000
        over = await events.until("ended")
        assert over["ended"] == [flow.id]
        (last,) = over["flows"]
        assert last["id"] == flow.id
        assert last["moved"] == flow.moved
        assert last["age"] == pytest.approx(flow.age, abs=0.001)
        assert sum(last["waited"].values()) == pytest.approx(flow.age, abs=0.01)


async def events_until_paused(until_flows: Any) -> None:
    while True:
        (change,) = (await until_flows("flows"))["flows"]
        if change.get("state") == "paused":
            assert change["waiting"] == "paused"
            assert change["waited"].keys() == {"source", "peer", "limit", "paused"}
            return


async def test_who_stands_still_is_not_told_again(river: River) -> None:
    async with river.watching() as events, river.running() as (_, flow):
        flow.pause()
        while True:  # until the rate of the last second is none
            data = await events.until("flows")
            changes = [change for change in data["flows"] if change["id"] == flow.id]
            if changes and changes[0].get("rate") == 0:
                break
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.8):
                await events.next()


async def test_who_watches_is_not_among_what_is_watched(river: River) -> None:
    async with river.watching() as events, river.watching() as others:
        assert (await events.next())[1]["flows"] == []
        assert (await others.next())[1]["flows"] == []
        assert len(river.flows) == 2
        assert (await river.tell())["flows"] == []


async def test_a_watcher_that_cannot_keep_up_is_told_everything_again(river: River) -> None:
    async with river.watching() as events:
        await events.next()
        (own,) = river.flows
        own.pause()
        async with river.running() as (_, flow):
            await until(lambda: own.waiting is Waiting.PAUSED)
            await asyncio.sleep(0.8)
            own.resume()
            while True:
                name, data = await events.next()
                if name == "flows":
                    break
            assert [told["id"] for told in data["flows"]] == [flow.id]


async def test_events_end_when_the_server_stops(river: River) -> None:
    async with river.watching() as events:
        await events.next()
        stopping = asyncio.ensure_future(river.server.stop(5))
        await events.ends()
        await stopping


async def test_nobody_looks_when_nobody_watches(serve: Serve, monkeypatch: Any) -> None:
    monkeypatch.setattr("riverrun.apps.flows.watching.LINGER", 0.1)
    monkeypatch.setattr("riverrun.apps.flows.watching.INTERVAL", 0.01)
    river = await serve_river(serve)
    handler: Any = river.server.handler
    watch = handler._mounts["~", "flows"]._watch
    await river.tell()
    assert watch._timer is not None
    await until(lambda: watch._timer is None)


ASKED = ("GET", "PATCH", "DELETE")


async def statuses(river: River, *lines: str, host: str = "a") -> list[int]:
    """How a request of each kind is answered that comes with `lines`, or under a name."""
    found = []
    async with river.running() as (_, flow):
        for method in ASKED:
            async with await Client.connect(river.server) as client:
                body = b'{"paused": true}' if method == "PATCH" else b""
                head = (
                    f"{method} /~/flows/{flow.id} HTTP/1.1",
                    f"Host: {host}",
                    f"Content-Length: {len(body)}",
                    JSON,
                    *lines,
                )
                await client.send("\r\n".join((*head, "", "")).encode() + body)
                found.append((await client.reply(method)).status)
    return found


@pytest.mark.parametrize(
    ("lines", "host"),
    [
        (("Origin: http://evil.example",), "127.0.0.1:4000"),
        (("Origin: null",), "127.0.0.1:4000"),
        (("Sec-Fetch-Site: cross-site",), "127.0.0.1:4000"),
        (("Sec-Fetch-Site: same-site",), "localhost:4000"),
        # The name was made to lead here (DNS rebinding): to the browser it is one origin.
        (("Origin: http://evil.example", "Sec-Fetch-Site: same-origin"), "evil.example"),
        (("Sec-Fetch-Site: same-origin",), "evil.example:4000"),
        ((), "127.0.0.1.evil.example"),
        ((), "localhost.evil.example"),
    ],
)
async def test_another_sites_page_gets_nothing_and_changes_nothing(
    river: River, lines: tuple[str, ...], host: str
) -> None:
    assert await statuses(river, *lines, host=host) == [403, 403, 403]


@pytest.mark.parametrize(
    ("lines", "host"),
    [
        (("Origin: http://localhost:4000", "Sec-Fetch-Site: same-origin"), "localhost:4000"),
        (("Origin: http://192.168.1.5:4000",), "192.168.1.5:4000"),
        (("Origin: http://[::1]:4000",), "[::1]:4000"),
        (("Sec-Fetch-Site: none",), "attic.local"),
        ((), "attic"),
    ],
)
async def test_our_own_page_and_programs_may(
    river: River, lines: tuple[str, ...], host: str
) -> None:
    assert await statuses(river, *lines, host=host) == [200, 200, 204]


async def test_steering_must_be_allowed(serve: Serve) -> None:
    river = await serve_river(serve, Access())
    assert await statuses(river) == [200, 403, 403]
    assert (await river.tell())["steerable"] is False


@pytest.mark.parametrize("field", ["X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1"])
async def test_who_comes_through_a_proxy_is_not_of_this_machine(serve: Serve, field: str) -> None:
    river = await serve_river(serve)
    assert await statuses(river, field) == [403, 403, 403]


async def test_who_comes_from_elsewhere_may_if_it_is_allowed(serve: Serve) -> None:
    river = await serve_river(serve, Access(remote=True))
    assert await statuses(river, "X-Forwarded-For: 10.0.0.1") == [200, 403, 403]
    river = await serve_river(serve, Access(remote=True, steer=True))
    assert await statuses(river, "X-Forwarded-For: 10.0.0.1") == [200, 200, 204]


async def test_a_public_name_is_answered_if_it_is_ours(serve: Serve) -> None:
    river = await serve_river(serve, Access(steer=True, names=("media.example",)))
    assert await statuses(river, host="media.example") == [200, 200, 204]
    assert await statuses(river, host="evil.media.example") == [403, 403, 403]
