"""What `make serve` shows is all there, plays in a browser, and keeps arriving."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser
from tests.examples.programs import EXAMPLES, Program, fetch, free_port, running
from tests.support.browser import eventually, launched, visiting

COMMITTED = EXAMPLES / "demo"


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Program]:
    archive = tmp_path / "archive" / "year.log"  # as after the first start, which takes a while
    archive.parent.mkdir()
    archive.write_text("a line\n" * 1000)
    port = free_port()
    arguments: list[str | Path] = [EXAMPLES / "demo.py", "--port", str(port), "--folder", tmp_path]
    async with running(arguments, port) as program:
        yield program


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


async def test_everything_that_the_readme_of_the_demo_leads_to_is_there(
    demo: Program, tmp_path: Path
) -> None:
    await eventually(
        readings(tmp_path / "live" / "gauge.log"), bool
    )  # it is started behind the server
    text = (COMMITTED / "README.md").read_text()
    targets = {part.partition(")")[0] for part in text.split("](")[1:]}
    assert len(targets) >= 8
    async with httpx.AsyncClient(base_url=demo.address, follow_redirects=True) as client:
        for target in targets:
            async with client.stream("GET", target, headers={"range": "bytes=0-0"}) as answer:
                assert answer.is_success, target


async def test_the_river_comes_1000_bytes_each_10_ms_and_the_rest_at_once(demo: Program) -> None:
    started = time.monotonic()
    _, length = await fetch(demo.port, "/river/river.webp")
    assert time.monotonic() - started > length / 1000 * 0.01 * 0.95

    started = time.monotonic()
    _, length = await fetch(demo.port, "/film/day.webm")
    assert time.monotonic() - started < length / 1000 * 0.01 / 2


async def test_the_gauge_goes_on_while_the_server_runs_and_stops_with_it(
    demo: Program, tmp_path: Path
) -> None:
    log = tmp_path / "live" / "gauge.log"
    before = await eventually(readings(log), lambda lines: len(lines) > 10)
    more = await eventually(readings(log), lambda lines: len(lines) >= len(before) + 2)
    assert more[: len(before)] == before
    demo.process.terminate()
    await demo.process.wait()
    last = await readings(log)()
    await asyncio.sleep(1.5)  # longer than from one reading to the next
    assert await readings(log)() == last


async def test_the_film_plays_with_sound_and_is_sought_in_a_browser(
    demo: Program, browser: Browser
) -> None:
    async with visiting(browser) as visit:
        await visit.page.goto(f"{demo.address}/film/day.webm")
        video = visit.page.locator("video")
        await video.evaluate("v => { v.muted = true; return v.play() }")
        await eventually(lambda: video.evaluate("v => v.currentTime"), lambda at: at > 0.5)
        assert await video.evaluate("v => v.webkitAudioDecodedByteCount") > 0
        assert await video.evaluate("v => [v.videoWidth, v.videoHeight]") == [854, 480]
        assert 17 < await video.evaluate("v => v.duration") < 18
        at = await video.evaluate(
            "v => new Promise(done => { v.onseeked = () => done(v.currentTime);"
            " v.currentTime = 14 })"
        )
        assert at == pytest.approx(14, abs=0.05)
        await eventually(lambda: video.evaluate("v => v.currentTime"), lambda at: at > 14.2)


def test_what_is_committed_is_small_and_the_pictures_arrive_coarse_to_fine() -> None:
    from PIL import Image

    files = [path for path in COMMITTED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 3_500_000
    for path in COMMITTED.glob("pictures/*.jpg"):
        with Image.open(path) as picture:
            assert picture.info["progressive"]


async def test_the_programs_that_make_it_make_it_again(tmp_path: Path) -> None:
    """Small, and of the film only the first light."""
    pictures: list[str | Path] = [EXAMPLES / "draw_pictures.py", "winter.webp"]
    film = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import make_film;"
        "make_film.make_film(Path('day.webm'), 0.1, make_film.LIGHTS[:1]);"
        "make_film.make_sound(Path('brook.ogg'), 4)"
    )
    commands: tuple[list[str | Path], ...] = (
        [*pictures, "--scale", "0.05", "--directory", "."],
        ["-c", film, EXAMPLES],
    )
    for arguments in commands:
        await run(*arguments, folder=tmp_path)
    for name, codecs in (("day.webm", ["vp9", "opus"]), ("brook.ogg", ["opus"])):
        assert await codecs_of(tmp_path / name) == codecs
    assert (tmp_path / "winter.webp").read_bytes()[8:12] == b"WEBP"


def readings(log: Path) -> Callable[[], Awaitable[list[str]]]:
    async def read() -> list[str]:
        return log.read_text().splitlines() if log.exists() else []

    return read


async def run(*arguments: str | Path, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, *map(str, arguments), cwd=folder)
    assert await process.wait() == 0


async def codecs_of(path: Path) -> list[str]:
    """What a judge finds in a film or a sound."""
    process = await asyncio.create_subprocess_exec(
        *("ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    return [stream["codec_name"] for stream in json.loads(printed)["streams"]]
