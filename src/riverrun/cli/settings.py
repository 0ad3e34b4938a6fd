"""Settings: options that are environment variables and keys of riverrun.toml, too.

``--chunk-size`` is ``RIVERRUN_CHUNK_SIZE`` and ``chunk-size``. The command line comes before the
environment, the environment before the file, and the file before the default.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from riverrun.units import UnitError, parse_duration, parse_rate, parse_size, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOTHING = "none"
"""What to write to have none of something that the file or the environment sets."""

ORIGIN = r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s,?#]+"


class Setting(click.Option):
    """An option that can also be set by a variable and in the file; `section` is for its help."""

    def __init__(self, declarations: Sequence[str], *, section: str, **attributes: Any) -> None:
        super().__init__(declarations, **attributes)
        self.section = section
        self.envvar = variable_of(key_of(self))

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Name what the user has written: the option, or the variable."""
        return written_as(self, ctx)


class Words(Setting):
    """One that takes words with commas between them, and adds up when it is given again."""

    def __init__(self, declarations: Sequence[str], **attributes: Any) -> None:
        super().__init__(declarations, multiple=True, default=(), **attributes)

    def type_cast_value(self, ctx: click.Context, value: Any) -> frozenset[str]:
        """Give the words of all that was written; in the file it may be one text, or a list."""
        parts = (value,) if isinstance(value, str) else value or ()
        return frozenset[str]().union(*(self.type(part, self, ctx) for part in parts))


class Target(click.Argument):
    """An argument that can also be set by a variable and in the file."""

    def __init__(self, declarations: Sequence[str], **attributes: Any) -> None:
        super().__init__(declarations, **attributes)
        self.envvar = variable_of(key_of(self))


def key_of(parameter: click.Parameter) -> str:
    """The key of a parameter in the file."""
    if isinstance(parameter, click.Option):
        return parameter.opts[0].removeprefix("--")
    return parameter.name or ""


def variable_of(key: str) -> str:
    """The environment variable of a key."""
    return "RIVERRUN_" + key.replace("-", "_").upper()


def written_as(parameter: click.Parameter, ctx: click.Context | None) -> str:
    """How the user has set a parameter: ``--port``, ``RIVERRUN_PORT``, ``port`` in a file."""
    key = key_of(parameter)
    match ctx and ctx.get_parameter_source(parameter.name or ""):
        case click.core.ParameterSource.ENVIRONMENT:
            return variable_of(key)
        case click.core.ParameterSource.DEFAULT_MAP:
            return f"{key} in the file"
    return f"--{key}"


class Amount(click.ParamType[float | None]):
    """A quantity with its unit, or none."""

    def __init__(self, name: str, parse: Callable[[str], float], *, zero: bool = False) -> None:
        self.name = name
        self._parse = parse
        self._zero = zero

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        """Give bytes, seconds, or bytes a second."""
        text = str(value)
        if text == NOTHING:
            return None
        try:
            amount = self._parse(text)
        except UnitError as error:
            self.fail(str(error), param, ctx)
        if not amount and not self._zero:
            self.fail(f"{text} is too small; {NOTHING} takes the limit away", param, ctx)
        return amount


class Whole(click.ParamType[int]):
    """A whole number from 0 to `largest`."""

    def __init__(self, name: str, largest: int) -> None:
        self.name = name
        self._largest = largest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Give the number."""
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            self.fail(f"{shortened(text)} is not a {self.name}", param, ctx)
        if int(text) > self._largest:
            self.fail(f"{text} is not a {self.name}; the largest is {self._largest}", param, ctx)
        return int(text)


class Origin(click.ParamType[str | None]):
    """An origin (RFC 6454), ``*`` for all, or none."""

    name = "origin"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | None:
        """Give the origin as it was written."""
        text = str(value)
        if text == NOTHING:
            return None
        if text != "*" and not re.fullmatch(ORIGIN, text):
            message = f"{shortened(text)} is not an origin; write '*' or https://example.org"
            self.fail(message, param, ctx)
        return text


SIZE = Amount("size", parse_size)
DURATION = Amount("time", parse_duration, zero=True)
RATE = Amount("rate", parse_rate)
PORT = Whole("port", 65535)
DESCRIPTOR = Whole("descriptor", 2**31 - 1)
ORIGIN_OR_NONE = Origin()
