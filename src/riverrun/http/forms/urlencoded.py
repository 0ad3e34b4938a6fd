"""The decoder of ``application/x-www-form-urlencoded`` (URL Standard, 5.1).

Nothing in this coding is malformed but text that is not UTF-8: a percent sign that encodes nothing
stands for itself. The coding is made for small forms, so one is collected whole, up to the limit
of every body that is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from riverrun.errors import HTTPError
from riverrun.http.forms.decoding import End, Event, PartHead
from riverrun.http.limits import Limits
from riverrun.http.whole import decode_text

FIELD = re.compile(b"[^&]+")


class UrlencodedDecoder:
    """Decodes one form, once all of it has come."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._chunks: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Decode `chunk`; see `Decoder.feed`."""
        if not chunk:
            yield from self._parts(b"".join(self._chunks))
            return
        self._size += len(chunk)
        if self._size > self._limits.whole_body_size:
            raise HTTPError(413)
        self._chunks.append(chunk)

    def _parts(self, whole: bytes) -> Iterator[Event]:
        self._chunks.clear()
        for number, match in enumerate(FIELD.finditer(whole)):
            if number == self._limits.part_count:
                raise HTTPError(413, "The form has too many parts.")
            name, _, value = match.group().partition(b"=")
            yield PartHead(decode_text(_decoded(name), "name of a field"), None, "text/plain", {})
            if value:
                yield _decoded(value)
            yield End.PART


def _decoded(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
