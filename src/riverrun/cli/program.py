"""The program `riverrun`: its commands, their settings and their help.

Exit statuses: 0 when a signal has stopped the server, as it should, and for help; 2 when what was
asked cannot be done, with one line on standard error that says why; 130 when Ctrl-C comes before
the server listens, or ends a transfer.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from riverrun import __version__
from riverrun.cli.config import use_file
from riverrun.cli.errors import CannotStartError, one_line
from riverrun.cli.folder import ALLOWED
from riverrun.cli.settings import (
    DESCRIPTOR,
    DURATION,
    ORIGIN_OR_NONE,
    PORT,
    RATE,
    SIZE,
    Setting,
    Target,
    Whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STANDARD_ERROR = 2
INTERRUPTED = 130  # 128 and the number of SIGINT, as a shell has it

RETRIES = Whole("number of retries", 1000)
WHERE = "Where it listens"
WHAT = "What is served"
CHANGE = "What may be changed"
PACE = "How bodies are sent"
LOG = "What is written down"
OTHER = "Other"
SECTIONS = (WHAT, CHANGE, WHERE, PACE, LOG, OTHER)

ALSO = """\
Every setting is also a key of the [{name}] table in riverrun.toml, and an environment variable:
--chunk-size is chunk-size and RIVERRUN_CHUNK_SIZE. The command line comes first, then the
environment, then the file."""


class Command(click.Command):
    """A command whose help shows its options by section."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, a heading for each section."""
        sections: dict[str, list[tuple[str, str]]] = {section: [] for section in SECTIONS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                section = parameter.section if isinstance(parameter, Setting) else OTHER
                sections[section].append(record)
        for section, records in sections.items():
            if records:
                with formatter.section(section):
                    formatter.write_dl(records)


def setting(
    *declarations: str, section: str, **attributes: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a `Setting`."""
    return click.option(*declarations, cls=Setting, section=section, **attributes)


SHARED: Sequence[Callable[[Callable[..., None]], Callable[..., None]]] = (
    setting("--host", section=WHERE, metavar="ADDRESS", default="127.0.0.1", show_default=True,
            help="Address or host name; 0.0.0.0 is every address."),
    setting("--port", section=WHERE, metavar="NUMBER", default=4000, show_default=True,
            type=PORT, help="Port; 0 takes a free one."),
    setting("--unix", section=WHERE, type=click.Path(), help="A Unix socket instead."),
    setting("--fd", section=WHERE, metavar="NUMBER", type=DESCRIPTOR,
            help="A listening socket that was inherited, instead."),
    setting("--rate", section=PACE, type=RATE,
            help="Each transfer no faster than this: 500kB/s, 8Mbit/s."),
    setting("--client-rate", section=PACE, type=RATE,
            help="All transfers of one address together, in each direction."),
    setting("--total-rate", section=PACE, type=RATE,
            help="All transfers together, in each direction; each gets its share."),
    setting("--chunk-size", section=PACE, type=SIZE, help="In chunks of this: 1000, 64KiB."),
    setting("--delay", section=PACE, type=DURATION, help="With this between chunks: 10ms, 1.5s."),
    setting("--log", section=LOG, type=click.Choice(("text", "json", "none")), default="text",
            show_default=True, help="A line for every request, on standard output."),
    setting("--log-file", section=LOG, type=click.Path(), metavar="FILE",
            help="Append the lines to a file instead."),
    setting("--open/--no-open", "open_browser", section=OTHER, help="Open a browser there."),
    click.option("--config", "limits", metavar="FILE", envvar="RIVERRUN_CONFIG", is_eager=True,
                 callback=use_file, help="Settings and limits.  [default: riverrun.toml, if any]"),
)  # fmt: skip
"""The settings that every command that serves has."""


def shared_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all of `SHARED`."""
    for add in reversed(SHARED):
        command = add(command)
    return command


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
    "--allow", section=CHANGE, metavar="CHANGE,...", type=ALLOWED, default="",
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
    from riverrun.cli.commands import serve_target  # noqa: PLC0415 - imports the server

    serve_target(ctx, target, shared=shared)


TRANSFER: Sequence[Callable[[Callable[..., None]], Callable[..., None]]] = (
    setting("--retries", section=PACE, metavar="NUMBER", default=5, show_default=True,
            type=RETRIES, help="Try again so often in a row when the connection is lost."),
    setting("--quiet/--no-quiet", section=OTHER, help="Say nothing but what went wrong."),
    click.option("--config", metavar="FILE", envvar="RIVERRUN_CONFIG", is_eager=True,
                 expose_value=False, callback=use_file,
                 help="Settings.  [default: riverrun.toml, if any]"),
)  # fmt: skip
"""The settings that every command that moves files has."""

TRANSFERS_ALSO = """\
Every setting is also a key of the [{name}] table in riverrun.toml, and an environment variable:
--retries is retries and RIVERRUN_RETRIES."""


def transfer_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all of `TRANSFER`."""
    for add in reversed(TRANSFER):
        command = add(command)
    return command


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
def get(url: str, file: str | None, *, retries: int, quiet: bool) -> None:
    """Get what is at URL, to FILE or to a file of its name here; to standard output if FILE is -.

    A URL that ends in a slash is a folder, and so is FILE then. Cut the network or this program,
    and run it again: it goes on from where it stands. What has come of big.iso by then is in
    .big.iso.part beside it.
    """
    from riverrun.cli.getting import get_files  # noqa: PLC0415 - imports the client
    from riverrun.cli.transfers import TransferSettings  # noqa: PLC0415 - as above

    get_files(url, file, TransferSettings(retries, quiet))


@program.command(
    cls=Command,
    short_help="Put files and folders on a server.",
    epilog=f"""{TRANSFERS_ALSO.format(name="put")}

\b
Examples:
  riverrun put big.iso http://localhost:4000/
  riverrun put big.iso http://localhost:4000/images/new.iso --no-overwrite
  riverrun put *.jpg holiday http://localhost:4000/photos/""",
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
    quiet: bool,
) -> None:
    """Put files and folders at URL, or below it if it ends in a slash.

    Cut the network or this program, and run it again: to a server that takes resumable uploads it
    goes on from where it stands.
    """
    from riverrun.cli.putting import put_files  # noqa: PLC0415 - imports the client
    from riverrun.cli.transfers import TransferSettings  # noqa: PLC0415 - as above

    put_files(
        files, url, TransferSettings(retries, quiet), overwrite=overwrite, piece_size=piece_size
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program, and exit with its status."""
    _occupy_standard_descriptors()
    sys.exit(status_of(arguments))


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
