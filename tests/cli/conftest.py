"""What the tests of programs that move files share: a folder to serve, and one to run in."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """What a server serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Where the program runs."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder
