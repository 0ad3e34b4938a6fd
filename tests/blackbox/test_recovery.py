"""A server that finds ten thousand unfinished uploads starts about as fast as with none."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest
from tests.support.serving import serving
from tests.support.stopwatch import Stopwatch

from riverrun.apps.uploads.catalogue import Catalogue
from riverrun.apps.uploads.record import Dialect, Record

UNFINISHED = 10_000


def leave_behind(folder: Path, count: int) -> None:
    """What a crash leaves: rows, and a file for each."""
    waiting = folder / ".riverrun" / "uploads"
    waiting.mkdir(parents=True)
    now = time.time()
    catalogue = Catalogue(str(folder / ".riverrun" / "uploads.db"))
    rows = []
    for number in range(count):
        record = Record(f"{number:032x}", Dialect.TUS, (f"{number}.bin",), 10, now, now + 1e6)
        rows.append((record.id, record.state.value, record.expires, msgspec.json.encode(record)))
        (waiting / record.id).write_bytes(b"four")
    catalogue._database.execute("BEGIN")
    catalogue._database.executemany("INSERT INTO uploads VALUES (?, ?, ?, ?)", rows)
    catalogue._database.execute("COMMIT")
    catalogue.close()


def seconds_to_answer(folder: Path, unfinished: int) -> float:
    """From before its start to its first answer, without what others have had the processor for."""
    watch = Stopwatch()
    with serving(folder, "--allow", "upload") as server:
        with urlopen(f"{server.address}/~/uploads/{0:032x}" if unfinished else server.address):
            watch.add(server.pid)
            answered = watch.ours
        if unfinished:
            with urlopen(f"{server.address}/~/uploads/") as overview:
                uploads = msgspec.json.decode(overview.read())
            assert len(uploads) == unfinished
            assert {upload["offset"] for upload in uploads} == {4}
    return answered


@pytest.mark.timing  # two starts are compared
def test_ten_thousand_unfinished_uploads_cost_less_than_a_second(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    leave_behind(full, UNFINISHED)
    assert seconds_to_answer(full, UNFINISHED) - seconds_to_answer(empty, 0) < 1.0
