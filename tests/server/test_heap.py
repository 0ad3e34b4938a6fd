"""Memory that a burst leaves is given back."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from riverrun.server.heap import MUCH, Heap


class Allocator:
    """A heap of which some lies free; what is `scattered` stays when the rest is given back."""

    def __init__(self) -> None:
        self.free = self.scattered = 0
        self.trims = 0

    def trim(self) -> None:
        self.trims += 1
        self.free = min(self.free, self.scattered)


@pytest.fixture
def allocator() -> Allocator:
    return Allocator()


@pytest.fixture
def heap(allocator: Allocator) -> Heap:
    return Heap(lambda: allocator.free, allocator.trim)


def test_what_a_burst_leaves_is_given_back_once(allocator: Allocator, heap: Heap) -> None:
    allocator.free = 3 * MUCH
    allocator.scattered = 2 * MUCH  # free, and counted as such whatever is given back of it
    for _ in range(3):
        heap.look()
    assert allocator.trims == 1


def test_the_next_burst_is_given_back_too(allocator: Allocator, heap: Heap) -> None:
    for free in (MUCH, 0, MUCH, MUCH - 1, MUCH):
        allocator.free = free
        heap.look()
    assert allocator.trims == 3


def test_little_is_left_where_it_is(allocator: Allocator, heap: Heap) -> None:
    for free in (0, MUCH - 1, 0, MUCH - 1):
        allocator.free = free
        heap.look()
    assert allocator.trims == 0


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only the GNU C library tells and trims"
)
def test_holes_between_what_is_held_are_given_back() -> None:
    held = [os.urandom(100_000) for _ in range(400)]
    before = resident_bytes()
    del held[::2]
    assert before - resident_bytes() < 5_000_000, "they were given back anyway"
    Heap().look()
    assert before - resident_bytes() > 15_000_000


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
