"""Uploads from the page: cut, paused, reloaded, restarted; they go on from where they stood."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Error, Locator, Page, expect
from tests.examples.programs import free_port
from tests.page.conftest import ALLOWED, complaints
from tests.page.gateway import Gateway, gateway
from tests.support.browser import eventually, open_page, visiting
from tests.support.serving import Serving, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1024 * 1024
SLOW = 3 * MIB  # bytes a second that a slowed page can send


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "big.bin"
    path.write_bytes(os.urandom(9 * MIB))
    return path


async def slow(page: Page) -> None:
    """Let the page send `SLOW` bytes a second."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1}
    await session.send("Network.emulateNetworkConditions", {**conditions, "uploadThroughput": SLOW})


async def choose(page: Page, *paths: Path) -> None:
    await page.get_by_label("Files to upload").set_input_files(paths)


def line_of(page: Page, name: str) -> Locator:
    """The line of an upload."""
    return page.locator("li.upload").filter(has_text=name)


def stored(address: str) -> Callable[[], Awaitable[int]]:
    """How many bytes of the only upload the server has."""

    async def ask() -> int:
        async with httpx.AsyncClient() as client:
            uploads: list[dict[str, Any]] = (await client.get(f"{address}/~/uploads/")).json()
        return max((upload["offset"] for upload in uploads), default=0)

    return ask


def creations(server: Serving) -> int:
    return sum(
        (line["method"], line["target"]) == ("POST", "/~/tus/") for line in server.answered()
    )


async def test_files_and_folders_come_to_stand_in_the_folder_that_is_open(
    server: Serving, folder: Path, tmp_path: Path, browser: Browser
) -> None:
    (folder / "in box").mkdir()
    holiday = tmp_path / "holiday"
    (holiday / "day 1").mkdir(parents=True)
    (holiday / "day 1" / "ä.txt").write_text("water")
    (holiday / ".hidden").write_text("left out")
    (tmp_path / "empty").write_bytes(b"")
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/in%20box/")
        await choose(page, tmp_path / "empty")
        await page.get_by_label("A folder to upload").set_input_files(holiday)
        await expect(page.get_by_label("Uploads", exact=True)).to_contain_text("2 files uploaded")
        await expect(page.get_by_text("1 hidden file left out")).to_be_visible()
        # The listing shows what has come.
        await expect(page.locator("main.folder").get_by_text("holiday")).to_be_visible()
        assert complaints(visit) == []
    inbox = folder / "in box"
    found = sorted(str(path.relative_to(inbox)) for path in inbox.rglob("*") if path.is_file())
    assert found == ["empty", "holiday/day 1/ä.txt"]
    assert (inbox / "holiday/day 1/ä.txt").read_text() == "water"


async def test_it_goes_on_after_a_restart_of_the_server_and_a_reload_of_the_page(
    folder: Path, big: Path, browser: Browser
) -> None:
    port = str(free_port())
    async with visiting(browser) as visit:
        page = visit.page
        with serving(folder, *ALLOWED, "--port", port) as server:
            address = server.address
            await page.goto(f"{address}/")
            await slow(page)
            await choose(page, big)
            await eventually(stored(address), lambda offset: offset > MIB)
        await expect(line_of(page, "big.bin")).to_contain_text("The server does not answer")
        with serving(folder, *ALLOWED, "--port", port) as server:
            before = await eventually(stored(address), lambda offset: offset >= MIB)
            with suppress(Error):  # it may have tried by itself before
                await page.get_by_role("button", name="Try now big.bin").click(timeout=2_000)
            await eventually(stored(address), lambda offset: offset > before)

            await page.reload()
            await slow(page)
            line = line_of(page, "big.bin")
            await expect(line).to_contain_text("Choose or drop the same file again")
            before = await stored(address)()
            assert before < big.stat().st_size
            await choose(page, big)
            await expect(page.get_by_label("Uploads", exact=True)).to_contain_text(
                "1 file uploaded", timeout=20_000
            )
            assert creations(server) == 1  # in the log of both lives
            await expect(page.locator("li.upload a")).to_have_attribute("href", "/#big.bin")
    assert (folder / "big.bin").read_bytes() == big.read_bytes()


async def test_it_waits_for_the_network_and_goes_on_by_itself(
    server: Serving, folder: Path, big: Path, browser: Browser
) -> None:
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/")
        await slow(page)
        await choose(page, big)
        await eventually(stored(server.address), lambda offset: offset > MIB)
        await page.context.set_offline(True)
        await expect(line_of(page, "big.bin")).to_contain_text("There is no network")
        await page.context.set_offline(False)
        await expect(page.get_by_label("Uploads", exact=True)).to_contain_text(
            "1 file uploaded", timeout=20_000
        )
    assert (folder / "big.bin").read_bytes() == big.read_bytes()
    assert creations(server) == 1


async def test_it_is_paused_and_resumed_and_given_up(
    server: Serving, folder: Path, big: Path, browser: Browser
) -> None:
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/")
        await slow(page)
        await choose(page, big)
        await eventually(stored(server.address), lambda offset: offset > MIB)
        await page.get_by_role("button", name="Pause big.bin").click()
        line = line_of(page, "big.bin")
        await expect(line).to_contain_text("Paused.")
        paused_at = await stored(server.address)()
        await page.get_by_role("button", name="Resume big.bin").click()
        await eventually(stored(server.address), lambda offset: offset > paused_at)
        await page.get_by_role("button", name="Cancel big.bin").click()
        await expect(line).to_have_count(0)
        await eventually(stored(server.address), lambda offset: offset == 0)
    assert list(folder.glob("[!.]*")) == []


async def test_a_file_of_that_name_is_never_replaced_unasked(
    server: Serving, folder: Path, tmp_path: Path, browser: Browser
) -> None:
    (folder / "a.txt").write_text("old")
    (tmp_path / "a.txt").write_text("new")
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/")
        await choose(page, tmp_path / "a.txt")
        await expect(line_of(page, "a.txt")).to_contain_text("There is a file of this name")
        assert (folder / "a.txt").read_text() == "old"
        await page.get_by_role("button", name="Keep both").click()
        await expect(line_of(page, "a (2).txt")).to_be_visible()
    assert (folder / "a.txt").read_text() == "old"
    assert (folder / "a (2).txt").read_text() == "new"


async def test_what_the_server_does_not_take_is_told(
    folder: Path, big: Path, browser: Browser
) -> None:
    with serving(folder, *ALLOWED, "--upload-size", "1MiB") as server:
        async with visiting(browser) as visit:
            await open_page(visit.page, f"{server.address}/")
            await choose(visit.page, big)
            await expect(line_of(visit.page, "big.bin")).to_contain_text("1.0 MB at the most")


@contextmanager
def proxy(port: int, folder: Path) -> Iterator[int]:
    """nginx as it comes: no request beyond 1 MiB."""
    own = free_port()
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert nginx, "the suite needs nginx"
    (folder / "nginx.conf").write_text(
        f"daemon off; user root; pid {folder}/pid; error_log stderr; worker_processes 1;"
        "events { worker_connections 64; }"
        f"http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/p;"
        f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;"
        f"server {{ listen 127.0.0.1:{own}; client_max_body_size 1m;"
        f"location / {{ proxy_pass http://127.0.0.1:{port}; proxy_set_header Host $http_host; }}"
        "} }"
    )
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        yield own
    finally:
        process.terminate()
        process.communicate(timeout=10)


async def test_a_proxy_that_takes_small_requests_only_gets_small_ones(
    server: Serving, folder: Path, big: Path, tmp_path: Path, browser: Browser
) -> None:
    (tmp_path / "proxy").mkdir()
    with proxy(server.port, tmp_path / "proxy") as port:
        async with visiting(browser) as visit:

            async def open_page() -> bool:
                answer = await visit.page.goto(f"http://127.0.0.1:{port}/")
                return answer is not None and answer.ok

            await eventually(open_page, bool)
            await choose(visit.page, big)
            await expect(visit.page.get_by_label("Uploads", exact=True)).to_contain_text(
                "1 file uploaded", timeout=30_000
            )
    assert (folder / "big.bin").read_bytes() == big.read_bytes()
    assert creations(server) == 1


async def upload_through(proxy: Gateway, path: Path, browser: Browser) -> None:
    async with visiting(browser) as visit:
        await visit.page.goto(f"http://127.0.0.1:{proxy.port}/")
        await choose(visit.page, path)
        await expect(visit.page.get_by_label("Uploads", exact=True)).to_contain_text(
            "1 file uploaded", timeout=30_000
        )


@pytest.mark.parametrize("patient", [False, True], ids=["at once", "after all of it"])
async def test_a_proxy_that_refuses_is_found_out(
    server: Serving, folder: Path, big: Path, browser: Browser, patient: bool
) -> None:
    with gateway(server.port, most=3 * MIB, patient=patient) as proxy:
        await upload_through(proxy, big, browser)
        assert proxy.refused > 0
        assert max(proxy.pieces) <= proxy.most
    assert (folder / "big.bin").read_bytes() == big.read_bytes()
    assert creations(server) == 1


async def test_what_is_announced_is_kept_to_from_the_first_piece(
    server: Serving, folder: Path, big: Path, browser: Browser
) -> None:
    limit = "max-size=10000000, max-append-size=2000000, min-append-size=1000000"
    with gateway(server.port, most=2_000_000, announces=limit) as proxy:
        await upload_through(proxy, big, browser)
        assert proxy.refused == 0
        *pieces, last = proxy.pieces
        assert pieces == [2_000_000] * 4
        assert last == big.stat().st_size - 8_000_000
    assert (folder / "big.bin").read_bytes() == big.read_bytes()
    assert creations(server) == 1


async def test_what_is_announced_to_be_too_large_is_not_sent(
    server: Serving, folder: Path, big: Path, browser: Browser
) -> None:
    with gateway(server.port, most=MIB, announces="max-size=1000000") as proxy:
        async with visiting(browser) as visit:
            await visit.page.goto(f"http://127.0.0.1:{proxy.port}/")
            await choose(visit.page, big)
            line = line_of(visit.page, "big.bin")
            await expect(line).to_contain_text("It is too large. It takes 1.0 MB at the most")
        assert proxy.pieces == []
    assert await stored(server.address)() == 0


async def drop(page: Page, *paths: Path) -> None:
    """Drag `paths` from outside over the middle of the page, and let go of them there.

    The browser is told what its window system would tell it; from there on everything is as in a
    person's drag: the events, the entries, and the reading of folders. What no test here drives is
    the window system itself, that is, how the file manager hands a drag over to the browser.
    """
    session = await page.context.new_cdp_session(page)
    files = [str(path) for path in paths]
    data = {"items": [], "files": files, "dragOperationsMask": 1}

    async def tell(kind: str) -> None:
        where = {"type": kind, "x": 400, "y": 400, "data": data}
        await session.send("Input.dispatchDragEvent", where)

    await tell("dragEnter")
    invitation = page.get_by_text("Drop to upload into in box/")
    for _ in range(50):  # for as long as somebody holds it there, it is told again and again
        await tell("dragOver")
        if await invitation.is_visible():
            break
        await asyncio.sleep(0.1)
    await expect(invitation).to_be_visible()
    await tell("drop")
    await expect(page.get_by_text("Drop to upload")).to_have_count(0)


async def test_folders_and_files_that_are_dropped_come_with_all_that_is_in_them(
    server: Serving, folder: Path, tmp_path: Path, browser: Browser
) -> None:
    (folder / "in box").mkdir()
    trip = tmp_path / "trip"
    (trip / "day 1" / "more").mkdir(parents=True)
    (trip / "nothing").mkdir()
    (trip / ".hidden").write_text("left out")
    # The browser gives the entries of a folder a hundred at a time.
    expected = {"alone.txt", "trip/day 1/more/ä.txt"}
    for number in range(130):
        (trip / "day 1" / f"{number}.txt").write_text(str(number))
        expected.add(f"trip/day 1/{number}.txt")
    (trip / "day 1" / "more" / "ä.txt").write_text("water")
    (tmp_path / "alone.txt").write_text("alone")
    async with visiting(browser) as visit:
        page = visit.page
        await open_page(page, f"{server.address}/in%20box/")
        await expect(page.get_by_role("button", name="Upload files")).to_be_visible()
        await drop(page, trip, tmp_path / "alone.txt")
        uploads = page.get_by_label("Uploads", exact=True)
        await expect(uploads).to_contain_text("132 files uploaded", timeout=60_000)
        await expect(page.get_by_text("1 hidden file left out")).to_be_visible()
        assert complaints(visit) == []
    inbox = folder / "in box"
    found = {str(path.relative_to(inbox)) for path in inbox.rglob("*") if path.is_file()}
    assert found == expected
    assert (inbox / "trip/day 1/more/ä.txt").read_text() == "water"
    assert (inbox / "trip/day 1/129.txt").read_text() == "129"


async def second_tab(first: Page, address: str, big: Path) -> tuple[Page, Locator]:
    """Send `big` slowly from `first`; another tab of the browser that knows of it, and its line."""
    await open_page(first, f"{address}/")
    await slow(first)
    await choose(first, big)
    await eventually(stored(address), lambda offset: offset > MIB)
    second = await first.context.new_page()
    await open_page(second, f"{address}/~/uploads")
    line = line_of(second, "big.bin")
    await expect(line).to_contain_text("another tab or program sends it")
    return second, line


async def test_a_second_tab_looks_on_and_ends_nothing(
    server: Serving, folder: Path, big: Path, browser: Browser
) -> None:
    async with visiting(browser) as visit:
        first = visit.page
        statuses: list[int] = []
        first.context.on("response", lambda response: statuses.append(response.status))
        second, line = await second_tab(first, server.address, big)
        # Whoever chooses the file there as well wants it to arrive, not to begin again.
        await choose(second, big)
        await expect(line).to_contain_text("another tab or program sends it")
        for page in (first, second):
            await expect(page.locator("li.upload a")).to_have_attribute(
                "href", "/#big.bin", timeout=20_000
            )
        assert 409 not in statuses
    assert (folder / "big.bin").read_bytes() == big.read_bytes()
    assert creations(server) == 1
    ended = [line for line in server.answered() if line["status"] == 409]
    assert ended == []


async def test_a_second_tab_goes_on_when_the_first_is_closed(
    server: Serving, folder: Path, big: Path, browser: Browser
) -> None:
    async with visiting(browser) as visit:
        second, line = await second_tab(visit.page, server.address, big)
        await choose(second, big)
        await visit.page.close()
        await expect(line.locator("a")).to_have_attribute("href", "/#big.bin", timeout=20_000)
    assert (folder / "big.bin").read_bytes() == big.read_bytes()
    assert creations(server) == 1
