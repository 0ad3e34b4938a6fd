"""Taking a large array of JSON apart, in steps that are short and memory that is small.

A decoder makes an object of each element: two million of them in 4 MiB of ``[1,1,…]``, and the
event loop waits for them all. Here an array is cut at commas between its elements, into parts of
about `PART_SIZE` each. Regular expressions find most places at the speed of C; only what is nested
deeper than `DEPTH`, or larger than a part, is looked at bracket by bracket.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

PART_SIZE: Final = 16 * 1024
DEPTH: Final = 5
WHITE_SPACE: Final = b" \t\r\n"
LINE_BREAKS: Final = bytes.maketrans(b"\r\n", b"  ")
"""For `bytes.translate`: in valid JSON a line break is where a space does as well."""

# The input is known to be valid, so an opening bracket has its closing one.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_INNER = rb'[^"\[\]{}]++|' + _STRING
for _ in range(DEPTH):
    _NESTED = rb"[\[{](?:" + _INNER + rb")*+[\]}]"
    _INNER = rb'[^"\[\]{}]++|' + _STRING + b"|" + _NESTED
_ELEMENTS = re.compile(rb'(?:(?:[^"\[\]{},]++|' + _STRING + b"|" + _NESTED + rb")++,)*+", re.DOTALL)
_TOKEN = re.compile(_INNER + rb"|[\[\]{}]", re.DOTALL)


def split_array(array: bytes) -> Iterator[bytes]:
    """The parts of a valid array, without the commas between them; each has elements in it.

    Together they are what lies between its brackets. Between two parts that take long to find
    there are empty ones: every step takes milliseconds, unless one element is a large string. An
    array that is not valid is cut anywhere.
    """
    start, end = array.index(b"[") + 1, array.rindex(b"]")
    if not array[start:end].strip(WHITE_SPACE):
        return
    while start + PART_SIZE < end:
        stop = start
        while stop == start or stop - start < min(PART_SIZE // 2, end - start):
            found = _ELEMENTS.match(array, stop, start + PART_SIZE).end()  # type: ignore[union-attr]
            if found == stop:
                for found in _behind_next(array, stop, end):
                    if not found:
                        yield b""
            stop = found
        yield array[start : stop - 1]
        start = stop
    if start < end:
        yield array[start:end]


def _behind_next(array: bytes, start: int, end: int) -> Iterator[int]:
    """Where the element behind the next one begins, with zeros before it for every step."""
    depth, looked_at = 0, start
    for token in _TOKEN.finditer(array, start, end):
        position = token.start()
        first, is_one = array[position], token.end() - position == 1
        if is_one and first in b"[{":
            depth += 1
        elif is_one and first in b"]}":
            depth -= 1
        elif not depth and first not in b'"[{':
            comma = array.find(b",", position, token.end())
            if comma >= 0:
                yield comma + 1
                return
        if position - looked_at > PART_SIZE:
            looked_at = position
            yield 0
    yield end + 1
