"""Conditions on a file (RFC 9110, 13): the table of what is asked and what is answered."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.apps.files.sites import Site, owed
from tests.server.client import Client

SMALL, LARGE = b"0123456789", bytes(range(256)) * 1024
MTIME = 1_700_000_000  # Tue, 14 Nov 2023 22:13:20 GMT
BEFORE = "Tue, 14 Nov 2023 22:13:19 GMT"
SAME = "Tue, 14 Nov 2023 22:13:20 GMT"
LATER = "Tue, 14 Nov 2023 22:13:21 GMT"
SAME_RFC850 = "Tuesday, 14-Nov-23 22:13:20 GMT"
SAME_ASCTIME = "Tue Nov 14 22:13:20 2023"
OTHER = '"other"'

FILES = pytest.mark.parametrize(
    ("name", "body"),
    [("small.bin", SMALL), ("small.txt", SMALL), ("large.bin", LARGE), ("large.txt", LARGE)],
)

# {etag} stands for the file's own. In the order of 13.2.2.
CONDITIONS = [
    # Step 1: If-Match, by strong comparison
    (("If-Match: {etag}",), 200),
    (("If-Match: *",), 200),
    ((f"If-Match: {OTHER}",), 412),
    (("If-Match: W/{etag}",), 412),
    ((f'If-Match: {OTHER}, {{etag}}, "a,b"',), 200),
    ((f'If-Match: {OTHER}, "more"',), 412),
    # Step 2: If-Unmodified-Since, only without If-Match
    ((f"If-Unmodified-Since: {BEFORE}",), 412),
    ((f"If-Unmodified-Since: {SAME}",), 200),
    ((f"If-Unmodified-Since: {LATER}",), 200),
    (("If-Unmodified-Since: yesterday",), 200),
    (("If-Match: {etag}", f"If-Unmodified-Since: {BEFORE}"), 200),
    ((f"If-Match: {OTHER}", f"If-Unmodified-Since: {LATER}"), 412),
    # Step 3: If-None-Match, by weak comparison
    (("If-None-Match: {etag}",), 304),
    (("If-None-Match: W/{etag}",), 304),
    (("If-None-Match: *",), 304),
    ((f"If-None-Match: {OTHER}",), 200),
    ((f'If-None-Match: {OTHER}, {{etag}}, "more"',), 304),
    ((f"If-None-Match: {OTHER},,W/{{etag}}",), 304),
    ((f'If-None-Match: {OTHER}, W/"more"',), 200),
    # Step 4: If-Modified-Since, only without If-None-Match
    ((f"If-Modified-Since: {SAME}",), 304),
    ((f"If-Modified-Since: {LATER}",), 304),
    ((f"If-Modified-Since: {BEFORE}",), 200),
    (("If-Modified-Since: yesterday",), 200),
    (("If-Modified-Since: 1700000000",), 200),
    ((f"If-Modified-Since: {SAME_RFC850}",), 304),  # 5.6.7: recipients take all three
    ((f"If-Modified-Since: {SAME_ASCTIME}",), 304),
    ((f"If-None-Match: {OTHER}", f"If-Modified-Since: {LATER}"), 200),
    (("If-None-Match: {etag}", f"If-Modified-Since: {BEFORE}"), 304),
    # One step after another
    (("If-Match: {etag}", "If-None-Match: {etag}"), 304),
    ((f"If-Match: {OTHER}", "If-None-Match: {etag}"), 412),
    ((f"If-Unmodified-Since: {BEFORE}", "If-None-Match: {etag}"), 412),
    ((f"If-Unmodified-Since: {SAME}", f"If-Modified-Since: {SAME}"), 304),
    ((f"If-Match: {OTHER}", "If-None-Match: *", f"If-Modified-Since: {LATER}"), 412),
]

# Step 5: If-Range, by strong comparison and only with Range; and Range behind all of them.
RANGES = [
    (("Range: bytes=2-4",), 206),
    (("Range: bytes=2-4", "If-Range: {etag}"), 206),
    (("Range: bytes=2-4", "If-Range: W/{etag}"), 200),
    (("Range: bytes=2-4", f"If-Range: {OTHER}"), 200),
    (("Range: bytes=2-4", "If-Range: {etag}, {etag}"), 200),
    (("Range: bytes=2-4", "If-Range: *"), 200),
    (("Range: bytes=2-4", f"If-Range: {SAME}"), 206),
    (("Range: bytes=2-4", f"If-Range: {BEFORE}"), 200),
    (("Range: bytes=2-4", f"If-Range: {LATER}"), 200),  # 13.1.5: exactly that date
    (("Range: bytes=2-4", "If-Range: yesterday"), 200),
    (("If-Range: {etag}",), 200),
    ((f"If-Range: {OTHER}",), 200),
    (("Range: bytes=2-4", "If-Match: {etag}"), 206),
    (("Range: bytes=2-4", f"If-Match: {OTHER}"), 412),
    (("Range: bytes=2-4", f"If-Unmodified-Since: {BEFORE}"), 412),
    (("Range: bytes=2-4", f"If-Unmodified-Since: {SAME}"), 206),
    (("Range: bytes=2-4", "If-None-Match: {etag}"), 304),
    (("Range: bytes=2-4", f"If-None-Match: {OTHER}"), 206),
    (("Range: bytes=2-4", f"If-Modified-Since: {SAME}"), 304),
    (("Range: bytes=2-4", "If-None-Match: {etag}", f"If-Range: {OTHER}"), 304),
    (("Range: bytes=2-4", f"If-Match: {OTHER}", "If-Range: {etag}"), 412),
    (("Range: bytes=9999999-",), 416),
    (("Range: bytes=9999999-", "If-Range: {etag}"), 416),
    (("Range: bytes=9999999-", f"If-Range: {OTHER}"), 200),
    (("Range: bytes=9999999-", f"If-Match: {OTHER}"), 412),
    (("Range: bytes=9999999-", "If-None-Match: {etag}"), 304),
]


@FILES
async def test_conditions_are_decided_in_the_order_of_the_rfc(
    site: Site, name: str, body: bytes
) -> None:
    site.add(name, body, modified=MTIME)
    etag = await site.etag(f"/{name}")
    answered = {}
    async with await Client.connect(site.server) as client:
        for conditions, _ in CONDITIONS + RANGES:
            lines = [line.format(etag=etag) for line in conditions]
            reply = await client.ask(f"/{name}", "GET", *lines)
            answered[conditions] = reply.status
            expected = {200: body, 206: body[2:5], 304: b""}
            assert reply.body == expected.get(reply.status, reply.body)
    assert answered == dict(CONDITIONS + RANGES)


@FILES
async def test_conditions_hold_for_head_too(site: Site, name: str, body: bytes) -> None:
    site.add(name, body, modified=MTIME)
    etag = await site.etag(f"/{name}")
    answered = {}
    async with await Client.connect(site.server) as client:
        for conditions, _ in CONDITIONS:
            lines = [line.format(etag=etag) for line in conditions]
            answered[conditions] = (await client.ask(f"/{name}", "HEAD", *lines)).status
    assert answered == dict(CONDITIONS)


@FILES
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_304_carries_what_a_cache_updates(
    site: Site, name: str, body: bytes, method: str
) -> None:
    site.add(name, body, modified=MTIME)
    site.add(f"{name}.gz", body)
    whole = await site.get(f"/{name}")
    async with await Client.connect(site.server) as client:
        reply = await client.ask(f"/{name}", method, f"If-None-Match: {whole['etag']}")
        assert reply.status == 304
        again = await client.ask(f"/{name}")  # finds no body of the 304 before it
        assert again.body == body
    kept = ("etag", "cache-control", "vary", "content-location")  # 15.4.5
    assert owed(reply, kept) == owed(whole, kept)
    assert reply["date"] is not None
    assert reply["content-type"] is None
    assert reply["content-length"] in (None, str(len(body)))


@FILES
async def test_412_sends_nothing_of_the_file(site: Site, name: str, body: bytes) -> None:
    site.add(name, body, modified=MTIME)
    async with await Client.connect(site.server) as client:
        reply = await client.ask(f"/{name}", "GET", f"If-Match: {OTHER}")
        assert reply.status == 412
        assert body not in reply.body
        assert reply["content-type"] == "application/problem+json"
        assert (await client.ask(f"/{name}")).body == body


async def test_conditions_on_what_is_not_there_are_not_looked_at(site: Site) -> None:
    for line in ("If-None-Match: *", "If-Match: *", f"If-Modified-Since: {SAME}"):
        assert (await site.get("/missing", line)).status == 404  # 13.2.1


# A strong tag: another one whenever a byte may be another (8.8.1).


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"abcdefghij")


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def truncate(path: Path) -> None:
    os.truncate(path, 4)


def replace(path: Path) -> None:
    """With one of the same size and time."""
    status = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(b"abcdefghij")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def touch(path: Path) -> None:
    """By a nanosecond, which a date cannot tell."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


@pytest.mark.parametrize("change", [overwrite, append, truncate, replace, touch])
async def test_a_changed_file_has_another_tag(site: Site, change: Callable[[Path], None]) -> None:
    path = site.add("a.bin", SMALL)
    before = await site.etag("/a.bin")
    change(path)
    after = await site.get("/a.bin", f"If-None-Match: {before}")
    assert after.status == 200
    assert after["etag"] != before
    assert after.body == path.read_bytes()
    resumed = await site.get("/a.bin", "Range: bytes=1-", f"If-Range: {before}")
    assert (resumed.status, resumed.body) == (200, path.read_bytes())


async def test_a_file_keeps_its_tag_while_it_stays_the_same(site: Site) -> None:
    path = site.add("a.bin", SMALL)
    tags = {await site.etag("/a.bin") for _ in range(3)}
    path.chmod(0o600)
    path.rename(site.folder / "b.bin")
    tags.add(await site.etag("/b.bin"))
    assert len(tags) == 1


async def test_all_methods_and_parts_have_one_tag(site: Site) -> None:
    site.add("a.bin", SMALL)
    tag = await site.etag("/a.bin")
    for lines in ((), ("Range: bytes=1-2",), ("Range: bytes=0-0,5-5",), ("If-None-Match: *",)):
        assert (await site.get("/a.bin", *lines))["etag"] == tag


@pytest.mark.parametrize("modified", [-1.5, 0.0, 1.0])
async def test_a_file_may_be_of_any_age(site: Site, modified: float) -> None:
    site.add("a.bin", SMALL, modified=modified)
    reply = await site.get("/a.bin")
    assert (reply.status, reply.body) == (200, SMALL)
    date = reply["last-modified"]
    assert date is not None
    assert (await site.get("/a.bin", f"If-Modified-Since: {date}")).status == 304
    assert (await site.get("/a.bin", f"If-Unmodified-Since: {date}")).status == 200


@pytest.mark.parametrize("modified", [4_000_000_000.0, 32_503_680_000.0])
async def test_a_file_from_the_future_has_no_date(site: Site, modified: float) -> None:
    """Last-Modified is never later than Date (8.8.2.1)."""
    site.add("a.bin", SMALL, modified=modified)
    reply = await site.get("/a.bin", f"If-Unmodified-Since: {SAME}")
    assert (reply.status, reply.body) == (200, SMALL)
    assert reply["last-modified"] is None
    assert (await site.get("/a.bin", f"If-None-Match: {reply['etag']}")).status == 304
