"""The limits of `riverrun.http.limits`, as the [limits] table of the file writes them.

A field's name says what kind of quantity it is: ``head_size`` is ``head-size = "16KiB"``,
``head_timeout`` is ``head-timeout = "10s"``, ``field_count`` is ``field-count = 100``.
"""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING

from riverrun.cli.settings import NOTHING
from riverrun.http.limits import Limits
from riverrun.units import parse_duration, parse_rate, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable

PARSERS: dict[str, Callable[[str], float]] = {
    "size": parse_size,
    "mark": parse_size,
    "budget": parse_size,
    "timeout": parse_duration,
    "rate": parse_rate,
}
MAY_BE_ZERO = frozenset(
    (
        "chunk_extensions_size",
        "trailers_size",
        "whole_body_size",
        "body_size",
        "minimum_rate",
        "keep_alive_timeout",
        "linger_timeout",
        "linger_size",
        "graceful_timeout",
    )
)


def limit_readers() -> dict[str, Callable[[object], object]]:
    """For every key of the table, what makes its value a value of the field.

    They raise `ValueError`, which says what is wrong with it.
    """
    return {
        field.name.replace("_", "-"): partial(_read, field.name, optional=field.default is None)
        for field in fields(Limits)
    }


def make_limits(values: dict[str, object]) -> Limits:
    """Limits from keys of the table and values that have been read."""
    return Limits(**{key.replace("-", "_"): value for key, value in values.items()})  # type: ignore[arg-type]


def _read(name: str, written: object, *, optional: bool) -> float | None:
    if optional and written == NOTHING:
        return None
    parse = PARSERS.get(name.rpartition("_")[2])
    if parse is None:
        amount: float = _count(written)
    elif type(written) in (str, int):
        amount = parse(str(written))
    else:
        raise ValueError("write a number with its unit, in quotes")
    if not amount and name not in MAY_BE_ZERO:
        raise ValueError("must be more than zero")
    return amount


def _count(written: object) -> int:
    if type(written) is not int or written < 0:
        raise ValueError("must be a whole number")
    return written
