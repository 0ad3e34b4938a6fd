"""Who means harm: other sites' pages, files that are scripts, and what wears a server out."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.apps.uploads import tus_requests as tus
from tests.apps.uploads.conftest import OpenInbox
from tests.apps.uploads.inboxes import Inbox
from tests.apps.uploads.test_form import MULTIPART, form, post
from tests.apps.uploads.test_resumable import PART, add, begin
from tests.server.client import Reply, until

from riverrun.apps.uploads import Permissions, store
from riverrun.apps.uploads.limits import DAY
from riverrun.io import partial_file
from riverrun.io.partial_file import PartialFile
from riverrun.io.threads import in_thread

NOBODY = Permissions()


async def ask_as(inbox: Inbox, host: str, method: str, path: str, *lines: str) -> Reply:
    """Ask by that name, with a body of one form."""
    body = form(("f", "f", b"x")) if MULTIPART in lines else b"x"
    head = (f"{method} {path} HTTP/1.1", f"Host: {host}", *lines, f"Content-Length: {len(body)}")
    async with await inbox.connect() as client:
        await client.send("\r\n".join((*head, "", "")).encode() + body)
        return await client.reply()


# Pages of other sites.

REBOUND = "evil.example:4000"
CREATION = (tus.RESUMABLE, "Upload-Length: 1", tus.metadata(filename="f"), tus.OFFSET_STREAM)


@pytest.mark.parametrize(
    ("method", "path", "lines"),
    [
        ("PUT", "/f", ()),
        ("POST", "/", (MULTIPART,)),
        ("POST", "/~/tus/", CREATION),
        ("PUT", "/f", ("Upload-Complete: ?1",)),
        ("DELETE", "/stays", ()),
    ],
)
async def test_a_name_that_was_made_to_lead_here_changes_nothing(
    inbox: Inbox, method: str, path: str, lines: tuple[str, ...]
) -> None:
    """To a browser, a page of a name that resolves to this machine is of the same origin."""
    (inbox.folder / "stays").touch()
    reply = await ask_as(inbox, REBOUND, method, path, f"Origin: http://{REBOUND}", *lines)
    assert (reply.status, inbox.names) == (403, ["stays"])


async def test_nor_does_it_read_which_uploads_there_are(
    inbox: Inbox, open_inbox: OpenInbox
) -> None:
    """Whoever knows the address of an upload may go on with it."""
    assert (await ask_as(inbox, REBOUND, "GET", "/~/uploads/")).status == 403
    assert (await ask_as(inbox, "127.0.0.1:4000", "GET", "/~/uploads/")).status == 200
    inbox.uploads.close()
    for options in ({"names": ("evil.example",)}, {"cors": "https://evil.example"}, {"cors": "*"}):
        again = await open_inbox(**options)
        assert (await ask_as(again, REBOUND, "GET", "/~/uploads/")).status == 200
        again.uploads.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/link/uploads.db"),
        ("GET", "/link/"),
        ("GET", "/deep/link/uploads.db"),
        ("GET", "/db"),
        ("PUT", "/link/x"),
        ("PUT", "/link/uploads/x"),
        ("DELETE", "/link/uploads.db"),
    ],
)
async def test_no_link_leads_into_the_store(open_inbox: OpenInbox, method: str, path: str) -> None:
    inbox = await open_inbox(permissions=Permissions(upload=True, overwrite=True, delete=True))
    (inbox.folder / "deep").mkdir()
    (inbox.folder / "link").symlink_to(".riverrun")
    (inbox.folder / "deep" / "link").symlink_to("../.riverrun")
    (inbox.folder / "db").symlink_to(".riverrun/uploads.db")
    before = sorted((inbox.folder / ".riverrun").rglob("*"))
    assert (await inbox.ask(method, path, body=b"" if method == "PUT" else None)).status in (
        403,
        404,
        409,
    )
    assert sorted((inbox.folder / ".riverrun").rglob("*")) == before


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4000", "[::1]:4000", "localhost", "nas", "nas.local:80", "10.0.0.7"]
)
async def test_names_that_lead_nowhere_else_are_ours(inbox: Inbox, host: str) -> None:
    reply = await ask_as(inbox, host, "PUT", "/f", f"Origin: http://{host}")
    assert reply.status == 201


async def test_a_public_name_can_be_ours(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(names=("files.example",))
    reply = await ask_as(inbox, "files.example", "PUT", "/f", "Origin: https://files.example")
    assert reply.status == 201


async def test_programs_may_use_any_name(inbox: Inbox) -> None:
    assert (await ask_as(inbox, REBOUND, "PUT", "/f")).status == 201


# Files that are scripts.


@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.xml", "x.xhtml", "index.html"])
async def test_a_page_that_was_uploaded_is_not_of_our_origin(inbox: Inbox, name: str) -> None:
    await inbox.ask("PUT", f"/d/{name}", body=b"<script>fetch('/', {method: 'PUT'})</script>")
    path = "/d/" if name == "index.html" else f"/d/{name}"
    policy = (await inbox.ask("GET", path, "Accept: text/html"))["content-security-policy"] or ""
    assert policy.startswith("sandbox")
    assert "allow-same-origin" not in policy


async def test_nor_while_it_arrives(inbox: Inbox) -> None:
    await begin(inbox, "/x.html", body=b"<script>")
    async with await inbox.connect() as reader:
        await reader.send(b"GET /x.html HTTP/1.1\r\nHost: a\r\n\r\n")
        reply = await reader._head()
    assert (reply["content-security-policy"] or "").startswith("sandbox")


async def test_what_nobody_may_put_there_is_trusted(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions(delete=True))
    (inbox.folder / "x.html").touch()
    assert (await inbox.ask("GET", "/x.html"))["content-security-policy"] is None


# Names and permissions.


async def test_what_is_left_is_not_removed_when_nothing_is_allowed(
    inbox: Inbox, open_inbox: OpenInbox
) -> None:
    location = await begin(inbox, "/f", body=b"abc")
    inbox.uploads.close()
    again = await open_inbox(permissions=NOBODY)
    assert (await again.ask("DELETE", location)).status == 403
    assert (await again.ask("HEAD", location))["upload-offset"] == "3"


async def test_a_path_that_is_too_long_makes_no_folders(inbox: Inbox) -> None:
    path = "/" + "/".join([("%FF" * 80)] * 60)
    assert (await inbox.ask("PUT", path, body=b"x")).status == 400
    assert inbox.names == []


@pytest.mark.parametrize("path", ["/.RIVERRUN/uploads.db", "/.Riverrun/x"])
async def test_the_store_has_one_name_in_any_letters(open_inbox: OpenInbox, path: str) -> None:
    inbox = await open_inbox(hidden=True)
    assert (await inbox.ask("PUT", path, body=b"x")).status == 403
    assert (await inbox.ask("GET", path)).status == 404


@pytest.mark.parametrize("name", [b"\xff\xfe", b"a\x00b", b"\xed\xa0\x80", b"\r\n", b"..", b"\\"])
async def test_a_form_may_call_a_file_anything(inbox: Inbox, name: bytes) -> None:
    body = form(("f", "NAME", b"x")).replace(b"NAME", name)
    reply = await post(inbox, "/", body)
    assert reply.status in (201, 400)
    assert sorted(path.name for path in inbox.folder.parent.iterdir()) == ["inbox"]
    assert inbox.waiting == []


# What wears a server out.


@pytest.mark.parametrize(
    "line",
    [
        "If-None-Match: " + ", ".join(f'"{number}"' for number in range(1000)),
        "Repr-Digest: " + ", ".join(f"x{number}=:AA==:" for number in range(500)),
    ],
)
async def test_little_is_kept_of_what_is_said_of_an_upload(inbox: Inbox, line: str) -> None:
    reply = await inbox.ask("PUT", "/f", PART, line, body=b"")
    assert (reply.status, list(inbox.uploads.store)) == (431, [])


async def test_nor_of_its_metadata(inbox: Inbox) -> None:
    created = await tus.post(inbox, "Upload-Length: 1", tus.metadata(a="x" * 5000), body=b"")
    assert (created.status, list(inbox.uploads.store)) == (431, [])


async def test_a_large_file_that_is_verified_leaves_room_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_file, "FEED_SIZE", 1000)
    monkeypatch.setattr(partial_file, "READ_SIZE", 100)
    (tmp_path / "f").write_bytes(os.urandom(10_000))
    told: list[object] = []

    class Check:
        def update(self, chunk: bytes) -> None:
            told.append(chunk)

        def verify(self) -> None:
            raise NotImplementedError

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    file = PartialFile(os.open(tmp_path / "f", os.O_RDWR))
    verifying = asyncio.ensure_future(file.feed(Check()))
    await asyncio.sleep(0)
    await in_thread(lambda: told.append("another"))
    assert not verifying.done()
    await verifying
    assert b"".join(chunk for chunk in told if isinstance(chunk, bytes)) == (
        (tmp_path / "f").read_bytes()
    )
    file.close()


async def test_what_expired_is_removed_though_nobody_asks(
    inbox: Inbox, open_inbox: OpenInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin(inbox, "/f", body=b"abc")
    inbox.uploads.close()
    monkeypatch.setattr(store, "SWEEP_SECONDS", 0.01)
    again = await open_inbox()
    again.uploads.store.now = lambda: time.time() + 10 * DAY
    await until(lambda: not again.waiting)
    assert list(again.uploads.store) == []


async def test_a_disk_that_has_become_read_only_is_told(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the system makes it when the disk fails."""
    location = await begin(inbox, "/f", body=b"abc")

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwritev", read_only)
        assert (await inbox.ask("PUT", "/g", body=b"x")).status == 507
        assert (await add(inbox, location, 3, b"def")).status == 507
    inbox.uploads.store._catalogue._database.execute("PRAGMA query_only = 1")
    assert (await inbox.ask("PUT", "/h", PART, body=b"")).status == 507
    assert (await inbox.ask("HEAD", location))["upload-offset"] == "3"
    assert inbox.names == []
