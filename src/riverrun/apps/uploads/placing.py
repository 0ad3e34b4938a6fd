"""Putting a complete file under its name, below a folder and nowhere else.

What a name leads to is looked at by descriptors, like everything below a `Root`. The file appears
whole and at once: linked to a name that is free, or renamed over the one it replaces. When `place`
returns, it is there after a power cut too.

Everything here waits for the disk, and so runs in threads.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from io import FileIO
from typing import NamedTuple, TypeAlias

from riverrun.apps.files.confinement import Root
from riverrun.apps.files.representation import represent
from riverrun.apps.uploads.limits import Permissions
from riverrun.errors import HTTPError
from riverrun.http.entity_tags import EntityTag
from riverrun.http.preconditions import Outcome, evaluate

NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK))
Target: TypeAlias = tuple[str, ...]


class Placed(NamedTuple):
    """A file that stands under its name: its tag, and whether another one stood there before."""

    etag: EntityTag
    replaced: bool


def etag_of(target: Target, status: os.stat_result) -> EntityTag:
    """The tag that a GET of `target` will answer with."""
    return represent(target[-1], status.st_size, status.st_mtime_ns, status.st_ino).etag


def look_up(root: Root, target: Target) -> os.stat_result | None:
    """The status of what stands at `target`, None if nothing does."""
    try:
        descriptor = root.open(target)
    except FileNotFoundError:
        return None
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def check_place(
    status: os.stat_result | None,
    target: Target,
    permissions: Permissions,
    conditions: Mapping[str, str],
) -> None:
    """Whether a file may be put at `target`, where `status` says what stands.

    Raises `HTTPError`: 403 for what is not allowed, 409 for a folder, 412 when a condition fails.
    """
    if status is not None and not stat.S_ISREG(status.st_mode):
        raise HTTPError(409, "Something that is not a file has this name.")
    check_conditions("PUT", status, target, conditions)
    if status is None and not permissions.upload:
        raise HTTPError(403, "Nothing may be uploaded here.")
    if status is not None and not permissions.overwrite:
        raise HTTPError(403, "A file has this name, and may not be replaced.")


def check_conditions(
    method: str, status: os.stat_result | None, target: Target, conditions: Mapping[str, str]
) -> None:
    """Raise `HTTPError` 412 unless what stands at `target` is what `conditions` want."""
    if not conditions:
        return
    fields = {name.encode(): value.encode("latin-1") for name, value in conditions.items()}
    etag = last_modified = None
    if status is not None:
        state = represent(target[-1], status.st_size, status.st_mtime_ns, status.st_ino)
        etag, last_modified = state.etag, state.last_modified
    outcome = evaluate(method, fields, etag, last_modified, exists=status is not None)
    if outcome is Outcome.PRECONDITION_FAILED:
        raise HTTPError(412)


def place(
    path: str,
    root: Root,
    target: Target,
    permissions: Permissions,
    conditions: Mapping[str, str],
) -> Placed:
    """Move the file `path`, which is durable, to `target`, making the folders that lead there.

    Raises what `check_place` raises, and `OSError`; then `path` is still there.
    """
    try:
        parent = root.make_folders(target[:-1])
    except NotADirectoryError:
        raise HTTPError(409, "A file stands where a folder is needed.") from None
    except FileNotFoundError:
        raise HTTPError(403, "That is not a place for files.") from None
    try:
        status = look_up(root, target)
        check_place(status, target, permissions, conditions)
        if status is not None:
            with suppress(OSError):
                os.chmod(path, stat.S_IMODE(status.st_mode))  # noqa: PTH101 - as its neighbours
        try:
            _move(path, parent, target[-1], replace=status is not None)
        except FileExistsError:
            raise HTTPError(409, "Another file came first.") from None
        os.fsync(parent)
        placed = os.stat(target[-1], dir_fd=parent, follow_symlinks=False)
        return Placed(etag_of(target, placed), replaced=status is not None)
    finally:
        os.close(parent)


def remove(
    root: Root, target: Target, conditions: Mapping[str, str], permissions: Permissions
) -> None:
    """Remove the file, or the empty folder, at `target`.

    Raises `HTTPError` 404, 403, 409 for a folder that is not empty, 412; and `OSError`.
    """
    if not permissions.delete:
        raise HTTPError(403, "Nothing may be deleted here.")
    status = look_up(root, target)
    if status is None or not target:
        raise HTTPError(404)
    check_conditions("DELETE", status, target, conditions)
    parent = root.open(target[:-1])
    try:
        if stat.S_ISDIR(status.st_mode):
            os.rmdir(target[-1], dir_fd=parent)
        else:
            os.unlink(target[-1], dir_fd=parent)
        os.fsync(parent)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            raise HTTPError(409, "The folder is not empty.") from None
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise HTTPError(404) from None
        raise
    finally:
        os.close(parent)


def _move(path: str, parent: int, name: str, *, replace: bool) -> None:
    try:
        _put(path, parent, name, replace=replace)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Another file system is mounted there: the bytes have to go over first.
        _copy(path, parent, name, replace=replace)


def _put(path: str, parent: int, name: str, *, replace: bool, source: int | None = None) -> None:
    if not replace:
        try:
            os.link(path, name, src_dir_fd=source, dst_dir_fd=parent)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            with suppress(FileNotFoundError):
                os.stat(name, dir_fd=parent, follow_symlinks=False)
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        else:
            os.unlink(path, dir_fd=source)
            return
    os.rename(path, name, src_dir_fd=source, dst_dir_fd=parent)


def _copy(path: str, parent: int, name: str, *, replace: bool) -> None:
    temporary = f".{secrets.token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o666, dir_fd=parent)
    try:
        with FileIO(path) as original, os.fdopen(descriptor, "wb") as copy:
            shutil.copyfileobj(original, copy, 1024 * 1024)
            copy.flush()
            os.fsync(copy.fileno())
        _put(temporary, parent, name, replace=replace, source=parent)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=parent)
        raise
    os.unlink(path)  # noqa: PTH108 - as its neighbours
