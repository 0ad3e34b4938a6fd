from __future__ import annotations

import os
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from riverrun.apps.files.listing.ordering import Order, Ordering, Sort

NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: not {0, 0x2F} & set(name))
TEXT_NAMES = NAMES.map(lambda name: name.decode("utf-8", "surrogateescape"))
ORDERINGS = [Ordering(sort, order) for sort in Sort for order in Order]


def status(*, size: int = 0, modified: int = 0) -> os.stat_result:
    return cast("os.stat_result", SimpleNamespace(st_size=size, st_mtime_ns=modified))


def in_order(ordering: Ordering, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: ordering.key(name, None, is_folder=False))


def test_names_are_in_order_whatever_their_case() -> None:
    assert in_order(Ordering(), ["b", "C", "a", "B", "Ä", "ä"]) == ["a", "b", "B", "C", "ä", "Ä"]


@given(st.lists(TEXT_NAMES, unique=True))
@example(["a", "ab", "A", "AB", "a\x01", "\udcff", "ß", "ss", "\U0010ffff"])
def test_descending_is_ascending_turned_round(names: list[str]) -> None:
    descending = Ordering(order=Order.DESCENDING)
    assert in_order(descending, names) == in_order(Ordering(), names)[::-1]


@given(st.lists(TEXT_NAMES, unique=True))
def test_names_compare_folded_then_by_their_bytes(names: list[str]) -> None:
    def reference(name: str) -> tuple[bytes, bool, bytes]:
        folded, own = (os.fsencode(text) for text in (name.casefold(), name))
        return folded, own != folded, own

    assert in_order(Ordering(), names) == sorted(names, key=reference)


@pytest.mark.parametrize("ordering", ORDERINGS)
@given(
    stands=TEXT_NAMES,
    is_folder=st.booleans(),
    name=st.text(st.characters(min_codepoint=1, max_codepoint=0x7F), min_size=1),
)
@example(stands="ab", is_folder=False, name="a")
@example(stands="A", is_folder=False, name="a\x01")
def test_a_folded_name_tells_on_which_side_of_a_key_a_file_stands(
    ordering: Ordering, stands: str, is_folder: bool, name: str
) -> None:
    found = status(size=1, modified=1) if ordering.needs_status else None
    key = ordering.key(stands, found, is_folder=is_folder)
    folded = ordering.folded(key)
    if folded is not None and name.lower() != folded:
        own = ordering.key(name, None, is_folder=False)
        assert (own < key) is (name.lower() < folded)
    if ordering == Ordering() and stands.isascii() and not is_folder:
        assert folded is not None


@pytest.mark.parametrize("ordering", ORDERINGS)
@given(name=TEXT_NAMES, is_folder=st.booleans(), number=st.integers(0, 2**63 - 1))
def test_a_key_gives_its_name_back(
    ordering: Ordering, name: str, is_folder: bool, number: int
) -> None:
    found = status(size=number, modified=number) if ordering.needs_status else None
    assert ordering.name(ordering.key(name, found, is_folder=is_folder)) == name


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_folders_come_first(ordering: Ordering) -> None:
    found = status(size=1, modified=1) if ordering.needs_status else None
    folder = ordering.key("z", found, is_folder=True)
    assert folder < ordering.key("a", found, is_folder=False)


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize(
    ("sort", "statuses"),
    [
        (Sort.SIZE, [status(size=size) for size in (0, 1, 255, 256, 2**40, 2**62)]),
        (
            Sort.TIME,
            [status(modified=time) for time in (-(2**63), -(10**18), -1, 0, 1, 10**18, 2**63 - 1)],
        ),
    ],
)
def test_numbers_compare_as_numbers(
    sort: Sort, order: Order, statuses: list[os.stat_result]
) -> None:
    ordering = Ordering(sort, order)
    keys = [ordering.key("name", found, is_folder=False) for found in statuses]
    assert sorted(keys, reverse=order is Order.DESCENDING) == keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("order", Order)
def test_equal_sizes_ascend_by_name_either_way(order: Order) -> None:
    ordering = Ordering(Sort.SIZE, order)
    keys = [ordering.key(name, status(size=7), is_folder=False) for name in ("a", "b", "c")]
    assert sorted(keys) == keys


def test_folders_have_no_size_to_be_ordered_by() -> None:
    ordering = Ordering(Sort.SIZE, Order.DESCENDING)
    small = ordering.key("a", status(size=4096), is_folder=True)
    large = ordering.key("b", status(size=8192), is_folder=True)
    assert small < large
