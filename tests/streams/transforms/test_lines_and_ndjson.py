"""Lines and NDJSON, however the bytes are cut into chunks."""

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.errors import BrokenError, RefusedError
from riverrun.streams import IterableSource, MemorySink, Transform, collect, pipeline
from riverrun.streams.transforms import decode_ndjson, encode_ndjson, lines
from riverrun.streams.transforms.lines import LineSplitter

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in pairwise(borders)]


async def through(transform: Transform[Any, Any], source: Any) -> list[Any]:
    return [each async for each in transform(aiter(IterableSource(source)))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b"\n\n", [b"", b""]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"a\r", [b"a\r"]),
        (b"\r\n", [b""]),
    ],
)
async def test_lines_end_at_newlines(text: bytes, expected: list[bytes]) -> None:
    assert await through(lines(), [text]) == expected
    assert await through(lines(), [bytes([byte]) for byte in text]) == expected


@given(text=st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b"\r"])), places=st.data())
async def test_lines_do_not_depend_on_the_borders_of_chunks(
    text: list[bytes], places: st.DataObject
) -> None:
    whole = b"".join(text)
    chunks = cut(whole, places.draw(st.lists(st.integers(0, 1000))))
    assert await through(lines(), chunks) == await through(lines(), [whole])


@pytest.mark.parametrize("chunks", [[b"12345\n"], [b"1", b"2", b"3", b"4", b"5"], [b"ok\n12345"]])
async def test_a_line_that_is_too_long_is_refused_before_its_end_has_come(
    chunks: list[bytes],
) -> None:
    with pytest.raises(RefusedError, match="length of a line is limited to 4"):
        await through(lines(max_length=4), chunks)


async def test_a_line_of_the_greatest_length_passes() -> None:
    assert await through(lines(max_length=4), [b"12", b"34", b"\n", b"1234"]) == [b"1234"] * 2


def test_the_lines_before_one_that_is_too_long_are_given() -> None:
    fed = LineSplitter(4).feed(b"ok\nnot ok\n")
    assert next(fed) == b"ok"
    with pytest.raises(RefusedError):
        next(fed)


@given(objects=st.lists(JSON_VALUES), places=st.lists(st.integers(0, 10_000)))
async def test_objects_survive_the_way_through_ndjson(
    objects: list[Any], places: list[int]
) -> None:
    text = await collect(encode_ndjson()(_iterate(objects)))
    assert [json.loads(line) for line in text.splitlines() if line] == objects
    assert await through(decode_ndjson(), cut(text, places)) == objects


async def _iterate(objects: list[Any]) -> Any:
    for each in objects:
        yield each


class Point(msgspec.Struct):
    x: int
    y: int = 0


async def test_objects_are_checked_to_be_of_their_kind() -> None:
    assert await through(decode_ndjson(Point), [b'\n {"x":1} \r\n', b'{"x":2,"y":3}']) == [
        Point(1),
        Point(2, 3),
    ]


@pytest.mark.parametrize("line", [b"{", b'{"x":"1"}\n', b"{}\n", b'"\xff"\n', b"1 2\n"])
async def test_a_line_that_is_no_such_object_breaks_the_stream(line: bytes) -> None:
    with pytest.raises(BrokenError):
        await through(decode_ndjson(Point), [line])


async def test_a_line_of_ndjson_has_a_greatest_length() -> None:
    with pytest.raises(RefusedError):
        await through(decode_ndjson(max_length=5), [b"[1,2,3]\n"])


async def test_objects_may_flow_through_a_whole_pipeline() -> None:
    async def even(objects: Any) -> Any:
        async for each in objects:
            if each["n"] % 2 == 0:
                yield each

    source = [b'{"n":1}\n{"n"', b":2}\n", b'{"n":4}']
    sink = MemorySink()
    await pipeline(source, decode_ndjson(), even, encode_ndjson(), sink)
    assert sink.value == b'{"n":2}\n{"n":4}\n'
