"""A hundred crashes of a server whose streams are being appended to."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.blackbox.stream_crashes import Life, StreamCrashes

ROUNDS = 100
SEED = 20261126


@pytest.mark.timeout(300)
async def test_nothing_that_was_acknowledged_is_lost_or_there_twice(tmp_path: Path) -> None:
    crashes = StreamCrashes(tmp_path, SEED)
    await crashes.run(ROUNDS)
    await crashes.finish()
    for met in ("appended", "appended again", "read"):  # or it was no test
        assert crashes.tally[met]
    for steps in range(Life.STEPS):
        assert crashes.tally[f"life: {steps}"]
