"""What is read or sent in place because it is in the page cache, and how long that is believed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riverrun.apps.files.representation import Representation, represent
from riverrun.apps.files.sending import RESIDENT_SECONDS, is_at_hand, read_at_hand
from riverrun.http.ranges import ByteRange

CONTENT = b"0123456789"
WHOLE = ByteRange(0, len(CONTENT))
PART = ByteRange(3, 4)
NOW = 1000.0


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def representation() -> Iterator[Representation]:
    yield represent("file.bin", len(CONTENT), 1, 1)
    represent.cache_clear()


@pytest.fixture
def leave_memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on nothing is in the page cache, as far as the kernel says."""

    def refuse(*_: object) -> int:
        raise BlockingIOError

    return lambda: monkeypatch.setattr(os, "preadv", refuse)


def test_a_whole_that_was_read_is_taken_to_be_at_hand_for_a_while(
    descriptor: int, representation: Representation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_at_hand(descriptor, WHOLE, representation, NOW) == CONTENT
    monkeypatch.delattr(os, "preadv")  # nobody is asked
    soon = NOW + RESIDENT_SECONDS / 2
    assert read_at_hand(descriptor, PART, representation, soon) == CONTENT[3:7]
    assert is_at_hand(descriptor, WHOLE, representation, soon)


def test_a_part_says_nothing_of_the_whole(
    descriptor: int, representation: Representation, leave_memory: Callable[[], None]
) -> None:
    assert read_at_hand(descriptor, PART, representation, NOW) == CONTENT[3:7]
    leave_memory()
    assert not is_at_hand(descriptor, WHOLE, representation, NOW)


@pytest.mark.parametrize("asked", [WHOLE, PART])
def test_what_is_on_a_disk_is_not_waited_for_and_not_taken_to_be_at_hand(
    descriptor: int,
    representation: Representation,
    leave_memory: Callable[[], None],
    asked: ByteRange,
) -> None:
    leave_memory()
    for _ in "12":
        assert read_at_hand(descriptor, asked, representation, NOW) == b""
        assert not is_at_hand(descriptor, asked, representation, NOW)


def test_after_a_while_it_is_asked_for_again(
    descriptor: int, representation: Representation, leave_memory: Callable[[], None]
) -> None:
    assert is_at_hand(descriptor, WHOLE, representation, NOW)
    leave_memory()
    later = NOW + 2 * RESIDENT_SECONDS
    assert not is_at_hand(descriptor, WHOLE, representation, later)
    assert read_at_hand(descriptor, WHOLE, representation, later) == b""
