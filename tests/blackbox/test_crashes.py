"""A hundred crashes of servers that are being uploaded to (`make crash` makes ten thousand)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.blackbox.crash_clients import DIALECTS
from tests.blackbox.crash_runs import in_folders, run_side_by_side, tally_of
from tests.blackbox.crashes import Crashes

ROUNDS = 100
FOLDERS = 4
"""Each has a quarter of the rounds: mostly they wait, for the disk and for the moment to strike."""
SEED = 20261124


@pytest.mark.timeout(300)
async def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    crashes = in_folders(tmp_path, FOLDERS, SEED, Crashes)
    await run_side_by_side(crashes, ROUNDS)
    tally = tally_of(crashes)
    for dialect in DIALECTS:  # or it was no test
        assert tally[f"{dialect.__name__}: under way"]
        assert tally[f"{dialect.__name__}: done"]
    assert any(met.endswith(": all sent, stands") for met in tally)
    assert any(met.endswith(": all sent, does not stand") for met in tally)
