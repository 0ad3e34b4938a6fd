"""The page of words as a browser shows it: one by one, and whatever happens, each of them once."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page
from tests.examples.programs import EXAMPLES, free_port, running
from tests.support.browser import DESKTOP, PHONE, Window, eventually, launched, visiting
from tests.support.cutting_proxy import CuttingProxy, proxy_in_thread

STORY = (EXAMPLES / "tokens" / "story.txt").read_text()
WORDS = len(STORY.split())


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


def command(port: int, folder: Path, every: float) -> list[str | Path]:
    told: list[str | Path] = [EXAMPLES / "tokens.py", "--port", str(port)]
    return [*told, "--folder", folder, "--every", str(every)]


async def shown(page: Page) -> str:
    """What is told so far, as it stands on the page."""
    text: str = await page.evaluate("document.getElementById('story').textContent")
    assert STORY.startswith(text), "a word is missing, or there twice"
    return text


async def until_words(page: Page, count: int) -> None:
    await eventually(lambda: shown(page), lambda text: len(text.split()) >= count, within=40)


async def state(page: Page) -> str | None:
    return await page.get_attribute("body", "data-state")


async def test_words_come_one_by_one_to_the_end(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    async with running(command(port, tmp_path, 0.01), port), visiting(browser) as visit:
        await visit.page.goto(f"http://127.0.0.1:{port}/")
        await eventually(lambda: state(visit.page), lambda found: found == "done", within=40)
        assert await shown(visit.page) == STORY
        assert await visit.page.inner_text("#count") == f"{WORDS} words"
        steps = await visit.page.evaluate("document.querySelectorAll('#story span').length")
        assert steps > WORDS / 2
        # A page that is done ends its request for more.
        assert [each for each in visit.complaints if "net::ERR_ABORTED" not in each] == []


@pytest.mark.timeout(180)
async def test_a_reload_lost_connections_and_a_killed_server_lose_and_repeat_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    with proxy_in_thread(port, seed=7, shortest=9_000, longest=12_000) as proxy:
        async with visiting(browser) as visit:
            page = visit.page
            async with running(command(port, tmp_path, 0.05), port) as program:
                await page.goto(f"http://127.0.0.1:{proxy.port}/")
                await until_words(page, 15)
                await page.reload()
                await until_words(page, 30)
                await eventually(cuts_of(proxy), lambda cuts: cuts >= 1, within=40)
                await until_words(page, 60)
                program.process.send_signal(signal.SIGKILL)
                await program.process.wait()
                before = await shown(page)
                await eventually(lambda: state(page), lambda found: found == "lost")
            async with running(command(port, tmp_path, 0.005), port):
                await until_words(page, len(before.split()) + 5)
                proxy.mend()
                await eventually(lambda: state(page), lambda found: found == "done", within=60)
                assert await shown(page) == STORY


def cuts_of(proxy: CuttingProxy) -> Callable[[], Awaitable[int]]:
    async def cuts() -> int:
        return proxy.cuts

    return cuts


@pytest.mark.parametrize("window", [DESKTOP, PHONE])
async def test_the_page_fits_its_window(browser: Browser, tmp_path: Path, window: Window) -> None:
    port = free_port()
    async with running(command(port, tmp_path, 0.001), port), visiting(browser, window) as visit:
        await visit.page.goto(f"http://127.0.0.1:{port}/")
        await eventually(lambda: state(visit.page), lambda found: found == "done", within=40)
        assert not await visit.overflows()
