"""What commands are declared with: their settings, in sections, and those that several share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from riverrun.cli.config import use_file
from riverrun.cli.settings import DESCRIPTOR, DURATION, PORT, RATE, SIZE, Setting, Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RETRIES = Whole("number of retries", 1000)
WHERE = "Where it listens"
WHAT = "What is served"
STREAM = "The stream"
CHANGE = "What may be changed"
PACE = "How bodies are sent"
LOG = "What is written down"
OTHER = "Other"
SECTIONS = (WHAT, STREAM, CHANGE, WHERE, PACE, LOG, OTHER)

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
    *declarations: str, section: str, cls: type[Setting] = Setting, **attributes: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a `Setting`, or another one of the kind `cls`."""
    return click.option(*declarations, cls=cls, section=section, **attributes)


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


TRANSFER: Sequence[Callable[[Callable[..., None]], Callable[..., None]]] = (
    setting("--retries", section=PACE, metavar="NUMBER", default=5, show_default=True,
            type=RETRIES, help="Try again so often in a row when the connection is lost."),
    setting("--wait/--no-wait", section=PACE,
            help="Try again, too, when nobody is there yet, as while the server starts."),
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
