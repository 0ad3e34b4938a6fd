"""A folder, and handlers of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.repeats.repeated import (
    LARGE,
    LONG,
    MIDDLE,
    PAGE,
    SMALL,
    LogFile,
    Repeated,
)

from riverrun.apps.files import Files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    for name, content in (
        ("small.bin", SMALL),
        ("below/small.bin", SMALL),
        ("middle.bin", MIDDLE),
        ("long.bin", LONG),
        ("large.bin", LARGE),
        ("empty.bin", b""),
        ("page.html", PAGE),
        ("below/page.html", PAGE),
        ("below/index.html", PAGE),
        ("style.css", PAGE),
        ("style.css.br", b"by brotli"),
        ("style.css.gz", b"by gzip"),
        ("below/style.css", PAGE),
        ("below/style.css.gz", b"by gzip"),
        (".hidden.bin", SMALL),
        ("a%41.bin", SMALL),
    ):
        (folder / name).write_bytes(content)
    for settled in (folder / "below", folder):
        os.utime(settled, (0, 0))
    return folder


@pytest.fixture
def files(folder: Path) -> Iterator[Files]:
    files = Files(folder)
    yield files
    files.root.close()


@pytest.fixture
def handler(files: Files) -> Repeated:
    return Repeated(files)


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[LogFile]:
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    yield LogFile(path, descriptor)
    os.close(descriptor)
