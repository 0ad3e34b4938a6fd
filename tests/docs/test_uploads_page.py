"""The programs on the page about uploads run, and it leads where it says."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.apps.uploads.test_form import MULTIPART, form
from tests.conftest import Serve
from tests.server.client import Client, request

PAGE = Path(__file__).parents[2] / "docs" / "uploads.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def names_of(program: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(program, PAGE, "exec"), names)
    return names


async def test_the_store_tells_of_what_was_stored(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    serve: Serve,
) -> None:
    (tmp_path / "inbox").mkdir()
    monkeypatch.chdir(tmp_path)
    uploads = names_of(PROGRAMS[0])["uploads"]
    server = await serve(uploads)
    async with await Client.connect(server) as client:
        assert (await client.ask("/a/b", "PUT", body=b"four")).status == 201
    uploads.close()
    assert capsys.readouterr().out == "a/b 4\n"


async def test_the_handler_reads_a_form(serve: Serve) -> None:
    server = await serve(names_of(PROGRAMS[1])["receive"])
    body = form(("title", None, b"Holiday"), ("file", "a.jpg", bytes(5)))
    async with await Client.connect(server) as client:
        await client.send(request("/", "POST", MULTIPART, body=body))
        assert (await client.reply()).body == b"title: Holiday\na.jpg: 5 bytes\n"


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE.read_text()):
        assert (PAGE.parent / target).exists(), target
