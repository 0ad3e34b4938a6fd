from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from tests.apps.files.listings import (
    BROWSER,
    JSON,
    NDJSON,
    ask,
    entries,
    make,
    names,
    page,
    seen,
)
from tests.http.wires import RecordingWire

from riverrun.apps.files.listing import folder
from riverrun.apps.files.listing_types import LISTING_TYPES
from riverrun.errors import DisconnectedError, HTTPError
from riverrun.testing import no_leaks


@pytest.fixture(autouse=True)
async def nothing_left_open() -> AsyncIterator[None]:
    async with no_leaks():
        yield


@pytest.fixture
def small_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a pass hold about 20 keys, so that a small folder takes many."""
    select = folder.select
    monkeypatch.setattr(
        folder,
        "select",
        lambda keys, after, **how: select(keys, after, size=1200, **how),
    )


# What it looks like


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (NDJSON, NDJSON),
        ("application/json;q=0.5, application/x-ndjson", NDJSON),
        ("text/html", "text/html; charset=utf-8"),
        ("text/*", "text/html; charset=utf-8"),
        (BROWSER, "text/html; charset=utf-8"),
        ("text/html, application/json;q=0.9", "text/html; charset=utf-8"),
        ("text/plain, */*;q=0.1", JSON),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_programs_get_json_and_browsers_a_page(
    tmp_path: Path, method: str, accept: str | None, content_type: str
) -> None:
    answer = await ask(tmp_path, accept=accept, method=method)
    assert answer[b"content-type"] == content_type.encode()
    assert answer[b"vary"] == b"accept"
    assert answer[b"cache-control"] == b"no-cache"
    assert answer[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize("accept", ["image/png", "text/plain", "application/json;q=0, text/css"])
async def test_who_takes_none_of_them_is_told_what_there_is(tmp_path: Path, accept: str) -> None:
    with pytest.raises(HTTPError) as caught:
        await ask(tmp_path, accept=accept)
    assert caught.value.status == 406
    assert all(name in str(caught.value) for name in LISTING_TYPES)


@pytest.mark.parametrize("accept", [JSON, NDJSON, BROWSER])
async def test_head_answers_as_get_and_reads_nothing(tmp_path: Path, accept: str) -> None:
    make(tmp_path, "a", "b/")
    (tmp_path / "link").symlink_to("a")
    got = await ask(tmp_path, "?sort=time", accept)
    headed = await ask(tmp_path, "?sort=time", accept, method="HEAD", resolve=pytest.fail)
    assert (headed.status_line, headed.body) == (got.status_line, b"")
    assert [field for field in got.fields if field not in headed.fields] == [
        (b"connection", b"close")  # how the end of a body is told when there is one
    ]


async def test_an_entry_tells_what_it_is(tmp_path: Path) -> None:
    film = tmp_path / "A film.mp4"
    film.write_bytes(b"12345")
    os.utime(film, ns=(0, 1_700_000_000_987_654_321))
    (tmp_path / "sub").mkdir()
    os.utime(tmp_path / "sub", ns=(0, -1))
    os.mkfifo(tmp_path / "pipe")
    os.utime(tmp_path / "pipe", (0, 0))
    document = msgspec.json.decode((await ask(tmp_path)).body)
    assert document == {
        "entries": [
            {
                "name": "sub",
                "type": "directory",
                "size": None,
                "modified": "1969-12-31T23:59:59.999Z",
                "href": "sub/",
                "media_type": None,
            },
            {
                "name": "A film.mp4",
                "type": "file",
                "size": 5,
                "modified": "2023-11-14T22:13:20.987Z",
                "href": "A%20film.mp4",
                "media_type": "video/mp4",
            },
            {
                "name": "pipe",
                "type": "other",
                "size": None,
                "modified": "1970-01-01T00:00:00.000Z",
                "href": None,
                "media_type": None,
            },
        ],
        "next": None,
    }


async def test_the_formats_tell_the_same(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "b/", *(f"{number}.jpg" for number in range(300)))
    document = msgspec.json.decode((await ask(tmp_path)).body)
    assert document["entries"] == await entries(tmp_path)
    assert [row.href for row in (await seen(tmp_path)).rows] == [
        entry["href"] for entry in document["entries"]
    ]


async def test_an_empty_folder_is_an_empty_listing(tmp_path: Path) -> None:
    assert (await ask(tmp_path)).body == b'{"entries":[],"next":null}\n'
    assert (await ask(tmp_path, accept=NDJSON)).body == b""


# What is listed


async def test_names_with_a_dot_in_front_are_hidden(tmp_path: Path) -> None:
    make(tmp_path, ".secret", ".git/", "shown", "..odd")
    assert await names(tmp_path) == ["shown"]
    assert await names(tmp_path, hidden=True) == [".git", "..odd", ".secret", "shown"]


@pytest.mark.parametrize("sort", ["name", "time", "size"])
async def test_links_are_listed_as_what_they_lead_to_if_that_is_ours(
    tmp_path: Path, sort: str
) -> None:
    make(tmp_path, "dir/", "file")
    (tmp_path / "file").write_bytes(b"123")
    for link, target in {"to-dir": "dir", "to-file": "file", "out": "/etc", "lost": "no"}.items():
        (tmp_path / link).symlink_to(target)

    def resolve(name: str) -> os.stat_result | None:
        return (tmp_path / name).stat() if name.startswith("to-") else None

    found = await entries(tmp_path, f"?sort={sort}&order=asc", resolve=resolve)
    assert {entry["name"]: (entry["type"], entry["size"], entry["href"]) for entry in found} == {
        "dir": ("directory", None, "dir/"),
        "to-dir": ("directory", None, "to-dir/"),
        "file": ("file", 3, "file"),
        "to-file": ("file", 3, "to-file"),
    }
    assert [entry["type"] for entry in found] == ["directory"] * 2 + ["file"] * 2


async def test_links_are_left_out_where_nobody_looks_where_they_lead(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert await names(tmp_path) == []
    assert await names(tmp_path, "?sort=size") == []


@pytest.mark.parametrize(
    ("raw", "name", "href"),
    [
        (b"caf\xe9.txt", "caf\ufffd.txt", "caf%E9.txt"),
        (b"\xff\xfe", "\ufffd\ufffd", "%FF%FE"),
        ("日本.txt".encode(), "日本.txt", "%E6%97%A5%E6%9C%AC.txt"),
        (b"<script>\"'&", "<script>\"'&", "%3Cscript%3E%22%27%26"),
        (b"two\nlines\r", "two\nlines\r", "two%0Alines%0D"),
        (b"a:b?c#d%41", "a:b?c#d%41", "a%3Ab%3Fc%23d%2541"),
        (b"back\\slash", "back\\slash", "back%5Cslash"),
        (b" - ", " - ", "%20-%20"),
    ],
)
@pytest.mark.parametrize("sort", ["name", "size"])
async def test_hostile_names_are_shown_and_linked_exactly(
    tmp_path: Path, raw: bytes, name: str, href: str, sort: str
) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + raw)).touch()
    [entry] = await entries(tmp_path, f"?sort={sort}")
    assert (entry["name"], entry["href"]) == (name, href)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into any folder")
async def test_a_folder_that_may_not_be_looked_into_is_not_there(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    tmp_path.chmod(0o400)
    try:
        with pytest.raises(HTTPError) as caught:
            await ask(tmp_path)
    finally:
        tmp_path.chmod(0o700)
        os.close(directory)
    assert caught.value.status == 404


# In which order


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "Dir other A b C"),
        ("?order=desc", "other Dir C b A"),
        ("?sort=size", "Dir other b A C"),
        ("?sort=size&order=asc", "Dir other A C b"),
        ("?sort=time", "other Dir C A b"),
        ("?sort=time&order=asc", "Dir other b A C"),
    ],
)
async def test_folders_first_then_by_what_is_asked(
    tmp_path: Path, query: str, expected: str
) -> None:
    make(tmp_path, "b", "A", "C", "other/", "Dir/")
    for name, size in {"A": 1, "b": 2, "C": 1}.items():
        (tmp_path / name).write_bytes(b"x" * size)
    for moment, name in enumerate(["b", "A", "C", "Dir", "other"]):
        os.utime(tmp_path / name, (moment, moment))
    assert await names(tmp_path, query) == expected.split()


@pytest.mark.usefixtures("small_passes")
@pytest.mark.parametrize("query", ["?sort=name", "?order=desc", "?sort=time", "?sort=size"])
async def test_a_folder_that_takes_many_passes_is_listed_whole_and_in_order(
    tmp_path: Path, query: str
) -> None:
    make(tmp_path, *(f"File {number * 37 % 400}" for number in range(400)))
    for number in range(400):
        os.truncate(tmp_path / f"File {number}", number % 7)
        os.utime(tmp_path / f"File {number}", (number % 5, number % 5))
    found = await entries(tmp_path, query)
    assert len({entry["name"] for entry in found}) == len(found) == 400
    expected = sorted(found, key=lambda entry: str(entry["name"]), reverse=query == "?order=desc")
    if query == "?sort=time":
        expected.sort(key=lambda entry: str(entry["modified"]), reverse=True)
    elif query == "?sort=size":
        expected.sort(key=lambda entry: int(entry["size"]), reverse=True)
    assert found == expected


# A page at a time


@pytest.mark.parametrize("sort", ["sort=name", "sort=name&order=desc", "sort=time", "sort=size"])
@pytest.mark.parametrize("limit", [1, 3, 10, 11])
async def test_pages_together_are_the_whole(tmp_path: Path, sort: str, limit: int) -> None:
    make(tmp_path, *(f"{letter}.txt" for letter in "aBcDeFgH"), "x/", "Y/")
    whole = await names(tmp_path, f"?{sort}")
    found: list[str] = []
    following: str | None = f"?{sort}&limit={limit}"
    while following is not None:
        part, following = await page(tmp_path, following)
        assert len(part) == min(limit, 10 - len(found))
        found += part
    assert found == whole


async def test_a_page_that_ends_where_the_folder_does_is_the_last(tmp_path: Path) -> None:
    make(tmp_path, "a", "b")
    assert await page(tmp_path, "?limit=2") == (["a", "b"], None)


async def test_what_comes_and_goes_between_pages_loses_and_doubles_nothing(tmp_path: Path) -> None:
    make(tmp_path, *"bdfhj")
    first, following = await page(tmp_path, "?limit=2")
    assert first == ["b", "d"]
    (tmp_path / "d").unlink()  # where the page ended
    (tmp_path / "b").unlink()
    (tmp_path / "h").unlink()
    make(tmp_path, "a", "c", "e", "g", "z")
    second, following = await page(
        tmp_path,
        following or "",
    )
    assert second == ["e", "f"]
    third, following = await page(tmp_path, following or "")
    assert (third, following) == (["g", "j"], following)
    assert await page(tmp_path, following or "") == (["z"], None)


async def test_a_page_behind_the_end_is_empty(tmp_path: Path) -> None:
    make(tmp_path, "a", "b")
    _, following = await page(tmp_path, "?limit=1")
    (tmp_path / "b").unlink()
    assert await page(tmp_path, following or "") == ([], None)


async def test_json_gives_a_thousand_entries_unless_told(tmp_path: Path) -> None:
    make(tmp_path, *(f"{number:04}" for number in range(1001)))
    first, following = await page(tmp_path, "")
    assert len(first) == 1000
    assert await page(tmp_path, following or "") == (["1000"], None)
    assert len((await page(tmp_path, "?limit=5000"))[0]) == 1001
    assert len(await names(tmp_path)) == 1001


async def test_ndjson_that_is_cut_off_by_its_limit_says_where_it_goes_on(tmp_path: Path) -> None:
    make(tmp_path, "a", "b", "c")
    *first, last = await entries(tmp_path, "?limit=2")
    assert [entry["name"] for entry in first] == ["a", "b"]
    assert list(last) == ["next"]
    assert await names(tmp_path, last["next"]) == ["c"]


async def test_a_cursor_of_another_folder_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "a", "b")
    _, following = await page(tmp_path, "?limit=1", segments=("here",))
    with pytest.raises(HTTPError) as caught:
        await page(tmp_path, following or "", segments=("there",))
    assert caught.value.status == 400


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_query_that_makes_no_sense_is_refused(tmp_path: Path, method: str) -> None:
    wire = RecordingWire()
    with pytest.raises(HTTPError) as caught:
        await ask(tmp_path, "?sort=colour", method=method, wire=wire)
    assert caught.value.status == 400
    assert not wire.sent


# What it costs


class NotingWire(RecordingWire):
    """Notes when the first byte came, and forgets the rest."""

    first_byte_at = 0.0

    def send(self, pieces: object) -> None:
        assert isinstance(pieces, (list, tuple))
        if not self.first_byte_at:
            self.first_byte_at = time.perf_counter()
            super().send(pieces)


@pytest.mark.timing  # 20 ms
@pytest.mark.parametrize("accept", [JSON, NDJSON, BROWSER])
async def test_the_first_byte_does_not_wait_for_100_000_entries(crowd: Path, accept: str) -> None:
    wire = NotingWire()
    begin = time.perf_counter()
    await ask(crowd, "?limit=100", accept, wire=wire)
    assert wire.first_byte_at - begin < 0.02


# Who goes away


async def test_a_cancel_stops_the_reading(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}").symlink_to("nowhere")
    reading, go_on = threading.Event(), threading.Event()
    looked_at = []

    def resolve(name: str) -> None:
        looked_at.append(name)
        reading.set()
        go_on.wait(10)

    wire = RecordingWire()
    task = asyncio.create_task(ask(tmp_path, accept=NDJSON, wire=wire, resolve=resolve))
    await asyncio.to_thread(reading.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert len(looked_at) == 1
    assert not wire.closes, "the response was ended"


async def test_a_client_that_has_gone_costs_no_reading(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(DisconnectedError):
        await ask(tmp_path, wire=RecordingWire(gone=True), resolve=pytest.fail)


async def test_a_client_that_stalls_stops_the_reading(tmp_path: Path) -> None:
    make(tmp_path, "a")
    (tmp_path / "link").symlink_to("a")
    looked_at: list[str] = []
    wire = RecordingWire(has_room=False)
    task = asyncio.create_task(ask(tmp_path, wire=wire, resolve=looked_at.append))
    for _ in range(10):
        await asyncio.sleep(0)
    assert wire.drains == 1
    assert not looked_at
    wire.make_room()
    assert b'"name":"a"' in (await task).body


async def test_a_folder_that_fails_midway_is_not_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    make(tmp_path, "a")
    monkeypatch.setattr(os, "scandir", fail)
    wire = RecordingWire()
    with pytest.raises(OSError, match="Input/output"):
        await ask(tmp_path, wire=wire)
    assert wire.sent
    assert not wire.closes, "the response was ended"


async def test_two_may_list_over_one_descriptor(tmp_path: Path) -> None:
    make(tmp_path, *(f"{number:04}" for number in range(2000)))
    one, other = await asyncio.gather(names(tmp_path), names(tmp_path))
    assert len(one) == 2000
    assert one == other
