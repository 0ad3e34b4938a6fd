"""A hundred crashes of servers whose streams are being appended to."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.blackbox.crash_runs import in_folders, run_side_by_side, tally_of
from tests.blackbox.stream_crashes import Life, StreamCrashes

ROUNDS = 100
FOLDERS = 4
"""Each has a quarter of the rounds: mostly they wait, for the disk and for the moment to strike."""
SEED = 20261126


@pytest.mark.timeout(300)
async def test_nothing_that_was_acknowledged_is_lost_or_there_twice(tmp_path: Path) -> None:
    crashes = in_folders(tmp_path, FOLDERS, SEED, StreamCrashes)
    await run_side_by_side(crashes, ROUNDS)
    tally = tally_of(crashes)
    for met in ("appended", "appended again", "read"):  # or it was no test
        assert tally[met]
    for steps in range(Life.STEPS):
        assert tally[f"life: {steps}"]
