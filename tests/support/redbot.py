"""REDbot, the lint for HTTP, run against a server of this machine.

It is installed into an environment of its own below `.cache/`, once, since nothing else needs what
it depends on; ``python -m tests.support.redbot`` does it before anybody waits for it. It asks
nobody but the server that it is pointed at.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.support.turns import alone

ROOT = Path(__file__).resolve().parents[2]
VERSION = "2.7.1"
ENVIRONMENT = ROOT / ".cache" / f"redbot-{VERSION}"
PATIENCE = 60


class Note(NamedTuple):
    """What REDbot says of a resource; `level` is good, info, warn or bad."""

    level: str
    name: str
    summary: str


def check(address: str) -> list[Note]:
    """Everything that REDbot notes about an address, after asking it in several ways."""
    report = _run(_installed(), "--output-format", "har", address)
    (entry, *_) = json.loads(report)["log"]["entries"]
    return [
        Note(note["level"].lower(), note["note_id"], note["summary"])
        for message in entry["_red_messages"]
        for note in (message, *message.get("subnotes", ()))
    ]


def _installed() -> Path:
    redbot = ENVIRONMENT / "bin" / "redbot"
    ready = ENVIRONMENT / ".ready"
    with alone(ENVIRONMENT):
        if not ready.exists():
            _run(sys.executable, "-m", "venv", "--clear", "--without-pip", ENVIRONMENT)
            pip = (sys.executable, "-m", "pip", "--python", ENVIRONMENT)
            _run(*pip, "install", "--quiet", f"redbot=={VERSION}")
            ready.touch()
    return redbot


def _run(*arguments: str | Path) -> str:
    """Run a program to its end; return what it wrote."""
    finished = subprocess.run(
        [*map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


if __name__ == "__main__":
    _installed()
