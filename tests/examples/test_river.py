"""The river appears while it loads, in a real browser, served by the real programs."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat
from playwright.async_api import Browser
from tests.examples.programs import EXAMPLES, ROOT, Program, fetch, free_port, gated, running
from tests.support.browser import (
    DESKTOP,
    PHONE,
    Scheme,
    Visit,
    Window,
    eventually,
    launched,
    visiting,
)

FOLDER = EXAMPLES / "river"
WEBP, JPEG = FOLDER / "river.webp", FOLDER / "river.jpg"
HALF_SIZE = Window(720, 900)
README_PICTURE = ROOT / "docs" / "pictures" / "river.png"
ASKED_FOR_PICTURES = bool(os.environ.get("RIVERRUN_PICTURES"))
FAST_RIVER = Path(__file__).parent / "fast_river.py"
SERVE = ("-c", "from riverrun.cli import main; main()", "serve")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture
async def river() -> AsyncIterator[Program]:
    port = free_port()
    async with running([EXAMPLES / "river.py", str(port)], port) as program:
        yield program


@pytest.fixture
async def folder() -> AsyncIterator[Program]:
    port = free_port()
    pace = ("--chunk-size", "1000", "--delay", "10ms", "--port", str(port))
    async with running([*SERVE, FOLDER, *pace], port) as program:
        yield program


def strip(picture: Image.Image, top: float, bottom: float) -> Image.Image:
    """Cut a band out of a picture, from `top` to `bottom` as parts of its height."""
    return picture.crop(
        (0, round(picture.height * top), picture.width, round(picture.height * bottom))
    )


def is_blank(picture: Image.Image) -> bool:
    return len(picture.getcolors(1) or ()) == 1


def difference(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures of one size are apart: 0 for the same, up to 255."""
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)


def as_shown(path: Path, window: Window) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB").resize(window, Image.Resampling.BOX)


async def loaded(visit: Visit) -> bool:
    return bool(await visit.page.evaluate("document.readyState === 'complete'"))


async def settled(visit: Visit) -> Image.Image:
    """Return what the page shows once four looks in a row show the same."""
    looks: list[Image.Image] = []

    async def look() -> bool:
        looks.append(await visit.picture())
        del looks[:-4]
        return len(looks) == 4 and all(difference(looks[0], other) == 0 for other in looks)

    await eventually(look, bool)
    return looks[-1]


async def arriving(
    browser: Browser,
    program: Program,
    path: str,
    levels: Sequence[int],
    window: Window = HALF_SIZE,
) -> list[Image.Image]:
    """Return what a window shows when so many bytes of a picture have come, and no more."""
    shots: list[Image.Image] = []
    async with (
        gated(program.port, path) as (gate, address),
        visiting(browser, window) as visit,
    ):
        for level in levels:
            await gate.raise_to(level)
            if not shots:
                await visit.page.goto(address, wait_until="commit")
            await eventually(gate.level_reached, bool)
            if level == levels[-1]:
                await eventually(lambda: loaded(visit), bool)
            else:
                assert not await loaded(visit)
                await eventually(visit.picture, lambda shot: not is_blank(shot))
            shots.append(await settled(visit))
            assert gate.passed == level
        assert visit.complaints == []
    return shots


async def test_the_top_of_the_river_is_painted_before_the_bottom_is_sent(
    river: Program, browser: Browser
) -> None:
    size = WEBP.stat().st_size
    quarter, half, whole = await arriving(browser, river, "/", [size // 4, size // 2, size])
    picture = as_shown(WEBP, HALF_SIZE)

    for shot, painted, blank in ((quarter, 0.15, 0.70), (half, 0.35, 0.85)):
        assert difference(strip(shot, 0, painted), strip(picture, 0, painted)) < 4
        assert is_blank(strip(shot, blank, 1))
    assert difference(whole, picture) < 4


async def test_a_progressive_jpeg_comes_whole_and_gets_finer(
    folder: Program, browser: Browser
) -> None:
    size = JPEG.stat().st_size
    shots = await arriving(
        browser, folder, "/river.jpg", [size // 6, size // 3, size * 2 // 3, size]
    )
    picture = as_shown(JPEG, HALF_SIZE)

    assert not is_blank(strip(shots[0], 0.9, 1))
    apart = [difference(shot, picture) for shot in shots]
    assert apart == sorted(apart, reverse=True)
    assert len(set(apart)) == len(apart)
    assert apart[-1] < 4


async def test_the_program_rests_after_each_chunk(river: Program) -> None:
    size = WEBP.stat().st_size
    started = time.monotonic()
    head, length = await fetch(river.port)
    took = time.monotonic() - started

    assert length == size
    assert took > math.ceil(size / 1000) * 0.01 * 0.95
    fields = head.lower().split(b"\r\n")
    assert b"content-type: image/webp" in fields
    assert b"access-control-allow-origin: *" in fields
    assert b"content-length: %d" % size in fields


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_memory_does_not_depend_on_the_size_of_the_file(tmp_path: Path) -> None:
    peaks = []
    for megabytes in (1, 256):
        path = tmp_path / f"{megabytes}"
        with path.open("wb") as file:
            file.truncate(megabytes << 20)
        port = free_port()
        async with running([FAST_RIVER, str(port), path], port) as program:
            _, length = await fetch(port)
            assert length == megabytes << 20
            peaks.append(program.peak_memory())
    small, large = peaks
    assert large - small < 4096, f"{small} KiB became {large} KiB"


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_shows_both_pictures(
    browser: Browser, window: Window, scheme: Scheme
) -> None:
    port = free_port()
    async with (
        running([*SERVE, FOLDER, "--port", str(port)], port) as program,
        visiting(browser, window, scheme=scheme) as visit,
    ):
        await visit.page.goto(f"{program.address}/index.html")
        boxes = [await image.bounding_box() for image in await visit.page.locator("img").all()]
        widths = await visit.page.evaluate("[...document.images].map(i => i.naturalWidth)")

        assert widths == [1440, 1440]
        first, second = (box for box in boxes if box)
        assert (first["y"] == second["y"]) == (window == DESKTOP)
        assert not await visit.overflows()
        assert visit.complaints == []
        corner = (await visit.picture()).getpixel((1, 1))
        assert isinstance(corner, tuple)
        assert (sum(corner) > 3 * 128) == (scheme == "light")


@pytest.mark.skipif(not ASKED_FOR_PICTURES, reason="RIVERRUN_PICTURES=1 makes the README's picture")
async def test_make_the_picture_of_the_readme(river: Program, browser: Browser) -> None:
    size = WEBP.stat().st_size
    levels = [size * 20 // 100, size // 2, size]
    shots = await arriving(browser, river, "/", levels)
    README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
    montage(shots).save(README_PICTURE, optimize=True)
    assert README_PICTURE.stat().st_size < 400_000


def montage(shots: Sequence[Image.Image]) -> Image.Image:
    """Lay pictures side by side; what is not painted yet is an empty frame, and transparent."""
    width, height, gap = 480, 600, 18
    sheet = Image.new("RGB", (len(shots) * (width + gap) - gap, height))
    cover = Image.new("L", sheet.size)
    for i, shot in enumerate(shots):
        left = i * (width + gap)
        small = shot.resize((width, height), Image.Resampling.LANCZOS)
        painted = height
        while is_blank(small.crop((0, painted - 1, width, painted))):
            painted -= 1
        sheet.paste(small, (left, 0))
        cover.paste(255, (left, 0, left + width, painted))
        frame = (left, 0, left + width - 1, height - 1)
        if painted < height:
            ImageDraw.Draw(sheet).rectangle(frame, outline=(128, 136, 140))
            ImageDraw.Draw(cover).rectangle(frame, outline=255)
    palette = sheet.quantize(255, kmeans=4)
    few = sheet.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    few.paste(255, mask=ImageChops.invert(cover))
    few.info["transparency"] = 255
    return few
