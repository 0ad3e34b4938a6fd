"""Nothing outside the folder is opened: by no name, no link, no race; and nothing stays open.

Everything here holds with ``openat2`` and without it, where folders are walked name by name.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.apps.files.conftest import OpenSite
from tests.apps.files.sites import (
    BROWSER,
    SECRET,
    Site,
    leaving_no_descriptors,
    open_descriptors,
)
from tests.server.client import Client, until

from riverrun.apps.files import confinement
from riverrun.apps.files.confinement import Root

INSIDE = b"this is inside"
RACING_TIME = 0.6
LARGE = bytes(8_000_000)


@pytest.fixture(params=["openat2", "walk"], autouse=True)
def opener(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the kernel's own confinement, and as on a kernel without it."""
    kind: str = request.param
    if kind == "walk":
        monkeypatch.setattr(confinement, "_find_openat2", lambda descriptor: None)
    return kind


@pytest.fixture
def root(folder: Path, opener: str) -> Iterator[Root]:
    root = Root(folder)
    yield root
    root.close()


def content(root: Root, *segments: str) -> bytes:
    """What lies at `segments`."""
    descriptor = root.open(segments)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


# Names.

CLIMBING = [
    "/..",
    "/../secret",
    "/../outside/secret",
    "/folder/../../secret",
    "/folder/..",
    "/./a.txt",
    "/folder/./../../secret",
    "/..%2fsecret",
    "/..%2Fsecret",
    "/%2e%2e/secret",
    "/%2E%2e/secret",
    "/.%2e/secret",
    "/%2e./secret",
    "/%2e%2e%2fsecret",
    "/%2e%2e%2f%2e%2e%2fsecret",
    "/%252e%252e/secret",
    "/%252e%252e%252fsecret",
    "/folder%2f..%2f..%2fsecret",
    "/folder/%2e%2e/%2e%2e/secret",
    "/..\\secret",
    "/..%5csecret",
    "/..%5Csecret",
    "/folder\\..\\..\\secret",
    "/%5c%5c..%5csecret",
    "/..;/secret",
    "/..%00/secret",
    "/..%20/secret",
    "/..%09/secret",
    "/..%0a/secret",
    "/...//secret",
    "/....//secret",
    "/%c0%ae%c0%ae/secret",
    "/%c0%ae%c0%ae%c0%afsecret",
    "/%e0%80%ae%e0%80%ae/secret",
    "/%ef%bc%8e%ef%bc%8e/secret",
    "/%uff0e%uff0e/secret",
    "/%u002e%u002e/secret",
    "/%2e%2e%ff/secret",
    "//secret",
    "//../secret",
    "/%2fsecret",
    "/folder//..//..//secret",
    "/a.txt%00",
    "/a.txt%00.png",
    "/%00",
    "/folder%00/../../secret",
    "/a.txt/../../secret",
    "/a.txt%2f..%2f..%2fsecret",
    "/%",
    "/%2",
    "/%zz",
    "/%2e%2",
    "http://a/../secret",
    "http://a/%2e%2e/secret",
    "http://a/..%2fsecret",
    "/?/../secret",
    "/..?x",
]


async def test_no_name_climbs(open_site: OpenSite, folder: Path) -> None:
    for hidden in (False, True):
        site = await open_site(hidden=hidden)
        site.add("a.txt", INSIDE)
        site.add("folder/a.txt", INSIDE)
        absolute = str((folder / "../secret").resolve())
        for path in (*CLIMBING, absolute, "/" + absolute, absolute.replace("/", "%2f")):
            reply = await site.get(path, BROWSER)
            assert SECRET not in reply.body, path
            assert reply.status in (400, 404) or path.startswith("/?"), path
            assert reply["location"] is None, path


@pytest.mark.parametrize(
    "segments",
    [
        ("..",),
        ("..", "secret"),
        ("folder", "..", "..", "secret"),
        ("folder/../..", "secret"),
        ("../secret",),
        ("/",),
        ("/", "secret"),
        ("a\0b",),
        ("folder", "a\0b"),
        ("",),
        ("", "secret"),
    ],
)
def test_no_segment_climbs_either(root: Root, folder: Path, segments: tuple[str, ...]) -> None:
    (folder / "folder").mkdir()
    with pytest.raises(FileNotFoundError):
        os.close(root.open(segments))


def test_no_segment_is_an_absolute_path(root: Root, folder: Path) -> None:
    secret = str((folder / "../secret").resolve())
    with pytest.raises(FileNotFoundError):
        os.close(root.open((secret,)))


# Links.


async def test_a_link_that_stays_inside_is_followed_where_the_kernel_sees_to_it(
    site: Site, opener: str
) -> None:
    site.add("folder/a.txt", INSIDE)
    (site.folder / "link.txt").symlink_to("folder/a.txt")
    (site.folder / "link").symlink_to("folder")
    (site.folder / "folder" / "up").symlink_to("../folder")
    for path in ("/link.txt", "/link/a.txt", "/folder/up/a.txt"):
        reply = await site.get(path)
        if opener == "openat2":
            assert reply.body == INSIDE
        else:
            assert reply.status == 404


@pytest.mark.parametrize(
    "target",
    [
        "../secret",
        "../outside/secret",
        "folder/../../secret",
        "../served/../secret",
        "../served/a.txt",  # it comes back, but it has been outside
        "absolute",
        "absolute inside",
        "out/secret",
        "/proc/self/cwd",
        "/proc/self/fd/0",
        "/",
    ],
)
async def test_a_link_that_leaves_is_not_followed(site: Site, target: str) -> None:
    site.add("a.txt", INSIDE)
    site.add("folder/a.txt", INSIDE)
    if target.startswith("absolute"):
        inside = target.endswith("inside")
        target = str((site.folder / ("a.txt" if inside else "../secret")).resolve())
    (site.folder / "out").symlink_to("../outside")
    (site.folder / "link").symlink_to(target)
    (site.folder / "folder" / "link").symlink_to(Path("..", target))
    for path in ("/link", "/link/", "/link/secret", "/folder/link", "/out/secret"):
        reply = await site.get(path, BROWSER)
        assert reply.status == 404
        assert SECRET not in reply.body


async def test_a_hard_link_is_a_file_of_ours(site: Site) -> None:
    os.link(site.folder / "../outside/secret", site.folder / "a.txt")
    assert (await site.get("/a.txt")).body == SECRET


def test_the_folder_itself_may_be_a_link(tmp_path: Path, folder: Path, opener: str) -> None:
    (folder / "a.txt").write_bytes(INSIDE)
    (tmp_path / "link").symlink_to("served")
    root = Root(tmp_path / "link")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("outside")
    try:
        assert content(root, "a.txt") == INSIDE
        with pytest.raises(FileNotFoundError):
            root.open(("secret",))
    finally:
        root.close()


# Races.


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[None]:
    """Do something over and over again while the block runs."""
    over = threading.Event()
    failures: list[Exception] = []

    def work() -> None:
        try:
            while not over.is_set():
                act()
        except Exception as error:  # noqa: BLE001 - it is raised behind the block
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert failures == []


def racing() -> Iterator[int]:
    """Numbers, for as long as a race is tried."""
    until = time.monotonic() + RACING_TIME
    number = 0
    while time.monotonic() < until:
        yield number
        number += 1


def swapper(folder: Path, name: str, honest: Path, link: str) -> Callable[[], None]:
    """Puts what is honest and a link that leads out in the place of each other."""
    place, aside = folder / name, folder / f"{name}-aside"

    def swap() -> None:
        aside.symlink_to(link)
        if honest.is_dir():
            honest.rename(place)
            place.rename(honest)
            aside.rename(place)
            place.unlink()
        else:
            aside.rename(place)
            copy = folder / f"{name}-copy"
            os.link(honest, copy)
            copy.rename(place)

    return swap


@pytest.mark.parametrize("name", ["raced", "sub/raced"])
def test_a_file_that_becomes_a_link_while_it_is_opened(root: Root, folder: Path, name: str) -> None:
    (folder / "sub").mkdir()
    honest = folder / "honest"
    honest.write_bytes(INSIDE)
    place = folder / name
    seen = {INSIDE: 0, None: 0}
    out = "../secret" if "/" not in name else "../../secret"
    with meanwhile(swapper(place.parent, place.name, honest, out)):
        for _ in racing():
            try:
                seen[content(root, *name.split("/"))] += 1
            except FileNotFoundError:
                seen[None] += 1
    assert all(seen.values()), seen


def test_a_folder_that_becomes_a_link_while_it_is_opened(root: Root, folder: Path) -> None:
    honest = folder / "honest"
    honest.mkdir()
    (honest / "secret").write_bytes(INSIDE)
    seen = {INSIDE: 0, None: 0}
    with meanwhile(swapper(folder, "raced", honest, "../outside")):
        for _ in racing():
            try:
                seen[content(root, "raced", "secret")] += 1
            except FileNotFoundError:
                seen[None] += 1
    assert all(seen.values()), seen


def test_a_folder_that_is_moved_out_while_it_is_opened(root: Root, folder: Path) -> None:
    """What `sub` held while it was ours may be opened; what lies beside it outside, never."""
    inner = folder / "sub" / "inner"
    inner.mkdir(parents=True)
    (inner / "up").symlink_to("../../secret")
    (inner / "file").write_bytes(INSIDE)
    moved = folder.with_name("moved")

    def move() -> None:
        (folder / "sub").rename(moved)
        moved.rename(folder / "sub")

    seen = {INSIDE: 0, None: 0}
    with meanwhile(move):
        for _ in racing():
            for path in (("sub", "inner", "up"), ("sub", "inner", "file")):
                try:
                    seen[content(root, *path)] += 1
                except FileNotFoundError:
                    seen[None] += 1
    assert seen[INSIDE]
    assert seen[None]


async def test_nothing_outside_is_served_in_any_race(site: Site) -> None:
    folder = site.folder
    honest = folder / "honest"
    honest.write_bytes(INSIDE)
    site.add("raced.txt", INSIDE)
    (folder / "sub").mkdir()
    places = (
        (folder, "raced.bin"),
        (folder, "raced.txt.gz"),
        (folder, "index.html"),
        (folder / "sub", "raced.bin"),
    )
    swaps = [
        swapper(where, name, honest, "../secret" if where == folder else "../../secret")
        for where, name in places
    ]

    def swap_all() -> None:
        for swap in swaps:
            swap()

    requests = (
        ("/raced.bin", ()),
        ("/raced.txt", ("Accept-Encoding: gzip",)),
        ("/", (BROWSER,)),
        ("/sub/raced.bin", ("Range: bytes=0-",)),
        ("/raced.bin?download", ()),
    )
    statuses = set()
    with meanwhile(swap_all):
        async with await Client.connect(site.server) as client:
            for number in racing():
                path, lines = requests[number % len(requests)]
                reply = await client.ask(path, "GET", *lines)
                statuses.add(reply.status)
                assert SECRET not in reply.body
                if path != "/" and reply.status < 300:
                    assert reply.body == INSIDE
    assert statuses <= {200, 206, 404}


# Descriptors.

REQUESTS = {
    "a small file": ("/small.bin", ()),
    "a large file": ("/large.bin", ()),
    "text": ("/text.txt", ("Accept-Encoding: gzip",)),
    "text with other siblings": ("/text.txt", ("Accept-Encoding: br;q=0.1, gzip",)),
    "a part": ("/large.bin", ("Range: bytes=5-9",)),
    "many parts": ("/large.bin", ("Range: bytes=5-9,1000-1009,-5",)),
    "a part of text": ("/text.txt", ("Range: bytes=1-2",)),
    "304": ("/small.bin", ("If-None-Match: *",)),
    "304 for text": ("/text.txt", ("If-None-Match: *", "Accept-Encoding: br")),
    "412": ("/small.bin", ('If-Match: "x"',)),
    "412 for text": ("/text.txt", ('If-Match: "x"', "Accept-Encoding: br")),
    "416": ("/small.bin", ("Range: bytes=99999999-",)),
    "416 for text": ("/text.txt", ("Range: bytes=99999999-", "Accept-Encoding: br")),
    "a download": ("/small.bin?download", ()),
    "404": ("/missing", ()),
    "404 for a slash": ("/small.bin/", ()),
    "404 for a FIFO": ("/fifo", ()),
    "404 for a link": ("/link", ()),
    "404 deep down": ("/sub/missing/a/b", ()),
    "400": ("/..%2f", ()),
    "400 for a query": ("/?sort=nonsense", ()),
    "406": ("/", ("Accept: image/png",)),
    "a redirect": ("/sub", ()),
    "a page": ("/sub/", (BROWSER,)),
    "304 for a page": ("/sub/", (BROWSER, "If-None-Match: *")),
    "a listing": ("/", ()),
    "a listing for people": ("/", (BROWSER,)),
    "a listing with links": ("/?sort=size", ()),
}


@pytest.fixture
def filled(site: Site) -> Site:
    for name in ("small.bin", "text.txt", "text.txt.br", "text.txt.gz", "sub/index.html"):
        site.add(name, INSIDE)
    site.add("large.bin", LARGE)
    os.mkfifo(site.folder / "fifo")
    (site.folder / "link").symlink_to("../secret")
    return site


async def test_no_answer_leaves_a_descriptor_open(filled: Site) -> None:
    await filled.get("/")  # what is opened once and for all
    for what, (path, lines) in REQUESTS.items():
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            before = len(open_descriptors())
            async with await Client.connect(filled.server) as client:
                for _ in range(3):
                    await client.ask(path, method, *lines)
            await until(lambda: len(open_descriptors()) <= before)  # noqa: B023
            assert len(open_descriptors()) == before, (what, method)


async def test_a_client_that_leaves_takes_its_file_with_it(filled: Site) -> None:
    await filled.get("/")
    for path, lines in REQUESTS.values():
        async with (
            leaving_no_descriptors(),
            await Client.connect(filled.server, receive_buffer=4096) as client,
        ):
            await client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n".encode())
            await client.send("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")
            await client.reader.read(1)
    async with leaving_no_descriptors(), filled.asking("/large.bin", receive_buffer=4096):
        pass
    async with leaving_no_descriptors(), filled.asking("/small.bin?follow"):
        pass


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO])
async def test_our_own_trouble_is_told_from_a_file_that_is_not_there(
    filled: Site, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """One descriptor after another cannot be had: none of those that could stays open."""
    opened = Root.open
    await filled.get("/")

    for allowed in range(4):
        left = allowed

        def run_out(root: Root, segments: tuple[str, ...]) -> int:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(number, os.strerror(number))
            return opened(root, segments)

        monkeypatch.setattr(Root, "open", run_out)
        async with leaving_no_descriptors():
            reply = await filled.get("/text.txt", "Accept-Encoding: br, zstd, gzip")
            assert reply.status >= 500
            left = 100


def test_a_root_that_is_no_folder_is_refused(folder: Path) -> None:
    (folder / "file").touch()
    before = open_descriptors()
    for name, error in (("file", NotADirectoryError), ("missing", FileNotFoundError)):
        with pytest.raises(error):
            Root(folder / name)
    assert open_descriptors() == before


def test_a_closed_root_opens_nothing(folder: Path) -> None:
    root = Root(folder)
    root.close()
    with pytest.raises(OSError):  # noqa: PT011 - whichever
        os.close(root.open(("file",)))
