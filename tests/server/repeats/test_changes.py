"""What has changed since it was answered is answered as it is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Serve
from tests.server.client import Client
from tests.server.repeats.repeated import (
    HANDLED,
    PAGE,
    SMALL,
    TIMES,
    Repeated,
    ask,
)

from riverrun.apps.files.confinement import Root


def write(path: Path) -> None:
    path.write_bytes(b"another")


def write_as_much(path: Path) -> None:
    path.write_bytes(SMALL[::-1])


def replace(path: Path) -> None:
    other = path.with_name("other.bin")
    other.write_bytes(SMALL[::-1])
    other.replace(path)


def replace_with_its_time(path: Path) -> None:
    """By a file of the same size and time."""
    other = path.with_name("other.bin")
    other.write_bytes(SMALL[::-1])
    status = path.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def append_with_its_time(path: Path) -> None:
    status = path.stat()
    path.write_bytes(SMALL + b"more")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def link_within(path: Path) -> None:
    path.unlink()
    path.symlink_to("page.html")


@pytest.mark.parametrize(
    "change",
    [write, write_as_much, append_with_its_time, replace, replace_with_its_time, link_within],
)
async def test_a_file_that_has_changed_is_answered_as_it_is(
    serve: Serve, handler: Repeated, folder: Path, change: Callable[[Path], None]
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        before = [await ask(client) for _ in range(TIMES)][-1]
        path = folder / "small.bin"
        change(path)
        content = path.read_bytes()
        after = [await ask(client) for _ in range(TIMES)]
    assert {reply.body for reply in after} == {content}
    assert len({reply["etag"] for reply in after} | {before["etag"]}) == 2
    assert {reply["content-length"] for reply in after} == {str(len(content))}
    assert handler.calls == HANDLED + 1


def remove(path: Path) -> None:
    path.unlink()


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def lead_out(path: Path) -> None:
    outside = path.parent.parent / "secret.bin"
    outside.write_bytes(SMALL)
    path.unlink()
    path.symlink_to(outside)


def become_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("change", "status"),
    [(remove, 404), (become_a_folder, 308), (lead_out, 404), (become_a_fifo, 404)],
)
@pytest.mark.parametrize("path", ["small.bin", "below/small.bin"])
async def test_a_file_that_is_gone_is_gone(
    serve: Serve,
    handler: Repeated,
    folder: Path,
    path: str,
    change: Callable[[Path], None],
    status: int,
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            assert (await ask(client, f"/{path}")).status == 200
        change(folder / path)
        assert (await ask(client, f"/{path}")).status == status


@pytest.mark.parametrize("below", ["", "below/"])
async def test_an_encoded_sibling_is_found_when_it_comes_and_missed_when_it_goes(
    serve: Serve, handler: Repeated, folder: Path, below: str
) -> None:
    asked = (f"/{below}page.html", "GET", "Accept-Encoding: gzip")
    async with await Client.connect(await serve(handler)) as client:
        plain = [await ask(client, *asked) for _ in range(TIMES)]
        assert {reply.body for reply in plain} == {PAGE}
        sibling = folder / below / "page.html.gz"
        sibling.write_bytes(b"encoded")
        encoded = [await ask(client, *asked) for _ in range(TIMES)]
        assert {(reply.body, reply["vary"]) for reply in encoded} == {
            (b"encoded", "accept-encoding")
        }
        sibling.unlink()
        plain = [await ask(client, *asked) for _ in range(TIMES)]
        assert {(reply.body, reply["vary"]) for reply in plain} == {(PAGE, None)}


def settle(folder: Path) -> None:
    """Let no name have changed for a while."""
    os.utime(folder, (0, 0))


def nothing(_: Path) -> None:
    pass


def write_brotli(folder: Path) -> None:
    (folder / "style.css.br").write_bytes(b"brotli anew")


def remove_brotli(folder: Path) -> None:
    (folder / "style.css.br").unlink()


def remove_all(folder: Path) -> None:
    for suffix in ("br", "gz"):
        (folder / f"style.css.{suffix}").unlink()


def write_original(folder: Path) -> None:
    (folder / "style.css").write_bytes(b"original anew")


def remove_original(folder: Path) -> None:
    (folder / "style.css").unlink()


def date_original(folder: Path) -> None:
    """As if it were of a later version than its siblings."""
    os.utime(folder / "style.css", (3e9, 3e9))


def date_brotli(folder: Path) -> None:
    os.utime(folder / "style.css.br", (1, 1))


def lead_brotli_out(folder: Path) -> None:
    lead_out(folder / "style.css.br")


@pytest.mark.parametrize(
    ("before", "change", "body"),
    [
        (nothing, nothing, b"by brotli"),
        (nothing, write_brotli, b"brotli anew"),
        (nothing, remove_brotli, b"by gzip"),
        (nothing, date_brotli, b"by gzip"),
        (nothing, lead_brotli_out, b"by gzip"),
        (nothing, remove_all, PAGE),
        (nothing, write_original, b"original anew"),
        (nothing, date_original, PAGE),
        (nothing, remove_original, None),
        (remove_brotli, write_brotli, b"brotli anew"),
        (date_brotli, write_brotli, b"brotli anew"),
    ],
)
async def test_the_sibling_that_is_sent_is_the_one_of_now(
    serve: Serve,
    handler: Repeated,
    folder: Path,
    before: Callable[[Path], None],
    change: Callable[[Path], None],
    body: bytes | None,
) -> None:
    before(folder)
    settle(folder)
    asked = ("/style.css", "GET", "Accept-Encoding: br, gzip")
    async with await Client.connect(await serve(handler)) as client:
        for _ in range(TIMES):
            assert (await ask(client, *asked)).status == 200
        await asyncio.sleep(0.02)  # or the kernel's clock may not have gone on
        change(folder)
        replies = [await ask(client, *asked) for _ in range(TIMES)]
    if body is None:
        assert {reply.status for reply in replies} == {404}
    else:
        assert {reply.body for reply in replies} == {body}
        assert len({(reply["vary"], reply["content-encoding"]) for reply in replies}) == 1


async def test_the_page_of_a_folder_comes_and_goes(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    index = folder / "index.html"
    asked = ("/", "GET", "Accept: text/html")
    async with await Client.connect(await serve(handler)) as client:
        for content in (b"one", b"two"):
            assert {b"small.bin" in (await ask(client, *asked)).body for _ in range(TIMES)} == {
                True
            }
            index.write_bytes(content)
            os.utime(folder, (0, 0))
            calls = handler.calls
            assert {(await ask(client, *asked)).body for _ in range(TIMES)} == {content}
            assert handler.calls <= calls + HANDLED
            index.unlink()


async def test_an_encoded_sibling_is_found_when_it_is_new_again(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    sibling = folder / "page.html.gz"
    sibling.write_bytes(b"encoded")
    os.utime(sibling, (1, 1))
    os.utime(folder, (0, 0))
    asked = ("/page.html", "GET", "Accept-Encoding: gzip")
    async with await Client.connect(await serve(handler)) as client:
        assert {(await ask(client, *asked)).body for _ in range(TIMES)} == {PAGE}
        os.utime(sibling)  # which changes no name in the folder
        assert {(await ask(client, *asked)).body for _ in range(TIMES)} == {b"encoded"}


async def test_an_encoded_sibling_is_found_whatever_time_its_folder_is_given(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    asked = ("/page.html", "GET", "Accept-Encoding: gzip")
    async with await Client.connect(await serve(handler)) as client:
        assert {(await ask(client, *asked)).body for _ in range(TIMES)} == {PAGE}
        await asyncio.sleep(0.02)  # or the kernel's clock may not have gone on
        (folder / "page.html.gz").write_bytes(b"encoded")
        os.utime(folder, (0, 0))
        assert {(await ask(client, *asked)).body for _ in range(TIMES)} == {b"encoded"}


async def test_a_text_in_a_folder_that_nobody_may_look_into_is_served(
    serve: Serve, handler: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> os.stat_result:
        raise FileNotFoundError

    monkeypatch.setattr(Root, "status_of", refuse)
    async with await Client.connect(await serve(handler)) as client:
        assert {(await ask(client, "/below/page.html")).body for _ in range(TIMES)} == {PAGE}


async def test_a_folder_that_has_just_changed_is_looked_through_each_time(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    os.utime(folder)
    async with await Client.connect(await serve(handler)) as client:
        assert {(await ask(client, "/page.html")).body for _ in range(TIMES)} == {PAGE}
    assert handler.calls == TIMES


async def test_a_condition_is_judged_by_the_file_as_it_is(
    serve: Serve, handler: Repeated, folder: Path
) -> None:
    async with await Client.connect(await serve(handler)) as client:
        etag = (await ask(client))["etag"]
        for _ in range(TIMES):
            assert (await ask(client, "/small.bin", "GET", f"If-None-Match: {etag}")).status == 304
        write(folder / "small.bin")
        reply = await ask(client, "/small.bin", "GET", f"If-None-Match: {etag}")
    assert (reply.status, reply.body) == (200, b"another")
