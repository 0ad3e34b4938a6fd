"""Folders as addresses: their slash, their page, and what of them is not there for anybody."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import msgspec
import pytest
from tests.apps.files.conftest import OpenSite
from tests.apps.files.sites import BROWSER, SECRET, Site, varies_on
from tests.conftest import Serve
from tests.server.client import Reply

from riverrun.apps.files import Files

PAGE = b"<!doctype html><title>ours</title>"
JSON = "Accept: application/json"
NOBODY = 65534


# A folder has a slash.


@pytest.mark.parametrize(
    ("name", "asked", "location"),
    [
        ("folder", "/folder", "/folder/"),
        ("folder", "/folder?sort=size&x=%20", "/folder/?sort=size&x=%20"),
        ("a/b/c", "/a/b/c", "/a/b/c/"),
        ("folder", "/%66older", "/folder/"),
        ("folder", "http://evil.example/folder", "/folder/"),
        ("with space", "/with%20space", "/with%20space/"),
        ("new\r\nset-cookie: a=b", "/new%0D%0Aset-cookie:%20a=b", None),
        ("\\evil.example", "/%5Cevil.example", "/%5Cevil.example/"),
        ("evil.example:80", "/evil.example:80", None),
        ("what?", "/what%3F", "/what%3F/"),
        ("夏", "/%E5%A4%8F", "/%E5%A4%8F/"),
    ],
)
async def test_a_folder_without_its_slash_is_redirected_to_itself(
    site: Site, name: str, asked: str, location: str | None
) -> None:
    (site.folder / name).mkdir(parents=True)
    for line in (BROWSER, JSON):
        reply = await site.get(asked, line)
        assert reply.status == 308
        found = reply["location"]
        assert found is not None
        assert location in (None, found)
        assert reply["set-cookie"] is None
        # Browsers take a backslash for a slash, so two of either would lead to another host.
        assert found[0] == "/"
        assert found[1] not in "/\\"
        parts = urlsplit(urljoin("http://here.example/", found))
        assert parts.hostname == "here.example"
        assert parts.path.endswith("/")
        assert (await site.get(found, line)).status == 200


@pytest.mark.parametrize(
    "asked",
    [
        "//evil.example",
        "//evil.example/",
        "///evil.example",
        "//evil.example/%2e%2e",
        "/\\evil.example",
        "/\\/evil.example",
        "/%2Fevil.example",
        "/%2F%2Fevil.example",
        "/.//evil.example",
        "/folder//",
        "/folder//evil.example",
        "//folder",
    ],
)
async def test_no_address_leads_to_another_host(site: Site, asked: str) -> None:
    (site.folder / "folder" / "evil.example").mkdir(parents=True)
    (site.folder / "evil.example").mkdir()
    reply = await site.get(asked, BROWSER)
    assert reply.status in (400, 404)
    assert reply["location"] is None


async def test_head_is_redirected_as_get_is(site: Site) -> None:
    (site.folder / "folder").mkdir()
    reply = await site.get("/folder", method="HEAD")
    assert (reply.status, reply["location"]) == (308, "/folder/")


# The page of a folder.


async def test_a_browser_gets_the_page_of_a_folder_and_a_program_its_listing(site: Site) -> None:
    site.add("index.html", PAGE)
    site.add("sub/index.html", PAGE)
    for path in ("/", "/sub/"):
        page = await site.get(path, BROWSER)
        assert (page.status, page.body) == (200, PAGE)
        assert page["content-type"] == "text/html; charset=utf-8"
        assert varies_on(page) == {"accept"}
        for lines in ((), (JSON,), ("Accept: */*",)):
            listing = await site.get(path, *lines)
            assert listing["content-type"] == "application/json"
            assert "index.html" in {e["name"] for e in msgspec.json.decode(listing.body)["entries"]}
            assert "accept" in varies_on(listing)


async def test_a_page_is_conditional_and_has_ranges(site: Site) -> None:
    site.add("index.html", PAGE)
    tag = await site.etag("/", BROWSER)
    reply = await site.get("/", BROWSER, f"If-None-Match: {tag}")
    assert reply.status == 304
    assert varies_on(reply) == {"accept"}
    reply = await site.get("/", BROWSER, "Range: bytes=0-8")
    assert (reply.status, reply.body) == (206, PAGE[:9])
    reply = await site.get("/", BROWSER, method="HEAD")
    assert (reply.status, reply["content-length"]) == (200, str(len(PAGE)))


def an_index_that_is_a_folder(path: Path) -> None:
    path.mkdir()


def an_index_that_is_a_fifo(path: Path) -> None:
    os.mkfifo(path)


def an_index_that_leads_out(path: Path) -> None:
    path.symlink_to("../secret")


@pytest.mark.parametrize(
    "make", [an_index_that_is_a_folder, an_index_that_is_a_fifo, an_index_that_leads_out]
)
async def test_an_index_that_is_no_file_of_ours_is_no_page(site: Site, make: object) -> None:
    assert callable(make)
    make(site.folder / "index.html")
    reply = await site.get("/", BROWSER)
    assert reply.status == 200
    assert b'<a href="' in reply.body
    assert SECRET not in reply.body


# What is not there, and what is not yours.


@pytest.fixture
def not_yours(folder: Path) -> Iterator[dict[str, str]]:
    """Everything in a folder that nobody may have, by what it is, and where."""
    (folder / "file.txt").write_bytes(b"text")
    (folder / "real").mkdir()
    (folder / "real" / ".hidden").write_bytes(SECRET)
    (folder / ".hidden").write_bytes(SECRET)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_bytes(SECRET)
    os.mkfifo(folder / "fifo")
    (folder / "out.txt").symlink_to("../secret")
    (folder / "out").symlink_to("../outside")
    (folder / "absolute").symlink_to((folder / "../outside").resolve())
    (folder / "by-proc").symlink_to("/proc/self/root/etc/passwd")
    (folder / "dead").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    (folder / "there").symlink_to("back")
    (folder / "back").symlink_to("there")
    (folder / "up").symlink_to("..")
    places = {
        "a hidden file": "/.hidden",
        "a hidden folder": "/.git",
        "a hidden folder with its slash": "/.git/",
        "a file in a hidden folder": "/.git/config",
        "a hidden file further down": "/real/.hidden",
        "a hidden file that is not there": "/.missing",
        "a link to a file outside": "/out.txt",
        "a link to a folder outside": "/out",
        "its listing": "/out/",
        "a file in a folder outside": "/out/secret",
        "a file that is not in a folder outside": "/out/missing",
        "an absolute link": "/absolute/secret",
        "a link by way of the process": "/by-proc",
        "a link to the parent": "/up/secret",
        "a dead link": "/dead",
        "a link to itself": "/loop",
        "links that lead in a circle": "/there",
        "a file below a circle": "/there/a",
        "a FIFO": "/fifo",
        "a socket": "/socket",
        "a file with a slash": "/file.txt/",
        "a file in a file": "/file.txt/a",
        "a file in a FIFO": "/fifo/a",
        "a name that is too long": "/" + "n" * 256,
        "a path that is too long": "/" + "/".join(["n" * 200] * 25),
        "a missing folder": "/missing/",
        "a file in a missing folder": "/missing/a/b",
        "a missing download": "/missing?download",
        "a missing log": "/missing?follow",
        "a log outside": "/out.txt?follow",
        "a download from outside": "/out.txt?download",
    }
    with ExitStack() as stack:
        bound = stack.enter_context(socket.socket(socket.AF_UNIX))
        here = os.open(".", os.O_RDONLY)
        stack.callback(os.close, here)
        os.chdir(folder)  # the path of a socket is short
        bound.bind("socket")
        os.fchdir(here)
        yield places


def told(reply: Reply) -> tuple[int, list[tuple[str, str]], bytes]:
    """Everything of a reply but its date."""
    return reply.status, [field for field in reply.fields if field[0] != "date"], reply.body


@pytest.mark.parametrize("lines", [(), (BROWSER,), ("Range: bytes=0-", "If-None-Match: *")])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_nobody_can_tell_what_is_not_there_from_what_is_not_theirs(
    not_yours: dict[str, str], site: Site, method: str, lines: tuple[str, ...]
) -> None:
    missing = told(await site.get("/missing", *lines, method=method))
    assert missing[0] == 404
    for what, path in not_yours.items():
        found = told(await site.get(path, *lines, method=method))
        if BROWSER not in lines:
            assert found == missing, what
        # People are told the name that they have asked for, and of any name the same.
        name = path.removeprefix("/real").split("/")[1].partition("?")[0]
        other = "z" * len(name)
        status, fields, body = told(
            await site.get(path.replace(name, other), *lines, method=method)
        )
        assert found == (status, fields, body.replace(other.encode(), name.encode())), what


@pytest.mark.parametrize("name", ["null", "zero", "random", "tty", "stdin", "fd/0"])
async def test_a_device_is_not_there(roots: ExitStack, serve: Serve, name: str) -> None:
    files = Files("/dev")
    roots.callback(files.root.close)
    site = Site(Path("/dev"), files, await serve(files))
    assert told(await site.get(f"/{name}")) == told(await site.get("/missing"))


@pytest.fixture
def as_nobody(folder: Path) -> Iterator[None]:
    """Without the rights of the superuser, who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    folder.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_what_may_not_be_read_is_not_there(
    site: Site, folder: Path, request: pytest.FixtureRequest
) -> None:
    site.add("file.txt", SECRET).chmod(0)
    site.add("file.bin", SECRET).chmod(0)
    site.add("folder/file.txt", SECRET)
    (folder / "folder").chmod(0)
    site.add("page/index.html", SECRET).chmod(0)
    site.add("page/a.css", b"a").chmod(0o644)
    site.add("page/a.css.gz", SECRET).chmod(0)
    (folder / "page").chmod(0o755)
    request.getfixturevalue("as_nobody")
    missing = told(await site.get("/missing"))
    for path in ("/file.txt", "/file.bin", "/folder", "/folder/", "/folder/file.txt"):
        assert told(await site.get(path)) == missing, path
    listing = await site.get("/page/", BROWSER)
    assert listing.status == 200
    assert SECRET not in listing.body
    css = await site.get("/page/a.css", "Accept-Encoding: gzip")
    assert (css.status, css.body) == (200, b"a")


async def test_hidden_names_are_there_for_who_asked_for_them(open_site: OpenSite) -> None:
    site = await open_site(hidden=True)
    site.add(".hidden", b"seen")
    site.add(".git/config", b"seen")
    for path in ("/.hidden", "/.git/config"):
        assert (await site.get(path)).body == b"seen"
    assert (await site.get("/.git")).status == 308
    listing = await site.get("/", JSON)
    assert {e["name"] for e in msgspec.json.decode(listing.body)["entries"]} == {".hidden", ".git"}


async def test_a_listing_leads_to_nothing_that_is_not_served(
    not_yours: dict[str, str], site: Site
) -> None:
    listing = msgspec.json.decode((await site.get("/", JSON)).body)
    assert {e["name"] for e in listing["entries"] if e["href"]} == {"file.txt", "real"}
    for entry in listing["entries"]:
        if entry["href"]:
            assert (await site.get("/" + entry["href"])).status == 200


# The folder itself.


async def test_a_folder_is_served_wherever_it_is_moved(site: Site) -> None:
    site.add("a.txt", b"here")
    site.add("sub/b.txt", b"there")
    site.folder.rename(site.folder.with_name("moved"))
    site.folder.mkdir()
    (site.folder / "a.txt").write_bytes(SECRET)
    assert (await site.get("/a.txt")).body == b"here"
    assert (await site.get("/sub/b.txt")).body == b"there"
    names = {e["name"] for e in msgspec.json.decode((await site.get("/", JSON)).body)["entries"]}
    assert names == {"a.txt", "sub"}


async def test_a_folder_that_was_removed_is_empty(site: Site) -> None:
    site.folder.rmdir()
    assert (await site.get("/a.txt")).status == 404
    assert (await site.get("/", BROWSER)).status in (200, 404)


async def test_a_folder_below_may_be_renamed(site: Site) -> None:
    site.add("sub/a.txt", b"here")
    (site.folder / "sub").rename(site.folder / "other")
    assert (await site.get("/sub/a.txt")).status == 404
    assert (await site.get("/" + quote("other") + "/a.txt")).body == b"here"
