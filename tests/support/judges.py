"""The judges in `tests/judges`, of npm: installed once as their lock file says, and kept.

They are kept below `.cache/`, in a folder that is named for what is in `tests/judges`.
``python -m tests.support.judges`` installs them before anybody waits for them.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.cli.programs import tool
from tests.support.turns import alone

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests" / "judges"
PATIENCE = 200


def installed() -> Path:
    """A copy of the folder, with what its lock file names."""
    sources = sorted(path for path in SOURCE.iterdir() if path.is_file())
    content = b"".join(path.name.encode() + path.read_bytes() for path in sources)
    folder = ROOT / ".cache" / f"judges-{hashlib.sha256(content).hexdigest()[:12]}"
    ready = folder / ".ready"
    with alone(folder):
        if not ready.exists():
            folder.mkdir(exist_ok=True)
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


if __name__ == "__main__":
    installed()
