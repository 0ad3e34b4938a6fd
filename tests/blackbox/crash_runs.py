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
    rounds = [arguments.rounds // number + (i < arguments.rounds % number) for i in range(number)]
    print(
        f"{arguments.rounds} rounds in {number} folders, of --seed {seed}, in {folder}", flush=True
    )
    crashes = []
    for i in range(number):
        (folder / str(i)).mkdir()
        crashes.append(make(folder / str(i), seed + i))
    broken = asyncio.run(_run(crashes, rounds))
    for met, count in sorted(sum((each.tally for each in crashes), Counter[str]()).items()):
        print(f"{count:10}  {met}")
    done = sum(each.rounds for each in crashes)
    if broken:
        sys.exit(f"{done} rounds, and a promise was broken:\n{broken}")
    print(f"{done} rounds; nothing that was acknowledged was lost")
    shutil.rmtree(folder)


async def _run(crashes: Sequence[Crashing], rounds: Sequence[int]) -> str:
    """Run all; return what was broken, if anything was."""
    telling = asyncio.ensure_future(_tell(crashes, sum(rounds)))
    broken: list[str] = []
    try:
        async with asyncio.TaskGroup() as group:
            for each, number in zip(crashes, rounds, strict=True):
                group.create_task(_run_one(each, number))
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
