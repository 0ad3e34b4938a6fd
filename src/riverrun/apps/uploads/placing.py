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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import FileIO
from typing import NamedTuple, TypeAlias

from riverrun.apps.files.confinement import Root
from riverrun.apps.files.representation import represent
from riverrun.apps.uploads.limits import Permissions
from riverrun.errors import HTTPError
from riverrun.http.entity_tags import EntityTag
from riverrun.http.preconditions import Outcome, evaluate

# Whoever uploads must not get the rights of whom he replaces: no setuid, no setgid.
PERMISSION_BITS = 0o777
IN_THE_WAY = "A file stands where a folder is needed."
REFUSALS = {
    errno.EACCES: (403, "The system does not allow that there."),
    errno.EPERM: (403, "The system does not allow that there."),
    errno.EROFS: (403, "That place can only be read."),
    errno.EBUSY: (409, "It is in use."),
    errno.ENOTEMPTY: (409, "The folder is not empty."),
}
NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK))
Target: TypeAlias = tuple[str, ...]


class Located(NamedTuple):
    """A file by its name in an open folder."""

    folder: int
    name: str


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


def check_way(root: Root, target: Target) -> None:
    """Raise `HTTPError` 409 when a file stands where a folder of `target` is needed."""
    for depth in range(len(target) - 1, 0, -1):
        status = look_up(root, target[:depth])
        if status is not None:
            if not stat.S_ISDIR(status.st_mode):
                raise HTTPError(409, IN_THE_WAY)
            return


def place(
    source: Located,
    root: Root,
    target: Target,
    permissions: Permissions,
    conditions: Mapping[str, str],
) -> Placed:
    """Move the file `source`, which is durable, to `target`, making the folders that lead there.

    Raises what `check_place` raises, and `OSError`; then the file is still where it was.
    """
    with _telling_what_is_refused():
        try:
            parent = root.make_folders(target[:-1])
        except NotADirectoryError:
            raise HTTPError(409, IN_THE_WAY) from None
        except FileNotFoundError:
            raise HTTPError(403, "That is not a place for files.") from None
        try:
            status = look_up(root, target)
            check_place(status, target, permissions, conditions)
            mode = None if status is None else status.st_mode & PERMISSION_BITS
            try:
                _move(source, Located(parent, target[-1]), replaced_mode=mode)
            except FileExistsError:
                raise HTTPError(409, "Another file came first.") from None
            os.fsync(parent)
            placed = os.stat(target[-1], dir_fd=parent, follow_symlinks=False)
            return Placed(etag_of(target, placed), replaced=status is not None)
        finally:
            os.close(parent)


def remove(
    root: Root,
    target: Target,
    permissions: Permissions,
    conditions: Mapping[str, str],
    *,
    folder: bool = False,
) -> None:
    """Remove the file, or the empty folder, at `target`; only a folder if `folder`.

    Raises `HTTPError` 404, 403, 409 for a folder that is not empty, 412; and `OSError`.
    """
    if not permissions.delete:
        raise HTTPError(403, "Nothing may be deleted here.")
    status = look_up(root, target)
    if status is None or not target or (folder and not stat.S_ISDIR(status.st_mode)):
        raise HTTPError(404)
    check_conditions("DELETE", status, target, conditions)
    parent = root.open(target[:-1])
    try:
        with _telling_what_is_refused():
            if stat.S_ISDIR(status.st_mode):
                os.rmdir(target[-1], dir_fd=parent)
            else:
                os.unlink(target[-1], dir_fd=parent)
            os.fsync(parent)
    except (FileNotFoundError, NotADirectoryError):
        raise HTTPError(404) from None
    finally:
        os.close(parent)


@contextmanager
def _telling_what_is_refused() -> Iterator[None]:
    """What the system does not allow is not our failure."""
    try:
        yield
    except OSError as error:
        status, detail = REFUSALS.get(error.errno or 0, (0, ""))
        if status:
            raise HTTPError(status, detail) from error
        raise


def _move(source: Located, goal: Located, *, replaced_mode: int | None) -> None:
    replace = replaced_mode is not None
    if replaced_mode is not None:
        with suppress(OSError):
            os.chmod(source.name, replaced_mode, dir_fd=source.folder)
    try:
        _put(source, goal, replace=replace)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Another file system is mounted there: the bytes have to go over first.
        _copy(source, goal, replaced_mode=replaced_mode)


def _put(source: Located, goal: Located, *, replace: bool) -> None:
    if not replace:
        try:
            os.link(source.name, goal.name, src_dir_fd=source.folder, dst_dir_fd=goal.folder)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            with suppress(FileNotFoundError):
                os.stat(goal.name, dir_fd=goal.folder, follow_symlinks=False)
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        else:
            os.unlink(source.name, dir_fd=source.folder)
            return
    os.rename(source.name, goal.name, src_dir_fd=source.folder, dst_dir_fd=goal.folder)


def _copy(source: Located, goal: Located, *, replaced_mode: int | None) -> None:
    temporary = Located(goal.folder, f".{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    original = os.open(source.name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=source.folder)
    with FileIO(original) as reader:
        descriptor = os.open(temporary.name, flags, 0o666, dir_fd=temporary.folder)
        try:
            with os.fdopen(descriptor, "wb") as copy:
                if replaced_mode is not None:
                    os.fchmod(copy.fileno(), replaced_mode)
                shutil.copyfileobj(reader, copy, 1024 * 1024)
                copy.flush()
                os.fsync(copy.fileno())
            _put(temporary, goal, replace=replaced_mode is not None)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary.name, dir_fd=temporary.folder)
            raise
    os.unlink(source.name, dir_fd=source.folder)
