"""What the commands do once their words are read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from riverrun.cli.errors import CannotStartError
from riverrun.cli.listening import choose_address
from riverrun.cli.serving import Serving, serve_handler

if TYPE_CHECKING:
    import click


def serve_folder(
    ctx: click.Context, path: str, *, hidden: bool, cors: str | None, shared: dict[str, Any]
) -> None:
    """Serve the folder `path`, to be read."""
    from riverrun.apps.files import Files  # noqa: PLC0415 - `run` does not need it

    address = choose_address(ctx)
    try:
        handler = Files(path, hidden=hidden, cors=cors)
    except FileNotFoundError:
        raise CannotStartError(f"{path} does not exist") from None
    except NotADirectoryError:
        raise CannotStartError(f"{path} is not a folder") from None
    except PermissionError:
        raise CannotStartError(f"{path} may not be read by this user") from None
    except OSError as error:
        raise CannotStartError(f"cannot serve {path}: {error.strerror}") from None
    allowed = "read only"
    if hidden:
        allowed += ", hidden names too"
    if cors is not None:
        allowed += ", by pages of any origin" if cors == "*" else f", by pages of {cors}"
    serve_handler(
        handler,
        address,
        _serving(shared),
        heading=f"serves {os.path.realpath(path)}",
        allowed=allowed,
    )


def serve_target(ctx: click.Context, target: str, *, shared: dict[str, Any]) -> None:
    """Serve the handler that `target` names."""
    from riverrun.cli.handlers import load_handler  # noqa: PLC0415 - `serve` does not need it

    address = choose_address(ctx)
    handler = load_handler(target)
    serve_handler(handler, address, _serving(shared), heading=f"runs {target}", allowed=None)


def _serving(shared: dict[str, Any]) -> Serving:
    """The shared settings but for the address, which `choose_address` takes."""
    return Serving(
        **{name: shared[name] for name in shared if name not in ("host", "port", "unix", "fd")}
    )
