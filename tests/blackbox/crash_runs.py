"""Crashes in several folders side by side, each with a server of its own, told as they go on.

A round mostly waits, for the disk and for the moment to strike, so a few of them share a core. What
this says at its end is what it has seen: so many rounds, how the clients were met, what was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tests.blackbox.crash_clients import BrokenPromiseError
from tests.server import client

TOLD_EVERY = 30.0  # seconds
FOLDERS_A_CORE = 2
PATIENCE = 240.0  # seconds for an answer: what is tested is not how fast the machine is


class Crashing(Protocol):
    """Rounds of crashes in one folder."""

    rounds: int
    tally: Counter[str]

    async def run(self, rounds: int) -> None:
        """Crash so many times; raises `BrokenPromiseError`, with all that is known of it."""

    async def finish(self) -> None:
        """Come back from the last crash, and finish everything."""


def run_program(what: str, make: Callable[[Path, int], Crashing]) -> None:
    """Crash as the command line says; `make` is given a folder and a seed."""
    parser = argparse.ArgumentParser(description=f"Kill servers while {what}.")
    parser.add_argument("--rounds", type=int, default=100, help="in all folders together")
    parser.add_argument("--seed", type=int, default=None, help="of the first folder")
    parser.add_argument("--folders", type=int, default=FOLDERS_A_CORE * (os.cpu_count() or 1))
    arguments = parser.parse_args()
    client.PATIENCE = PATIENCE
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    folder = Path(tempfile.mkdtemp(prefix="riverrun-crashes-"))
    number = max(1, min(arguments.folders, arguments.rounds))
    print(
        f"{arguments.rounds} rounds in {number} folders, of --seed {seed}, in {folder}", flush=True
    )
    crashes = in_folders(folder, number, seed, make)
    broken = asyncio.run(_run(crashes, arguments.rounds))
    for met, count in sorted(tally_of(crashes).items()):
        print(f"{count:10}  {met}")
    done = sum(each.rounds for each in crashes)
    if broken:
        sys.exit(f"{done} rounds, and a promise was broken:\n{broken}")
    print(f"{done} rounds; nothing that was acknowledged was lost")
    shutil.rmtree(folder)


def in_folders(
    folder: Path, number: int, seed: int, make: Callable[[Path, int], Crashing]
) -> list[Crashing]:
    """So many of them, each in a folder of its own below `folder`, with a seed of its own."""
    crashes = []
    for i in range(number):
        (folder / str(i)).mkdir()
        crashes.append(make(folder / str(i), seed + i))
    return crashes


def tally_of(crashes: Sequence[Crashing]) -> Counter[str]:
    """How the clients of all of them were met."""
    return sum((each.tally for each in crashes), Counter[str]())


async def run_side_by_side(crashes: Sequence[Crashing], rounds: int) -> None:
    """Share `rounds` among them; raises a group of `BrokenPromiseError`."""
    share, more = divmod(rounds, len(crashes))
    async with asyncio.TaskGroup() as group:
        for i, each in enumerate(crashes):
            group.create_task(_run_one(each, share + (i < more)))


async def _run(crashes: Sequence[Crashing], rounds: int) -> str:
    """Run all; return what was broken, if anything was."""
    telling = asyncio.ensure_future(_tell(crashes, rounds))
    broken: list[str] = []
    try:
        await run_side_by_side(crashes, rounds)
    except* BrokenPromiseError as group_of_errors:
        for error in group_of_errors.exceptions:
            broken += (str(error), *getattr(error, "__notes__", ()))
    finally:
        telling.cancel()
    return "\n".join(broken)


async def _run_one(crashes: Crashing, rounds: int) -> None:
    await crashes.run(rounds)
    await crashes.finish()


async def _tell(crashes: Sequence[Crashing], rounds: int) -> None:
    begun = time.monotonic()
    while True:
        await asyncio.sleep(TOLD_EVERY)
        done, passed = sum(each.rounds for each in crashes), time.monotonic() - begun
        left = passed / max(1, done) * (rounds - done)
        print(f"{done} of {rounds} rounds in {passed:.0f} s, {left:.0f} s to go", flush=True)
