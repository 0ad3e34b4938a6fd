"""The handler of `riverrun serve`: a folder to be read, or to be changed as far as was allowed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from riverrun.cli.errors import CannotStartError
from riverrun.cli.no_streams import NoStreams
from riverrun.cli.settings import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable

    from riverrun.apps.files.listing import Enhancement
    from riverrun.flows import Flows
    from riverrun.server import Handler, Vitals

CHANGES = ("upload", "overwrite", "delete")
STREAMS = "streams"
STREAMS_FOLDER = (
    "logs"  # where they are kept, in riverrun's own folder below the one that is served
)
FLOWS = ("steer", "watch")
"""What may be done to transfers, and by whom (see `riverrun.apps.flows.Access`)."""


class Allowed(click.ParamType[frozenset[str]]):
    """What clients may change: words with commas between them."""

    name = "changes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> frozenset[str]:
        """Give the words."""
        allowed = {word.strip() for word in str(value).split(",")} - {"", NOTHING}
        known = (*CHANGES, STREAMS, *FLOWS)
        for word in sorted(allowed - set(known)):
            self.fail(f"{word!r} cannot be allowed; {', '.join(known)} can", param, ctx)
        return frozenset(allowed)


ALLOWED = Allowed()


class FolderSettings(NamedTuple):
    """What `riverrun serve` lets be set about the folder."""

    hidden: bool
    cors: str | None
    allow: frozenset[str]
    upload_size: int | None
    upload_expiry: float | None
    keep_free: int | None
    page: bool

    @classmethod
    def taken_from(cls, values: dict[str, Any]) -> FolderSettings:
        """Take ours out of `values`."""
        return cls(**{name: values.pop(name) for name in cls._fields})

    @property
    def changes(self) -> list[str]:
        """What may be changed in the folder."""
        return [word for word in CHANGES if word in self.allow]

    def describe(self) -> str:
        """What may be done, for people."""
        changes = [*self.changes, *([STREAMS] if STREAMS in self.allow else [])]
        text = f"allows: {', '.join(changes)}" if changes else "read only"
        who = "anybody" if "watch" in self.allow else "this machine"
        if "steer" in self.allow:
            text += f", transfers are steered by {who}"
        elif "watch" in self.allow:
            text += f", transfers are seen by {who}"
        if self.hidden:
            text += ", hidden names too"
        if self.cors is not None:
            text += ", by pages of any origin" if self.cors == "*" else f", by pages of {self.cors}"
        return text


def open_folder(
    path: str,
    settings: FolderSettings,
    flows: Flows,
    vitals: Vitals,
    *,
    host: str = "localhost",
) -> Handler:
    """A handler for the folder `path`, and for what a server known as `host` does and counts.

    Raises `CannotStartError`, which says what is wrong.
    """
    from riverrun.apps.later import Later  # noqa: PLC0415 - not for the help
    from riverrun.apps.mounts import Mounts  # noqa: PLC0415 - as above
    from riverrun.cli.beside import Page, Transfers  # noqa: PLC0415 - as above
    from riverrun.web import is_built  # noqa: PLC0415 - as above

    allow = settings.allow
    page = Page(allow) if settings.page and is_built() else None
    transfers = Transfers(flows, vitals, allow, host.lower())
    mounts: dict[str, Handler] = {
        "/~/flows": Later(transfers.steering),
        "/~/metrics": Later(transfers.metrics),
    }
    with _telling_what_is_wrong(path, settings):
        root = _open(path, settings, host.lower(), None if page is None else page.enhancement)
        if STREAMS in allow:
            mounts |= _open_streams(path, settings, host.lower(), vitals)
        else:
            mounts["/v1/stream"] = NoStreams(root)
    if page is not None:
        for path_of_view in ("/~/flows", "/~/streams", "/~/uploads"):
            programs = mounts.get(path_of_view, root)
            mounts[path_of_view] = Later(partial(page.view, programs))
        mounts["/~/assets"] = Later(page.assets)
    return Mounts(root, mounts)


@contextmanager
def _telling_what_is_wrong(path: str, settings: FolderSettings) -> Iterator[None]:
    """Raise `CannotStartError` instead of what opening a folder raises."""
    try:
        yield
    except FileNotFoundError:
        raise CannotStartError(f"{path} does not exist") from None
    except NotADirectoryError:
        raise CannotStartError(f"{path} is not a folder") from None
    except BlockingIOError:
        raise CannotStartError(f"another server changes {path}") from None
    except PermissionError:
        use = "written" if settings.changes or STREAMS in settings.allow else "read"
        raise CannotStartError(f"{path} may not be {use} by this user") from None
    except OSError as error:
        raise CannotStartError(f"cannot serve {path}: {error.strerror}") from None
    except _database_error() as error:  # which is asked for when it may be one
        raise CannotStartError(f"cannot open what is kept of {path}: {error}") from None


def _database_error() -> type[Exception]:
    import sqlite3  # noqa: PLC0415 - whoever raises it has loaded it

    return sqlite3.Error


def _open(
    path: str,
    settings: FolderSettings,
    host: str,
    enhancement: Callable[[], Enhancement] | None,
) -> Handler:
    if not settings.changes:
        from riverrun.apps.files import Files  # noqa: PLC0415 - nothing more is needed

        return Files(path, hidden=settings.hidden, cors=settings.cors, enhancement=enhancement)
    from riverrun.apps.uploads import Permissions, UploadLimits, Uploads  # noqa: PLC0415

    given = {
        "size": settings.upload_size,
        "expiry": settings.upload_expiry,
        "free_space": settings.keep_free,
    }
    limits = UploadLimits(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    return Uploads(
        path,
        permissions=Permissions(**dict.fromkeys(settings.changes, True)),
        limits=limits,
        hidden=settings.hidden,
        cors=settings.cors,
        enhancement=enhancement,
        names=(host,),
    )


def _open_streams(
    path: str, settings: FolderSettings, host: str, vitals: Vitals
) -> dict[str, Handler]:
    """What answers for streams, kept in the folder `path`."""
    from riverrun.apps.durable import Streams, StreamsOverview  # noqa: PLC0415 - where allowed only
    from riverrun.apps.files.confinement import STORE_FOLDER, Root  # noqa: PLC0415
    from riverrun.http.origins import own_names  # noqa: PLC0415
    from riverrun.logs.disk import DiskLogStore  # noqa: PLC0415

    root = Root(path)
    try:
        os.close(root.make_folders((STORE_FOLDER, STREAMS_FOLDER), mode=0o700))
    finally:
        root.close()
    store = DiskLogStore(os.path.join(path, STORE_FOLDER, STREAMS_FOLDER))  # noqa: PTH118
    vitals.count(
        "riverrun_log_commits", "Transactions of streams on the disk.", lambda: store.commits
    )
    names = own_names((host,), settings.cors)
    streams = Streams(store, cors=settings.cors, names=names)
    return {"/v1/stream": streams, "/~/streams": StreamsOverview(store, names=names)}
