"""Fetch the source distribution of a package as pip would, and only that: nothing is built.

    python fetch_sdist.py NAME VERSION FOLDER

``pip download`` builds a source distribution to learn what it needs, which would need a compiler
and all that it is built with. So pip is asked only where the archive is, and for its connection.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pip._internal.commands import create_command
from pip._internal.index.package_finder import PackageFinder
from pip._vendor.packaging.specifiers import SpecifierSet


def fetch(name: str, version: str, folder: Path) -> Path:
    """Save the archive in `folder`, checked against the hash that the index gives."""
    command = create_command("download")
    options, _ = command.parse_args(["--no-deps", "--no-binary", ":all:", name])
    with command.main_context():
        session = command.get_default_session(options)  # type: ignore[attr-defined]
        finder: PackageFinder = command._build_package_finder(options, session)  # type: ignore[attr-defined]
        best = finder.find_best_candidate(name, SpecifierSet(f"=={version}")).best_candidate
        if best is None:
            raise SystemExit(f"there is no source distribution of {name} {version}")
        response = session.get(best.link.url_without_fragment)
        response.raise_for_status()
        archive: bytes = response.content
    hashes = best.link.as_hashes()
    if hashes:
        hashes.check_against_chunks(iter([archive]))
    path = folder / best.link.filename
    partial = path.with_suffix(".partial")
    partial.write_bytes(archive)
    partial.rename(path)
    return path


if __name__ == "__main__":
    fetch(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
