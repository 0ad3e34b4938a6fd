"""A hundred crashes of servers that are being uploaded to (`make crash` makes ten thousand)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.blackbox.crash_clients import DIALECTS
from tests.blackbox.crash_runs import in_folders, run_side_by_side, tally_of
from tests.blackbox.crashes import Crashes

ROUNDS = 100
FOLDERS = 4
"""Each has a quarter of the rounds: mostly they wait, for the disk and for the moment to strike."""
SEED = 20261124


TIMES = 4
"""So often at most, when a busy machine has not met in a hundred all that can be met."""


@pytest.mark.timeout(600)
async def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    tally: Counter[str] = Counter()
    for time in range(TIMES):
        folder = tmp_path / str(time)
        folder.mkdir()
        crashes = in_folders(folder, FOLDERS, SEED + FOLDERS * time, Crashes)
        await run_side_by_side(crashes, ROUNDS)
        tally += tally_of(crashes)
        if not not_met(tally):
            break
    assert not_met(tally) == []  # or it was no test


def not_met(tally: Counter[str]) -> list[str]:
    """What no crash has met, of how it may find an upload."""
    of_dialects = [
        f"{one.__name__}: {state}" for one in DIALECTS for state in ("under way", "done")
    ]
    of_any = [": all sent, stands", ": all sent, does not stand"]
    return [
        *(met for met in of_dialects if not tally[met]),
        *(met for met in of_any if not any(each.endswith(met) for each in tally)),
    ]
