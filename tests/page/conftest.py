"""A folder that is served with its page, for a browser to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.browser import Visit
from tests.support.serving import Serving, serving

ALLOWED = ("--allow", "upload,streams,steer")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[Serving]:
    """Everything is allowed but to replace and to remove."""
    with serving(folder, *ALLOWED) as server:
        yield server


def complaints(visit: Visit) -> list[str]:
    """What the page has complained about, but for requests that it has ended itself."""
    return [each for each in visit.complaints if "net::ERR_ABORTED" not in each]
