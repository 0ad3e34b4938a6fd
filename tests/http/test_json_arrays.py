"""Large arrays in parts, as the JSON of the standard library reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riverrun.http import json_arrays
from riverrun.http.json_arrays import DEPTH, PART_SIZE, split_array

scalars = st.none() | st.booleans() | st.integers() | st.text('[]{},:"\\\n aé😀')
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text('[]",\\'), inner, max_size=4)
    ),
    max_leaves=60,
)


def joined(parts: list[bytes]) -> list[Any]:
    return [element for part in parts if part for element in json.loads(b"[%b]" % part)]


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@settings(deadline=None)  # a busy machine
@given(
    array=st.lists(values, max_size=20),
    indent=st.sampled_from([None, 1]),
    text=st.booleans(),
    size=st.integers(1, 40),
)
def test_the_parts_have_the_elements_in_order(
    array: list[Any], indent: int | None, text: bool, size: int
) -> None:
    body = json.dumps(array, indent=indent, ensure_ascii=not text).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_arrays, "PART_SIZE", size)
        assert joined(list(split_array(b" \n" + body + b"\t"))) == array


@pytest.mark.parametrize(
    "element",
    [b"1", b'""', b"[]", b'{"a":[{"b":"]"}]}', nested(DEPTH), nested(DEPTH + 1), nested(40)],
)
def test_a_part_of_small_elements_is_small(element: bytes) -> None:
    count = 10 * PART_SIZE // len(element)
    parts = list(split_array(b"[" + b",".join([element] * count) + b"]"))
    assert max(map(len, parts)) <= PART_SIZE
    assert len(joined(parts)) == count


@pytest.mark.parametrize("element", [nested(20) + b" ", b'["\\"[",' + nested(20) + b"]"])
def test_an_element_that_is_larger_than_a_part_is_found_in_steps(element: bytes) -> None:
    large = b"[" + b",".join([element] * (5 * PART_SIZE // len(element))) + b"]"
    parts = list(split_array(b"[1,%b,2]" % large))
    assert [part for part in parts if part] == [b"1,%b" % large, b"2"]
    assert parts.count(b"") >= 4


@pytest.mark.parametrize("array", [b"[]", b"[ \n ]", b"[" + b" " * 3 * PART_SIZE + b"]"])
def test_an_array_without_elements_has_no_parts(array: bytes) -> None:
    assert list(split_array(array)) == []
