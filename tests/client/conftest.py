"""What the tests of the client share: patience without waiting, progress that is remembered."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from riverrun.client import Patience, Session, Stage, UploadOptions


def data_of(size: int, seed: bytes = b"river") -> bytes:
    return hashlib.shake_256(seed).digest(size)


class Remembering:
    """A `Progress` that remembers: what was said, and the stages as (stage, position, size)."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.begun: list[tuple[Stage, int, int | None]] = []
        self.position = 0

    def begin(self, stage: Stage, position: int, size: int | None) -> None:
        self.begun.append((stage, position, size))
        self.position = position

    def at(self, position: int) -> None:
        self.position = position

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def progress() -> Remembering:
    return Remembering()


@pytest.fixture
def waits() -> list[float]:
    """How long the session would have waited between attempts, in seconds."""
    return []


@pytest.fixture
async def session(waits: list[float]) -> AsyncIterator[Session]:
    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with Session(Patience(sleep=sleep, stall=10.0)) as session:
        yield session


@pytest.fixture
def options(tmp_path: Path) -> UploadOptions:
    """Upload options with records of the test's own."""
    return UploadOptions(records=tmp_path / "records")
