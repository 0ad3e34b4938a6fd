"""Transfers on the page: seen while they last, explained, and steered."""

from __future__ import annotations

import asyncio
import os
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect
from tests.page.conftest import complaints
from tests.support.browser import DESKTOP, PHONE, Window, eventually, open_page, visiting
from tests.support.serving import Serving, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1024 * 1024
SIZE = 512 * MIB  # more than all buffers on the way take, the kernel's and the browser's


@pytest.fixture
def big(folder: Path) -> Path:
    path = folder / "big.bin"
    with path.open("wb") as file:
        file.write(os.urandom(MIB))
        file.truncate(SIZE)
    return path


class Reader:
    """A client that reads at a pace, and counts."""

    def __init__(self, pace: float) -> None:
        self.pace = pace
        self.taken = 0
        self.error: Exception | None = None

    async def read(self, address: str) -> None:
        try:
            async with (
                httpx.AsyncClient(timeout=60) as client,
                client.stream("GET", address) as answer,
            ):
                async for chunk in answer.aiter_raw(1 << 16):
                    self.taken += len(chunk)
                    await asyncio.sleep(len(chunk) / self.pace)
        except httpx.HTTPError as error:
            self.error = error

    async def count(self) -> int:
        return self.taken


@asynccontextmanager
async def reading(address: str, pace: float) -> AsyncIterator[tuple[Reader, asyncio.Task[None]]]:
    reader = Reader(pace)
    task = asyncio.create_task(reader.read(address))
    try:
        yield reader, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_said_to_be_nothing(server: Serving, browser: Browser) -> None:
    async with visiting(browser) as visit:
        await open_page(visit.page, f"{server.address}/")
        await visit.page.get_by_role("link", name="Transfers").click()
        await expect(visit.page.get_by_text("Nothing is on its way")).to_be_visible()
        assert complaints(visit) == []


async def test_a_slow_reader_is_seen_to_stop_the_source(
    server: Serving, big: Path, browser: Browser
) -> None:
    async with visiting(browser) as visit, reading(f"{server.address}/big.bin", 100_000):
        page = visit.page
        await open_page(page, f"{server.address}/~/flows")
        line = page.locator("li.flow").filter(has_text="big.bin")
        await expect(line).to_contain_text("its buffer is full")
        await expect(line).to_contain_text("python-httpx")
        await expect(line.get_by_role("img", name="Buffer: buffer full")).to_be_visible()
        await expect(page.get_by_role("button", name="1 paced by the other side")).to_be_visible()
        # What the newcomer looks at: the way into the buffer is shut, and the reader is named.
        await expect(line.locator(".stretch.shut")).to_have_count(1)
        await expect(line.locator(".waited-for")).to_have_text("reader")
        assert complaints(visit) == []


async def test_a_transfer_is_paused_limited_and_cut_from_the_page(
    server: Serving, big: Path, browser: Browser
) -> None:
    async with (
        visiting(browser) as visit,
        reading(f"{server.address}/big.bin", 4e6) as (reader, task),
    ):
        page = visit.page
        await open_page(page, f"{server.address}/~/flows")
        await page.get_by_role("button", name="Pause big.bin").click()
        line = page.locator("li.flow").filter(has_text="big.bin")
        await expect(line).to_contain_text("Paused by hand")
        # What the kernels hold still arrives; then nothing does.
        still = [-1]

        async def settled() -> bool:
            still.append(reader.taken)
            await asyncio.sleep(0.3)
            return still[-1] == still[-2]

        await eventually(settled, bool, within=30)
        assert 0 < reader.taken < SIZE

        await page.get_by_label("Limit of big.bin").select_option("1000000")
        await page.get_by_role("button", name="Resume big.bin").click()
        await eventually(reader.count, lambda taken: taken > still[-1])
        await expect(line).to_contain_text("Held back to 1.0 MB/s")

        await page.get_by_role("button", name="Cancel big.bin").click()
        await expect(line).to_contain_text("Cut off:")
        await task
        assert isinstance(reader.error, httpx.RemoteProtocolError | httpx.ReadError)
        assert reader.taken < SIZE
        assert complaints(visit) == []


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_an_upload_that_goes_on_is_told_as_the_whole(
    server: Serving, browser: Browser, window: Window
) -> None:
    tus = {"tus-resumable": "1.0.0"}
    name = b64encode(b"film.mp4").decode()

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(1000)
            await asyncio.sleep(0.1)

    async with httpx.AsyncClient(base_url=server.address, timeout=60) as client:
        begun = {**tus, "upload-length": "13000000", "upload-metadata": f"path {name}"}
        upload = (await client.post("/~/tus/", headers=begun)).headers["location"]
        body = {**tus, "content-type": "application/offset+octet-stream"}
        await client.patch(upload, headers={**body, "upload-offset": "0"}, content=bytes(10**7))
        rest = {**body, "upload-offset": "10000000", "content-length": "3000000"}
        sending = asyncio.create_task(client.patch(upload, headers=rest, content=slowly()))
        try:
            async with visiting(browser, window) as visit:
                page = visit.page
                await open_page(page, f"{server.address}/~/flows")
                line = page.locator("li.flow").filter(has_text="film.mp4")
                await expect(line).to_contain_text("10 MB of 13 MB")
                bar = line.get_by_role("progressbar")
                await expect(bar).to_have_js_property("max", 13_000_000)
                assert await bar.evaluate("(bar) => bar.value") > 10_000_000
                # What the buffer holds is to be read whole, on a telephone too.
                for text in await line.locator(".tank-text:visible").all():
                    assert await text.inner_text() != ""
                    assert await text.evaluate("(text) => text.scrollWidth <= text.clientWidth")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def test_an_upload_in_pieces_is_one_line(server: Serving, browser: Browser) -> None:
    tus = {"tus-resumable": "1.0.0"}
    piece = 1_000_000

    async with httpx.AsyncClient(base_url=server.address, timeout=60) as client:
        name = b64encode(b"film.mp4").decode()
        begun = {**tus, "upload-length": f"{3 * piece}", "upload-metadata": f"path {name}"}
        upload = (await client.post("/~/tus/", headers=begun)).headers["location"]

        async def held_until(seen: asyncio.Event) -> AsyncIterator[bytes]:
            yield bytes(piece - 1)
            await seen.wait()
            yield bytes(1)

        def send(start: int, seen: asyncio.Event) -> asyncio.Task[httpx.Response]:
            body = {"content-type": "application/offset+octet-stream"}
            sizes = {"upload-offset": f"{start}", "content-length": f"{piece}"}
            headers = {**tus, **body, **sizes}
            return asyncio.create_task(
                client.patch(upload, headers=headers, content=held_until(seen))
            )

        async with visiting(browser) as visit:
            await open_page(visit.page, f"{server.address}/~/flows")
            line = visit.page.locator("li.flow").filter(has_text="film.mp4")
            marks = set()
            for number in range(3):
                seen = asyncio.Event()
                sending = send(number * piece, seen)
                try:
                    await expect(line).to_contain_text(f"{number + 1}.0 MB of 3.0 MB")
                    await expect(line.get_by_role("button", name="Pause film.mp4")).to_be_visible()
                    await expect(line).to_have_count(1)
                    # It is still the line that it was: who looks at it need not look for it.
                    marked = "(line) => line.marked ?? (line.marked = line.dataset.flow)"
                    marks.add(await line.evaluate(marked))
                finally:
                    seen.set()
                    answer = await sending
                assert answer.status_code == 204
            await expect(line).to_contain_text("Done: 1.0 MB")
            assert len(marks) == 1


async def test_the_page_is_a_slow_reader_itself(
    server: Serving, big: Path, browser: Browser
) -> None:
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/~/flows")
        await page.get_by_role("button", name="Read slowly").click()
        line = page.locator("li.flow").filter(has_text="big.bin")
        await expect(line).to_contain_text("its buffer is full", timeout=15_000)
        await expect(line).to_contain_text("Chrome")
        await expect(page.get_by_text(re.compile(r"of /big\.bin read"))).to_be_visible()
        await page.get_by_role("button", name="Stop reading").click()
        await expect(line).to_contain_text("Cut off:")


async def test_the_connection_is_lost_and_comes_back(folder: Path, browser: Browser) -> None:
    async with visiting(browser) as visit:
        page = visit.page
        with serving(folder) as server:
            port = str(server.port)
            await open_page(page, f"{server.address}/~/flows")
            await expect(page.get_by_text("Nothing is on its way")).to_be_visible()
        await expect(page.get_by_text("The connection to the server is lost")).to_be_visible()
        with serving(folder, "--port", port):
            await expect(page.get_by_text("The connection to the server is lost")).to_have_count(0)
            # Without --allow steer one sees, and touches nothing.
            await expect(page.get_by_label("Limit of all transfers together")).to_have_count(0)


async def test_one_connection_is_open_and_none_when_another_view_is_shown(
    server: Serving, browser: Browser
) -> None:
    async with visiting(browser) as visit:
        page = visit.page
        streams: list[str] = []
        page.on(
            "request",
            lambda request: (
                streams.append(request.url) if request.resource_type == "eventsource" else None
            ),
        )
        await open_page(page, f"{server.address}/~/flows")
        await expect(page.get_by_text("Nothing is on its way")).to_be_visible()
        await page.get_by_role("link", name="Files", exact=True).click()
        await expect(page.get_by_text("This folder is empty")).to_be_visible()
        await page.get_by_role("link", name="Transfers").click()
        await expect(page.get_by_text("Nothing is on its way")).to_be_visible()
        assert len(streams) == 2

        async def over() -> int:
            return sum(line["target"] == "/~/flows" for line in server.answered())

        # Of the document, and of the first connection; the second lasts.
        await eventually(over, lambda answered: answered == 2)
