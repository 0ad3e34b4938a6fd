"""The clients that people have, against the program that they run.

What they need is installed by `.ci/run`; a client that is missing is a failure, not a skip.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
from backports import zstd
from playwright.async_api import Browser, expect
from tests.cli.programs import tool
from tests.support import redbot
from tests.support.browser import eventually, open_page, visiting
from tests.support.serving import Serving, serving

SECRET = "nobody may read this"
NOISE = random.Random(1).randbytes(3_000_000)
TEXT = "".join(f"line {number} of a river\n" for number in range(5000)).encode()
MTIME = 1_700_000_000
MODIFIED = "Tue, 14 Nov 2023 22:13:20 GMT"
VIDEO_SECONDS = 30
PATIENCE = 60


def run(name: str, *arguments: str | Path, cwd: Path, status: int = 0) -> bytes:
    """Run a client in a folder; return what it wrote."""
    finished = subprocess.run(
        [tool(name), *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert finished.returncode == status, finished.stderr.decode(errors="replace")
    return finished.stdout


def curl(*arguments: str | Path, cwd: Path, status: int = 0) -> bytes:
    return run("curl", "-q", "--silent", "--show-error", *arguments, cwd=cwd, status=status)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is served: noise, text in all codings, videos, and a secret beside it all."""
    outside = tmp_path_factory.mktemp("clients")
    (outside / "secret").write_text(SECRET)
    folder = outside / "served"
    folder.mkdir()
    (folder / "noise.bin").write_bytes(NOISE)
    (folder / "text.txt").write_bytes(TEXT)
    (folder / "text.txt.br").write_bytes(brotli.compress(TEXT, quality=3))
    (folder / "text.txt.zst").write_bytes(zstd.compress(TEXT))
    (folder / "text.txt.gz").write_bytes(gzip.compress(TEXT))
    (folder / ".hidden").write_text(SECRET)
    (folder / "empty").touch()
    (folder / "sub").mkdir()
    (folder / "sub" / "a fluß & more.txt").write_bytes(TEXT)
    (folder / "out").symlink_to("../secret")
    for path in folder.glob("*.*"):
        os.utime(path, (MTIME, MTIME))
    make_videos(folder)
    return folder


def make_videos(folder: Path) -> None:
    """A film as MP4, whose index is behind everything else, and as WebM."""
    picture = f"testsrc2=size=640x360:rate=25:duration={VIDEO_SECONDS}"
    sound = f"sine=frequency=330:duration={VIDEO_SECONDS}"
    source = ("-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound)
    h264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25")
    vp8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "25")
    small = ("-vf", "scale=320:-2,fps=10", "-b:v", "800k")
    run("ffmpeg", *source, *h264, "-c:a", "aac", "film.mp4", cwd=folder)
    run("ffmpeg", *source, *small, *vp8, "-c:a", "libopus", "film.webm", cwd=folder)
    for name in ("film.mp4", "film.webm"):
        page = f"""<!doctype html><link rel="icon" href="data:,">
            <video muted preload="metadata" src="{name}"></video>"""
        (folder / f"watch-{name}.html").write_text(page)
    film = (folder / "film.mp4").read_bytes()
    assert film.index(b"moov") > film.index(b"mdat")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Serving]:
    """One for all who do not look at what it was asked."""
    with serving(folder) as server:
        yield server


@pytest.fixture
def recorded(folder: Path, tmp_path: Path) -> Iterator[Serving]:
    """One of the test's own: what it was asked is what the client has asked."""
    with serving(folder, log=tmp_path / "recorded.log") as server:
        yield server


# curl


def test_curl_fetches_a_file_whole(server: Serving, tmp_path: Path) -> None:
    for version in ("--http1.1", "--http1.0"):
        assert curl(version, f"{server.address}/noise.bin", cwd=tmp_path) == NOISE
        assert curl(version, f"{server.address}/empty", cwd=tmp_path) == b""
    name = "a%20flu%C3%9F%20%26%20more.txt"
    assert curl(f"{server.address}/sub/{name}", cwd=tmp_path) == TEXT


def test_curl_follows_to_a_folder(server: Serving, tmp_path: Path) -> None:
    listing = json.loads(curl("--location", f"{server.address}/sub", cwd=tmp_path))
    (entry,) = listing["entries"]
    assert curl(f"{server.address}/sub/{entry['href']}", cwd=tmp_path) == TEXT


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("0-0", NOISE[:1]),
        ("1000-1999", NOISE[1000:2000]),
        ("-5000", NOISE[-5000:]),
        ("2999990-", NOISE[-10:]),
        ("100000-2999999", NOISE[100_000:]),
    ],
)
def test_curl_fetches_a_range(recorded: Serving, tmp_path: Path, asked: str, part: bytes) -> None:
    assert curl("--fail", "--range", asked, f"{recorded.address}/noise.bin", cwd=tmp_path) == part
    assert recorded.statuses("/noise.bin") == [206]


def test_curl_fetches_many_ranges(server: Serving, tmp_path: Path) -> None:
    body = curl("--range", "0-9,1000-1009", f"{server.address}/noise.bin", cwd=tmp_path)
    assert NOISE[:10] in body
    assert NOISE[1000:1010] in body
    assert b"content-range: bytes 1000-1009/3000000" in body


@pytest.mark.parametrize("held", [0, 1, 1_234_567, len(NOISE) - 1])
def test_curl_resumes_a_download(recorded: Serving, tmp_path: Path, held: int) -> None:
    (tmp_path / "noise.bin").write_bytes(NOISE[:held])
    resume = ("--fail", "--continue-at", "-", "--remote-name")
    curl(*resume, f"{recorded.address}/noise.bin", cwd=tmp_path)
    assert (tmp_path / "noise.bin").read_bytes() == NOISE
    assert recorded.statuses("/noise.bin") == [206 if held else 200]


def test_curl_has_nothing_to_resume(recorded: Serving, tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(NOISE)
    curl("--continue-at", "-", "--remote-name", f"{recorded.address}/noise.bin", cwd=tmp_path)
    assert (tmp_path / "noise.bin").read_bytes() == NOISE
    assert recorded.statuses("/noise.bin") == [416]


def test_curl_reads_slowly(server: Serving, folder: Path, tmp_path: Path) -> None:
    """A long file: curl takes what has come already, however much, before it begins to wait."""
    size = 40 << 20
    with (folder / "long.bin").open("wb") as file:
        file.truncate(size)
        file.seek(size - 3)
        file.write(b"end")
    limit = ("--limit-rate", "20M", "--output", "long.bin")
    started = time.monotonic()
    curl(*limit, f"{server.address}/long.bin", cwd=tmp_path)
    assert time.monotonic() - started > 1
    with (tmp_path / "long.bin").open("rb") as file:
        assert file.seek(0, os.SEEK_END) == size
        file.seek(-4, os.SEEK_END)
        assert file.read() == b"\0end"


@pytest.mark.parametrize(
    ("coding", "size"),
    [("br", ".br"), ("zstd", ".zst"), ("gzip", ".gz"), ("gzip, br, zstd", ".br"), ("deflate", "")],
)
def test_curl_decodes_what_was_compressed(
    server: Serving, folder: Path, tmp_path: Path, coding: str, size: str
) -> None:
    told = ("--compressed", "--write-out", "%{stderr}%{size_download}")
    with_coding = ("--header", f"Accept-Encoding: {coding}", "--dump-header", "head")
    assert curl(*told, *with_coding, f"{server.address}/text.txt", cwd=tmp_path) == TEXT
    head = (tmp_path / "head").read_text().lower()
    assert f"content-length: {(folder / f'text.txt{size}').stat().st_size}\n" in head
    assert "vary: accept-encoding" in head


def test_curl_asks_for_a_change(server: Serving, folder: Path, tmp_path: Path) -> None:
    address = f"{server.address}/text.txt"
    for condition, statuses in (
        (MODIFIED, 304),
        ("Wed, 15 Nov 2023 00:00:00 GMT", 304),
        ("Mon, 13 Nov 2023 00:00:00 GMT", 200),
        ("-Wed, 15 Nov 2023 00:00:00 GMT", 200),
        ("-Mon, 13 Nov 2023 00:00:00 GMT", 412),
    ):
        told = ("--output", "body", "--write-out", "%{http_code}", "--time-cond", condition)
        assert curl(*told, address, cwd=tmp_path).decode() == str(statuses)


def test_curl_keeps_a_tag(server: Serving, tmp_path: Path) -> None:
    tags = ("--etag-save", "tag", "--etag-compare", "tag", "--write-out", "%{http_code}")
    for status in ("200", "304", "304"):
        said = curl(*tags, "--output", "body", f"{server.address}/text.txt", cwd=tmp_path)
        assert said.decode() == status
    assert (tmp_path / "body").read_bytes() == TEXT


def test_curl_asks_for_the_head(server: Serving, tmp_path: Path) -> None:
    head = curl("--head", f"{server.address}/noise.bin", cwd=tmp_path).decode().lower()
    assert head.startswith("http/1.1 200 ")
    assert "content-length: 3000000\r\n" in head
    assert "accept-ranges: bytes\r\n" in head
    assert f"last-modified: {MODIFIED.lower()}\r\n" in head


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "sub/../../secret",
        "..%2fsecret",
        "%2e%2e/secret",
        "%2e%2e%2fsecret",
        "..\\secret",
        "..%5csecret",
        "/secret",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        "out",
        ".hidden",
        "%2ehidden",
        "sub/..%2f.hidden",
        "text.txt%00",
        "text.txt/",
    ],
)
def test_curl_climbs_nowhere(server: Serving, tmp_path: Path, path: str) -> None:
    told = ("--path-as-is", "--write-out", "%{http_code}")
    said = curl(*told, f"{server.address}/{path}", cwd=tmp_path).decode()
    assert SECRET not in said
    assert said.endswith(("404", "400"))


def test_curl_comes_by_a_unix_socket(folder: Path, tmp_path: Path) -> None:
    place = os.path.relpath(tmp_path / "s", folder)  # the path of a socket is short
    with serving(folder, "--unix", place):
        by_socket = ("--unix-socket", "s")
        assert curl(*by_socket, "http://localhost/noise.bin", cwd=tmp_path) == NOISE
        part = ("--range", "10-19")
        assert curl(*by_socket, *part, "http://a/noise.bin", cwd=tmp_path) == NOISE[10:20]


def test_curl_follows_a_log(folder: Path, server: Serving, tmp_path: Path) -> None:
    log = folder / "growing.log"
    log.write_bytes(b"one\n")
    arguments = (tool("curl"), "-qsN", f"{server.address}/growing.log?follow")
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as follower:
        assert follower.stdout is not None
        try:
            assert follower.stdout.readline() == b"one\n"
            for line in (b"two\n", b"three\n"):
                with log.open("ab") as file:
                    file.write(line)
                assert follower.stdout.readline() == line
            log.unlink()
            assert follower.stdout.read() == b""
            assert follower.wait(PATIENCE) == 0
        finally:
            follower.kill()


# wget


@pytest.mark.parametrize("held", [1, 2_000_000])
def test_wget_continues_a_download(recorded: Serving, tmp_path: Path, held: int) -> None:
    (tmp_path / "noise.bin").write_bytes(NOISE[:held])
    run("wget", "--no-config", "-q", "-c", f"{recorded.address}/noise.bin", cwd=tmp_path)
    assert (tmp_path / "noise.bin").read_bytes() == NOISE
    assert recorded.statuses("/noise.bin") == [206]


def test_wget_has_nothing_to_continue(recorded: Serving, tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(NOISE)
    run("wget", "--no-config", "-q", "-c", f"{recorded.address}/noise.bin", cwd=tmp_path)
    assert (tmp_path / "noise.bin").read_bytes() == NOISE
    assert recorded.statuses("/noise.bin") == [416]


def test_wget_fetches_only_what_is_newer(recorded: Serving, tmp_path: Path) -> None:
    newer = ("--no-config", "-q", "--timestamping", f"{recorded.address}/noise.bin")
    run("wget", *newer, cwd=tmp_path)
    run("wget", *newer, cwd=tmp_path)
    fetched = tmp_path / "noise.bin"
    assert fetched.read_bytes() == NOISE
    assert fetched.stat().st_mtime == MTIME
    assert recorded.statuses("/noise.bin", at_least=2) == [200, 304]


def test_wget_keeps_the_name_of_a_download(server: Serving, tmp_path: Path) -> None:
    named = ("--no-config", "-q", "--content-disposition")
    run("wget", *named, f"{server.address}/text.txt?download=other.txt", cwd=tmp_path)
    assert (tmp_path / "other.txt").read_bytes() == TEXT


# ffprobe and ffmpeg


@pytest.mark.parametrize("film", ["film.mp4", "film.webm"])
def test_ffprobe_finds_what_a_film_is(recorded: Serving, tmp_path: Path, film: str) -> None:
    shown = ("-v", "error", "-show_streams", "-show_format", "-of", "json")
    seen = json.loads(run("ffprobe", *shown, f"{recorded.address}/{film}", cwd=tmp_path))
    assert {stream["codec_type"] for stream in seen["streams"]} == {"video", "audio"}
    assert float(seen["format"]["duration"]) == pytest.approx(VIDEO_SECONDS, abs=0.5)
    assert set(recorded.statuses(f"/{film}")) <= {200, 206}


def test_ffprobe_reads_the_index_behind_a_film_first(
    recorded: Serving, folder: Path, tmp_path: Path
) -> None:
    shown = ("-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0")
    run("ffprobe", *shown, f"{recorded.address}/film.mp4", cwd=tmp_path)
    statuses = recorded.statuses("/film.mp4", at_least=2)
    assert statuses.count(206) >= 2
    sent = sum(line["bytes"] for line in recorded.answered() if line["target"] == "/film.mp4")
    assert sent < 3 * (folder / "film.mp4").stat().st_size


@pytest.mark.parametrize("film", ["film.mp4", "film.webm"])
def test_ffmpeg_seeks_in_a_film(recorded: Serving, folder: Path, tmp_path: Path, film: str) -> None:
    """A picture from near the end is the same from the server and from the disk."""
    grab = ("-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    seek = ("-v", "error", "-ss", str(VIDEO_SECONDS - 4), "-i")
    served = run("ffmpeg", *seek, f"{recorded.address}/{film}", *grab, cwd=tmp_path)
    assert served
    assert served == run("ffmpeg", *seek, folder / film, *grab, cwd=tmp_path)
    assert 206 in recorded.statuses(f"/{film}")


def test_ffmpeg_reads_a_film_to_its_end(server: Serving, folder: Path, tmp_path: Path) -> None:
    digest = ("-c", "copy", "-f", "md5", "-")
    served = run("ffmpeg", "-v", "error", "-i", f"{server.address}/film.mp4", *digest, cwd=tmp_path)
    assert served == run("ffmpeg", "-v", "error", "-i", folder / "film.mp4", *digest, cwd=tmp_path)


# Chromium


@pytest.fixture(scope="module", autouse=True)
def chromium() -> None:
    """Elsewhere tests without it are skipped, but not here."""
    tool("chromium")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("scripts", [True, False], ids=["the page", "without scripts"])
async def test_chromium_opens_a_folder_and_complains_of_nothing(
    server: Serving, browser: Browser, scripts: bool
) -> None:
    async with visiting(browser, scripts=scripts) as visit:
        if scripts:
            await open_page(visit.page, f"{server.address}/")
        else:
            await visit.page.goto(f"{server.address}/")
        await visit.page.get_by_role("link", name="sub").first.click()
        await visit.page.wait_for_url("**/sub/")
        assert visit.complaints == []
        await visit.page.get_by_role("link", name="fluß").first.click()
        await visit.page.wait_for_url("**.txt")
        text = visit.page.locator(".text-pages" if scripts else "body")
        await expect(text).to_contain_text("line 4999 of a river")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("film", ["film.mp4", "film.webm"])
async def test_chromium_seeks_in_a_video(recorded: Serving, browser: Browser, film: str) -> None:
    async with visiting(browser) as visit:
        page = visit.page
        await page.goto(f"{recorded.address}/watch-{film}.html")
        video = page.locator("video")

        async def state() -> list[float]:
            found: list[float] = await video.evaluate(
                "v => [v.readyState, v.duration, v.currentTime, +v.seeking, v.error?.code ?? 0]"
            )
            return found

        ready = await eventually(state, lambda seen: seen[0] >= 1 or bool(seen[4]))
        assert ready[4] == 0
        assert ready[1] == pytest.approx(VIDEO_SECONDS, abs=0.5)

        for moment in (VIDEO_SECONDS - 3.0, 2.0, VIDEO_SECONDS / 2):
            await video.evaluate("(v, moment) => { v.currentTime = moment }", moment)
            seen = await eventually(state, lambda seen: seen[0] >= 2 and not seen[3])
            assert seen[2] == pytest.approx(moment, abs=0.2)
            assert seen[4] == 0

        await video.evaluate("v => v.play()")
        await eventually(state, lambda seen: seen[2] > VIDEO_SECONDS / 2 + 0.2)
        # It leaves what it has begun to read whenever it seeks.
        assert {c for c in visit.complaints if not c.endswith("(net::ERR_ABORTED)")} == set()
    statuses = set(recorded.statuses(f"/{film}"))
    assert 206 in statuses
    assert statuses <= {206, 304}


# REDbot

NO_VALIDATOR = {"FRESHNESS_NO_CACHE_NO_VALIDATOR"}
EXCEPTIONS = {
    # A listing is written while its folder is read, so nothing can name its state when its head
    # goes out. It may be kept all the same, for who goes back to it, and is asked for anew.
    "/": NO_VALIDATOR,
    "/sub/": NO_VALIDATOR,
    # REDbot's sniffer takes every film for "undefined/undefined".
    "/film.mp4": {"CONTENT_TYPE_MISMATCH"},
}


@pytest.mark.parametrize(
    "path",
    [
        "/noise.bin",
        "/text.txt",
        "/text.txt?download",
        "/empty",
        "/film.mp4",
        "/",
        "/sub/",
        "/sub",
        "/missing",
    ],
)
def test_redbot_finds_nothing_bad(server: Serving, path: str) -> None:
    notes = redbot.check(server.address + path)
    assert {note.level for note in notes} <= {"good", "info", "warn", "bad"}
    assert any(note.level == "good" for note in notes)
    complaints = [note for note in notes if note.level in ("bad", "warn")]
    assert [note for note in complaints if note.name not in EXCEPTIONS.get(path, ())] == []
