"""A listing for programs: one JSON document, or a JSON value a line (NDJSON)."""

from __future__ import annotations

import msgspec

from riverrun.apps.files.listing.entries import Entry

encoder = msgspec.json.Encoder()


class JSONDocument:
    """``{"entries": [...], "next": ...}``; ``next`` is null when nothing follows."""

    def __init__(self) -> None:
        self._separator = b""

    def head(self) -> bytes:
        """Everything before the first entry."""
        return b'{"entries":['

    def rows(self, entries: list[Entry]) -> bytes:
        """Some entries, and the comma between them and those before."""
        if not entries:
            return b""
        rows = self._separator + b",\n".join(map(encoder.encode, entries))
        self._separator = b",\n"
        return rows

    def tail(self, following: str | None) -> bytes:
        """Everything behind the last entry."""
        return b'],"next":%b}\n' % encoder.encode(following)


class NDJSONDocument:
    """An entry a line. If others follow, the last line is ``{"next": ...}`` instead."""

    def head(self) -> bytes:
        """Nothing: the response's head goes out all the same."""
        return b""

    def rows(self, entries: list[Entry]) -> bytes:
        """Some entries."""
        return encoder.encode_lines(entries)

    def tail(self, following: str | None) -> bytes:
        """The line that leads on."""
        return b"" if following is None else encoder.encode({"next": following}) + b"\n"
