"""What a server loads before its first answer, and what a moment later."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.programs import DEADLINE, LAST_LINE, environment, read_until, running, started

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
LISTED = "riverrun.apps.files.listing"

NOT_AT_ONCE = (
    "ctypes",
    "email",
    "hashlib",
    "html",
    "http",
    "http_sf",
    "httpx",
    "importlib.resources",
    "json",
    "msgspec",
    "multipart",
    "prometheus_client",
    "rich",
    "riverrun.apps.durable",
    "riverrun.apps.files.digesting",
    "riverrun.apps.files.listing",
    "riverrun.apps.flows",
    "riverrun.apps.page",
    "riverrun.apps.uploads",
    "riverrun.client",
    "riverrun.logs",
    "secrets",
    "sqlite3",
    "typing_extensions",
    "zipfile",
)
"""Each takes a part of the time to a first answer, and none is needed for one."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.txt").write_text("riverrun")
    return tmp_path


def imported(told: str) -> list[str]:
    """The modules that Python tells of (PYTHONPROFILEIMPORTTIME)."""
    return re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", told, re.MULTILINE)


@pytest.mark.parametrize("log", ["text", "none"])
def test_what_no_first_answer_needs_is_loaded_behind_it(folder: Path, log: str) -> None:
    program = (sys.executable, "-P", "-m", "riverrun", "serve", "--port", "0", "--log", log)
    tell = {"PYTHONPROFILEIMPORTTIME": "1"}
    with started(program, folder=folder, variables=tell) as process:
        assert process.stderr is not None
        told = read_until(process.stderr.fileno(), LAST_LINE)
        before = imported(told.partition("riverrun 0")[0])
        assert "riverrun.server.server" in before  # it is told, and what follows means something
        assert [name for name in before if name in NOT_AT_ONCE] == []
        # Nobody asks for a listing, and none will have to wait for what it needs.
        if f" {LISTED}\n" not in told:
            read_until(process.stderr.fileno(), f" {LISTED}\n")


def test_the_first_to_ask_gets_a_folder_whole(folder: Path) -> None:
    with running("serve", "--port", "0", folder=folder) as program:
        with program.get("/", Accept=BROWSER) as response:
            page = response.read().decode()
        assert response.status == 200
        assert '<a href="one.txt">one.txt</a>' in page
        assert ('<script type="module"' in page) is (
            "script-src" in response.headers["content-security-policy"]
        )
        assert page.endswith("</html>\n")


@pytest.mark.parametrize(
    ("path", "begin"),
    [
        ("/~/flows", b"{"),
        ("/~/metrics", b"# "),
        ("/one.txt", b"riverrun"),
        ("/absent", b'{"title":"Not Found"'),
    ],
)
def test_the_first_to_ask_gets_anything_else(folder: Path, path: str, begin: bytes) -> None:
    with running("serve", "--port", "0", folder=folder) as program:
        assert program.fetch(path)[1].startswith(begin)


def test_what_was_loaded_is_no_garbage(folder: Path) -> None:
    """The collector runs, and does not look at what is there for good."""
    script = """
import gc
from riverrun.cli.loading import loading
with loading():
    assert not gc.isenabled()
    import riverrun.cli.program
assert gc.isenabled()
assert gc.get_freeze_count() > 10_000
"""
    subprocess.run(
        (sys.executable, "-P", "-c", script),
        env=environment({}),
        timeout=DEADLINE,
        check=True,
    )
