"""`walk`: the files below a folder of a server, under names that are safe here."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.client.conftest import Remembering
from tests.conftest import Serve

from riverrun import Files, Request, Response
from riverrun.client import AnswerError, RefusalError, RemoteFile, Session, walk
from riverrun.client.names import below, is_folder, linked, name_of


async def paths(url: str, session: Session, progress: Remembering) -> list[str]:
    return [
        found.path if isinstance(found, RemoteFile) else f"{found}/"
        async for found in walk(url, session, progress)
    ]


async def test_a_folder_is_listed_to_its_end_and_its_depth(
    serve: Serve, tmp_path: Path, session: Session, progress: Remembering
) -> None:
    (tmp_path / "in" / "deep é").mkdir(parents=True)
    (tmp_path / "in" / "deep é" / "x?#%.txt").write_bytes(b"12345")
    names = [f"{number:04}" for number in range(2500)]
    for name in names:
        (tmp_path / name).touch()
    server = await serve(Files(tmp_path))
    url = f"http://127.0.0.1:{server.port}/"
    found = [entry async for entry in walk(url, session, progress)]
    files = {file.path: file for file in found if isinstance(file, RemoteFile)}
    assert set(files) == {*names, "in/deep é/x?#%.txt"}
    assert [path for path in found if isinstance(path, str)] == ["", "in", "in/deep é"]
    deep = files["in/deep é/x?#%.txt"]
    assert deep.url == f"{url}in/deep%20%C3%A9/x%3F%23%25.txt"
    assert deep.size == 5
    assert deep.modified == int((tmp_path / "in" / "deep é" / "x?#%.txt").stat().st_mtime)


@pytest.mark.parametrize(
    ("href", "kind"),
    [
        ("..", "file"),
        ("../", "directory"),
        (".", "file"),
        ("%2e%2e", "file"),
        ("%2E%2E/", "directory"),
        ("a/b", "file"),
        ("a%2Fb", "file"),
        ("a%00b", "file"),
        ("/etc/passwd", "file"),
        ("//other/x", "file"),
        ("http://other/x", "file"),
        ("a?b", "file"),
        ("a#b", "file"),
        ("a\\b", "file"),
        ("", "file"),
        ("/", "directory"),
        ("a/", "file"),
        ("a", "directory"),
    ],
)
async def test_a_link_that_leads_elsewhere_is_left_out(
    serve: Serve, session: Session, progress: Remembering, href: str, kind: str
) -> None:
    entries = [{"name": "bad", "type": kind, "href": href},
               {"name": "good", "type": "file", "href": "good"}]  # fmt: skip

    async def handler(request: Request, response: Response) -> None:
        response.headers["content-type"] = "application/json"
        await response.end(msgspec.json.encode({"entries": entries, "next": None}))

    server = await serve(handler)
    found = await paths(f"http://127.0.0.1:{server.port}/", session, progress)
    assert found == ["/", "good"]
    assert len(progress.said) == 1


@pytest.mark.parametrize("following", ["http://other/", "/elsewhere/?cursor=1", "?limit=1000"])
async def test_a_listing_that_leads_elsewhere_or_in_a_circle_is_refused(
    serve: Serve, session: Session, progress: Remembering, following: str
) -> None:
    async def handler(request: Request, response: Response) -> None:
        response.headers["content-type"] = "application/x-ndjson"
        await response.end(msgspec.json.encode({"next": following}) + b"\n")

    server = await serve(handler)
    with pytest.raises(AnswerError, match="leads"):
        await paths(f"http://127.0.0.1:{server.port}/a/", session, progress)


@pytest.mark.parametrize(
    ("media_type", "body"),
    [("text/html", b"<p>"), ("application/json", b"[]"), ("application/x-ndjson", b"{")],
)
async def test_what_is_no_listing_is_refused(
    serve: Serve, session: Session, progress: Remembering, media_type: str, body: bytes
) -> None:
    async def handler(request: Request, response: Response) -> None:
        response.headers["content-type"] = media_type
        await response.end(body)

    server = await serve(handler)
    with pytest.raises(AnswerError):
        await paths(f"http://127.0.0.1:{server.port}/", session, progress)


async def test_folders_in_folders_without_end_are_given_up(
    serve: Serve, session: Session, progress: Remembering
) -> None:
    async def handler(request: Request, response: Response) -> None:
        response.headers["content-type"] = "application/x-ndjson"
        await response.end(b'{"name": "loop", "type": "directory", "href": "loop/"}\n')

    server = await serve(handler)
    with pytest.raises(AnswerError, match="more than 64 folders"):
        await paths(f"http://127.0.0.1:{server.port}/", session, progress)


async def test_a_folder_that_is_not_there_is_a_refusal(
    serve: Serve, tmp_path: Path, session: Session, progress: Remembering
) -> None:
    server = await serve(Files(tmp_path))
    with pytest.raises(RefusalError, match="404"):
        await paths(f"http://127.0.0.1:{server.port}/none/", session, progress)


def test_addresses_and_names_lead_to_each_other() -> None:
    assert name_of("http://h/a/b%20c.iso?x#y") == "b c.iso"
    assert name_of("http://h/photos/") == "photos"
    assert name_of("http://h:80") == "h"
    assert below("http://h/up/?x", "a b/é".replace("/", "")) == "http://h/up/a%20b%C3%A9"
    assert linked("http://h/up/?limit=3", "a%20b") == "http://h/up/a%20b"
    assert is_folder("http://h")
    assert not is_folder("http://h/a?b/")
