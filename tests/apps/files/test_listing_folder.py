from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from riverrun.apps.files.listing.folder import KEY_OVERHEAD, select

KEYS = st.lists(st.binary(min_size=1, max_size=3), max_size=60)
SIZES = st.integers(1, 12 * KEY_OVERHEAD)
COUNTS = st.none() | st.integers(1, 20)


@given(KEYS, st.binary(max_size=3), COUNTS, SIZES)
def test_a_pass_selects_the_smallest_behind_a_key(
    keys: list[bytes], after: bytes, count: int | None, size: int
) -> None:
    expected = sorted({key for key in keys if key > after})
    selected, more = select(keys, after, count=count, size=size)
    assert selected == expected[: len(selected)]
    assert more == (len(selected) < len(expected))
    assert len(selected) >= min(1, len(expected))
    assert count is None or len(selected) <= count


@given(KEYS, COUNTS, SIZES)
def test_passes_together_select_everything_once(
    keys: list[bytes], count: int | None, size: int
) -> None:
    found: list[bytes] = []
    more = True
    while more:
        selected, more = select(keys, found[-1] if found else b"", count=count, size=size)
        found += selected
    assert found == sorted(set(keys))


def test_what_fits_is_selected_in_one_pass() -> None:
    keys = [b"%03d" % number for number in range(100)]
    size = 100 * (3 + KEY_OVERHEAD)
    assert select(keys, b"", size=size) == (keys, False)
    assert select(keys, b"", size=size - 1) == (keys[:-1], True)
    assert select(keys, b"", count=100) == (keys, False)
    assert select(keys, b"", count=99) == (keys[:-1], True)


def test_a_pass_holds_no_more_than_twice_what_it_selects() -> None:
    alive = 0
    most = 0

    class Key(bytes):
        __slots__ = ()

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def keys() -> Iterator[bytes]:
        nonlocal alive, most
        for number in range(5000, 0, -1):
            alive += 1
            most = max(most, alive)
            yield Key(b"%06d" % number)

    selected, more = select(keys(), b"", size=100 * (6 + KEY_OVERHEAD))
    assert len(selected) == 100
    assert more
    assert most <= 200 + 3
