"""Files on the page: pictures, recordings, text of any size, and documents that may do nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from shutil import copy

import pytest
from playwright.async_api import Browser, Page, expect
from tests.page.conftest import complaints
from tests.page.test_folders import picture
from tests.support.browser import PHONE, eventually, open_page, visiting
from tests.support.cutting_proxy import proxy_in_thread
from tests.support.serving import Serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEMO = Path(__file__).parents[2] / "examples" / "demo"
GIB = 1024**3


async def test_pictures_are_gone_through_and_looked_at_closely(
    server: Serving, folder: Path, browser: Browser
) -> None:
    for number in range(3):
        picture(folder / f"{number}.bmp", number * 100)
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, server.address)
        await page.get_by_role("link", name="0.bmp").click()
        shown = page.locator(".picture-frame img")
        await expect(shown).to_have_js_property("complete", value=True)
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("heading", name="1.bmp")).to_be_visible()
        await page.keyboard.press("+")
        await expect(shown).to_have_js_property("clientWidth", 768)
        await page.keyboard.press("0")
        await expect(shown).to_have_js_property("clientWidth", 512)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.locator("a[href$='#1.bmp']")).to_be_focused()
        assert complaints(visit) == []


async def test_a_text_of_two_gibibytes_opens_at_once_and_is_followed_at_its_end(
    server: Serving, folder: Path, browser: Browser
) -> None:
    path = folder / "huge.log"
    with path.open("wb") as file:
        file.write(b"the first line\n" * 20_000)
        file.seek(2 * GIB)
        file.write(b"\nthe last line\n")
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/#huge.log")
        text = page.locator(".text-pages")
        await expect(text).to_contain_text("the first line", timeout=5_000)
        await page.get_by_role("button", name="End", exact=True).click()
        await expect(text).to_contain_text("the last line")
        await page.get_by_role("button", name="Follow").click()
        await expect(page.get_by_text("Follows the end")).to_be_visible()
        with path.open("ab") as file:
            file.write(b"and one more\n")
        await expect(page.get_by_text("and one more")).to_be_in_viewport()
        moved = sum(line["bytes"] for line in server.answered() if "huge.log" in line["target"])
        assert moved < GIB / 100
        assert complaints(visit) == []


async def test_every_line_of_a_text_is_read_by_scrolling(
    server: Serving, folder: Path, browser: Browser
) -> None:
    (folder / "lines.txt").write_text("".join(f"line {number:06}\n" for number in range(60_000)))
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/#lines.txt")
        box = page.locator(".text-pages")
        await expect(box).to_contain_text("line 000000")

        async def scrolled() -> str:
            await box.evaluate("(box) => box.scrollTo(0, box.scrollHeight)")
            return await box.inner_text()

        seen: set[str] = set()

        async def read_on() -> int:
            seen.update((await scrolled()).split("\n"))
            return len([line for line in seen if line.startswith("line ")])

        assert await eventually(read_on, (60_000).__eq__, within=30) == 60_000
        assert await page.locator(".text-pages pre").count() <= 6
        assert complaints(visit) == []


async def test_json_is_a_tree_and_what_is_none_says_where(
    server: Serving, folder: Path, browser: Browser
) -> None:
    (folder / "good.json").write_text(json.dumps({"river": {"length": 42}, "many": [0] * 500}))
    (folder / "worse.json").write_text('{"river": }')
    async with visiting(browser, PHONE) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/#good.json")
        await expect(page.get_by_text("length: 42")).to_be_visible()
        await page.get_by_role("button", name="Next").click()
        await expect(page.get_by_text("This is no valid JSON")).to_be_visible()
        await page.get_by_role("button", name="Text", exact=True).click()
        await expect(page.locator(".text-pages")).to_contain_text('{"river": }')
        assert not await visit.overflows()
        assert complaints(visit) == []


async def test_markdown_is_a_page_that_can_do_nothing(
    server: Serving, folder: Path, browser: Browser
) -> None:
    (folder / "notes.md").write_text(
        "# A heading\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "<script>window.hacked = 1</script>\n"
        "<img src=x onerror='window.hacked = 2'>\n\n"
        "![far](https://example.invalid/a.png)\n\n"
        "[a link](javascript:window.hacked=3)\n\n<form action=/><button>Send</button></form>\n"
    )
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/#notes.md")
        await expect(page.get_by_role("heading", name="A heading")).to_be_visible()
        await expect(page.locator(".markdown td")).to_have_count(2)
        assert await page.locator(".markdown :is(script, form, button, [onerror])").count() == 0
        for link in await page.locator(".markdown a").all():
            assert not (await link.get_attribute("href") or "").startswith("javascript:")
        await asyncio.sleep(0.2)
        assert await page.evaluate("window.hacked") is None
        # The browser tells that it ran no handler, and that there is no picture called x.
        expected = ("inline event handler", "404", "/x ")
        others = [each for each in complaints(visit) if not any(part in each for part in expected)]
        assert others == []


EVIL = """<!doctype html><title>waiting</title><script>
(async () => {
  const tried = [];
  for (const attempt of [
    () => fetch('/secret.txt').then((answer) => answer.text()),
    () => fetch('/~/flows').then((answer) => answer.text()),
    () => fetch('/gone.txt', { method: 'PUT', body: 'x' }),
    () => localStorage.getItem('x'),
    INSIDE
  ]) {
    try { await attempt(); tried.push('done'); } catch { tried.push('refused'); }
  }
  document.title = tried.join();
  document.body.textContent = tried.join();
})();
</script><body></body>"""
FRAMED = EVIL.replace("INSIDE", "() => parent.document.title, () => top.location.href,")
ALONE = EVIL.replace("INSIDE", "")
REFUSED = ["refused"] * 4


@pytest.mark.parametrize("name", ["evil.html", "evil.svg", "evil.xhtml"])
async def test_a_served_document_reads_and_changes_nothing(
    server: Serving, folder: Path, browser: Browser, name: str
) -> None:
    (folder / "secret.txt").write_text("secret")
    script = ALONE.partition("<script>")[2].partition("</script>")[0].replace("&", "&amp;")
    script = script.replace("<", "&lt;")
    page_of = {
        "evil.html": ALONE,
        "evil.svg": "<svg xmlns='http://www.w3.org/2000/svg'><title>waiting</title>"
        f"<script>{script.replace('document.body.textContent = tried.join();', '')}</script></svg>",
        "evil.xhtml": "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>waiting</title>"
        f"</head><body><script>{script}</script></body></html>",
    }
    (folder / name).write_text(page_of[name])
    async with visiting(browser) as visit:
        await visit.page.goto(f"{server.address}/{name}")
        assert await eventually(visit.page.title, lambda title: "," in title) == ",".join(REFUSED)
    assert not (folder / "gone.txt").exists()


async def test_a_document_in_the_viewer_reads_and_changes_nothing(
    server: Serving, folder: Path, browser: Browser
) -> None:
    (folder / "secret.txt").write_text("secret")
    (folder / "evil.html").write_text(FRAMED)
    async with visiting(browser) as visit:
        await open_page(visit.page, f"{server.address}/#evil.html")
        inside = visit.page.frame_locator("iframe.document").locator("body")
        await expect(inside).to_have_text(",".join([*REFUSED, "refused", "refused"]))
        assert "refused" not in await visit.page.title()
    assert not (folder / "gone.txt").exists()


async def seconds(page: Page) -> float:
    return float(await page.locator("video").evaluate("(video) => video.currentTime"))


async def test_a_film_plays_seeks_has_subtitles_and_remembers_its_place(
    server: Serving, folder: Path, browser: Browser
) -> None:
    copy(DEMO / "film" / "day.webm", folder / "day.webm")
    (folder / "day.en.srt").write_text("1\r\n00:00:00,000 --> 00:00:20,000\r\nA day begins\r\n")
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/#day.webm")
        video = page.locator("video")
        await expect(video).to_have_js_property("readyState", 4)
        await video.evaluate("(video) => { video.muted = true; return video.play(); }")
        await eventually(lambda: seconds(page), lambda now: now > 0.2)
        await video.evaluate("(video) => { video.currentTime = 9 }")
        await eventually(lambda: seconds(page), lambda now: now > 9.1)
        cue = "(video) => [...video.textTracks].map((track) => track.activeCues?.[0]?.text).join()"
        await eventually(lambda: video.evaluate(cue), "A day begins".__eq__)
        await page.keyboard.press("Escape")
        await page.get_by_role("link", name="day.webm").click()
        await eventually(lambda: seconds(page), lambda now: now >= 9)
        assert complaints(visit) == []


async def test_keys_steer_a_film_wherever_the_keyboard_is_in_the_viewer(
    server: Serving, folder: Path, browser: Browser
) -> None:
    copy(DEMO / "film" / "day.webm", folder / "day.webm")
    picture(folder / "a.bmp", 100)
    picture(folder / "z.bmp", 200)
    async with visiting(browser) as visit:
        page, press = visit.page, visit.page.keyboard.press
        await open_page(page, server.address)
        await page.get_by_role("link", name="day.webm").click()
        video = page.locator("video")
        await expect(video).to_have_js_property("readyState", 4)
        # The dialog has the keyboard, as it has when a person has opened the film.
        await video.evaluate("(video) => { video.pause(); video.currentTime = 7 }")
        await press("ArrowRight")
        await expect(video).to_have_js_property("currentTime", 12)
        await press("ArrowLeft")
        await press("j")
        await expect(video).to_have_js_property("currentTime", 0)
        await press("Space")
        await expect(video).to_have_js_property("paused", value=False)
        await press("k")
        await expect(video).to_have_js_property("paused", value=True)
        await press("m")
        await expect(video).to_have_js_property("muted", value=True)
        await expect(page.get_by_role("status").filter(has_text="Muted")).to_be_visible()
        await press(">")
        await expect(video).to_have_js_property("playbackRate", 1.25)
        await press("ArrowDown")
        await expect(page.get_by_role("status").filter(has_text="Volume 90 %")).to_be_visible()
        await press("f")
        await eventually(
            lambda: page.evaluate("document.fullscreenElement?.tagName"), "VIDEO".__eq__
        )
        await press("f")
        await eventually(
            lambda: page.evaluate("document.fullscreenElement"), lambda found: found is None
        )

        # A button that has the keyboard keeps the space bar, and the rest still steers the film.
        await page.get_by_role("button", name="Keys").focus()
        await press("l")
        await eventually(lambda: seconds(page), lambda now: 9.9 < now < 12)
        there = await seconds(page)
        await press("Space")
        keys = page.get_by_role("dialog", name="Keys")
        await expect(keys).to_contain_text("5 seconds back or on")
        await press("l")
        assert await seconds(page) == there
        await press("Escape")
        await expect(keys).to_have_count(0)
        await expect(video).to_be_visible()

        # The browser's own controls know the space bar: it is not pressed twice.
        await video.focus()
        await press("Space")
        await expect(video).to_have_js_property("paused", value=False)
        await press("Space")
        await expect(video).to_have_js_property("paused", value=True)

        await press("n")
        await expect(page.get_by_role("heading", name="z.bmp")).to_be_visible()
        await expect(page.locator(".stage")).to_be_focused()
        await press("ArrowLeft")
        await expect(page.get_by_role("heading", name="day.webm")).to_be_visible()
        await press("p")
        await expect(page.get_by_role("heading", name="a.bmp")).to_be_visible()
        assert complaints(visit) == []


async def test_the_keys_of_a_text_are_its_own(
    server: Serving, folder: Path, browser: Browser
) -> None:
    (folder / "long.txt").write_text("a line\n" * 400_000)
    (folder / "next.txt").write_text("another")
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/#long.txt")
        slider = page.get_by_role("slider")
        await slider.focus()
        for key in ("ArrowRight", "Space"):
            await page.keyboard.press(key)
        await expect(page.get_by_role("heading", name="long.txt")).to_be_visible()
        await page.keyboard.press("End")
        await expect(page.get_by_text("of 2.8 MB")).to_be_visible()
        await expect(slider).not_to_have_value("0")
        assert complaints(visit) == []


async def test_a_film_plays_to_its_end_over_connections_that_are_cut(
    server: Serving, folder: Path, browser: Browser
) -> None:
    copy(DEMO / "film" / "day.webm", folder / "day.webm")
    with proxy_in_thread(server.port, seed=5, shortest=100_000, longest=200_000) as proxy:
        async with visiting(browser) as visit:
            page = visit.page
            await page.goto(f"http://127.0.0.1:{proxy.port}/")
            await page.get_by_role("link", name="day.webm").click()
            start = (
                "(video) => { video.muted = true; video.playbackRate = 4; return video.play(); }"
            )
            await page.locator("video").evaluate(start)
            await eventually(lambda: seconds(page), lambda now: now > 16.5, within=60)
        assert proxy.cuts >= 3
