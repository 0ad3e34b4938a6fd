"""How a transfer tells what it is doing.

A transfer calls its `Progress` often, from the event loop, and never waits for it. Positions are
those in the file, in bytes, not counts of what this run has moved: one that goes on begins in the
middle, and one that lost its connection may step back.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol


class Stage(Enum):
    """What a transfer does with a file."""

    READING = "reads"
    RECEIVING = "gets"
    SENDING = "puts"
    SENDING_WHOLE = "puts at once"
    """As SENDING, to a server that keeps nothing of a request that breaks: nothing is resumed."""

    CHECKING = "checks"


class Progress(Protocol):
    """What is told of one file on its way."""

    def begin(self, stage: Stage, position: int, size: int | None) -> None:
        """A stage begins at `position` of a file of `size` bytes, None if that is not known."""

    def at(self, position: int) -> None:
        """The stage has come to `position`."""

    def say(self, text: str) -> None:
        """Something happened that people want to know, in a few words."""


class Silent:
    """Tells nobody."""

    def begin(self, stage: Stage, position: int, size: int | None) -> None:
        """Nothing."""

    def at(self, position: int) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


SILENT = Silent()
