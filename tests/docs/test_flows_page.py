"""What the page about flows shows is so: its commands, what they answer, its program."""

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.cli.programs import running, tool

from riverrun.streams import IterableSource, MemorySink

PAGE = Path(__file__).parents[2] / "docs" / "flows.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
CONSOLES = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
CUT = (18, 56)  # as curl has them: a part of the file, or the connection was reset
SLOWLY = ("--limit-rate", "20M", "--no-progress-meter", "--output", "/dev/null")


def test_the_commands_do_what_they_show(tmp_path: Path) -> None:
    curl = tool("curl")
    with (tmp_path / "big.bin").open("wb") as file:
        file.truncate(1024**3)
    look, *changes, cancel = re.split(r"^\$ ", CONSOLES[1], flags=re.MULTILINE)[1:]
    command, _, shown = look.partition("\n")
    options = ("--allow", "steer", "--port", "0", "--log", "none")
    with running("serve", *options, folder=tmp_path) as program:

        def answer(line: str) -> Any:
            script = line.replace(":4000", f":{program.port}").replace("curl ", "curl -sS --fail ")
            ran = subprocess.run(
                ["sh", "-ec", script], capture_output=True, text=True, timeout=30, check=False
            )
            assert (ran.returncode, ran.stderr) == (0, "")
            return json.loads(ran.stdout) if ran.stdout else None

        reader = subprocess.Popen([curl, *SLOWLY, f"http://127.0.0.1:{program.port}/big.bin"])
        try:
            while not (told := answer(command))["flows"]:
                pass
            example = json.loads(shown.replace("…", "0"))
            assert told.keys() == example.keys()
            assert told["flows"][0].keys() == example["flows"][0].keys()
            steered = [answer(change) for change in changes]
            assert [flow["state"] for flow in steered] == ["paused"] * 3
            assert [flow["limit"] for flow in steered] == [None, 500_000, None]
            assert answer(cancel) is None
            assert reader.wait(10) in CUT
        finally:
            reader.kill()
            reader.wait()


async def test_the_program_copies_under_its_limit() -> None:
    names: dict[str, Any] = {}
    exec(compile(PROGRAMS[0], PAGE, "exec"), names)
    source, sink = IterableSource([b"one ", b"two"]), MemorySink()
    async with asyncio.timeout(10):
        await names["copy"](source, sink)
    assert sink.value == b"one two"
    assert names["flows"].total_rate == 10_000_000
    assert (names["flows"].opened, len(names["flows"])) == (1, 0)
