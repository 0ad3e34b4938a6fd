"""What a start finds, and what survives: crashes, locked catalogues, disks that are full."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.apps.uploads import tus_requests as tus
from tests.apps.uploads.conftest import OpenInbox
from tests.apps.uploads.inboxes import Inbox, sending
from tests.apps.uploads.test_put import digest
from tests.apps.uploads.test_resumable import PARTIAL, WHOLE, add, begin

from riverrun.apps.uploads import Upload, UploadLimits, Uploads
from riverrun.apps.uploads.record import UploadState
from riverrun.errors import HTTPError

ROOMY = UploadLimits(free_space=0)


@contextmanager
def restarted(folder: Path) -> Iterator[Uploads]:
    """What another process finds in the folder."""
    uploads = Uploads(folder, limits=ROOMY)
    try:
        yield uploads
    finally:
        uploads.close()


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Another file system at `folder`."""
    folder.mkdir(exist_ok=True)
    command = ("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(("umount", "--lazy", str(folder)), check=True)


async def test_a_crash_while_a_digest_is_awaited_keeps_nothing_of_it(
    inbox: Inbox, tmp_path: Path
) -> None:
    location = await begin(inbox, "/f", body=b"abc")
    async with await inbox.connect() as client:
        lines = (PARTIAL, "Upload-Offset: 3", WHOLE, f"Content-Digest: {digest(b'0123456789')}")
        await client.send(sending(location, 10, *lines, method="PATCH") + b"XXXXX")
        await inbox.only_upload(offset=8)
        shutil.copytree(inbox.folder, tmp_path / "crashed")
    with restarted(tmp_path / "crashed") as uploads:
        (upload,) = uploads.store
        assert upload.offset == 3


async def test_a_verified_piece_stays_after_a_crash(inbox: Inbox, tmp_path: Path) -> None:
    location = await begin(inbox, "/f", body=b"abc")
    assert (
        await add(inbox, location, 3, b"def", f"Content-Digest: {digest(b'def')}")
    ).status == 204
    shutil.copytree(inbox.folder, tmp_path / "crashed")
    with restarted(tmp_path / "crashed") as uploads:
        (upload,) = uploads.store
        assert upload.offset == 6


@pytest.mark.parametrize("placed", [False, True])
async def test_an_upload_that_was_being_placed_is_settled_by_what_stands(
    inbox: Inbox, tmp_path: Path, placed: bool
) -> None:
    await begin(inbox, "/f", "Upload-Length: 3", body=b"abc")
    upload = await inbox.only_upload()
    upload.record.state = UploadState.COMPLETING
    await inbox.uploads.store.save(upload)
    inbox.uploads.close()
    bytes_of_it = inbox.folder / ".riverrun" / "uploads" / upload.id
    os.link(bytes_of_it, tmp_path / "backup")  # as programs do that back up by links
    if placed:
        os.link(bytes_of_it, inbox.folder / "f")
    with restarted(inbox.folder) as uploads:
        (found,) = uploads.store
        assert found.complete is placed
        assert found.offset == 3
    assert bytes_of_it.exists() is not placed


async def test_names_that_are_no_utf_8_last_too(inbox: Inbox) -> None:
    await begin(inbox, "/%FF", body=b"abc")
    inbox.uploads.close()
    with restarted(inbox.folder) as uploads:
        (upload,) = uploads.store
        assert upload.record.target == ("\udcff",)


async def test_the_folders_of_the_store_are_there_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    for _ in range(2):  # whoever made them may not have come to it
        synced.clear()
        with restarted(tmp_path):
            assert {tmp_path.name, ".riverrun", "uploads"} <= set(synced)


async def test_what_expired_while_no_server_ran_is_removed(inbox: Inbox) -> None:
    await begin(inbox, "/f", body=b"abc")
    inbox.uploads.close()
    late = UploadLimits(free_space=0, expiry=-1.0)
    uploads = Uploads(inbox.folder, limits=late)
    (upload,) = uploads.store
    upload.record.expires = 0.0
    with pytest.raises(HTTPError, match="404"):
        uploads.store.find(upload.id)
    assert uploads.store._sweeping is not None
    await uploads.store.sweep()
    assert inbox.waiting == []
    uploads.close()


async def test_a_locked_catalogue_is_told_and_loses_nothing(inbox: Inbox) -> None:
    location = await begin(inbox, "/f", body=b"abc")
    catalogue = inbox.uploads.store._catalogue
    catalogue._database.execute("PRAGMA busy_timeout = 100")
    path = inbox.folder / ".riverrun" / "uploads.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert (await inbox.ask("DELETE", location)).status == 503
        assert (await inbox.ask("HEAD", location))["upload-offset"] == "3"
    finally:
        other.execute("ROLLBACK")
    created = await tus.post(inbox, "Upload-Length: 5", tus.metadata(filename="x"), body=b"")
    assert created.status == 201
    assert other.execute("SELECT count(*) FROM uploads").fetchone() == (2,)
    assert (await inbox.ask("DELETE", location)).status == 204
    other.close()


async def test_giving_up_makes_room_on_a_full_disk(tmp_path: Path, open_inbox: OpenInbox) -> None:
    with mounted(tmp_path / "inbox", "size=3m"):
        inbox = await open_inbox()
        location = await begin(inbox, "/f", body=os.urandom(1_000_000))
        for number in range(6):
            await begin(inbox, f"/{number}", body=b"x")
        with (inbox.folder / "fill").open("wb", buffering=0) as rest, suppress(OSError):
            while rest.write(bytes(4096)):
                pass
        assert (await inbox.ask("DELETE", location)).status == 204
        assert (await inbox.ask("HEAD", location)).status == 404


async def test_a_file_that_stands_is_acknowledged_whatever_the_catalogue_does(
    open_inbox: OpenInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Upload] = []

    async def hook(upload: Upload) -> None:
        told.append(upload)

    inbox = await open_inbox(on_complete=hook)
    location = await begin(inbox, "/f")
    catalogue = inbox.uploads.store._catalogue
    save = catalogue.save

    async def full(record: object) -> None:
        if getattr(record, "state", None) is UploadState.COMPLETE:
            raise HTTPError(507)
        await save(record)  # type: ignore[arg-type]

    monkeypatch.setattr(catalogue, "save", full)
    assert (await add(inbox, location, 0, b"abc", last=True)).status == 201
    assert len(told) == 1
    inbox.uploads.close()
    with restarted(inbox.folder) as uploads:
        (upload,) = uploads.store
        assert upload.complete


async def test_another_file_system_below_the_folder(inbox: Inbox) -> None:
    below = inbox.folder / "below"
    with mounted(below, "size=4m"):
        (below / "secret").write_bytes(b"old")
        (below / "secret").chmod(0o600)
        assert (await inbox.ask("PUT", "/below/secret", body=b"new")).status == 204
        assert (await inbox.ask("PUT", "/below/other", body=b"new")).status == 201
        assert (below / "secret").read_bytes() == b"new"
        assert (below / "secret").stat().st_mode & 0o777 == 0o600
        assert sorted(path.name for path in below.iterdir()) == ["other", "secret"]
    assert inbox.waiting == []


async def test_a_place_that_can_only_be_read(inbox: Inbox) -> None:
    with mounted(inbox.folder / "below", "ro"):
        assert (await inbox.ask("PUT", "/below/f", body=b"new")).status == 403
        assert (await inbox.ask("DELETE", "/below/")).status == 409
    assert inbox.waiting == []


async def test_a_folder_that_moves_is_still_the_one_that_is_served(
    inbox: Inbox, tmp_path: Path
) -> None:
    inbox.folder.rename(tmp_path / "moved")
    assert (await inbox.ask("PUT", "/f", body=b"x")).status == 201
    assert (tmp_path / "moved" / "f").read_bytes() == b"x"
