"""The judges in `tests/judges`, of npm: installed once as their lock file says, and kept.

They are kept in pytest's cache, in a folder that is named for what is in `tests/judges`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.cli.programs import tool
from tests.support.turns import alone

SOURCE = Path(__file__).parents[1] / "judges"
PATIENCE = 200


def installed(request: pytest.FixtureRequest, temporary: pytest.TempPathFactory) -> Path:
    """A copy of the folder, with what its lock file names; without a cache, temporary."""
    sources = sorted(path for path in SOURCE.iterdir() if path.is_file())
    content = b"".join(path.name.encode() + path.read_bytes() for path in sources)
    name = f"judges-{hashlib.sha256(content).hexdigest()[:12]}"
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    folder = temporary.mktemp(name) if cache is None else cache.mkdir(name)
    ready = folder / ".ready"
    with alone(folder):
        if not ready.exists():
            for path in sources:
                shutil.copy(path, folder)
            finished = subprocess.run(
                [tool("npm"), "ci"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            assert finished.returncode == 0, finished.stderr.decode(errors="replace")
            ready.touch()
    return folder
