"""Every test here runs on both event loops, and with both kinds of transports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop

from riverrun.server import transports
from riverrun.testing import no_leaks

SPEED = 20


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


@pytest.fixture(autouse=True)
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
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server looks after its connections twenty times as often as it does."""
    quick = SimpleNamespace(time=lambda: time.monotonic() * SPEED)
    monkeypatch.setattr("riverrun.server.clock.time", quick)
    monkeypatch.setattr("riverrun.server.clock.TICK", 0.25 / SPEED)
