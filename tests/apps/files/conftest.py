"""Folders to serve, and the check that nothing is left open behind a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from tests.apps.files.sites import SECRET, Site
from tests.conftest import Serve

from riverrun.apps.files import Files
from riverrun.testing import no_leaks

OpenSite: TypeAlias = Callable[..., Awaitable[Site]]


@pytest.fixture
async def nothing_left_open() -> AsyncIterator[None]:
    """No task, no descriptor, and no exception that nobody has seen."""
    loop = asyncio.get_running_loop()
    unseen: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unseen.append(context))
    # uvloop opens descriptors of its own, and others every time it is run.
    async with no_leaks() if isinstance(loop, asyncio.SelectorEventLoop) else nullcontext():
        yield
        await loop.shutdown_default_executor()
    assert unseen == []


@pytest.fixture
def roots(nothing_left_open: None) -> Iterator[ExitStack]:
    """Closes what is served when its servers have stopped."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to serve, beside a file and a folder that are not."""
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(SECRET)
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture
async def open_site(folder: Path, roots: ExitStack, serve: Serve) -> OpenSite:
    """Serves `folder`: ``await open_site(hidden=True, server={"limits": ...})``."""

    async def start(*, server: dict[str, Any] | None = None, **options: Any) -> Site:
        files = Files(folder, **options)
        roots.callback(files.root.close)
        return Site(folder, files, await serve(files, **(server or {})))

    return start


@pytest.fixture
async def site(open_site: OpenSite) -> Site:
    """`folder`, served with the defaults."""
    return await open_site()
