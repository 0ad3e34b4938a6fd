"""What a person is told of what is not there: its name in plain words, and the way back."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import msgspec
import pytest
from tests.apps.files.conftest import OpenSite
from tests.apps.files.sites import BROWSER, Site


class Page(HTMLParser):
    """The text of a page, and its links: the addresses to which they lead, with their words."""

    def __init__(self, address: str, page: bytes) -> None:
        super().__init__()
        self.text = ""
        self.links: dict[str, str] = {}
        self._address = address
        self._link: str | None = None
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "script"
        if tag == "a":
            self._link = urljoin(self._address, dict(attrs)["href"] or "")
            self.links[self._link] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._link is not None:
            self.links[self._link] += data


async def page_of(site: Site, address: str) -> Page:
    reply = await site.get(address, BROWSER)
    assert reply.status == 404
    assert reply["vary"] == "accept"
    return Page(address, reply.body)


ALL = "All files"


@pytest.mark.parametrize(
    ("asked", "missing", "links"),
    [
        ("/a.txt", "a.txt", {"/": ALL}),
        ("/gone/", "gone", {"/": ALL}),
        ("/sub/a.txt", "a.txt", {"/sub/": "The folder “sub”", "/": ALL}),
        ("/sub/gone/b/c.txt?sort=size", "gone", {"/sub/": "The folder “sub”", "/": ALL}),
        ("/sub/gone/b/", "gone", {"/sub/": "The folder “sub”", "/": ALL}),
        ("/sub/a%20b/x", "x", {"/sub/a%20b/": "The folder “a b”", "/": ALL}),
        # A file is no folder.
        ("/sub/file/", "file", {"/sub/": "The folder “sub”", "/": ALL}),
        ("/sub/file/x", "file", {"/sub/": "The folder “sub”", "/": ALL}),
        ("/%3Cb%3E%22", '<b>"', {"/": ALL}),
    ],
)
async def test_what_is_missing_is_named_and_the_nearest_folder_linked(
    site: Site, asked: str, missing: str, links: dict[str, str]
) -> None:
    site.add("sub/file")
    site.add("sub/a b/other")
    page = await page_of(site, asked)
    assert f"There is no “{missing}” here" in page.text
    assert page.links == links
    for link in page.links:
        assert (await site.get(urljoin(asked, link))).status == 200


@pytest.mark.parametrize(
    "asked", ["/.secret/x", "/.secret/", "/link/x", "/locked/x", "/../outside/x", "/.riverrun/x"]
)
async def test_what_may_not_be_seen_is_as_missing_as_anything(site: Site, asked: str) -> None:
    site.add(".secret/there/x")
    site.add(".riverrun/x")
    (site.folder / "link").symlink_to("../outside")
    (site.folder / "locked").symlink_to("/root")
    reply = await site.get(asked, BROWSER)
    assert reply.status in (400, 404)
    assert set(Page(asked, reply.body).links) <= {"/"}


async def test_a_hidden_folder_is_the_way_back_where_it_is_shown(
    open_site: OpenSite, folder: Path
) -> None:
    site = await open_site(hidden=True)
    site.add(".config/x")
    site.add(".riverrun/x")
    assert "/.config/" in (await page_of(site, "/.config/gone")).links
    assert set((await page_of(site, "/.riverrun/x")).links) == {"/"}


async def test_a_name_cannot_turn_the_text_around(site: Site) -> None:
    page = await page_of(site, "/%E2%80%AEgpj.exe")
    assert "\u202e" not in page.text
    assert "\ufffdgpj.exe" in page.text


@pytest.mark.parametrize("asked", ["/a.txt", "/sub/gone/", "/.hidden"])
async def test_programs_get_what_they_always_got(site: Site, asked: str) -> None:
    site.add("sub/file")
    for line in ("Accept: */*", "Accept: application/json", "X-Nothing: 1"):
        reply = await site.get(asked, line)
        assert reply["content-type"] == "application/problem+json"
        assert msgspec.json.decode(reply.body) == {"title": "Not Found", "status": 404}
