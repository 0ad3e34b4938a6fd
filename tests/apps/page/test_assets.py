"""The files of the page over HTTP: never asked for twice, and as small as a client takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client

from riverrun.apps.page import Assets
from riverrun.web import Build, find_build

WHOLE = b"export const river = 'run';" * 100


@pytest.fixture
def build(tmp_path: Path) -> Build:
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "main-1234.js").write_bytes(WHOLE)
    (assets / "main-1234.js.br").write_bytes(b"as brotli")
    (assets / "main-1234.js.gz").write_bytes(b"as gzip, longer")
    (assets / "plain-5678.css").write_bytes(b"p{}")
    return Build(tmp_path, "assets/main-1234.js", ())


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("br, gzip", "br", b"as brotli"),
        ("gzip", "gzip", b"as gzip, longer"),
        ("gzip, br;q=0", "gzip", b"as gzip, longer"),
        ("identity", None, WHOLE),
        ("zstd", None, WHOLE),
    ],
)
async def test_the_smallest_form_that_is_taken_is_sent(
    build: Build, serve: Serve, accepted: str, coding: str | None, body: bytes
) -> None:
    server = await serve(Assets(build))
    async with await Client.connect(server) as client:
        reply = await client.ask("/~/assets/main-1234.js", "GET", f"Accept-Encoding: {accepted}")
    assert reply.status == 200
    assert reply["content-encoding"] == coding
    assert reply.body == body
    assert reply["vary"] == "accept-encoding"
    assert "immutable" in (reply["cache-control"] or "")
    assert reply["content-type"] == "text/javascript; charset=utf-8"
    assert reply["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/~/assets/", "/~/assets/other.js", "/~/assets/main-1234.js.br"])
async def test_nothing_else_is_there(build: Build, serve: Serve, path: str) -> None:
    server = await serve(Assets(build))
    async with await Client.connect(server) as client:
        assert (await client.ask(path, "GET")).status == 404


async def test_nothing_can_be_changed(build: Build, serve: Serve) -> None:
    server = await serve(Assets(build))
    async with await Client.connect(server) as client:
        reply = await client.ask("/~/assets/plain-5678.css", "DELETE")
    assert (reply.status, reply["allow"]) == (405, "GET, HEAD")


def test_there_is_no_build_where_none_was_made(tmp_path: Path) -> None:
    assert find_build(tmp_path) is None


def test_a_build_tells_what_a_document_loads(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(
        '{"src/main.tsx": {"file": "assets/main-1.js", "css": ["assets/main-2.css"]},'
        ' "src/other.tsx": {"file": "assets/other-3.js"}}'
    )
    build = find_build(tmp_path)
    assert build == Build(tmp_path, "assets/main-1.js", ("assets/main-2.css",))
