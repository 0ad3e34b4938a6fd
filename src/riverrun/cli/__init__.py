"""The command line: `riverrun serve`, `riverrun run`, and what talks to servers.

What is written here turns words into the objects of the rooms below, and says what went wrong in
one line. The words are read before anything that serves is imported, so that help and mistakes are
answered at once; a command imports what it needs when it runs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

INTERRUPTED = 130  # 128 and the number of SIGINT, as a shell has it


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program, and exit with its status: 130 behind Ctrl-C, however early it comes."""
    try:
        # Loading it takes a moment, in which somebody may think better of it.
        from riverrun.cli.loading import loading  # noqa: PLC0415

        with loading():
            from riverrun.cli.program import run_program  # noqa: PLC0415
        status = run_program(arguments)
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status)
