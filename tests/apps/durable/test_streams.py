"""Streams over HTTP: what the published suite does not ask, or not so closely."""

from __future__ import annotations

import json

import pytest
from tests.apps.durable.conftest import BYTES, JSON, TEXT, OpenStreams, Served
from tests.http.event_streams import EventStream
from tests.server.client import Client, request, until

import riverrun

CLOSED = "Stream-Closed: true"


def token(offset: int) -> str:
    return f"0000000000000000_{offset:016d}"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


# Names and who may.


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("a/b/c", 201),
        ("%C3%A9t%C3%A9", 201),
        ("", 404),
        ("a/", 404),
        ("a//b", 400),
        ("a/../b", 400),
        ("%ff", 400),
        ("x" * 1025, 414),
        ("__ds/subscriptions/s", 501),
        ("a/__ds", 501),
    ],
)
async def test_what_a_stream_can_be_called(served: Served, name: str, status: int) -> None:
    assert (await served.put(name, TEXT)).status == status


async def test_pages_of_other_sites_change_nothing(served: Served) -> None:
    await served.put("s", TEXT)
    for method, body in (("PUT", b""), ("POST", b"x"), ("DELETE", None)):
        reply = await served.ask(method, "s", TEXT, "Origin: https://elsewhere.test", body=body)
        assert reply.status == 403
    assert (await served.get("s")).body == b""


async def test_pages_of_other_sites_embed_nothing(served: Served) -> None:
    await served.put("s", TEXT)
    for name in ("s", "nothing"):
        assert (await served.get(name))["cross-origin-resource-policy"] == "same-origin"


async def test_pages_that_may_are_told_everything(open_streams: OpenStreams) -> None:
    served = await open_streams(cors="https://page.test")
    reply = await served.put("s", TEXT, "Origin: https://page.test")
    assert reply.status == 201
    assert reply["access-control-allow-origin"] == "https://page.test"
    assert "stream-next-offset" in (reply["access-control-expose-headers"] or "")
    reply = await served.ask("OPTIONS", "s", "Origin: https://page.test")
    assert (reply.status, reply["access-control-allow-methods"]) == (204, reply["allow"])
    assert (await served.get("nothing"))["access-control-allow-origin"] == "https://page.test"


async def test_other_methods_are_refused(served: Served) -> None:
    reply = await served.ask("PATCH", "s")
    assert (reply.status, reply["allow"]) == (405, "GET, HEAD, PUT, POST, DELETE, OPTIONS")


# Appending.


async def test_chunks_can_be_read_while_more_are_sent(served: Served) -> None:
    await served.put("s", TEXT)
    client = await served.begin("s", TEXT)
    async with client:
        read = b""
        for word in (b"one ", b"two ", b"three"):
            await client.send(chunk(word))
            reply = await served.get("s", f"offset={token(len(read))}&live=long-poll")
            assert reply.body == word
            read += word
        await client.send(b"0\r\n\r\n")
        reply = await client.reply("POST")
        assert (reply.status, reply["stream-next-offset"]) == (204, token(len(read)))


async def test_what_has_arrived_of_a_body_that_is_cut_stays(served: Served) -> None:
    await served.put("s", TEXT)
    async with await served.begin("s", TEXT) as client:
        await client.send(chunk(b"arrived"))
        assert (await served.get("s", f"offset={token(0)}&live=long-poll")).body == b"arrived"
    assert (await served.get("s")).body == b"arrived"


@pytest.mark.parametrize(
    "lines",
    [
        ("Producer-Id: p", "Producer-Epoch: 0", "Producer-Seq: 0"),
        ("Stream-Seq: 1",),
    ],
)
async def test_what_may_be_repeated_is_appended_whole(
    served: Served, lines: tuple[str, ...]
) -> None:
    await served.put("s", TEXT)
    async with await served.begin("s", TEXT, *lines) as client:
        await client.send(chunk(b"half"))
    async with await served.begin("s", TEXT, *lines) as client:
        await client.send(chunk(b"who") + chunk(b"le") + b"0\r\n\r\n")
        assert (await client.reply("POST")).status in (200, 204)
    assert (await served.get("s")).body == b"whole"


async def test_a_counted_body_that_is_cut_leaves_nothing(served: Served) -> None:
    await served.put("s", BYTES)
    for size in (100, 3 << 20):
        async with await Client.connect(served.server) as client:
            head = f"POST /v1/stream/s HTTP/1.1\r\nHost: a\r\n{BYTES}\r\nContent-Length: {size}"
            await client.send(head.encode() + b"\r\n\r\n" + bytes(size - 1))
    assert (await served.ask("HEAD", "s"))["stream-next-offset"] == token(0)


async def test_a_large_body_is_appended_and_read_whole(served: Served) -> None:
    body = bytes(range(256)) * 20_000
    await served.put("s", BYTES)
    await served.post("s", BYTES, body=b"<")
    assert (await served.post("s", BYTES, body=body)).status == 204
    await served.post("s", BYTES, body=b">")
    reply = await served.get("s")
    assert reply["content-length"] == str(len(body) + 2)
    assert reply.body == b"<" + body + b">"


async def test_closing_with_the_last_chunk(served: Served) -> None:
    await served.put("s", TEXT)
    async with await served.begin("s", TEXT, CLOSED) as client:
        await client.send(chunk(b"all") + b"0\r\n\r\n")
        assert (await client.reply("POST"))["stream-closed"] == "true"
    reply = await served.get("s")
    assert (reply.body, reply["stream-closed"]) == (b"all", "true")
    reply = await served.post("s", TEXT, body=b"more")
    assert (reply.status, reply["stream-closed"]) == (409, "true")
    assert reply["stream-next-offset"] == token(3)


@pytest.mark.parametrize(
    "lines",
    [
        ("Producer-Id: p", "Producer-Epoch: 0"),
        ("Producer-Id: p", "Producer-Epoch: 0", "Producer-Seq: -1"),
        ("Producer-Id: p", "Producer-Epoch: 0", "Producer-Seq: 9007199254740992"),
        ("Producer-Id: p", "Producer-Epoch: 1.0", "Producer-Seq: 0"),
        ("Producer-Id:", "Producer-Epoch: 0", "Producer-Seq: 0"),
    ],
)
async def test_producers_that_are_not_clear(served: Served, lines: tuple[str, ...]) -> None:
    await served.put("s", TEXT)
    assert (await served.post("s", TEXT, *lines, body=b"x")).status == 400
    assert (await served.get("s")).body == b""


# JSON.


async def test_messages_are_kept_to_the_letter_but_for_line_breaks(served: Served) -> None:
    await served.put("s", JSON)
    messages = [
        '{"b": 1.0, "a": 1e400}',
        '[12345678901234567890123, "\\u00e9\\n"]',
        '{"long":\r\n  true}',
        '" é "',
        "null",
    ]
    for message in messages:
        assert (await served.post("s", JSON, body=f"[{message}]".encode())).status == 204
    expected = ",\n".join(message.replace("\r\n", "  ") for message in messages)
    assert (await served.get("s")).body.decode() == f"[{expected}]"


@pytest.mark.parametrize(
    "body",
    [b"{", b"[1,]", b"[1] 2", b"\xff", b'"\xff"', b"[NaN]", b"[]", b"  ", b"[" * 100_000],
)
async def test_what_is_no_json_is_refused(served: Served, body: bytes) -> None:
    await served.put("s", JSON)
    assert (await served.post("s", JSON, body=body)).status == 400
    assert (await served.get("s")).body == b"[]"


async def test_a_read_is_cut_between_messages(open_streams: OpenStreams) -> None:
    settings = riverrun.StreamSettings(read_size=100)
    served = await open_streams(settings=settings)
    await served.put("s", JSON)
    sizes = [10, 200, 1, 50, 50, 120_000, 5]
    await served.post("s", JSON, body=json.dumps(["x" * size for size in sizes]).encode())
    read, offset, reads = [], "-1", 0
    while True:
        reply = await served.get("s", f"offset={offset}")
        read += json.loads(reply.body)
        reads += 1
        offset = reply["stream-next-offset"] or ""
        if reply["stream-up-to-date"]:
            break
    assert [len(message) for message in read] == sizes
    assert reads > 3


async def test_an_offset_within_a_message_is_refused(served: Served) -> None:
    await served.put("s", JSON)
    await served.post("s", JSON, body=b"[1,22,333]")
    for offset, status in ((0, 200), (1, 400), (3, 200), (4, 400), (7, 200), (12, 200), (13, 400)):
        assert (await served.get("s", f"offset={token(offset)}")).status == status


async def test_json_has_a_limit(open_streams: OpenStreams) -> None:
    served = await open_streams(settings=riverrun.StreamSettings(json_size=1000))
    await served.put("s", JSON)
    assert (await served.post("s", JSON, body=json.dumps("x" * 2000).encode())).status == 413


# Reading.


@pytest.mark.parametrize(
    "query",
    [
        "offset=", "offset=1", "offset=-2", "offset=0000000000000000_00000000000000000",
        "offset=-1&offset=-1", "live=sse", "live=long-poll", "offset=-1&live=telepathy",
        f"offset={token(4)}",
    ],
)  # fmt: skip
async def test_reads_that_make_no_sense(served: Served, query: str) -> None:
    await served.put("s", TEXT)
    await served.post("s", TEXT, body=b"abc")
    assert (await served.get("s", query)).status == 400


async def test_what_is_not_kept_any_more_is_gone(open_streams: OpenStreams) -> None:
    served = await open_streams(riverrun.Retention(size=100))
    await served.put("s", TEXT)
    for _ in range(20):
        await served.post("s", TEXT, body=b"0123456789" * 5)
    assert (await served.get("s", f"offset={token(0)}")).status == 410
    reply = await served.get("s", "offset=-1")
    assert reply.status == 200
    assert 100 <= len(reply.body) < 200


async def test_what_was_read_is_not_sent_again(served: Served) -> None:
    await served.put("s", TEXT)
    await served.post("s", TEXT, body=b"abc")
    etag = (await served.get("s"))["etag"]
    assert (await served.get("s", "", f"If-None-Match: {etag}")).status == 304
    await served.post("s", CLOSED)
    reply = await served.get("s", "", f"If-None-Match: {etag}")
    assert (reply.status, reply["stream-closed"]) == (200, "true")


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ((), "public, max-age=60, stale-while-revalidate=300"),
        (("Authorization: Basic eDp5",), "private, max-age=60, stale-while-revalidate=300"),
    ],
)
async def test_caches_may_keep_what_was_there(
    served: Served, lines: tuple[str, ...], kept: str
) -> None:
    await served.put("s", TEXT)
    assert (await served.get("s", "", *lines))["cache-control"] == "no-cache"  # of nothing
    await served.post("s", TEXT, body=b"abc")
    assert (await served.get("s", "", *lines))["cache-control"] == kept


async def test_a_long_poll_ends_when_the_stream_is_closed_or_goes(served: Served) -> None:
    for name in ("closed", "deleted"):
        await served.put(name, TEXT)
        client = await Client.connect(served.server)
        async with client:
            await client.send(request(f"/v1/stream/{name}?offset=-1&live=long-poll"))
            await until(lambda: served.streams._waiting._events)
            if name == "closed":
                await served.post(name, CLOSED)
            else:
                await served.ask("DELETE", name)
            reply = await client.reply()
        assert reply.status == (204 if name == "closed" else 410)


# Events.


async def events_of(served: Served, name: str, offset: str = "-1", *lines: str) -> EventStream:
    reply = await served.get(name, f"offset={offset}&live=sse", *lines)
    assert (reply.status, reply["content-type"]) == (200, "text/event-stream")
    return EventStream.parse(reply.body)


def data_of(stream: EventStream) -> list[str]:
    return [event.data for event in stream.events if event.type == "data"]


async def test_events_end_with_the_stream(served: Served) -> None:
    await served.put("s", TEXT, CLOSED, body=b"all of it")
    stream = await events_of(served, "s")
    assert [(event.type, event.last_event_id) for event in stream.events] == [
        ("data", ""),
        ("control", token(9)),
    ]
    assert json.loads(stream.events[-1].data) == {
        "streamNextOffset": token(9),
        "upToDate": True,
        "streamClosed": True,
    }


@pytest.mark.parametrize(
    "text",
    [" one space", "  two", "a\nb\n", "\n", "é🌊", 'x\nevent: control\ndata: {"no": 1}\n\n'],
)
async def test_text_arrives_as_it_is(served: Served, text: str) -> None:
    await served.put("s", TEXT, CLOSED, body=text.encode())
    assert data_of(await events_of(served, "s")) == [text]


async def test_bytes_that_are_no_text_are_told_as_such(served: Served) -> None:
    await served.put("s", TEXT, CLOSED, body=b"a\xffb\xc3")
    assert data_of(await events_of(served, "s")) == ["a\ufffdb\ufffd"]


async def test_a_browser_that_comes_back_goes_on_where_it_was(served: Served) -> None:
    await served.put("s", TEXT, CLOSED, body=b"seen, not seen")
    stream = await events_of(served, "s", "-1", f"Last-Event-ID: {token(6)}")
    assert data_of(stream) == ["not seen"]


async def test_a_long_message_is_one_event(served: Served) -> None:
    await served.put("s", JSON)
    message = {"words": "word " * 50_000}
    await served.post("s", JSON, body=json.dumps([1, message, 2]).encode())
    await served.post("s", CLOSED)
    arrays = map(json.loads, data_of(await events_of(served, "s")))
    assert [message for array in arrays for message in array] == [1, message, 2]


# Forks, deleting, and what there is.


async def test_what_is_deleted_can_be_made_anew(served: Served) -> None:
    await served.put("s", TEXT, body=b"old")
    assert (await served.ask("DELETE", "s")).status == 204
    assert (await served.put("s", JSON)).status == 201
    assert (await served.get("s")).body == b"[]"


async def test_a_fork_needs_a_source_that_is_a_stream(served: Served) -> None:
    await served.put("s", TEXT, body=b"abc")
    for source, status in (("/v1/stream/none", 404), ("/elsewhere/s", 404), ("s", 400)):
        assert (await served.put("f", f"Stream-Forked-From: {source}")).status == status
    assert (await served.put("f", "Stream-Fork-Offset: " + token(1))).status == 400


async def test_a_fork_of_messages_begins_between_two(served: Served) -> None:
    await served.put("s", JSON)
    await served.post("s", JSON, body=b"[1,2,3]")
    source = "Stream-Forked-From: /v1/stream/s"
    assert (await served.put("f", source, f"Stream-Fork-Offset: {token(4)}")).status == 400
    assert (await served.put("f", source, f"Stream-Fork-Offset: {token(6)}")).status == 201
    await served.post("f", JSON, body=b"4")
    assert json.loads((await served.get("f")).body) == [1, 2, 4]


async def test_a_time_that_is_none_in_utc_is_refused(served: Served) -> None:
    reply = await served.put("s", "Stream-Expires-At: 9999-12-31T23:59:59-01:00")
    assert reply.status == 400
    assert (await served.put("s", "Stream-Expires-At: 9999-12-31T23:59:59Z")).status == 201
    assert (await served.ask("HEAD", "s")).status == 200


async def test_a_fork_looks_for_its_messages_no_further_than_one_read_goes(
    open_streams: OpenStreams,
) -> None:
    served = await open_streams(settings=riverrun.StreamSettings(read_size=30))
    await served.put("s", JSON, body=json.dumps(list(range(100))).encode())
    fork = ("Stream-Forked-From: /v1/stream/s", f"Stream-Fork-Offset: {token(0)}")
    assert (await served.put("f", *fork, "Stream-Fork-Sub-Offset: 10")).status == 201
    assert (await served.put("g", *fork, "Stream-Fork-Sub-Offset: 11")).status == 400
    assert json.loads((await served.get("f")).body) == list(range(10))


# Parts of answers.


@pytest.mark.parametrize(
    ("content_type", "body", "whole"),
    [(TEXT, b"0123456789", b"0123456789"), (JSON, b'["a",2,[3]]', b'["a",\n2,\n[3]]')],
)
async def test_a_part_of_an_answer_can_be_asked_for(
    served: Served, content_type: str, body: bytes, whole: bytes
) -> None:
    tail = (await served.put("s", content_type, body=body))["stream-next-offset"]
    assert (await served.get("s")).body == whole
    assert (await served.get("s"))["accept-ranges"] == "bytes"
    for start in range(len(whole)):
        for stop in range(start + 1, len(whole) + 1):
            part = await served.get("s", "", f"Range: bytes={start}-{stop - 1}")
            assert (part.status, part.body) == (206, whole[start:stop])
            assert part["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
            assert part["stream-next-offset"] == tail


async def test_which_parts_of_an_answer_there_are(served: Served) -> None:
    await served.put("s", TEXT, body=b"0123456789" * 30)
    etag = (await served.get("s"))["etag"]
    rest = await served.get("s", f"offset={token(4)}", "Range: bytes=2-")
    assert (rest.status, rest.body) == (206, b"6789" + b"0123456789" * 29)
    for lines, status in (
        (["Range: bytes=300-"], 416),
        (["Range: bytes=0-1,200-201"], 200),
        (["Range: lines=1-"], 200),
        (["Range: bytes=5-", f"If-Range: {etag}"], 206),
        (["Range: bytes=5-", 'If-Range: "other"'], 200),
    ):
        assert (await served.get("s", "", *lines)).status == status
    assert (await served.get("s", f"offset={token(300)}", "Range: bytes=5-")).status == 200


# Names that lead here.


@pytest.mark.parametrize(
    ("host", "status"),
    [("rebound.example.com", 403), ("127.0.0.1:4000", 200), ("localhost", 200), ("nas.local", 200)],
)
async def test_a_name_that_was_made_to_lead_here_reads_nothing(
    served: Served, host: str, status: int
) -> None:
    await served.put("s", TEXT, body=b"private")
    for line in ("GET /v1/stream/s", "HEAD /v1/stream/s"):
        async with await Client.connect(served.server) as client:
            await client.send(f"{line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert (await client.reply(line.split()[0])).status == status


@pytest.mark.parametrize(
    "options", [{"names": ("example.com",)}, {"cors": "https://example.com"}, {"cors": "*"}]
)
async def test_a_name_that_was_given_is_answered(
    open_streams: OpenStreams, options: dict[str, object]
) -> None:
    served = await open_streams(**options)
    async with await Client.connect(served.server) as client:
        await client.send(b"GET /v1/stream/s HTTP/1.1\r\nHost: example.com\r\n\r\n")
        assert (await client.reply()).status == 404
