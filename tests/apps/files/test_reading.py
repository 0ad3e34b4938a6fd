"""Files as they are read: what is sent, and which fields go with it (RFC 9110, 8, 9, 15)."""

from __future__ import annotations

import re
from email.message import Message
from email.utils import formatdate
from urllib.parse import quote, unquote

import pytest
from tests.apps.files.conftest import OpenSite
from tests.apps.files.sites import BROWSER, Site, owed, varies_on
from tests.server.client import Client

SMALL, LARGE = b"0123456789", bytes(range(256)) * 1024
SIZES = pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
NAMES = pytest.mark.parametrize("name", ["data.bin", "text.txt"])
WHOLE_FIELDS = (
    "content-type",
    "content-length",
    "accept-ranges",
    "etag",
    "last-modified",
    "cache-control",
    "x-content-type-options",
)
MTIME = 1_700_000_000


@NAMES
@SIZES
async def test_a_file_is_sent_whole(site: Site, name: str, content: bytes) -> None:
    site.add(name, content, modified=MTIME + 0.75)

    reply = await site.get(f"/{name}")

    assert reply.status == 200
    assert reply.body == content
    assert reply["content-length"] == str(len(content))
    assert reply["accept-ranges"] == "bytes"
    assert reply["last-modified"] == formatdate(MTIME, usegmt=True)
    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', reply["etag"] or "")
    assert reply["x-content-type-options"] == "nosniff"
    assert reply["date"] is not None
    assert reply["transfer-encoding"] is None


@NAMES
@SIZES
async def test_head_sends_the_fields_of_get_and_no_body(
    site: Site, name: str, content: bytes
) -> None:
    site.add(name, content)
    async with await Client.connect(site.server) as client:
        get = await client.ask(f"/{name}")
        head = await client.ask(f"/{name}", "HEAD")
        again = await client.ask(f"/{name}")  # finds no body of the HEAD before it

    assert (head.status, head.body) == (200, b"")
    assert owed(head, WHOLE_FIELDS) == owed(get, WHOLE_FIELDS)
    assert again.body == content


async def test_many_files_are_sent_on_one_connection(site: Site) -> None:
    for number in range(8):
        site.add(f"{number}.bin", bytes([number]) * (1 << (2 * number)))
    async with await Client.connect(site.server) as client:
        for number in range(8):
            reply = await client.ask(f"/{number}.bin")
            assert reply.body == bytes([number]) * (1 << (2 * number))


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
async def test_a_client_of_http_1_0_gets_a_counted_body(site: Site, content: bytes) -> None:
    site.add("a.bin", content)
    answer = await site.raw(b"GET /a.bin HTTP/1.0\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"\r\ncontent-length: %d" % len(content) in head
    assert b"transfer-encoding" not in head
    assert body == content


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.html", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.md", "text/markdown; charset=utf-8"),
        ("a.csv", "text/csv; charset=utf-8"),
        ("a.vtt", "text/vtt; charset=utf-8"),
        ("a.json", "application/json"),  # RFC 8259, 11: it has no charset
        ("a.svg", "image/svg+xml"),  # XML says its encoding itself
        ("a.png", "image/png"),
        ("a.PNG", "image/png"),
        ("a.mp4", "video/mp4"),
        ("a.webm", "video/webm"),
        ("a.mp3", "audio/mpeg"),
        ("a.pdf", "application/pdf"),
        ("a.tar.gz", "application/gzip"),
        ("a.wasm", "application/wasm"),
        ("a.unheard-of", "application/octet-stream"),
        ("README", "text/plain; charset=utf-8"),
        ("noextension", "application/octet-stream"),
    ],
)
async def test_the_media_type_is_told_by_the_name_and_not_to_be_guessed(
    site: Site, name: str, content_type: str
) -> None:
    site.add(name, b"<script>")
    reply = await site.get(f"/{name}", BROWSER)
    assert reply["content-type"] == content_type
    assert reply["x-content-type-options"] == "nosniff"
    assert reply["content-encoding"] is None


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "with space.txt",
        "50%.txt",
        "%41.txt",
        "%2e%2e",
        "%2Fetc%2Fpasswd",
        "what?.txt",
        "a#b.txt",
        "a;b=c&d.txt",
        "a+b.txt",
        "quote\"quote'.txt",
        "<b>&amp;.txt",
        "new\nline\r.txt",
        "tab\tbell\a\x7f.txt",
        "back\\slash.txt",
        "..\\..\\secret",
        "fluß/夏/🌊.txt",
        "e\u0301 and \u00e9.txt",
        "...",
        "a..b",
        "a.",
        "~",
        ":",
        "C:",
        "*",
        "index.html",
        "n" * 255,
        "deep/" * 40 + "end",
    ],
)
async def test_a_name_is_served_whatever_it_holds(open_site: OpenSite, name: str) -> None:
    site = await open_site(hidden=True)
    site.add(name, SMALL)
    reply = await site.get("/" + quote(name))
    assert (reply.status, reply.body) == (200, SMALL)


async def test_a_name_need_not_be_utf8(site: Site) -> None:
    name = b"\xff\xfe gr\xfcn.txt".decode("utf-8", "surrogateescape")
    site.add(name, SMALL)
    reply = await site.get("/%FF%FE%20gr%FCn.txt")
    assert (reply.status, reply.body) == (200, SMALL)


async def test_a_query_that_means_nothing_is_ignored(site: Site) -> None:
    site.add("a.bin", SMALL)
    assert (await site.get("/a.bin?v=1&x")).body == SMALL
    assert (await site.get("/a.bin?")).body == SMALL


def disposition(value: str | None) -> tuple[str, str | None]:
    """The kind, and the file name: the extended one where there is one (RFC 6266, 4.3)."""
    message = Message()
    message["content-disposition"] = value or ""
    extended = re.search(r"filename\*=UTF-8''(\S+)", value or "")
    name = unquote(extended[1]) if extended else message.get_filename()
    return message.get_content_disposition() or "", name


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    ("name", "query", "filename"),
    [
        ("a.bin", "download", "a.bin"),
        ("a.bin", "download=", "a.bin"),
        ("a.txt", "x=1&download", "a.txt"),
        ("a.bin", "download=b.dat", "b.dat"),
        ("a.bin", "download=two+words%20more.dat", "two words more.dat"),
        ("grün 🌊.txt", "download", "grün 🌊.txt"),
        ("a.bin", "download=%E5%A4%8F.txt", "夏.txt"),
        ('quo"te.txt', "download", 'quo"te.txt'),
        ("a.bin", "download=..%2F..%2Fetc%2Fpasswd", ".._.._etc_passwd"),
        ("a.bin", "download=a%0D%0Aset-cookie:%20x", "a__set-cookie: x"),
    ],
)
async def test_download_names_the_file_to_be_saved(
    site: Site, name: str, query: str, filename: str, content: bytes
) -> None:
    site.add(name, content)
    reply = await site.get(f"/{quote(name)}?{query}")
    assert (reply.status, reply.body) == (200, content)
    assert reply["set-cookie"] is None
    assert disposition(reply["content-disposition"]) == ("attachment", filename)


async def test_a_download_can_be_resumed(site: Site) -> None:
    site.add("a.bin", SMALL)
    reply = await site.get("/a.bin?download", "Range: bytes=4-")
    assert (reply.status, reply.body) == (206, SMALL[4:])
    assert disposition(reply["content-disposition"]) == ("attachment", "a.bin")


async def test_without_download_a_file_is_shown(site: Site) -> None:
    site.add("a.bin", SMALL)
    assert (await site.get("/a.bin"))["content-disposition"] is None


METHODS = {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "TRACE"])
@pytest.mark.parametrize("path", ["/a.bin", "/", "/missing", "/.hidden"])
async def test_other_methods_are_refused_with_what_is_allowed(
    site: Site, method: str, path: str
) -> None:
    kept = site.add("a.bin", SMALL)
    reply = await site.get(path, method=method)
    assert reply.status == 405
    assert set((reply["allow"] or "").split(", ")) == METHODS
    assert kept.read_bytes() == SMALL


async def test_a_refused_body_is_not_stored(site: Site) -> None:
    async with await Client.connect(site.server) as client:
        reply = await client.ask("/new.txt", "PUT", body=b"x" * 1000)
        assert reply.status == 405
        assert (await client.ask("/new.txt")).status == 404
    assert list(site.folder.iterdir()) == []


@pytest.mark.parametrize("path", ["/a.bin", "/", "*"])
async def test_options_tells_what_is_allowed(site: Site, path: str) -> None:
    site.add("a.bin", SMALL)
    reply = await site.get(path, method="OPTIONS")
    assert reply.status == 204
    assert set((reply["allow"] or "").split(", ")) == METHODS
    assert reply["access-control-allow-origin"] is None


@pytest.mark.parametrize("origin", ["*", "https://example.org"])
@pytest.mark.parametrize(
    ("path", "lines", "status"),
    [
        ("/a.bin", (), 200),
        ("/a.bin", ("Range: bytes=0-1",), 206),
        ("/a.bin", ("Range: bytes=99-",), 416),
        ("/a.bin", ("If-None-Match: *",), 304),
        ("/a.bin", ('If-Match: "other"',), 412),
        ("/text.txt", (), 200),
        ("/missing", (), 404),
        ("/", (), 200),
    ],
)
async def test_pages_of_an_origin_may_read_every_answer(
    open_site: OpenSite, origin: str, path: str, lines: tuple[str, ...], status: int
) -> None:
    site = await open_site(cors=origin)
    site.add("a.bin", SMALL)
    site.add("text.txt", SMALL)
    reply = await site.get(path, "Origin: https://example.org", *lines)
    assert reply.status == status
    assert reply["access-control-allow-origin"] == origin


async def test_a_preflight_allows_ranges_and_conditions(open_site: OpenSite) -> None:
    site = await open_site(cors="*")
    reply = await site.get(
        "/a.bin",
        "Origin: https://example.org",
        "Access-Control-Request-Method: GET",
        "Access-Control-Request-Headers: range",
        method="OPTIONS",
    )
    assert reply.status == 204
    assert "GET" in (reply["access-control-allow-methods"] or "").split(", ")
    allowed = (reply["access-control-allow-headers"] or "").lower().split(", ")
    assert {"range", "if-range", "if-none-match"} <= set(allowed)


async def test_pages_may_read_what_ranges_need(open_site: OpenSite) -> None:
    site = await open_site(cors="*")
    site.add("a.bin", SMALL)
    exposed = (await site.get("/a.bin"))["access-control-expose-headers"] or ""
    assert {"accept-ranges", "content-range", "etag"} <= set(exposed.lower().split(", "))


async def test_without_cors_no_other_page_may_read(site: Site) -> None:
    site.add("a.bin", SMALL)
    reply = await site.get("/a.bin", "Origin: https://example.org")
    assert reply["access-control-allow-origin"] is None


async def test_one_origin_and_one_encoding_both_make_answers_differ(open_site: OpenSite) -> None:
    site = await open_site(cors="https://example.org")
    site.add("a.txt", SMALL)
    site.add("a.txt.gz", SMALL)
    assert varies_on(await site.get("/a.txt")) == {"origin", "accept-encoding"}
