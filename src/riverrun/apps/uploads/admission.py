"""What an upload may be called, and how much may be said of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from riverrun.apps.files.confinement import STORE_FOLDER
from riverrun.apps.uploads.placing import Target
from riverrun.errors import HTTPError
from riverrun.http.filenames import MAX_NAME_SIZE

DEPTH = 64  # folders that lead to a file, at most
DETAILS_SIZE = 4096  # bytes of fields that are kept of an upload, in memory too
PARTS = "upload-concat"
PATH_SIZE = 2048  # bytes from the folder that is served: half of what the system takes
RESERVED = ("~", STORE_FOLDER)  # at the top: addresses that are not files, and the store


def check_target(target: Target) -> None:
    """Raise `HTTPError` 400 for what cannot name a file, 403 for what is the server's own."""
    if any(not name or "/" in name or "\0" in name or name in (".", "..") for name in target):
        raise HTTPError(400, "That is not a name for a file.")
    if any(len(os.fsencode(name)) > MAX_NAME_SIZE for name in target):
        raise HTTPError(400, "That name is too long.")
    if len(os.fsencode("/".join(target))) > PATH_SIZE:
        raise HTTPError(400, f"A path has {PATH_SIZE} bytes at most.")
    if len(target) > DEPTH:
        raise HTTPError(400, f"A file lies in {DEPTH - 1} folders at most.")
    if target and target[0].lower() in RESERVED:  # some file systems fold case
        raise HTTPError(403, "That name is the server's own.")


def check_details(
    conditions: Mapping[str, str], repr_digest: str, details: Mapping[str, Any]
) -> None:
    """Raise `HTTPError` 431 for more than is to be kept of what a client says of an upload."""
    # A list of parts is bounded by their number.
    told = (value for name, value in details.items() if name != PARTS)
    size = len(repr_digest) + sum(map(len, (*conditions.values(), *map(str, told))))
    if size > DETAILS_SIZE:
        raise HTTPError(431, f"An upload may be described in {DETAILS_SIZE} bytes.")
