"""A hundred crashes of servers whose streams are being appended to."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from tests.blackbox.stream_crashes import Life, StreamCrashes

ROUNDS = 100
FOLDERS = 4
"""Each has a quarter of the rounds: mostly they wait, for the disk and for the moment to strike."""
SEED = 20261126


@pytest.mark.timeout(300)
async def test_nothing_that_was_acknowledged_is_lost_or_there_twice(tmp_path: Path) -> None:
    tally: Counter[str] = Counter()

    async def crash(number: int) -> None:
        crashes = StreamCrashes(tmp_path / str(number), SEED + number)
        crashes.folder.mkdir()
        await crashes.run(ROUNDS // FOLDERS)
        await crashes.finish()
        tally.update(crashes.tally)

    async with asyncio.TaskGroup() as group:
        for number in range(FOLDERS):
            group.create_task(crash(number))
    for met in ("appended", "appended again", "read"):  # or it was no test
        assert tally[met]
    for steps in range(Life.STEPS):
        assert tally[f"life: {steps}"]
