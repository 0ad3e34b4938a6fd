"""Calls of the system that take as long as a test wants: a slow disk."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

PATIENCE = 20.0


class Gate:
    """Holds the next call of a function of `os` in its thread until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, *, passing: int = 0) -> None:
        """Lets `passing` calls through first, and all behind the one that it holds."""
        self._call = getattr(os, name)
        self._passing = passing
        self._opened = threading.Event()
        self.reached = threading.Event()
        monkeypatch.setattr(os, name, self._held)

    def open(self) -> None:
        self._opened.set()

    def _held(self, *arguments: Any, **options: Any) -> Any:
        if not self._passing and not self.reached.is_set():
            self.reached.set()
            assert self._opened.wait(PATIENCE), "nobody has opened the gate"
        else:
            self._passing -= 1
        return self._call(*arguments, **options)


@contextmanager
def opened_at_last(*gates: Gate) -> Iterator[None]:
    """Leave no thread behind a gate."""
    try:
        yield
    finally:
        for gate in gates:
            gate.open()
