"""Siblings that hold a file compressed already: ``a.css.br``, ``a.css.zst``, ``a.css.gz``."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Callable
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
from backports import zstd
from tests.apps.files.sites import Site, owed, varies_on

TEXT = b"body { color: river }\n" * 400
BR, ZST, GZ = brotli.compress(TEXT), zstd.compress(TEXT), gzip.compress(TEXT)
ENCODED = {None: TEXT, "br": BR, "zstd": ZST, "gzip": GZ}
MTIME = 1_700_000_000.0
BOTH = "Accept-Encoding: br, zstd, gzip"


@pytest.fixture
def site_of_css(site: Site) -> Site:
    """One file, in all codings."""
    for suffix, content in (("", TEXT), (".br", BR), (".zst", ZST), (".gz", GZ)):
        site.add(f"a.css{suffix}", content, modified=MTIME)
    return site


@pytest.mark.parametrize(
    ("line", "coding"),
    [
        ((), None),
        (("Accept-Encoding: ",), None),
        (("Accept-Encoding: identity",), None),
        (("Accept-Encoding: deflate",), None),
        (("Accept-Encoding: gzip",), "gzip"),
        (("Accept-Encoding: x-gzip",), "gzip"),
        (("Accept-Encoding: GZIP",), "gzip"),
        (("Accept-Encoding: zstd",), "zstd"),
        (("Accept-Encoding: br",), "br"),
        (("Accept-Encoding: gzip, deflate, br, zstd",), "br"),
        (("Accept-Encoding: gzip, zstd",), "zstd"),
        (("Accept-Encoding: br;q=0.1, gzip;q=0.9",), "gzip"),
        (("Accept-Encoding: br;q=0, *",), "zstd"),
        (("Accept-Encoding: br;q=0, zstd;q=0, gzip;q=0",), None),
        (("Accept-Encoding: gzip;q=0.5, identity",), None),
        (("Accept-Encoding: *;q=0, gzip",), "gzip"),
        (("Accept-Encoding: gzip;q=0", "Accept-Encoding: zstd"), "zstd"),
    ],
)
async def test_the_client_gets_what_it_likes_best(
    site_of_css: Site, line: tuple[str, ...], coding: str | None
) -> None:
    reply = await site_of_css.get("/a.css", *line)
    assert (reply.status, reply["content-encoding"]) == (200, coding)
    assert reply.body == ENCODED[coding]
    assert reply["content-length"] == str(len(reply.body))
    assert reply["content-type"] == "text/css; charset=utf-8"
    assert varies_on(reply) == {"accept-encoding"}


async def test_each_coding_has_a_tag_of_its_own(site_of_css: Site) -> None:
    tags = {await site_of_css.etag("/a.css", f"Accept-Encoding: {c}") for c in ENCODED}
    assert len(tags) == len(ENCODED)
    assert not any(tag.startswith("W/") for tag in tags)


async def test_the_tag_of_one_coding_does_not_stand_for_another(site_of_css: Site) -> None:
    plain = await site_of_css.etag("/a.css")
    packed = await site_of_css.etag("/a.css", BOTH)
    for tag, status in ((plain, 200), (packed, 304)):
        reply = await site_of_css.get("/a.css", BOTH, f"If-None-Match: {tag}")
        assert reply.status == status
        assert reply["etag"] == packed
        assert varies_on(reply) == {"accept-encoding"}
    assert (await site_of_css.get("/a.css", BOTH, f"If-Match: {plain}")).status == 412
    assert (await site_of_css.get("/a.css", f"If-Match: {packed}")).status == 412


async def test_a_range_is_one_of_the_encoded_bytes(site_of_css: Site) -> None:
    packed = await site_of_css.etag("/a.css", BOTH)
    reply = await site_of_css.get("/a.css", BOTH, "Range: bytes=3-9", f"If-Range: {packed}")
    assert (reply.status, reply.body) == (206, BR[3:10])
    assert reply["content-encoding"] == "br"
    assert reply["content-range"] == f"bytes 3-9/{len(BR)}"
    assert reply["etag"] == packed
    assert varies_on(reply) == {"accept-encoding"}
    # Resuming what was not encoded with what is would mix the two.
    plain = await site_of_css.etag("/a.css")
    reply = await site_of_css.get("/a.css", BOTH, "Range: bytes=3-9", f"If-Range: {plain}")
    assert (reply.status, reply.body) == (200, BR)


async def test_head_tells_of_the_same_coding(site_of_css: Site) -> None:
    get = await site_of_css.get("/a.css", BOTH)
    head = await site_of_css.get("/a.css", BOTH, method="HEAD")
    names = ("content-encoding", "content-length", "content-type", "etag", "vary")
    assert owed(head, names) == owed(get, names)


async def test_a_large_sibling_is_sent_whole(site: Site) -> None:
    packed = gzip.compress(os.urandom(400_000))
    site.add("a.json", b"{}", modified=MTIME)
    site.add("a.json.gz", packed, modified=MTIME)
    assert (await site.get("/a.json", "Accept-Encoding: gzip")).body == packed


async def test_a_sibling_asked_for_by_name_is_a_file_like_others(site_of_css: Site) -> None:
    reply = await site_of_css.get("/a.css.gz", BOTH)
    assert reply.body == GZ
    assert reply["content-type"] == "application/gzip"
    assert reply["content-encoding"] is None


async def test_a_sibling_older_than_its_file_is_passed_over(site_of_css: Site) -> None:
    os.utime(site_of_css.folder / "a.css.br", (MTIME - 1, MTIME - 1))
    assert (await site_of_css.get("/a.css", BOTH))["content-encoding"] == "zstd"


async def test_a_sibling_alone_stands_for_nothing(site: Site) -> None:
    site.add("a.css.gz", GZ)
    assert (await site.get("/a.css", BOTH)).status == 404


async def test_without_siblings_nothing_varies(site: Site) -> None:
    site.add("a.css", TEXT)
    reply = await site.get("/a.css", BOTH)
    assert reply.body == TEXT
    assert varies_on(reply) == set()


def a_folder(path: Path) -> None:
    path.mkdir()


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


def a_link_out(path: Path) -> None:
    path.symlink_to("../secret")


def a_dead_link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [a_folder, a_fifo, a_socket, a_link_out, a_dead_link])
async def test_a_sibling_that_is_no_file_of_ours_is_passed_over(
    site: Site, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.folder)  # the path of a socket is short
    site.add("a.css", TEXT, modified=MTIME)
    make(Path("a.css.br"))
    site.add("a.css.gz", GZ, modified=MTIME)
    reply = await site.get("/a.css", BOTH)
    assert (reply.body, reply["content-encoding"]) == (GZ, "gzip")


async def test_the_page_of_a_folder_has_siblings_too(site: Site) -> None:
    site.add("sub/index.html", TEXT, modified=MTIME)
    site.add("sub/index.html.gz", GZ, modified=MTIME)
    browser = "Accept: text/html"
    reply = await site.get("/sub/", browser, BOTH)
    assert (reply["content-encoding"], reply.body) == ("gzip", GZ)
    plain = await site.get("/sub/", browser)
    assert (plain["content-encoding"], plain.body) == (None, TEXT)
    assert varies_on(reply) == varies_on(plain) == {"accept", "accept-encoding"}
