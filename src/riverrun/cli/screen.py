"""What a person sees of transfers: bars on a terminal, and lines on standard error.

The bars are for terminals only and are gone when the transfer is over; the lines stay, wherever
standard error leads. `--quiet` takes away both, but not the line that says what went wrong.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from rich.filesize import decimal

from riverrun.client import Stage

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

NAME_WIDTH = 40
MOVING = (Stage.RECEIVING, Stage.SENDING, Stage.SENDING_WHOLE)


class Screen:
    """The bars and lines of one command; a context manager."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bars = _make_bars() if not quiet and _is_terminal() else None
        self._overall: TaskID | None = None
        self._finished = 0

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def expect(self, count: int, size: int) -> None:
        """Several files come, of `size` bytes together."""
        if self._bars is not None:
            self._overall = self._bars.add_task(f"all {count} files", total=size)

    def finished(self, size: int) -> None:
        """A file of `size` bytes is through, or was there already."""
        self._finished += size
        self.moved(0)

    def moved(self, position: int) -> None:
        """The file that is on its way has come to `position`."""
        if self._bars is not None and self._overall is not None:
            self._bars.update(self._overall, completed=self._finished + position)

    def file(self, name: str) -> FileView:
        """The bar of one file."""
        return FileView(self, shown(name), self._bars)

    def line(self, text: str) -> None:
        """Say something that stays."""
        if not self._quiet:
            self._write(text)

    def complain(self, text: str) -> None:
        """Say what went wrong, even if it is to be quiet."""
        self._write(f"riverrun: {text}")

    def _write(self, text: str) -> None:
        if self._bars is not None:
            self._bars.console.print(
                shown(text), markup=False, highlight=False, emoji=False, soft_wrap=True
            )
        elif sys.stderr is not None:
            with suppress(OSError):  # whoever read it is gone; that is no reason to stop
                sys.stderr.write(f"{shown(text)}\n")
                sys.stderr.flush()


class FileView:
    """The bar of one file, and what is said of it: a `riverrun.client.Progress`.

    `position` and `size` are in bytes; `stage` is what is being done, None before it begins.
    """

    def __init__(self, screen: Screen, name: str, bars: Progress | None) -> None:
        self.stage: Stage | None = None
        self.position = 0
        self.size: int | None = None
        self._screen = screen
        self._name = name
        self._bars = bars
        self._task: TaskID | None = None

    def begin(self, stage: Stage, position: int, size: int | None) -> None:
        """Show another stage, from its beginning."""
        goes_on = stage is self.stage and position == self.position
        self.stage, self.position, self.size = stage, position, size
        if self._bars is None or goes_on:
            return
        name = self._name
        name = name if len(name) <= NAME_WIDTH else f"...{name[3 - NAME_WIDTH :]}"
        label = name if stage in MOVING else f"{stage.value} {name}"
        if self._task is None:
            self._task = self._bars.add_task(label, total=size, completed=position)
        else:
            self._bars.reset(self._task, description=label, total=size, completed=position)

    def at(self, position: int) -> None:
        """Move the bar."""
        self.position = position
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=position)
            if self.stage in MOVING:
                self._screen.moved(position)

    def say(self, text: str) -> None:
        """Say it, with the file's name before it."""
        self._screen.line(f"{self._name}: {text}")

    def close(self) -> None:
        """Take the bar away."""
        if self._bars is not None and self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None


def size_of(size: int) -> str:
    """A size as people say it: 21.0 MB."""
    return decimal(size)


def shown(text: str) -> str:
    """`text` so that it moves no cursor, whoever has written it."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text.encode("utf-8", "replace").decode()
    )


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _make_bars() -> Progress:
    # Only a terminal needs it, and it takes longer to import than all that is ours.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
