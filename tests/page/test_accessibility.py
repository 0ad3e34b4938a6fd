"""Every view, in light and dark, on a desktop and a phone, before a judge: axe-core.

With RIVERRUN_PICTURES=1 what was judged is kept as pictures, four of which the README shows.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect
from tests.examples.programs import EXAMPLES, ROOT
from tests.page.conftest import complaints
from tests.page.test_flows import reading
from tests.support.browser import (
    DESKTOP,
    PHONE,
    Scheme,
    Visit,
    Window,
    eventually,
    open_page,
    visiting,
)
from tests.support.serving import Serving

# The first of them may wait until the judges are installed.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(320)]

ASKED_FOR_PICTURES = bool(os.environ.get("RIVERRUN_PICTURES"))
PICTURES = ROOT / "docs" / "pictures"
ALL_PICTURES = ROOT / ".cache" / "pictures"
IN_THE_README = {
    "page-pictures": "desktop-light",
    "page-transfers": "desktop-light",
    "page-uploads": "phone-dark",
    "page-streams": "desktop-dark",
}
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def axe(judges: Path) -> str:
    return (judges / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures, a film and a text as the demo has them, and a large file."""
    folder = tmp_path / "valley"
    shutil.copytree(EXAMPLES / "demo", folder)
    with (folder / "year.log").open("wb") as file:
        file.truncate(64 * MIB)
    return folder


@asynccontextmanager
async def busy(server: Serving) -> AsyncIterator[None]:
    """Somebody who reads slowly, somebody paused, somebody held back, and a stream with lines."""
    stream = f"{server.address}/v1/stream/gauge"
    json = {"content-type": "application/json"}
    async with httpx.AsyncClient() as client:
        (await client.put(stream, headers=json)).raise_for_status()
        readings = ",".join(f'{{"time": "06:{at:02}", "level": 1.{at}}}' for at in range(10, 40))
        (await client.post(stream, headers=json, content=f"[{readings}]")).raise_for_status()
        address = f"{server.address}/year.log"
        async with reading(address, 1e5), reading(address, 4e6), reading(address, 4e6):
            flows: list[dict[str, Any]] = []
            while len(flows) < 3:
                flows = (await client.get(f"{server.address}/~/flows")).json()["flows"]
                await asyncio.sleep(0.1)
            for flow, change in zip(flows[1:], ({"paused": True}, {"rate": 500_000}), strict=True):
                await client.patch(f"{server.address}/~/flows/{flow['id']}", json=change)
            yield


async def judge(visit: Visit, axe: str, name: str) -> None:
    """Let axe-core look at what is there, in the light and in the dark; nothing is to be found."""
    page = visit.page
    await page.evaluate(axe)
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        found = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
        assert [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ] == [], f"{name}, {scheme}"
        await keep(visit, name, scheme)
    assert not await visit.overflows(), name


BOTH = pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])


@BOTH
async def test_every_view_is_for_everybody(
    server: Serving, tmp_path: Path, browser: Browser, axe: str, window: Window
) -> None:
    (tmp_path / "README.md").write_text("another")
    (tmp_path / "long.bin").write_bytes(bytes(8 * MIB))
    async with busy(server), visiting(browser, window) as visit:
        page = visit.page

        async def look(name: str) -> None:
            await judge(visit, axe, f"page-{name}")

        await open_page(page, f"{server.address}/pictures/")
        await page.get_by_role("button", name="Grid").click()
        there = "[...document.images].filter((image) => image.complete).length"
        await eventually(lambda: page.evaluate(there), lambda complete: complete == 6)
        await look("pictures")

        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": MIB}
        await session.send("Network.emulateNetworkConditions", slow)
        await open_page(page, f"{server.address}/")
        chosen = [tmp_path / "README.md", tmp_path / "long.bin"]
        await page.get_by_label("Files to upload").set_input_files(chosen)
        await expect(page.get_by_role("complementary")).to_contain_text("1 question")
        await look("folder")
        await page.get_by_role("link", name="Uploads").click()
        await expect(page.get_by_text("There is a file of this name")).to_be_visible()
        await expect(page.locator("li.upload").filter(has_text="long.bin")).to_contain_text("/s")
        await look("uploads")
        await page.get_by_role("button", name="Cancel long.bin").click()
        await page.get_by_role("button", name="Skip").click()

        await page.get_by_role("link", name="Transfers").click()
        await expect(page.locator("li.flow")).to_have_count(3)
        await expect(page.get_by_text("Paused by hand")).to_be_visible()
        await expect(page.get_by_text("its buffer is full")).to_be_visible()
        if ASKED_FOR_PICTURES:
            await page.wait_for_timeout(12_000)  # for the lines of the last minute to have a shape
        await look("transfers")

        await page.get_by_role("link", name="Streams").click()
        await page.get_by_role("link", name="gauge").click()
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await expect(page.get_by_role("log")).to_contain_text('"06:39"')
        await look("streams")
        # The one complaint is the browser's: the name was taken.
        assert [each for each in complaints(visit) if "412" not in each] == []


@BOTH
async def test_every_kind_of_file_is_for_everybody(
    server: Serving, folder: Path, browser: Browser, axe: str, window: Window
) -> None:
    (folder / "plain.bin").write_bytes(bytes(1000))
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "broken.webm").write_bytes(b"no film")
    (folder / "page.html").write_text(
        "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1></main>"
    )
    shown = {
        "pictures/#noon.webp": "img[alt='noon.webp']",
        "film/#day.webm": "video",
        "sound/#brook.ogg": "audio",
        "#README.md": ".markdown h1",
        "data/#stations.json": ".json details",
        "#year.log": ".text-pages",
        "#page.html": "iframe.document",
        "#plain.bin": ".notice",
        "#broken.jpg": ".notice",
        "#broken.webm": ".notice",
        "#gone.txt": ".notice",
    }
    async with visiting(browser, window) as visit:
        page = visit.page
        for place, element in shown.items():
            await page.goto("about:blank")
            await page.goto(f"{server.address}/{place}")
            await expect(page.locator(f"dialog {element}").first).to_be_visible()
            if element == "video":
                await expect(page.locator("video")).to_have_js_property("readyState", 4)
            await judge(visit, axe, f"file-{place.rpartition('#')[2]}")
        await open_page(page, f"{server.address}/film/#day.webm")
        await expect(page.locator("video")).to_be_visible()
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        await judge(visit, axe, "file-keys")


@BOTH
async def test_what_is_empty_refused_missing_or_lost_is_for_everybody(
    server: Serving, folder: Path, browser: Browser, axe: str, window: Window
) -> None:
    (folder / "empty").mkdir()
    async with visiting(browser, window) as visit:
        page = visit.page

        async def look(name: str, words: str) -> None:
            await expect(page.get_by_text(words).first).to_be_visible()
            await judge(visit, axe, f"state-{name}")

        await open_page(page, f"{server.address}/empty/")
        await look("empty", "This folder is empty")
        for view, words in (
            ("uploads", "Nothing is being uploaded"),
            ("flows", "Nothing is on its way"),
            ("streams", "New stream"),
        ):
            await open_page(page, f"{server.address}/~/{view}")
            await look(f"no-{view}", words)
        await open_page(page, f"{server.address}/")
        await page.keyboard.press("/")
        await page.keyboard.type("nowhere")
        await look("unfound", "Nothing here is called")
        await page.route("**/film/", lambda route: route.fulfill(status=500))
        await open_page(page, f"{server.address}/")
        await page.get_by_role("link", name="film").click()
        await look("refused", "The server did not show this folder")
        (folder / "empty").rmdir()
        await open_page(page, f"{server.address}/")
        await page.evaluate("history.pushState(null, '', '/empty/')")
        await page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
        await look("missing", "There is no such folder")
        await page.context.set_offline(True)
        await page.get_by_role("link", name="Files", exact=True).first.click()
        await look("lost", "The server cannot be reached")


@BOTH
async def test_the_way_back_from_what_is_missing_needs_no_script(
    server: Serving, folder: Path, browser: Browser, axe: str, window: Window
) -> None:
    missing = f"{server.address}/film/gone/{'long-' * 30}name.txt"
    async with visiting(browser, window) as visit:
        await visit.page.goto(missing)
        await judge(visit, axe, "state-404")
    async with visiting(browser, window, scripts=False) as visit:
        page = visit.page
        await page.goto(missing)
        await expect(page.get_by_role("heading")).to_have_text("There is no “gone” here")
        await page.get_by_role("link", name="The folder “film”").click()
        await expect(page.get_by_role("link", name="day.webm")).to_be_visible()
        await page.go_back()
        await page.get_by_role("link", name="All files").click()
        await expect(page.get_by_role("link", name="README.md")).to_be_visible()


async def keep(visit: Visit, name: str, scheme: Scheme) -> None:
    if not ASKED_FOR_PICTURES:
        return
    narrow = await visit.page.evaluate("innerWidth") == PHONE.width
    kind = f"{'phone' if narrow else 'desktop'}-{scheme}"
    picture = await visit.picture()
    ALL_PICTURES.mkdir(parents=True, exist_ok=True)
    picture.save(ALL_PICTURES / f"{name}-{kind}.png")
    if IN_THE_README.get(name) == kind:
        picture.quantize(255).save(PICTURES / f"{name}.png", optimize=True)
