"""What a command answers when it cannot do what was asked."""

from __future__ import annotations

import click

CANNOT_START = 2
"""The exit status of every mistake in what was asked."""


class CannotStartError(click.ClickException):
    """Shown as one line on standard error, without a traceback."""

    exit_code = CANNOT_START


def one_line(error: click.ClickException) -> str:
    """Say what went wrong, in one line whatever the user has written into it."""
    message = "".join(_visible(character) for character in _message(error))
    return f"riverrun: {message.rstrip('.')}"


def _message(error: click.ClickException) -> str:
    """The framework's message, put as ours are."""
    message = error.format_message()
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        assert error.param is not None
        return f"{error.param.get_error_hint(error.ctx)}: {error.message}"
    if isinstance(error, click.UsageError):
        return message[:1].lower() + message[1:]
    return message


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def did_you_mean(written: str, known: list[str]) -> str:
    """A suggestion to add to a message, or nothing when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only mistakes need it

    near = get_close_matches(written, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
