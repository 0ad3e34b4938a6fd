"""A folder of 100,000 empty files, made once and kept in pytest's cache; nobody changes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.turns import alone

FILES = 100_000
NAMES_OF_A_FILE = 50_000  # ext4 takes 65,000


def name_of(number: int) -> str:
    return f"{number:06}.txt"


def crowded(request: pytest.FixtureRequest, temporary: pytest.TempPathFactory) -> Path:
    """The folder, whose files were made in no order; without a cache, temporary."""
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    parent = temporary.mktemp("crowd") if cache is None else cache.mkdir("crowd")
    folder, ready = parent / "folder", parent / "ready"
    with alone(parent):
        if not ready.exists():
            folder.mkdir(exist_ok=True)
            one = folder
            for place in range(FILES):
                path = folder / name_of(place * 7919 % FILES)
                path.unlink(missing_ok=True)
                if place % NAMES_OF_A_FILE == 0:
                    one = path
                    path.touch()
                else:
                    path.hardlink_to(one)
            ready.touch()
    return folder
