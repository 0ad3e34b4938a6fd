"""Every Python block of docs/from-node.md runs, and prints what stands below it."""

import ast
import asyncio
import http.client
import inspect
import re
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from riverrun import Server

PAGE = Path(__file__).parents[2] / "docs" / "from-node.md"
BLOCKS = re.compile(r"```python\n(?P<code>.*?)```\n+```text\n(?P<expected>.*?)```", re.DOTALL)
BODY = b"riverrun, past Eve and Adam's"


def blocks() -> list[Any]:
    page = PAGE.read_text()
    found = []
    for match in BLOCKS.finditer(page):
        section = page[: match.start()].rpartition("\n## ")[2].partition("\n")[0]
        line = page[: match.start("code")].count("\n")
        found.append(
            pytest.param("\n" * line + match["code"], match["expected"], id=f"{section}-{line}")
        )
    return found


def test_no_block_is_left_out() -> None:
    assert len(blocks()) == PAGE.read_text().count("```python") > 15


@pytest.mark.parametrize(("code", "expected"), blocks())
async def test_a_block_prints_what_stands_below_it(
    code: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("river.txt").write_bytes(BODY)
    names: dict[str, Any] = {"__name__": "from_node"}
    compiled = compile(code, PAGE, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    await run(compiled, names)
    printed = capsys.readouterr().out
    if "handler" in names:
        printed += await answer(names["handler"])
    assert printed == expected


async def run(compiled: CodeType, names: dict[str, Any]) -> None:
    result = eval(compiled, names)
    if inspect.isawaitable(result):
        await result


async def answer(handler: Any) -> str:
    """What a client gets that sends a body to the handler of a block."""

    def ask(port: int) -> str:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("POST", "/river", body=BODY)
        answered = client.getresponse().read().decode()
        client.close()
        return answered

    async with Server(handler, port=0) as server:
        assert server.port is not None
        return await asyncio.to_thread(ask, server.port)
