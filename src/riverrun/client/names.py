"""Names of files and the addresses they have, both ways.

What a server calls a file is text by a stranger. As a local name it must stand for one entry of
one folder: it is none of the names that lead elsewhere, and holds no slash and no NUL.
"""

from __future__ import annotations

import os
from urllib.parse import unquote_to_bytes

import httpx

from riverrun.client.errors import AddressError
from riverrun.http.targets import encode_segment

SLASH = 0x2F
NO_NAMES = ("", ".", "..")


def name_of(url: str) -> str:
    """The last segment of the path of `url` as the name of a file; that of the host for the root.

    Raises `AddressError` when it cannot be one.
    """
    address = httpx.URL(url)
    segment = address.raw_path.partition(b"?")[0].rstrip(b"/").rpartition(b"/")[2]
    return decode_name(segment) if segment else address.host


def decode_name(segment: bytes) -> str:
    """A percent-encoded segment as a local name. Raises `AddressError` when it cannot be one."""
    name = os.fsdecode(unquote_to_bytes(segment))
    if name in NO_NAMES or "/" in name or "\0" in name:
        raise AddressError(f"{segment.decode('ascii', 'replace')} is no name for a file")
    return name


def is_folder(url: str) -> bool:
    """Whether `url` is by its form the address of a folder: its path ends in a slash."""
    return httpx.URL(url).raw_path.partition(b"?")[0].endswith(b"/")


def below(folder: str, name: str) -> str:
    """The address of the entry `name` in the folder at the address `folder`."""
    address = httpx.URL(folder)
    path = address.raw_path.partition(b"?")[0].removesuffix(b"/")
    return str(address.copy_with(raw_path=path + b"/" + encode_segment(name).encode()))


def linked(folder: str, href: str) -> str | None:
    """The address of an entry by its link in the listing of `folder`; None if it leads elsewhere.

    A link that is followed is one segment, with a slash behind it for a folder.
    """
    segment = href.removesuffix("/")
    if not segment or not segment.isascii() or any(c in segment for c in "/?#:\\"):
        return None
    address = httpx.URL(folder)
    path = address.raw_path.partition(b"?")[0]
    return str(address.copy_with(raw_path=path + href.encode()))
