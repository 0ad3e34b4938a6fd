"""Parts of a file: one range, many, none that there is (RFC 9110, 14)."""

from __future__ import annotations

import email
import random
from collections.abc import Iterable
from email.message import Message
from pathlib import Path

import pytest
from tests.apps.files.sites import Site, taken
from tests.server.client import Client, Reply

TEN = b"0123456789"
THOUSAND = random.Random(1).randbytes(1000)
LARGE = random.Random(2).randbytes(300_000)
NAMES = pytest.mark.parametrize("name", ["data.bin", "text.txt"])
GIB = 1 << 30


@NAMES
@pytest.mark.parametrize(
    ("asked", "content_range", "part"),
    [
        ("bytes=0-0", "bytes 0-0/10", b"0"),
        ("bytes=0-9", "bytes 0-9/10", TEN),
        ("bytes=5-7", "bytes 5-7/10", b"567"),
        ("bytes=9-9", "bytes 9-9/10", b"9"),
        ("bytes=9-", "bytes 9-9/10", b"9"),
        ("bytes=0-", "bytes 0-9/10", TEN),
        ("bytes=3-", "bytes 3-9/10", b"3456789"),
        ("bytes=8-1000", "bytes 8-9/10", b"89"),
        ("bytes=8-999999999999999999", "bytes 8-9/10", b"89"),
        ("bytes=-1", "bytes 9-9/10", b"9"),
        ("bytes=-10", "bytes 0-9/10", TEN),
        ("bytes=-1000", "bytes 0-9/10", TEN),
        ("bytes=007-0008", "bytes 7-8/10", b"78"),
        ("BYTES=1-2", "bytes 1-2/10", b"12"),  # 14.1: units are in any case
        ("bytes=1-2,", "bytes 1-2/10", b"12"),  # 5.6.1.2: empty elements are passed over
        ("bytes= 1-2", "bytes 1-2/10", b"12"),
        ("bytes=1-2,10-20", "bytes 1-2/10", b"12"),  # what cannot be satisfied is left out
        ("bytes=-0,1-2", "bytes 1-2/10", b"12"),
    ],
)
async def test_one_range_is_sent_alone(
    site: Site, name: str, asked: str, content_range: str, part: bytes
) -> None:
    site.add(name, TEN)
    whole = await site.get(f"/{name}")
    reply = await site.get(f"/{name}", f"Range: {asked}")

    assert (reply.status, reply.body) == (206, part)
    assert reply["content-range"] == content_range
    assert reply["content-length"] == str(len(part))
    # 15.3.7: what a 200 would have had
    for field in ("etag", "last-modified", "cache-control", "content-type"):
        assert reply[field] == whole[field] is not None
    assert reply["date"] is not None


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-299999", 1000, 300_000),
        ("bytes=65535-65536", 65535, 65537),
        ("bytes=-299999", 1, 300_000),
        ("bytes=4095-8192", 4095, 8193),
    ],
)
async def test_a_range_of_a_large_file_is_what_was_asked_for(
    site: Site, asked: str, start: int, end: int
) -> None:
    site.add("a.bin", LARGE)
    reply = await site.get("/a.bin", f"Range: {asked}")
    assert (reply.status, reply.body) == (206, LARGE[start:end])


@NAMES
@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=10-11,99-"])
async def test_a_range_behind_the_end_is_not_satisfiable(site: Site, name: str, asked: str) -> None:
    site.add(name, TEN)
    async with await Client.connect(site.server) as client:
        reply = await client.ask(f"/{name}", "GET", f"Range: {asked}")
        assert reply.status == 416
        assert reply["content-range"] == "bytes */10"
        assert TEN not in reply.body
        assert (await client.ask(f"/{name}")).body == TEN


@NAMES
@pytest.mark.parametrize(
    "asked",
    [
        "lines=1-2",  # 14.2: a unit that is not known is ignored
        "bytes=",
        "bytes=,",
        "bytes",
        "bytes 1-2",
        "bytes=-",
        "bytes=5-4",  # 14.1.1: not valid
        "bytes=1-2,5-4",
        "bytes=a-b",
        "bytes=1-b",
        "bytes=0x1-2",
        "bytes=+1-2",
        "bytes=--1",
        "bytes=1.0-2",
        "bytes=1-2-3",
        "bytes=1 - 2",
        "bytes=1-2;",
        "bytes=1_0-",
        "bytes=²-3",
        "bytes=1-2, bytes=4-5",
    ],
)
async def test_a_range_that_is_not_valid_is_ignored(site: Site, name: str, asked: str) -> None:
    site.add(name, TEN)
    reply = await site.get(f"/{name}", f"Range: {asked.encode().decode('latin-1')}")
    assert (reply.status, reply.body) == (200, TEN)
    assert reply["content-range"] is None


@pytest.mark.parametrize("asked", ["bytes=0-", "bytes=-5", "bytes=0-0", "bytes=5-"])
async def test_an_empty_file_is_sent_empty_whatever_part_is_asked_for(
    site: Site, asked: str
) -> None:
    site.add("empty.bin")
    reply = await site.get("/empty.bin", f"Range: {asked}")
    assert (reply.status, reply.body) == (200, b"")
    assert reply["content-length"] == "0"


@pytest.mark.parametrize("asked", ["bytes=1-2", "bytes=10-", "bytes=0-0,5-5"])
async def test_a_range_counts_only_for_get(site: Site, asked: str) -> None:
    site.add("a.bin", TEN)
    reply = await site.get("/a.bin", f"Range: {asked}", method="HEAD")
    assert reply.status == 200
    assert reply["content-length"] == "10"


# Many ranges.


def parts(reply: Reply) -> list[Message]:
    """The parts of a multipart body, as the mail package takes it apart."""
    head = f"content-type: {reply['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + reply.body)
    assert message.get_content_type() == "multipart/byteranges"
    assert not message.defects
    found = [part for part in message.walk() if part is not message]
    assert not any(part.defects for part in found)
    return found


def content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


@NAMES
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-9,200-209", [(0, 10), (200, 210)]),
        ("bytes=0-0,-1", [(0, 1), (999, 1000)]),
        ("bytes=900-909,0-9", [(900, 910), (0, 10)]),  # in the order they were asked for
        ("bytes=0-9, 300-309 ,, 600-609", [(0, 10), (300, 310), (600, 610)]),
        ("bytes=0-9,500-509,5000-", [(0, 10), (500, 510)]),
        ("bytes=950-2000,0-9", [(950, 1000), (0, 10)]),
    ],
)
async def test_many_ranges_are_sent_as_parts(
    site: Site, name: str, asked: str, expected: list[tuple[int, int]]
) -> None:
    site.add(name, THOUSAND)
    whole = await site.get(f"/{name}")
    async with await Client.connect(site.server) as client:
        reply = await client.ask(f"/{name}", "GET", f"Range: {asked}")
        assert (await client.ask(f"/{name}")).body == THOUSAND  # the length was right

    assert reply.status == 206
    assert reply["content-range"] is None  # 15.3.7.2: only in the parts
    assert reply["etag"] == whole["etag"]
    found = parts(reply)
    assert [part["content-range"] for part in found] == [
        f"bytes {start}-{end - 1}/1000" for start, end in expected
    ]
    assert [content(part) for part in found] == [THOUSAND[start:end] for start, end in expected]
    assert {part["content-type"] for part in found} == {whole["content-type"]}


async def test_large_parts_are_sent_whole(site: Site) -> None:
    site.add("a.bin", LARGE)
    reply = await site.get("/a.bin", "Range: bytes=0-99999,150000-249999")
    assert [content(part) for part in parts(reply)] == [LARGE[:100_000], LARGE[150_000:250_000]]


async def test_the_boundary_is_another_each_time(site: Site) -> None:
    site.add("a.bin", THOUSAND)
    types = {
        (await site.get("/a.bin", "Range: bytes=0-0,500-500"))["content-type"] for _ in range(3)
    }
    assert len(types) == 3


def ranges(pairs: Iterable[tuple[int, int]]) -> str:
    return "Range: bytes=" + ",".join(f"{first}-{last}" for first, last in pairs)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(ranges((n * 100, n * 100) for n in range(17)), id="too many"),
        pytest.param(ranges([(0, 1999)] * 3), id="the whole three times"),
        pytest.param(ranges([(0, 1499), (400, 1999)]), id="more than there is"),
        pytest.param("Range: bytes=" + "0-," * 1000 + "0-", id="a thousand"),
    ],
)
async def test_who_asks_for_too_much_gets_the_whole_once(site: Site, line: str) -> None:
    site.add("a.bin", THOUSAND * 2)
    reply = await site.get("/a.bin", line)
    assert (reply.status, reply.body) == (200, THOUSAND * 2)


async def test_ranges_that_overlap_are_sent_once(site: Site) -> None:
    site.add("a.bin", THOUSAND)
    reply = await site.get("/a.bin", "Range: bytes=0-299,100-399,800-899")
    assert [part["content-range"] for part in parts(reply)] == [
        "bytes 0-399/1000",
        "bytes 800-899/1000",
    ]
    reply = await site.get("/a.bin", "Range: bytes=0-299,100-399")
    assert (reply.status, reply["content-range"]) == (206, "bytes 0-399/1000")


# Beyond what 32 bits can count.


@pytest.fixture
def huge(folder: Path) -> Path:
    """5 GiB without a block but for marks about 4 GiB and at the end."""
    path = folder / "huge.bin"
    with path.open("wb") as file:
        file.truncate(5 * GIB)
        file.seek(4 * GIB - 4)
        file.write(b"BEFORE-AFTER")
        file.seek(5 * GIB - 3)
        file.write(b"END")
    return path


@pytest.mark.parametrize(
    ("asked", "content_range", "part"),
    [
        ("bytes=4294967292-4294967303", "bytes 4294967292-4294967303/5368709120", b"BEFORE-AFTER"),
        ("bytes=4294967296-4294967296", "bytes 4294967296-4294967296/5368709120", b"R"),
        ("bytes=-3", "bytes 5368709117-5368709119/5368709120", b"END"),
        ("bytes=5368709117-", "bytes 5368709117-5368709119/5368709120", b"END"),
        ("bytes=5368709119-99999999999", "bytes 5368709119-5368709119/5368709120", b"D"),
    ],
)
async def test_ranges_lie_beyond_4_gib(
    site: Site, huge: Path, asked: str, content_range: str, part: bytes
) -> None:
    reply = await site.get("/huge.bin", f"Range: {asked}")
    assert (reply.status, reply["content-range"], reply.body) == (206, content_range, part)


async def test_parts_lie_on_both_sides_of_4_gib(site: Site, huge: Path) -> None:
    reply = await site.get("/huge.bin", "Range: bytes=0-2,4294967296-4294967303,-3")
    assert [content(part) for part in parts(reply)] == [b"\0" * 3, b"RE-AFTER", b"END"]


async def test_the_length_of_a_huge_file_is_told(site: Site, huge: Path) -> None:
    assert (await site.get("/huge.bin", method="HEAD"))["content-length"] == str(5 * GIB)
    async with site.asking("/huge.bin") as (_, reply):
        assert reply["content-length"] == str(5 * GIB)
    async with site.asking("/huge.bin", "Range: bytes=1-") as (_, reply):
        assert reply["content-length"] == str(5 * GIB - 1)
    reply = await site.get("/huge.bin", "Range: bytes=5368709120-")
    assert (reply.status, reply["content-range"]) == (416, "bytes */5368709120")


async def test_a_range_is_the_end_of_what_is_sent_to_who_closes(site: Site) -> None:
    site.add("a.bin", LARGE)
    async with site.asking("/a.bin", "Range: bytes=-70000", "Connection: close") as (client, reply):
        assert reply.closes
        assert await taken(client) == LARGE[-70000:]
