"""Packages of npm for tests: installed once as their lock file says, kept in pytest's cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.blackbox.test_clients import tool

PATIENCE = 150


def installed(
    request: pytest.FixtureRequest, temporary: pytest.TempPathFactory, source: Path
) -> Path:
    """A copy of the folder `source`, with what its lock file names; without a cache, temporary."""
    lock = (source / "package-lock.json").read_bytes()
    name = f"{source.name}-{hashlib.sha256(lock).hexdigest()[:12]}"
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    folder = temporary.mktemp(name) if cache is None else cache.mkdir(name)
    shutil.copytree(source, folder, dirs_exist_ok=True)
    if not (folder / "node_modules" / ".package-lock.json").exists():
        finished = subprocess.run(
            [tool("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr.decode(errors="replace")
    return folder
