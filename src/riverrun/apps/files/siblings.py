"""Files that hold what another holds, encoded beforehand: ``page.html.br`` beside ``page.html``."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

from riverrun.apps.files.confinement import Root
from riverrun.apps.files.open_file import OpenFile, identity_of
from riverrun.http.negotiation import acceptable_codings

SUFFIXES: Final = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}


REMEMBERED: Final = 4096
"""Of so many files it is known that they have none."""

SETTLED: Final = 2_000_000_000
"""Nanoseconds without a change after which the next one shows in a folder's time."""


class State(NamedTuple):
    """A folder and the times of its last change: another one after any name in it has changed."""

    inode: int
    modified_ns: int
    changed_ns: int

    @property
    def settled(self) -> bool:
        """Whether the next change will show, however soon it comes."""
        return time.time_ns() - self.modified_ns > SETTLED


class Chosen(NamedTuple):
    """The sibling that was chosen, and what opens it while it is the one."""

    coding: str
    file: OpenFile
    open_file: Callable[[], int]


class Siblings:
    """Finds the siblings of files below `root`.

    Of a file that has none it is remembered, for as long as its folder is as it was. What a link
    leads to may come into being without that: it is found when the folder changes next.
    """

    def __init__(self, root: Root) -> None:
        self._root = root
        self._without: dict[tuple[str, ...], State] = {}

    def open(self, segments: tuple[str, ...], original: OpenFile) -> dict[str, OpenFile]:
        """Those of the file at `segments`, by coding, those the server likes first.

        One that is older than the file is not of its present version, and is left out.
        """
        state = self._state_of(segments[:-1])
        if state is not None and self._without.get(segments) == state:
            return {}
        siblings = self._look(segments)
        if not siblings and state is not None and state.settled:
            if len(self._without) >= REMEMBERED:
                self._without.clear()
            self._without[segments] = state
        return _present(siblings, original)

    def opener_without(
        self, segments: tuple[str, ...], open_file: Callable[[], int]
    ) -> Callable[[], int]:
        """What calls `open_file` if the file at `segments` is known to have none; see `open`.

        Otherwise it raises `FileNotFoundError`, without looking for them.
        """

        def open_alone() -> int:
            state = self._state_of(segments[:-1])
            if state is None or self._without.get(segments) != state:
                raise FileNotFoundError("it may have encoded siblings")
            return open_file()

        return open_alone

    def choose_again(
        self, segments: tuple[str, ...], original: OpenFile, accept_encoding: bytes | None
    ) -> Chosen | None:
        """The sibling that a client gets who accepts these codings; it is opened now.

        None if there is none, or if another might be chosen before anything shows it.
        """
        folder = segments[:-1]
        state = self._state_of(folder)
        if state is None or not state.settled:
            return None
        siblings = self._look(segments)
        if len(_present(siblings, original)) < len(siblings):
            return None  # written anew in place, or touched, it would be one
        coding = choose_coding(siblings, accept_encoding)
        if not coding:
            return None
        identity = original.identity
        open_sibling = partial(self._root.open, (*folder, segments[-1] + SUFFIXES[coding]))

        def open_again() -> int:
            now = identity_of(self._root.status_of(segments))
            if now != identity or self._state_of(folder) != state:
                raise FileNotFoundError("it may be another")
            return open_sibling()

        return Chosen(coding, siblings[coding], open_again)

    def _state_of(self, folder: tuple[str, ...]) -> State | None:
        """None if nobody may look into it, or it has gone meanwhile."""
        try:
            status = self._root.status_of(folder)
        except FileNotFoundError:
            return None
        return State(status.st_ino, status.st_mtime_ns, status.st_ctime_ns)

    def _look(self, segments: tuple[str, ...]) -> dict[str, OpenFile]:
        siblings: dict[str, OpenFile] = {}
        *folder, name = segments
        try:
            for coding, suffix in SUFFIXES.items():
                with suppress(FileNotFoundError):
                    siblings[coding] = OpenFile.of(self._root.open((*folder, name + suffix)))
        except BaseException:
            for opened in siblings.values():
                opened.close()  # not only when the traceback is forgotten, which holds them
            raise
        return siblings


def _present(siblings: dict[str, OpenFile], original: OpenFile) -> dict[str, OpenFile]:
    """Those that are files of the original's present version."""
    return {
        coding: sibling
        for coding, sibling in siblings.items()
        if sibling.is_regular and sibling.modified_ns >= original.modified_ns
    }


def choose_coding(siblings: dict[str, OpenFile], accept_encoding: bytes | None) -> str:
    """The coding that the client likes best, empty for none (RFC 9110, 12.5.3)."""
    accepted = acceptable_codings(accept_encoding, tuple(siblings))
    return accepted[0] if accepted and accepted[0] in siblings else ""
