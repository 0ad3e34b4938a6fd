"""Files that hold what another holds, encoded beforehand: ``page.html.br`` beside ``page.html``."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from riverrun.apps.files.confinement import Root
from riverrun.apps.files.open_file import OpenFile
from riverrun.http.negotiation import acceptable_codings

SUFFIXES: Final = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}


REMEMBERED: Final = 4096
"""Of so many files it is known that they have none."""

SETTLED: Final = 2_000_000_000
"""Nanoseconds without a change after which the next one shows in a folder's time."""


class Siblings:
    """Finds the siblings of files below `root`.

    Of a file that has none it is remembered, for as long as no name in its folder changes: whoever
    adds or removes one changes the folder's time.
    """

    def __init__(self, root: Root) -> None:
        self._root = root
        self._without: dict[tuple[str, ...], int] = {}

    def open(self, segments: tuple[str, ...], original: OpenFile) -> dict[str, OpenFile]:
        """Those of the file at `segments`, by coding, those the server likes first.

        One that is older than the file is not of its present version, and is left out.
        """
        changed_ns = self._root.changed_ns(segments[:-1])
        if self._without.get(segments) == changed_ns:
            return {}
        siblings = self._look(segments)
        if not siblings and time.time_ns() - changed_ns > SETTLED:
            if len(self._without) >= REMEMBERED:
                self._without.clear()
            self._without[segments] = changed_ns
        return {
            coding: sibling
            for coding, sibling in siblings.items()
            if sibling.is_regular and sibling.modified_ns >= original.modified_ns
        }

    def opener_without(
        self, segments: tuple[str, ...], open_file: Callable[[], int]
    ) -> Callable[[], int]:
        """What calls `open_file` if the file at `segments` is known to have none; see `open`.

        Otherwise it raises `FileNotFoundError`, without looking for them.
        """

        def open_alone() -> int:
            if self._without.get(segments) != self._root.changed_ns(segments[:-1]):
                raise FileNotFoundError("it may have encoded siblings")
            return open_file()

        return open_alone

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


def choose_coding(siblings: dict[str, OpenFile], accept_encoding: bytes | None) -> str:
    """The coding that the client likes best, empty for none (RFC 9110, 12.5.3)."""
    accepted = acceptable_codings(accept_encoding, tuple(siblings))
    return accepted[0] if accepted and accepted[0] in siblings else ""
