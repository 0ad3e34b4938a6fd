"""How fast a transfer may go, decided without waiting."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.flows import Pacer, Shape
from riverrun.flows.pace import burst

KIB = 1024
MIB = 1024 * KIB


def moved_in(seconds: float, shape: Shape, want: int, *, tick: float = 0.001) -> int:
    """What a transfer that always wants `want` moves, on a clock that is never waited for."""
    pacer = Pacer(shape, 0.0)
    now, moved = 0.0, 0
    while now < seconds:
        granted, delay = pacer.grant(want, now)
        assert 0 <= granted <= want
        assert (granted > 0) is (delay == 0)
        moved += granted
        now += max(delay, tick)
    return moved


@pytest.mark.parametrize("rate", [2000, 100 * KIB, MIB, 50 * MIB])
@pytest.mark.parametrize("want", [1000, 64 * KIB, 100 * MIB])
def test_a_rate_is_kept_over_seconds(rate: float, want: int) -> None:
    seconds = 3
    moved = moved_in(seconds, Shape(rate=rate), want)
    most_that_is_asked_for = want * seconds * 1000
    assert moved <= rate * seconds + burst(rate)
    assert moved >= min(rate * seconds * 0.9, most_that_is_asked_for * 0.9)


def test_an_idle_transfer_saves_up_no_more_than_a_burst() -> None:
    pacer = Pacer(Shape(rate=100 * KIB), 0.0)
    granted, _ = pacer.grant(MIB, 1000.0)
    assert granted == int(burst(100 * KIB))


def test_slices_are_worthwhile() -> None:
    """It waits for half a burst rather than send a byte at a time."""
    pacer = Pacer(Shape(rate=100 * KIB), 0.0)
    now = 0.0
    granted, _ = pacer.grant(MIB, now)
    for _ in range(100):
        granted, delay = pacer.grant(MIB, now)
        if granted:
            assert granted >= burst(100 * KIB) // 2
        now += delay or 1e-6


def test_what_is_left_of_a_small_want_is_granted() -> None:
    pacer = Pacer(Shape(rate=2000), 0.0)
    pacer.grant(MIB, 0.0)
    granted, delay = pacer.grant(1, 0.0)
    assert granted == 0
    granted, _ = pacer.grant(1, delay)
    assert granted == 1


def test_a_chunk_size_caps_each_slice() -> None:
    pacer = Pacer(Shape(chunk_size=100), 0.0)
    assert [pacer.grant(want, 0.0) for want in (1000, 100, 7)] == [(100, 0), (100, 0), (7, 0)]


def test_a_delay_separates_slices() -> None:
    pacer = Pacer(Shape(chunk_size=100, delay=0.5), 0.0)
    assert pacer.grant(1000, 0.0) == (100, 0.0)
    granted, seconds = pacer.grant(1000, 0.2)
    assert (granted, round(seconds, 9)) == (0, 0.3)
    assert pacer.grant(1000, 0.5) == (100, 0.0)
    assert pacer.grant(1000, 0.5) == (0, 0.5)


@pytest.mark.parametrize(
    ("shape", "size", "passes"),
    [
        (Shape(), 1 << 40, True),
        (Shape(chunk_size=100), 100, True),
        (Shape(chunk_size=100), 101, False),
        (Shape(rate=100 * KIB), 10 * KIB, True),
        (Shape(rate=100 * KIB), 11 * KIB, False),
        (Shape(rate=1), 1024, True),
        (Shape(rate=1), 1025, False),
    ],
)
def test_whether_a_body_may_go_at_once(shape: Shape, size: int, passes: bool) -> None:
    assert (size <= shape.at_once) is passes


@pytest.mark.parametrize(
    "arguments",
    [
        {"rate": 0},
        {"rate": -1},
        {"rate": math.nan},
        {"chunk_size": 0},
        {"chunk_size": -5},
        {"delay": -0.1},
        {"delay": math.inf},
        {"delay": math.nan},
    ],
)
def test_a_shape_that_lets_nothing_through_is_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Shape(**arguments)  # type: ignore[arg-type]


@given(
    rate=st.floats(1, 1e9) | st.none(),
    chunk_size=st.integers(1, 1 << 20) | st.none(),
    delay=st.floats(0, 1),
    wants=st.lists(st.integers(1, 1 << 24), min_size=1, max_size=20),
)
def test_whatever_the_shape_every_want_is_granted_in_the_end(
    rate: float | None, chunk_size: int | None, delay: float, wants: list[int]
) -> None:
    """Invariant: waiting as long as it says is enough, and never more is granted than wanted."""
    pacer = Pacer(Shape(rate, chunk_size, delay), 0.0)
    now = 0.0
    for want in wants:
        for _ in range(10):
            granted, seconds = pacer.grant(want, now)
            if granted:
                break
            assert 0 < seconds < math.inf
            now = math.nextafter(now + seconds, math.inf)
        assert 1 <= granted <= want
