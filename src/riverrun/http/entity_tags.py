"""Entity tags (RFC 9110, 8.8.3): names for one version of a representation.

They are read by their own grammar, not as a list of tokens: a tag may hold a comma, and a
backslash in it escapes nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

CHARACTER = rb"[\x21\x23-\x7e\x80-\xff]"
ENTITY_TAG = rb'(W/)?"(%b*)"' % CHARACTER
TAG = rb'(?:W/)?"%b*"' % CHARACTER
TAG_LIST = rb"[ \t,]*+%b(?:[ \t]*+,[ \t,]*+%b)*+[ \t,]*+" % (TAG, TAG)


class EntityTag(NamedTuple):
    """An entity tag; `opaque` is what stands between its quotes.

    A tag that is made here, not parsed, must have an `opaque` of visible ASCII without quotes.
    """

    opaque: str
    weak: bool = False

    def __str__(self) -> str:
        return f'W/"{self.opaque}"' if self.weak else f'"{self.opaque}"'

    def equals_strongly(self, other: EntityTag) -> bool:
        """Whether both name the same bytes: equal, and neither weak (RFC 9110, 8.8.3.2)."""
        return self.opaque == other.opaque and not self.weak and not other.weak

    def equals_weakly(self, other: EntityTag) -> bool:
        """Whether both name the same content, to the last byte or not (RFC 9110, 8.8.3.2)."""
        return self.opaque == other.opaque


def parse_entity_tag(value: bytes) -> EntityTag | None:
    """The one tag of an ETag or If-Range field, or None if it is not valid."""
    match = re.fullmatch(ENTITY_TAG, value)
    return _entity_tag(match) if match else None


def parse_entity_tags(value: bytes) -> list[EntityTag] | None:
    """The tags of an If-Match or If-None-Match field, or None if they are no valid list.

    ``*``, which those fields may hold instead, is no list: look for it first.
    """
    if re.fullmatch(TAG_LIST, value) is None:
        return None
    return [_entity_tag(match) for match in re.finditer(ENTITY_TAG, value)]


def _entity_tag(match: re.Match[bytes]) -> EntityTag:
    return EntityTag(match[2].decode("latin-1"), weak=match[1] is not None)
