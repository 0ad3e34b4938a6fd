"""When memory counts as settled."""

from typing import TYPE_CHECKING

from bench.crowd import settled

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_memory_is_read_once_it_no_longer_moves() -> None:
    readings: Iterator[int] = iter([100, 500, 900, 1000, 1000, 1001, 1000, 5000])
    assert settled(lambda: next(readings), sleep=lambda _: None) == 1000


def test_memory_that_never_settles_is_read_in_the_end() -> None:
    readings: Iterator[int] = iter(range(100, 10_000, 100))
    assert settled(lambda: next(readings), sleep=lambda _: None, most_steps=5) == 600
