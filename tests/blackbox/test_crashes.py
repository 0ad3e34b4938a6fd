"""A hundred crashes of a server that is being uploaded to (`make crash` makes ten thousand)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.blackbox.crash_clients import DIALECTS
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
    for dialect in DIALECTS:  # or it was no test
        assert crashes.tally[f"{dialect.__name__}: under way"]
        assert crashes.tally[f"{dialect.__name__}: done"]
    assert any(met.endswith(": all sent, stands") for met in crashes.tally)
    assert any(met.endswith(": all sent, does not stand") for met in crashes.tally)
