from __future__ import annotations

import os
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.async_api import Browser
from tests.apps.files.listings import BROWSER, SeenPage, ask, make, seen
from tests.support.browser import DESKTOP, PHONE, Scheme, Window, visiting

from riverrun.apps.files.listing import send_listing
from riverrun.apps.files.listing.page import format_size
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import Server

HERE = "/videos/2024%20summer/"
SEGMENTS = ("videos", "2024 summer")


async def test_a_row_is_a_name_a_size_and_a_time(tmp_path: Path) -> None:
    film = tmp_path / "A film.mp4"
    film.write_bytes(b"x" * 1234)
    make(tmp_path, "sub/")
    for path in (film, tmp_path / "sub"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    folder, file = (await seen(tmp_path)).rows
    assert (folder.href, folder.cells) == ("sub/", ["sub", "", "2023-11-14 22:13"])
    assert (file.href, file.cells) == ("A%20film.mp4", ["A film.mp4", "1.2 kB", "2023-11-14 22:13"])


async def test_the_way_up_is_linked(tmp_path: Path) -> None:
    page = await seen(tmp_path, segments=SEGMENTS)
    assert page.title == page.heading == "2024 summer"
    assert page.path_of("Files", HERE) == "/"
    assert page.path_of("videos", HERE) == "/videos/"
    root = await seen(tmp_path)
    assert root.title == root.heading == "Files"
    assert "nav" not in root.tags


@pytest.mark.parametrize(
    ("query", "current", "links"),
    [
        ("", ("Name", "ascending"), ("?order=desc", "?sort=size", "?sort=time")),
        ("?order=desc", ("Name", "descending"), ("./", "?sort=size", "?sort=time")),
        ("?sort=size", ("Size", "descending"), ("./", "?sort=size&order=asc", "?sort=time")),
        (
            "?sort=time&order=asc&limit=9",
            ("Modified", "ascending"),
            ("?limit=9", "?sort=size&limit=9", "?sort=time&limit=9"),
        ),
    ],
)
async def test_the_head_of_each_column_sorts_by_it_and_the_current_one_turns_round(
    tmp_path: Path, query: str, current: tuple[str, str], links: tuple[str, str, str]
) -> None:
    page = await seen(tmp_path, query)
    assert tuple(page.links[label] for label in ("Name", "Size", "Modified")) == links
    assert page.sorted_by == [current]


async def test_an_order_is_kept_on_the_way_to_other_folders(tmp_path: Path) -> None:
    make(tmp_path, "sub/", "file")
    page = await seen(tmp_path, "?sort=time", segments=SEGMENTS)
    assert [row.href for row in page.rows] == ["sub/?sort=time", "file"]
    assert page.path_of("videos", HERE) == "/videos/?sort=time"


async def test_pages_are_linked_one_to_the_next(tmp_path: Path) -> None:
    make(tmp_path, "a", "b", "c")
    first = await seen(tmp_path, "?limit=2")
    assert "First page" not in first.links
    second = await seen(tmp_path, first.links["Next page"])
    assert [row.cells[0] for row in second.rows] == ["c"]
    assert "Next page" not in second.links
    assert second.links["First page"] == "?limit=2"


async def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    [row] = (await seen(tmp_path)).rows
    assert row.cells == ["This folder is empty."]


async def test_hostile_names_are_text(tmp_path: Path) -> None:
    name = "<script>alert(1)<&\"'\n\u202egpj.\x1b[31m\udcff"
    make(tmp_path, name)
    page = await seen(tmp_path, segments=("</title><script>alert(2)",))
    assert "script" not in page.tags
    assert page.rows[0].cells[0] == "<script>alert(1)<&\"'\ufffd\ufffdgpj.\ufffd[31m\ufffd"
    assert page.title == page.heading == "</title><script>alert(2)"


async def test_nothing_on_the_page_can_run_or_load(tmp_path: Path) -> None:
    answer = await ask(tmp_path, accept=BROWSER)
    [style] = re.findall(rb"<style>(.*?)</style>", answer.body, re.DOTALL)
    policy = (answer[b"content-security-policy"] or b"").decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{b64encode(sha256(style).digest()).decode()}'; " in policy
    assert not {"script", "iframe", "img", "form", "base"} & set(
        SeenPage(answer.body.decode()).tags
    )


async def test_a_long_listing_is_several_tables_with_the_same_columns(tmp_path: Path) -> None:
    make(tmp_path, *(f"{number:03}" for number in range(600)))
    page = await seen(tmp_path)
    assert [row.cells[0] for row in page.rows] == [f"{number:03}" for number in range(600)]
    assert page.tags.count("table") == 3
    assert page.tags.count("th") == 9


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1_234_567_890, "1.2 GB"),
        (2**63 - 1, "9.2 EB"),
        (2**64 * 1000, "18447 EB"),
    ],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("window", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_browser_shows_it_without_complaint(
    tmp_path: Path, browser: Browser, window: Window, scheme: Scheme
) -> None:
    make(tmp_path, "film.mp4", "music/", "word" * 60, "many words " * 20, "<b>")

    async def handler(request: Request, response: Response) -> None:
        directory = os.open(tmp_path, os.O_RDONLY)
        try:
            await send_listing(request, response, directory, SEGMENTS)
        finally:
            os.close(directory)

    async with (
        Server(handler, port=0) as server,
        visiting(browser, window, scheme=scheme) as visit,
    ):
        await visit.page.goto(f"http://127.0.0.1:{server.port}{HERE}")
        assert not await visit.overflows()
        table = visit.page.get_by_role("table", name="2024 summer")
        assert await table.get_by_role("row").count() == 6
        size = visit.page.get_by_role("columnheader", name="Size")
        assert await size.get_attribute("aria-sort") is None
        await size.get_by_role("link").click()
        assert await size.get_attribute("aria-sort") == "descending"
        assert visit.complaints == []
