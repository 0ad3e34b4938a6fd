"""A hundred crashes of a server that is being uploaded to (`make crash` makes ten thousand)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.blackbox.crashes import Crashes

ROUNDS = 100
SEED = 20261124


@pytest.mark.timeout(300)
async def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    crashes = Crashes(folder, SEED)
    await crashes.run(ROUNDS)
    await crashes.finish()
    dialects = {met.partition(":")[0] for met in crashes.tally}
    assert len(dialects) >= 4, "not every dialect has been met"
    assert any(met.endswith("under way") for met in crashes.tally)
