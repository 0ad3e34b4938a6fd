"""What counts as a stall: a transfer that has stopped, or is slower than it may be."""

from __future__ import annotations

import pytest

from riverrun.http.limits import Limits
from riverrun.server.stalls import StallWatch

START = 1000.0
RESTART = None
ANY_RATE = Limits(stall_timeout=30)
AT_LEAST_100 = Limits(stall_timeout=30, minimum_rate=100)


@pytest.mark.parametrize(
    ("limits", "looks"),
    [
        # Nothing moves.
        (ANY_RATE, [(1, 0, False), (29.9, 0, False), (30, 0, True), (31, 0, True)]),
        (ANY_RATE, [(100, 0, True)]),
        # A byte now and then is enough, and what has moved is never too late to count.
        (ANY_RATE, [(29, 1, False), (58, 2, False), (87, 3, False), (116.9, 3, False)]),
        (ANY_RATE, [(29, 1, False), (58.9, 1, False), (59, 1, True)]),
        (ANY_RATE, [(100, 1, False), (129, 1, False), (230, 2, False), (260, 2, True)]),
        # The count of another response may be less than that of the one before.
        (ANY_RATE, [(10, 500, False), (40, 7, False), (69, 7, False), (70, 7, True)]),
        # Where nothing is expected to move, time does not count.
        (ANY_RATE, [(29, 0, False), (29, RESTART, None), (58, 0, False), (59, 0, True)]),
        (ANY_RATE, [(200, RESTART, None), (229, 0, False), (230, 0, True)]),
        # A rate is that over a whole timeout, from the last time that it was enough.
        (AT_LEAST_100, [(1, 1, False), (29.9, 1, False), (30, 1, True)]),
        (AT_LEAST_100, [(29.9, 0, False), (30, 0, True)]),
        (AT_LEAST_100, [(15, 1, False), (30, 2999, True)]),
        (AT_LEAST_100, [(15, 1, False), (30, 3000, False), (60, 5999, True)]),
        (AT_LEAST_100, [(30, 9000, False), (60, 12000, False), (89, 12001, False)]),
        (AT_LEAST_100, [(30, 9000, False), (60, 9000, True)]),
        (AT_LEAST_100, [(20, RESTART, None), (49, 2999, False), (50, 2999, True)]),
    ],
)
def test_a_transfer_stalls(
    limits: Limits, looks: list[tuple[float, int | None, bool | None]]
) -> None:
    """A look: the seconds that have passed, the bytes that have moved, whether it has stalled."""
    watch = StallWatch(START)
    for seconds, moved, stalled in looks:
        if moved is RESTART:
            watch.restart(START + seconds)
        else:
            assert watch.stalled(moved, START + seconds, limits) is stalled, seconds
