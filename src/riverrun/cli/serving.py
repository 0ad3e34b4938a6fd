"""Serving a handler as the settings say: what `serve` and `run` share once they have one.

Standard output carries the access log and nothing else, so that a program can read it; what is
for people goes to standard error.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from riverrun.cli.errors import CannotStartError
from riverrun.cli.greeting import Greeting
from riverrun.cli.listening import Address, Place, describe, open_address
from riverrun.flows import Flows, Shape
from riverrun.server import AccessLog, LogFormat, Options, run
from riverrun.server.descriptors import allow_many_descriptors

if TYPE_CHECKING:
    from riverrun.http.limits import Limits
    from riverrun.server import Handler, Server


class Serving(NamedTuple):
    """What `serve` and `run` let be set alike, beside where to listen."""

    limits: Limits
    chunk_size: int | None
    delay: float | None
    rate: float | None
    client_rate: float | None
    total_rate: float | None
    log: str
    log_file: str | None
    open_browser: bool

    @property
    def shape(self) -> Shape | None:
        """How bodies are sent, or None if they are not held back."""
        if self.rate is None and self.chunk_size is None and not self.delay:
            return None
        return Shape(rate=self.rate, chunk_size=self.chunk_size, delay=self.delay or 0.0)

    def make_flows(self) -> Flows:
        """Where the transfers of the server will be, with the limits on them."""
        return Flows(shape=self.shape, client_rate=self.client_rate, total_rate=self.total_rate)


def serve_handler(
    handler: Handler,
    address: Address,
    serving: Serving,
    options: Options,
    *,
    heading: str,
    allowed: str | None,
) -> None:
    """Serve until a signal; `heading` says what is served and `allowed` what may be done to it."""
    allow_many_descriptors()
    options = replace(options, access_log=_access_log(serving))
    with open_address(address) as listener:
        place = describe(listener)
        if serving.open_browser and place.url is None:
            raise CannotStartError(f"--open: a browser cannot open {place.text}")

        def started(_server: Server) -> None:
            _say(Greeting(heading, place, allowed, serving.shape, options.limits).text())
            if serving.open_browser:
                _open_browser(place)

        run(handler, listeners=[listener], options=options, started=started)


def _access_log(serving: Serving) -> AccessLog | None:
    if serving.log == "none":
        return None
    log_format = LogFormat(serving.log)
    if serving.log_file is not None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            return AccessLog(os.open(serving.log_file, flags, 0o644), log_format)
        except OSError as error:
            raise CannotStartError(
                f"cannot write the log to {serving.log_file}: {error.strerror}"
            ) from None
    if sys.stdout is None:  # closed by whoever started us
        return None
    return AccessLog(sys.stdout.fileno(), log_format)


def _say(text: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError):  # whoever read it is gone; that is no reason not to serve
            sys.stderr.write(text)
            sys.stderr.flush()


def _open_browser(place: Place) -> None:
    import webbrowser  # noqa: PLC0415 - only --open needs it

    assert place.url is not None
    Thread(target=webbrowser.open, args=(place.url,), name="open", daemon=True).start()
