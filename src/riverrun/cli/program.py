"""The program `riverrun`: its commands, their settings and their help.

Exit statuses: 0 when a signal has stopped the server, as it should, and for help; 2 when what was
asked cannot be done, with one line on standard error that says why; 130 when Ctrl-C comes before
the server listens, or ends a transfer.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from riverrun import __version__
from riverrun.cli import INTERRUPTED
from riverrun.cli.declaring import (
    ALSO,
    CHANGE,
    PACE,
    STREAM,
    TRANSFERS_ALSO,
    WHAT,
    Command,
    setting,
    shared_settings,
    transfer_settings,
)
from riverrun.cli.errors import CannotStartError, one_line
from riverrun.cli.folder import ALLOWED
from riverrun.cli.loading import loading
from riverrun.cli.settings import DURATION, ORIGIN_OR_NONE, SIZE, Target, Words

if TYPE_CHECKING:
    from collections.abc import Sequence

STANDARD_ERROR = 2


def show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Answer ``--version``."""
    if wanted and not ctx.resilient_parsing:
        click.echo(f"riverrun {__version__}")
        ctx.exit()


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
    epilog="""\b
Examples:
  riverrun serve ~/Videos
  riverrun run app.py:handler --port 8000
  make 2>&1 | riverrun append http://localhost:4000/v1/stream/build
  riverrun serve --help""",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version,
    help="Show the version and exit.",
)  # fmt: skip
@click.pass_context
def program(ctx: click.Context) -> None:
    """Move bytes chunk by chunk over HTTP, at the pace of the slow side."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@program.command(
    cls=Command,
    epilog=f"""{ALSO.format(name="serve")}

\b
Examples:
  riverrun serve ~/Videos
  riverrun serve ~/Videos --host 0.0.0.0 --rate 1MB/s
  riverrun serve inbox --allow upload
  riverrun serve pictures --chunk-size 1000 --delay 10ms --open
  riverrun serve --unix /run/riverrun.sock --log json --log-file access.log""",
)
@click.argument("path", cls=Target, type=click.Path(), default=".")
@setting("--hidden/--no-hidden", section=WHAT, help="Show names that begin with a dot.")
@setting(
    "--page/--no-page", section=WHAT, default=True,
    help="Show browsers the page, or plain listings only.",
)  # fmt: skip
@setting(
    "--cors", section=WHAT, metavar="[ORIGIN]", is_flag=False, flag_value="*",
    type=ORIGIN_OR_NONE, help="Let pages of ORIGIN read it, or of any without ORIGIN.",
)  # fmt: skip
@setting(
    "--allow", cls=Words, section=CHANGE, metavar="CHANGE,...", type=ALLOWED,
    help="Let clients change things: upload, overwrite, delete; keep streams; steer transfers"
    " from this machine, and with watch from any.",
)  # fmt: skip
@setting(
    "--upload-size", section=CHANGE, type=SIZE, default=None,
    help="No upload beyond this: 2GiB.",
)  # fmt: skip
@setting(
    "--upload-expiry", section=CHANGE, type=DURATION, default=None,
    help="Forget unfinished uploads after this.  [default: 7 days]",
)  # fmt: skip
@setting(
    "--keep-free", section=CHANGE, type=SIZE, default=None,
    help="Leave this free on the disk.  [default: 64 MiB]",
)  # fmt: skip
@shared_settings
@click.pass_context
def serve(ctx: click.Context, /, path: str, **settings: Any) -> None:
    """Serve the folder PATH, or the current one, to be read, or changed as --allow says."""
    with loading():
        from riverrun.cli.commands import serve_folder  # noqa: PLC0415 - imports the server
    serve_folder(ctx, path, settings=settings)


@program.command(
    cls=Command,
    short_help="Serve a handler of your own.",
    epilog=f"""{ALSO.format(name="run")}

\b
Examples:
  riverrun run app:handler
  riverrun run examples/river.py:river --port 8000
  riverrun run app:site.handler --unix /run/app.sock --log json""",
)
@click.argument("target", cls=Target, metavar="MODULE:HANDLER")
@shared_settings
@click.pass_context
def run(ctx: click.Context, /, target: str, **shared: Any) -> None:
    """Serve a handler of your own: "async def handler(request, response)".

    MODULE is the name of a module, which may be in the current folder, or the path of a file.
    """
    with loading():
        from riverrun.cli.commands import serve_target  # noqa: PLC0415 - imports the server
    serve_target(ctx, target, shared=shared)


@program.command(
    cls=Command,
    short_help="Get a file or a folder from a server.",
    epilog=f"""{TRANSFERS_ALSO.format(name="get")}

\b
Examples:
  riverrun get http://localhost:4000/big.iso
  riverrun get http://localhost:4000/big.iso - | sha256sum
  riverrun get http://localhost:4000/photos/ holiday""",
)
@click.argument("url")
@click.argument("file", required=False)
@transfer_settings
def get(url: str, file: str | None, *, retries: int, wait: bool, quiet: bool) -> None:
    """Get what is at URL, to FILE or to a file of its name here; to standard output if FILE is -.

    A URL that ends in a slash is a folder, and so is FILE then. Cut the network or this program,
    and run it again: it goes on from where it stands. What has come of big.iso by then is in
    .big.iso.part beside it.
    """
    from riverrun.cli.getting import get_files  # noqa: PLC0415 - imports the client
    from riverrun.cli.transfers import TransferSettings  # noqa: PLC0415 - as above

    get_files(url, file, TransferSettings(retries, wait, quiet))


@program.command(
    cls=Command,
    short_help="Put files and folders on a server.",
    epilog=f"""{TRANSFERS_ALSO.format(name="put")}

\b
Examples:
  riverrun put big.iso http://localhost:4000/
  riverrun put big.iso http://localhost:4000/images/new.iso --no-overwrite
  riverrun put *.jpg holiday http://localhost:4000/photos/
  pg_dump shop | gzip | riverrun put - http://localhost:4000/shop.sql.gz""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.argument("url")
@setting(
    "--overwrite/--no-overwrite",
    section=CHANGE,
    default=True,
    show_default=True,
    help="Replace a file that is there.",
)
@setting(
    "--piece-size",
    section=PACE,
    type=SIZE,
    default=None,
    help="No more than this in one request: 64MiB.",
)
@transfer_settings
def put(
    files: tuple[str, ...],
    url: str,
    *,
    overwrite: bool,
    piece_size: int | None,
    retries: int,
    wait: bool,
    quiet: bool,
) -> None:
    """Put files and folders at URL, or below it if it ends in a slash.

    Cut the network or this program, and run it again: to a server that takes resumable uploads it
    goes on from where it stands. FILE may be - for standard input: then a connection that is lost
    costs nothing, but what this program has read is gone with it.
    """
    from riverrun.cli.putting import put_files, put_input  # noqa: PLC0415 - imports the client
    from riverrun.cli.transfers import TransferSettings  # noqa: PLC0415 - as above

    if files == ("-",):
        put_input(
            url, TransferSettings(retries, wait, quiet), overwrite=overwrite, piece_size=piece_size
        )
        return
    put_files(
        files,
        url,
        TransferSettings(retries, wait, quiet),
        overwrite=overwrite,
        piece_size=piece_size,
    )


@program.command(
    cls=Command,
    short_help="Watch and steer the transfers of a server.",
    epilog="""\b
Examples:
  riverrun flows
  riverrun flows http://localhost:8000 --json | head -1""",
)
@click.argument("url", default="http://127.0.0.1:4000")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for every event instead.")
def flows(url: str, *, as_json: bool) -> None:
    """Show what the transfers of the server at URL do and why they wait, live.

    Keys pause, resume, limit and cancel the selected one, if the server was started with
    --allow steer.
    """
    from riverrun.cli.flowing import show_flows  # noqa: PLC0415 - imports the client

    show_flows(url, as_json=as_json)


@program.command(
    cls=Command,
    short_help="Append standard input to a durable stream.",
    epilog=f"""{TRANSFERS_ALSO.format(name="append")}

\b
Examples:
  make 2>&1 | riverrun append http://localhost:4000/v1/stream/build --close
  sensor | riverrun append http://localhost:4000/v1/stream/readings --type application/json""",
)
@click.argument("url")
@setting(
    "--type",
    "content_type",
    section=STREAM,
    metavar="TYPE",
    default=None,
    help="Content type of a new stream.  [default: text/plain; charset=utf-8]",
)
@setting("--close/--no-close", section=STREAM, help="Close the stream at the end of the input.")
@transfer_settings
def append(
    url: str, *, content_type: str | None, close: bool, retries: int, wait: bool, quiet: bool
) -> None:
    """Append what comes on standard input to the stream at URL, as it comes.

    A stream that is not there is created. To one of application/json each line is a message. What
    a lost connection leaves in doubt is sent again, and is there once. Ctrl-C ends the input.
    """
    from riverrun.cli.streaming import append_input  # noqa: PLC0415 - imports the client
    from riverrun.cli.transfers import TransferSettings  # noqa: PLC0415 - as above

    append_input(
        url, TransferSettings(retries, wait, quiet), content_type=content_type, close=close
    )


@program.command(
    cls=Command,
    short_help="Follow a durable stream.",
    epilog=f"""{TRANSFERS_ALSO.format(name="tail")}

\b
Examples:
  riverrun tail http://localhost:4000/v1/stream/build
  riverrun tail http://localhost:4000/v1/stream/readings --from now | jq .celsius
  riverrun tail http://localhost:4000/v1/stream/film --no-follow > film.mp4""",
)
@click.argument("url")
@setting(
    "--from",
    "offset",
    section=STREAM,
    metavar="start|now|OFFSET",
    default="start",
    show_default=True,
    help="Where to begin: an offset is what a server has told.",
)
@setting(
    "--follow/--no-follow",
    section=STREAM,
    default=True,
    show_default=True,
    help="Go on as the stream grows, until it is closed.",
)
@transfer_settings
def tail(url: str, *, offset: str, follow: bool, retries: int, wait: bool, quiet: bool) -> None:
    """Write the stream at URL to standard output, and what is appended to it as it comes.

    Of application/json each message is a line. Connections that are lost are made again, and
    nothing is written twice. It waits for a reader that is slow.
    """
    from riverrun.cli.streaming import tail_stream  # noqa: PLC0415 - imports the client
    from riverrun.cli.transfers import TransferSettings  # noqa: PLC0415 - as above

    offset = "-1" if offset == "start" else offset
    tail_stream(url, TransferSettings(retries, wait, quiet), offset=offset, follow=follow)


def run_program(arguments: Sequence[str] | None = None) -> int:
    """Run the program in a process of its own, and return its exit status."""
    _occupy_standard_descriptors()
    return status_of(arguments)


def _occupy_standard_descriptors() -> None:
    """Let no socket get the number of standard output because that was closed."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        pass
    os.close(descriptor)


def status_of(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status."""
    try:
        return program.main(arguments, prog_name="riverrun", standalone_mode=False) or 0
    except click.ClickException as error:
        click.echo(one_line(error), err=True)
        return CannotStartError.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
