"""Folders that take uploads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from tests.apps.uploads.inboxes import Inbox
from tests.conftest import Serve

from riverrun.apps.uploads import Permissions, UploadLimits, Uploads

OpenInbox: TypeAlias = Callable[..., Awaitable[Inbox]]

EVERYTHING = Permissions(upload=True, overwrite=True, delete=True)
ROOMY = {"free_space": 0}


@pytest.fixture
def stores() -> Iterator[ExitStack]:
    """Closes what is served when its servers have stopped."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def open_inbox(tmp_path: Path, stores: ExitStack, serve: Serve) -> OpenInbox:
    """Serves a folder: ``await open_inbox(limits={...}, permissions=Permissions(...))``."""

    async def start(
        *,
        limits: dict[str, Any] | None = None,
        permissions: Permissions = EVERYTHING,
        server: dict[str, Any] | None = None,
        **options: Any,
    ) -> Inbox:
        folder = tmp_path / "inbox"
        folder.mkdir(exist_ok=True)
        bounds = UploadLimits(**{**ROOMY, **(limits or {})})
        uploads = Uploads(folder, permissions=permissions, limits=bounds, **options)
        stores.callback(uploads.close)
        return Inbox(folder, uploads, await serve(uploads, **(server or {})))

    return start


@pytest.fixture
async def inbox(open_inbox: OpenInbox) -> Inbox:
    """A folder in which everything is allowed."""
    return await open_inbox()
