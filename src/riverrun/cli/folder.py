"""The handler of `riverrun serve`: a folder to be read, or to be changed as far as was allowed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from riverrun.cli.errors import CannotStartError
from riverrun.cli.settings import NOTHING

if TYPE_CHECKING:
    from riverrun.server import Handler

CHANGES = ("upload", "overwrite", "delete")


class Allowed(click.ParamType[frozenset[str]]):
    """What clients may change: words with commas between them."""

    name = "changes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> frozenset[str]:
        """Give the words."""
        if isinstance(value, frozenset):
            return value
        words = value if isinstance(value, list) else str(value).split(",")
        allowed = {str(word).strip() for word in words} - {"", NOTHING}
        for word in sorted(allowed - set(CHANGES)):
            self.fail(f"{word!r} cannot be allowed; {', '.join(CHANGES)} can", param, ctx)
        return frozenset(allowed)


ALLOWED = Allowed()


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """What `riverrun serve` lets be set about the folder."""

    hidden: bool
    cors: str | None
    allow: frozenset[str]
    upload_size: int | None
    upload_expiry: float | None
    keep_free: int | None

    @classmethod
    def taken_from(cls, values: dict[str, Any]) -> FolderSettings:
        """Take ours out of `values`."""
        return cls(**{field.name: values.pop(field.name) for field in fields(cls)})

    def describe(self) -> str:
        """What may be done, for people."""
        changes = [word for word in CHANGES if word in self.allow]
        text = f"allows: {', '.join(changes)}" if changes else "read only"
        if self.hidden:
            text += ", hidden names too"
        if self.cors is not None:
            text += ", by pages of any origin" if self.cors == "*" else f", by pages of {self.cors}"
        return text


def open_folder(path: str, settings: FolderSettings) -> Handler:
    """A handler for the folder `path`. Raises `CannotStartError`, which says what is wrong."""
    try:
        return _open(path, settings)
    except FileNotFoundError:
        raise CannotStartError(f"{path} does not exist") from None
    except NotADirectoryError:
        raise CannotStartError(f"{path} is not a folder") from None
    except BlockingIOError:
        raise CannotStartError(f"another server takes uploads into {path}") from None
    except PermissionError:
        use = "written" if settings.allow else "read"
        raise CannotStartError(f"{path} may not be {use} by this user") from None
    except OSError as error:
        raise CannotStartError(f"cannot serve {path}: {error.strerror}") from None
    except sqlite3.Error as error:
        raise CannotStartError(f"cannot open the uploads of {path}: {error}") from None


def _open(path: str, settings: FolderSettings) -> Handler:
    if not settings.allow:
        from riverrun.apps.files import Files  # noqa: PLC0415 - nothing more is needed

        return Files(path, hidden=settings.hidden, cors=settings.cors)
    from riverrun.apps.uploads import Permissions, UploadLimits, Uploads  # noqa: PLC0415

    given = {
        "size": settings.upload_size,
        "expiry": settings.upload_expiry,
        "free_space": settings.keep_free,
    }
    limits = UploadLimits(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    return Uploads(
        path,
        permissions=Permissions(**dict.fromkeys(settings.allow, True)),
        limits=limits,
        hidden=settings.hidden,
        cors=settings.cors,
    )
