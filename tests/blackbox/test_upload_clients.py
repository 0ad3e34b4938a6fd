"""Clients that cannot resume, uploading over a network that cuts them off at random.

They begin anew, as they would; what is shown is that a cut never leaves a part of a file, and that
the file which arrives in the end is the one that was sent.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import Browser, Error
from tests.cli.programs import eventually
from tests.support.browser import launched
from tests.support.cutting_proxy import CuttingProxy, proxy_in_thread
from tests.support.serving import serving

MIB = 1024 * 1024
SIZE = 64 * MIB
UPLOADS = 20
SHORTEST, LONGEST = MIB, 3 * SIZE  # about every third connection is cut
ATTEMPTS = 20


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """The file that is uploaded: each time its first bytes are others."""
    path = tmp_path / "sent.bin"
    path.write_bytes(os.urandom(MIB) * (SIZE // MIB))
    return path


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def change(path: Path) -> str:
    """Make the file another one; return its digest."""
    with path.open("r+b") as file:
        file.write(os.urandom(1000))
    return digest_of(path)


def names(inbox: Path) -> list[str]:
    return sorted(path.name for path in inbox.iterdir() if path.name != ".riverrun")


def nothing_waits(inbox: Path) -> bool:
    return not list((inbox / ".riverrun" / "uploads").iterdir())


@pytest.mark.timeout(240)
def test_curl_uploads_whole_files_only(sent: Path, inbox: Path) -> None:
    with (
        serving(inbox, "--allow", "upload") as server,
        proxy_in_thread(server.port, seed=1, shortest=SHORTEST, longest=LONGEST) as proxy,
    ):
        for number in range(UPLOADS):
            expected = change(sent)
            name = f"{number}.bin"
            url = f"http://127.0.0.1:{proxy.port}/{name}"
            for _ in range(ATTEMPTS):
                before = names(inbox)
                done = subprocess.run(
                    ["curl", "-sS", "-f", "-T", sent, url], capture_output=True, check=False
                )
                if done.returncode == 0:
                    break
                if name in names(inbox):  # all of it came, and only the answer was lost
                    break
                assert names(inbox) == before
            assert digest_of(inbox / name) == expected
            (inbox / name).unlink()
        assert proxy.cuts > 0
        eventually(lambda: nothing_waits(inbox))


async def send_form(browser: Browser, address: str, file: Path, inbox: Path) -> None:
    """Send `file` with the form of a folder until it is in `inbox`.

    In a page of its own each time: one that shows that the connection was lost may go on loading.
    """
    context = await browser.new_context()
    try:
        for _ in range(ATTEMPTS):
            page = await context.new_page()
            with suppress(Error):
                await page.goto(address)
                await page.set_input_files("input[type=file]", file)
                async with page.expect_navigation():
                    await page.click("button")
            await page.close()
            if names(inbox):
                break
    finally:
        await context.close()


@pytest.mark.timeout(240)
async def test_a_form_in_a_browser_uploads_whole_files_only(sent: Path, inbox: Path) -> None:
    with serving(inbox, "--allow", "upload", "--no-page") as server:
        async with (
            CuttingProxy(server.port, seed=2, shortest=SHORTEST, longest=LONGEST) as proxy,
            launched() as browser,
        ):
            address = f"http://127.0.0.1:{proxy.port}/"
            for _ in range(UPLOADS):
                expected = change(sent)
                await send_form(browser, address, sent, inbox)
                # It sends a form again by itself, so that one may be there twice, numbered.
                eventually(lambda: nothing_waits(inbox))
                stored = names(inbox)
                assert stored
                for name in stored:
                    assert digest_of(inbox / name) == expected
                    (inbox / name).unlink()
            assert proxy.cuts > 0
        eventually(lambda: nothing_waits(inbox))
