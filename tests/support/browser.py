"""A real browser for tests: pages of a known size, what they complain about, and what they show.

    async with launched() as browser, visiting(browser, DESKTOP) as visit:
        await visit.page.goto(address)
        picture = await visit.picture()
        assert visit.complaints == []

Chromium is the system's, found on the search path; nothing is downloaded. Without one, tests skip.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import pytest
from PIL import Image
from playwright.async_api import Browser, ConsoleMessage, Error, Page, Request, async_playwright

Result = TypeVar("Result")
Scheme: TypeAlias = Literal["light", "dark"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Window(NamedTuple):
    """The size of a page, in CSS pixels."""

    width: int
    height: int


DESKTOP = Window(1280, 900)
PHONE = Window(390, 844)


@dataclass
class Visit:
    """A page and everything it has complained about so far: console, exceptions, failed loads."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    async def picture(self, *, whole_page: bool = False) -> Image.Image:
        """Return what the page shows now, even while it is still loading."""
        shot = await self.page.screenshot(full_page=whole_page, animations="disabled")
        with Image.open(io.BytesIO(shot)) as image:
            return image.convert("RGB")

    async def overflows(self) -> bool:
        """Whether the page is wider than its window."""
        return bool(
            await self.page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )

    def listen(self) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.complaints.append(f"{message.type}: {message.text}")

        def page_error(error: Error) -> None:
            self.complaints.append(f"exception: {error}")

        def request_failed(request: Request) -> None:
            self.complaints.append(f"failed: {request.url} ({request.failure})")

        self.page.on("console", console)
        self.page.on("pageerror", page_error)
        self.page.on("requestfailed", request_failed)


async def open_page(page: Page, address: str) -> None:
    """Go to a folder or a view, and wait until the page has taken the document's place.

    What is clicked before is a link of the document: that works too, and is something else.
    """
    await page.goto(address)
    await page.locator("#app").wait_for(state="attached")


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Run a headless Chromium; skip the test where there is none."""
    executable = next((found for name in NAMES if (found := shutil.which(name))), None)
    if executable is None:
        pytest.skip("there is no Chromium on the search path")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser,
    window: Window = DESKTOP,
    *,
    scheme: Scheme = "light",
    scripts: bool = True,
) -> AsyncIterator[Visit]:
    """Open an empty page in a context of its own; a phone's has touch and no pointer."""
    context = await browser.new_context(
        viewport={"width": window.width, "height": window.height},
        color_scheme=scheme,
        java_script_enabled=scripts,
        is_mobile=window == PHONE,
        has_touch=window == PHONE,
        reduced_motion="reduce",
    )
    try:
        visit = Visit(await context.new_page())
        visit.listen()
        yield visit
    finally:
        await context.close()


async def eventually(
    look: Callable[[], Awaitable[Result]],
    good: Callable[[Result], bool],
    *,
    within: float = 20.0,
) -> Result:
    """Look again and again until what is seen is good; fail after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        seen = await look()
        if good(seen):
            return seen
        if time.monotonic() > deadline:
            pytest.fail(f"still not so after {within:g} s; last seen: {seen!r}")
        await asyncio.sleep(0.02)
