"""A hundred crashes of servers that are being uploaded to (`make crash` makes ten thousand)."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from tests.blackbox.crash_clients import DIALECTS
from tests.blackbox.crashes import Crashes

ROUNDS = 100
FOLDERS = 4
"""Each has a quarter of the rounds: mostly they wait, for the disk and for the moment to strike."""
SEED = 20261124


@pytest.mark.timeout(300)
async def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    tally: Counter[str] = Counter()

    async def crash(number: int) -> None:
        folder = tmp_path / f"inbox-{number}"
        folder.mkdir()
        crashes = Crashes(folder, SEED + number)
        await crashes.run(ROUNDS // FOLDERS)
        await crashes.finish()
        tally.update(crashes.tally)

    async with asyncio.TaskGroup() as group:
        for number in range(FOLDERS):
            group.create_task(crash(number))
    for dialect in DIALECTS:  # or it was no test
        assert tally[f"{dialect.__name__}: under way"]
        assert tally[f"{dialect.__name__}: done"]
    assert any(met.endswith(": all sent, stands") for met in tally)
    assert any(met.endswith(": all sent, does not stand") for met in tally)
