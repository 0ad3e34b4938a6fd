"""Another name for a file whose own is taken: ``name (2).ext``, ``name (3).ext``, and so on.

A name that is free when it is chosen may be taken when the file comes to stand there, so the
placing of a file looks again. Everything here waits for the disk, and so runs in threads.
"""

from __future__ import annotations

import os
from collections.abc import Container
from itertools import chain, count

from riverrun.apps.files.confinement import Root
from riverrun.apps.uploads.placing import Target
from riverrun.http.filenames import MAX_NAME_SIZE


def free_name(root: Root, target: Target, taken: Container[Target] = ()) -> Target:
    """`target`, or the first name beside it that nothing has, neither a file nor one of `taken`.

    Folders are never renamed: what is taken is the last name. Links count, wherever they lead.
    """
    *folder, name = target
    try:
        parent = root.open(tuple(folder))
    except FileNotFoundError:
        parent = None
    others = ((*folder, _numbered(name, number)) for number in count(2))
    try:
        return next(
            candidate
            for candidate in chain((target,), others)
            if candidate not in taken and (parent is None or not _stands(parent, candidate[-1]))
        )
    finally:
        if parent is not None:
            os.close(parent)


def _stands(parent: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _numbered(name: str, number: int) -> str:
    """`name` with a number before its extension, cut to what a name may have."""
    stem, extension = os.path.splitext(name)  # noqa: PTH122 - names are text here
    ending = os.fsencode(f" ({number}){extension}")
    if len(ending) > MAX_NAME_SIZE // 2:
        stem, ending = name, os.fsencode(f" ({number})")
    kept = os.fsencode(stem)[: MAX_NAME_SIZE - len(ending)]
    return kept.decode(errors="ignore").rstrip() + ending.decode(errors="ignore")
