"""Every test here runs on both event loops, and with both kinds of transports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import uvloop
from tests.apps.files.sending.steering import SteeredSite
from tests.conftest import Serve

from riverrun.apps.files import Files
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.server import transports


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=["aiofastnet", "plain"], autouse=True)
def transport_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With aiofastnet's transports, and with those of the loop where it cannot be imported."""
    kind: str = request.param
    if kind == "plain":
        monkeypatch.setattr(transports, "aiofastnet", None)
    return kind


@pytest.fixture
async def steered(folder: Path, roots: ExitStack, serve: Serve) -> SteeredSite:
    """`folder`, with the flow of every answer at hand."""
    files = Files(folder)
    roots.callback(files.root.close)
    site: SteeredSite

    def answer(asked: Request, response: Response) -> Awaitable[None]:
        return site.answer(asked, response)

    site = SteeredSite(folder, files, await serve(answer))
    return site
