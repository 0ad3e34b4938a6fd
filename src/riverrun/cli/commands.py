"""What the commands do once their words are read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from riverrun.cli.listening import choose_address
from riverrun.cli.serving import Serving, serve_handler
from riverrun.server import Options, Vitals

if TYPE_CHECKING:
    import click


def serve_folder(ctx: click.Context, path: str, *, settings: dict[str, Any]) -> None:
    """Serve the folder `path`, to be read, and changed as far as the settings allow."""
    from riverrun.cli.folder import FolderSettings, open_folder  # noqa: PLC0415 - not for `run`
    from riverrun.cli.loading import loading  # noqa: PLC0415 - as above

    folder = FolderSettings.taken_from(settings)
    address = choose_address(ctx)
    serving = _serving(settings)
    flows, vitals = serving.make_flows(), Vitals()
    with loading():
        handler = open_folder(path, folder, flows, vitals, host=settings["host"])
    serve_handler(
        handler,
        address,
        serving,
        Options(limits=serving.limits, flows=flows, vitals=vitals),
        heading=f"serves {os.path.realpath(path)}",
        allowed=folder.describe(),
    )


def serve_target(ctx: click.Context, target: str, *, shared: dict[str, Any]) -> None:
    """Serve the handler that `target` names."""
    from riverrun.cli.handlers import load_handler  # noqa: PLC0415 - `serve` does not need it

    address = choose_address(ctx)
    handler = load_handler(target)
    serving = _serving(shared)
    options = Options(limits=serving.limits, flows=serving.make_flows())
    serve_handler(handler, address, serving, options, heading=f"runs {target}", allowed=None)


def _serving(shared: dict[str, Any]) -> Serving:
    """The shared settings but for the address, which `choose_address` takes."""
    return Serving(
        **{name: shared[name] for name in shared if name not in ("host", "port", "unix", "fd")}
    )
