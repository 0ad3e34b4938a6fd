"""Files in forms: multipart/form-data to a folder (RFC 7578)."""

import json
import os

import pytest
from tests.apps.uploads.conftest import OpenInbox
from tests.apps.uploads.inboxes import Inbox, sending
from tests.server.client import Reply, until

from riverrun.apps.uploads import Permissions
from riverrun.apps.uploads.record import UploadState

BROWSER = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
MULTIPART = "Content-Type: multipart/form-data; boundary=edge"
SECRET = b"nobody may replace this"


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """Parts as a browser writes them: the field's name, the file's, its bytes."""
    body = b""
    for name, filename, content in parts:
        what = f'name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
        body += f"--edge\r\nContent-Disposition: form-data; {what}\r\n\r\n".encode()
        body += content + b"\r\n"
    return body + b"--edge--\r\n"


async def post(inbox: Inbox, path: str, body: bytes, *lines: str) -> Reply:
    return await inbox.ask("POST", path, MULTIPART, *lines, body=body)


async def test_every_file_is_stored_in_its_place(inbox: Inbox) -> None:
    big = os.urandom(700_000)
    body = form(("a", "one.bin", big), ("note", None, b"a field"), ("a", "two.txt", b"two"))
    reply = await post(inbox, "/new/", body)
    assert reply.status == 201
    assert [stored["location"] for stored in json.loads(reply.body)] == [
        "/new/one.bin",
        "/new/two.txt",
    ]
    assert (inbox.folder / "new" / "one.bin").read_bytes() == big
    assert (inbox.folder / "new" / "two.txt").read_bytes() == b"two"
    assert inbox.waiting == []


async def test_a_browser_is_led_back_to_the_folder(inbox: Inbox) -> None:
    reply = await post(inbox, "/a%20b/", form(("f", "x", b"x")), BROWSER)
    assert (reply.status, reply["location"]) == (303, "/a%20b/")


@pytest.mark.parametrize(
    ("sent", "stands"),
    [
        ("../../escaped", "escaped"),
        ("C:\\\\Users\\\\me\\\\notes.txt", "Users/me/notes.txt"),
        ("album/2026/1.jpg", "album/2026/1.jpg"),
        (".bashrc", "bashrc"),
        ("größe.txt", "größe.txt"),
        ("/etc/passwd", "etc/passwd"),
    ],
)
async def test_names_are_made_safe_and_folders_made(inbox: Inbox, sent: str, stands: str) -> None:
    outside = inbox.folder.parent / "escaped"
    outside.write_bytes(SECRET)
    assert (await post(inbox, "/", form(("f", sent, b"x")))).status == 201
    assert (inbox.folder / stands).read_bytes() == b"x"
    assert outside.read_bytes() == SECRET


async def test_a_clash_is_refused_or_numbered_as_asked(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions(upload=True))
    assert (await post(inbox, "/", form(("f", "x.txt", b"1")))).status == 201
    assert (await post(inbox, "/", form(("f", "x.txt", b"2")))).status == 403
    reply = await post(inbox, "/?clash=rename", form(("f", "x.txt", b"3"), ("f", "x.txt", b"4")))
    assert [stored["location"] for stored in json.loads(reply.body)] == [
        "/x%20(2).txt",
        "/x%20(3).txt",
    ]
    assert (inbox.folder / "x.txt").read_bytes() == b"1"
    assert (await post(inbox, "/?clash=perhaps", form(("f", "y", b"")))).status == 400


async def test_what_was_stored_before_a_failure_is_told(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions(upload=True))
    (inbox.folder / "taken").write_bytes(b"old")
    reply = await post(inbox, "/", form(("f", "new", b"1"), ("f", "taken", b"2")))
    assert reply.status == 403
    assert [stored["location"] for stored in json.loads(reply.body)["stored"]] == ["/new"]
    assert (inbox.folder / "taken").read_bytes() == b"old"


async def test_a_form_that_is_cut_leaves_no_part_of_a_file(inbox: Inbox) -> None:
    body = form(("f", "x", bytes(100_000)))
    async with await inbox.connect() as client:
        await client.send(sending("/", len(body), MULTIPART, method="POST") + body[:50_000])
        upload = await inbox.only_upload(offset=1)
    await until(lambda: upload.state is UploadState.GONE and not inbox.waiting)
    assert inbox.names == []


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data; boundary=edge", form(("f", "", b"")), 400),
        ("multipart/form-data; boundary=edge", form(("f", None, b"text")), 400),
        ("multipart/form-data; boundary=edge", b"--edge\r\nbroken", 400),
        ("multipart/form-data", form(("f", "x", b"")), 400),
        ("application/octet-stream", b"x", 415),
    ],
)
async def test_what_is_no_form_with_files(
    inbox: Inbox, content_type: str, body: bytes, status: int
) -> None:
    reply = await inbox.ask("POST", "/", f"Content-Type: {content_type}", body=body)
    assert (reply.status, inbox.names) == (status, [])


async def test_a_page_of_another_site_cannot_send_one(inbox: Inbox) -> None:
    reply = await post(inbox, "/", form(("f", "x", b"")), "Origin: http://evil.example")
    assert (reply.status, inbox.names) == (403, [])


async def test_folders_show_a_form_where_files_are_taken(
    inbox: Inbox, open_inbox: OpenInbox
) -> None:
    shown = await inbox.ask("GET", "/", BROWSER)
    assert b'<form method="post" enctype="multipart/form-data"' in shown.body
    assert "form-action 'self'" in (shown["content-security-policy"] or "")


async def test_and_none_where_they_are_not(open_inbox: OpenInbox) -> None:
    inbox = await open_inbox(permissions=Permissions(delete=True))
    shown = await inbox.ask("GET", "/", BROWSER)
    assert b"<form" not in shown.body
    assert "form-action 'none'" in (shown["content-security-policy"] or "")


async def test_the_methods_are_told(inbox: Inbox) -> None:
    reply = await inbox.ask("OPTIONS", "/")
    assert reply["allow"] == "GET, HEAD, OPTIONS, PUT, POST, DELETE"
    assert "max-age" in (reply["upload-limit"] or "")
