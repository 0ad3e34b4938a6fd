"""What a decoder of forms gives: the events of a form, in order.

Every part is its head, any number of chunks, and its end. Chunks are never empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from riverrun.http.headers import Fields, FieldView


class PartFields(FieldView):
    """The header fields of a part, which are UTF-8 (RFC 7578, 5.1.2)."""

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name).encode("latin-1").decode()


@dataclass(frozen=True, slots=True)
class PartHead:
    """What comes before the bytes of a part; its fields are UTF-8."""

    name: str
    filename: str | None
    content_type: str
    fields: Fields


class End(Enum):
    """What has come to its end."""

    PART = "part"
    FORM = "form"


Event: TypeAlias = PartHead | bytes | End


class Decoder(Protocol):
    """Takes the chunks of a body and gives events."""

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Decode `chunk`; ``b""`` says that none follows. What it gives is taken before the next.

        Raises `HTTPError`, and must not be fed again, for what is malformed (400) or more than a
        limit allows (413, 431).
        """
