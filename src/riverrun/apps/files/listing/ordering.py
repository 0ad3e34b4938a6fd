"""The order of a listing, as byte strings that compare in it.

The key of an entry says where it stands: folders before all else, then time or size, then the
name. It holds the name, so that a listing in the making is nothing but a list of keys; and no two
are equal, so that a page can go on behind a key whose entry is no longer there.

    rank (1 byte) | time or size (8 bytes; not when sorted by name) | folded name | 0 | name | 0

The name is left out where it equals the folded one. What descends is stored as its complement,
with the zeros: only then does a name stand behind those that go on where it ends.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum

ENCODING = ("utf-8", "surrogateescape")
FOLDER_RANK, OTHER_RANK = b"\0", b"\1"
VALUE_END = 9  # rank and value
GREATEST = 2**64 - 1
MIDDLE = 2**63  # times may lie before 1970
COMPLEMENT = bytes(255 - byte for byte in range(256))


class Sort(StrEnum):
    """What entries are ordered by."""

    NAME = "name"
    TIME = "time"
    SIZE = "size"


class Order(StrEnum):
    """Which end comes first."""

    ASCENDING = "asc"
    DESCENDING = "desc"


DEFAULT_ORDERS = {
    Sort.NAME: Order.ASCENDING,
    Sort.TIME: Order.DESCENDING,
    Sort.SIZE: Order.DESCENDING,
}


@dataclass(frozen=True, slots=True)
class Ordering:
    """A sort and an order; entries of the same time or size ascend by name either way."""

    sort: Sort = Sort.NAME
    order: Order = Order.ASCENDING

    @property
    def needs_status(self) -> bool:
        """Whether a key takes more than a name and whether it is a folder's."""
        return self.sort is not Sort.NAME

    def key(self, name: str, status: os.stat_result | None, *, is_folder: bool) -> bytes:
        """The key of an entry; `status` only where `needs_status`. Folders have no size."""
        rank = FOLDER_RANK if is_folder else OTHER_RANK
        if name.isascii():  # as most are, of the 100,000 that the first row waits for
            encoded = name.encode()
            folded = encoded.lower()
        else:
            encoded = name.encode(*ENCODING)
            folded = name.casefold().encode(*ENCODING)
        key = folded + b"\0\0" if folded == encoded else b"%b\0%b\0" % (folded, encoded)
        descends = self.order is Order.DESCENDING
        if status is None:
            return rank + (key.translate(COMPLEMENT) if descends else key)
        if self.sort is Sort.TIME:
            value = min(max(status.st_mtime_ns + MIDDLE, 0), GREATEST)
        else:
            value = 0 if is_folder else status.st_size
        return rank + (GREATEST - value if descends else value).to_bytes(8, "big") + key

    def folded(self, key: bytes) -> str | None:
        """What the names of files compare with as they stand to this key, in lower case.

        None where only their own keys can tell: in another order than this, and for other names
        than those in ASCII.
        """
        if self.needs_status or self.order is Order.DESCENDING or key[:1] != OTHER_RANK:
            return None
        name = key[1:].partition(b"\0")[0]
        return name.decode() if name.isascii() else None

    def name(self, key: bytes) -> str:
        """The name of the entry that a key is of."""
        if self.needs_status:
            names = key[VALUE_END:]
        elif self.order is Order.DESCENDING:
            names = key[1:].translate(COMPLEMENT)
        else:
            names = key[1:]
        folded, encoded, _ = names.split(b"\0")
        return (encoded or folded).decode(*ENCODING)
