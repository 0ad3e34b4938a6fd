"""What `get` and `put` share: how a transfer is run, interrupted, and explained when it fails.

Exit statuses: 0 when all is where it should be; 2 when it is not, with a line for each file that
says why; 130 behind Ctrl-C, when what has come so far is kept.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import click

from riverrun.cli import INTERRUPTED
from riverrun.cli.screen import FileView, Screen, size_of
from riverrun.client import ExistsError, LostError, Patience, RefusalError, Stage
from riverrun.errors import RiverrunError

FAILED = 2
MOST_FAILURES = 10
"""So many files in a row that fail end the work: it is not the files."""

STOPPING = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EPIPE))
"""What the disk says when there is no use in trying the next file."""


EXISTING = {
    403: "another file stands there, and the server does not let it be replaced;"
    " it would have to allow that: riverrun serve --allow upload,overwrite",
    412: "another file stands there, and stays because of --no-overwrite",
}
"""Why a file that is there is in the way, by the status of the refusal."""


class FailedError(click.ClickException):
    """Shown as one line on standard error."""

    exit_code = FAILED


@dataclass(frozen=True, slots=True)
class TransferSettings:
    """What all commands that transfer let be set alike."""

    retries: int
    wait: bool
    quiet: bool

    @property
    def patience(self) -> Patience:
        """How often, and when, a transfer is tried again."""
        return Patience(retries=self.retries, unreached=self.wait)


class Transfers:
    """The files of one command, one after another, with what became of them."""

    def __init__(self, screen: Screen, *, several: bool) -> None:
        self.several = several
        self.failed = 0
        self._screen = screen
        self._current: FileView | None = None
        self._failed_in_a_row = 0

    def start(self, name: str) -> FileView:
        """The next file is on its way."""
        self._current = self._screen.file(name)
        return self._current

    def succeed(self, size: int) -> None:
        """It is where it should be."""
        self._failed_in_a_row = 0
        self._close(size)

    def fail(self, name: str, error: Exception) -> None:
        """It is not. Raises `FailedError` if it was the only one, or there is no use in others."""
        explained = FailedError(f"{name}: {explain(error)}")
        self.failed += 1
        self._failed_in_a_row += 1
        hopeless = isinstance(error, LostError) or (
            isinstance(error, OSError) and error.errno in STOPPING
        )
        if not self.several or hopeless or self._failed_in_a_row >= MOST_FAILURES:
            raise explained from None
        self._close(0)
        self._screen.complain(explained.message)

    def interrupted(self) -> str:
        """Where it stood when Ctrl-C came, and how to go on."""
        view = self._current
        if view is None or view.stage is None:
            return "interrupted; the same command goes on"
        if view.stage is Stage.SENDING_WHOLE:
            return "interrupted; the server keeps nothing, the same command begins anew"
        of = "" if view.size is None else f" of {size_of(view.size)}"
        return (
            f"interrupted at {size_of(view.position)}{of};"
            " the same command goes on from what is there"
        )

    def _close(self, size: int) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None
        self._screen.finished(size)


def run_transfers(screen: Screen, transfers: Transfers, work: Coroutine[Any, Any, None]) -> None:
    """Do `work` to its end, or until Ctrl-C."""
    try:
        with screen:
            asyncio.run(work)
    except KeyboardInterrupt:
        screen.line(transfers.interrupted())
        raise click.exceptions.Exit(INTERRUPTED) from None
    except (OSError, RiverrunError) as error:
        raise FailedError(explain(error)) from None
    if transfers.failed:
        raise click.exceptions.Exit(FAILED)


def explain(error: Exception) -> str:
    """What went wrong, without the name of the file, in a line."""
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return f"{error.filename}: {reason}" if error.filename else reason
    if isinstance(error, ExistsError):
        return EXISTING.get(error.status, str(error))
    if isinstance(error, RefusalError):
        return f"the server refuses: {error}"
    return str(error)


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
