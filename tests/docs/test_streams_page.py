"""What the page about streams shows is so: its commands, its programs, its links."""

import re
import subprocess
import sys
from pathlib import Path

from tests.cli.programs import running, tool

PAGE = Path(__file__).parents[2] / "docs" / "streams.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
CONSOLES = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_commands_do_what_they_show(tmp_path: Path) -> None:
    tool("curl")
    lines = CONSOLES[1].splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    shown = "\n".join(line for line in lines if not line.startswith("$ "))
    options = ("--allow", "streams", "--port", "0", "--log", "none")
    with running("serve", *options, folder=tmp_path) as program:
        script = "\n".join(commands).replace(":4000", f":{program.port}")
        ended = subprocess.run(
            ["sh", "-ec", script.replace("curl ", "curl -sS ")],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert (ended.stderr, ended.stdout) == ("", shown)


def test_the_programs_run(tmp_path: Path) -> None:
    for program in PROGRAMS:
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", program.replace("riverrun.run(", "print(")],
            cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        if "asyncio.run" in program:
            assert ended.stdout == "one two 7\n"
            assert ended.stdout.strip() in PAGE.read_text()


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE.read_text()):
        assert (PAGE.parent / target).exists(), target
