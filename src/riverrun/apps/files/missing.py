"""What is not there: a bare 404 for programs, and for people what is missing and the way back.

Whoever looks for what is hidden, elsewhere or not to be read gets the same answer as who looks for
what is missing: the way back goes through what anybody could open.
"""

from __future__ import annotations

import os
import stat

from riverrun.apps.files.confinement import STORE_FOLDER, Root
from riverrun.apps.files.names import visible
from riverrun.errors import Explanation, HTTPError
from riverrun.http.problems import is_for_people
from riverrun.http.targets import Target

ROOT_NAME = "All files"


def not_found(root: Root, target: Target, *, accept: bytes | None, hidden: bool) -> HTTPError:
    """The 404 for `target`, which is none of what lies below `root`; to be raised."""
    if not is_for_people(accept):
        return HTTPError(404)
    segments = target.segments
    folders = _there(root, segments, hidden=hidden)
    depth = len(segments) - (not target.trailing_slash)  # of the folder that links are seen from
    links = [("../" * depth or "./", ROOT_NAME)]
    if folders:
        name = visible(segments[folders - 1])
        links.insert(0, ("../" * (depth - folders) or "./", f"The folder “{name}”"))
    title = "There is nothing here"
    if folders < len(segments):
        title = f"There is no “{visible(segments[folders])}” here"
    path = visible("/" + "/".join(segments))
    text = f"Nothing stands at {path}. It may have been moved or removed."
    return HTTPError(404, explanation=Explanation(title, text, tuple(links)))


def _there(root: Root, segments: tuple[str, ...], *, hidden: bool) -> int:
    """How many of the segments lead through folders that are there."""
    for depth, name in enumerate(segments):
        if name[0] == "." and (not hidden or (depth == 0 and name.lower() == STORE_FOLDER)):
            return depth
        try:
            descriptor = root.open(segments[: depth + 1])
        except OSError:
            return depth
        try:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                return depth
        finally:
            os.close(descriptor)
    return len(segments)
