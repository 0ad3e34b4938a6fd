"""Streams on the page: made, followed as they grow, appended to by hand."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect
from tests.examples.programs import free_port
from tests.page.conftest import ALLOWED, complaints
from tests.support.browser import open_page, visiting
from tests.support.serving import Serving, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = {"content-type": "text/plain; charset=utf-8"}
JSON = {"content-type": "application/json"}


def stream(server: Serving, name: str) -> str:
    return f"{server.address}/v1/stream/{name}"


async def test_a_stream_is_made_and_appended_to_by_hand(server: Serving, browser: Browser) -> None:
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/~/streams")
        await expect(page.get_by_text("There is no stream yet")).to_be_visible()
        await page.get_by_label("Name").fill("builds/today")
        await page.get_by_role("button", name="Make it").click()
        await expect(page.get_by_role("heading", name="builds/today")).to_be_visible()
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await page.get_by_label("A line to append").fill("it began")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("log")).to_contain_text("it began")
        assert complaints(visit) == []
    assert httpx.get(stream(server, "builds/today")).text == "it began\n"


async def test_the_end_of_a_stream_is_shown_while_others_append(
    server: Serving, browser: Browser
) -> None:
    address = stream(server, "gauge")
    httpx.put(address, headers=JSON).raise_for_status()
    httpx.post(address, headers=JSON, content='[{"level": 1}, {"level": 2}]').raise_for_status()
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/~/streams#gauge")
        log = page.get_by_role("log")
        await expect(log.locator("div")).to_have_text(['{"level":1}', '{"level":2}'])
        httpx.post(address, headers=JSON, content='{"level": 3}').raise_for_status()
        await expect(log.locator("div").last).to_have_text('{"level":3}')
        await page.get_by_label("A value to append, as JSON").fill("level 4")
        await page.get_by_role("button", name="Append").click()
        await expect(page.get_by_role("alert")).to_contain_text("This stream holds JSON")
        httpx.post(address, headers={**JSON, "stream-closed": "true"}).raise_for_status()
        await expect(page.get_by_text("It is closed")).to_be_visible()
        assert complaints(visit) == []


async def test_a_long_stream_is_followed_from_its_end_and_keeps_few_nodes(
    server: Serving, browser: Browser
) -> None:
    address = stream(server, "long")
    lines = "".join(f"line {number} {'x' * 40}\n" for number in range(40_000))
    httpx.put(address, headers=TEXT, content=lines).raise_for_status()
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/~/streams#long")
        await expect(page.get_by_text("came before you looked")).to_be_visible()
        await page.get_by_role("button", name="Read from the beginning").click()
        log = page.get_by_role("log")
        await expect(log.locator("div").last).to_contain_text("line 39999", timeout=15_000)
        assert await log.locator("div").count() == 1000
        await expect(log).to_contain_text("39,000 earlier ones no longer shown")


async def test_the_tail_goes_on_after_a_restart_of_the_server_without_a_word_lost_or_doubled(
    folder: Path, browser: Browser
) -> None:
    port = str(free_port())
    async with visiting(browser) as visit:
        page = visit.page
        with serving(folder, *ALLOWED, "--port", port) as server:
            httpx.put(stream(server, "s"), headers=TEXT, content="one\n").raise_for_status()
            await open_page(page, f"{server.address}/~/streams#s")
            await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await expect(page.get_by_text("Connection lost")).to_be_visible()
        with serving(folder, *ALLOWED, "--port", port) as server:
            httpx.post(stream(server, "s"), headers=TEXT, content="two\n").raise_for_status()
            await expect(page.get_by_role("log").locator("div")).to_have_text(["one", "two"])


async def test_without_permission_there_is_no_view_of_streams(
    folder: Path, browser: Browser
) -> None:
    with serving(folder) as server:
        async with visiting(browser) as visit:
            await open_page(visit.page, f"{server.address}/~/flows")
            await expect(visit.page.get_by_role("link", name="Transfers")).to_be_visible()
            await expect(visit.page.get_by_role("link", name="Streams")).to_have_count(0)
            await expect(visit.page.get_by_role("link", name="Uploads")).to_have_count(0)
