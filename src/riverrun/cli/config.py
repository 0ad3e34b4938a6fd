"""The file riverrun.toml: a table for each command, and one for the limits.

    [serve]
    path = "videos"
    rate = "500 kB/s"

    [limits]
    head-timeout = "5s"

Paths are relative to the file. The whole file is checked, whichever command reads it: the first
key that is unknown, or whose value is of the wrong type or cannot be read, ends the program with
a line that names the file and the key.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riverrun.cli.errors import CannotStartError, did_you_mean
from riverrun.cli.settings import Amount, Setting, Target, Whole, key_of
from riverrun.http.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_FILE = "riverrun.toml"
LIMITS = "limits"

TYPES: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "a string",
}


def use_file(ctx: click.Context, _parameter: click.Parameter, given: str | None) -> Limits:
    """Take the defaults of a command from the file, and give the limits in it.

    It is the callback of ``--config``, which is eager: the command's own settings come after it.
    """
    if ctx.resilient_parsing or (given is None and not Path(DEFAULT_FILE).is_file()):
        return Limits()
    path = Path(given or DEFAULT_FILE)
    assert ctx.parent is not None
    assert isinstance(ctx.parent.command, click.Group)
    commands = ctx.parent.command.commands
    limits = Limits()
    for name, table in _tables(path).items():
        if name not in (LIMITS, *commands):
            hint = did_you_mean(name, [LIMITS, *commands])
            raise CannotStartError(f"{path}: {name}: unknown table{hint}")
        if not isinstance(table, dict):
            raise CannotStartError(f"{path}: {name}: must be a table, [{name}]")
        if name == LIMITS:
            limits = _read_limits(path, table)
        else:
            values = _read_command(path, commands[name], table)
            if name == ctx.info_name:
                ctx.default_map = values
    return limits


def _tables(path: Path) -> dict[str, object]:
    import tomllib  # noqa: PLC0415 - only a file needs it

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotStartError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise CannotStartError(f"{path}: {error}") from None


def _read_limits(path: Path, table: dict[str, object]) -> Limits:
    from riverrun.cli.limits import limit_readers, make_limits  # noqa: PLC0415 - as above

    return make_limits(_read(path, LIMITS, table, limit_readers()))


def _read_command(
    path: Path, command: click.Command, table: dict[str, object]
) -> dict[str, object]:
    """The values of a command's settings, by the names of its parameters."""
    parameters = {
        key_of(parameter): parameter
        for parameter in command.params
        if isinstance(parameter, Setting | Target)
    }
    readers = {
        key: partial(_read_setting, parameter, path.parent) for key, parameter in parameters.items()
    }
    values = _read(path, str(command.name), table, readers)
    return {str(parameters[key].name): value for key, value in values.items()}


def _read(
    path: Path,
    name: str,
    table: dict[str, object],
    readers: Mapping[str, Callable[[object], object]],
) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, written in table.items():
        if key not in readers:
            hint = did_you_mean(key, list(readers))
            raise CannotStartError(f"{path}: [{name}] {key}: unknown key{hint}")
        try:
            values[key] = readers[key](written)
        except ValueError as error:
            raise CannotStartError(f"{path}: [{name}] {key}: {error}") from None
    return values


def _read_setting(parameter: click.Parameter, folder: Path, written: object) -> object:
    """Check a value; give it as it was written, since click converts it.

    Raises `ValueError`.
    """
    wanted = _types(parameter)
    if type(written) not in wanted:
        names = " or ".join(TYPES[kind] for kind in wanted)
        raise ValueError(f"must be {names}")
    try:
        parameter.type.convert(written, parameter, None)
    except click.BadParameter as error:
        raise ValueError(error.message) from None
    if isinstance(parameter.type, click.Path):
        return str(folder / Path(str(written)).expanduser())
    return written


def _types(parameter: click.Parameter) -> tuple[type, ...]:
    kind: Any = parameter.type
    if isinstance(kind, Amount):
        return (str, int)
    if isinstance(kind, click.types.BoolParamType):
        return (bool,)
    if isinstance(kind, Whole):
        return (int,)
    return (str,)
