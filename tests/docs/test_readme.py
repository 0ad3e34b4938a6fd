"""The README's program runs and does what stands beside it."""

import asyncio
import hashlib
import re
from pathlib import Path
from typing import Any

from riverrun import Server

README = Path(__file__).parents[2] / "README.md"


def test_the_first_screen_shows_the_two_commands() -> None:
    first_screen = "\n".join(README.read_text().splitlines()[:20])
    assert "make serve" in first_screen
    assert "make test" in first_screen


async def test_the_handler_answers_with_the_checksum_of_what_is_sent(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(code, README, "exec"), names)
    body = bytes(range(256)) * 20_000
    file = tmp_path / "big.iso"
    await asyncio.to_thread(file.write_bytes, body)
    async with Server(names["checksum"], port=0) as server:
        curl = await asyncio.create_subprocess_exec(
            "curl",
            "--silent",
            "--upload-file",
            str(file),
            f"http://127.0.0.1:{server.port}/",
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await curl.communicate()
    assert printed.decode() == hashlib.sha256(body).hexdigest() + "\n"


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text()):
        assert (README.parent / target).exists(), target
