"""Files that hold what another holds, encoded beforehand: ``page.html.br`` beside ``page.html``."""

from __future__ import annotations

from typing import Final

from riverrun.apps.files.confinement import Root
from riverrun.apps.files.open_file import OpenFile
from riverrun.http.negotiation import acceptable_codings

SUFFIXES: Final = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}


def open_siblings(root: Root, segments: tuple[str, ...], original: OpenFile) -> dict[str, OpenFile]:
    """The encoded siblings of the file at `segments`, by coding, those the server likes first.

    One that is older than the file is not of its present version, and is left out.
    """
    siblings: dict[str, OpenFile] = {}
    *folder, name = segments
    for coding, suffix in SUFFIXES.items():
        try:
            sibling = OpenFile.of(root.open((*folder, name + suffix)))
        except FileNotFoundError:
            continue
        except BaseException:
            for opened in siblings.values():
                opened.close()  # not only when the traceback is forgotten, which holds them
            raise
        if sibling.is_regular and sibling.modified_ns >= original.modified_ns:
            siblings[coding] = sibling
    return siblings


def choose_coding(siblings: dict[str, OpenFile], accept_encoding: bytes | None) -> str:
    """The coding that the client likes best, empty for none (RFC 9110, 12.5.3)."""
    accepted = acceptable_codings(accept_encoding, tuple(siblings))
    return accepted[0] if accepted and accepted[0] in siblings else ""
