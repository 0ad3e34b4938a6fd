"""One entry of a folder, as listings show it."""

from __future__ import annotations

import os
import re
import stat
from datetime import date
from functools import lru_cache
from typing import Literal, TypeAlias

import msgspec

from riverrun.apps.files.names import readable
from riverrun.http.dates import EARLIEST, EPOCH, LATEST, SECONDS_PER_DAY
from riverrun.http.media_types import media_type_of
from riverrun.http.targets import encode_segment

EntryType: TypeAlias = Literal["file", "directory", "other"]

NANOSECONDS = 1_000_000_000
TWO_DIGITS = tuple(f"{number:02}" for number in range(60))

PLAIN = re.compile(r"[\w.~-]+", re.ASCII)
"""A name that is its own segment of a path, as most are."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What is told of an entry.

    `name` is text, with U+FFFD for what is no UTF-8; `href` leads to the entry itself, seen from
    its folder, and ends in a slash for a folder. `size` is in bytes; `modified` is a time by
    RFC 3339, in UTC. Only files have a size and a media type. What is neither file nor folder is
    not served, and has no `href`.
    """

    name: str
    type: EntryType
    size: int | None
    modified: str
    href: str | None
    media_type: str | None


def describe(name: str, status: os.stat_result) -> Entry:
    """The entry of this name; `status` is that of a link's target, not of the link."""
    shown = readable(name)
    modified = format_time(status.st_mtime_ns)
    if stat.S_ISREG(status.st_mode):
        href = name if PLAIN.fullmatch(name) else encode_segment(name)
        return Entry(shown, "file", status.st_size, modified, href, media_type_of(name))
    if stat.S_ISDIR(status.st_mode):
        return Entry(shown, "directory", None, modified, encode_segment(name) + "/", None)
    return Entry(shown, "other", None, modified, None, None)


def format_time(nanoseconds: int) -> str:
    """A time since 1970 by RFC 3339, to the millisecond; within the years 1 to 9999."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    days, second = divmod(min(max(seconds, EARLIEST), LATEST), SECONDS_PER_DAY)
    time = f"{TWO_DIGITS[second // 3600]}:{TWO_DIGITS[second // 60 % 60]}:{TWO_DIGITS[second % 60]}"
    return f"{_date(days)}T{time}.{rest // 1_000_000:03}Z"


@lru_cache(maxsize=1024)
def _date(days: int) -> str:
    return date.fromordinal(EPOCH + days).isoformat()
