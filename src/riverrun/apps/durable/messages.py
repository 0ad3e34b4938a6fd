r"""JSON mode (Durable Streams, 9.1): a stream of messages, each of which is JSON.

In the log, ``,\n`` follows every message, and no message has a line break in it: none can be
inside a string, and elsewhere a space does as well. So the messages between two offsets are an
array as they lie there, but for its brackets and the last separator, and where a message ends can
be found from anywhere.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator

import msgspec

from riverrun.errors import HTTPError
from riverrun.http.json_arrays import LINE_BREAKS, PART_SIZE, WHITE_SPACE, split_array
from riverrun.logs import Log
from riverrun.logs.reader import read_range, read_some

SEPARATOR = b",\n"
WINDOW = 64 * 1024

_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_check = msgspec.json.Decoder(msgspec.Raw).decode
_check_text = getincrementaldecoder("utf-8")


def check_messages(body: bytes) -> None:
    """Make sure that `body` is JSON: an array of messages, or one. Raises `HTTPError` 400."""
    try:
        text = _check_text()
        for first in range(0, len(body), PART_SIZE):
            text.decode(body[first : first + PART_SIZE])
        text.decode(b"", final=True)
        _check(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPError(400, f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise HTTPError(400, "The JSON is nested too deeply.") from None


def stored_messages(body: bytes) -> Iterator[bytes]:
    """The messages of a valid body as they lie in the log, some at a time; see `split_array`."""
    if not body.lstrip(WHITE_SPACE).startswith(b"["):
        yield body.strip(WHITE_SPACE).translate(LINE_BREAKS) + SEPARATOR
        return
    for part in split_array(body):
        if part:
            messages = _decode_array(b"[%b]" % part.translate(LINE_BREAKS))
            yield SEPARATOR.join(messages) + SEPARATOR
        else:
            yield b""


async def is_boundary(log: Log, offset: int) -> bool:
    """Whether a message, or nothing, ends at `offset`."""
    info = log.info
    if offset in (info.start, info.tail):
        return True
    return info.start < offset < info.tail and await read_range(log, offset - 1, offset) == b"\n"


async def boundary_before(log: Log, start: int, stop: int) -> int:
    """The last place up to `stop` where a message ends; if there is none behind `start`, the next.

    `start` is such a place.
    """
    if stop >= log.info.tail:
        return log.info.tail
    high = stop
    while high > start:
        low = max(start, high - WINDOW)
        found = (await read_range(log, low, high)).rfind(b"\n")
        if found >= 0:
            return low + found + 1
        high = low
    return await boundary_after(log, stop, 1, log.info.tail) or log.info.tail


async def boundary_after(log: Log, start: int, count: int, stop: int) -> int | None:
    """Where the message ends that is `count` messages behind `start`.

    None if it lies behind `stop`, or is not there.
    """
    stop = min(stop, log.info.tail)
    while start < stop:
        chunk = await read_some(log, start, min(WINDOW, stop - start))
        lines = chunk.count(b"\n")
        if lines < count:
            count -= lines
            start += len(chunk)
            continue
        found = -1
        for _ in range(count):
            found = chunk.index(b"\n", found + 1)
        return start + found + 1
    return None
