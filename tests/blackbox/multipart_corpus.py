"""Reading the corpus of python-multipart: what is in a case, and what is to come of it.

A case is a body, ``name.http``, and what to expect of it, ``name.yaml``. These use little of YAML:
a boundary, and then an error or a list of parts, whose data is in base64. Anything else fails.
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

BOUNDARY = re.compile(r"boundary: (\S+)\nexpected:(.*)", re.DOTALL)
ERROR = re.compile(r"\s+error: \d+\s*")
ENTRY = re.compile(r"\s+(- )?(name|type|file_name|content_type): (?:'(.*)'|\"(.*)\"|(\S+))")
DATA = re.compile(r'\s+data: !!binary (?:\|\s+([\w+/=]+)|"([\w+/=]+)")\s*')


@dataclass(frozen=True)
class Expected:
    """What a part should be. A part of no stated type may have any."""

    name: str
    filename: str | None
    content_type: str | None
    data: bytes


@dataclass(frozen=True)
class Case:
    """A body, and its parts, or None if it is malformed."""

    name: str
    boundary: str
    body: bytes
    parts: list[Expected] | None


def read_cases(folder: Path) -> dict[str, Case]:
    """All cases by their names."""
    return {path.stem: _case(path) for path in sorted(folder.glob("*.yaml"))}


def _case(path: Path) -> Case:
    match = BOUNDARY.fullmatch(path.read_text())
    assert match is not None, path
    boundary, expected = match.groups()
    parts = None if ERROR.fullmatch(expected) else _parts(expected)
    return Case(path.stem, boundary, path.with_suffix(".http").read_bytes(), parts)


def _parts(text: str) -> list[Expected]:
    parts = []
    position = 0
    while text[position:].strip() not in ("", "[]"):
        entries: dict[str, str] = {}
        while match := ENTRY.match(text, position):
            assert bool(match[1]) == (not entries), text
            entries[match[2]] = match[3] or match[4] or match[5]
            position = match.end()
        data = DATA.match(text, position)
        assert data is not None, text[position:]
        position = data.end() - 1  # the line end belongs to what follows
        assert (entries["type"] == "file") == ("file_name" in entries)
        parts.append(
            Expected(
                entries["name"],
                entries.get("file_name"),
                entries.get("content_type"),
                b64decode(data[1] or data[2], validate=True),
            )
        )
    return parts
