"""The official clients of Durable Streams, over lines that break.

That of Python comes with the tools of development, that of TypeScript by npm.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from durable_streams import DurableStream, DurableStreamError, LiveMode, SeqConflictError, stream
from tests.cli.programs import tool
from tests.support.cutting_proxy import CuttingProxy, proxy_in_thread
from tests.support.serving import Serving, serving

COUNT = 300
CUTS = 10
BROKEN = (httpx.HTTPError, DurableStreamError, ValueError)
"""What the client of Python raises when a line breaks, or it reads a head that was cut."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder, "--allow", "streams") as server:
        yield server


@pytest.mark.parametrize("live", ["sse", "long-poll"])
def test_the_client_of_typescript(judges: Path, server: Serving, live: str) -> None:
    with DurableStream.create(
        f"{server.address}/v1/stream/numbers", content_type="application/json"
    ):
        pass
    with proxy_in_thread(server.port, seed=7, shortest=500, longest=12_000) as proxy:
        finished = subprocess.run(
            [tool("node"), "append_and_follow.mjs", address(proxy), str(COUNT), live],
            cwd=judges,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=100,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr.decode(errors="replace")
        assert proxy.cuts >= CUTS  # or it was no test
    assert [message["n"] for message in json.loads(finished.stdout)] == [*range(COUNT)]
    with stream(f"{server.address}/v1/stream/numbers", live=False) as stored:
        assert [message["n"] for message in stored.read_json()] == [*range(COUNT)]


@pytest.mark.parametrize("live", ["sse", "long-poll"])
def test_the_client_of_python(server: Serving, live: LiveMode) -> None:
    with DurableStream.create(f"{server.address}/v1/stream/numbers", content_type="text/plain"):
        pass
    lines = [f"{number} {'word ' * (number % 20)}\n" for number in range(COUNT)]
    with proxy_in_thread(server.port, seed=11, shortest=500, longest=8_000) as proxy:
        writing = threading.Thread(target=append, args=(address(proxy), lines))
        writing.start()
        received = follow(address(proxy), live, sum(map(len, lines)))
        writing.join()
        assert proxy.cuts >= CUTS
    assert received == "".join(lines)


def address(proxy: CuttingProxy) -> str:
    return f"http://127.0.0.1:{proxy.port}/v1/stream/numbers"


def append(url: str, lines: list[str]) -> None:
    """Append line by line; what was stored although its answer was lost is told by its Seq."""
    with httpx.Client() as client:
        handle = DurableStream(url, content_type="text/plain", batching=False, client=client)
        for number, line in enumerate(lines):
            while True:
                try:
                    handle.append(line, seq=f"{number:06}")
                except SeqConflictError:
                    break
                except BROKEN:
                    continue
                break


def follow(url: str, live: LiveMode, size: int) -> str:
    """Follow until so much has come; what has come is what an offset was told for."""
    text, offset = "", "-1"
    with httpx.Client(timeout=30.0) as client:
        while len(text) < size:
            try:
                with stream(url, offset=offset, live=live, client=client) as response:
                    for event in response.iter_events(mode="text"):
                        text += event.data
                        offset = event.next_offset
                        if len(text) >= size:
                            break
            except BROKEN:
                continue
    return text
