"""What others have published, as material for tests: fetched once, kept in pytest's cache."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.support.turns import alone

FETCH = Path(__file__).with_name("fetch_sdist.py")


def unpacked(
    request: pytest.FixtureRequest,
    temporary: pytest.TempPathFactory,
    package: str,
    version: str,
    inside: str,
) -> Path:
    """The folder `inside` the source distribution of `package`; without a cache, in `temporary`."""
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    folder = temporary.mktemp(package) if cache is None else cache.mkdir(package)
    top = f"{package.replace('-', '_')}-{version}"
    archive = folder / f"{top}.tar.gz"
    with alone(folder):
        if not archive.exists():
            fetched = subprocess.run(
                [sys.executable, FETCH, package, version, folder],
                capture_output=True,
                timeout=60,
                check=False,
            )
            assert fetched.returncode == 0, fetched.stderr.decode()
        if not (folder / top / inside).exists():
            with tarfile.open(archive) as opened:
                start = f"{top}/{inside}/"
                members = [
                    member for member in opened.getmembers() if member.name.startswith(start)
                ]
                opened.extractall(folder, members, filter="data")
    return folder / top / inside
