"""Names from a client, made fit to be names of files.

What a client calls a file may hold a path of its machine, or of ours, and any character. Nothing
is refused here: what a name may not hold is left out or becomes ``_``, and a name of which nothing
is left becomes ``unnamed``. A name is never hidden, so no client can take one of ours, which are.
It does not depend on the file system; that it is free there is for whoever creates the file.
"""

from __future__ import annotations

import re
import unicodedata

from riverrun.http.content_disposition import NOT_IN_A_NAME

MAX_NAME_SIZE = 255  # bytes, of Linux and of most file systems
MAX_EXTENSION_SIZE = 32  # what is longer is no extension
UNNAMED = "unnamed"
SEPARATORS = re.compile(r"[/\\]+")
DRIVE = re.compile(r"[A-Za-z]:")
HIDING = re.compile(r"[\s.]+")


def safe_name(filename: str) -> str:
    """The last part of `filename`, as a name that any folder may hold.

    It has 1 to 255 bytes of UTF-8, is normalized (NFC), and has no slash, backslash, control
    character or character that turns the direction of text; it begins with no dot and no space.
    A long name is cut before its extension.
    """
    return safe_segments(filename)[-1]


def safe_segments(relative_path: str) -> tuple[str, ...]:
    """The folders and the name of a path as browsers send it with a folder, at least the name.

    Every segment is as `safe_name` makes it. Drives, a leading slash and segments of dots lead
    nowhere: they are left out, so the path stays within the folder where it begins.
    """
    segments = map(_safe, SEPARATORS.split(relative_path))
    return tuple(safe for safe in segments if safe and not DRIVE.fullmatch(safe)) or (UNNAMED,)


def _safe(segment: str) -> str:
    """A segment without what it may not hold, or an empty one."""
    name = re.sub(NOT_IN_A_NAME, "_", unicodedata.normalize("NFC", segment)).rstrip()
    hiding = HIDING.match(name)
    if hiding is not None:
        name = name[hiding.end() :]
    return name if len(name.encode()) <= MAX_NAME_SIZE else _cut(name)


def _cut(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    ending = (dot + extension).encode()
    if not dot or len(ending) > MAX_EXTENSION_SIZE:
        stem, ending = name, b""
    kept = stem.encode()[: MAX_NAME_SIZE - len(ending)].decode(errors="ignore")
    return kept.rstrip() + ending.decode()
