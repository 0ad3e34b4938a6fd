"""The beginning of a large folder is found once, and never shown of a folder that has changed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from riverrun.apps.files.listing.beginnings import FOLDERS, KEYS, Beginnings
from riverrun.apps.files.listing.folder import Folder
from riverrun.apps.files.listing.ordering import Order, Ordering, Sort

MANY = 2 * KEYS
HOUR = 3_600_000_000_000


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    for number in range(MANY):
        (tmp_path / f"{number:04}.txt").touch()
    return tmp_path


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Has an item for each time that a folder is read."""
    seen: list[int] = []
    scandir = os.scandir

    def counted(descriptor: int) -> object:
        seen.append(descriptor)
        return scandir(descriptor)

    monkeypatch.setattr(os, "scandir", counted)
    return seen


def later() -> int:
    return time.time_ns() + HOUR


async def names(
    path: Path,
    beginnings: Beginnings,
    ordering: Ordering | None = None,
    *,
    hidden: bool = False,
    count: int | None = None,
) -> list[str]:
    """What a listing shows, by as many passes as it takes."""
    ordering = ordering or Ordering()
    descriptor = os.open(path, os.O_RDONLY)
    folder = Folder(descriptor, ordering, hidden=hidden, beginnings=beginnings)
    try:
        found: list[bytes] = []
        more = True
        while more and (count is None or len(found) < count):
            keys, more = await folder.select(
                found[-1] if found else b"", None if count is None else count - len(found)
            )
            found += keys
        return [ordering.name(key) for key in found]
    finally:
        folder.close()
        os.close(descriptor)


async def test_a_folder_is_read_once_for_its_first_rows(crowd: Path, scans: list[int]) -> None:
    beginnings = Beginnings(later)
    everything = sorted(path.name for path in crowd.iterdir())
    scans.clear()
    assert await names(crowd, beginnings, count=KEYS) == everything[:KEYS]
    assert len(scans) == 1
    assert await names(crowd, beginnings, count=KEYS) == everything[:KEYS]
    assert await names(crowd, beginnings, count=7) == everything[:7]
    assert len(scans) == 1
    assert await names(crowd, beginnings) == everything
    assert len(scans) == 2


async def test_what_has_changed_is_read_anew(crowd: Path) -> None:
    beginnings = Beginnings(later)
    await names(crowd, beginnings)
    (crowd / "0000.txt").unlink()
    (crowd / "000.txt").touch()
    assert (await names(crowd, beginnings, count=KEYS))[:2] == ["000.txt", "0001.txt"]
    (crowd / "0001.txt").rename(crowd / "z")
    assert await names(crowd, beginnings) == sorted(path.name for path in crowd.iterdir())


async def test_what_has_just_changed_is_not_kept(crowd: Path, scans: list[int]) -> None:
    beginnings = Beginnings()  # another change could come within the same tick
    os.utime(crowd, (1, 1))  # whatever it says of itself
    for _ in range(2):
        await names(crowd, beginnings, count=KEYS)
    assert len(scans) == 2


@pytest.mark.parametrize(
    ("ordering", "hidden"),
    [
        (Ordering(), True),
        (Ordering(Sort.NAME, Order.DESCENDING), False),
        (Ordering(Sort.SIZE), False),
        (Ordering(Sort.TIME), False),
    ],
)
async def test_each_order_has_a_beginning_of_its_own(
    crowd: Path, ordering: Ordering, hidden: bool
) -> None:
    beginnings = Beginnings(later)
    (crowd / ".hidden").touch()
    await names(crowd, beginnings)
    alone = await names(crowd, Beginnings(later), ordering, hidden=hidden)
    for _ in range(2):
        assert await names(crowd, beginnings, ordering, hidden=hidden) == alone


async def test_where_links_lead_is_looked_at_every_time(crowd: Path, scans: list[int]) -> None:
    (crowd / "0000-link").symlink_to("nowhere")
    beginnings = Beginnings(later)
    for _ in range(2):
        await names(crowd, beginnings, count=KEYS)
    assert len(scans) == 2


async def test_times_and_sizes_are_read_every_time(crowd: Path, scans: list[int]) -> None:
    beginnings = Beginnings(later)
    for _ in range(2):
        await names(crowd, beginnings, Ordering(Sort.SIZE), count=KEYS)
        (crowd / "0000.txt").write_bytes(bytes(9))  # which is no change of the folder
    assert len(scans) == 2


async def test_few_folders_are_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    beginnings = Beginnings(later)
    for number in range(2 * FOLDERS):
        path = tmp_path_factory.mktemp(str(number))
        for name in range(KEYS + 1):
            (path / str(name)).touch()
        await names(path, beginnings)
    assert len(beginnings) == FOLDERS
