"""`riverrun append` and `riverrun tail`: pipes to and from durable streams.

Exit statuses: 0 at the end; 2 when it cannot be reached, with a line that says why; 130 behind
Ctrl-C. A reader of standard output that has had enough is an end.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any, Final

import click

from riverrun.cli import INTERRUPTED
from riverrun.cli.screen import Screen, size_of
from riverrun.cli.transfers import FailedError, TransferSettings, counted, explain
from riverrun.client import AddressError, DescriptorSink, Session, Stage, append_stream, read_stream
from riverrun.client.descriptor_source import DescriptorSource
from riverrun.client.session import parse_address
from riverrun.errors import RiverrunError

STANDARD_INPUT: Final = 0
STANDARD_OUTPUT: Final = 1


class Told:
    """A `riverrun.client.Progress` that shows what is said, and no bar."""

    def __init__(self, screen: Screen, url: str) -> None:
        self._screen = screen
        self._url = url

    def begin(self, stage: Stage, position: int, size: int | None) -> None:
        """Nothing."""

    def at(self, position: int) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Show it."""
        self._screen.line(f"{self._url}: {text}")


def append_input(
    url: str, settings: TransferSettings, *, content_type: str | None, close: bool
) -> None:
    """Append standard input to the stream at `url`."""
    _run(url, _append(url, settings, content_type, close=close))


def tail_stream(url: str, settings: TransferSettings, *, offset: str, follow: bool) -> None:
    """Write the stream at `url` to standard output."""
    _run(url, _tail(url, settings, offset, follow=follow))


async def _append(
    url: str, settings: TransferSettings, content_type: str | None, *, close: bool
) -> None:
    screen = Screen(quiet=settings.quiet)
    address = str(parse_address(url))
    source = DescriptorSource(STANDARD_INPUT)
    interrupted = False

    def interrupt() -> None:
        """Send what has been read; a second time, do not."""
        nonlocal interrupted
        interrupted = True
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        source.stop()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupt)
    try:
        async with Session(settings.patience) as session:
            appended = await append_stream(
                address,
                source.chunks(),
                content_type=content_type,
                close=close,
                session=session,
                progress=Told(screen, url),
            )
    finally:
        source.stop()
    text = f"{url}: {size_of(appended.size)} appended"
    if appended.lost:
        text += f", {counted(appended.lost, 'lost connection')}"
    screen.line(f"{text}, interrupted" if interrupted else text)
    if interrupted:
        raise click.exceptions.Exit(INTERRUPTED)


async def _tail(url: str, settings: TransferSettings, offset: str, *, follow: bool) -> None:
    told = Told(Screen(quiet=settings.quiet), url)
    address = str(parse_address(url))
    sink = DescriptorSink(STANDARD_OUTPUT)
    async with Session(settings.patience) as session:
        stream = read_stream(address, offset=offset, follow=follow, session=session, progress=told)
        async with aclosing(stream):
            async for chunk in stream:
                try:
                    await sink.write([chunk])
                except BrokenPipeError:
                    return


def _run(url: str, work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None
    except AddressError as error:
        raise FailedError(str(error)) from None
    except (OSError, RiverrunError) as error:
        raise FailedError(f"{url}: {explain(error)}") from None
